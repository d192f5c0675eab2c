//! What people and metrics look at.

use store::{Arrival, Counts, Cursor, Ending, EventKey, Filter, LastSeen, Moment, RunState, Via};

use crate::database::{Database, at, claim, event};

pub async fn events_are_listed_newest_first_and_in_pages(database: Database) {
    let store = database.open().await;
    for n in 0..5 {
        store.take(vec![event(&format!("evt_{n}"), &["a"])], at(n)).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.events(&Filter::default(), after, 2).await.unwrap();
        seen.push(page.events.iter().map(|event| event.key.id.clone()).collect::<Vec<_>>());
        assert!(page.events.iter().all(|event| event.body.is_none() && event.runs.len() == 1));
        match page.next {
            Some(next) => after = Cursor::from_text(&next.to_text()),
            None => break,
        }
    }
    assert_eq!(seen, [vec!["evt_4", "evt_3"], vec!["evt_2", "evt_1"], vec!["evt_0"]]);
    assert!(store.events(&Filter::default(), None, 5).await.unwrap().next.is_none());
}

pub async fn events_are_filtered(database: Database) {
    let store = database.open().await;
    let names = ["evt_waits", "evt_runs", "evt_done", "evt_dead"];
    let mut arrivals: Vec<_> = names.iter().map(|id| event(id, &["a"])).collect();
    arrivals.push(Arrival {
        source: "/other".to_owned(),
        event_type: "invoice.paid".to_owned(),
        ..event("evt_none", &[])
    });
    store.take(arrivals, at(0)).await.unwrap();
    for claim in claim(&store, at(0)).await {
        let ending = match claim.event.id.as_str() {
            "evt_waits" => Ending::Returned,
            "evt_done" => Ending::Done,
            "evt_dead" => Ending::Dead { reason: "no hope".to_owned() },
            _ => continue,
        };
        assert!(store.settle(&claim, ending, at(1)).await.unwrap());
    }
    let all = Filter::default;
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (Filter { state: Some(RunState::Waiting), ..all() }, "evt_waits"),
        (Filter { state: Some(RunState::Running), ..all() }, "evt_runs"),
        (Filter { state: Some(RunState::Done), ..all() }, "evt_done"),
        (Filter { state: Some(RunState::Dead), ..all() }, "evt_dead"),
        (Filter { source: some("/other"), ..all() }, "evt_none"),
        (Filter { event_type: some("invoice.paid"), ..all() }, "evt_none"),
        (Filter { id: some("evt_done"), ..all() }, "evt_done"),
        (Filter { id: some("evt_done"), state: Some(RunState::Done), source: some("/shop"), ..all() }, "evt_done"),
    ];
    for (filter, expected) in cases {
        let found = store.events(&filter, None, 10).await.unwrap().events;
        let found: Vec<_> = found.iter().map(|event| event.key.id.as_str()).collect();
        assert_eq!(found, [expected], "{filter:?}");
    }
    let nothing = Filter { id: some("evt_done"), state: Some(RunState::Dead), ..all() };
    assert!(store.events(&nothing, None, 10).await.unwrap().events.is_empty());
}

pub async fn an_event_is_shown_with_its_body_and_runs(database: Database) {
    let store = database.open().await;
    let given = Arrival { object: Some("cus_1".to_owned()), via: Via::Poll, ..event("evt_1", &["a", "b"]) };
    store.take(vec![given.clone()], at(5)).await.unwrap();
    let claims = claim(&store, at(6)).await;
    let again = Ending::Again { at: at(50), reason: "no luck".to_owned() };
    let failed = claims.iter().find(|claim| claim.trigger == "a").unwrap();
    assert!(store.settle(failed, again, at(7)).await.unwrap());
    let shown = store.event(&failed.event).await.unwrap().unwrap();
    assert_eq!((shown.event_type.as_str(), shown.via), ("customer.created", Via::Poll));
    assert_eq!((shown.occurred_at, shown.taken_at), (at(0), at(5)));
    assert_eq!((shown.object, shown.body), (given.object, Some(given.body)));
    let mut runs = shown.runs;
    runs.sort_by(|a, b| a.trigger.cmp(&b.trigger));
    let [waits, runs] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((waits.state, waits.attempts, waits.due), (RunState::Waiting, 1, Some(at(50))));
    assert_eq!((waits.reason.as_deref(), waits.settled_at), (Some("no luck"), Some(at(7))));
    assert_eq!((runs.state, runs.attempts, runs.due), (RunState::Running, 1, Some(at(16))));
    assert_eq!((runs.worker.as_deref(), runs.settled_at), (Some("worker 1"), None));
    let none = EventKey { source: "/shop".to_owned(), id: "evt_2".to_owned() };
    assert!(store.event(&none).await.unwrap().is_none());
}

pub async fn runs_are_counted(database: Database) {
    let store = database.open().await;
    assert_eq!(store.counts(None).await.unwrap(), Counts::default());
    for n in 0..4 {
        store.take(vec![event(&format!("evt_{n}"), &["a", "b"])], at(n)).await.unwrap();
    }
    let claims = claim(&store, at(3)).await;
    assert_eq!(claims.len(), 8);
    store.take(vec![Arrival { source: "/other".to_owned(), ..event("evt_1", &["a"]) }], at(9)).await.unwrap();
    for (n, claim) in claims.iter().enumerate() {
        let ending = match n {
            0 => Ending::Dead { reason: "no hope".to_owned() },
            1 | 2 => Ending::Done,
            3 => continue,
            _ => Ending::Returned,
        };
        assert!(store.settle(claim, ending, at(4)).await.unwrap());
    }
    let all = Counts { events: 5, waiting: 5, running: 1, done: 2, dead: 1, oldest_waiting: Some(at(2)) };
    assert_eq!(store.counts(None).await.unwrap(), all);
    assert_eq!(store.counts(Some("/shop")).await.unwrap(), Counts { events: 4, waiting: 4, ..all });
    let other = Counts { events: 1, waiting: 1, oldest_waiting: Some(at(9)), ..Counts::default() };
    assert_eq!(store.counts(Some("/other")).await.unwrap(), other);
    assert_eq!(store.counts(Some("/none")).await.unwrap(), Counts::default());
}

pub async fn the_next_run_to_be_claimed_is_known(database: Database) {
    let store = database.open().await;
    assert_eq!(store.next_due(&[]).await.unwrap(), None);
    store.take(vec![event("evt_1", &["a"])], at(5)).await.unwrap();
    assert_eq!(store.next_due(&[]).await.unwrap(), Some(at(5)));
    let first = claim(&store, at(6)).await.remove(0);
    assert_eq!(store.next_due(&[]).await.unwrap(), Some(at(16)));
    assert!(store.settle(&first, Ending::Done, at(7)).await.unwrap());
    assert_eq!(store.next_due(&[]).await.unwrap(), None);
}

pub async fn positions_are_kept_for_each_source(database: Database) {
    let store = database.open().await;
    assert_eq!(store.position("/a").await.unwrap(), None);
    store.set_position("/a", "one", at(1)).await.unwrap();
    store.set_position("/b", "two", at(2)).await.unwrap();
    store.set_position("/a", "three", at(3)).await.unwrap();
    let a = store.position("/a").await.unwrap().unwrap();
    assert_eq!((a.cursor.as_str(), a.at), ("three", at(3)));
    assert_eq!(store.position("/b").await.unwrap().unwrap().cursor, "two");
}

pub async fn the_last_event_of_a_source_is_the_one_that_happened_last(database: Database) {
    let store = database.open().await;
    assert_eq!(store.last_seen("/shop").await.unwrap(), None);
    for (id, occurred, taken) in [("evt_1", 7, 10), ("evt_2", 5, 11), ("evt_3", 7, 12)] {
        store.take(vec![Arrival { occurred_at: at(occurred), ..event(id, &[]) }], at(taken)).await.unwrap();
    }
    let last = LastSeen { event_id: "evt_3".to_owned(), occurred_at: at(7), taken_at: at(12) };
    assert_eq!(store.last_seen("/shop").await.unwrap(), Some(last));
    assert_eq!(store.last_seen("/other").await.unwrap(), None);
    assert!(Moment::now() > Moment::default());
}
