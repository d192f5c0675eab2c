//! Products, prices, subscriptions, invoices and checkout.

use crate::stripe::{Answer, Form, Stripe};
use serde_json::{Value, json};

async fn subscribe(stripe: &Stripe, customer: &str, price: &str, more: Form<'_>) -> Answer {
    let mut form = vec![("customer", customer), ("items[0][price]", price)];
    form.extend_from_slice(more);
    stripe.post("/v1/subscriptions", &form).await
}

#[tokio::test]
async fn a_price_can_bring_its_product() {
    let stripe = Stripe::start().await;
    let price = stripe.monthly("1000").await;
    let shown = stripe.get(&format!("/v1/prices/{price}"), &[("expand[]", "product")]).await;
    assert_eq!(shown.body["product"]["name"], "Club");
    assert_eq!(stripe.events().await, ["product.created", "plan.created", "price.created"]);
    let neither = stripe.post("/v1/prices", &[("currency", "usd"), ("unit_amount", "1")]).await;
    assert_eq!(neither.error()["code"], "parameter_missing");
    let nothing = stripe.post("/v1/prices", &[("currency", "usd"), ("product_data[name]", "x")]).await;
    assert_eq!(nothing.status, 400);
    assert_eq!(stripe.get("/v1/products", &[]).await.ids().len(), 1, "a refused price leaves no product");
}

#[tokio::test]
async fn tiers_are_shown_when_they_are_asked_for() {
    let stripe = Stripe::start().await;
    let form = [
        ("currency", "usd"),
        ("billing_scheme", "tiered"),
        ("tiers_mode", "graduated"),
        ("tiers[0][up_to]", "10"),
        ("tiers[0][unit_amount]", "500"),
        ("tiers[1][up_to]", "inf"),
        ("tiers[1][unit_amount_decimal]", "0.5"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Messages"),
    ];
    let price = stripe.make("/v1/prices", &form).await;
    assert_eq!((price.body.get("tiers"), &price.body["unit_amount"]), (None, &Value::Null));
    let shown = stripe.get(&format!("/v1/prices/{}", price.id()), &[("expand[]", "tiers")]).await;
    assert_eq!((&shown.body["tiers"][0]["up_to"], &shown.body["tiers"][1]["up_to"]), (&json!(10), &Value::Null));
    assert_eq!(shown.body["tiers"][1]["unit_amount_decimal"], "0.5");
}

#[tokio::test]
async fn an_updated_object_tells_what_it_was() {
    let stripe = Stripe::start().await;
    let product = stripe.make("/v1/products", &[("name", "Old"), ("metadata[a]", "1")]).await.id();
    let path = format!("/v1/products/{product}");
    stripe.make(&path, &[("name", "New"), ("metadata[a]", "2")]).await;
    stripe.make(&path, &[("name", "New")]).await;
    let events = stripe.get("/v1/events", &[("type", "product.updated")]).await;
    assert_eq!(events.ids().len(), 1, "a change that changes nothing is no event");
    let previous = &events.body["data"][0]["data"]["previous_attributes"];
    assert_eq!((&previous["name"], &previous["metadata"]), (&json!("Old"), &json!({"a": "1"})));
    assert_eq!(stripe.delete(&path).await.body, json!({"id": product, "object": "product", "deleted": true}));
    assert_eq!(stripe.get(&path, &[]).await.status, 404);
}

#[tokio::test]
async fn a_subscription_begins_with_a_paid_invoice() {
    let stripe = Stripe::start().await;
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let before = stripe.events().await.len();
    let expand = [("items[0][quantity]", "2"), ("expand[]", "latest_invoice.payments")];
    let made = subscribe(&stripe, &customer, &price, &expand).await;
    assert_eq!((made.status, &made.body["status"]), (200, &json!("active")), "{}", made.text);
    let invoice = &made.body["latest_invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(3000)));
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"], made.body["id"]);
    let intent = invoice["payments"]["data"][0]["payment"]["payment_intent"].as_str().unwrap();
    let intent = stripe.get(&format!("/v1/payment_intents/{intent}"), &[]).await;
    assert_eq!((&intent.body["status"], &intent.body["payment_method"]), (&json!("succeeded"), &json!(method)));
    let expected = [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(stripe.events().await[before..], expected);
    let created = stripe.get("/v1/events", &[("type", "customer.subscription.created")]).await;
    assert_eq!(created.body["data"][0]["data"]["object"]["status"], "active");
    let lines = stripe.get(&format!("/v1/invoices/{}/lines", invoice["id"].as_str().unwrap()), &[]).await;
    assert_eq!(lines.body["data"][0]["amount"], 3000);
}

#[tokio::test]
async fn what_happens_when_the_first_payment_fails_is_the_callers_choice() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_chargeCustomerFail").await;
    let price = stripe.monthly("1500").await;
    let strict = subscribe(&stripe, &customer, &price, &[("payment_behavior", "error_if_incomplete")]).await;
    assert_eq!((strict.status, &strict.error()["code"]), (402, &json!("card_declined")));
    let all = [("customer", customer.as_str()), ("status", "all")];
    assert_eq!(stripe.get("/v1/subscriptions", &all).await.ids().len(), 0);
    let allowed = subscribe(&stripe, &customer, &price, &[]).await;
    assert_eq!((allowed.status, &allowed.body["status"]), (200, &json!("incomplete")));
    assert!(stripe.events().await.contains(&"invoice.payment_failed".to_owned()));
    let good = stripe.make("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await.id();
    let pay = format!("/v1/invoices/{}/pay", allowed.body["latest_invoice"].as_str().unwrap());
    assert_eq!(stripe.make(&pay, &[("payment_method", &good)]).await.body["status"], "paid");
    assert_eq!(stripe.post(&pay, &[]).await.error()["code"], "invoice_already_paid");
    let path = format!("/v1/subscriptions/{}", allowed.id());
    assert_eq!(stripe.get(&path, &[]).await.body["status"], "active");
    let updated = stripe.get("/v1/events", &[("type", "customer.subscription.updated")]).await;
    assert_eq!(updated.body["data"][0]["data"]["previous_attributes"], json!({"status": "incomplete"}));
}

#[tokio::test]
async fn an_incomplete_subscription_is_completed_by_its_payment() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let price = stripe.monthly("1500").await;
    assert_eq!(subscribe(&stripe, &customer, &price, &[]).await.error()["code"], "resource_missing");
    let later = [("payment_behavior", "default_incomplete"), ("expand[]", "latest_invoice.confirmation_secret")];
    let made = subscribe(&stripe, &customer, &price, &later).await;
    assert_eq!(made.body["status"], "incomplete");
    let secret = made.body["latest_invoice"]["confirmation_secret"]["client_secret"].as_str().unwrap();
    let intent = secret.split("_secret_").next().unwrap();
    let confirm = format!("/v1/payment_intents/{intent}/confirm");
    assert_eq!(stripe.post(&confirm, &[("payment_method", "pm_card_chargeDeclined")]).await.status, 402);
    stripe.make(&confirm, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(stripe.get(&format!("/v1/subscriptions/{}", made.id()), &[]).await.body["status"], "active");
}

#[tokio::test]
async fn trials_cost_nothing_and_invoices_can_be_sent() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let trial = [("trial_period_days", "14"), ("expand[]", "latest_invoice")];
    let trial = subscribe(&stripe, &customer, &price, &trial).await;
    assert_eq!(trial.body["status"], "trialing");
    assert_eq!(trial.body["latest_invoice"]["total"], 0);
    assert_eq!(trial.body["latest_invoice"]["status"], "paid");
    let item = &trial.body["items"]["data"][0];
    assert_eq!(item["current_period_end"], trial.body["trial_end"]);
    let sent = [("collection_method", "send_invoice"), ("days_until_due", "30"), ("expand[]", "latest_invoice")];
    let sent = subscribe(&stripe, &customer, &price, &sent).await;
    assert_eq!((&sent.body["status"], &sent.body["latest_invoice"]["status"]), (&json!("active"), &json!("draft")));
    let missing = subscribe(&stripe, &customer, &price, &[("collection_method", "send_invoice")]).await;
    assert_eq!(missing.error()["param"], "days_until_due");
}

#[tokio::test]
async fn subscriptions_change_and_end() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let (price, other) = (stripe.monthly("1500").await, stripe.monthly("2500").await);
    let made = subscribe(&stripe, &customer, &price, &[]).await;
    let path = format!("/v1/subscriptions/{}", made.id());
    let item = made.body["items"]["data"][0]["id"].as_str().unwrap();
    let changed = [("items[0][id]", item), ("items[0][price]", other.as_str()), ("items[0][quantity]", "3")];
    let changed = stripe.make(&path, &changed).await;
    assert_eq!(changed.body["items"]["data"][0]["price"]["id"], other.as_str());
    assert_eq!(changed.body["items"]["data"][0]["quantity"], 3);
    let ending = stripe.make(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!(ending.body["cancel_at"], made.body["items"]["data"][0]["current_period_end"]);
    let kept = stripe.make(&path, &[("cancel_at_period_end", "false")]).await;
    assert_eq!((&kept.body["cancel_at"], &kept.body["canceled_at"]), (&Value::Null, &Value::Null));
    let ended = stripe.delete(&path).await;
    assert_eq!(ended.body["status"], "canceled");
    assert_eq!(stripe.events().await.last().unwrap(), "customer.subscription.deleted");
    assert_eq!(stripe.delete(&path).await.status, 404);
    assert_eq!(stripe.get(&path, &[]).await.body["status"], "canceled");
    let of_customer = [("customer", customer.as_str())];
    assert_eq!(stripe.get("/v1/subscriptions", &of_customer).await.ids().len(), 0);
    let all = [("customer", customer.as_str()), ("status", "all"), ("price", &other)];
    assert_eq!(stripe.get("/v1/subscriptions", &all).await.ids(), [made.id()]);
    let one_time = [("currency", "usd"), ("unit_amount", "100"), ("product_data[name]", "x")];
    let one_time = stripe.make("/v1/prices", &one_time).await.id();
    let refused = subscribe(&stripe, &customer, &one_time, &[]).await;
    assert!(refused.error()["message"].as_str().unwrap().contains("type=recurring"));
}

#[tokio::test]
async fn a_session_is_paid_on_its_page() {
    let stripe = Stripe::start().await;
    let form = [
        ("mode", "payment"),
        ("success_url", "https://shop.example/done?id={CHECKOUT_SESSION_ID}"),
        ("cancel_url", "https://shop.example/cart"),
        ("customer_creation", "always"),
        ("payment_intent_data[metadata][order]", "7"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "800"),
        ("line_items[0][price_data][product_data][name]", "<b>Cup</b>"),
        ("line_items[0][quantity]", "3"),
    ];
    let session = stripe.make("/v1/checkout/sessions", &form).await;
    let url = session.body["url"].as_str().unwrap();
    let page = stripe.send("GET", url, &[], "").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("&lt;b&gt;Cup&lt;/b&gt;") && page.text.contains("$24.00"));
    assert!(page.text.contains("https://shop.example/cart"));
    let declined = stripe.submit(url, &[("card", "pm_card_chargeDeclined"), ("email", "b@example.com")]).await;
    assert_eq!(declined.status, 402);
    assert!(declined.text.contains("Your card was declined."));
    let paid = stripe.submit(url, &[("number", "4242 4242 4242 4242"), ("email", "b@example.com")]).await;
    assert_eq!(
        (paid.status, paid.header("location")),
        (303, &*format!("https://shop.example/done?id={}", session.id()))
    );
    let path = format!("/v1/checkout/sessions/{}", session.id());
    let expand = [("expand[]", "line_items"), ("expand[]", "payment_intent"), ("expand[]", "customer")];
    let done = stripe.get(&path, &expand).await;
    assert_eq!((&done.body["status"], &done.body["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(done.body["payment_intent"]["metadata"]["order"], "7");
    assert_eq!(done.body["customer"]["email"], "b@example.com");
    assert_eq!(done.body["line_items"]["data"][0]["amount_total"], 2400);
    assert_eq!(stripe.events().await.last().unwrap(), "checkout.session.completed");
    assert!(stripe.send("GET", url, &[], "").await.text.contains("was paid"));
    assert_eq!(stripe.post(&format!("{path}/expire"), &[]).await.status, 400);
}

#[tokio::test]
async fn a_session_sells_a_subscription_with_authentication() {
    let stripe = Stripe::start().await;
    let price = stripe.monthly("1500").await;
    let form = [
        ("mode", "subscription"),
        ("success_url", "https://shop.example/done"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("subscription_data[metadata][plan]", "gold"),
    ];
    let session = stripe.make("/v1/checkout/sessions", &form).await;
    let url = session.body["url"].as_str().unwrap();
    assert_eq!(stripe.submit(url, &[("card", "pm_card_chargeDeclined")]).await.status, 402);
    let asked = stripe.submit(url, &[("card", "pm_card_threeDSecure2Required"), ("email", "s@example.com")]).await;
    let failed = stripe.submit(asked.header("location"), &[("outcome", "failed")]).await;
    assert_eq!(failed.header("location"), url, "back to the page");
    let asked = stripe.submit(url, &[("card", "pm_card_threeDSecure2Required"), ("email", "s@example.com")]).await;
    let done = stripe.submit(asked.header("location"), &[("outcome", "succeeded")]).await;
    assert_eq!(done.header("location"), "https://shop.example/done");
    let expand = [("expand[]", "subscription.latest_invoice")];
    let session = stripe.get(&format!("/v1/checkout/sessions/{}", session.id()), &expand).await;
    assert_eq!(session.body["status"], "complete");
    assert_eq!(session.body["subscription"]["status"], "active");
    assert_eq!(session.body["subscription"]["metadata"]["plan"], "gold");
    assert_eq!(session.body["subscription"]["latest_invoice"]["status"], "paid");
    assert_eq!(stripe.get("/v1/subscriptions", &[]).await.ids().len(), 1);
}

#[tokio::test]
async fn sessions_are_checked_before_anything_is_made() {
    let stripe = Stripe::start().await;
    let price = stripe.monthly("1500").await;
    let cases: &[&[(&str, &str)]] = &[
        &[("mode", "payment")],
        &[("mode", "payment"), ("success_url", "https://a.example")],
        &[("mode", "payment"), ("success_url", "javascript:alert(1)"), ("line_items[0][price]", &price)],
        &[("mode", "payment"), ("success_url", "https://a.example"), ("line_items[0][price]", &price)],
        &[("success_url", "https://a.example"), ("line_items[0][price]", &price)],
        &[("mode", "subscription"), ("success_url", "https://a.example"), ("line_items[0][price]", "price_none")],
    ];
    let before = stripe.events().await.len();
    for form in cases {
        assert_eq!(stripe.post("/v1/checkout/sessions", form).await.status, 400, "{form:?}");
    }
    assert_eq!(stripe.events().await.len(), before);
    assert_eq!(stripe.get("/v1/checkout/sessions", &[]).await.ids().len(), 0);
}

#[tokio::test]
async fn a_deleted_customer_leaves_nothing_running() {
    let stripe = Stripe::start().await;
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let made = subscribe(&stripe, &customer, &price, &[]).await;
    let path = format!("/v1/customers/{customer}");
    assert_eq!(stripe.delete(&path).await.body["deleted"], true);
    assert_eq!(stripe.get(&path, &[]).await.body, json!({"id": customer, "object": "customer", "deleted": true}));
    assert_eq!(stripe.delete(&path).await.status, 404);
    assert_eq!(stripe.get(&format!("/v1/subscriptions/{}", made.id()), &[]).await.body["status"], "canceled");
    assert_eq!(stripe.get(&format!("/v1/payment_methods/{method}"), &[]).await.body["customer"], Value::Null);
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 0);
}
