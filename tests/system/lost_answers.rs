//! Servers that answer early, cut their answers off, or do the work and vanish: never a wrong outcome.

use std::sync::Arc;
use std::time::Duration;

use host::contract::{ErrorKind, Outcome, RetryAdvice};
use host::{Call, CallError, Reply, contract::ActionResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
            assert_eq!(error.kind.clone(), ErrorKind::Authentication, "{error:?}");
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
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Network, Outcome::NotSent), "{error:?}");
}

#[tokio::test]
async fn a_refusal_of_a_later_attempt_does_not_settle_what_an_earlier_one_did() {
    for (second, outcome) in [
        (error(401, "", "invalid_request_error", "bad_key"), Outcome::Unknown),
        (error(403, "", "invalid_request_error", "more_permissions_required"), Outcome::Unknown),
        (error(409, "Stripe-Should-Retry: false\r\n", "idempotency_error", "idempotency_key_in_use"), Outcome::Unknown),
        (error(500, "Stripe-Should-Retry: false\r\n", "api_error", "broken"), Outcome::Unknown),
        (error(409, "Stripe-Should-Retry: false\r\n", "invalid_request_error", "lock_timeout"), Outcome::Unknown),
        (error(429, "Stripe-Should-Retry: false\r\n", "invalid_request_error", "rate_limit"), Outcome::Unknown),
        (error(404, "", "invalid_request_error", "resource_missing"), Outcome::Unknown),
        (error(400, "", "idempotency_error", "x"), Outcome::Unknown),
        (answer(302, "Location: /\r\n", ""), Outcome::Unknown),
        (answer(200, "", "{}"), Outcome::Unknown),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nproxy".to_owned(), Outcome::Unknown),
        // Stripe's word on the key itself settles it.
        (error(402, "", "card_error", "card_declined"), Outcome::Rejected),
        (error(400, "", "invalid_request_error", "parameter_invalid"), Outcome::Rejected),
        (error(404, "Idempotent-Replayed: true\r\n", "invalid_request_error", "resource_missing"), Outcome::Rejected),
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
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::NotFound, Outcome::Unknown), "{error:?}");
    assert_eq!(error.attempts, 3, "the look at the subscription is counted");
    let hint = error.hint.expect("a hint");
    assert!(!hint.contains("same idempotency key"), "a removal has none: {hint}");
}

#[tokio::test]
async fn a_look_that_fails_leaves_a_lost_delete_unknown() {
    for look in [
        Act::Answer(error(401, "", "invalid_request_error", "bad_key")),
        Act::Answer(error(504, "Stripe-Should-Retry: false\r\n", "api_error", "slow")),
        Act::Reset,
    ] {
        let server = Scripted::start({
            let look = look.clone();
            move |number, seen| match (number, seen.head.split(' ').next()) {
                (0, Some("DELETE")) => Act::Reset,
                (_, Some("DELETE")) => Act::Answer(error(404, "", "invalid_request_error", "resource_missing")),
                _ => look.clone(),
            }
        })
        .await;
        let error = Platform::new(&server.base()).refused("subscription.cancel", r#"{"subscription":"sub_1"}"#).await;
        assert_eq!(error.outcome, Outcome::Unknown, "{look:?}: {error:?}");
        assert_eq!(error.attempts as usize, server.work(), "{look:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_with_an_unknown_outcome() {
    let server = Scripted::start(|_, _| Act::Silence).await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    call.invocation = call.invocation.with_timeout(Duration::from_millis(300));
    let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
    assert_eq!(
        (error.kind.clone(), error.outcome, error.retry),
        (ErrorKind::Timeout, Outcome::Unknown, RetryAdvice::SameKey)
    );
    assert_eq!(server.work(), 1, "there was no time for another attempt");
}

#[tokio::test]
async fn an_answer_that_drips_in_ends_with_the_calls_time_and_not_with_the_platforms() {
    for head in ["Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}");
        let server = Scripted::start(move |_, _| Act::Drip(head.clone(), Duration::from_millis(20))).await;
        let platform = Platform::new(&server.base());
        let mut call = platform.fresh();
        call.invocation = call.invocation.with_timeout(Duration::from_millis(500));
        let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
        assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Timeout, Outcome::Unknown), "{error:?}");
        assert_eq!((error.retry, error.attempts), (RetryAdvice::SameKey, 1), "{error:?}");
        let mut call = platform.fresh();
        call.invocation = call.invocation.with_timeout(Duration::from_millis(500));
        let error =
            refused(platform.connector.run_query(&call, "customer.retrieve", r#"{"customer":"cus_1"}"#, None).await);
        assert_eq!(
            (error.kind.clone(), error.outcome),
            (ErrorKind::Timeout, Outcome::NotSent),
            "a read does nothing: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_clear_refusal_stays_one_when_there_is_no_time_left() {
    let server = Scripted::start(|number, _| match number {
        0 => Act::Answer(error(429, "", "invalid_request_error", "rate_limit")),
        _ => Act::Silence,
    })
    .await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    call.invocation = call.invocation.with_timeout(Duration::from_millis(1_200));
    let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
    assert_eq!(
        (error.kind.clone(), error.outcome, error.attempts),
        (ErrorKind::RateLimited, Outcome::Rejected, 1),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_stripes_is_no_proof() {
    for (status, body) in [
        (200, "<html>"),
        (200, "null"),
        (200, "[]"),
        (200, "{}"),
        (200, ""),
        (200, r#"{"ok":true}"#),
        (302, ""),
        (400, "{}"),
        (403, "<html>"),
        (404, "<html>"),
    ] {
        let server = Scripted::start(move |_, _| Act::Answer(answer(status, "Request-Id: req_7\r\n", body))).await;
        let platform = Platform::new(&server.base());
        let error = platform.refused("customer.create", "{}").await;
        assert_eq!((error.outcome, error.request_id.as_deref()), (Outcome::Unknown, Some("req_7")), "{status} {body}");
        assert_eq!(error.retry, RetryAdvice::SameKey, "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn a_success_of_stripes_that_is_too_large_is_committed() {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_7\r\nContent-Length: 17000000\r\n\r\n";
    let server = Scripted::start(move |_, _| Act::Cut(head.to_owned())).await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert_eq!((error.outcome, error.attempts, error.request_id.as_deref()), (Outcome::Committed, 1, Some("req_7")));
}

#[tokio::test]
async fn an_answer_as_large_as_is_read_fits_into_the_memory() {
    let text = format!(r#"{{"id":"cus_1","object":"customer","x":"{}"}}"#, "x".repeat(15 << 20));
    let numbers = format!(r#"{{"id":"cus_1","object":"customer","x":[0{}]}}"#, ",0".repeat(7 << 20));
    for body in [text, numbers] {
        let length = body.len();
        let chunked = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        );
        for whole in [answer(200, "", &body), chunked] {
            let server = Scripted::start(move |_, _| Act::Answer(whole.clone())).await;
            let platform = Platform::new(&server.base());
            let done = platform.connector.run_action(&platform.fresh(), "customer.create", "{}").await.expect("done");
            assert_eq!(done.value.output.len(), length);
        }
    }
}

#[tokio::test]
async fn a_success_that_asks_to_be_repeated_is_not_forgotten() {
    let server = Scripted::start(|number, _| match number {
        0 => Act::Answer(answer(200, "Stripe-Should-Retry: true\r\n", CUSTOMER)),
        _ => Act::Reset,
    })
    .await;
    let platform = Platform::new(&server.base());
    let done = platform.connector.run_action(&platform.fresh(), "customer.create", "{}").await.expect("done").value;
    assert_eq!((done.output.as_str(), done.metadata.attempts), (CUSTOMER, 3));
}

#[tokio::test]
async fn a_request_that_was_refused_is_not_unsent_when_nobody_listens_later() {
    // The server refuses once and closes its door.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let refusal = error(429, "Connection: close\r\n", "invalid_request_error", "rate_limit");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a request");
        drop(listener);
        let mut buffer = vec![0; 64 * 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(refusal.as_bytes()).await;
        let _ = stream.shutdown().await;
    });
    let error = Platform::new(&base).refused("customer.create", "{}").await;
    server.await.expect("no panic");
    assert_eq!(
        (error.kind.clone(), error.outcome, error.attempts),
        (ErrorKind::Network, Outcome::Rejected, 3),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_tls_handshake_that_is_answered_in_plain_text_sent_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    });
    let error = Platform::new(&base).refused("customer.create", "{}").await;
    server.abort();
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Network, Outcome::NotSent), "{error:?}");
}

#[tokio::test]
async fn a_read_is_never_in_doubt() {
    for act in [Act::Reset, Act::Answer(error(500, "Stripe-Should-Retry: false\r\n", "api_error", "x"))] {
        let server = Scripted::start({
            let act = act.clone();
            move |_, _| act.clone()
        })
        .await;
        let platform = Platform::new(&server.base());
        let call = platform.fresh();
        let asked = platform.connector.run_query(&call, "customer.retrieve", r#"{"customer":"cus_1"}"#, None).await;
        let error = refused(asked);
        let expected = if matches!(act, Act::Reset) { Outcome::NotSent } else { Outcome::Rejected };
        assert_eq!((error.outcome, error.idempotency_key.as_deref()), (expected, None), "{error:?}");
        assert!(!error.hint.unwrap_or_default().contains("idempotency key"));
        assert!(matches!(error.retry, RetryAdvice::After(_)), "{:?}", error.retry);
    }
}

#[tokio::test]
async fn one_ill_typed_member_of_an_error_does_not_discard_its_message() {
    let body = r#"{"error":{"type":"invalid_request_error","code":400,"param":null,"message":"No such thing."}}"#;
    let server = Scripted::start(move |_, _| Act::Answer(answer(400, "", body))).await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert_eq!((error.message.as_str(), error.outcome, error.code), ("No such thing.", Outcome::Rejected, None));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Scripted::start(|_, _| Act::Answer(answer(302, "Location: http://127.0.0.1:1/steal\r\n", ""))).await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert!(error.message.contains("redirect"), "{error:?}");
    assert_eq!((server.work(), error.outcome), (1, Outcome::Unknown));
}
