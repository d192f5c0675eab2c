//! A start that finds many events to be done.

use std::time::{Duration, Instant};

use store::{Arrival, Lease, Moment, Place, Via};

const EVENTS: usize = 100_000;

/// Of a source of its own, so that nobody has anything of it.
const SOURCE: &str = "recovery";

/// How long it takes from opening a store with so many waiting events to the first of them being claimed.
pub async fn ready_after(place: &Place) -> Duration {
    let filling = store::open(place).await.unwrap();
    let body = "x".repeat(2800);
    for batch in 0..EVENTS / 1000 {
        let arrival = |number: usize| Arrival {
            source: SOURCE.to_owned(),
            event_id: format!("evt_{:08}", batch * 1000 + number),
            event_type: "customer.created".to_owned(),
            occurred_at: Moment::now(),
            object: None,
            via: Via::Webhook,
            body: body.clone(),
            triggers: vec!["customer.created".to_owned()],
        };
        filling.take((0..1000).map(arrival).collect(), Moment::now()).await.unwrap();
    }
    drop(filling);
    let began = Instant::now();
    let store = store::open(place).await.unwrap();
    let (worker, sources) = ("benchmark".to_owned(), vec![SOURCE.to_owned()]);
    let lease = Lease { worker, sources, length: Duration::from_secs(15) };
    let claims = store.claim(&lease, 16, Moment::now()).await.unwrap();
    assert_eq!(claims.len(), 16);
    began.elapsed()
}
