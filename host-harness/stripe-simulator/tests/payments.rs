//! Payment methods, payment intents, charges, refunds and the balance.

use crate::stripe::{Answer, Form, Stripe};
use serde_json::{Value, json};

async fn pay(stripe: &Stripe, card: &str, more: Form<'_>) -> Answer {
    let mut form = vec![("amount", "2000"), ("currency", "usd"), ("payment_method", card), ("confirm", "true")];
    form.extend_from_slice(more);
    stripe.post("/v1/payment_intents", &form).await
}

#[tokio::test]
async fn a_card_that_pays_succeeds_at_once() {
    let stripe = Stripe::start().await;
    for card in ["visa", "mastercard", "amex", "discover"] {
        let intent = pay(&stripe, &format!("pm_card_{card}"), &[("expand[]", "latest_charge")]).await;
        assert_eq!((intent.status, &intent.body["status"]), (200, &json!("succeeded")));
        assert_eq!(intent.body["latest_charge"]["payment_method_details"]["card"]["brand"], card);
    }
}

#[tokio::test]
async fn a_payment_is_told_in_stripes_order() {
    let stripe = Stripe::start().await;
    pay(&stripe, "pm_card_visa", &[]).await;
    pay(&stripe, "pm_card_chargeDeclined", &[]).await;
    let expected = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ];
    assert_eq!(stripe.events().await, expected);
}

#[tokio::test]
async fn every_decline_tells_its_reason() {
    let stripe = Stripe::start().await;
    let cases = [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "Your card was declined."),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "Your card has expired."),
        (
            "pm_card_chargeDeclinedIncorrectCvc",
            "incorrect_cvc",
            "incorrect_cvc",
            "Your card's security code is incorrect.",
        ),
        (
            "pm_card_chargeDeclinedProcessingError",
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "Your card was declined."),
    ];
    for (card, code, decline_code, message) in cases {
        let answer = pay(&stripe, card, &[]).await;
        let error = answer.error();
        assert_eq!(answer.status, 402, "{card}");
        assert_eq!(error["type"], "card_error");
        assert_eq!((&error["code"], &error["decline_code"]), (&json!(code), &json!(decline_code)), "{card}");
        assert_eq!(error["message"], message);
        assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
        assert_eq!(error["payment_intent"]["payment_method"], Value::Null);
        assert_eq!(error["payment_intent"]["last_payment_error"]["code"], code);
        let charge = stripe.get(&format!("/v1/charges/{}", error["charge"].as_str().unwrap()), &[]).await;
        assert_eq!((&charge.body["status"], &charge.body["failure_code"]), (&json!("failed"), &json!(code)));
        assert_eq!(charge.body["balance_transaction"], Value::Null);
    }
}

#[tokio::test]
async fn an_intent_goes_through_its_states() {
    let stripe = Stripe::start().await;
    let intent = stripe.make("/v1/payment_intents", &[("amount", "1000"), ("currency", "EUR")]).await;
    assert_eq!((&intent.body["status"], &intent.body["currency"]), (&json!("requires_payment_method"), &json!("eur")));
    let path = format!("/v1/payment_intents/{}", intent.id());
    let confirm = format!("{path}/confirm");
    assert_eq!(stripe.post(&confirm, &[]).await.error()["code"], "payment_intent_unexpected_state");
    let ready = stripe.make(&path, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(ready.body["status"], "requires_confirmation");
    assert_eq!(stripe.make(&confirm, &[]).await.body["status"], "succeeded");
    assert_eq!(stripe.post(&confirm, &[]).await.status, 400);
    assert_eq!(stripe.post(&path, &[("amount", "5000")]).await.status, 400);
    assert_eq!(stripe.make(&path, &[("metadata[late]", "1")]).await.body["metadata"]["late"], "1");
    assert_eq!(stripe.post(&format!("{path}/cancel"), &[]).await.status, 400);
    let captured = stripe.post(&format!("{path}/capture"), &[]).await;
    let message = "This PaymentIntent could not be captured because it has already been captured.";
    assert_eq!((captured.status, &captured.error()["message"]), (400, &json!(message)));
}

fn expect_error(answer: &Answer, message: &str) {
    assert_eq!((answer.status, answer.error()["message"].as_str().unwrap()), (400, message));
}

#[tokio::test]
async fn parts_are_captured_where_that_was_asked_for() {
    let stripe = Stripe::start().await;
    let held = pay(&stripe, "pm_card_visa", &[("capture_method", "manual")]).await;
    let path = format!("/v1/payment_intents/{}", held.id());
    let part = [("amount_to_capture", "500"), ("final_capture", "false")];
    let refused = stripe.post(&format!("{path}/capture"), &part).await;
    assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("final_capture")));
    let ask = [("capture_method", "manual"), ("payment_method_options[card][request_multicapture]", "if_available")];
    let held = pay(&stripe, "pm_card_visa", &ask).await;
    assert_eq!(held.body["payment_method_options"]["card"]["request_multicapture"], "if_available");
    let path = format!("/v1/payment_intents/{}", held.id());
    let charge = format!("/v1/charges/{}", held.body["latest_charge"].as_str().unwrap());
    let shown = stripe.get(&charge, &[]).await.body;
    assert_eq!(shown["payment_method_details"]["card"]["multicapture"]["status"], "available");
    for (capturable, received) in [(1500, 500), (1000, 1000)] {
        let now = stripe.make(&format!("{path}/capture"), &part).await.body;
        assert_eq!(now["status"], "requires_capture");
        assert_eq!((&now["amount_capturable"], &now["amount_received"]), (&json!(capturable), &json!(received)));
    }
    let last = stripe.make(&format!("{path}/capture"), &[("amount_to_capture", "0")]).await.body;
    assert_eq!((&last["status"], &last["amount_received"]), (&json!("succeeded"), &json!(1000)));
    assert_eq!(last["amount_capturable"], 0);
    let shown = stripe.get(&charge, &[]).await.body;
    assert_eq!((&shown["amount_captured"], &shown["captured"]), (&json!(1000), &json!(true)));
    let moved = stripe.get("/v1/balance_transactions", &[("source", shown["id"].as_str().unwrap())]).await;
    assert_eq!(moved.ids().len(), 2);
    let over = stripe.post("/v1/refunds", &[("payment_intent", &held.id()), ("amount", "1001")]).await;
    assert_eq!(over.error()["param"], "amount", "no more than was captured");
    let events = stripe.events().await;
    assert_eq!(events.iter().filter(|e| *e == "payment_intent.amount_capturable_updated").count(), 4);
}

#[tokio::test]
async fn an_authorization_is_raised_where_that_was_asked_for() {
    let stripe = Stripe::start().await;
    let held = pay(&stripe, "pm_card_visa", &[("capture_method", "manual")]).await;
    let raise = |id: String| format!("/v1/payment_intents/{id}/increment_authorization");
    let message = "This PaymentIntent is not eligible for incremental authorization because you did not request support \
        using `request_incremental_authorization` when you created or confirmed it.";
    expect_error(&stripe.post(&raise(held.id()), &[("amount", "2500")]).await, message);
    let ask = [
        ("capture_method", "manual"),
        ("payment_method_options[card][request_incremental_authorization]", "if_available"),
    ];
    let held = pay(&stripe, "pm_card_visa", &ask).await;
    let path = raise(held.id());
    assert_eq!(stripe.post(&path, &[("amount", "2000")]).await.error()["param"], "amount");
    let raised = stripe.make(&path, &[("amount", "2500")]).await.body;
    assert_eq!((&raised["amount"], &raised["amount_capturable"]), (&json!(2500), &json!(2500)));
    for more in 1..10 {
        stripe.make(&path, &[("amount", &(2500 + more).to_string())]).await;
    }
    assert_eq!(stripe.post(&path, &[("amount", "9000")]).await.status, 400, "ten times are enough");
    let charge = stripe.get(&format!("/v1/charges/{}", held.body["latest_charge"].as_str().unwrap()), &[]).await;
    assert_eq!(charge.body["payment_method_details"]["card"]["amount_authorized"], 2509);
    let taken = stripe.make(&format!("/v1/payment_intents/{}/capture", held.id()), &[]).await;
    assert_eq!(taken.body["amount_received"], 2509);
    assert_eq!(stripe.post(&path, &[("amount", "9000")]).await.error()["code"], "payment_intent_unexpected_state");
}

#[tokio::test]
async fn what_is_held_or_was_never_paid_is_not_refunded() {
    let stripe = Stripe::start().await;
    let held = pay(&stripe, "pm_card_visa", &[("capture_method", "manual")]).await;
    let message = format!(
        "This uncaptured Charge was created by a PaymentIntent ({}). You must cancel the PaymentIntent to reverse the \
         authorization instead of refunding the Charge directly. For more information, see \
         https://stripe.com/docs/payments/place-a-hold-on-a-payment-method",
        held.id()
    );
    let charge = held.body["latest_charge"].as_str().unwrap();
    expect_error(&stripe.post("/v1/refunds", &[("charge", charge)]).await, &message);
    let failed = pay(&stripe, "pm_card_chargeDeclined", &[]).await;
    let intent = failed.error()["payment_intent"]["id"].as_str().unwrap();
    let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
    let charge = failed.error()["charge"].as_str().unwrap();
    expect_error(&stripe.post("/v1/refunds", &[("charge", charge)]).await, &message);
    expect_error(&stripe.post("/v1/refunds", &[("payment_intent", intent)]).await, &message);
    let canceled = format!("/v1/payment_intents/{}", held.id());
    stripe.make(&format!("{canceled}/cancel"), &[("cancellation_reason", "duplicate")]).await;
    let message = "This PaymentIntent could not be captured because it has a status of canceled. Only a PaymentIntent \
        with one of the following statuses may be captured: requires_capture.";
    expect_error(&stripe.post(&format!("{canceled}/capture"), &[]).await, message);
}

#[tokio::test]
async fn a_confirmation_token_is_used_once() {
    let stripe = Stripe::start().await;
    let form = [
        ("payment_method", "pm_card_threeDSecure2Required"),
        ("return_url", "https://shop.example/back"),
        ("setup_future_usage", "off_session"),
    ];
    let token = stripe.make("/v1/test_helpers/confirmation_tokens", &form).await;
    assert_eq!(token.body["payment_method_preview"]["card"]["last4"], "3220");
    let form = [("amount", "2000"), ("currency", "usd"), ("confirm", "true"), ("confirmation_token", &token.id())];
    let intent = stripe.make("/v1/payment_intents", &form).await.body;
    assert_eq!(intent["next_action"]["redirect_to_url"]["return_url"], "https://shop.example/back");
    assert_eq!(intent["setup_future_usage"], "off_session");
    let spent = stripe.get(&format!("/v1/confirmation_tokens/{}", token.id()), &[]).await.body;
    assert_eq!(spent["payment_intent"], intent["id"]);
    let again = stripe.post("/v1/payment_intents", &form).await;
    assert_eq!((again.status, &again.error()["param"]), (400, &json!("confirmation_token")));
}

#[tokio::test]
async fn money_that_is_held_is_captured_or_let_go() {
    let stripe = Stripe::start().await;
    let held = pay(&stripe, "pm_card_visa", &[("capture_method", "manual")]).await;
    assert_eq!((&held.body["status"], &held.body["amount_capturable"]), (&json!("requires_capture"), &json!(2000)));
    let path = format!("/v1/payment_intents/{}", held.id());
    assert_eq!(stripe.post(&format!("{path}/capture"), &[("amount_to_capture", "2001")]).await.status, 400);
    assert_eq!(stripe.post("/v1/refunds", &[("payment_intent", &held.id())]).await.status, 400);
    let captured = stripe.make(&format!("{path}/capture"), &[("amount_to_capture", "500")]).await;
    assert_eq!((&captured.body["status"], &captured.body["amount_received"]), (&json!("succeeded"), &json!(500)));
    let other = pay(&stripe, "pm_card_visa", &[("capture_method", "manual")]).await;
    let canceled = stripe.make(&format!("/v1/payment_intents/{}/cancel", other.id()), &[]).await;
    assert_eq!(canceled.body["status"], "canceled");
    let charge = stripe.get(&format!("/v1/charges/{}", other.body["latest_charge"].as_str().unwrap()), &[]).await;
    assert_eq!((&charge.body["refunded"], &charge.body["captured"]), (&json!(true), &json!(false)));
    let expected = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.refunded",
        "payment_intent.canceled",
    ];
    assert_eq!(stripe.events().await, expected);
}

#[tokio::test]
async fn authentication_is_asked_for_and_completed_or_failed() {
    let stripe = Stripe::start().await;
    let back = [("return_url", "https://shop.example/back?a=1")];
    let asked = pay(&stripe, "pm_card_threeDSecure2Required", &back).await;
    assert_eq!(asked.body["status"], "requires_action");
    let url = asked.body["next_action"]["redirect_to_url"]["url"].as_str().unwrap();
    assert!(stripe.send("GET", url, &[], "").await.text.contains("$20.00"));
    assert_eq!(stripe.submit(url, &[("outcome", "maybe")]).await.status, 400);
    let done = stripe.submit(url, &[("outcome", "succeeded")]).await;
    assert!(done.header("location").starts_with("https://shop.example/back?a=1&payment_intent=pi_"));
    let path = format!("/v1/payment_intents/{}", asked.id());
    assert_eq!(stripe.get(&path, &[]).await.body["status"], "succeeded");

    let failed = pay(&stripe, "pm_card_threeDSecure2Required", &[]).await;
    assert_eq!(failed.body["next_action"]["type"], "use_stripe_sdk");
    let hook = format!("/_simulator/authenticate/{}", failed.id());
    let after = stripe.submit(&format!("{}{hook}", stripe.simulator.base_url()), &[("outcome", "failed")]).await;
    assert_eq!(after.body["status"], "requires_payment_method");
    assert_eq!(after.body["last_payment_error"]["code"], "payment_intent_authentication_failure");

    let declined = pay(&stripe, "pm_card_threeDSecureRequiredChargeDeclined", &back).await;
    let url = declined.body["next_action"]["redirect_to_url"]["url"].as_str().unwrap();
    assert!(
        stripe.submit(url, &[("outcome", "succeeded")]).await.header("location").ends_with("redirect_status=failed")
    );
}

#[tokio::test]
async fn a_card_that_was_set_up_needs_no_customer_to_authenticate() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let path = "/v1/payment_methods/pm_card_authenticationRequired/attach";
    let method = stripe.make(path, &[("customer", &customer)]).await.id();
    let away = [("customer", customer.as_str()), ("off_session", "true")];
    let refused = pay(&stripe, &method, &away).await;
    assert_eq!((refused.status, &refused.error()["code"]), (402, &json!("authentication_required")));
    let setup = [("customer", customer.as_str()), ("payment_method", &method), ("confirm", "true")];
    let setup = stripe.make("/v1/setup_intents", &setup).await;
    let bank = setup.body["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    assert_eq!(stripe.submit(bank, &[("outcome", "succeeded")]).await.body["status"], "succeeded");
    assert_eq!(pay(&stripe, &method, &away).await.body["status"], "succeeded");
}

#[tokio::test]
async fn a_payment_method_belongs_to_one_customer() {
    let stripe = Stripe::start().await;
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let other = stripe.make("/v1/customers", &[]).await.id();
    assert_eq!(pay(&stripe, &method, &[]).await.status, 400);
    assert_eq!(pay(&stripe, &method, &[("customer", &other)]).await.status, 400);
    assert_eq!(pay(&stripe, &method, &[("customer", &customer)]).await.status, 200);
    let attach = format!("/v1/payment_methods/{method}/attach");
    assert_eq!(stripe.post(&attach, &[("customer", &other)]).await.status, 400);
    let refused = stripe.post("/v1/payment_methods/pm_card_chargeDeclined/attach", &[("customer", &other)]).await;
    assert_eq!((refused.status, &refused.error()["code"]), (402, &json!("card_declined")));
    stripe.make(&format!("/v1/payment_methods/{method}/detach"), &[]).await;
    let settings = stripe.get(&format!("/v1/customers/{customer}"), &[]).await;
    assert_eq!(settings.body["invoice_settings"]["default_payment_method"], Value::Null);
}

#[tokio::test]
async fn card_details_are_checked() {
    let stripe = Stripe::start().await;
    let cases = [
        ("4242424242424241", "12", "2034", "123", "incorrect_number"),
        ("4242424242424242", "13", "2034", "123", "invalid_expiry_month"),
        ("4242424242424242", "12", "1999", "123", "invalid_expiry_year"),
        ("4242424242424242", "12", "2034", "12", "invalid_cvc"),
        ("4111111111111111", "12", "2034", "123", "card_declined"),
    ];
    for (number, month, year, cvc, code) in cases {
        let form = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", month),
            ("card[exp_year]", year),
            ("card[cvc]", cvc),
        ];
        let answer = stripe.post("/v1/payment_methods", &form).await;
        assert_eq!((answer.status, &answer.error()["code"]), (402, &json!(code)));
    }
}

async fn sums(stripe: &Stripe) -> (i64, i64) {
    let balance = stripe.get("/v1/balance", &[]).await.body;
    (balance["available"][0]["amount"].as_i64().unwrap(), balance["pending"][0]["amount"].as_i64().unwrap())
}

#[tokio::test]
async fn the_balance_moves_with_charges_and_refunds() {
    let stripe = Stripe::start().await;
    assert_eq!(sums(&stripe).await, (0, 0));
    let intent = pay(&stripe, "pm_card_visa", &[]).await.id();
    assert_eq!(sums(&stripe).await, (0, 1912), "2.9 % and 30 cents less");
    let refund = stripe.make("/v1/refunds", &[("payment_intent", &intent), ("amount", "500")]).await;
    assert_eq!(sums(&stripe).await, (-500, 1912));
    let moved = stripe.get("/v1/balance_transactions", &[("source", &refund.id())]).await;
    assert_eq!(moved.body["data"][0]["amount"], -500);
    pay(&stripe, "pm_card_bypassPending", &[]).await;
    assert_eq!(sums(&stripe).await, (1412, 1912));
}

#[tokio::test]
async fn no_more_is_refunded_than_was_charged() {
    let stripe = Stripe::start().await;
    let intent = pay(&stripe, "pm_card_visa", &[]).await;
    let charge = intent.body["latest_charge"].as_str().unwrap();
    let over = stripe.post("/v1/refunds", &[("charge", charge), ("amount", "2001")]).await;
    assert_eq!(over.error()["message"], "Refund amount ($20.01) is greater than charge amount ($20.00)");
    stripe.make("/v1/refunds", &[("charge", charge), ("amount", "1500")]).await;
    let over = stripe.post("/v1/refunds", &[("charge", charge), ("amount", "501")]).await;
    assert_eq!(over.error()["message"], "Refund amount ($5.01) is greater than unrefunded amount on charge ($5.00)");
    stripe.make("/v1/refunds", &[("payment_intent", &intent.id())]).await;
    let again = stripe.post("/v1/refunds", &[("charge", charge)]).await;
    assert_eq!(again.error()["code"], "charge_already_refunded");
    assert_eq!(again.error()["message"], format!("Charge {charge} has already been refunded."));
    let shown = stripe.get(&format!("/v1/charges/{charge}"), &[("expand[]", "refunds")]).await;
    assert_eq!((&shown.body["refunded"], &shown.body["amount_refunded"]), (&json!(true), &json!(2000)));
    assert_eq!(shown.body["refunds"]["data"].as_array().unwrap().len(), 2);
    let events = stripe.events().await;
    assert_eq!(events[3..], ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]);
    let failed = pay(&stripe, "pm_card_chargeDeclined", &[]).await;
    let charge = failed.error()["charge"].as_str().unwrap();
    assert_eq!(stripe.post("/v1/refunds", &[("charge", charge)]).await.status, 400);
    assert_eq!(stripe.post("/v1/refunds", &[]).await.error()["code"], "parameter_missing");
}
