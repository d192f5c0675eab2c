//! What every subject stands on: one thread that calls, a host and a connector.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use host::contract::Environment;
use host::{CacheFolder, Call, Connection, Connector, Grants, Host, HostConfig, Invocation, Manifest};
use tokio::runtime::{Builder, Runtime};

pub const KEY: &str = "sk_test_51Benchmark";
pub const WEBHOOK_SECRET: &str = "whsec_benchmarks";

/// One thread for all subjects; servers have another.
pub static CALLER: LazyLock<Runtime> = LazyLock::new(runtime);

/// A host as a server has it, whose compiled code is kept with the build.
pub static HOST: LazyLock<Host> = LazyLock::new(|| host(cache()));

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn cache() -> CacheFolder {
    CacheFolder::At(Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-harness"))
}

pub fn host(cache: CacheFolder) -> Host {
    Host::with(HostConfig { cache, ..HostConfig::default() }).unwrap()
}

pub fn manifest() -> Manifest {
    Manifest::parse(bundled_connector::MANIFEST).unwrap()
}

pub fn load(host: &Host, grants: &Grants) -> Connector {
    host.load(bundled_connector::COMPONENT, &manifest(), grants).unwrap()
}

/// The connector, loaded and let out to `base` alone.
pub fn connector(base: &str) -> Connector {
    load(&HOST, &Grants::nothing().allow(base).unwrap())
}

/// A connection to `base`.
pub fn connection(base: &str) -> Connection {
    let fields = [("api_key", KEY), ("api_base", base), ("webhook_secret", WEBHOOK_SECRET)];
    Connection::new(&manifest(), Environment::Development, fields).unwrap()
}

/// A run that no other is.
pub fn call(connection: &Connection) -> Call {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let run = NEXT.fetch_add(1, Ordering::Relaxed);
    Call::new(connection.clone(), Invocation::new(format!("run_{run}")))
}
