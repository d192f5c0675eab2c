//! Webhook endpoints and what they receive.

use std::time::Duration;

use crate::stripe::listener::{Listener, verified};
use crate::stripe::{Stripe, until};
use serde_json::{Value, json};
use stripe_simulator::Options;

async fn quick() -> Stripe {
    Stripe::start_with(Options { webhook_retry_unit: Duration::from_millis(5), ..Options::default() }).await
}

#[tokio::test]
async fn events_are_delivered_signed_and_in_order() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    let form = [("url", listener.url.as_str()), ("enabled_events[]", "*"), ("api_version", "2024-06-20")];
    let endpoint = stripe.make("/v1/webhook_endpoints", &form).await;
    let secret = endpoint.body["secret"].as_str().unwrap();
    let shown = stripe.get(&format!("/v1/webhook_endpoints/{}", endpoint.id()), &[]).await;
    assert_eq!(shown.body.get("secret"), None, "the secret is told once");
    for _ in 0..10 {
        let form = [("amount", "700"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
        stripe.make("/v1/payment_intents", &form).await;
    }
    listener.count(30).await;
    let expected = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"];
    for chunk in listener.types().chunks(3) {
        assert_eq!(chunk, expected);
    }
    for (headers, body) in listener.all() {
        assert!(verified(&headers, &body, secret));
        assert_eq!(headers["user-agent"], "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
        let event: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(event["api_version"], "2024-06-20");
        stripe_simulator::conformance::check_object(&event).unwrap();
    }
}

#[tokio::test]
async fn endpoints_get_what_they_enabled() {
    let stripe = quick().await;
    let (some, other) = (Listener::start(0).await, Listener::start(0).await);
    let form = [("url", some.url.as_str()), ("enabled_events[]", "product.created")];
    let endpoint = stripe.make("/v1/webhook_endpoints", &form).await.id();
    stripe.make("/v1/webhook_endpoints", &[("url", &other.url), ("enabled_events[]", "customer.created")]).await;
    stripe.make("/v1/customers", &[]).await;
    stripe.make("/v1/products", &[("name", "p")]).await;
    some.count(1).await;
    other.count(1).await;
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    assert_eq!(stripe.make(&path, &[("disabled", "true")]).await.body["status"], "disabled");
    stripe.make("/v1/products", &[("name", "unheard")]).await;
    let enabled = [("disabled", "false"), ("enabled_events[]", "customer.created")];
    stripe.make(&path, &enabled).await;
    stripe.make("/v1/customers", &[]).await;
    some.count(2).await;
    assert_eq!(some.types(), ["product.created", "customer.created"]);
    assert_eq!(stripe.delete(&path).await.body["deleted"], true);
    stripe.make("/v1/customers", &[]).await;
    other.count(3).await;
    assert_eq!(some.types().len(), 2);
}

#[tokio::test]
async fn a_failed_delivery_is_tried_three_times_and_signed_anew() {
    let stripe = quick().await;
    let listener = Listener::start(2).await;
    let form = [("url", listener.url.as_str()), ("enabled_events[]", "customer.created")];
    let secret = stripe.make("/v1/webhook_endpoints", &form).await.body["secret"].as_str().unwrap().to_owned();
    stripe.make("/v1/customers", &[]).await;
    let event = stripe.get("/v1/events", &[]).await.ids().remove(0);
    let pending = async || {
        let event = stripe.get(&format!("/v1/events/{event}"), &[]).await;
        (event.body["pending_webhooks"] == 0).then_some(())
    };
    until("the third attempt", pending).await;
    let attempts = listener.all();
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|(headers, body)| verified(headers, body, &secret)));

    *listener.failures.lock().unwrap() = 100;
    stripe.make("/v1/customers", &[]).await;
    listener.count(6).await;
    // Nothing is left to wait for: the event that follows is delivered, and no attempt came in between.
    *listener.failures.lock().unwrap() = 0;
    stripe.make("/v1/customers", &[]).await;
    listener.count(7).await;
    assert_eq!(listener.all().len(), 7);
}

#[tokio::test]
async fn an_endpoint_that_hangs_holds_up_nobody() {
    let stripe = quick().await;
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", hanging.local_addr().unwrap());
    stripe.make("/v1/webhook_endpoints", &[("url", &url), ("enabled_events[]", "*")]).await;
    let listener = Listener::start(0).await;
    stripe.make("/v1/webhook_endpoints", &[("url", &listener.url), ("enabled_events[]", "*")]).await;
    for _ in 0..5 {
        stripe.make("/v1/customers", &[]).await;
    }
    listener.count(5).await;
}

#[tokio::test]
async fn endpoints_are_limited_and_their_urls_checked() {
    let stripe = quick().await;
    for url in ["", "nowhere", "ftp://a.example/", "http://", "/path"] {
        let answer = stripe.post("/v1/webhook_endpoints", &[("url", url), ("enabled_events[]", "*")]).await;
        assert_eq!((answer.status, &answer.error()["param"]), (400, &json!("url")), "{url}");
    }
    let unknown = [("url", "https://a.example"), ("enabled_events[]", "no.such_event")];
    assert_eq!(stripe.post("/v1/webhook_endpoints", &unknown).await.error()["param"], "enabled_events[0]");
    for _ in 0..16 {
        stripe.make("/v1/webhook_endpoints", &[("url", "https://a.example"), ("enabled_events[]", "*")]).await;
    }
    let one_more = [("url", "https://a.example"), ("enabled_events[]", "*")];
    assert_eq!(stripe.post("/v1/webhook_endpoints", &one_more).await.status, 400);
}

#[tokio::test]
async fn an_event_is_delivered_again_to_the_endpoint_that_is_named() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    let form = [("url", listener.url.as_str()), ("enabled_events[]", "product.created")];
    let endpoint = stripe.make("/v1/webhook_endpoints", &form).await.id();
    stripe.make("/v1/customers", &[]).await;
    let event = stripe.get("/v1/events", &[]).await.ids().remove(0);
    let again = async |event: &str, form: &[(&str, &str)]| {
        stripe.unversioned("POST", &format!("/v1/events/{event}/retry"), form).await
    };
    assert_eq!(again("evt_nobody", &[]).await.status, 404);
    let unknown = again(&event, &[("webhook_endpoint", "we_nobody")]).await;
    assert_eq!((unknown.status, unknown.error()["param"].as_str()), (400, Some("webhook_endpoint")));
    assert_eq!(again(&event, &[]).await.status, 200, "nobody wants it, so nobody gets it");
    assert_eq!(again(&event, &[("webhook_endpoint", &endpoint)]).await.body["id"], event.as_str());
    listener.count(1).await;
    assert_eq!(listener.types(), ["customer.created"]);
}
