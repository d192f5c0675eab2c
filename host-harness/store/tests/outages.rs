//! A PostgreSQL server that goes away and comes back.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::{Arrival, Ending, Error, EventKey, Lease, Moment, Place, Store, Via};
use tokio::time::timeout;

fn event(id: &str) -> Arrival {
    Arrival {
        source: "/shop".to_owned(),
        event_id: id.to_owned(),
        event_type: "customer.created".to_owned(),
        occurred_at: Moment::default(),
        object: None,
        via: Via::Webhook,
        body: "{}".to_owned(),
        triggers: vec!["a".to_owned()],
    }
}

fn lease() -> Lease {
    Lease { worker: "w".to_owned(), length: Duration::from_secs(600), sources: Vec::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_while_it_is_away_and_nothing_that_was_answered_is_lost() {
    let Some(server) = store_testing::Server::start() else { return };
    let store = store::open(&Place::parse(&server.database()).unwrap()).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (store, over) = (store.clone(), over.clone());
            tokio::spawn(async move {
                let (mut taken, mut failed) = (Vec::new(), 0);
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("evt_{sender}_{n}");
                    match store.take(vec![event(&id)], Moment::now()).await {
                        Ok(_) => taken.push(id),
                        Err(error) => {
                            assert!(error.is_passing(), "{error}");
                            failed += 1;
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    }
                }
                (taken, failed)
            })
        })
        .collect();
    for _ in 0..2 {
        while store.counts(None).await.map_or(0, |counts| counts.events) < 50 {
            tokio::task::yield_now().await;
        }
        server.stop();
        let methods = [
            store.ready().await.err(),
            store.take(vec![event("evt_x")], Moment::now()).await.err(),
            store.claim(&lease(), 1, Moment::now()).await.err(),
            store.next_due(&[]).await.err(),
            store.counts(None).await.err(),
        ];
        assert!(methods.iter().all(|error| matches!(error, Some(Error::Unavailable(_)))), "{methods:?}");
        server.go_on();
        timeout(Duration::from_secs(20), async { while store.ready().await.is_err() {} }).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let (mut taken, mut failed) = (Vec::new(), 0);
    for sender in senders {
        let (its, fails) = sender.await.unwrap();
        taken.extend(its);
        failed += fails;
    }
    assert!(failed > 0);
    for id in taken {
        let key = EventKey { source: "/shop".to_owned(), id };
        let kept = store.event(&key).await.unwrap().unwrap_or_else(|| panic!("{} is lost", key.id));
        assert_eq!(kept.runs.len(), 1);
    }
    let claims = store.claim(&lease(), 1, Moment::now()).await.unwrap();
    assert!(store.settle(&claims[0], Ending::Done, Moment::now()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_meanwhile_wakes_who_listens_when_it_is_back() {
    let Some(server) = store_testing::Server::start() else { return };
    let place = Place::parse(&server.database()).unwrap();
    let (here, there): (Arc<dyn Store>, Arc<dyn Store>) =
        (store::open(&place).await.unwrap(), store::open(&place).await.unwrap());
    server.stop();
    server.go_on();
    let mut changes = here.changes();
    while there.take(vec![event("evt_1")], Moment::now()).await.is_err() {}
    timeout(Duration::from_secs(20), changes.next()).await.expect("woken");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_database_denied() {
    let nowhere = Place::parse("postgres://shop:hunter2@127.0.0.1:1/events").unwrap();
    let error = store::open(&nowhere).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let Some(server) = store_testing::shared() else { return };
    let wrong = server.database().replace("/d", "/no_such_");
    let error = store::open(&Place::parse(&wrong).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error}");
}
