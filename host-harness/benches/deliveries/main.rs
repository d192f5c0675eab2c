//! What taking an event costs: `cargo bench --bench deliveries`.
//!
//! Signed deliveries over loopback to the inbox with the real component: verified, durable, answered. The senders are in the
//! same process and on the same cores, and what is taken is handed on meanwhile to a handler that does nothing. Then how long a
//! start takes that finds many events to be done. PostgreSQL is measured where `BENCH_POSTGRES` names an empty database.
//! Nothing is asserted: a figure that misses its goal is for a person to judge.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run stops"
)]

mod recovery;
mod senders;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use guard::{Caller, Guarded};
use host::contract::Environment;
use host::{CacheFolder, Connection, Connector, Grants, Host, HostConfig, Manifest};
use inbox::{Expected, Handler, Handling, Inbox, Run, Settings, Source, Verdict};
use store::{Place, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What deliveries are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_benchmarks";

/// So long deliveries are made, the warm-up aside.
const TIME: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);

struct Nothing;

impl Handler for Nothing {
    fn handle<'a>(&'a self, _: &'a Run) -> Handling<'a> {
        Box::pin(async { Verdict::Done })
    }
}

fn connector() -> (Connector, Connection) {
    let manifest = Manifest::parse(bundled_connector::MANIFEST).unwrap();
    let cache = CacheFolder::At(Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-harness"));
    let host = Host::with(HostConfig { cache, calls: 512, ..HostConfig::default() }).unwrap();
    let connector = host.load(bundled_connector::COMPONENT, &manifest, &Grants::nothing()).unwrap();
    let fields = [("webhook_secret", WEBHOOK_SECRET)];
    (connector, Connection::new(&manifest, Environment::Development, fields).unwrap())
}

/// Deliveries to an inbox over this store: how many a second, and how long they took.
async fn measured(store: Arc<dyn Store>, connector: &Connector, connection: &Connection) -> (f64, Vec<Duration>) {
    let source = Source {
        name: "stripe".to_owned(),
        connector: Guarded::open(
            connector.clone(),
            Caller { name: "benchmark".into(), run: "benchmark".into() },
            false,
        ),
        connection: connection.clone(),
        expected: Expected::default(),
        handler: Arc::new(Nothing),
        ordered: false,
        catch_up: None,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let inbox = Inbox::new(store, vec![source], Settings::default(), Arc::new(())).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(inbox.serve(listener, async {
        let _ = stopped.await;
    }));
    let sample = connector.sample("customer.created").await.unwrap().value.payload;
    let (rate, times) = senders::deliver(address, &sample, WARM_UP, TIME).await;
    stop.send(()).unwrap();
    serving.await.unwrap();
    (rate, times)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header([
        "deliveries",
        "a second",
        "goal",
        "median",
        "p99",
        "goal",
        "100,000 waiting: ready after",
        "goal",
    ]);
    runtime.block_on(async {
        let (connector, connection) = connector();
        let folder = tempfile::tempdir().unwrap();
        let mut places = vec![("SQLite", Place::Sqlite(folder.path().join("events.db")), "2,000")];
        if let Ok(url) = std::env::var("BENCH_POSTGRES") {
            places.push(("PostgreSQL", Place::parse(&url).unwrap(), "1,000"));
        }
        for (name, place, goal) in places {
            let (rate, times) = measured(store::open(&place).await.unwrap(), &connector, &connection).await;
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
            let ready = recovery::ready_after(&place).await;
            table.add_row([
                name.to_owned(),
                format!("{rate:.0}"),
                goal.to_owned(),
                format!("{:.1} ms", at(0.5)),
                format!("{:.1} ms", at(0.99)),
                "25 ms".to_owned(),
                format!("{:.0} ms", ready.as_secs_f64() * 1e3),
                "2 s".to_owned(),
            ]);
        }
    });
    for column in [1, 2, 3, 4, 5, 6, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\n{table}\nOn {cores} cores with a load of {}.\n", load.split(' ').next().unwrap_or_default());
}
