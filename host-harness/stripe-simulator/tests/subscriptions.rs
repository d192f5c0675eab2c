//! Subscriptions that change: prorations, anchors, payment behaviours, pauses, dunning and schedules.

use crate::stripe::Stripe;
use crate::stripe::shop::{DAY, START, Shop};
use serde_json::{Value, json};

/// What was changed, as the newest event of a type tells it.
async fn previous(shop: &Shop, kind: &str) -> Value {
    let events = shop.stripe.get("/v1/events", &[("type", kind)]).await.body;
    events["data"][0]["data"]["previous_attributes"].clone()
}

/// January has 31 days, and 15.5 of them make half of it: prices are multiples of 31.
async fn half_way(card: &str, amount: &str) -> (Shop, String, String) {
    let mut shop = Shop::open(Some(card)).await;
    let price = shop.stripe.monthly(amount).await;
    let subscription = shop.subscribe(&price, &[]).await;
    shop.advance(10).await;
    let item = shop.item(&subscription).await;
    (shop, subscription, item)
}

#[tokio::test]
async fn what_is_added_and_taken_away_is_prorated() {
    let (shop, subscription, item) = half_way("pm_card_visa", "3100").await;
    let extra = shop.stripe.monthly("620").await;
    let added = [("items[0][price]", extra.as_str()), ("items[0][quantity]", "2")];
    let changed = shop.change(&subscription, &added).await;
    assert_eq!(shop.pending().await, [2 * 20 * 21], "21 of 31 days are left");
    let second = changed["items"]["data"][1]["id"].as_str().unwrap().to_owned();
    shop.change(&subscription, &[("items[0][id]", &second), ("items[0][deleted]", "true")]).await;
    assert_eq!(shop.pending().await, [840, -840]);
    let quiet = [("items[0][id]", item.as_str()), ("items[0][quantity]", "5"), ("proration_behavior", "none")];
    shop.change(&subscription, &quiet).await;
    assert_eq!(shop.pending().await, [840, -840]);
    assert!(previous(&shop, "customer.subscription.updated").await["items"].is_object());
    let date = (START + DAY).to_string();
    let dated = [("items[0][id]", item.as_str()), ("items[0][quantity]", "4"), ("proration_date", &date)];
    shop.change(&subscription, &dated).await;
    assert_eq!(shop.pending().await[2..], [-5 * 3000, 4 * 3000]);
    let outside = [("items[0][id]", item.as_str()), ("items[0][quantity]", "1"), ("proration_date", "5")];
    let path = format!("/v1/subscriptions/{subscription}");
    assert_eq!(shop.stripe.post(&path, &outside).await.error()["param"], "proration_date");
    let same = [("items[0][price]", changed["items"]["data"][0]["price"]["id"].as_str().unwrap())];
    assert_eq!(shop.stripe.post(&path, &same).await.error()["param"], "items[0][price]");
    let last = [("items[0][id]", item.as_str()), ("items[0][deleted]", "true")];
    assert_eq!(shop.stripe.post(&path, &last).await.status, 400);
}

#[tokio::test]
async fn a_discount_is_in_what_is_given_back() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let half = shop.stripe.make("/v1/coupons", &[("percent_off", "50"), ("duration", "forever")]).await.id();
    let price = shop.stripe.monthly("3100").await;
    let subscription = shop.subscribe(&price, &[("discounts[0][coupon]", &half)]).await;
    shop.advance(10).await;
    let item = shop.item(&subscription).await;
    shop.change(&subscription, &[("items[0][id]", &item), ("items[0][quantity]", "2")]).await;
    assert_eq!(shop.pending().await, [-1050, 2100]);
}

#[tokio::test]
async fn a_change_can_be_seen_before_it_is_made() {
    let (shop, subscription, item) = half_way("pm_card_visa", "3100").await;
    let form = [
        ("subscription", subscription.as_str()),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][quantity]", "2"),
    ];
    let mut at_once = form.to_vec();
    at_once.push(("subscription_details[proration_behavior]", "always_invoice"));
    let now = shop.stripe.make("/v1/invoices/create_preview", &at_once).await.body;
    assert_eq!((&now["total"], &now["billing_reason"]), (&json!(2100), &json!("subscription_update")));
    assert_eq!(now["lines"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(now["lines"]["data"][0]["parent"]["subscription_item_details"]["proration"], true);
    let next = shop.stripe.make("/v1/invoices/create_preview", &form).await.body;
    assert_eq!((&next["total"], &next["billing_reason"]), (&json!(2100 + 6200), &json!("upcoming")));
    assert!(shop.pending().await.is_empty(), "nothing is kept");
    let real = [("items[0][id]", item.as_str()), ("items[0][quantity]", "2"), ("proration_behavior", "always_invoice")];
    assert_eq!(shop.change(&subscription, &real).await["latest_invoice"]["amount_paid"], 2100);
}

#[tokio::test]
async fn a_subscription_can_be_seen_before_it_begins() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1000").await;
    let form = [
        ("customer", customer.as_str()),
        ("subscription_details[items][0][price]", &price),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let events = stripe.events().await.len();
    let preview = stripe.make("/v1/invoices/create_preview", &form).await.body;
    assert_eq!((&preview["total"], &preview["billing_reason"]), (&json!(3000), &json!("upcoming")));
    assert_eq!(preview["lines"]["data"][0]["quantity"], 3);
    let mut trial = form.to_vec();
    let now = preview["created"].as_i64().unwrap();
    let end = (now + 14 * DAY).to_string();
    trial.push(("subscription_details[trial_end]", &end));
    assert_eq!(stripe.make("/v1/invoices/create_preview", &trial).await.body["total"], 0);
    let wrong = [("customer", customer.as_str()), ("subscription_details[items][0][price]", "price_none")];
    assert_eq!(stripe.post("/v1/invoices/create_preview", &wrong).await.status, 400);
    assert!(stripe.get("/v1/subscriptions", &[]).await.ids().is_empty(), "nothing is kept");
    assert_eq!(stripe.events().await.len(), events);
}

#[tokio::test]
async fn the_anchor_moves_to_now_or_stays() {
    let (mut shop, subscription, _) = half_way("pm_card_visa", "3100").await;
    let moved = shop.change(&subscription, &[("billing_cycle_anchor[type]", "now")]).await;
    assert_eq!(moved["billing_cycle_anchor"], START + 10 * DAY);
    assert_eq!(moved["items"]["data"][0]["current_period_start"], START + 10 * DAY);
    // A whole month, less the 21 days that are paid already.
    assert_eq!((&moved["latest_invoice"]["total"], &moved["latest_invoice"]["status"]), (&json!(1000), &json!("paid")));
    let changed = previous(&shop, "customer.subscription.updated").await;
    assert_eq!(changed["billing_cycle_anchor"], START);
    let events = shop.advance(32).await;
    assert_eq!(events.iter().filter(|e| *e == "invoice.paid").count(), 1, "{events:?}");
}

#[tokio::test]
async fn a_first_period_can_be_shorter() {
    let shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("3100").await;
    let anchor = (START + 10 * DAY).to_string();
    let part = shop.subscribe(&price, &[("billing_cycle_anchor", &anchor)]).await;
    let part = shop.change(&part, &[]).await;
    assert_eq!((&part["status"], &part["latest_invoice"]["total"]), (&json!("active"), &json!(1000)));
    assert_eq!(part["items"]["data"][0]["current_period_end"], START + 10 * DAY);
    let free = shop.subscribe(&price, &[("billing_cycle_anchor", &anchor), ("proration_behavior", "none")]).await;
    let free = shop.subscription(&free).await;
    assert_eq!((&free["status"], &free["latest_invoice"]), (&json!("active"), &Value::Null));
    let day = [("billing_cycle_anchor_config[day_of_month]", "15"), ("billing_cycle_anchor_config[hour]", "0")];
    let day = shop.subscribe(&price, &day).await;
    assert_eq!(shop.subscription(&day).await["billing_cycle_anchor"], START + 14 * DAY);
    let form =
        [("customer", shop.customer.as_str()), ("items[0][price]", &price), ("billing_cycle_anchor", "4000000000")];
    assert_eq!(shop.stripe.post("/v1/subscriptions", &form).await.error()["param"], "billing_cycle_anchor");
}

#[tokio::test]
async fn months_end_on_the_day_of_the_anchor() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    shop.advance(30).await;
    let price = shop.stripe.monthly("1000").await;
    let subscription = shop.subscribe(&price, &[]).await;
    let end =
        async |shop: &Shop| shop.subscription(&subscription).await["items"]["data"][0]["current_period_end"].clone();
    assert_eq!(end(&shop).await, START + 58 * DAY, "the last of February");
    shop.advance(29).await;
    assert_eq!(end(&shop).await, START + 89 * DAY, "the last of March");
}

#[tokio::test]
async fn the_caller_says_what_becomes_of_a_change_that_is_not_paid() {
    let (shop, subscription, item) = half_way("pm_card_visa", "3100").await;
    shop.pay_with("pm_card_chargeCustomerFail").await;
    let path = format!("/v1/subscriptions/{subscription}");
    let change = |behaviour| {
        [
            ("items[0][id]", item.as_str()),
            ("items[0][quantity]", "2"),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", behaviour),
        ]
    };
    let strict = shop.stripe.post(&path, &change("error_if_incomplete")).await;
    assert_eq!((strict.status, &strict.error()["code"]), (402, &json!("card_declined")));
    assert_eq!(shop.subscription(&subscription).await["items"]["data"][0]["quantity"], 1);
    assert!(shop.pending().await.is_empty());
    let waiting = shop.change(&subscription, &change("pending_if_incomplete")).await;
    assert_eq!((&waiting["status"], &waiting["items"]["data"][0]["quantity"]), (&json!("active"), &json!(1)));
    assert_eq!(waiting["pending_update"]["subscription_items"][0]["quantity"], 2);
    assert_eq!(waiting["pending_update"]["expires_at"], START + 10 * DAY + 23 * 3600);
    assert_eq!(
        (&waiting["latest_invoice"]["status"], &waiting["latest_invoice"]["total"]),
        (&json!("open"), &json!(2100))
    );
    let visa = [("customer", shop.customer.as_str())];
    let visa = shop.stripe.make("/v1/payment_methods/pm_card_visa/attach", &visa).await.id();
    let pay = format!("/v1/invoices/{}/pay", waiting["latest_invoice"]["id"].as_str().unwrap());
    shop.stripe.make(&pay, &[("payment_method", &visa)]).await;
    let applied = shop.subscription(&subscription).await;
    assert_eq!((&applied["pending_update"], &applied["items"]["data"][0]["quantity"]), (&Value::Null, &json!(2)));
    assert!(shop.stripe.events().await.contains(&"customer.subscription.pending_update_applied".to_owned()));
    let other = [("payment_behavior", "pending_if_incomplete"), ("description", "x")];
    assert_eq!(shop.stripe.post(&path, &other).await.error()["param"], "description");
}

#[tokio::test]
async fn a_change_that_waits_is_given_up_after_a_day() {
    let (mut shop, subscription, item) = half_way("pm_card_visa", "3100").await;
    shop.pay_with("pm_card_chargeCustomerFail").await;
    let form = [
        ("items[0][id]", item.as_str()),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
    ];
    let invoice = shop.change(&subscription, &form).await["latest_invoice"]["id"].clone();
    let events = shop.advance(1).await;
    assert!(events.contains(&"customer.subscription.pending_update_expired".to_owned()), "{events:?}");
    assert!(events.contains(&"invoice.voided".to_owned()), "{events:?}");
    let now = shop.subscription(&subscription).await;
    assert_eq!((&now["pending_update"], &now["items"]["data"][0]["quantity"]), (&Value::Null, &json!(1)));
    assert_eq!(shop.get(&format!("/v1/invoices/{}", invoice.as_str().unwrap())).await["status"], "void");
}

#[tokio::test]
async fn an_allowed_change_that_is_not_paid_makes_the_subscription_past_due() {
    for behaviour in ["allow_incomplete", "default_incomplete"] {
        let (shop, subscription, item) = half_way("pm_card_visa", "3100").await;
        shop.pay_with("pm_card_chargeCustomerFail").await;
        let before = shop.stripe.events().await.len();
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][quantity]", "2"),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", behaviour),
        ];
        let changed = shop.change(&subscription, &form).await;
        assert_eq!((&changed["status"], &changed["items"]["data"][0]["quantity"]), (&json!("past_due"), &json!(2)));
        let events = shop.stripe.events().await.split_off(before);
        let failed = events.contains(&"invoice.payment_failed".to_owned());
        assert_eq!(failed, behaviour == "allow_incomplete", "{events:?}");
        assert_eq!(events.iter().filter(|e| *e == "customer.subscription.updated").count(), 1, "{events:?}");
        assert_eq!(previous(&shop, "customer.subscription.updated").await["status"], "active");
    }
}

#[tokio::test]
async fn a_cancellation_is_taken_back() {
    let (shop, subscription, _) = half_way("pm_card_visa", "3100").await;
    let path = format!("/v1/subscriptions/{subscription}");
    let at = (START + 20 * DAY).to_string();
    let ending = shop.change(&subscription, &[("cancel_at", &at), ("cancellation_details[comment]", "later")]).await;
    assert_eq!((&ending["cancel_at"], &ending["cancel_at_period_end"]), (&json!(START + 20 * DAY), &json!(false)));
    assert_eq!(ending["cancellation_details"]["comment"], "later");
    assert_eq!(shop.change(&subscription, &[("cancel_at", "")]).await["cancel_at"], Value::Null);
    let end = shop.change(&subscription, &[("cancel_at", "min_period_end")]).await;
    assert_eq!(end["cancel_at"], end["items"]["data"][0]["current_period_end"]);
    shop.change(&subscription, &[("cancel_at_period_end", "true")]).await;
    let kept = shop.change(&subscription, &[("cancel_at_period_end", "false")]).await;
    assert_eq!((&kept["cancel_at"], &kept["canceled_at"]), (&Value::Null, &Value::Null));
    let changed = previous(&shop, "customer.subscription.updated").await;
    assert_eq!(changed["cancel_at_period_end"], true);
    assert_eq!(changed["cancellation_details"]["reason"], "cancellation_requested");
    assert_eq!(shop.stripe.post(&path, &[("cancel_at", "5")]).await.error()["param"], "cancel_at");
    let form = [("prorate", "true"), ("invoice_now", "true")];
    let ended = shop.stripe.call("DELETE", &path, &form, &[]).await.body;
    assert_eq!(ended["status"], "canceled");
    let last = shop.get(&format!("/v1/invoices/{}", ended["latest_invoice"].as_str().unwrap())).await;
    assert_eq!((&last["total"], &last["status"]), (&json!(-2100), &json!("paid")));
    assert_eq!(shop.get(&format!("/v1/customers/{}", shop.customer)).await["balance"], -2100);
}

#[tokio::test]
async fn what_is_sent_falls_due_and_ends_the_subscription() {
    let mut shop = Shop::open(None).await;
    let price = shop.stripe.monthly("1500").await;
    let form = [("collection_method", "send_invoice"), ("days_until_due", "10")];
    let subscription = shop.subscribe(&price, &form).await;
    let first = shop.advance(6).await;
    assert_eq!(first, ["invoice.finalized", "invoice.sent"]);
    assert_eq!(shop.advance(2).await, ["invoice.will_be_due"]);
    assert_eq!(shop.advance(3).await, ["invoice.overdue", "customer.subscription.updated"]);
    assert_eq!(shop.status(&subscription).await, "past_due");
    shop.advance(25).await;
    let events = shop.advance(10).await;
    assert!(events.contains(&"customer.subscription.deleted".to_owned()), "{events:?}");
    let ended = shop.subscription(&subscription).await;
    assert_eq!(ended["cancellation_details"]["reason"], "payment_failed");
    let list = shop.stripe.get("/v1/invoices", &[("subscription", &subscription), ("status", "open")]).await.body;
    assert!(list["data"].as_array().unwrap().iter().all(|i| i["auto_advance"] == false));
}

#[tokio::test]
async fn a_renewal_is_announced() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let subscription = shop.subscribe(&price, &[]).await;
    assert!(shop.advance(23).await.is_empty());
    assert_eq!(shop.advance(2).await, ["invoice.upcoming"]);
    let told = shop.stripe.get("/v1/events", &[("type", "invoice.upcoming")]).await.body;
    let invoice = &told["data"][0]["data"]["object"];
    assert_eq!(
        (&invoice["amount_due"], &invoice["next_payment_attempt"]),
        (&json!(1500), &json!(START + 31 * DAY + 3600))
    );
    assert_eq!(invoice["subscription"], subscription.as_str(), "events are in the account's version");
    assert!(!shop.advance(5).await.contains(&"invoice.upcoming".to_owned()));
}

#[tokio::test]
async fn paused_collection_does_with_invoices_what_it_is_told() {
    for (behaviour, status) in [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")] {
        let mut shop = Shop::open(Some("pm_card_visa")).await;
        let price = shop.stripe.monthly("1500").await;
        let subscription = shop.subscribe(&price, &[]).await;
        let resumes = (START + 40 * DAY).to_string();
        let form = [("pause_collection[behavior]", behaviour), ("pause_collection[resumes_at]", &resumes)];
        shop.change(&subscription, &form).await;
        shop.advance(33).await;
        let invoice = shop.change(&subscription, &[]).await["latest_invoice"].clone();
        assert_eq!((&invoice["status"], &invoice["auto_advance"]), (&json!(status), &json!(false)));
        let events = shop.advance(10).await;
        assert!(events.contains(&"customer.subscription.updated".to_owned()), "{events:?}");
        assert_eq!(shop.subscription(&subscription).await["pause_collection"], Value::Null);
    }
}

#[tokio::test]
async fn a_paused_subscription_resumes_when_it_is_paid() {
    let (shop, subscription, _) = half_way("pm_card_visa", "3100").await;
    let path = format!("/v1/subscriptions/{subscription}");
    let paused = shop.stripe.make(&format!("{path}/pause"), &[("bill_for[unused_time_from][type]", "now")]).await;
    assert_eq!(paused.body["status"], "paused");
    assert_eq!(shop.pending().await, [-2100]);
    shop.pay_with("pm_card_chargeCustomerFail").await;
    let resumed = shop.stripe.make(&format!("{path}/resume"), &[]).await.body;
    assert_eq!(resumed["status"], "paused", "it is not paid yet");
    let invoice = resumed["latest_invoice"].as_str().unwrap();
    assert_eq!(shop.get(&format!("/v1/invoices/{invoice}")).await["amount_due"], 1000);
    shop.pay_with("pm_card_visa").await;
    shop.stripe.make(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
    assert_eq!(shop.status(&subscription).await, "active");
    assert_eq!(shop.stripe.events().await.iter().filter(|e| *e == "customer.subscription.resumed").count(), 1);
    shop.stripe.make(&format!("{path}/pause"), &[]).await;
    let form = [("billing_cycle_anchor[type]", "unchanged"), ("proration_behavior", "none")];
    let kept = shop.stripe.make(&format!("{path}/resume"), &form).await.body;
    assert_eq!((&kept["status"], &kept["latest_invoice"]), (&json!("active"), &json!(invoice)));
}

#[tokio::test]
async fn a_trial_that_cannot_be_paid_cancels_or_bills() {
    for (behaviour, status) in [("cancel", "canceled"), ("create_invoice", "past_due")] {
        let mut shop = Shop::open(None).await;
        let price = shop.stripe.monthly("1500").await;
        let form = [("trial_period_days", "5"), ("trial_settings[end_behavior][missing_payment_method]", behaviour)];
        let subscription = shop.subscribe(&price, &form).await;
        shop.advance(6).await;
        assert_eq!(shop.status(&subscription).await, status);
    }
}

#[tokio::test]
async fn something_is_billed_once_and_items_are_taxed() {
    let shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1000").await;
    let form = [("currency", "usd"), ("unit_amount", "300"), ("product_data[name]", "Setup")];
    let setup = shop.stripe.make("/v1/prices", &form).await.id();
    let vat = [("display_name", "VAT"), ("percentage", "10"), ("inclusive", "false")];
    let vat = shop.stripe.make("/v1/tax_rates", &vat).await.id();
    let form = [
        ("items[0][tax_rates][0]", vat.as_str()),
        ("add_invoice_items[0][price]", &setup),
        ("add_invoice_items[0][quantity]", "2"),
    ];
    let subscription = shop.subscribe(&price, &form).await;
    let invoice = shop.change(&subscription, &[]).await["latest_invoice"].clone();
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(1000 + 100 + 600), &json!("paid")));
    let full =
        shop.stripe.make("/v1/coupons", &[("amount_off", "5000"), ("currency", "usd"), ("duration", "once")]).await;
    let free = shop.subscribe(&price, &[("discounts[0][coupon]", &full.id())]).await;
    assert_eq!(shop.status(&free).await, "active", "nothing is left to pay");
}

#[tokio::test]
async fn a_schedule_tells_of_its_end_and_lets_go() {
    let mut shop = Shop::open(Some("pm_card_visa")).await;
    let price = shop.stripe.monthly("1500").await;
    let form = [
        ("customer", shop.customer.as_str()),
        ("start_date", "now"),
        ("phases[0][items][0][price]", price.as_str()),
        ("phases[0][duration][interval]", "month"),
        ("phases[0][metadata][tier]", "first"),
    ];
    let schedule = shop.stripe.make("/v1/subscription_schedules", &form).await;
    let subscription = schedule.body["subscription"].as_str().unwrap().to_owned();
    let events = shop.advance(1).await;
    assert!(events.contains(&"invoice.paid".to_owned()), "the first invoice is charged: {events:?}");
    assert_eq!(shop.subscription(&subscription).await["metadata"]["tier"], "first");
    assert_eq!(shop.advance(24).await, ["subscription_schedule.expiring", "invoice.upcoming"]);
    let events = shop.advance(8).await;
    let place = |kind: &str| events.iter().position(|e| e == kind).unwrap_or_else(|| panic!("{kind} in {events:?}"));
    assert!(place("subscription_schedule.completed") < place("subscription_schedule.released"));
    assert_eq!(shop.status(&subscription).await, "active");
    let over = shop.get(&format!("/v1/subscription_schedules/{}", schedule.id())).await;
    assert_eq!((&over["status"], &over["released_subscription"]), (&json!("released"), &json!(subscription)));
}

#[tokio::test]
async fn a_schedule_ends_with_its_subscription() {
    for (card, event) in [
        ("pm_card_visa", "subscription_schedule.canceled"),
        ("pm_card_chargeCustomerFail", "subscription_schedule.aborted"),
    ] {
        let mut shop = Shop::open(Some(card)).await;
        let price = shop.stripe.monthly("1500").await;
        let form = [
            ("customer", shop.customer.as_str()),
            ("start_date", "now"),
            ("phases[0][items][0][price]", price.as_str()),
            ("phases[0][duration][interval]", "year"),
        ];
        let schedule = shop.stripe.make("/v1/subscription_schedules", &form).await;
        let subscription = schedule.body["subscription"].as_str().unwrap().to_owned();
        if card == "pm_card_visa" {
            shop.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
        } else {
            shop.advance(30).await;
        }
        let told: Vec<_> =
            shop.stripe.events().await.into_iter().filter(|e| e.starts_with("subscription_schedule.")).collect();
        assert_eq!(told.last().map(String::as_str), Some(event), "{told:?}");
        assert_eq!(shop.get(&format!("/v1/subscription_schedules/{}", schedule.id())).await["status"], "canceled");
    }
}
