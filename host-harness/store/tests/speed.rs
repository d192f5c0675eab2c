//! How fast the stores are, measured when asked for: `cargo test -p store --test speed -- --ignored --nocapture --test-threads=1`.
//!
//! Deliveries come from 64 callers at a time, one event with one run each, 2.8 KB, as webhooks do; each is answered when it is durable.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{Arrival, Ending, Lease, Moment, Place, Store, Via};
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const DELIVERIES: usize = 10_000;

fn arrival(n: usize) -> Arrival {
    Arrival {
        source: "/shop".to_owned(),
        event_id: format!("evt_1Qx{n:020}"),
        event_type: "customer.created".to_owned(),
        occurred_at: Moment::now(),
        object: Some(format!("cus_{}", n % 5000)),
        via: Via::Webhook,
        body: "x".repeat(2800),
        triggers: vec!["customer.created".to_owned()],
    }
}

async fn deliver(name: &str, store: &Arc<dyn Store>) {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut waits = Vec::new();
            for n in (caller..DELIVERIES).step_by(CALLERS) {
                let asked = Instant::now();
                store.take(vec![arrival(n)], Moment::now()).await.unwrap();
                waits.push(asked.elapsed());
            }
            waits
        });
    }
    let mut waits = tasks.join_all().await.concat();
    let rate = DELIVERIES as f64 / began.elapsed().as_secs_f64();
    waits.sort();
    let at = |part: usize| waits[waits.len() * part / 1000];
    eprintln!("{name}: {rate:.0} deliveries a second, p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}", at(500), at(990), at(999));
}

async fn work_off(name: &str, store: &Arc<dyn Store>) {
    let began = Instant::now();
    let lease = Lease { worker: "w".to_owned(), length: Duration::from_secs(60), sources: Vec::new() };
    let mut done = 0;
    loop {
        let claims = store.claim(&lease, 64, Moment::now()).await.unwrap();
        if claims.is_empty() {
            break;
        }
        let mut tasks = JoinSet::new();
        for claim in claims {
            let store = store.clone();
            tasks.spawn(async move { assert!(store.settle(&claim, Ending::Done, Moment::now()).await.unwrap()) });
        }
        done += tasks.len();
        tasks.join_all().await;
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    assert_eq!(done, DELIVERIES);
    eprintln!("{name}: {rate:.0} runs a second claimed, 64 at a time, and settled");
}

/// 100,000 events are stored; how long until a process that starts has the first and knows how many wait?
async fn recover(name: &str, place: &Place) {
    let store = store::open(place).await.unwrap();
    for first in (0..100_000).step_by(500) {
        store.take((first..first + 500).map(|n| arrival(1_000_000 + n)).collect(), Moment::now()).await.unwrap();
    }
    drop(store);
    let began = Instant::now();
    let store = store::open(place).await.unwrap();
    let opened = began.elapsed();
    let counts = store.counts(None).await.unwrap();
    assert_eq!(counts.waiting, 100_000);
    let counted = began.elapsed();
    let lease = Lease { worker: "w".to_owned(), length: Duration::from_secs(60), sources: Vec::new() };
    assert_eq!(store.claim(&lease, 64, Moment::now()).await.unwrap().len(), 64);
    let claimed = began.elapsed();
    eprintln!(
        "{name}: 100,000 stored: opened after {opened:.1?}, counted {counted:.1?}, first 64 claimed {claimed:.1?}"
    );
}

async fn measure(name: &str, place: &Place) {
    let store = store::open(place).await.unwrap();
    deliver(name, &store).await;
    work_off(name, &store).await;
    drop(store);
    recover(name, place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn sqlite() {
    // Not in memory, as /tmp is on some machines.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let place = Place::parse(&folder.path().join("events.db").to_string_lossy()).unwrap();
    measure("sqlite", &place).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn postgres() {
    if let Some(server) = store_testing::shared() {
        measure("postgres", &Place::parse(&server.database()).unwrap()).await;
    }
}
