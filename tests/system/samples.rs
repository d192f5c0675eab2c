//! Payments and what comes of them, with the samples of their operations.

use serde_json::{Value, json};

use crate::trial::{Trial, all_were_run};

#[tokio::test]
async fn payments_and_what_comes_of_them_run_with_their_samples() {
    let t = Trial::open().await;

    let customer = t.ran("customer.create", &[]).await;
    let its = [("customer", &customer["id"])];
    assert_eq!(t.ran("customer.update", &its).await["metadata"]["plan"], "gold");
    t.ran("customer.retrieve", &its).await;
    t.ran("customer.list", &[]).await;
    assert_eq!(t.ran("customer.search", &[]).await["data"][0]["id"], customer["id"]);

    let payment = t.ran("payment_intent.create", &[]).await;
    assert_eq!(payment["status"], "succeeded");
    let its = [("payment_intent", &payment["id"])];
    assert_eq!(t.ran("payment_intent.update", &its).await["description"], "Order 6735");
    t.ran("payment_intent.retrieve", &its).await;
    t.ran("payment_intent.list", &[]).await;
    t.ran("payment_intent.search", &[]).await;
    let open = t.act("payment_intent.create", json!({"amount": 500, "currency": "usd"})).await;
    let confirmed = t.ran("payment_intent.confirm", &[("payment_intent", &open["id"])]).await;
    assert_eq!(confirmed["status"], "succeeded");
    let reserved = t.paid("pm_card_visa", json!({"capture_method": "manual"})).await;
    assert_eq!(reserved["status"], "requires_capture");
    let captured = t.ran("payment_intent.capture", &[("payment_intent", &reserved["id"])]).await;
    assert_eq!((&captured["status"], &captured["amount_received"]), (&json!("succeeded"), &json!(100_000)));
    let open = t.act("payment_intent.create", json!({"amount": 500, "currency": "usd"})).await;
    let canceled = t.ran("payment_intent.cancel", &[("payment_intent", &open["id"])]).await;
    assert_eq!(canceled["cancellation_reason"], "requested_by_customer");

    let its = [("charge", &payment["latest_charge"])];
    assert_eq!(t.ran("charge.update", &its).await["metadata"]["order"], "6735");
    t.ran("charge.retrieve", &its).await;
    t.ran("charge.list", &[]).await;
    t.ran("charge.search", &[]).await;
    let reserved = json!({"amount": 500, "currency": "usd", "source": "tok_visa", "capture": false});
    let reserved = t.act("v1.charges.create", reserved).await;
    assert_eq!(t.ran("charge.capture", &[("charge", &reserved["id"])]).await["captured"], true);

    let refund = t.ran("refund.create", &[("payment_intent", &payment["id"])]).await;
    assert_eq!(refund["amount"], 500);
    let its = [("refund", &refund["id"])];
    assert_eq!(t.ran("refund.update", &its).await["metadata"]["order"], "6735");
    t.ran("refund.retrieve", &its).await;
    t.ran("refund.list", &[]).await;
    // A refund to a card does not wait for anybody.
    let message = t.declined("refund.cancel", &its).await;
    assert!(message.contains("Canceling this refund"), "{message}");

    let setup = t.ran("setup_intent.create", &[("customer", &customer["id"])]).await;
    assert_eq!(setup["status"], "succeeded");
    t.ran("setup_intent.retrieve", &[("setup_intent", &setup["id"])]).await;
    t.ran("setup_intent.list", &[]).await;
    let open = t.act("setup_intent.create", json!({"customer": customer["id"]})).await;
    let confirmed = t.ran("setup_intent.confirm", &[("setup_intent", &open["id"])]).await;
    assert_eq!(confirmed["status"], "succeeded");
    let open = t.act("setup_intent.create", json!({"customer": customer["id"]})).await;
    let canceled = t.ran("setup_intent.cancel", &[("setup_intent", &open["id"])]).await;
    assert_eq!(canceled["status"], "canceled");

    assert_eq!(t.ran("payment_method.create", &[]).await["type"], "card");
    let kept = t.ran("payment_method.attach", &[("customer", &customer["id"])]).await;
    assert_eq!(kept["customer"], customer["id"]);
    let its = [("payment_method", &kept["id"])];
    t.ran("payment_method.retrieve", &its).await;
    t.ran("payment_method.list", &[("customer", &customer["id"])]).await;
    assert_eq!(t.ran("payment_method.detach", &its).await["customer"], Value::Null);

    assert_eq!(t.ran("customer.delete", &[("customer", &customer["id"])]).await["deleted"], true);
    let resources = ["customer", "payment_intent", "charge", "refund", "setup_intent", "payment_method"];
    all_were_run(&t, &resources).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn disputes_run_with_their_samples_and_are_handed_in_once() {
    let t = Trial::open().await;
    t.paid("pm_card_createDispute", json!({})).await;
    let dispute = t.ran("dispute.list", &[]).await["data"][0].clone();
    let its = [("dispute", &dispute["id"])];
    t.ran("dispute.retrieve", &its).await;
    let saved = t.ran("dispute.update", &its).await;
    assert_eq!(saved["evidence_details"]["has_evidence"], true);
    assert_eq!(
        (&saved["status"], &saved["evidence_details"]["submission_count"]),
        (&json!("needs_response"), &json!(0))
    );
    let submitted = t.ran("dispute.submit", &its).await;
    assert_eq!(submitted["evidence_details"]["submission_count"], 1);
    assert_eq!(submitted["status"], "under_review");
    t.paid("pm_card_createDispute", json!({})).await;
    let second = t.ran("dispute.list", &[]).await["data"][0].clone();
    assert_eq!(t.ran("dispute.close", &[("dispute", &second["id"])]).await["status"], "lost");

    t.paid("pm_card_createIssuerFraudRecord", json!({})).await;
    let warning = t.ran("early_fraud_warning.list", &[]).await["data"][0].clone();
    t.ran("early_fraud_warning.retrieve", &[("early_fraud_warning", &warning["id"])]).await;
    all_were_run(&t, &["dispute", "early_fraud_warning"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn money_that_goes_on_runs_with_its_samples() {
    let t = Trial::open().await;
    t.paid("pm_card_bypassPending", json!({})).await;
    assert_eq!(t.ran("balance.retrieve", &[]).await["available"][0]["amount"].as_i64().map(|a| a > 1099), Some(true));
    let entry = t.ran("balance_transaction.list", &[]).await["data"][0].clone();
    t.ran("balance_transaction.retrieve", &[("balance_transaction", &entry["id"])]).await;

    let payout = t.ran("payout.create", &[]).await;
    assert_eq!((&payout["amount"], &payout["status"]), (&json!(1099), &json!("pending")));
    let its = [("payout", &payout["id"])];
    t.ran("payout.retrieve", &its).await;
    t.ran("payout.list", &[]).await;
    assert_eq!(t.ran("payout.cancel", &its).await["status"], "canceled");
    let payout = t.ran("payout.create", &[]).await;
    assert_eq!(t.ran("payout.reverse", &[("payout", &payout["id"])]).await["original_payout"], payout["id"]);

    let account = t.act("v1.accounts.create", json!({"type": "express"})).await;
    let transfer = t.ran("transfer.create", &[("destination", &account["id"])]).await;
    let its = [("transfer", &transfer["id"])];
    t.ran("transfer.retrieve", &its).await;
    t.ran("transfer.list", &[]).await;
    let reversal = t.ran("transfer.reverse", &its).await;
    assert_eq!((&reversal["object"], &reversal["amount"]), (&json!("transfer_reversal"), &json!(100)));

    all_were_run(&t, &["balance", "balance_transaction", "payout", "transfer"]).await;
    t.shop.checked_requests();
}

/// Nothing opens a review in the simulator, which answers in shape.
#[tokio::test]
async fn reviews_run_with_their_samples() {
    let t = Trial::open().await;
    let (_, sample) = t.sample("review.list", &[]).await;
    let sample = serde_json::from_str(&sample).expect("JSON");
    assert_eq!(t.shop.platform.ask("review.list", sample).await["data"], json!([]));
    for id in ["review.retrieve", "review.approve"] {
        assert_eq!(t.ran(id, &[("review", &json!("prv_1"))]).await["object"], "review");
    }
    all_were_run(&t, &["review"]).await;
    t.shop.checked_requests();
}
