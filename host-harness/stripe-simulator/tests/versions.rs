//! API versions: the pinned one is held to, an account's older one takes and shows what it did.

use crate::stripe::{PINNED, Stripe};
use serde_json::{Value, json};
use stripe_simulator::Options;

#[tokio::test]
async fn the_accounts_version_takes_what_the_pinned_one_dropped() {
    let stripe = Stripe::start().await;
    let form = [("amount", "2000"), ("currency", "usd"), ("payment_method_types[]", "card")];
    let older = stripe.unversioned("POST", "/v1/payment_intents", &form).await;
    assert_eq!((older.status, older.header("stripe-version")), (200, "2025-02-24.acacia"), "{}", older.text);
    assert_eq!(older.body["payment_method_types"], json!(["card"]));
    let pinned = stripe.post("/v1/payment_intents", &form).await;
    assert_eq!((pinned.status, &pinned.error()["code"]), (400, &json!("parameter_unknown")));
    let headers = [("stripe-version", "2026-09-30.endive")];
    let first = stripe.call("POST", "/v1/payment_intents", &form, &headers).await;
    assert_eq!(first.status, 400, "the version that dropped it");
    let headers = [("stripe-version", "2026-06-24.dahlia")];
    let last = stripe.call("POST", "/v1/payment_intents", &form, &headers).await;
    assert_eq!(last.status, 200, "the version before");
}

#[tokio::test]
async fn an_account_can_have_the_pinned_version() {
    let stripe = Stripe::start_with(Options { account_version: Some(PINNED.into()), ..Options::default() }).await;
    let form = [("amount", "2000"), ("currency", "usd"), ("payment_method_types[]", "card")];
    assert_eq!(stripe.unversioned("POST", "/v1/payment_intents", &form).await.status, 400);
}

#[tokio::test]
async fn answers_and_events_are_in_the_version_that_they_are_for() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let older = stripe.unversioned("POST", "/v1/subscriptions", &form).await;
    let item = &older.body["items"]["data"][0];
    assert_eq!(older.body["current_period_end"], item["current_period_end"]);
    let path = format!("/v1/invoices/{}", older.body["latest_invoice"].as_str().unwrap());
    let invoice = stripe.unversioned("GET", &path, &[]).await.body;
    assert_eq!((&invoice["subscription"], invoice.get("parent")), (&older.body["id"], None));
    assert!(invoice["payment_intent"].as_str().unwrap().starts_with("pi_"));
    assert_eq!((&invoice["paid"], &invoice["lines"]["data"][0]["type"]), (&json!(true), &json!("subscription")));
    let pinned = stripe.get(&path, &[]).await.body;
    assert_eq!(pinned["parent"]["subscription_details"]["subscription"], older.body["id"]);
    let events = stripe.get("/v1/events", &[("type", "invoice.paid")]).await.body;
    let event: &Value = &events["data"][0];
    assert_eq!(event["api_version"], "2025-02-24.acacia", "the account's, whoever asks");
    let told = &event["data"]["object"];
    for (name, value) in [("subscription", &older.body["id"]), ("payment_intent", &invoice["payment_intent"])] {
        assert_eq!(&told[name], value, "{name}");
    }
    assert!(told["charge"].as_str().unwrap().starts_with("ch_"), "{told}");
    assert_eq!(told["lines"]["data"][0]["price"]["id"], price.as_str());
    let created = stripe.get("/v1/events", &[("type", "invoice.created")]).await.body;
    assert_eq!(created["data"][0]["data"]["object"]["status"], "draft");
    assert_eq!(created["data"][0]["data"]["object"]["payment_intent"], Value::Null, "a draft has none yet");
}

#[tokio::test]
async fn rates_are_limited_only_when_that_is_asked_for() {
    let stripe = Stripe::start().await;
    for _ in 0..60 {
        assert_eq!(stripe.get("/v1/customers", &[]).await.status, 200);
    }
    let stripe = Stripe::start_with(Options { rate_limits: true, ..Options::default() }).await;
    let mut refused = None;
    for _ in 0..400 {
        let answer = stripe.get("/v1/customers", &[]).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("more than 25 in one second");
    assert_eq!(refused.error()["code"], "rate_limit");
    assert_eq!(refused.header("stripe-rate-limited-reason"), "global-rate");
}

#[tokio::test]
async fn an_earlier_version_expands_what_it_has() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("expand[]", "latest_invoice.payment_intent.latest_charge"),
        ("expand[]", "latest_invoice.subscription"),
    ];
    let made = stripe.unversioned("POST", "/v1/subscriptions", &form).await;
    let invoice = &made.body["latest_invoice"];
    assert_eq!(invoice["payment_intent"]["status"], "succeeded", "{}", made.text);
    assert_eq!(invoice["payment_intent"]["latest_charge"]["amount"], 1500);
    assert_eq!(invoice["subscription"]["current_period_end"], made.body["current_period_end"]);
    let later = stripe.post("/v1/subscriptions", &form).await;
    let message = "This property cannot be expanded (latest_invoice.payment_intent.latest_charge).";
    assert_eq!(later.error()["message"], message, "the pinned version has it elsewhere");
}
