//! Products, prices, discounts and subscriptions run with their own samples, and what one takes back another.

use serde_json::{Value, json};

use crate::trial::{Trial, all_were_run};

/// A customer who can be charged.
async fn customer(t: &Trial) -> Value {
    let card =
        json!({"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}});
    t.act("customer.create", card).await
}

async fn monthly(t: &Trial, name: &str) -> Value {
    let price = json!({"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"},
        "product_data": {"name": name}});
    t.act("price.create", price).await
}

async fn subscribed(t: &Trial, customer: &Value, price: &Value) -> Value {
    let input = json!({"customer": customer["id"], "items": [{"price": price["id"]}]});
    let subscription = t.act("subscription.create", input).await;
    assert_eq!(subscription["status"], "active");
    subscription
}

#[tokio::test]
async fn products_and_prices_run_with_their_samples() {
    let t = Trial::open().await;
    let product = t.ran("product.create", &[]).await;
    let its = [("product", &product["id"])];
    t.ran("product.update", &its).await;
    t.ran("product.retrieve", &its).await;
    t.ran("product.list", &[]).await;
    assert_eq!(t.ran("product.search", &[]).await["data"][0]["id"], product["id"]);
    assert_eq!(t.ran("product.delete", &its).await["deleted"], true);

    let price = t.ran("price.create", &[]).await;
    assert_eq!(price["recurring"]["interval"], "month");
    let its = [("price", &price["id"])];
    assert_eq!(t.ran("price.update", &its).await["nickname"], "Gold, monthly");
    t.ran("price.retrieve", &its).await;
    t.ran("price.list", &[("product", &price["product"])]).await;
    t.ran("price.search", &[]).await;
    assert_eq!(t.ran("price.deactivate", &its).await["active"], false);
    all_were_run(&t, &["product", "price"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn discounts_taxes_and_shipping_run_with_their_samples() {
    let t = Trial::open().await;
    let coupon = t.ran("coupon.create", &[]).await;
    assert_eq!((&coupon["percent_off"], &coupon["duration"]), (&json!(25.0), &json!("once")));
    let its = [("coupon", &coupon["id"])];
    t.ran("coupon.update", &its).await;
    t.ran("coupon.retrieve", &its).await;
    t.ran("coupon.list", &[]).await;
    let code = t.ran("promotion_code.create", &[("promotion.coupon", &coupon["id"])]).await;
    let its_code = [("promotion_code", &code["id"])];
    t.ran("promotion_code.retrieve", &its_code).await;
    t.ran("promotion_code.list", &[]).await;
    assert_eq!(t.ran("promotion_code.deactivate", &its_code).await["active"], false);
    assert_eq!(t.ran("promotion_code.update", &its_code).await["active"], true);
    assert_eq!(t.ran("coupon.delete", &its).await["deleted"], true);

    let tax = t.ran("tax_rate.create", &[]).await;
    let its = [("tax_rate", &tax["id"])];
    t.ran("tax_rate.update", &its).await;
    t.ran("tax_rate.retrieve", &its).await;
    t.ran("tax_rate.list", &[]).await;
    assert_eq!(t.ran("tax_rate.deactivate", &its).await["active"], false);

    let shipping = t.ran("shipping_rate.create", &[]).await;
    t.ran("shipping_rate.list", &[]).await;
    assert_eq!(t.ran("shipping_rate.deactivate", &[("shipping_rate", &shipping["id"])]).await["active"], false);
    all_were_run(&t, &["coupon", "promotion_code", "tax_rate", "shipping_rate"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn subscriptions_run_with_their_samples() {
    let t = Trial::open().await;
    let (price, owner) = (monthly(&t, "Gold").await, customer(&t).await);
    // Nobody has to have a card for a trial.
    let new = t.act("customer.create", json!({})).await;
    let trial = t.ran("subscription.create", &[("customer", &new["id"]), ("items.0.price", &price["id"])]).await;
    assert_eq!(trial["status"], "trialing");

    let subscription = subscribed(&t, &owner, &price).await;
    let its = [("subscription", &subscription["id"])];
    assert_eq!(t.ran("subscription.update", &its).await["metadata"]["plan"], "gold");
    t.ran("subscription.retrieve", &its).await;
    t.ran("subscription.list", &[]).await;
    assert_eq!(t.ran("subscription.search", &[]).await["data"][0]["id"], subscription["id"]);

    let paused = t.ran("subscription.pause", &its).await;
    assert_eq!((&paused["status"], &paused["pause_collection"]["behavior"]), (&json!("active"), &json!("void")));
    assert_eq!(t.ran("subscription.resume", &its).await["pause_collection"], Value::Null);
    // What goes on already is resumed.
    assert_eq!(t.ran("subscription.resume", &its).await["status"], "active");
    assert_eq!(t.act("v1.subscriptions.pause", json!({"subscription": subscription["id"]})).await["status"], "paused");
    assert_eq!(t.ran("subscription.resume", &its).await["status"], "active");

    let ending = t.ran("subscription.cancel", &its).await;
    assert_eq!((&ending["status"], &ending["cancel_at_period_end"]), (&json!("active"), &json!(true)));
    assert_eq!(ending["cancellation_details"]["feedback"], "too_expensive");
    assert_eq!(t.ran("subscription.update", &its).await["cancel_at_period_end"], false);
    let now = t.act("subscription.cancel", json!({"subscription": subscription["id"]})).await;
    assert_eq!(now["status"], "canceled");
    assert!(t.declined("subscription.resume", &its).await.contains("cancel"));
    all_were_run(&t, &["subscription"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn items_and_schedules_run_with_their_samples() {
    let t = Trial::open().await;
    let (price, other, owner) = (monthly(&t, "Gold").await, monthly(&t, "Extra").await, customer(&t).await);
    let subscription = subscribed(&t, &owner, &price).await;
    let its = [("subscription", &subscription["id"])];
    let item = t.ran("subscription_item.create", &[its[0], ("price", &other["id"])]).await;
    let its_item = [("subscription_item", &item["id"])];
    assert_eq!(t.ran("subscription_item.update", &its_item).await["quantity"], 2);
    assert_eq!(t.ran("subscription_item.list", &its).await["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(t.ran("subscription_item.delete", &its_item).await["deleted"], true);

    let planned = [("customer", &owner["id"]), ("phases.0.items.0.price", &price["id"])];
    let schedule = t.ran("subscription_schedule.create", &planned).await;
    assert_eq!(schedule["status"], "active");
    let its = [("subscription_schedule", &schedule["id"])];
    t.ran("subscription_schedule.retrieve", &its).await;
    assert_eq!(t.ran("subscription_schedule.update", &its).await["end_behavior"], "cancel");
    assert_eq!(t.ran("subscription_schedule.release", &its).await["status"], "released");
    let later = json!({"customer": owner["id"], "start_date": "2099-01-01T00:00:00Z",
        "phases": [{"items": [{"price": price["id"]}], "duration": {"interval": "month"}}]});
    let later = t.act("subscription_schedule.create", later).await;
    assert_eq!(t.ran("subscription_schedule.list", &[]).await["data"][0]["id"], later["id"]);
    assert_eq!(
        t.ran("subscription_schedule.cancel", &[("subscription_schedule", &later["id"])]).await["status"],
        "canceled"
    );
    all_were_run(&t, &["subscription_item", "subscription_schedule"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn meters_and_clocks_run_with_their_samples() {
    let t = Trial::open().await;
    let owner = customer(&t).await;
    let meter = t.ran("billing_meter.create", &[]).await;
    t.ran("billing_meter.list", &[]).await;
    let used = t.ran("billing_meter_event.create", &[("payload.stripe_customer_id", &owner["id"])]).await;
    assert_eq!(used["payload"]["value"], "25");
    // The answer tells of an adjustment, which is mapped to nothing.
    let (_, sample) = t.sample("billing_meter_event.cancel", &[("cancel.identifier", &used["identifier"])]).await;
    t.act("billing_meter_event.cancel", serde_json::from_str(&sample).expect("JSON")).await;
    let its = [("meter", &meter["id"])];
    assert_eq!(t.ran("billing_meter.deactivate", &its).await["status"], "inactive");
    assert_eq!(t.ran("billing_meter.reactivate", &its).await["status"], "active");

    let clock = t.ran("test_clock.create", &[]).await;
    let its = [("test_clock", &clock["id"])];
    // The time goes on behind the answer.
    let going = t.ran("test_clock.advance", &its).await;
    assert_eq!(going["status_details"]["advancing"]["target_frozen_time"], json!(1_801_440_000));
    t.ran("test_clock.retrieve", &its).await;
    assert_eq!(t.ran("test_clock.delete", &its).await["deleted"], true);
    all_were_run(&t, &["billing_meter", "billing_meter_event", "test_clock"]).await;
    t.shop.checked_requests();
}
