//! A simulator, and the connector pointed at it, with and without a guard.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bundled_connector::{COMPONENT, MANIFEST};
use guard::{Caller, GuardError, Guarded, Refusal, Stopped};
use host::contract::Environment;
use host::{CacheFolder, Call, Connection, Connector, Grants, Host, HostConfig, Invocation, Manifest};
use serde_json::Value;
use stripe_simulator::Simulator;

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let cache = CacheFolder::At(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    Host::with(HostConfig { cache, ..HostConfig::default() }).expect("an engine")
});

pub struct Shop {
    pub simulator: Simulator,
    pub connector: Connector,
    pub folder: tempfile::TempDir,
}

impl Shop {
    pub async fn open() -> Self {
        let simulator = Simulator::start().await.expect("a simulator");
        let manifest = Manifest::parse(MANIFEST).expect("the manifest");
        let grants = Grants::default().allow(&simulator.base_url()).expect("an address");
        let connector = HOST.load(COMPONENT, &manifest, &grants).expect("the connector loads");
        Self { simulator, connector, folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn connection(&self, environment: Environment) -> Connection {
        let base = self.simulator.base_url();
        let fields = [("api_base", base.as_str()), ("api_key", "sk_test_51GuardTests")];
        Connection::new(self.connector.manifest(), environment, fields).expect("known fields")
    }

    /// A call of this run.
    pub fn call(&self, run: &str) -> Call {
        Call::new(self.connection(Environment::Development), Invocation::new(run))
    }

    /// A call that no other is.
    pub fn fresh(&self) -> Call {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.call(&format!("run-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    pub async fn behind(&self, text: &str) -> Guarded {
        self.try_behind(text).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn try_behind(&self, text: &str) -> Result<Guarded, GuardError> {
        let connection = self.connection(Environment::Development);
        let caller = Caller { name: "test".into(), run: "run".into() };
        Guarded::behind(self.connector.clone(), &connection, ("guard.toml", text, self.folder.path()), caller, false)
            .await
    }

    /// Runs an action without a guard.
    pub async fn act(&self, operation: &str, input: Value) -> Value {
        let done = self.connector.run_action(&self.fresh(), operation, &input.to_string()).await;
        let done = done.unwrap_or_else(|error| panic!("{operation} {input}: {error:?}"));
        serde_json::from_str(&done.value.output).expect("JSON")
    }

    /// How many requests that change something came, by their paths.
    pub fn acted(&self) -> Vec<String> {
        let all = self.simulator.requests().into_iter().filter(|request| request.method != "GET");
        all.map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

/// Runs an action or a query behind a guard. What has to be agreed to nobody agrees to.
pub async fn run(
    guarded: &Guarded,
    call: &Call,
    operation: &str,
    input: &Value,
    action: bool,
) -> Result<String, Stopped> {
    let input = input.to_string();
    if action {
        let permit = guarded.permit_action(call, operation, &input, Vec::new()).await?;
        return Ok(guarded.run_action(permit).await?.value.output);
    }
    let permit = guarded.permit_query(call, operation, &input, None).await?;
    Ok(guarded.run_query(permit).await?.value.output)
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, Stopped>) -> Refusal {
    match result {
        Err(Stopped::Denied(refusal)) => *refusal,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}
