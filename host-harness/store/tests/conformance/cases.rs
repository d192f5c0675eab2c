//! Taking, claiming, settling, replaying and forgetting.

use std::time::Duration;

use store::{Arrival, Ending, Error, EventKey, Lease, Replay, Replayed, RunKey, RunState, Via};

use crate::database::{Database, at, claim, event, ids, lease};

fn key(id: &str, trigger: &str) -> RunKey {
    RunKey::of("/shop", id, trigger, 0)
}

fn again(seconds: u64) -> Ending {
    Ending::Again { at: at(seconds), reason: "no luck".to_owned() }
}

fn dead() -> Ending {
    Ending::Dead { reason: "no hope".to_owned() }
}

pub async fn an_event_starts_one_run_for_each_trigger(database: Database) {
    let store = database.open().await;
    let taken = store.take(vec![event("evt_1", &["a", "b"]), event("evt_2", &["a"])], at(1)).await.unwrap();
    assert!(taken.iter().all(|taken| taken.first));
    assert_eq!(taken[0].started, [key("evt_1", "a"), key("evt_1", "b")]);
    assert_eq!(taken[1].started, [key("evt_2", "a")]);
    assert_eq!(claim(&store, at(1)).await.len(), 3);
}

pub async fn a_known_event_gets_runs_for_further_triggers_only(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(1)).await.unwrap();
    let taken = store.take(vec![event("evt_1", &["a", "b"])], at(2)).await.unwrap();
    assert!(!taken[0].first);
    assert_eq!(taken[0].started, [key("evt_1", "b")]);
    let taken = store.take(vec![event("evt_1", &["b", "a"])], at(3)).await.unwrap();
    assert!(!taken[0].first && taken[0].started.is_empty());
    // Also when its run is long over.
    for claim in claim(&store, at(3)).await {
        assert!(store.settle(&claim, Ending::Done, at(4)).await.unwrap());
    }
    let taken = store.take(vec![event("evt_1", &["a", "b"])], at(5)).await.unwrap();
    assert!(!taken[0].first && taken[0].started.is_empty());
    assert!(claim(&store, at(5)).await.is_empty());
}

pub async fn an_event_twice_in_one_call_is_one(database: Database) {
    let store = database.open().await;
    let twice = vec![event("evt_1", &["a"]), event("evt_1", &["a", "b"])];
    let taken = store.take(twice, at(1)).await.unwrap();
    assert_eq!([taken[0].first, taken[1].first], [true, false]);
    assert_eq!(taken[0].started, [key("evt_1", "a")]);
    assert_eq!(taken[1].started, [key("evt_1", "b")]);
}

pub async fn the_same_id_from_another_source_is_another_event(database: Database) {
    let store = database.open().await;
    let other = Arrival { source: "/other".to_owned(), ..event("evt_1", &["a"]) };
    let taken = store.take(vec![event("evt_1", &["a"]), other], at(1)).await.unwrap();
    assert!(taken[0].first && taken[1].first);
    assert_ne!(taken[0].started, taken[1].started);
}

pub async fn an_event_without_triggers_is_kept_and_runs_nothing(database: Database) {
    let store = database.open().await;
    let taken = store.take(vec![event("evt_1", &[])], at(1)).await.unwrap();
    assert!(taken[0].first && taken[0].started.is_empty());
    assert!(!store.take(vec![event("evt_1", &[])], at(1)).await.unwrap()[0].first);
    assert!(claim(&store, at(1)).await.is_empty());
    assert_eq!(store.take(Vec::new(), at(1)).await.unwrap(), []);
}

pub async fn what_cannot_be_stored_everywhere_is_refused_whole(database: Database) {
    let store = database.open().await;
    let broken = Arrival { body: "{\0}".to_owned(), ..event("evt_2", &["a"]) };
    let refused = store.take(vec![event("evt_1", &["a"]), broken], at(1)).await.unwrap_err();
    assert_eq!(refused, Error::Unfit("an event's body"));
    assert_eq!(store.counts(None).await.unwrap().events, 0);
    assert!(matches!(store.set_position("a\0", "", at(1)).await, Err(Error::Unfit(_))));
}

pub async fn a_claim_hands_out_what_was_taken(database: Database) {
    let store = database.open().await;
    let given = Arrival { object: Some("cus_1".to_owned()), via: Via::Poll, ..event("evt_1", &["a"]) };
    store.take(vec![given.clone()], at(5)).await.unwrap();
    let claims = claim(&store, at(6)).await;
    let [claim] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!(claim.key, key("evt_1", "a"));
    assert_eq!(claim.event, EventKey { source: given.source, id: given.event_id });
    assert_eq!((claim.event_type.as_str(), claim.trigger.as_str()), ("customer.created", "a"));
    assert_eq!((claim.attempt, claim.replay, &claim.last_reason), (1, 0, &None));
    assert_eq!((claim.occurred_at, claim.taken_at, claim.via), (at(0), at(5), Via::Poll));
    assert_eq!((&claim.object, &claim.body), (&given.object, &given.body));
}

pub async fn a_claim_takes_no_more_than_it_is_asked_for_and_the_oldest_first(database: Database) {
    let store = database.open().await;
    for (id, second) in [("evt_2", 2), ("evt_1", 1), ("evt_3", 3), ("evt_4", 3)] {
        store.take(vec![event(id, &["a"])], at(second)).await.unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..2 {
        order.extend(store.claim(&lease(), 2, at(3)).await.unwrap());
    }
    assert_eq!(ids(&order), ["evt_1", "evt_2", "evt_3", "evt_4"]);
    assert!(store.claim(&lease(), 2, at(3)).await.unwrap().is_empty());
    assert!(store.claim(&lease(), 0, at(99)).await.unwrap().is_empty());
}

pub async fn a_claim_takes_only_runs_of_its_sources(database: Database) {
    let store = database.open().await;
    for source in ["/a", "/b", r#"/"\c""#] {
        store.take(vec![Arrival { source: source.to_owned(), ..event("evt_1", &["a"]) }], at(1)).await.unwrap();
    }
    let of = |sources: &[&str]| Lease { sources: sources.iter().map(|s| (*s).to_owned()).collect(), ..lease() };
    let sources = |claims: Vec<store::Claim>| claims.into_iter().map(|claim| claim.event.source).collect::<Vec<_>>();
    assert!(store.claim(&of(&["/d"]), 9, at(1)).await.unwrap().is_empty());
    assert_eq!(store.next_due(&["/d".to_owned()]).await.unwrap(), None);
    assert_eq!(sources(store.claim(&of(&["/d", r#"/"\c""#]), 9, at(1)).await.unwrap()), [r#"/"\c""#]);
    assert_eq!(store.next_due(&["/b".to_owned()]).await.unwrap(), Some(at(1)));
    assert_eq!(sources(store.claim(&of(&["/b"]), 9, at(1)).await.unwrap()), ["/b"]);
    assert_eq!(sources(store.claim(&of(&[]), 9, at(1)).await.unwrap()), ["/a"]);
}

pub async fn a_claim_that_was_abandoned_is_made_again_and_the_old_one_settles_nothing(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(claim(&store, at(9)).await.is_empty());
    let second = claim(&store, at(10)).await.remove(0);
    assert_eq!((second.key.clone(), second.attempt), (first.key.clone(), 2));
    for ending in [Ending::Done, again(50), dead(), Ending::Returned] {
        assert!(!store.settle(&first, ending, at(11)).await.unwrap());
    }
    assert!(!store.extend(&first, Duration::from_secs(99), at(11)).await.unwrap());
    assert!(claim(&store, at(19)).await.is_empty());
    assert!(store.settle(&second, Ending::Done, at(19)).await.unwrap());
    assert!(claim(&store, at(99)).await.is_empty());
}

pub async fn an_extended_claim_is_not_made_again(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(store.extend(&first, Duration::from_secs(10), at(9)).await.unwrap());
    assert!(claim(&store, at(18)).await.is_empty());
    // Its time is over, and nobody claimed it: it is still ours.
    assert!(store.settle(&first, Ending::Done, at(25)).await.unwrap());
    assert!(!store.extend(&first, Duration::from_secs(10), at(26)).await.unwrap());
}

pub async fn a_failed_run_waits_for_its_moment_and_counts_attempts(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(store.settle(&first, again(30), at(1)).await.unwrap());
    assert_eq!(store.next_due(&[]).await.unwrap(), Some(at(30)));
    assert!(claim(&store, at(29)).await.is_empty());
    let second = claim(&store, at(30)).await.remove(0);
    assert_eq!((second.attempt, second.last_reason.as_deref()), (2, Some("no luck")));
    // A moment that has passed is now.
    assert!(store.settle(&second, again(1), at(31)).await.unwrap());
    assert_eq!(claim(&store, at(31)).await.remove(0).attempt, 3);
}

pub async fn a_dead_run_is_not_claimed(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(store.settle(&first, dead(), at(1)).await.unwrap());
    assert!(claim(&store, at(1000)).await.is_empty());
    assert_eq!(store.next_due(&[]).await.unwrap(), None);
    let shown = store.event(&first.event).await.unwrap().unwrap().runs.remove(0);
    assert_eq!((shown.state, shown.reason.as_deref()), (RunState::Dead, Some("no hope")));
}

pub async fn a_returned_run_waits_as_if_it_had_not_been_claimed(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(store.settle(&first, Ending::Returned, at(1)).await.unwrap());
    let second = claim(&store, at(1)).await.remove(0);
    assert_eq!((second.attempt, second.last_reason), (1, None));
    assert!(!store.settle(&first, Ending::Done, at(2)).await.unwrap());
}

pub async fn settling_again_after_a_lost_answer_is_still_ours(database: Database) {
    let store = database.open().await;
    for ending in [Ending::Done, dead(), again(1000)] {
        let id = format!("{ending:?}");
        store.take(vec![event(&id, &["a"])], at(0)).await.unwrap();
        let first = claim(&store, at(0)).await.remove(0);
        for _ in 0..3 {
            assert!(store.settle(&first, ending.clone(), at(1)).await.unwrap(), "{ending:?}");
        }
    }
    assert!(claim(&store, at(999)).await.is_empty());
}

pub async fn a_clock_that_was_set_back_holds_no_run(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_claimed", &["a"]), event("evt_failed", &["a"])], at(1_000_000)).await.unwrap();
    let claims = claim(&store, at(1_000_000)).await;
    assert_eq!(ids(&claims), ["evt_claimed", "evt_failed"]);
    assert!(store.settle(&claims[1], again(1_000_600), at(1_000_000)).await.unwrap());
    store.take(vec![event("evt_waits", &["a"])], at(1_000_001)).await.unwrap();
    let mut back = claim(&store, at(5)).await;
    back.sort_by(|a, b| a.event.id.cmp(&b.event.id));
    assert_eq!(ids(&back), ["evt_claimed", "evt_failed", "evt_waits"]);
}

pub async fn a_clock_that_is_a_little_behind_claims_nothing_twice(database: Database) {
    let (ahead, behind) = (database.open().await, database.open().await);
    ahead.take(vec![event("evt_1", &["a"])], at(100)).await.unwrap();
    let first = claim(&ahead, at(100)).await.remove(0);
    for second in 95..110 {
        assert!(claim(&behind, at(second)).await.is_empty(), "{second}");
    }
    assert!(ahead.settle(&first, again(200), at(101)).await.unwrap());
    for second in 96..200 {
        assert!(claim(&behind, at(second)).await.is_empty(), "{second}");
    }
}

pub async fn a_dead_run_is_replayed_under_its_key(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let first = claim(&store, at(0)).await.remove(0);
    assert!(store.settle(&first, dead(), at(1)).await.unwrap());
    let replayed = store.replay(&Replay::Run(first.key.clone()), at(2)).await.unwrap();
    assert_eq!(replayed, [Replayed::Revived(first.key.clone())]);
    // The old claim has no say in it.
    assert!(!store.settle(&first, Ending::Done, at(2)).await.unwrap());
    let second = claim(&store, at(2)).await.remove(0);
    assert_eq!((second.key, second.attempt, second.replay), (first.key, 1, 0));
    assert_eq!(store.replay(&Replay::Run(RunKey::from_text("run_none")), at(3)).await.unwrap(), []);
}

pub async fn a_finished_run_is_replayed_under_a_key_of_its_own(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a", "b"])], at(0)).await.unwrap();
    for claim in claim(&store, at(0)).await {
        assert!(store.settle(&claim, Ending::Done, at(1)).await.unwrap());
    }
    let replayed = store.replay(&Replay::Run(key("evt_1", "a")), at(2)).await.unwrap();
    let further = RunKey::of("/shop", "evt_1", "a", 1);
    assert_eq!(replayed, [Replayed::Further { of: key("evt_1", "a"), key: further.clone() }]);
    let claims = claim(&store, at(2)).await;
    assert_eq!((claims.len(), &claims[0].key, claims[0].replay, claims[0].attempt), (1, &further, 1, 1));
    assert!(store.settle(&claims[0], Ending::Done, at(3)).await.unwrap());
    // The whole event: the newest of each trigger.
    let whole = Replay::Event(claims[0].event.clone());
    let mut replayed = store.replay(&whole, at(4)).await.unwrap();
    replayed.sort_by_key(|replayed| format!("{replayed:?}").contains(key("evt_1", "b").as_str()));
    assert_eq!(
        replayed,
        [
            Replayed::Further { of: further, key: RunKey::of("/shop", "evt_1", "a", 2) },
            Replayed::Further { of: key("evt_1", "b"), key: RunKey::of("/shop", "evt_1", "b", 1) },
        ]
    );
    let none = Replay::Event(EventKey { source: "/shop".to_owned(), id: "evt_2".to_owned() });
    assert_eq!(store.replay(&none, at(4)).await.unwrap(), []);
}

pub async fn what_is_not_over_is_not_replayed(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    let unfinished = [Replayed::Unfinished(key("evt_1", "a"))];
    assert_eq!(store.replay(&Replay::Run(key("evt_1", "a")), at(0)).await.unwrap(), unfinished);
    let first = claim(&store, at(0)).await.remove(0);
    assert_eq!(store.replay(&Replay::Event(first.event.clone()), at(0)).await.unwrap(), unfinished);
    assert!(store.settle(&first, Ending::Done, at(1)).await.unwrap());
    // Somebody who asks twice gets one.
    store.replay(&Replay::Run(first.key.clone()), at(2)).await.unwrap();
    let twice = store.replay(&Replay::Run(first.key), at(2)).await.unwrap();
    assert_eq!(twice, [Replayed::Unfinished(RunKey::of("/shop", "evt_1", "a", 1))]);
    assert_eq!(claim(&store, at(2)).await.len(), 1);
}

pub async fn all_dead_runs_are_replayed_of_one_source_or_of_all(database: Database) {
    let store = database.open().await;
    for source in ["/a", "/b", "/c"] {
        let arrivals = ["evt_1", "evt_2"].map(|id| Arrival { source: source.to_owned(), ..event(id, &["a"]) });
        store.take(arrivals.to_vec(), at(0)).await.unwrap();
    }
    for claim in claim(&store, at(0)).await {
        let ending = if claim.event.source == "/c" { Ending::Done } else { dead() };
        assert!(store.settle(&claim, ending, at(1)).await.unwrap());
    }
    let of_a = store.replay(&Replay::Dead { source: Some("/a".to_owned()) }, at(2)).await.unwrap();
    assert_eq!(of_a.len(), 2);
    assert!(claim(&store, at(2)).await.iter().all(|claim| claim.event.source == "/a"));
    assert_eq!(store.replay(&Replay::Dead { source: None }, at(2)).await.unwrap().len(), 2);
    assert_eq!(store.replay(&Replay::Dead { source: None }, at(2)).await.unwrap(), []);
}

pub async fn what_is_over_is_forgotten_and_the_rest_kept(database: Database) {
    let store = database.open().await;
    for (id, second) in [("evt_old", 1), ("evt_dead", 2), ("evt_waits", 3), ("evt_none", 4), ("evt_new", 9)] {
        let triggers: &[&str] = if id == "evt_none" { &[] } else { &["a"] };
        store.take(vec![event(id, triggers)], at(second)).await.unwrap();
    }
    for claim in claim(&store, at(9)).await {
        let ending = match claim.event.id.as_str() {
            "evt_dead" => dead(),
            "evt_waits" => again(10),
            _ => Ending::Done,
        };
        assert!(store.settle(&claim, ending, at(9)).await.unwrap());
    }
    assert_eq!(store.forget(at(9), 1).await.unwrap(), 1);
    assert_eq!(store.forget(at(9), 100).await.unwrap(), 1);
    assert_eq!(store.forget(at(9), 100).await.unwrap(), 0);
    let left = store.events(&store::Filter::default(), None, 10).await.unwrap().events;
    let left: Vec<_> = left.into_iter().map(|event| event.key.id).collect();
    assert_eq!(left, ["evt_new", "evt_waits", "evt_dead"]);
    // It is new again, under the key that it had.
    let taken = store.take(vec![event("evt_old", &["a"])], at(10)).await.unwrap();
    assert!(taken[0].first);
    assert_eq!(taken[0].started, [key("evt_old", "a")]);
}

pub async fn everything_is_there_after_it_was_opened_again(database: Database) {
    let store = database.open().await;
    store.take(vec![event("evt_1", &["a", "b", "c"])], at(0)).await.unwrap();
    let claims = claim(&store, at(0)).await;
    assert!(store.settle(&claims[0], Ending::Done, at(1)).await.unwrap());
    assert!(store.settle(&claims[1], dead(), at(1)).await.unwrap());
    store.set_position("/shop", "c1", at(1)).await.unwrap();
    let before = format!("{:?}", store.event(&claims[0].event).await.unwrap());
    drop(store);
    let store = database.open().await;
    assert_eq!(format!("{:?}", store.event(&claims[0].event).await.unwrap()), before);
    assert_eq!(store.position("/shop").await.unwrap().unwrap().cursor, "c1");
    // A claim outlives the handle that made it.
    assert!(claim(&store, at(9)).await.is_empty());
    assert!(store.settle(&claims[2], Ending::Done, at(9)).await.unwrap());
}

pub async fn a_newer_schema_is_refused_with_both_versions(database: Database) {
    let store = database.open().await;
    store.ready().await.unwrap();
    database.execute("INSERT INTO inbox_migrations (version) VALUES (7)");
    let newer = Error::Newer { found: 7, known: 1 };
    assert_eq!(store.ready().await.unwrap_err(), newer);
    assert_eq!(store::open(&database.place()).await.unwrap_err(), newer);
    assert!(newer.to_string().contains('7') && newer.to_string().contains('1'));
}

pub async fn a_store_that_can_be_written_is_ready(database: Database) {
    database.open().await.ready().await.unwrap();
}
