//! Random runs of runs against a server that keeps Stripe's rules of idempotency: no answer is ever untrue.
//!
//! The server knows what was really done. A host runs one invocation again and again, over days, and passes on what it
//! heard; the weather loses, delays and falsifies requests and answers. Whatever the connector says must fit.

use std::cell::RefCell;

use proptest::prelude::*;

use super::scripted::{Caller, World};
use crate::catalogue::Method;
use crate::error::{Error, Outcome};
use crate::stripe::client::{Call, Payload};
use crate::stripe::idempotency::History;
use crate::stripe::namespace::Namespace;
use crate::stripe::transport::{Clock, Failure, HttpRequest, HttpResponse, Transport};

const OBJECT: &str = r#"{"id":"ch_1","object":"charge"}"#;

/// What happens to one request.
#[derive(Debug, Clone, Copy)]
enum Weather {
    Fine,
    Unreachable,
    Denied,
    LostOnTheWay,
    AnswerLost,
    AnswerLate,
    /// The connection breaks, and the work goes on until so many further requests have come.
    GoesOn(u8),
    /// Refused before the key is looked at, with this status and code.
    Refused(u16, &'static str),
    /// Somebody in between answers, and passes the request on or not.
    Foreign(u16, &'static str, bool),
    TooLarge,
    AsksToBeRepeated,
}

/// What comes of the work when it is done.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Succeeds,
    Declines,
    IsMissing,
    FailsBefore,
    FailsAfter,
}

#[derive(Debug, Clone)]
struct Run {
    /// How long after the one before, in seconds.
    after: u64,
    requests: Vec<(Weather, Work)>,
    /// Whether the host dies before it hears the result.
    unheard: bool,
}

#[derive(Debug, Clone)]
struct Scenario {
    method: Method,
    namespace: Namespace,
    valid: bool,
    runs: Vec<Run>,
}

/// The server.
struct Server<'w> {
    clock: &'w World,
    scenario: &'w Scenario,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    script: Vec<(Weather, Work)>,
    /// How often the work was done.
    done: u32,
    /// What is kept for the key: until when, and the answer.
    kept: Option<(u64, u16, String)>,
    /// Work that goes on: how many more requests it lasts.
    going_on: Option<(u8, Work)>,
}

fn error_body(kind: &str, code: &str) -> String {
    format!(r#"{{"error":{{"type":"{kind}","code":"{code}","message":"no"}}}}"#)
}

fn response(status: u16, headers: &[(&str, &str)], body: String) -> HttpResponse {
    let fixed = [("content-type", "application/json"), ("request-id", "req_1")];
    let headers = fixed.iter().chain(headers).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    HttpResponse { status, headers, body: body.into_bytes() }
}

impl Server<'_> {
    fn has_key(&self) -> bool {
        self.scenario.namespace.takes_key(self.scenario.method)
    }

    /// Does the work, and keeps its answer as the namespace does.
    fn execute(&self, state: &mut State, work: Work) -> HttpResponse {
        let removed = !self.has_key() && state.done > 0;
        let (status, body, done) = match work {
            _ if removed => (404, error_body("invalid_request_error", "resource_missing"), false),
            Work::Succeeds => (200, OBJECT.to_owned(), true),
            Work::Declines => (402, error_body("card_error", "card_declined"), false),
            Work::IsMissing => (404, error_body("invalid_request_error", "resource_missing"), false),
            Work::FailsBefore => (500, error_body("api_error", "x"), false),
            Work::FailsAfter => (500, error_body("api_error", "x"), true),
        };
        state.done += u32::from(done);
        if self.has_key() {
            let until = self.clock.unix_seconds() + self.scenario.namespace.keeps_keys_for();
            // v2 executes anew what failed; work that was done all the same is found done.
            state.kept = match (self.scenario.namespace, done) {
                (Namespace::V1, _) => Some((until, status, body.clone())),
                (Namespace::V2, true) => Some((until, 200, OBJECT.to_owned())),
                (Namespace::V2, false) => None,
            };
        }
        response(status, &[], body)
    }

    fn process(&self, state: &mut State, work: Work) -> HttpResponse {
        match state.going_on {
            Some((left, going_on)) if left == 0 || !self.has_key() => {
                state.going_on = None;
                self.execute(state, going_on);
            }
            Some((left, going_on)) => {
                state.going_on = Some((left - 1, going_on));
                return response(409, &[], error_body("idempotency_error", "idempotency_key_in_use"));
            }
            None => {}
        }
        let now = self.clock.unix_seconds();
        if let Some((_, status, body)) = state.kept.as_ref().filter(|(until, ..)| *until > now) {
            return response(*status, &[("idempotent-replayed", "true")], body.clone());
        }
        if !self.scenario.valid {
            return response(400, &[], error_body("invalid_request_error", "parameter_invalid"));
        }
        self.execute(state, work)
    }
}

impl Transport for Server<'_> {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure> {
        let state = &mut *self.state.borrow_mut();
        let has_key = request.headers.iter().any(|(n, _)| *n == "Idempotency-Key");
        assert_eq!(has_key, self.has_key());
        let (weather, work) =
            if state.script.is_empty() { (Weather::Fine, Work::Succeeds) } else { state.script.remove(0) };
        match weather {
            Weather::Fine => Ok(self.process(state, work)),
            Weather::Unreachable => Err(Failure::Unreachable("x".into())),
            Weather::Denied => Err(Failure::Denied("x".into())),
            Weather::LostOnTheWay => Err(Failure::Broken("x".into())),
            Weather::AnswerLost => {
                self.process(state, work);
                Err(Failure::Broken("x".into()))
            }
            Weather::AnswerLate => {
                self.process(state, work);
                Err(Failure::TimedOut("x".into()))
            }
            Weather::GoesOn(requests) => {
                let kept = state.kept.as_ref().is_some_and(|(until, ..)| *until > self.clock.unix_seconds());
                if self.scenario.valid && !kept && state.going_on.is_none() && (has_key || state.done == 0) {
                    state.going_on = Some((requests, work));
                }
                Err(Failure::Broken("x".into()))
            }
            Weather::Refused(status, code) => Ok(response(status, &[], error_body("invalid_request_error", code))),
            Weather::Foreign(status, body, passed_on) => {
                if passed_on {
                    self.process(state, work);
                }
                Ok(HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
            }
            Weather::TooLarge => match self.process(state, work) {
                success if success.status == 200 => {
                    Err(Failure::TooLarge(Box::new(HttpResponse { body: Vec::new(), ..success })))
                }
                failure => Ok(failure),
            },
            Weather::AsksToBeRepeated => {
                let mut answer = self.process(state, work);
                answer.headers.push(("stripe-should-retry".into(), "true".into()));
                Ok(answer)
            }
        }
    }
}

/// Runs the invocation as its host does, and holds every result against what was really done.
fn play(scenario: &Scenario) -> Result<Vec<Outcome>, TestCaseError> {
    let world = World::of([]);
    let server = Server { clock: &world, scenario, state: RefCell::default() };
    let (mut history, mut outcomes) = (None::<History>, Vec::new());
    for run in &scenario.runs {
        world.unix.set(world.unix.get() + run.after);
        server.state.borrow_mut().script.clone_from(&run.requests);
        let began = world.unix_seconds();
        let mut caller = Caller::new(&world).through(&server);
        caller.history = history;
        let path = if scenario.namespace == Namespace::V2 { "/v2/x" } else { "/v1/x" };
        let payload = match scenario.method {
            Method::Post => Payload::form(String::new()),
            _ => Payload::Query(String::new()),
        };
        let key = server.has_key().then(|| "key-1".to_owned());
        let result = caller.send(&Call::write(scenario.method, path, payload, key));
        let state = server.state.borrow();
        prop_assert!(state.done <= 1, "the work was done {} times", state.done);
        // Work that goes on may yet be done.
        let possible =
            state.done > 0 || state.going_on.is_some_and(|(_, w)| matches!(w, Work::Succeeds | Work::FailsAfter));
        let outcome = match &result {
            Ok(_) => {
                prop_assert_eq!(state.done, 1, "a success that is none");
                Outcome::Committed
            }
            Err(error) => {
                let error: &Error = error;
                match error.outcome {
                    Outcome::NotSent | Outcome::Rejected => {
                        prop_assert!(!possible, "done, and told otherwise: {:?}", error)
                    }
                    Outcome::Committed => prop_assert_eq!(state.done, 1, "not done, and told otherwise: {:?}", error),
                    Outcome::Unknown => {}
                }
                error.outcome
            }
        };
        outcomes.push(outcome);
        if outcome == Outcome::Committed && !run.unheard {
            break;
        }
        history = Some(History {
            first_try: history.map_or(began, |h| h.first_try),
            tries: history.map_or(0, |h| h.tries) + 1,
            in_doubt: run.unheard || outcome == Outcome::Unknown,
        });
    }
    Ok(outcomes)
}

fn clear_weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        4 => Just(Weather::Fine),
        1 => Just(Weather::Unreachable),
        1 => Just(Weather::Denied),
        1 => Just(Weather::Refused(401, "api_key_expired")),
        1 => Just(Weather::Refused(403, "x")),
        1 => Just(Weather::Refused(404, "x")),
        1 => Just(Weather::Refused(409, "lock_timeout")),
        1 => Just(Weather::Refused(429, "rate_limit")),
        1 => Just(Weather::Refused(429, "lock_timeout")),
        1 => Just(Weather::Refused(400, "rate_limit")),
    ]
}

fn weather() -> impl Strategy<Value = Weather> {
    let foreign = prop_oneof![
        Just((101, "")),
        Just((200, "<html>")),
        Just((200, "{}")),
        Just((200, "null")),
        Just((200, "")),
        Just((302, "")),
        Just((400, "{}")),
        Just((401, "<html>")),
        Just((404, "<html>")),
        Just((429, "busy")),
        Just((503, "<html>")),
    ];
    prop_oneof![
        4 => clear_weather(),
        1 => Just(Weather::LostOnTheWay),
        2 => Just(Weather::AnswerLost),
        1 => Just(Weather::AnswerLate),
        1 => (0u8..5).prop_map(Weather::GoesOn),
        2 => (foreign, any::<bool>()).prop_map(|((status, body), passed)| Weather::Foreign(status, body, passed)),
        1 => Just(Weather::TooLarge),
        1 => Just(Weather::AsksToBeRepeated),
    ]
}

fn work() -> impl Strategy<Value = Work> {
    prop_oneof![
        4 => Just(Work::Succeeds),
        1 => Just(Work::Declines),
        1 => Just(Work::IsMissing),
        1 => Just(Work::FailsBefore),
        1 => Just(Work::FailsAfter),
    ]
}

fn scenario(
    weather: impl Strategy<Value = Weather>,
    work: impl Strategy<Value = Work>,
) -> impl Strategy<Value = Scenario> {
    const DAY: u64 = 86_400;
    let after = prop_oneof![
        4 => 0u64..600,
        1 => Just(DAY - 20),
        1 => Just(DAY),
        1 => Just(29 * DAY),
        1 => Just(31 * DAY),
    ];
    let requests = proptest::collection::vec((weather, work), 0..5);
    let run = (after, requests, prop::bool::weighted(0.15)).prop_map(|(after, requests, unheard)| Run {
        after,
        requests,
        unheard,
    });
    let method = prop_oneof![3 => Just(Method::Post), 1 => Just(Method::Delete)];
    let namespace = prop_oneof![Just(Namespace::V1), Just(Namespace::V2)];
    (method, namespace, prop::bool::weighted(0.85), proptest::collection::vec(run, 1..6))
        .prop_map(|(method, namespace, valid, runs)| Scenario { method, namespace, valid, runs })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_ever_untrue_and_nothing_is_done_twice(scenario in scenario(weather(), work())) {
        play(&scenario)?;
    }

    #[test]
    fn what_was_answered_clearly_is_told_clearly(
        scenario in scenario(clear_weather(), prop_oneof![Just(Work::Succeeds), Just(Work::Declines), Just(Work::IsMissing)]),
    ) {
        let heard = scenario.runs.iter().all(|r| !r.unheard);
        let outcomes = play(&scenario)?;
        prop_assert!(!heard || !outcomes.contains(&Outcome::Unknown), "{:?}", outcomes);
    }
}
