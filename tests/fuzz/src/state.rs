//! What a host keeps between calls and hands in again: cursors of lists and polls, states of subscriptions.

use std::cell::Cell;

use serde_json::json;
use stripe_connector::catalogue;
use stripe_connector::connection::Fields;
use stripe_connector::error::{Error, ErrorKind, Outcome};
use stripe_connector::operation::run_query;
use stripe_connector::operation::session::{Invocation, Session};
use stripe_connector::stripe::transport::{Clock, Failure, HttpRequest, HttpResponse, Transport};
use stripe_connector::triggers::poll::cursor::Cursor;
use stripe_connector::triggers::subscription::state::States;
use stripe_connector::triggers::{Use, poll, renew, unsubscribe};

use crate::Target;

/// Cursors and states.
pub const TARGET: Target = Target {
    name: "state",
    run,
    corpus,
    words: &[
        "1.",
        "2.",
        ".",
        "{}",
        "\"settled\":",
        "\"up\":[\"evt_1\",5]",
        "\"whole\":true",
        "\"search\":",
        "\"down\":",
        "\"began\":",
        "\"top\":",
        "\"at\":\"evt_1\"",
        "\"seen\":\"1-0 2-5\"",
        "\"anchor\":",
        "18446744073709551615",
        "1099511627776",
        "0",
        "-1",
        "null",
        "\"*\"",
        "whsec_",
    ],
};

/// In every state of the corpus. No error may repeat it.
const SECRET: &str = "whsec_fuzzfuzzfuzz";
const NOW: u64 = 1_750_000_000;
/// No call may ask for more.
const MOST_REQUESTS: u32 = 50;

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    held(&text);
    // The guard finds most damage; behind it, everything else has to stand by itself.
    if let Some((version, rest)) = text.split_once('.')
        && let Some((_, json)) = rest.split_once('.')
    {
        held(&format!("{version}.{}.{json}", guard(json)));
    }
}

fn held(text: &str) {
    match Cursor::read(text) {
        Ok(cursor) => {
            let again = Cursor::read(&cursor.write()).expect("a cursor that was written");
            assert_eq!(again.settled, cursor.settled);
            assert_eq!(again.walk, cursor.walk);
        }
        Err(error) => refused(&error, text),
    }
    match States::read(text) {
        Ok(state) => assert!(States::read(&state.write()).is_ok_and(|again| again == state)),
        Err(error) => refused(&error, text),
    }
    let filter = catalogue::Filter { cursor: Some(text), ..catalogue::Filter::default() };
    if let Err(error) = catalogue::list(&filter) {
        refused(&error, text);
    }
    // What is answered goes by the text: each kind comes up often enough.
    let kind = text.bytes().map(usize::from).sum::<usize>() % 3;
    let answers = [Answers::Events, Answers::Nothing, Answers::Refusals][kind];
    let world = World { answers, requests: Cell::new(0), waited: Cell::new(0) };
    let fields = Fields {
        values: [("api_key", "sk_test_51Fuzz"), ("webhook_secret", SECRET)].map(|(n, v)| (n.into(), v.into())).into(),
        development: true,
    };
    let invocation = Invocation { id: "fuzz".into(), idempotency_key: None, timeout: None, history: None };
    let session = Session::start(&world, &world, &fields, invocation).expect("a session");
    let uses = [Use { trigger: "customer.created".into(), input: "{}".into() }];
    let asked = |world: &World| {
        let requests = world.requests.take();
        assert!(requests <= MOST_REQUESTS, "{requests} requests for {text:?}");
        requests
    };
    match poll(&session, &uses, Some(text)) {
        Ok(polled) => assert!(Cursor::read(&polled.cursor).is_ok(), "{:?}", polled.cursor),
        Err(error) => answered(&error, asked(&world), text),
    }
    asked(&world);
    for id in ["customer.list", "v1.customers.search", "v2.core.events.list"] {
        let input = match id {
            "v1.customers.search" => json!({"query": "name:'x'"}),
            "v2.core.events.list" => json!({"object_id": "cus_1"}),
            _ => json!({}),
        };
        if let Err(error) = run_query(&session, id, &input.to_string(), Some(text)) {
            answered(&error, asked(&world), text);
        }
        asked(&world);
    }
    if let Err(error) = renew(&session, text) {
        answered(&error, asked(&world), text);
    }
    asked(&world);
    if let Err(error) = unsubscribe(&session, text, None) {
        answered(&error, asked(&world), text);
    }
    asked(&world);
}

/// What was wrong with the text alone.
fn refused(error: &Error, text: &str) {
    assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::InvalidInput, Outcome::NotSent, 0), "{text:?}");
    assert!(error.field.is_some() && !format!("{error:?}").contains(SECRET), "{error:?}");
}

/// What was wrong with the text or with the answers.
fn answered(error: &Error, requests: u32, text: &str) {
    match requests {
        0 => refused(error, text),
        _ => assert!(!format!("{error:?}").contains(SECRET), "{error:?}"),
    }
}

/// What is answered.
#[derive(Clone, Copy, PartialEq)]
enum Answers {
    Events,
    Nothing,
    Refusals,
}

struct World {
    answers: Answers,
    requests: Cell<u32>,
    waited: Cell<u64>,
}

impl Transport for World {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure> {
        self.requests.set(self.requests.get() + 1);
        let answer = |status, body: serde_json::Value| HttpResponse {
            status,
            headers: [("request-id", "req_1"), ("date", "Sun, 15 Jun 2025 15:06:40 GMT")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .into(),
            body: body.to_string().into_bytes(),
        };
        match self.answers {
            Answers::Refusals => {
                let error = json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such object"}});
                Ok(answer(404, error))
            }
            Answers::Nothing => Err(Failure::Broken("reset".into())),
            Answers::Events if request.path.starts_with("/v1/events") => {
                let event = |number: u64| {
                    json!({"id": format!("evt_{number}"), "object": "event", "type": "customer.created", "created": NOW - number,
                        "livemode": false, "data": {"object": {"id": "cus_1", "object": "customer"}}})
                };
                // The same two events and always more: whoever walks has to notice that it gets nowhere.
                let page =
                    json!({"object": "list", "url": "/v1/events", "has_more": true, "data": [event(1), event(2)]});
                Ok(answer(200, page))
            }
            Answers::Events => {
                let list =
                    json!({"object": "list", "url": "/v1/x", "has_more": false, "data": [], "next_page_url": null});
                Ok(answer(200, list))
            }
        }
    }
}

impl Clock for World {
    fn unix_seconds(&self) -> u64 {
        NOW
    }

    fn monotonic_ms(&self) -> u64 {
        self.waited.get()
    }

    fn sleep_ms(&self, duration: u64) {
        self.waited.set(self.waited.get() + duration);
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

/// The guard of a text, as the connector writes it: against accidents, not against anybody.
fn guard(text: &str) -> String {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = chunks.iter().chain([&last]).fold(text.len() as u64, |hash, chunk| {
        let mixed = (hash ^ u64::from_le_bytes(*chunk)).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 29)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(FACTOR);
    format!("{:016x}", hash ^ (hash >> 32))
}

fn corpus() -> Vec<Vec<u8>> {
    let whole = |content: &str| format!("1.{}.{content}", guard(content)).into_bytes();
    let state = json!({"endpoint": "we_1", "url": "https://example.com/hooks", "account": "acct_1", "live": false,
        "types": "customer.created invoice.paid"});
    let own = json!({"endpoint": "we_1", "url": "https://example.com/hooks", "live": false, "types": "*"});
    // A state's parts are written as bytes in hexadecimal, its secrets behind them as they are.
    let states = [state, own].map(|parts| {
        let parts: String = parts.to_string().bytes().map(|b| format!("{b:02x}")).collect();
        format!("{parts}.{SECRET}")
    });
    let texts = [
        json!({"settled": NOW}),
        json!({"settled": NOW - 100, "anchor": ["evt_9", NOW - 200], "seen": "1f-0 2e-5"}),
        json!({"settled": NOW - 100, "up": ["evt_3", NOW - 50], "whole": true}),
        json!({"settled": NOW - 100, "search": NOW}),
        json!({"settled": NOW - 100, "down": NOW, "began": NOW, "top": ["evt_1", NOW], "at": "evt_2"}),
    ];
    let guarded = texts.iter().map(ToString::to_string).chain(states).map(|text| whole(&text));
    let plain = ["0", "200", "cus_NffrFeUfNV2Hib", "eyJwYWdlIjoxfQ=="].map(|text| text.as_bytes().to_vec());
    let corpus: Vec<Vec<u8>> = guarded.chain(plain).collect();
    // What is changed shall begin as something that is taken.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(corpus[..5].iter().all(|bytes| Cursor::read(&text(bytes)).is_ok()));
    assert!(corpus[5..7].iter().all(|bytes| States::read(&text(bytes)).is_ok()));
    corpus
}
