//! A platform with the connector loaded, pointed at a server on this machine.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bundled_connector::{COMPONENT, MANIFEST};
use host::contract::{DescribeRequest, Environment, Error, Operation, OperationFilter, OperationKind, TriggerUse};
use host::{CacheFolder, Call, CallError, Connection, Connector, Grants, Host, HostConfig, Invocation, Manifest};
use serde_json::Value;
use stripe_simulator::{RecordedRequest, Simulator, conformance};

/// One engine for all tests; compiled code is kept with the test build.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let cache = CacheFolder::At(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    Host::with(HostConfig { cache, ..HostConfig::default() }).expect("an engine")
});

/// A key that a test looks for wherever it must not be.
pub const KEY: &str = "sk_test_51SystemTests";

/// The connector, loaded and pointed at a server.
pub struct Platform {
    pub connector: Connector,
    base: String,
}

impl Platform {
    /// With everything that leaves for `base` granted.
    pub fn new(base: &str) -> Self {
        let manifest = Manifest::parse(MANIFEST).expect("the manifest");
        let grants = Grants::default().allow(base).expect("an address");
        let connector = HOST.load(COMPONENT, &manifest, &grants).expect("the connector loads");
        Self { connector, base: base.to_owned() }
    }

    /// A connection of these fields, beside the server's address.
    pub fn connection(&self, environment: Environment, fields: &[(&str, &str)]) -> Connection {
        let fields = [("api_base", self.base.as_str())].into_iter().chain(fields.iter().copied());
        Connection::new(self.connector.manifest(), environment, fields).expect("known fields")
    }

    /// A call of this run, with a test key.
    pub fn call(&self, run: &str) -> Call {
        self.call_with(run, &[("api_key", KEY)])
    }

    /// A call of this run, with these connection fields.
    pub fn call_with(&self, run: &str, fields: &[(&str, &str)]) -> Call {
        Call::new(self.connection(Environment::Development, fields), Invocation::new(run))
    }

    /// A call that no other test makes.
    pub fn fresh(&self) -> Call {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.call(&format!("run-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Runs an action and returns its output.
    pub async fn act(&self, operation: &str, input: Value) -> Value {
        let done = self.connector.run_action(&self.fresh(), operation, &input.to_string()).await;
        let done = done.unwrap_or_else(|e| panic!("{operation} {input}: {e:?}"));
        serde_json::from_str(&done.value.output).expect("JSON")
    }

    /// Runs an action that must fail with an error of the connector.
    pub async fn refused(&self, operation: &str, input: &str) -> Error {
        refused(self.connector.run_action(&self.fresh(), operation, input).await)
    }

    /// Runs a query and returns its output.
    pub async fn ask(&self, operation: &str, input: Value) -> Value {
        let found = self.connector.run_query(&self.fresh(), operation, &input.to_string(), None).await;
        let found = found.unwrap_or_else(|e| panic!("{operation} {input}: {e:?}"));
        serde_json::from_str(&found.value.output).expect("JSON")
    }

    /// Everything that the catalogue has, with every field.
    pub async fn operations(&self) -> Vec<Operation> {
        let mut all = Vec::new();
        for summary in self.connector.all_operations(OperationFilter::default()).await.expect("a list") {
            let request = DescribeRequest::full(&summary.id).of_kind(summary.kind);
            let described = self.connector.describe_operation(request).await;
            all.push(described.expect("described").value);
        }
        assert!(all.iter().any(|o| o.summary.kind == OperationKind::Trigger));
        all
    }
}

/// These triggers, without filters.
pub fn every(triggers: &[&str]) -> Vec<TriggerUse> {
    triggers.iter().map(|trigger| TriggerUse::every(*trigger)).collect()
}

/// The connector's error of a call that must have one.
pub fn refused<T: std::fmt::Debug>(result: Result<T, CallError>) -> Error {
    match result {
        Err(CallError::Connector(failure)) => failure.error,
        other => panic!("an error of the connector was expected, not {other:?}"),
    }
}

/// A platform and a simulator of its own. At the end every request that was sent is held against the API's facts.
pub struct Shop {
    pub simulator: Simulator,
    pub platform: Platform,
}

impl Shop {
    pub async fn open() -> Self {
        let simulator = Simulator::start().await.expect("a simulator");
        let platform = Platform::new(&simulator.base_url());
        Self { simulator, platform }
    }

    /// Every request of the connector so far, each checked: a strict validator finds nothing wrong with it, it names
    /// the pinned version, a POST that changes something carries its key, and nothing but `Authorization` carries the API key.
    pub fn checked_requests(&self) -> Vec<RecordedRequest> {
        let mut requests = self.simulator.requests();
        // A browser's and a test's own are not the connector's.
        requests.retain(|r| r.header("user-agent").is_some_and(|a| a.starts_with("stripe-connector/")));
        for r in &requests {
            let text = format!("{} {}?{} {}", r.method, r.path, r.query, r.body);
            conformance::check_request(&r.method, &r.path, &r.query, &r.body).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(r.header("stripe-version"), Some(stripe_facts::Facts::bundled().api_version.as_str()), "{text}");
            let posts = r.method == "POST" && r.path != "/v1/invoices/create_preview";
            // In v2 a removal has a key, too.
            let changes = posts || r.method == "DELETE" && r.path.starts_with("/v2/");
            assert_eq!(r.header("idempotency-key").is_some(), changes, "{text}");
            assert!(!format!("{r:?}").contains(KEY), "{text}");
        }
        requests
    }
}
