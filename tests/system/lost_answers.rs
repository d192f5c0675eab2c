//! Servers that answer early, cut their answers off, or do the work and vanish: never a wrong outcome.

use std::sync::Arc;

use host_harness::contract::{ErrorKind, Outcome, RetryAdvice};
use host_harness::{Call, CallError, Reply, contract::ActionResult};
use tokio::task::JoinSet;

use crate::platform::{Platform, refused};
use crate::scripted::{Act, Scripted, Seen, answer, error};

const CALLS: usize = 1000;
const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer","created":1,"livemode":false}"#;

/// Creates a customer `CALLS` times, some dozens at once, and checks every result.
async fn many(
    platform: Platform,
    input: String,
    check: impl Fn(Result<Reply<ActionResult>, CallError>) + Send + Sync + 'static,
) {
    let (platform, input, check) = (Arc::new(platform), Arc::new(input), Arc::new(check));
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        if calls.len() >= 250 {
            calls.join_next().await.expect("a call").expect("no panic");
        }
        let (platform, input, check) = (Arc::clone(&platform), Arc::clone(&input), Arc::clone(&check));
        calls.spawn(async move {
            let call: Call = platform.call(&format!("lost-{number}"));
            check(platform.connector.run_action(&call, "customer.create", &input).await);
        });
    }
    while let Some(call) = calls.join_next().await {
        call.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_before_the_body_was_read_is_the_answer() {
    let refusal = error(401, "Connection: close\r\n", "invalid_request_error", "bad_key");
    let server = Scripted::start(move |_, _| Act::AnswerUnread(refusal.clone())).await;
    // A body far larger than the socket buffers makes the early answer collide with the writing.
    for size in [10, 400_000] {
        let input = serde_json::json!({"description": "x".repeat(size)}).to_string();
        many(Platform::new(&server.base()), input, |result| {
            let error = refused(result);
            assert_eq!(error.kind, ErrorKind::Authentication, "{error:?}");
            assert_eq!(
                (error.http_status, error.outcome, error.attempts),
                (Some(401), Outcome::Rejected, 1),
                "{error:?}"
            );
            assert_eq!(error.retry, RetryAdvice::Never);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_off_is_asked_for_again_and_ends_as_unknown() {
    let whole = answer(200, "", CUSTOMER);
    let half = whole[..whole.len() - CUSTOMER.len() / 2].to_owned();
    let server = Scripted::start(move |_, _| Act::Cut(half.clone())).await;
    many(Platform::new(&server.base()), "{}".into(), |result| {
        let error = refused(result);
        assert_eq!(
            (error.outcome, error.attempts, error.retry),
            (Outcome::Unknown, 3, RetryAdvice::SameKey),
            "{error:?}"
        );
    })
    .await;
    assert_eq!(server.work(), 3 * CALLS);
    assert_same_key_throughout(&server.seen().await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_was_done_before_a_reset_is_found_again_by_its_key() {
    // As Stripe does: the first request of a key does the work, a further one replays its answer.
    let server = Scripted::start({
        let known: std::sync::Mutex<std::collections::HashSet<String>> = Default::default();
        move |_, seen| {
            let key = seen.header("idempotency-key").expect("a key").to_owned();
            if known.lock().expect("no panic").insert(key) {
                Act::Reset
            } else {
                Act::Answer(answer(200, "Idempotent-Replayed: true\r\nRequest-Id: req_1\r\n", CUSTOMER))
            }
        }
    })
    .await;
    many(Platform::new(&server.base()), "{}".into(), |result| {
        let done = result.expect("found again").value;
        assert!(done.metadata.replayed);
        assert_eq!((done.metadata.attempts, done.output.as_str()), (2, CUSTOMER));
    })
    .await;
    assert_same_key_throughout(&server.seen().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_after_every_attempt_is_unknown_and_never_not_sent_or_rejected() {
    let server = Scripted::start(|_, _| Act::Reset).await;
    many(Platform::new(&server.base()), "{}".into(), |result| {
        let error = refused(result);
        assert_eq!((error.outcome, error.attempts), (Outcome::Unknown, 3), "{error:?}");
        assert_eq!(error.retry, RetryAdvice::SameKey, "{error:?}");
        assert!(error.idempotency_key.is_some());
    })
    .await;
    assert_same_key_throughout(&server.seen().await, 3);
}

fn assert_same_key_throughout(seen: &[Seen], attempts: usize) {
    let mut by_key: std::collections::HashMap<&str, usize> = Default::default();
    for request in seen {
        *by_key.entry(request.header("idempotency-key").expect("a key")).or_default() += 1;
    }
    assert_eq!(by_key.len(), CALLS, "one key a call");
    assert!(by_key.values().all(|n| *n == attempts), "every attempt of a call has its key");
}

#[tokio::test]
async fn a_server_that_nobody_listens_on_was_sent_nothing() {
    let server = Scripted::start(|_, _| Act::Reset).await;
    let base = server.base();
    drop(server);
    // The task ends when it is next polled: wait until the port refuses.
    while tokio::net::TcpStream::connect(base.trim_start_matches("http://")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = Platform::new(&base).refused("customer.create", "{}").await;
    assert_eq!((error.kind, error.outcome), (ErrorKind::Network, Outcome::NotSent), "{error:?}");
}

#[tokio::test]
async fn a_refusal_of_a_later_attempt_does_not_settle_what_an_earlier_one_did() {
    for (second, outcome) in [
        (error(401, "", "invalid_request_error", "bad_key"), Outcome::Unknown),
        (error(403, "", "invalid_request_error", "more_permissions_required"), Outcome::Unknown),
        (error(409, "Stripe-Should-Retry: false\r\n", "idempotency_error", "idempotency_key_in_use"), Outcome::Unknown),
        (error(500, "Stripe-Should-Retry: false\r\n", "api_error", "broken"), Outcome::Unknown),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nproxy".to_owned(), Outcome::Unknown),
        // Stripe's word on the key itself settles it.
        (error(402, "", "card_error", "card_declined"), Outcome::Rejected),
        (error(400, "", "invalid_request_error", "parameter_invalid"), Outcome::Rejected),
    ] {
        let server = Scripted::start({
            let second = second.clone();
            move |number, _| if number == 0 { Act::Reset } else { Act::Answer(second.clone()) }
        })
        .await;
        let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
        assert_eq!((error.outcome, error.attempts), (outcome, 2), "{second}");
    }
}

#[tokio::test]
async fn a_subscription_that_was_cancelled_before_its_answer_was_lost_is_found_cancelled() {
    let canceled = r#"{"id":"sub_1","object":"subscription","status":"canceled"}"#;
    let server = Scripted::start(move |number, seen| match (number, seen.head.split(' ').next()) {
        (0, Some("DELETE")) => Act::Reset,
        (_, Some("DELETE")) => Act::Answer(error(404, "", "invalid_request_error", "resource_missing")),
        _ => Act::Answer(answer(200, "", canceled)),
    })
    .await;
    let platform = Platform::new(&server.base());
    let call = platform.fresh();
    let done = platform.connector.run_action(&call, "subscription.cancel", r#"{"subscription":"sub_1"}"#).await;
    let done = done.expect("found cancelled").value;
    assert_eq!((done.output.as_str(), done.metadata.replayed, done.metadata.attempts), (canceled, true, 3));
}

#[tokio::test]
async fn what_cannot_be_found_after_a_lost_delete_is_unknown() {
    let server = Scripted::start(move |number, _| match number {
        0 => Act::Reset,
        _ => Act::Answer(error(404, "", "invalid_request_error", "resource_missing")),
    })
    .await;
    let error = Platform::new(&server.base()).refused("subscription.cancel", r#"{"subscription":"sub_1"}"#).await;
    assert_eq!((error.kind, error.outcome), (ErrorKind::NotFound, Outcome::Unknown), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_with_an_unknown_outcome() {
    let server = Scripted::start(|_, _| Act::Silence).await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    call.invocation = call.invocation.with_timeout(std::time::Duration::from_millis(300));
    let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
    assert_eq!((error.kind, error.outcome, error.retry), (ErrorKind::Timeout, Outcome::Unknown, RetryAdvice::SameKey));
    assert_eq!(server.work(), 1, "there was no time for another attempt");
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_committed() {
    let server = Scripted::start(|_, _| Act::Answer(answer(200, "Request-Id: req_7\r\n", "<html>"))).await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert_eq!((error.outcome, error.request_id.as_deref()), (Outcome::Committed, Some("req_7")), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Scripted::start(|_, _| Act::Answer(answer(302, "Location: http://127.0.0.1:1/steal\r\n", ""))).await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert!(error.message.contains("redirect"), "{error:?}");
    assert_eq!(server.work(), 1);
}
