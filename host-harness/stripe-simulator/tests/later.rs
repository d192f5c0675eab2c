//! What banks do later: funds settle, refunds end, payouts arrive or come back.

use std::time::Duration;

use crate::stripe::{Answer, Stripe, until};
use serde_json::{Value, json};
use stripe_simulator::Options;

const DAY: i64 = 86_400;

/// A simulator whose banking days are over before anybody looks.
async fn hasty() -> Stripe {
    Stripe::start_with(Options { banking_day: Duration::from_millis(1), ..Options::default() }).await
}

async fn pay(stripe: &Stripe, card: &str, amount: &str) -> Answer {
    let form = [("amount", amount), ("currency", "usd"), ("payment_method", card), ("confirm", "true")];
    stripe.make("/v1/payment_intents", &form).await
}

/// Moves the simulator's clock ahead.
async fn days_pass(stripe: &Stripe, days: i64) {
    let url = format!("{}/_simulator/faults", stripe.simulator.base_url());
    let seconds = (days * DAY).to_string();
    assert_eq!(stripe.submit(&url, &[("kind", "clock_skew"), ("seconds", &seconds)]).await.status, 200);
}

/// What is available and what is pending.
async fn balance(stripe: &Stripe) -> (i64, i64) {
    let balance = stripe.get("/v1/balance", &[]).await.body;
    (balance["available"][0]["amount"].as_i64().unwrap(), balance["pending"][0]["amount"].as_i64().unwrap())
}

/// The newest event of a type, once there is one.
async fn event(stripe: &Stripe, kind: &str) -> Value {
    until(kind, async || {
        let list = stripe.get("/v1/events", &[("type", kind)]).await;
        list.body["data"].as_array().unwrap().first().cloned()
    })
    .await
}

fn count(events: &[String], kind: &str) -> usize {
    events.iter().filter(|e| *e == kind).count()
}

#[tokio::test]
async fn money_of_a_charge_is_available_once_the_banks_have_settled() {
    let stripe = Stripe::start().await;
    pay(&stripe, "pm_card_visa", "2000").await;
    let direct = pay(&stripe, "pm_card_bypassPending", "1000").await;
    pay(&stripe, "pm_card_bypassPendingInternational", "1000").await;
    let direct = [("source", direct.body["latest_charge"].as_str().unwrap())];
    let direct = stripe.get("/v1/balance_transactions", &direct).await.body["data"][0].clone();
    assert_eq!((&direct["status"], &direct["available_on"]), (&json!("available"), &direct["created"]));
    assert_eq!(balance(&stripe).await, (1882, 1912));
    let form = [("amount", "1900"), ("currency", "usd")];
    assert_eq!(stripe.post("/v1/payouts", &form).await.error()["code"], "balance_insufficient");
    let pending = stripe.get("/v1/balance_transactions", &[]).await.body["data"][2].clone();
    let due = pending["available_on"].as_i64().unwrap();
    assert_eq!((&pending["status"], due % DAY), (&json!("pending"), 0), "banks begin their days at midnight");
    let wait = due - pending["created"].as_i64().unwrap();
    assert!((DAY..=4 * DAY).contains(&wait), "two banking days, and a weekend at most: {wait}");

    days_pass(&stripe, 5).await;
    assert_eq!(balance(&stripe).await, (3794, 0));
    let path = format!("/v1/balance_transactions/{}", pending["id"].as_str().unwrap());
    assert_eq!(stripe.get(&path, &[]).await.body["status"], "available");
    let told = event(&stripe, "balance.available").await;
    assert_eq!(told["data"]["object"]["available"][0]["amount"], 3794);
    assert_eq!(told["request"], json!({"id": null, "idempotency_key": null}), "nobody asked for it");
    assert_eq!(stripe.make("/v1/payouts", &form).await.body["status"], "pending");
    assert_eq!(count(&stripe.events().await, "balance.available"), 3, "two charges bypassed the wait");
}

#[tokio::test]
async fn what_is_due_happens_without_a_request() {
    let stripe = hasty().await;
    pay(&stripe, "pm_card_visa", "2000").await;
    // The page for people shows events and does nothing to any account.
    until("the page to show that funds are available", async || {
        let page = stripe.send("GET", "/", &[], "").await;
        page.text.contains("balance.available").then_some(())
    })
    .await;
    assert_eq!(balance(&stripe).await, (1912, 0));
}

#[tokio::test]
async fn a_refund_that_fails_later_gives_the_money_back() {
    let stripe = hasty().await;
    let intent = pay(&stripe, "pm_card_refundFail", "2000").await;
    let charge = format!("/v1/charges/{}", intent.body["latest_charge"].as_str().unwrap());
    let refund = stripe.make("/v1/refunds", &[("payment_intent", &intent.id()), ("amount", "2000")]).await;
    assert_eq!((&refund.body["status"], refund.body.get("failure_reason")), (&json!("succeeded"), None));
    let failed = event(&stripe, "refund.failed").await;
    let object = &failed["data"]["object"];
    assert_eq!((&object["id"], &object["status"]), (&refund.body["id"], &json!("failed")));
    assert_eq!(object["failure_reason"], "expired_or_canceled_card");
    let before = json!({"failure_balance_transaction": null, "failure_reason": null, "status": "succeeded"});
    assert_eq!(failed["data"]["previous_attributes"], before);
    assert_eq!(failed["request"]["id"], Value::Null);
    let returned = object["failure_balance_transaction"].as_str().unwrap();
    let returned = stripe.get(&format!("/v1/balance_transactions/{returned}"), &[]).await.body;
    assert_eq!((&returned["type"], &returned["amount"]), (&json!("refund_failure"), &json!(2000)));
    let now = stripe.get(&charge, &[]).await.body;
    assert_eq!((&now["amount_refunded"], &now["refunded"]), (&json!(0), &json!(false)));
    until("the charge to settle", async || (balance(&stripe).await == (1912, 0)).then_some(())).await;
    let events = stripe.events().await;
    let told: Vec<_> = events.iter().filter(|e| e.contains("refund")).collect();
    let expected = ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated", "refund.failed"];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_refund_that_is_pending_succeeds_later() {
    let stripe = Stripe::start().await;
    let intent = pay(&stripe, "pm_card_pendingRefund", "2000").await;
    let refund = stripe.make("/v1/refunds", &[("payment_intent", &intent.id())]).await;
    assert_eq!((&refund.body["status"], &refund.body["pending_reason"]), (&json!("pending"), &json!("processing")));
    let path = format!("/v1/refunds/{}", refund.id());
    let canceled = stripe.post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(canceled.error()["message"], "Canceling this refund is unsupported.");
    let again = stripe.post("/v1/refunds", &[("payment_intent", &intent.id())]).await;
    assert_eq!(again.error()["code"], "charge_already_refunded");
    days_pass(&stripe, 1).await;
    let done = stripe.get(&path, &[]).await.body;
    assert_eq!((&done["status"], done.get("pending_reason")), (&json!("succeeded"), None));
    let told = event(&stripe, "refund.updated").await;
    assert_eq!(told["data"]["previous_attributes"]["status"], "pending");
    assert_eq!(count(&stripe.events().await, "charge.refund.updated"), 1);
}

#[tokio::test]
async fn the_bank_tells_its_reference_of_a_refund() {
    let stripe = Stripe::start().await;
    let intent = pay(&stripe, "pm_card_visa", "2000").await;
    let refund = stripe.make("/v1/refunds", &[("payment_intent", &intent.id())]).await;
    assert_eq!(refund.body["destination_details"]["card"]["reference_status"], "pending");
    days_pass(&stripe, 5).await;
    let refund = stripe.get(&format!("/v1/refunds/{}", refund.id()), &[]).await.body;
    let card = &refund["destination_details"]["card"];
    assert_eq!((&card["reference_status"], card["reference"].as_str().unwrap().len()), (&json!("available"), 23));
    assert_eq!(refund["status"], "succeeded");
}

#[tokio::test]
async fn a_payout_is_sent_and_arrives() {
    let stripe = Stripe::start().await;
    pay(&stripe, "pm_card_bypassPending", "10000").await;
    let form = [("amount", "1000"), ("currency", "usd")];
    let payout = stripe.make("/v1/payouts", &form).await;
    let arrives = payout.body["arrival_date"].as_i64().unwrap();
    assert_eq!((&payout.body["status"], arrives % DAY), (&json!("pending"), 0));
    let canceled = stripe.make("/v1/payouts", &form).await;
    stripe.make(&format!("/v1/payouts/{}/cancel", canceled.id()), &[]).await;
    let when = arrives.to_string();
    assert_eq!(stripe.get("/v1/payouts", &[("arrival_date", &when)]).await.ids().len(), 2);
    assert!(stripe.get("/v1/payouts", &[("arrival_date[gt]", &when)]).await.ids().is_empty());
    days_pass(&stripe, 5).await;
    let path = format!("/v1/payouts/{}", payout.id());
    let paid = stripe.get(&path, &[]).await.body;
    assert_eq!((&paid["status"], &paid["trace_id"]["status"]), (&json!("paid"), &json!("supported")));
    assert_eq!(stripe.get(&format!("/v1/payouts/{}", canceled.id()), &[]).await.body["status"], "canceled");
    assert_eq!(stripe.post(&format!("{path}/cancel"), &[]).await.status, 400);
    let events = stripe.events().await;
    let told: Vec<_> = events.iter().filter(|e| e.starts_with("payout")).collect();
    let expected =
        ["payout.created", "payout.created", "payout.canceled", "payout.updated", "payout.updated", "payout.paid"];
    assert_eq!(told, expected);
    let updates = stripe.get("/v1/events", &[("type", "payout.updated")]).await.body;
    let to: Vec<_> = updates["data"].as_array().unwrap().iter().map(|e| &e["data"]["object"]["status"]).collect();
    assert_eq!(to, ["paid", "in_transit"]);
    let filtered = stripe.get("/v1/balance_transactions", &[("payout", &payout.id())]).await;
    let message = "Balance transaction history can only be filtered on automatic transfers, not manual.";
    assert_eq!((filtered.status, &filtered.error()["message"]), (400, &json!(message)));
}

#[tokio::test]
async fn a_payout_to_a_failing_account_comes_back() {
    let stripe = hasty().await;
    let own = stripe.get("/v1/account", &[]).await.id();
    let accounts = format!("/v1/accounts/{own}/external_accounts");
    let cases = [
        ("000111111116", "no_account"),
        ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
        ("000444444440", "invalid_currency"),
        ("DE62370400440532013001", "no_account"),
    ];
    pay(&stripe, "pm_card_bypassPending", "10000").await;
    let before = balance(&stripe).await;
    for (number, code) in cases {
        let form = [
            ("external_account[object]", "bank_account"),
            ("external_account[country]", "US"),
            ("external_account[currency]", "usd"),
            ("external_account[routing_number]", "110000000"),
            ("external_account[account_number]", number),
        ];
        let bank = stripe.make(&accounts, &form).await.id();
        let form = [("amount", "1000"), ("currency", "usd"), ("destination", bank.as_str())];
        let payout = stripe.make("/v1/payouts", &form).await;
        assert_eq!(payout.body["destination"], bank);
        let path = format!("/v1/payouts/{}", payout.id());
        let failed = until("the payout to fail", async || {
            let payout = stripe.get(&path, &[]).await.body;
            (payout["status"] == "failed").then_some(payout)
        })
        .await;
        assert_eq!(failed["failure_code"], code, "{number}");
        assert!(failed["failure_message"].is_string());
        let returned = failed["failure_balance_transaction"].as_str().unwrap();
        let returned = stripe.get(&format!("/v1/balance_transactions/{returned}"), &[]).await.body;
        assert_eq!((&returned["type"], &returned["amount"]), (&json!("payout_failure"), &json!(1000)));
        assert_eq!(returned["reporting_category"], "payout_reversal");
        assert_eq!(balance(&stripe).await, before);
    }
    assert_eq!(count(&stripe.events().await, "payout.failed"), cases.len());
    let nowhere = [("amount", "1000"), ("currency", "usd"), ("destination", "ba_nowhere")];
    assert_eq!(stripe.post("/v1/payouts", &nowhere).await.error()["param"], "destination");
}

#[tokio::test]
async fn a_platform_adds_the_accounts_that_its_connected_accounts_are_paid_to() {
    let stripe = hasty().await;
    let connected = stripe.make("/v1/accounts", &[("type", "custom"), ("country", "US")]).await.id();
    let accounts = format!("/v1/accounts/{connected}/external_accounts");
    let good = stripe.make(&accounts, &[("external_account", "btok_us_verified")]).await;
    assert_eq!((&good.body["last4"], &good.body["default_for_currency"]), (&json!("6789"), &json!(true)));
    let form = [
        ("external_account[object]", "bank_account"),
        ("external_account[country]", "US"),
        ("external_account[account_number]", "000111111113"),
        ("default_for_currency", "true"),
    ];
    let closed = stripe.make(&accounts, &form).await.id();
    assert_eq!(stripe.get(&accounts, &[]).await.ids(), [closed.clone(), good.id()]);
    let shown = stripe.get(&format!("/v1/accounts/{connected}"), &[]).await.body;
    assert_eq!(shown["external_accounts"]["data"][0]["id"], closed);
    let form = [("type", "custom"), ("country", "US"), ("external_account", "btok_us_verified")];
    let ready = stripe.make("/v1/accounts", &form).await.body;
    assert_eq!(ready["external_accounts"]["data"][0]["last4"], "6789");
    let good_path = format!("{accounts}/{}", good.id());
    assert_eq!(stripe.get(&good_path, &[]).await.body["default_for_currency"], false);
    let acting = [("stripe-account", connected.as_str())];
    let form =
        [("amount", "5000"), ("currency", "usd"), ("payment_method", "pm_card_bypassPending"), ("confirm", "true")];
    stripe.call("POST", "/v1/payment_intents", &form, &acting).await;
    let form = [("amount", "1000"), ("currency", "usd")];
    let payout = stripe.call("POST", "/v1/payouts", &form, &acting).await;
    assert_eq!(payout.body["destination"], closed, "{}", payout.text);
    let path = format!("/v1/payouts/{}", payout.id());
    until("the payout to fail", async || {
        let payout = stripe.call("GET", &path, &[], &acting).await.body;
        (payout["failure_code"] == "account_closed").then_some(())
    })
    .await;
    assert_eq!(stripe.delete(&format!("{accounts}/{closed}")).await.status, 400, "it is the default");
    stripe.make(&good_path, &[("default_for_currency", "true")]).await;
    assert_eq!(stripe.delete(&format!("{accounts}/{closed}")).await.body["deleted"], true);
    assert_eq!(stripe.get(&accounts, &[("object", "bank_account")]).await.ids(), [good.id()]);
    assert_eq!(stripe.get("/v1/accounts/acct_nobody/external_accounts", &[]).await.status, 404);
}

#[tokio::test]
async fn an_authorization_that_is_not_captured_expires() {
    let stripe = Stripe::start().await;
    let held = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
        ("expand[]", "latest_charge"),
    ];
    let held = stripe.make("/v1/payment_intents", &held).await;
    let charge = &held.body["latest_charge"];
    let before = charge["payment_method_details"]["card"]["capture_before"].as_i64().unwrap();
    assert_eq!(before - charge["created"].as_i64().unwrap(), 7 * DAY);
    let alone = [("amount", "900"), ("currency", "usd"), ("source", "tok_visa"), ("capture", "false")];
    let alone = stripe.make("/v1/charges", &alone).await.id();
    days_pass(&stripe, 6).await;
    let path = format!("/v1/payment_intents/{}", held.id());
    assert_eq!(stripe.get(&path, &[]).await.body["status"], "requires_capture");
    days_pass(&stripe, 8).await;
    let gone = stripe.get(&path, &[("expand[]", "latest_charge")]).await.body;
    assert_eq!((&gone["status"], &gone["cancellation_reason"]), (&json!("canceled"), &json!("automatic")));
    let charge = &gone["latest_charge"];
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&json!(true), &json!(2000)));
    let late = stripe.post(&format!("{path}/capture"), &[]).await;
    assert_eq!((late.status, &late.error()["code"]), (400, &json!("payment_intent_unexpected_state")));
    let late = stripe.post(&format!("/v1/charges/{alone}/capture"), &[]).await;
    assert_eq!(late.error()["code"], "charge_expired_for_capture");
    let events = stripe.events().await;
    assert_eq!((count(&events, "charge.expired"), count(&events, "payment_intent.canceled")), (2, 1));
    assert_eq!(balance(&stripe).await, (0, 0));
}

#[tokio::test]
async fn what_was_captured_in_time_does_not_expire() {
    let stripe = Stripe::start().await;
    let mut form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
    ];
    let whole = stripe.make("/v1/payment_intents", &form).await.id();
    form.push(("payment_method_options[card][request_multicapture]", "if_available"));
    let part = stripe.make("/v1/payment_intents", &form).await.id();
    stripe.make(&format!("/v1/payment_intents/{whole}/capture"), &[]).await;
    let form = [("amount_to_capture", "500"), ("final_capture", "false")];
    stripe.make(&format!("/v1/payment_intents/{part}/capture"), &form).await;
    days_pass(&stripe, 8).await;
    for (id, received) in [(whole, 2000), (part, 500)] {
        let intent = stripe.get(&format!("/v1/payment_intents/{id}"), &[]).await.body;
        assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(received)));
        assert_eq!(intent["amount_capturable"], 0);
    }
    assert_eq!(count(&stripe.events().await, "charge.expired"), 0);
}

#[tokio::test]
async fn a_debit_is_pending_until_the_bank_answers() {
    let stripe = Stripe::start().await;
    let debit = async |number: &str| {
        let form = [
            ("amount", "2000"),
            ("currency", "usd"),
            ("confirm", "true"),
            ("payment_method_data[type]", "us_bank_account"),
            ("payment_method_data[us_bank_account][routing_number]", "110000000"),
            ("payment_method_data[us_bank_account][account_number]", number),
            ("payment_method_data[billing_details][name]", "Ana"),
            ("expand[]", "latest_charge"),
        ];
        stripe.make("/v1/payment_intents", &form).await
    };
    let pays = debit("000123456789").await;
    let charge = &pays.body["latest_charge"];
    assert_eq!((&pays.body["status"], &charge["status"]), (&json!("processing"), &json!("pending")));
    assert_eq!(charge["payment_method_details"]["us_bank_account"]["last4"], "6789");
    let refused = debit("000222222227").await;
    let silent = debit("000000000009").await;
    assert_eq!(balance(&stripe).await, (0, 0), "nothing arrived yet");
    days_pass(&stripe, 7).await;
    let now = async |intent: &Answer| {
        let path = format!("/v1/payment_intents/{}", intent.id());
        stripe.get(&path, &[("expand[]", "latest_charge")]).await.body
    };
    let paid = now(&pays).await;
    assert_eq!((&paid["status"], &paid["amount_received"]), (&json!("succeeded"), &json!(2000)));
    assert_eq!((&paid["latest_charge"]["status"], &paid["latest_charge"]["paid"]), (&json!("succeeded"), &json!(true)));
    let failed = now(&refused).await;
    assert_eq!(failed["status"], "requires_payment_method");
    assert_eq!(failed["last_payment_error"]["code"], "insufficient_funds");
    assert_eq!(failed["latest_charge"]["failure_code"], "insufficient_funds");
    assert_eq!(now(&silent).await["status"], "processing");
    let events = stripe.events().await;
    for (kind, times) in [("charge.pending", 3), ("charge.succeeded", 1), ("charge.failed", 1)] {
        assert_eq!(count(&events, kind), times, "{kind}");
    }
    assert_eq!(balance(&stripe).await, (0, 1912));
    let moved = stripe.get("/v1/balance_transactions", &[("type", "payment")]).await;
    assert_eq!(moved.ids().len(), 1);
}
