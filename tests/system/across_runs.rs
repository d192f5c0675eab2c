//! A run is longer than a call: what a second try may say of the first.

use std::time::{Duration, SystemTime};

use host::contract::{Error, ErrorKind, Outcome, RetryAdvice};
use host::{History, Invocation};

use crate::platform::{Platform, refused};
use crate::scripted::{Act, Scripted, answer, error};

const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer","created":1,"livemode":false}"#;
/// Two retries follow the first attempt.
const ATTEMPTS: usize = 3;

/// A server that does the work of the first try and loses its answers, and gives the second try this answer.
async fn second_try(second: &str) -> Error {
    let second = second.to_owned();
    let server =
        Scripted::start(move |number, _| if number < ATTEMPTS { Act::Reset } else { Act::Answer(second.clone()) })
            .await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    let first = platform.connector.run_action(&call, "customer.create", "{}").await.expect_err("its answer is lost");
    call.invocation = call.invocation.again_after(&first);
    refused(platform.connector.run_action(&call, "customer.create", "{}").await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_says_nothing_of_the_first_try_leaves_it_unknown() {
    let mut tries = tokio::task::JoinSet::new();
    for second in [
        error(401, "", "invalid_request_error", "api_key_expired"),
        error(403, "", "invalid_request_error", "more_permissions_required"),
        answer(302, "Location: https://example.com/\r\n", ""),
        error(429, "", "invalid_request_error", "rate_limit"),
        error(409, "", "invalid_request_error", "lock_timeout"),
        error(404, "", "invalid_request_error", "url_invalid"),
        error(400, "", "idempotency_error", "idempotency_error"),
        answer(404, "", "<html>proxy</html>"),
        answer(400, "", "{}"),
        answer(200, "", "{}"),
        answer(200, "", "null"),
        answer(204, "", ""),
    ] {
        tries.spawn(async move { (second_try(&second).await, second) });
    }
    while let Some(tried) = tries.join_next().await {
        let (error, second) = tried.expect("no panic");
        assert_eq!(error.outcome, Outcome::Unknown, "{second}\n{error:?}");
    }
}

#[tokio::test]
async fn a_refused_key_on_the_second_try_asks_for_a_third() {
    let error = second_try(&error(401, "", "invalid_request_error", "api_key_expired")).await;
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Authentication, Outcome::Unknown), "{error:?}");
    assert_ne!(error.retry, RetryAdvice::Never, "with a good key the same step finds out: {error:?}");
}

#[tokio::test]
async fn stripes_word_on_the_key_itself_settles_the_first_try() {
    let declined = second_try(&error(402, "", "card_error", "card_declined")).await;
    assert_eq!((declined.outcome, declined.retry), (Outcome::Rejected, RetryAdvice::Never), "{declined:?}");
}

#[tokio::test]
async fn a_replayed_success_is_the_first_trys_own() {
    let server = Scripted::start(|number, _| {
        if number < ATTEMPTS { Act::Reset } else { Act::Answer(answer(200, "Idempotent-Replayed: true\r\n", CUSTOMER)) }
    })
    .await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    let first = platform.connector.run_action(&call, "customer.create", "{}").await.expect_err("its answer is lost");
    call.invocation = call.invocation.again_after(&first);
    let done = platform.connector.run_action(&call, "customer.create", "{}").await.expect("found").value;
    assert!(done.metadata.replayed);
    let seen = server.seen().await;
    assert!(
        seen.iter().all(|s| s.header("idempotency-key") == seen[0].header("idempotency-key")),
        "one key throughout"
    );
}

#[tokio::test]
async fn a_replayed_failure_is_not_retried_for_ever() {
    let error = second_try(&error(500, "Idempotent-Replayed: true\r\n", "api_error", "broken")).await;
    assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::Unknown, RetryAdvice::Never, 1), "{error:?}");
    assert!(error.replayed);
}

#[tokio::test]
async fn a_key_that_stripe_has_forgotten_is_not_sent_again() {
    let server = Scripted::start(|_, _| Act::Answer(answer(200, "", CUSTOMER))).await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    call.invocation = Invocation::new("old-run").with_history(History::in_doubt_since(long_ago));
    let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
    assert_eq!(
        (error.kind.clone(), error.outcome, error.retry, error.attempts),
        (ErrorKind::Idempotency, Outcome::Unknown, RetryAdvice::Never, 0),
        "{error:?}"
    );
    assert!(error.key_protects_until.is_some());
    assert_eq!(server.work(), 0);
}

#[tokio::test]
async fn an_old_try_that_is_not_in_doubt_does_not_stand_in_the_way() {
    let server = Scripted::start(|_, _| Act::Answer(answer(200, "", CUSTOMER))).await;
    let platform = Platform::new(&server.base());
    let mut call = platform.fresh();
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    let history = History { in_doubt: false, ..History::in_doubt_since(long_ago) };
    call.invocation = Invocation::new("old-refused-run").with_history(history);
    platform.connector.run_action(&call, "customer.create", "{}").await.expect("nothing was done before");
    assert_eq!(server.work(), 1);
}

#[tokio::test]
async fn bad_input_on_the_second_try_does_not_undo_the_first() {
    let platform = Platform::new("http://127.0.0.1:1");
    let mut call = platform.fresh();
    call.invocation = call.invocation.with_history(History::in_doubt_since(SystemTime::now()));
    let error = refused(platform.connector.run_action(&call, "customer.create", r#"{"emial":"a@b.c"}"#).await);
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::InvalidInput, Outcome::Unknown), "{error:?}");
}
