//! Test clocks, and what time brings to subscriptions.

use crate::stripe::shop::{DAY, START, Shop};
use serde_json::json;

#[tokio::test]
async fn a_trial_ends_and_periods_are_renewed() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let subscription = shop.subscribe(&price, &[("trial_period_days", "14")]).await;
    assert_eq!(shop.status(&subscription).await, "trialing");
    assert_eq!(shop.advance(12).await, ["invoice.upcoming", "customer.subscription.trial_will_end"]);
    let events = shop.advance(3).await;
    assert_eq!(events[..2], ["invoice.created", "customer.subscription.updated"]);
    assert!(events.contains(&"invoice.paid".to_owned()), "{events:?}");
    let now = shop.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!(now["status"], "active");
    let item = &now["items"]["data"][0];
    assert_eq!(
        (&item["current_period_start"], &item["current_period_end"]),
        (&json!(START + 14 * DAY), &json!(START + 45 * DAY))
    );
    let events = shop.advance(31).await;
    assert_eq!(events.iter().filter(|e| *e == "invoice.paid").count(), 1);
    let list = shop.stripe.get("/v1/invoices", &[("subscription", subscription.as_str())]).await;
    assert_eq!(list.ids().len(), 3, "the trial's, and two that cost something");
    assert_eq!(list.body["data"][0]["billing_reason"], "subscription_cycle");
    assert_eq!(list.body["data"][0]["created"], START + 45 * DAY);
}

#[tokio::test]
async fn a_renewal_that_is_not_paid_is_tried_again_and_ends_the_subscription() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let subscription = shop.subscribe(&price, &[]).await;
    shop.pay_with("pm_card_chargeCustomerFail").await;
    let events = shop.advance(32).await;
    assert!(events.contains(&"invoice.payment_failed".to_owned()), "{events:?}");
    assert_eq!(shop.status(&subscription).await, "past_due");
    let events = shop.advance(20).await;
    assert_eq!(events.iter().filter(|e| *e == "invoice.payment_failed").count(), 3);
    assert!(events.contains(&"customer.subscription.deleted".to_owned()));
    assert_eq!(shop.status(&subscription).await, "canceled");
}

#[tokio::test]
async fn a_subscription_is_canceled_at_the_end_of_its_period() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let subscription = shop.subscribe(&price, &[]).await;
    let path = format!("/v1/subscriptions/{subscription}");
    shop.stripe.make(&path, &[("cancel_at_period_end", "true")]).await;
    assert!(shop.advance(30).await.is_empty());
    assert_eq!(shop.advance(2).await, ["customer.subscription.deleted"]);
}

#[tokio::test]
async fn a_trial_without_a_payment_method_can_pause_the_subscription() {
    let mut shop = Shop::open(None).await;
    let price = shop.stripe.monthly("1500").await;
    let form = [("trial_period_days", "7"), ("trial_settings[end_behavior][missing_payment_method]", "pause")];
    let subscription = shop.subscribe(&price, &form).await;
    let events = shop.advance(8).await;
    let expected =
        ["customer.subscription.trial_will_end", "customer.subscription.updated", "customer.subscription.paused"];
    assert_eq!(events, expected);
    shop.pay_with("pm_card_visa").await;
    let resumed = shop.stripe.make(&format!("/v1/subscriptions/{subscription}/resume"), &[]).await;
    assert_eq!(resumed.body["status"], "active");
    let invoice = shop.get(&format!("/v1/invoices/{}", resumed.body["latest_invoice"].as_str().unwrap())).await;
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(1500)));
}

#[tokio::test]
async fn a_change_in_the_middle_of_a_period_is_prorated() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let (small, large) = (shop.stripe.monthly("3100").await, shop.stripe.monthly("6200").await);
    let subscription = shop.subscribe(&small, &[]).await;
    let item = shop.get(&format!("/v1/subscriptions/{subscription}")).await["items"]["data"][0]["id"].clone();
    let item = item.as_str().unwrap();
    shop.advance(1).await;
    let form = [("price", large.as_str()), ("proration_behavior", "create_prorations")];
    shop.stripe.make(&format!("/v1/subscription_items/{item}"), &form).await;
    let form = [("customer", shop.customer.as_str()), ("pending", "true")];
    let pending = shop.stripe.get("/v1/invoiceitems", &form).await.body;
    // Thirty of thirty-one days are left.
    let amounts: Vec<_> = pending["data"].as_array().unwrap().iter().map(|i| i["amount"].clone()).collect();
    assert_eq!(amounts, [json!(6000), json!(-3000)]);
    let form = [("items[0][id]", item), ("items[0][quantity]", "2"), ("proration_behavior", "always_invoice")];
    let changed = shop.stripe.make(&format!("/v1/subscriptions/{subscription}"), &form).await;
    let invoice = shop.get(&format!("/v1/invoices/{}", changed.body["latest_invoice"].as_str().unwrap())).await;
    assert_eq!((&invoice["billing_reason"], &invoice["total"]), (&json!("subscription_update"), &json!(9000)));
    assert_eq!(invoice["status"], "paid");
    let preview = [("subscription", subscription.as_str())];
    let preview = shop.stripe.make("/v1/invoices/create_preview", &preview).await.body;
    assert_eq!((&preview["total"], &preview["billing_reason"]), (&json!(12_400), &json!("upcoming")));
    let added = [("subscription", subscription.as_str()), ("price", small.as_str())];
    let added = shop.stripe.make("/v1/subscription_items", &added).await;
    assert_eq!(shop.stripe.get("/v1/subscription_items", &[("subscription", &subscription)]).await.ids().len(), 2);
    let gone = shop.stripe.delete(&format!("/v1/subscription_items/{}", added.id())).await;
    assert_eq!(gone.body["deleted"], true);
}

#[tokio::test]
async fn collection_can_be_paused() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let subscription = shop.subscribe(&price, &[]).await;
    let path = format!("/v1/subscriptions/{subscription}");
    shop.stripe.make(&path, &[("pause_collection[behavior]", "void")]).await;
    let events = shop.advance(32).await;
    assert!(events.contains(&"invoice.voided".to_owned()), "{events:?}");
    assert_eq!(shop.status(&subscription).await, "active");
}

#[tokio::test]
async fn a_schedule_goes_through_its_phases() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let form = [
        ("customer", shop.customer.as_str()),
        ("start_date", "now"),
        ("end_behavior", "cancel"),
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][duration][interval]", "month"),
        ("phases[1][items][0][price]", price.as_str()),
        ("phases[1][items][0][quantity]", "3"),
        ("phases[1][duration][interval]", "month"),
    ];
    let schedule = shop.stripe.make("/v1/subscription_schedules", &form).await;
    assert_eq!(schedule.body["status"], "active");
    let subscription = schedule.body["subscription"].as_str().unwrap().to_owned();
    shop.advance(32).await;
    let now = shop.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!(now["items"]["data"][0]["quantity"], 3);
    let events = shop.advance(32).await;
    assert!(events.contains(&"subscription_schedule.completed".to_owned()), "{events:?}");
    assert_eq!(shop.status(&subscription).await, "canceled");
    let over = shop.get(&format!("/v1/subscription_schedules/{}", schedule.id())).await;
    assert_eq!(over["status"], "completed");
}

#[tokio::test]
async fn a_clock_goes_forward_and_not_too_far() {
    let shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    shop.subscribe(&price, &[]).await;
    let path = format!("/v1/test_helpers/test_clocks/{}", shop.clock);
    for time in [START, START - 1, START + 70 * DAY, i64::MAX] {
        let answer = shop.stripe.post(&format!("{path}/advance"), &[("frozen_time", &time.to_string())]).await;
        assert_eq!(answer.error()["param"], "frozen_time");
    }
    assert_eq!(shop.stripe.delete(&path).await.body["deleted"], true);
    let customer = shop.get(&format!("/v1/customers/{}", shop.customer)).await;
    assert_eq!(customer["deleted"], true);
}

#[tokio::test]
async fn metered_prices_bill_what_was_used() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let form = [("display_name", "Calls"), ("event_name", "calls"), ("default_aggregation[formula]", "sum")];
    let meter = shop.stripe.make("/v1/billing/meters", &form).await.id();
    let form = [
        ("currency", "usd"),
        ("unit_amount", "10"),
        ("recurring[interval]", "month"),
        ("recurring[usage_type]", "metered"),
        ("recurring[meter]", meter.as_str()),
        ("product_data[name]", "Calls"),
    ];
    let price = shop.stripe.make("/v1/prices", &form).await.id();
    let subscription = shop.subscribe(&price, &[]).await;
    assert_eq!(shop.status(&subscription).await, "active");
    let stamp = "1893500000";
    let form = [
        ("event_name", "calls"),
        ("payload[stripe_customer_id]", shop.customer.as_str()),
        ("payload[value]", "25"),
        ("timestamp", stamp),
    ];
    // Usage is reported at the time of the machine's clock; this is about what a period makes of it.
    let early = shop.stripe.post("/v1/billing/meter_events", &form).await;
    assert_eq!(early.status, 400);
    let unknown = [("event_name", "nothing"), ("payload[value]", "1")];
    assert_eq!(shop.stripe.post("/v1/billing/meter_events", &unknown).await.status, 400);
    let now = shop.stripe.make("/v1/billing/meter_events", &form[..3]).await;
    assert_eq!(now.body["payload"]["value"], "25");
    let form = [("customer", shop.customer.as_str()), ("start_time", "0"), ("end_time", "4000000000")];
    let summary = shop.stripe.get(&format!("/v1/billing/meters/{meter}/event_summaries"), &form).await;
    assert_eq!(summary.body["data"][0]["aggregated_value"], 25.0);
    assert!(shop.advance(32).await.contains(&"invoice.paid".to_owned()));
}
