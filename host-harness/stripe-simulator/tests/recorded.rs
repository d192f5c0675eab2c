//! What recordings of the real service show and no description says.

use serde_json::{Value, json};

use crate::stripe::Stripe;

#[tokio::test]
async fn lists_within_objects_say_how_many_there_are() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let (price, other) = (stripe.monthly("1000").await, stripe.monthly("500").await);
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("items[1][price]", &other),
        ("expand[]", "latest_invoice"),
    ];
    let subscription = stripe.make("/v1/subscriptions", &form).await;
    assert_eq!(subscription.body["items"]["total_count"], json!(2));
    assert_eq!(subscription.body["latest_invoice"]["lines"]["total_count"], json!(2));
    // One that goes away is counted no more.
    let item = subscription.body["items"]["data"][1]["id"].as_str().unwrap().to_owned();
    let deleted = stripe.call("DELETE", &format!("/v1/subscription_items/{item}"), &[], &[]).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let path = format!("/v1/subscriptions/{}", subscription.id());
    assert_eq!(stripe.call("GET", &path, &[], &[]).await.body["items"]["total_count"], json!(1));

    let paid = [("amount", "2000"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    let intent = stripe.make("/v1/payment_intents", &paid).await;
    stripe.make("/v1/refunds", &[("payment_intent", &intent.id()), ("amount", "500")]).await;
    let charge = format!("/v1/charges/{}", intent.body["latest_charge"].as_str().unwrap());
    let charge = stripe.call("GET", &charge, &[("expand[]", "refunds")], &[]).await;
    assert_eq!(charge.body["refunds"]["total_count"], json!(1), "{}", charge.text);

    // Lists of their own and the payments of an invoice do not.
    let listed = stripe.call("GET", "/v1/subscriptions", &[], &[]).await;
    assert_eq!(listed.body.get("total_count"), None);
    assert_eq!(listed.body["data"][0]["items"]["total_count"], json!(1));
    let invoice = format!("/v1/invoices/{}", subscription.body["latest_invoice"]["id"].as_str().unwrap());
    let invoice = stripe.call("GET", &invoice, &[("expand[]", "payments")], &[]).await;
    assert_eq!(invoice.body["payments"].get("total_count"), None::<&Value>, "{}", invoice.text);
}

#[tokio::test]
async fn a_wrong_id_in_the_path_is_told_by_the_name_that_it_has_there() {
    let stripe = Stripe::start().await;
    for (path, param) in [
        ("/v1/payment_intents/pi_none", "intent"),
        ("/v1/setup_intents/seti_none", "intent"),
        ("/v1/payment_methods/pm_none", "payment_method"),
        ("/v1/customers/cus_none", "id"),
        ("/v1/subscriptions/sub_none", "id"),
    ] {
        let answer = stripe.call("GET", path, &[], &[]).await;
        assert_eq!((answer.status, answer.error()["param"].as_str()), (404, Some(param)), "{path}: {}", answer.text);
    }
    let form = [("amount", "500"), ("currency", "usd"), ("payment_method", "pm_none")];
    let answer = stripe.call("POST", "/v1/payment_intents", &form, &[]).await;
    assert_eq!((answer.status, answer.error()["param"].as_str()), (400, Some("payment_method")), "{}", answer.text);
}

#[tokio::test]
async fn a_ready_made_card_is_good_for_a_year_to_the_month() {
    let stripe = Stripe::start().await;
    let made = stripe.call("GET", "/v1/payment_methods/pm_card_visa", &[], &[]).await;
    let (_, kept) = stripe.customer_with("pm_card_visa").await;
    let kept = stripe.call("GET", &format!("/v1/payment_methods/{kept}"), &[], &[]).await;
    let created = kept.body["created"].as_i64().expect("a time");
    // The days of a year and of a month, near enough: a card of this month ends a year later, give or take one.
    let months = |card: &Value| card["exp_year"].as_i64().unwrap() * 12 + card["exp_month"].as_i64().unwrap() - 1;
    let now = 1970 * 12 + created / 2_629_746;
    for card in [&kept.body["card"], &made.body["card"]] {
        assert!((months(card) - now - 12).abs() <= 1, "{card}");
    }
}
