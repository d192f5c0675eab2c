//! Several attempts within one call: the best truth is kept.

use super::scripted::*;
use crate::error::{ErrorKind, Outcome, Retry};
use crate::stripe::client::{Call, Expected};
use crate::stripe::transport::{Failure, HttpResponse};

const LIMIT: &str = "rate_limit";

fn invalid(status: u16, code: &str) -> Step {
    error(status, "invalid_request_error", code)
}

#[test]
fn a_conflict_that_is_not_of_the_key_settles_no_doubt() {
    for code in ["lock_timeout", "resource_busy"] {
        let error = refused(&post(), [broken(), invalid(409, code).should_retry(false)]);
        assert_eq!((error.kind, error.outcome), (ErrorKind::Conflict, Outcome::Unknown), "{code}");
        assert_eq!(error.retry, Retry::After(2_000));
        // Without a doubt it is what it says.
        assert_eq!(refused(&post(), [invalid(409, code)]).outcome, Outcome::Rejected, "{code}");
    }
    let own = refused(&post(), [invalid(409, "idempotency_key_in_use")]);
    assert_eq!((own.kind, own.outcome, own.retry), (ErrorKind::Idempotency, Outcome::Unknown, Retry::After(2_000)));
}

#[test]
fn a_refusal_that_looked_at_no_key_settles_no_doubt() {
    for step in [invalid(401, "x"), invalid(403, "x"), invalid(404, "resource_missing"), invalid(429, LIMIT)] {
        let error = refused(&post(), [broken(), step.clone()]);
        assert_eq!(error.outcome, Outcome::Unknown, "{step:?}");
        assert_ne!(error.retry, Retry::Never, "{step:?}");
        assert!(error.hint.is_some_and(|h| h.contains("same idempotency key")), "{step:?}");
        assert_eq!(refused(&post(), [step.should_retry(false)]).outcome, Outcome::Rejected);
    }
}

#[test]
fn the_keys_own_word_settles_a_doubt() {
    for step in
        [invalid(400, "parameter_missing"), error(402, "card_error", "card_declined"), replayed(invalid(404, "x"))]
    {
        let error = refused(&post(), [broken(), step.clone()]);
        assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::Rejected, Retry::Never, 2), "{step:?}");
    }
    let world = World::of([broken(), replayed(answer(200, CUSTOMER))]);
    let done = Caller::new(&world).send(&post()).expect("found again");
    assert!(done.replayed);
}

#[test]
fn a_success_that_asks_to_be_repeated_is_never_forgotten() {
    let first = || answer(200, CUSTOMER).should_retry(true);
    for then in
        [unreachable(), broken(), invalid(401, "x"), invalid(429, LIMIT), answer(502, "<html>"), answer(200, "{}")]
    {
        for call in [post(), delete(), get()] {
            let world = World::of([first(), then.clone()]);
            let caller = Caller::new(&world);
            assert_eq!(caller.send(&call).expect("done").body.text(), CUSTOMER, "{then:?}");
            assert!(caller.attempts.get() > 1, "it is asked for again");
        }
    }
    let world = World::of([first(), replayed(answer(200, CUSTOMER))]);
    assert!(Caller::new(&world).send(&post()).expect("done").replayed, "the later success is the answer");
    let world = World::of([first()]);
    let caller = Caller::new(&world).within_ms(1_200);
    assert!(caller.send(&post()).is_ok() && caller.attempts.get() == 1, "there was no time to ask again");
}

#[test]
fn a_request_that_was_answered_is_not_unsent_when_nobody_listens_later() {
    for first in [invalid(429, LIMIT), invalid(400, "x").should_retry(true), invalid(409, "lock_timeout")] {
        let error = refused(&post(), [first.clone(), unreachable()]);
        assert_eq!((error.kind, error.outcome), (ErrorKind::Network, Outcome::Rejected), "{first:?}");
        assert_eq!((error.attempts, error.request_id.as_deref()), (3, Some("req_1")));
        assert!(error.http_status.is_some(), "the last answer's");
    }
    let error = refused(&post(), [unreachable()]);
    assert_eq!((error.outcome, error.http_status), (Outcome::NotSent, None));
    let error = refused(&post(), [fails(Failure::Denied("no".into()))]);
    assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::Denied, Outcome::NotSent, 0));
}

#[test]
fn a_read_has_nothing_to_doubt_and_no_key() {
    let mut preview = post();
    (preview.reads, preview.idempotency_key) = (true, None);
    for call in [get(), preview] {
        for (step, outcome) in [
            (broken(), Outcome::NotSent),
            (fails(Failure::TimedOut("late".into())), Outcome::NotSent),
            (unreachable(), Outcome::NotSent),
            (error(500, "api_error", "x"), Outcome::Rejected),
            (invalid(408, "x"), Outcome::Rejected),
            (answer(502, "<html>"), Outcome::Rejected),
            (answer(200, "<html>"), Outcome::Rejected),
            (answer(302, ""), Outcome::Rejected),
            (invalid(429, LIMIT), Outcome::Rejected),
            (invalid(404, "resource_missing"), Outcome::Rejected),
            (invalid(409, "idempotency_key_in_use"), Outcome::Rejected),
        ] {
            let error = refused(&call, [step.clone()]);
            assert_eq!(error.outcome, outcome, "{step:?}");
            assert_ne!(error.retry, Retry::SameKey, "{step:?}");
            let hint = error.hint.unwrap_or_default();
            assert!(!hint.contains("same idempotency key") && !hint.contains("not known"), "{step:?}: {hint}");
            assert_eq!((error.idempotency_key, error.key_protects_until), (None, None));
        }
        // One attempt was answered, the last was not.
        assert_eq!(refused(&call, [error(500, "api_error", "x"), broken()]).outcome, Outcome::Rejected);
    }
}

#[test]
fn answers_that_are_not_stripes_prove_nothing() {
    for step in [
        answer(101, ""),
        answer(302, ""),
        answer(307, r#"{"error":{"type":"api_error"}}"#),
        answer(404, "<html>"),
        answer(401, "<html>"),
        answer(400, "{}"),
        answer(400, r#"{"error":null}"#),
        answer(400, r#"{"error":"bad"}"#),
        answer(403, r#"{"error":{"code":"Forbidden","message":"no"}}"#),
        answer(200, "null"),
        answer(200, "[]"),
        answer(200, "{}"),
        answer(200, "<html>"),
        answer(200, ""),
        answer(204, ""),
        answer(200, r#"{"ok":true}"#),
        answer(200, r#"{"object":"customer""#),
        answer(200, r#"{"object":"customer","x":"\ud800"}"#),
        answer(200, r#"{"object":"customer","x":1e400}"#),
    ] {
        for call in [post(), delete()] {
            let error = refused(&call, [step.clone()]);
            assert_eq!((error.kind, error.outcome), (ErrorKind::Service, Outcome::Unknown), "{step:?}");
            assert_ne!(error.retry, Retry::Never, "{step:?}");
        }
    }
    assert!(refused(&post(), [answer(302, "")]).message.contains("redirect"));
}

#[test]
fn committed_is_a_success_in_stripes_form_that_cannot_be_used() {
    let head = |kind: &str| {
        let headers = vec![("content-type".into(), kind.into()), ("request-id".into(), "req_7".into())];
        fails(Failure::TooLarge(Box::new(HttpResponse { status: 200, headers, body: Vec::new() })))
    };
    for steps in [vec![head("application/json")], vec![broken(), head("application/json")]] {
        let error = refused(&post(), steps);
        assert_eq!((error.outcome, error.retry), (Outcome::Committed, Retry::Never));
        assert_eq!((error.http_status, error.request_id.as_deref()), (Some(200), Some("req_7")));
    }
    assert_eq!(refused(&post(), [head("text/html")]).outcome, Outcome::Unknown);
    assert_eq!(refused(&get(), [head("application/json")]).outcome, Outcome::Rejected, "a read commits nothing");
    let deep = format!(r#"{{"object":"customer","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(refused(&post(), [answer(200, &deep)]).outcome, Outcome::Committed);
}

#[test]
fn a_removal_has_no_key_and_promises_none() {
    for steps in [
        vec![broken()],
        vec![error(500, "api_error", "x")],
        vec![broken(), invalid(404, "resource_missing")],
        vec![broken(), invalid(400, "x")],
        vec![broken(), invalid(401, "x")],
        vec![answer(302, "")],
    ] {
        let error = refused(&delete(), steps.clone());
        assert_eq!((error.outcome, error.idempotency_key.as_deref()), (Outcome::Unknown, None), "{steps:?}");
        let hint = error.hint.expect("a hint");
        assert!(!hint.contains("same idempotency key") && hint.contains("look at"), "{hint}");
    }
    // What was removed is not found: another try would only hear that again.
    assert_eq!(refused(&delete(), [broken(), invalid(404, "resource_missing")]).retry, Retry::Never);
    assert_eq!(refused(&delete(), [invalid(404, "resource_missing")]).outcome, Outcome::Rejected);
}

#[test]
fn a_removal_in_v2_has_a_key() {
    let mut call = delete();
    (call.path, call.idempotency_key) = ("/v2/core/event_destinations/ed_1".into(), Some("key-1".into()));
    let error = refused(&call, [broken()]);
    assert!(error.hint.is_some_and(|h| h.contains("same idempotency key")));
    assert_eq!(error.key_protects_until.map(|u| (u - BEGINNING) / 86_400), Some(30));
    let world = World::of([answer(200, r#"{"id":"ed_1","object":"v2.core.event_destination"}"#)]);
    assert!(Caller::new(&world).send(&call).is_ok());
}

#[test]
fn what_is_kept_for_the_key_is_not_asked_for_again() {
    for steps in [
        vec![replayed(error(500, "api_error", "x"))],
        vec![error(500, "api_error", "x"), replayed(error(500, "api_error", "x"))],
        vec![broken(), replayed(error(503, "api_error", "x"))],
    ] {
        let (world, expected) = (World::of(steps.clone()), steps.len());
        let error = Caller::new(&world).refused(&post());
        assert_eq!((error.outcome, error.retry, error.replayed), (Outcome::Unknown, Retry::Never, true), "{steps:?}");
        assert_eq!(world.sent().len(), expected);
        assert!(error.hint.is_some_and(|h| h.contains("gives the same answer") && h.contains("Look at the object")));
    }
}

#[test]
fn a_key_that_was_used_for_something_else_may_have_done_that() {
    for steps in [vec![error(400, "idempotency_error", "")], vec![broken(), error(400, "idempotency_error", "")]] {
        let error = refused(&post(), steps);
        assert_eq!((error.kind, error.outcome, error.retry), (ErrorKind::Idempotency, Outcome::Unknown, Retry::Never));
        assert!(error.hint.is_some_and(|h| h.contains("may have done its work")));
    }
}

#[test]
fn no_attempt_begins_that_has_no_time_to_be_answered() {
    let limited = || invalid(429, LIMIT);
    for milliseconds in [1, 100, 600, 1_400] {
        let world = World::of([limited(), fails(Failure::TimedOut("late".into()))]);
        let error = Caller::new(&world).within_ms(milliseconds).refused(&post());
        assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::RateLimited, Outcome::Rejected, 1));
    }
    let world = World::of([limited(), answer(200, CUSTOMER)]);
    assert!(Caller::new(&world).within_ms(1_600).send(&post()).is_ok());
}

#[test]
fn no_request_begins_when_the_time_is_over() {
    let world = World::of([answer(200, CUSTOMER).taking(300)]);
    let caller = Caller::new(&world).within_ms(300);
    assert!(caller.send(&post()).is_ok());
    let error = caller.refused(&post());
    assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::Timeout, Outcome::NotSent, 1));
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn every_exchange_knows_when_the_call_ends() {
    let world = World::of([broken().taking(3_000), answer(200, CUSTOMER)]);
    Caller::new(&world).within_ms(10_000).send(&post()).expect("done");
    let left: Vec<u64> = world.sent().iter().map(|s| s.deadline_ms - s.at_ms).collect();
    assert_eq!(left, [10_000, 6_500]);
    assert_eq!(world.sent()[1].first_byte_ms, 6_500);
}

#[test]
fn an_answer_may_ask_for_time() {
    let world = World::of([invalid(429, LIMIT).with("retry-after", "7"), answer(200, CUSTOMER)]);
    Caller::new(&world).send(&post()).expect("done");
    assert_eq!(world.sent()[1].at_ms - world.sent()[0].at_ms, 7_010);
    // There is no time for it within the call: the platform is told.
    let world = World::of([invalid(429, LIMIT).with("retry-after", "30")]);
    let error = Caller::new(&world).within_ms(20_000).refused(&post());
    assert_eq!((error.attempts, error.outcome, error.retry), (1, Outcome::Rejected, Retry::After(30_000)));
    // What asks for longer than a call can wait is not waited for, and told.
    let error = refused(&post(), [invalid(429, LIMIT).with("retry-after", "3600")]);
    assert_eq!((error.attempts, error.retry), (3, Retry::After(3_600_000)));
}

#[test]
fn a_request_that_cannot_be_sent_is_not_tried_twice() {
    let error = refused(&post(), [fails(Failure::Unsendable("it has no valid headers".into()))]);
    assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::NotSent, Retry::Never, 0));
    let world = World::of([unreachable()]);
    let long = Call::read("/v1/customers", format!("email={}", "x".repeat(70_000)));
    let error = Caller::new(&world).refused(&long);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("email")));
    assert_eq!((error.retry, world.sent().len()), (Retry::Never, 0));
}

#[test]
fn the_requests_of_a_call_are_counted_together() {
    let world = World::of([broken(), answer(200, CUSTOMER), invalid(429, LIMIT)]);
    let caller = Caller::new(&world);
    caller.send(&post()).expect("done");
    assert_eq!(caller.attempts.get(), 2);
    assert_eq!(caller.refused(&get()).attempts, 5);
}

#[test]
fn an_answer_that_is_nothing_is_a_success_where_nothing_is_expected() {
    let mut call = post();
    call.expected = Expected::Nothing;
    for body in ["{}", ""] {
        let world = World::of([answer(200, body)]);
        assert_eq!(Caller::new(&world).send(&call).expect("done").body.text(), "{}");
    }
    assert_eq!(refused(&call, [answer(200, "<html>")]).outcome, Outcome::Unknown);
}
