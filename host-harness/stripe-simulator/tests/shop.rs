//! Restricted keys, the demonstration shop, and the page to look at it.

use crate::stripe::Stripe;
use serde_json::json;
use stripe_simulator::{Options, TEST_SECRET_KEY};

#[tokio::test]
async fn a_restricted_key_does_what_it_may_and_learns_what_it_lacks() {
    let key = ["rk", "test", "reader"].join("_");
    let restricted_keys = vec![(key.clone(), vec!["customer_read".to_owned(), "rak_webhook_write".to_owned()])];
    let stripe = Stripe::start_with(Options { restricted_keys, ..Options::default() }).await;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(stripe.call("GET", "/v1/customers", &[], &headers).await.status, 200);
    assert_eq!(stripe.call("GET", "/v1/webhook_endpoints", &[], &headers).await.status, 200);
    let refused = stripe.call("POST", "/v1/customers", &[], &headers).await;
    let message = refused.error()["message"].as_str().unwrap();
    assert_eq!(refused.status, 403);
    assert!(message.contains("'rak_customer_write'") && !message.contains(&key), "{message}");
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 0);
    stripe.submit("/_simulator/keys", &[("key", &key), ("permissions[]", "customer_write")]).await;
    assert_eq!(stripe.call("POST", "/v1/customers", &[], &headers).await.status, 200);
    assert_eq!(stripe.submit("/_simulator/keys", &[("key", "other")]).await.status, 400);
}

#[tokio::test]
async fn the_shop_has_a_year_behind_it_and_is_the_same_for_a_seed() {
    let options = || Options { demo: true, seed: Some(11), ..Options::default() };
    let stripe = Stripe::start_with(options()).await;
    let customers = stripe.get("/v1/customers", &[("limit", "100")]).await;
    assert_eq!(customers.ids().len(), 8);
    let paid = stripe.get("/v1/invoices", &[("status", "paid"), ("limit", "100")]).await.body;
    let invoices = paid["data"].as_array().unwrap();
    assert!(invoices.len() > 80, "{}", invoices.len());
    for currency in ["usd", "eur", "jpy"] {
        assert!(invoices.iter().any(|i| i["currency"] == currency), "{currency}");
    }
    let again = Stripe::start_with(options()).await;
    assert_eq!(again.get("/v1/customers", &[("limit", "100")]).await.ids(), customers.ids());
}

#[tokio::test]
async fn a_page_shows_what_happened() {
    let stripe = Stripe::start().await;
    stripe.make("/v1/customers", &[("name", "<b>Bold</b>")]).await;
    let page = stripe.send("GET", "/", &[], "").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("customer.created") && page.text.contains("/v1/customers"), "{}", page.text);
    let api = stripe.get("/", &[]).await;
    assert_eq!((api.status, &api.error()["type"]), (404, &json!("invalid_request_error")));
}

#[tokio::test]
async fn the_page_leads_to_everything_whole() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[("name", "<b>Bold</b>"), ("email", "a@example.com")]).await;
    let id = customer.id();
    let browse = async |path: &str| stripe.send("GET", path, &[], "").await;
    let whole = browse(&format!("/_simulator/objects/customer/{id}")).await.text;
    assert!(whole.contains("&lt;b&gt;Bold&lt;/b&gt;") && !whole.contains("<b>Bold"), "{whole}");
    assert!(browse("/_simulator/objects/customer").await.text.contains("a@example.com"));
    let event = stripe.get("/v1/events", &[]).await.ids().remove(0);
    let request = customer.header("request-id").to_owned();
    let shown = browse(&format!("/_simulator/events/{event}")).await.text;
    assert!(shown.contains(&id) && shown.contains(&request), "{shown}");
    let shown = browse(&format!("/_simulator/requests/{request}")).await.text;
    assert!(shown.contains("a%40example.com") && shown.contains(&event), "{shown}");
    assert!(!shown.contains(TEST_SECRET_KEY), "{shown}");
    for (id, page) in [(&id, "objects/customer"), (&event, "events"), (&request, "requests")] {
        let found = browse(&format!("/_simulator/find?id=%20{id}")).await;
        assert_eq!((found.status, found.header("location")), (303, &*format!("/_simulator/{page}/{id}")));
    }
    assert_eq!(browse("/_simulator/find?id=cus_nobody").await.status, 404);
    assert_eq!(stripe.simulator.requests().len(), 2, "looking is not recorded");
    assert_eq!(browse("/_simulator/objects/customer/cus_nobody").await.status, 404);
}

#[tokio::test]
async fn a_page_tells_which_answers_were_not_what_the_facts_say() {
    let stripe = Stripe::start().await;
    stripe.make("/v1/customers", &[]).await;
    let told = stripe.send("GET", "/_simulator/violations", &[], "").await;
    assert_eq!((told.status, &told.body), (200, &json!({"checked": true, "violations": []})));
    let unasked = stripe_simulator::Simulator::start().await.unwrap();
    let told = stripe.send("GET", &format!("{}/_simulator/violations", unasked.base_url()), &[], "").await;
    assert_eq!(told.body["checked"], false);
}
