//! A run is longer than a call: what an earlier try may have done is not forgotten.

use super::scripted::*;
use crate::error::{ErrorKind, Outcome, Retry};
use crate::stripe::transport::Failure;

const HOUR: u64 = 3_600;

fn invalid(status: u16, code: &str) -> Step {
    error(status, "invalid_request_error", code)
}

#[test]
fn no_refusal_before_the_key_settles_an_earlier_try_in_doubt() {
    for step in [
        invalid(401, "api_key_expired"),
        invalid(403, "x"),
        invalid(404, "resource_missing"),
        invalid(409, "lock_timeout"),
        invalid(409, "idempotency_key_in_use"),
        invalid(429, "rate_limit"),
        invalid(400, "rate_limit"),
        answer(302, ""),
        answer(404, "<html>"),
        answer(200, "{}"),
        error(500, "api_error", "x"),
        broken(),
        unreachable(),
        fails(Failure::Denied("no".into())),
        fails(Failure::TimedOut("late".into())),
    ] {
        let world = World::of([step.clone()]);
        let error = Caller::new(&world).after_a_try(HOUR, true).refused(&post());
        assert_eq!(error.outcome, Outcome::Unknown, "{step:?}");
        assert_ne!(error.retry, Retry::Never, "{step:?}");
        assert_eq!(error.key_protects_until, Some(BEGINNING + 23 * HOUR));
        let hint = error.hint.expect("a hint");
        let of_itself = step.is_of_the_key();
        assert!(of_itself || hint.contains("nothing happens twice until 2027-01-16T07:00:00Z"), "{step:?}: {hint}");
        // The same try without a doubt is told as it is.
        let error = Caller::new(&World::of([step.clone()])).after_a_try(HOUR, false).refused(&post());
        let itself = refused(&post(), [step.clone()]);
        assert_eq!((error.outcome, error.retry), (itself.outcome, itself.retry), "{step:?}");
    }
}

#[test]
fn the_keys_own_word_settles_an_earlier_try() {
    for step in [
        invalid(400, "parameter_missing"),
        error(402, "card_error", "card_declined"),
        replayed(error(402, "card_error", "card_declined")),
        replayed(invalid(404, "resource_missing")),
    ] {
        let world = World::of([step.clone()]);
        let error = Caller::new(&world).after_a_try(HOUR, true).refused(&post());
        assert_eq!((error.outcome, error.retry), (Outcome::Rejected, Retry::Never), "{step:?}");
    }
    for (step, replay) in [(answer(200, CUSTOMER), false), (replayed(answer(200, CUSTOMER)), true)] {
        let world = World::of([step]);
        let done = Caller::new(&world).after_a_try(HOUR, true).send(&post()).expect("done");
        assert_eq!((done.replayed, done.key_protects_until), (replay, Some(BEGINNING + 23 * HOUR)));
    }
}

#[test]
fn a_replayed_failure_is_not_advised_for_ever() {
    let world = World::of([replayed(error(500, "api_error", "x")).with("original-request", "req_0")]);
    let error = Caller::new(&world).after_a_try(HOUR, true).refused(&post());
    assert_eq!((error.outcome, error.retry, error.replayed), (Outcome::Unknown, Retry::Never, true));
    assert_eq!(error.extras, [("original-request".to_owned(), "\"req_0\"".to_owned())]);
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn a_key_that_protects_no_more_is_not_sent_as_if_it_did() {
    for (path, day) in [("/v1/customers", 1), ("/v2/core/accounts", 30)] {
        let mut call = post();
        call.path = path.into();
        let kept = day * 24 * HOUR;
        for (age, sent) in [(kept - 1, 1), (kept, 0), (kept + 1, 0), (100 * kept, 0)] {
            let world = World::of([answer(200, CUSTOMER)]);
            let caller = Caller::new(&world).after_a_try(age, true);
            let result = caller.send(&call);
            assert_eq!(world.sent().len(), sent, "{path} after {age} s");
            if sent == 0 {
                let error = result.expect_err("not sent");
                assert_eq!(
                    (error.kind, error.outcome, error.retry),
                    (ErrorKind::Idempotency, Outcome::Unknown, Retry::Never)
                );
                assert_eq!((error.attempts, error.key_protects_until), (0, Some(BEGINNING - age + kept)));
                assert_eq!(error.idempotency_key.as_deref(), Some("key-1"));
            }
            // Where nothing is in doubt, nothing was done, and the key begins anew.
            let world = World::of([answer(200, CUSTOMER)]);
            assert!(Caller::new(&world).after_a_try(age, false).send(&call).is_ok());
        }
    }
    let world = World::of([answer(200, CUSTOMER)]);
    let error = Caller::new(&world).after_a_try(24 * HOUR, true).refused(&post());
    assert!(error.message.contains("2027-01-15T08:00:00Z"), "{}", error.message);
    assert!(error.hint.is_some_and(|h| h.contains("request log")));
}

#[test]
fn a_key_that_ends_within_the_call_is_not_sent_again() {
    let world = World::of([broken().taking(5_000), answer(200, CUSTOMER)]);
    let error = Caller::new(&world).after_a_try(24 * HOUR - 3, true).refused(&post());
    assert_eq!((error.kind, error.outcome, world.sent().len()), (ErrorKind::Idempotency, Outcome::Unknown, 1));
}

#[test]
fn a_read_and_a_removal_without_a_key_are_sent_however_old() {
    for call in [get(), delete()] {
        let world = World::of([answer(200, CUSTOMER)]);
        assert!(Caller::new(&world).after_a_try(100 * 24 * HOUR, true).send(&call).is_ok());
    }
}

#[test]
fn a_read_has_no_past() {
    for (step, outcome) in [(invalid(401, "x"), Outcome::Rejected), (broken(), Outcome::NotSent)] {
        let error = Caller::new(&World::of([step])).after_a_try(HOUR, true).refused(&get());
        assert_eq!(error.outcome, outcome);
    }
}

#[test]
fn a_removal_in_doubt_stays_so_whatever_is_said_of_it_now() {
    for step in [invalid(400, "x"), invalid(401, "x"), invalid(404, "resource_missing"), invalid(429, "rate_limit")] {
        let error = Caller::new(&World::of([step.clone()])).after_a_try(HOUR, true).refused(&delete());
        assert_eq!(error.outcome, Outcome::Unknown, "{step:?}");
    }
}

#[test]
fn the_key_protects_from_now_on_where_this_is_the_first_try() {
    let world = World::of([answer(200, CUSTOMER)]);
    let done = Caller::new(&world).send(&post()).expect("done");
    assert_eq!((done.key_protects_until, done.replayed), (Some(BEGINNING + 24 * HOUR), false));
}
