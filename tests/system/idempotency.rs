//! A step that is run again changes nothing more, whatever happened in between.

use std::time::{Duration, Instant};

use host::contract::{ChoiceRequest, ErrorKind, Outcome, RetryAdvice};
use serde_json::{Value, json};

use crate::platform::{Platform, Shop, refused};
use crate::scripted::{Act, Scripted, answer, error};

const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer","created":1,"livemode":false}"#;

fn payment() -> Value {
    json!({"amount": 1099, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true, "return_url": "https://example.com"})
}

async fn charges(shop: &Shop) -> usize {
    let all = ChoiceRequest { limit: Some(100), ..ChoiceRequest::of("charge") };
    shop.platform.connector.choices(&shop.platform.fresh(), all).await.expect("charges").value.choices.len()
}

#[tokio::test]
async fn the_same_run_charges_once() {
    let shop = Shop::open().await;
    let call = shop.platform.call("order-1");
    let input = payment().to_string();
    let first = shop.platform.connector.run_action(&call, "payment_intent.create", &input).await.expect("paid").value;
    let again = shop.platform.connector.run_action(&call, "payment_intent.create", &input).await.expect("paid").value;
    assert_eq!(first.output, again.output, "the first run's result, to the byte");
    assert_eq!((first.metadata.replayed, again.metadata.replayed), (false, true));
    assert_eq!(first.metadata.idempotency_key, again.metadata.idempotency_key);
    assert_eq!(charges(&shop).await, 1);
    // An alias is the same operation.
    let alias = shop.platform.connector.run_action(&call, "create_payment_intent", &input).await.expect("paid").value;
    assert!(alias.metadata.replayed);
    assert_eq!(charges(&shop).await, 1);
    shop.checked_requests();
}

#[tokio::test]
async fn another_run_charges_again() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.platform.act("payment_intent.create", payment()).await;
    }
    assert_eq!(charges(&shop).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_run_twenty_times_at_once_charges_once() {
    let shop = std::sync::Arc::new(Shop::open().await);
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let shop = std::sync::Arc::clone(&shop);
        runs.spawn(async move {
            let call = shop.platform.call("race");
            shop.platform.connector.run_action(&call, "payment_intent.create", &payment().to_string()).await
        });
    }
    let mut outputs = std::collections::BTreeSet::new();
    while let Some(run) = runs.join_next().await {
        outputs.insert(run.expect("no panic").expect("paid, or found paid").value.output);
    }
    assert_eq!(outputs.len(), 1);
    assert_eq!(charges(&shop).await, 1);
}

#[tokio::test]
async fn a_run_with_other_input_is_told_so_and_charges_nothing_more() {
    let shop = Shop::open().await;
    let call = shop.platform.call("order-2");
    shop.platform.connector.run_action(&call, "payment_intent.create", &payment().to_string()).await.expect("paid");
    let mut other = payment();
    other["amount"] = json!(2099);
    let error = refused(shop.platform.connector.run_action(&call, "payment_intent.create", &other.to_string()).await);
    assert_eq!(
        (error.kind.clone(), error.outcome, error.retry),
        (ErrorKind::Idempotency, Outcome::Unknown, RetryAdvice::Never),
        "the key's first use may have charged, and here it has"
    );
    assert!(error.hint.is_some_and(|h| h.contains("request log")));
    assert_eq!(charges(&shop).await, 1);
}

#[tokio::test]
async fn a_key_of_the_callers_own_is_sent_and_returned() {
    let shop = Shop::open().await;
    let mut call = shop.platform.fresh();
    call.invocation = call.invocation.with_idempotency_key("order-6735");
    let done = shop.platform.connector.run_action(&call, "customer.create", "{}").await.expect("created").value;
    assert_eq!(done.metadata.idempotency_key.as_deref(), Some("order-6735"));
    assert_eq!(shop.simulator.requests()[0].header("idempotency-key"), Some("order-6735"));
}

#[tokio::test]
async fn a_decline_is_the_same_decline_when_it_is_run_again() {
    let shop = Shop::open().await;
    let call = shop.platform.call("declined");
    let mut input = payment();
    input["payment_method"] = json!("pm_card_visa_chargeDeclinedInsufficientFunds");
    let mut errors = Vec::new();
    for _ in 0..2 {
        errors.push(refused(
            shop.platform.connector.run_action(&call, "payment_intent.create", &input.to_string()).await,
        ));
    }
    for error in &errors {
        assert_eq!(
            (error.kind.clone(), error.outcome, error.http_status),
            (ErrorKind::Declined, Outcome::Rejected, Some(402))
        );
        assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"));
        assert!(error.hint.as_deref().is_some_and(|h| h.contains("too little money")), "{error:?}");
        let related: Vec<&str> = error.related.iter().map(|r| r.resource.as_str()).collect();
        assert_eq!(related, ["payment_intent", "charge"]);
    }
    assert_eq!(errors[0].related, errors[1].related);
}

#[tokio::test]
async fn failures_are_retried_with_the_same_key_and_backoff() {
    for refusal in [
        error(500, "", "api_error", "broken"),
        error(503, "", "api_error", "down"),
        error(409, "", "invalid_request_error", "lock_timeout"),
        error(429, "", "invalid_request_error", "rate_limit"),
        error(400, "Stripe-Should-Retry: true\r\n", "invalid_request_error", "retry_me"),
    ] {
        let server = Scripted::start({
            let refusal = refusal.clone();
            move |number, _| {
                if number < 2 { Act::Answer(refusal.clone()) } else { Act::Answer(answer(200, "", CUSTOMER)) }
            }
        })
        .await;
        let platform = Platform::new(&server.base());
        let began = Instant::now();
        let done = platform.connector.run_action(&platform.fresh(), "customer.create", "{}").await.expect("done").value;
        assert_eq!(done.metadata.attempts, 3, "{refusal}");
        assert!(began.elapsed() >= Duration::from_secs(1), "half a second before each retry");
        let seen = server.seen().await;
        assert!(seen.iter().all(|s| s.header("idempotency-key") == seen[0].header("idempotency-key")));
    }
}

#[tokio::test]
async fn what_would_fail_again_is_not_retried() {
    for (status, headers, outcome) in [
        (400, "", Outcome::Rejected),
        (401, "", Outcome::Rejected),
        (402, "", Outcome::Rejected),
        (403, "", Outcome::Rejected),
        (404, "", Outcome::Rejected),
        (409, "Stripe-Should-Retry: false\r\n", Outcome::Rejected),
        (500, "Stripe-Should-Retry: false\r\n", Outcome::Unknown),
    ] {
        let server =
            Scripted::start(move |_, _| Act::Answer(error(status, headers, "invalid_request_error", "lock_timeout")))
                .await;
        let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
        assert_eq!((error.attempts, error.outcome, server.work()), (1, outcome, 1), "{status} {headers}");
    }
}

#[tokio::test]
async fn a_server_error_to_the_end_is_unknown_and_a_rate_limit_is_not() {
    for (status, code, kind, outcome) in [
        (500, "broken", ErrorKind::Service, Outcome::Unknown),
        (429, "rate_limit", ErrorKind::RateLimited, Outcome::Rejected),
        (409, "idempotency_key_in_use", ErrorKind::Idempotency, Outcome::Unknown),
    ] {
        let server = Scripted::start(move |_, _| Act::Answer(error(status, "", "api_error", code))).await;
        let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
        assert_eq!((error.kind.clone(), error.outcome, error.attempts), (kind, outcome, 3), "{error:?}");
        assert!(matches!(error.retry, RetryAdvice::After(_)), "{error:?}");
    }
}

#[tokio::test]
async fn cancelling_twice_is_done_once_and_fine_twice() {
    let shop = Shop::open().await;
    let customer = shop
        .platform
        .act(
            "customer.create",
            json!({"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}),
        )
        .await;
    let price = shop.platform.act("price.create", json!({"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}})).await;
    let subscription = shop
        .platform
        .act("subscription.create", json!({"customer": customer["id"], "items": [{"price": price["id"]}]}))
        .await;
    let input = json!({"subscription": subscription["id"]}).to_string();
    let call = shop.platform.call("cancel");
    let first =
        shop.platform.connector.run_action(&call, "subscription.cancel", &input).await.expect("cancelled").value;
    let again =
        shop.platform.connector.run_action(&call, "subscription.cancel", &input).await.expect("still cancelled").value;
    assert_eq!((first.metadata.replayed, again.metadata.replayed), (false, true));
    let status = |output: &str| serde_json::from_str::<Value>(output).expect("JSON")["status"].clone();
    assert_eq!((status(&first.output), status(&again.output)), (json!("canceled"), json!("canceled")));
    let error = shop.platform.refused("subscription.cancel", r#"{"subscription":"sub_doesnotexist"}"#).await;
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::NotFound, Outcome::Rejected));
    assert_eq!((error.field.as_deref(), error.attempts), (Some("subscription"), 2), "the look is counted");
    shop.checked_requests();
}

#[tokio::test]
async fn a_key_is_made_of_what_is_done_and_not_of_what_it_is_called() {
    let server = Scripted::start(|_, _| Act::Answer(answer(200, "", CUSTOMER))).await;
    let platform = Platform::new(&server.base());
    let call = platform.call("run-1");
    platform.connector.run_action(&call, "customer.create", "{}").await.expect("done");
    let seen = server.seen().await;
    // SHA-256 of the run's id and `POST /v1/customers`.
    assert_eq!(seen[0].header("idempotency-key"), Some("customers-597915f9792117b14e5395013d54dc665695fb5d"));
}

#[tokio::test]
async fn a_failure_that_is_kept_for_the_key_is_asked_for_once() {
    let server = Scripted::start(|number, _| {
        let replayed = if number == 0 { "" } else { "Idempotent-Replayed: true\r\n" };
        Act::Answer(error(500, replayed, "api_error", "broken"))
    })
    .await;
    let error = Platform::new(&server.base()).refused("customer.create", "{}").await;
    assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::Unknown, RetryAdvice::Never, 2), "{error:?}");
}
