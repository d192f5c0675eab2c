//! What polling promises, against a small model of Stripe.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::cursor::{Cursor, Walk};
use super::walk::OVERLAP;
use super::*;
use crate::error::ErrorKind;
use crate::triggers::listing::Mark;
use crate::triggers::model::{Fault, KEY, Line, Model, TODAY, World};

const CREATED: &str = "customer.created";
const PAID: &str = "invoice.paid";
const DAY: u64 = 24 * 60 * 60;
/// What a poll may ask for at most: its pages, its single events, and one of them more where a page turns into a search.
const MOST_REQUESTS: usize = 5 + 12 + 1;

fn uses(triggers: &[&str]) -> Vec<Use> {
    triggers.iter().map(|t| Use { trigger: (*t).into(), input: "{}".into() }).collect()
}

fn polled(line: &Line<'_>, cursor: Option<&str>) -> Result<Polled> {
    poll(&line.session("run"), &uses(&[CREATED, PAID]), cursor)
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|e| e.id.clone()).collect()
}

fn said<'p>(polled: &'p Polled, name: &str) -> Option<&'p str> {
    polled.metadata.extras.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// A platform that polls and keeps what it gets.
struct Platform<'m> {
    model: &'m Model,
    line: Line<'m>,
    cursor: String,
    got: Vec<String>,
}

impl<'m> Platform<'m> {
    fn new(model: &'m Model) -> Self {
        Self::ahead_by(model, 0)
    }

    /// One whose own clock is ahead of Stripe's by so many seconds.
    fn ahead_by(model: &'m Model, seconds: i64) -> Self {
        let mut line = model.line(0);
        line.skew = seconds;
        let start = polled(&line, None).expect("a cursor");
        assert!(start.events.is_empty() && !start.has_more);
        model.requests();
        Self { model, line, cursor: start.cursor, got: Vec::new() }
    }

    /// Polls once; says whether there is more.
    fn poll(&mut self) -> bool {
        let result = polled(&self.line, Some(&self.cursor));
        let requests = self.model.requests().len();
        let Ok(polled) = result else { return true };
        // With two retries each.
        assert!(requests <= 3 * MOST_REQUESTS, "{requests} requests in one poll");
        assert!(polled.metadata.attempts as usize == requests, "{requests} requests");
        let times: Vec<u64> = polled.events.iter().map(|e| e.occurred_at).collect();
        assert!(times.is_sorted(), "oldest first: {times:?}");
        self.got.extend(ids(&polled.events));
        self.cursor = polled.cursor;
        polled.has_more
    }

    fn drain(&mut self) {
        let mut polls = 0;
        while self.poll() {
            polls += 1;
            assert!(polls < 200, "polling does not end");
        }
    }

    fn got(&self) -> BTreeSet<&str> {
        self.got.iter().map(String::as_str).collect()
    }
}

fn wanted(world: &World) -> BTreeSet<&str> {
    world.events.iter().filter(|e| e.kind != "plan.created").map(|e| e.id.as_str()).collect()
}

#[derive(Debug, Clone)]
enum Happening {
    Event { kind: &'static str, late: u64 },
    Burst(usize),
    Time(u64),
    Poll,
}

fn happenings() -> impl Strategy<Value = Happening> {
    let kinds = prop_oneof![Just(CREATED), Just(PAID), Just("plan.created")];
    prop_oneof![
        4 => (kinds, prop_oneof![Just(0), 0..=OVERLAP]).prop_map(|(kind, late)| Happening::Event { kind, late }),
        1 => (1usize..250).prop_map(Happening::Burst),
        3 => (0u64..25).prop_map(Happening::Time),
        1 => (OVERLAP..5_000).prop_map(Happening::Time),
        3 => Just(Happening::Poll),
    ]
}

fn happen(world: &mut World, what: &Happening) {
    match what {
        Happening::Event { kind, late } => {
            world.happens(kind, *late);
        }
        Happening::Burst(count) => {
            for _ in 0..*count {
                world.happens(CREATED, 0);
            }
        }
        Happening::Time(seconds) => world.now += seconds,
        Happening::Poll => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_event_is_missed_and_none_repeated(
        before in proptest::collection::vec(happenings(), 0..5),
        during in proptest::collection::vec(happenings(), 1..40),
        between in proptest::collection::vec(happenings(), 0..30),
        silent_clock in any::<bool>(),
        skew in prop_oneof![Just(0i64), Just(-400 * DAY as i64), Just(400 * DAY as i64)],
    ) {
        let model = Model::new();
        model.world(|w| {
            w.silent_clock = silent_clock;
            before.iter().for_each(|what| happen(w, what));
        });
        let old: BTreeSet<String> = model.world(|w| w.events.iter().map(|e| e.id.clone()).collect());
        let mut platform = Platform::ahead_by(&model, skew);
        // Between two requests of one poll, too.
        let mut between = between.into_iter();
        model.plan(move |_, world| {
            if let Some(what) = between.next() {
                happen(world, &what);
            }
            Fault::None
        });
        for what in &during {
            if let Happening::Poll = what {
                platform.poll();
            }
            model.world(|w| happen(w, what));
        }
        platform.drain();
        model.all_is_well();
        model.world(|w| w.now += 2 * OVERLAP);
        platform.drain();
        let got = platform.got();
        let missed: Vec<String> = model.world(|w| {
            wanted(w).into_iter().filter(|id| !old.contains(*id) && !got.contains(id)).map(str::to_owned).collect()
        });
        prop_assert!(missed.is_empty(), "missed {missed:?}");
        // A cursor remembers a thousand events.
        let few = model.world(|w| w.events.len() < 1_000);
        prop_assert!(!few || got.len() == platform.got.len(), "repeated");
    }

    #[test]
    fn what_fails_in_between_is_made_up_for(
        counts in proptest::collection::vec(1usize..400, 1..5),
        faults in proptest::collection::vec(prop_oneof![2 => Just(Fault::None), 1 => Just(Fault::Foreign(502)), 1 => Just(Fault::LostAnswer)], 0..60),
    ) {
        let model = Model::new();
        let mut platform = Platform::new(&model);
        let mut faults = faults.into_iter();
        model.plan(move |_, _| faults.next().unwrap_or(Fault::None));
        for count in counts {
            model.world(|w| {
                w.now += 7;
                happen(w, &Happening::Burst(count));
            });
            platform.poll();
        }
        model.world(|w| w.now += 2 * OVERLAP);
        platform.drain();
        prop_assert_eq!(model.world(|w| wanted(w).len()), platform.got().len());
        let few = model.world(|w| w.events.len() < 1_000);
        prop_assert!(!few || platform.got().len() == platform.got.len(), "repeated");
    }

    #[test]
    fn any_history_is_polled_from_the_beginning_oldest_first(
        gaps in proptest::collection::vec(prop_oneof![Just(0u64), Just(0), 1u64..10, 1_000u64..20_000], 0..900),
        since in prop_oneof![Just(0u64), Just(TODAY - 29 * DAY), Just(TODAY - 45 * DAY), Just(TODAY - 2 * DAY)],
    ) {
        let model = Model::new();
        model.world(|w| {
            let mut time = TODAY - 20 * DAY;
            for gap in gaps {
                time = (time + gap).min(TODAY);
                w.now = time;
                w.happens(PAID, 0);
            }
            w.now = TODAY;
        });
        let cursor = Cursor::at(since).write();
        let mut platform = Platform { model: &model, line: model.line(0), cursor, got: Vec::new() };
        platform.drain();
        let mut all: Vec<(u64, String)> = model.world(|w| w.events.iter().map(|e| (e.created, e.id.clone())).collect());
        all.retain(|(created, _)| *created >= since);
        prop_assert_eq!(platform.got.len(), all.len());
        let times: std::collections::BTreeMap<String, u64> = all.into_iter().map(|(t, id)| (id, t)).collect();
        let got: Vec<u64> = platform.got.iter().map(|id| times[id]).collect();
        prop_assert!(got.is_sorted(), "oldest first over all polls");
    }
}

#[test]
fn thousands_of_events_since_the_beginning_come_in_bounded_steps() {
    let model = Model::new();
    model.world(|w| {
        w.now = TODAY - 10 * DAY;
        // More of one second, at the very beginning, than one poll takes on.
        happen(w, &Happening::Burst(700));
        for _ in 0..3_000 {
            w.now += 200;
            w.happens(CREATED, 0);
        }
    });
    let line = model.line(0);
    let (mut cursor, mut got, mut polls) = (Cursor::at(0).write(), Vec::new(), 0);
    loop {
        let page = polled(&line, Some(&cursor)).expect("polled");
        assert!(page.events.len() <= 500 && model.requests().len() <= MOST_REQUESTS);
        got.extend(ids(&page.events));
        cursor = page.cursor;
        polls += 1;
        if !page.has_more {
            break;
        }
    }
    assert_eq!((got.len(), got.iter().collect::<BTreeSet<_>>().len()), (3_700, 3_700));
    assert!(polls < 15, "{polls}");
}

#[test]
fn a_quiet_poll_is_one_request_and_a_burst_no_more_than_its_pages() {
    let model = Model::new();
    model.world(|w| w.happens(CREATED, 0));
    let mut platform = Platform::new(&model);
    for _ in 0..3 {
        model.world(|w| w.now += 60);
        polled(&platform.line, Some(&platform.cursor)).map(|p| platform.cursor = p.cursor).expect("polled");
        assert_eq!(model.requests().len(), 1);
    }
    model.world(|w| happen(w, &Happening::Burst(250)));
    let page = polled(&platform.line, Some(&platform.cursor)).expect("polled");
    assert_eq!((page.events.len(), page.has_more, model.requests().len()), (250, false, 3));
}

#[test]
fn a_failure_after_some_pages_returns_what_there_is_with_its_cursor() {
    let model = Model::new();
    model.world(|w| w.happens(CREATED, 0));
    let mut platform = Platform::new(&model);
    model.world(|w| w.now += 100);
    platform.drain();
    model.world(|w| happen(w, &Happening::Burst(350)));
    let mut number = 0;
    model.plan(move |_, _| {
        number += 1;
        if (3..6).contains(&number) { Fault::Foreign(502) } else { Fault::None }
    });
    let first = polled(&platform.line, Some(&platform.cursor)).expect("two pages");
    assert_eq!((first.events.len(), first.has_more), (200, true));
    assert!(said(&first, "interrupted").is_some());
    assert!(first.metadata.attempts >= 5, "with the requests that failed");
    let rest = polled(&platform.line, Some(&first.cursor)).expect("the rest");
    assert_eq!((rest.events.len(), rest.has_more), (150, false));
    // Where nothing came at all, it is an error.
    model.plan(|_, _| Fault::Foreign(502));
    assert_eq!(polled(&platform.line, Some(&rest.cursor)).expect_err("nothing").kind, ErrorKind::Service);
}

#[test]
fn the_first_cursor_is_by_stripes_clock_and_not_by_ours() {
    for (silent, skew) in [(false, 3_600), (false, -3_600), (true, 3_600), (true, -3_600)] {
        for first in [None, Some(CREATED)] {
            let model = Model::new();
            model.world(|w| {
                w.silent_clock = silent;
                first.map(|kind| w.happens(kind, 0));
            });
            let mut platform = Platform::ahead_by(&model, skew);
            let new = model.world(|w| w.happens(PAID, 0));
            platform.drain();
            assert_eq!(platform.got, [new], "{silent} {skew}");
        }
    }
}

#[test]
fn events_dated_in_the_future_hide_none_of_the_present() {
    let model = Model::new();
    model.world(|w| {
        w.now += 100 * DAY;
        w.happens(CREATED, 0);
        w.events[0].visible = 0;
        w.now -= 100 * DAY;
    });
    let mut platform = Platform::new(&model);
    for _ in 0..3 {
        let new = model.world(|w| w.happens(PAID, 0));
        model.world(|w| w.now += 60);
        platform.drain();
        assert_eq!(platform.got.pop(), Some(new));
    }
    assert_eq!(platform.got.len(), 0);
}

#[test]
fn after_a_month_polling_goes_on_by_time_and_says_that_there_may_be_a_gap() {
    let model = Model::new();
    model.world(|w| w.happens(CREATED, 0));
    let mut platform = Platform::new(&model);
    model.world(|w| {
        w.now += 100;
        w.happens(CREATED, 0);
        w.now += 100;
    });
    platform.drain();
    assert!(Cursor::read(&platform.cursor).expect("a cursor").anchor.is_some());
    let new = model.world(|w| {
        w.now += 40 * DAY;
        w.happens(PAID, 0)
    });
    let page = polled(&platform.line, Some(&platform.cursor)).expect("polled");
    assert_eq!(ids(&page.events), [new]);
    let gap: serde_json::Value = serde_json::from_str(said(&page, "possible-gap").expect("a gap")).expect("JSON");
    assert!(gap["from"].as_u64() < gap["until"].as_u64());
    assert_eq!(said(&page, "missed-before"), Some(gap["until"].to_string().as_str()));
    let next = polled(&platform.line, Some(&page.cursor)).expect("polled");
    assert_eq!((next.events.len(), said(&next, "possible-gap")), (0, None));
}

#[test]
fn a_cursor_outlives_an_event_that_stripe_forgets_in_the_midst_of_a_walk() {
    let model = Model::new();
    model.world(|w| {
        w.now += 100;
        happen(w, &Happening::Burst(3));
        w.now += 100;
    });
    let gone = Mark { id: "evt_gone".into(), created: TODAY + 50 };
    let walks = [
        Walk::Up { after: gone.clone(), whole: true },
        Walk::Down(cursor::Descent { until: TODAY + 100, began: TODAY, place: Some((gone.clone(), gone.id.clone())) }),
    ];
    for walk in walks {
        let cursor = Cursor { walk, anchor: Some(gone.clone()), ..Cursor::at(TODAY) };
        let page = polled(&model.line(0), Some(&cursor.write())).expect("polled");
        assert_eq!((page.events.len(), page.has_more), (3, false));
    }
}

#[test]
fn events_that_are_too_large_together_are_fetched_a_few_at_a_time() {
    let model = Model::new();
    let mut platform = Platform::new(&model);
    model.world(|w| {
        w.now += 100;
        happen(w, &Happening::Burst(30));
    });
    model.plan(|seen, _| {
        let limit: u32 = seen.query["limit"].parse().expect("a number");
        if limit > 10 { Fault::TooLarge } else { Fault::None }
    });
    let mut polls = 0;
    loop {
        let page = polled(&platform.line, Some(&platform.cursor)).expect("polled");
        platform.got.extend(ids(&page.events));
        platform.cursor = page.cursor;
        polls += 1;
        if !page.has_more {
            break;
        }
    }
    assert_eq!((platform.got.len(), polls < 5), (30, true));
}

#[test]
fn a_server_that_heeds_no_cursor_is_not_asked_for_ever() {
    let event = |i: u32| json!({"id": format!("evt_{i}"), "object": "event", "type": CREATED, "created": TODAY, "data": {"object": {}}});
    let page = json!({"object": "list", "has_more": true, "data": (0..100).map(event).collect::<Vec<_>>()});
    let model = Model::new();
    model.plan(move |_, _| Fault::Answered(page.clone()));
    let mut cursor = Cursor::at(0).write();
    for _ in 0..20 {
        let page = polled(&model.line(0), Some(&cursor)).expect("polled");
        assert!(model.requests().len() <= MOST_REQUESTS);
        cursor = page.cursor;
        if !page.has_more {
            return;
        }
    }
    panic!("polling does not end");
}

#[test]
fn filters_and_the_connections_account_hold_for_polled_events_too() {
    let model = Model::new();
    let line = model.line(0);
    let only = [Use { trigger: CREATED.into(), input: r#"{"accounts":["acct_1"]}"#.into() }];
    let start = poll(&line.session("run"), &only, None).expect("a cursor");
    model.world(|w| {
        for account in [None, Some("acct_1"), Some("acct_2")] {
            w.happens(CREATED, 0);
            w.events.last_mut().expect("an event").account = account.map(str::to_owned);
        }
        w.happens(PAID, 0);
    });
    let page = poll(&line.session("run"), &only, Some(&start.cursor)).expect("polled");
    let accounts: Vec<Option<&str>> = page.events.iter().map(|e| e.account.as_deref()).collect();
    assert_eq!(accounts, [Some("acct_1")]);
    let connected = line.session_with(&[("api_key", KEY), ("account", "acct_1")], "run");
    let page = poll(&connected, &uses(&[PAID]), Some(&start.cursor)).expect("polled");
    assert_eq!(page.events[0].account.as_deref(), Some("acct_1"));
    assert_eq!(page.events[0].triggers, [PAID]);
}

#[test]
fn bad_input_sends_nothing() {
    let model = Model::new();
    let line = model.line(0);
    let session = line.session("run");
    assert_eq!(poll(&session, &[], None).expect_err("none").field.as_deref(), Some("triggers"));
    assert_eq!(poll(&session, &uses(&["no.such"]), None).expect_err("none").kind, ErrorKind::UnknownOperation);
    let error = poll(&session, &uses(&[CREATED]), Some("after:evt_1:5")).expect_err("foreign");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("cursor")));
    assert_eq!(model.requests(), []);
}
