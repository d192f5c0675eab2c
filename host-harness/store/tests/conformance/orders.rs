//! Runs of one object are done one after the other.

use store::{Arrival, Ending};

use crate::database::{Database, about, at, claim, event, ids};

pub async fn runs_of_an_object_are_done_one_after_the_other(database: Database) {
    let store = database.open().await;
    let arrivals = vec![about("cus_1", "evt_3", 3), about("cus_1", "evt_1", 1), about("cus_1", "evt_2", 2)];
    store.take(arrivals, at(5)).await.unwrap();
    let mut order = Vec::new();
    for second in 5..8 {
        let mut claims = claim(&store, at(second)).await;
        assert_eq!(claims.len(), 1, "{claims:?}");
        assert!(claim(&store, at(second)).await.is_empty());
        let claim = claims.remove(0);
        assert!(store.settle(&claim, Ending::Done, at(second)).await.unwrap());
        order.push(claim.event.id);
    }
    assert_eq!(order, ["evt_1", "evt_2", "evt_3"]);
}

pub async fn runs_of_other_objects_triggers_and_sources_do_not_wait(database: Database) {
    let store = database.open().await;
    let arrivals = vec![
        about("cus_1", "evt_1", 1),
        about("cus_2", "evt_2", 1),
        Arrival { source: "/other".to_owned(), ..about("cus_1", "evt_3", 1) },
        Arrival { triggers: vec!["u".to_owned()], ..about("cus_1", "evt_4", 1) },
        event("evt_5", &["t"]),
        event("evt_6", &["t"]),
        about("cus_1", "evt_7", 1),
    ];
    store.take(arrivals, at(5)).await.unwrap();
    let mut claims = claim(&store, at(5)).await;
    claims.sort_by(|a, b| a.event.id.cmp(&b.event.id));
    // Of two that happened at the same time the one that was taken first goes first.
    assert_eq!(ids(&claims), ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_6"]);
}

pub async fn a_later_run_waits_while_an_earlier_one_waits_for_its_next_attempt(database: Database) {
    let store = database.open().await;
    store.take(vec![about("cus_1", "evt_1", 1), about("cus_1", "evt_2", 2)], at(5)).await.unwrap();
    let first = claim(&store, at(5)).await.remove(0);
    let again = Ending::Again { at: at(100), reason: "no luck".to_owned() };
    assert!(store.settle(&first, again, at(6)).await.unwrap());
    for second in [6, 20, 50, 99] {
        assert!(claim(&store, at(second)).await.is_empty(), "{second}");
    }
    let claims = claim(&store, at(100)).await;
    assert_eq!(ids(&claims), ["evt_1"]);
    assert!(store.settle(&claims[0], Ending::Done, at(101)).await.unwrap());
    assert_eq!(ids(&claim(&store, at(101)).await), ["evt_2"]);
}

pub async fn a_dead_run_lets_the_next_one_go(database: Database) {
    let store = database.open().await;
    store.take(vec![about("cus_1", "evt_1", 1), about("cus_1", "evt_2", 2)], at(5)).await.unwrap();
    let first = claim(&store, at(5)).await.remove(0);
    assert!(claim(&store, at(5)).await.is_empty());
    assert!(store.settle(&first, Ending::Dead { reason: "no hope".to_owned() }, at(6)).await.unwrap());
    let second = claim(&store, at(6)).await;
    assert_eq!(ids(&second), ["evt_2"]);
    // The dead one, replayed, waits for its turn like any other.
    store.replay(&store::Replay::Run(first.key), at(7)).await.unwrap();
    assert!(claim(&store, at(7)).await.is_empty());
    assert!(store.settle(&second[0], Ending::Done, at(8)).await.unwrap());
    assert_eq!(ids(&claim(&store, at(8)).await), ["evt_1"]);
}

pub async fn an_event_that_happened_earlier_goes_first_when_it_comes_late(database: Database) {
    let store = database.open().await;
    store.take(vec![about("cus_1", "evt_2", 2), about("cus_1", "evt_3", 3)], at(5)).await.unwrap();
    let second = claim(&store, at(5)).await.remove(0);
    assert_eq!(second.event.id, "evt_2");
    store.take(vec![about("cus_1", "evt_1", 1)], at(6)).await.unwrap();
    assert!(claim(&store, at(6)).await.is_empty());
    assert!(store.settle(&second, Ending::Done, at(7)).await.unwrap());
    let first = claim(&store, at(7)).await;
    assert_eq!(ids(&first), ["evt_1"]);
    assert!(store.settle(&first[0], Ending::Done, at(7)).await.unwrap());
    assert_eq!(ids(&claim(&store, at(7)).await), ["evt_3"]);
}

pub async fn a_run_that_waits_for_an_abandoned_one_is_not_forgotten(database: Database) {
    let store = database.open().await;
    store.take(vec![about("cus_1", "evt_2", 2)], at(5)).await.unwrap();
    assert_eq!(ids(&claim(&store, at(5)).await), ["evt_2"]);
    // Its process is gone. What comes now happened earlier, and what is abandoned stands behind it.
    store.take(vec![about("cus_1", "evt_1", 1)], at(6)).await.unwrap();
    let mut order = Vec::new();
    let mut second = 6;
    while order.len() < 2 && second < 60 {
        for claim in claim(&store, at(second)).await {
            assert!(store.settle(&claim, Ending::Done, at(second)).await.unwrap());
            order.push(claim.event.id);
        }
        second += 1;
    }
    assert_eq!(order, ["evt_1", "evt_2"]);
    assert!(second <= 30, "it took {second} s");
}

pub async fn many_runs_of_one_object_do_not_hide_the_others(database: Database) {
    let store = database.open().await;
    let crowd = (0..3000).map(|n| about("cus_1", &format!("evt_{n}"), n)).collect();
    store.take(crowd, at(5000)).await.unwrap();
    store.take(vec![about("cus_2", "evt_other", 1)], at(5001)).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen.extend(store.claim(&super::database::lease(), 8, at(5002)).await.unwrap());
        if seen.len() == 2 {
            break;
        }
    }
    assert_eq!(ids(&seen), ["evt_0", "evt_other"]);
}
