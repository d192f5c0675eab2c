//! Setup intents: the states that they go through, and what they leave behind.

use crate::stripe::{Answer, Form, Stripe};
use serde_json::{Value, json};

async fn save(stripe: &Stripe, card: &str, more: Form<'_>) -> Answer {
    let mut form = vec![("payment_method", card), ("confirm", "true")];
    form.extend_from_slice(more);
    stripe.make("/v1/setup_intents", &form).await
}

fn path(intent: &Answer) -> String {
    format!("/v1/setup_intents/{}", intent.id())
}

/// Status and error code of an intent's attempts, newest first.
async fn attempts(stripe: &Stripe, intent: &str) -> Vec<(String, Value)> {
    let list = stripe.get("/v1/setup_attempts", &[("setup_intent", intent)]).await;
    let told = |a: &Value| (a["status"].as_str().unwrap().to_owned(), a["setup_error"]["code"].clone());
    list.body["data"].as_array().unwrap().iter().map(told).collect()
}

fn expect_error(answer: &Answer, code: &str, message: &str) {
    assert_eq!((answer.status, &answer.error()["code"]), (400, &json!(code)), "{}", answer.text);
    assert_eq!(answer.error()["message"], message);
    assert_eq!(answer.error()["setup_intent"]["object"], "setup_intent");
}

#[tokio::test]
async fn an_intent_goes_through_its_states() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let intent = stripe.make("/v1/setup_intents", &[("customer", &customer)]).await;
    assert_eq!(intent.body["status"], "requires_payment_method");
    let confirm = format!("{}/confirm", path(&intent));
    let missing = "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the \
        SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment \
        method or ConfirmationToken.";
    expect_error(&stripe.post(&confirm, &[]).await, "setup_intent_unexpected_state", missing);
    assert!(attempts(&stripe, &intent.id()).await.is_empty());
    let ready = stripe.make(&path(&intent), &[("payment_method", "pm_card_mastercard")]).await;
    assert_eq!(ready.body["status"], "requires_confirmation");
    let done = stripe.make(&confirm, &[]).await;
    assert_eq!((&done.body["status"], &done.body["mandate"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(attempts(&stripe, &intent.id()).await, [("succeeded".to_owned(), Value::Null)]);
    let listed = stripe.get("/v1/setup_attempts", &[("setup_intent", &intent.id())]).await;
    assert_eq!(done.body["latest_attempt"], listed.ids()[0]);
    assert_eq!(listed.body["data"][0]["payment_method_details"]["card"]["last4"], "4444");
    let method = done.body["payment_method"].as_str().unwrap();
    let method = stripe.get(&format!("/v1/payment_methods/{method}"), &[]).await.body;
    assert_eq!(method["customer"], customer);
    let events = stripe.events().await;
    let told = &events[events.iter().position(|e| e == "setup_intent.created").unwrap()..];
    assert_eq!(told, ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]);

    let again = stripe.post(&confirm, &[]).await;
    let message = "You cannot confirm this SetupIntent because it has already succeeded.";
    expect_error(&again, "setup_intent_unexpected_state", message);
    let message = "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one \
        of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or \
        `requires_action`.";
    let cancel = stripe.post(&format!("{}/cancel", path(&intent)), &[]).await;
    expect_error(&cancel, "setup_intent_unexpected_state", message);
    let other = stripe.post(&path(&intent), &[("payment_method", "pm_card_visa")]).await;
    let message = "You cannot update this SetupIntent because it has already succeeded.";
    expect_error(&other, "setup_intent_unexpected_state", message);
    let late = stripe.make(&path(&intent), &[("description", "late"), ("metadata[a]", "b")]).await;
    assert_eq!((&late.body["description"], &late.body["metadata"]["a"]), (&json!("late"), &json!("b")));
    let missing = stripe.get("/v1/setup_intents/seti_nothing", &[]).await;
    assert_eq!((missing.status, &missing.error()["message"]), (404, &json!("No such setupintent: 'seti_nothing'")));
}

#[tokio::test]
async fn authentication_leads_to_the_bank_and_back() {
    let stripe = Stripe::start().await;
    let back = [("return_url", "https://shop.example/back?a=1")];
    let asked = save(&stripe, "pm_card_threeDSecure2Required", &back).await;
    assert_eq!(asked.body["status"], "requires_action");
    assert_eq!(attempts(&stripe, &asked.id()).await[0].0, "requires_action");
    let action = &asked.body["next_action"]["redirect_to_url"];
    assert_eq!(action["return_url"], "https://shop.example/back?a=1");
    let bank = action["url"].as_str().unwrap();
    assert!(stripe.send("GET", bank, &[], "").await.text.contains("with this card"));
    let done = stripe.submit(bank, &[("outcome", "succeeded")]).await;
    let location = done.header("location");
    assert!(location.starts_with("https://shop.example/back?a=1&setup_intent=seti_"), "{location}");
    assert!(location.ends_with("&redirect_status=succeeded"), "{location}");
    assert_eq!(stripe.get(&path(&asked), &[]).await.body["status"], "succeeded");
    let list = stripe.get("/v1/setup_attempts", &[("setup_intent", &asked.id())]).await.body;
    let attempt = &list["data"][0];
    assert_eq!((list["data"].as_array().unwrap().len(), &attempt["status"]), (1, &json!("succeeded")));
    assert_eq!(attempt["payment_method_details"]["card"]["three_d_secure"]["result"], "authenticated");

    let asked = save(&stripe, "pm_card_threeDSecure2Required", &[]).await;
    let bank = asked.body["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    let failed = stripe.submit(bank, &[("outcome", "failed")]).await.body;
    assert_eq!((&failed["status"], &failed["payment_method"]), (&json!("requires_payment_method"), &Value::Null));
    assert_eq!(failed["last_setup_error"]["code"], "setup_intent_authentication_failure");
    assert_eq!(failed["last_setup_error"]["type"], "invalid_request_error");
    assert_eq!(failed["last_setup_error"]["payment_method"]["object"], "payment_method");
    let expected = [("failed".to_owned(), json!("setup_intent_authentication_failure"))];
    assert_eq!(attempts(&stripe, &asked.id()).await, expected);
    let form = [("payment_method", "pm_card_visa")];
    let saved = stripe.make(&format!("{}/confirm", path(&asked)), &form).await.body;
    assert_eq!((&saved["status"], &saved["last_setup_error"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(attempts(&stripe, &asked.id()).await.len(), 2);
    let events = stripe.events().await;
    let expected =
        ["setup_intent.created", "setup_intent.requires_action", "setup_intent.setup_failed", "setup_intent.succeeded"];
    assert_eq!(events[3..], expected);
}

#[tokio::test]
async fn an_intent_is_canceled_from_every_state_that_is_not_final() {
    let stripe = Stripe::start().await;
    let waiting = save(&stripe, "pm_card_threeDSecure2Required", &[]).await;
    let states = [
        stripe.make("/v1/setup_intents", &[]).await,
        stripe.make("/v1/setup_intents", &[("payment_method", "pm_card_visa")]).await,
        waiting.clone(),
    ];
    for intent in &states {
        let canceled = stripe.make(&format!("{}/cancel", path(intent)), &[("cancellation_reason", "abandoned")]).await;
        let canceled = canceled.body;
        assert_eq!((&canceled["status"], &canceled["next_action"]), (&json!("canceled"), &Value::Null));
        assert_eq!(canceled["cancellation_reason"], "abandoned");
        let again = stripe.post(&format!("{}/cancel", path(intent)), &[]).await;
        let message = "You cannot cancel this SetupIntent because it is already canceled.";
        expect_error(&again, "setup_intent_unexpected_state", message);
    }
    assert_eq!(attempts(&stripe, &waiting.id()).await[0].0, "abandoned");
    let late = stripe.post(&format!("{}/confirm", path(&states[1])), &[]).await;
    let message = "You cannot confirm this SetupIntent because it has been canceled.";
    expect_error(&late, "setup_intent_unexpected_state", message);
    let bank = waiting.body["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    assert_eq!(stripe.submit(bank, &[("outcome", "succeeded")]).await.body["status"], "canceled");
}

#[tokio::test]
async fn a_decline_leaves_the_reason_and_an_attempt() {
    let stripe = Stripe::start().await;
    let intent = stripe.make("/v1/setup_intents", &[]).await;
    let confirm = format!("{}/confirm", path(&intent));
    let declined = stripe.post(&confirm, &[("payment_method", "pm_card_chargeDeclinedExpiredCard")]).await;
    let error = declined.error();
    assert_eq!((declined.status, &error["code"], &error["param"]), (402, &json!("expired_card"), &json!("exp_month")));
    assert_eq!(error["payment_method"]["card"]["last4"], "0069");
    assert_eq!(error["setup_intent"]["last_setup_error"]["decline_code"], "expired_card");
    assert!(error.get("charge").is_none(), "nothing was charged");
    assert_eq!(attempts(&stripe, &intent.id()).await, [("failed".to_owned(), json!("expired_card"))]);
    assert_eq!(stripe.events().await, ["setup_intent.created", "setup_intent.setup_failed"]);
}

#[tokio::test]
async fn a_payment_method_of_somebody_else_is_refused() {
    let stripe = Stripe::start().await;
    let (_, method) = stripe.customer_with("pm_card_visa").await;
    let other = stripe.make("/v1/customers", &[]).await.id();
    let refused = stripe.post("/v1/setup_intents", &[("customer", &other), ("payment_method", &method)]).await;
    assert_eq!((refused.status, &refused.error()["param"]), (400, &json!("payment_method")));
    assert!(refused.error()["message"].as_str().unwrap().contains("does not belong to the Customer you supplied"));
    assert!(refused.error().get("setup_intent").is_none(), "there is none");
    let intent = stripe.make("/v1/setup_intents", &[]).await;
    let refused = stripe.post(&path(&intent), &[("payment_method", &method)]).await;
    assert!(refused.error()["message"].as_str().unwrap().starts_with("The payment method supplied"));
    assert_eq!(refused.error()["setup_intent"]["id"], intent.id());
    assert_eq!(stripe.get(&path(&intent), &[]).await.body["status"], "requires_payment_method");
}

#[tokio::test]
async fn what_the_caller_asked_for_is_kept() {
    let stripe = Stripe::start().await;
    let form = [
        ("usage", "on_session"),
        ("attach_to_self", "true"),
        ("flow_directions[0]", "inbound"),
        ("automatic_payment_methods[enabled]", "true"),
        ("automatic_payment_methods[allow_redirects]", "never"),
        ("payment_method_options[card][request_three_d_secure]", "any"),
    ];
    let intent = stripe.make("/v1/setup_intents", &form).await;
    assert_eq!((&intent.body["usage"], &intent.body["attach_to_self"]), (&json!("on_session"), &json!(true)));
    assert_eq!(intent.body["automatic_payment_methods"]["allow_redirects"], "never");
    assert_eq!(intent.body["payment_method_options"]["card"]["request_three_d_secure"], "any");
    assert_eq!(stripe.post("/v1/setup_intents", &[("return_url", "https://x.example")]).await.status, 400);
    let secret = intent.body["client_secret"].as_str().unwrap();
    assert_eq!(stripe.get(&path(&intent), &[("client_secret", secret)]).await.status, 200);
    assert_eq!(stripe.get(&path(&intent), &[("client_secret", "other")]).await.status, 400);

    // Saved for when the customer is there, it does not pay while they are away.
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let form = [("customer", customer.as_str()), ("usage", "on_session")];
    let asked = save(&stripe, "pm_card_authenticationRequiredOnSetup", &form).await;
    let bank = asked.body["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    let saved = stripe.submit(bank, &[("outcome", "succeeded")]).await.body;
    let form = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("payment_method", saved["payment_method"].as_str().unwrap()),
        ("confirm", "true"),
        ("off_session", "true"),
    ];
    assert_eq!(stripe.post("/v1/payment_intents", &form).await.error()["code"], "authentication_required");
}

#[tokio::test]
async fn a_confirmation_token_stands_for_a_payment_method() {
    let stripe = Stripe::start().await;
    let form = [("payment_method", "pm_card_threeDSecure2Required"), ("return_url", "https://shop.example/back")];
    let token = stripe.make("/v1/test_helpers/confirmation_tokens", &form).await.id();
    let intent = stripe.make("/v1/setup_intents", &[]).await;
    let confirm = format!("{}/confirm", path(&intent));
    let asked = stripe.make(&confirm, &[("confirmation_token", &token)]).await.body;
    assert_eq!(asked["next_action"]["redirect_to_url"]["return_url"], "https://shop.example/back");
    let spent = stripe.get(&format!("/v1/confirmation_tokens/{token}"), &[]).await.body;
    assert_eq!(spent["setup_intent"], intent.id());
    let again = stripe.post(&confirm, &[("confirmation_token", &token)]).await;
    assert_eq!((again.status, &again.error()["param"]), (400, &json!("confirmation_token")));
    let nothing = stripe.post(&confirm, &[("confirmation_token", "ctoken_nothing")]).await;
    assert_eq!(nothing.error()["code"], "resource_missing");
}

#[tokio::test]
async fn bank_accounts_are_verified_by_small_deposits() {
    let stripe = Stripe::start().await;
    let bank = [
        ("payment_method_data[type]", "us_bank_account"),
        ("payment_method_data[us_bank_account][routing_number]", "110000000"),
        ("payment_method_data[us_bank_account][account_number]", "000123456789"),
        ("payment_method_data[billing_details][name]", "Ana"),
        ("confirm", "true"),
    ];
    for right in [&[("descriptor_code", "SM11AA")][..], &[("amounts[0]", "32"), ("amounts[1]", "45")]] {
        let asked = stripe.make("/v1/setup_intents", &bank).await;
        assert_eq!(asked.body["next_action"]["type"], "verify_with_microdeposits");
        let verify = format!("{}/verify_microdeposits", path(&asked));
        let wrong = stripe.post(&verify, &[("descriptor_code", "SM99ZZ")]).await;
        let code = "payment_method_microdeposit_verification_descriptor_code_mismatch";
        assert_eq!((wrong.status, &wrong.error()["code"]), (400, &json!(code)));
        let wrong = stripe.post(&verify, &[("amounts[0]", "1"), ("amounts[1]", "2")]).await;
        let code = "payment_method_microdeposit_verification_amounts_mismatch";
        assert_eq!(wrong.error()["code"], code);
        let done = stripe.make(&verify, right).await.body;
        assert_eq!(done["status"], "succeeded");
        let mandate = stripe.get(&format!("/v1/mandates/{}", done["mandate"].as_str().unwrap()), &[]).await.body;
        assert_eq!((&mandate["payment_method"], &mandate["type"]), (&done["payment_method"], &json!("multi_use")));
        let again = stripe.post(&verify, right).await;
        let message = "This SetupIntent cannot be actioned on because it has a status of succeeded. Only a SetupIntent \
            with one of the following statuses may be actioned on: [\"requires_action\"].";
        expect_error(&again, "intent_invalid_state", message);
    }
    let asked = stripe.make("/v1/setup_intents", &bank).await;
    let page = &asked.body["next_action"]["verify_with_microdeposits"]["hosted_verification_url"];
    let page = page.as_str().unwrap();
    assert!(stripe.send("GET", page, &[], "").await.text.contains("descriptor_code"));
    assert_eq!(stripe.submit(page, &[("descriptor_code", "SM99ZZ")]).await.status, 402);
    assert_eq!(stripe.submit(page, &[("descriptor_code", "SM11AA")]).await.status, 200);
    assert_eq!(stripe.get(&path(&asked), &[]).await.body["status"], "succeeded");
    assert!(!stripe.send("GET", page, &[], "").await.text.contains("descriptor_code"));
    let asked = stripe.make("/v1/setup_intents", &bank).await;
    let verify = format!("{}/verify_microdeposits", path(&asked));
    let over = stripe.post(&verify, &[("descriptor_code", "SM33CC")]).await;
    assert_eq!(over.error()["code"], "payment_method_microdeposit_verification_attempts_exceeded");
    assert_eq!(over.error()["setup_intent"]["status"], "requires_payment_method");
}

#[tokio::test]
async fn a_session_that_saves_a_card_waits_for_the_bank() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let form = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("success_url", "https://shop.example/thanks"),
    ];
    for (outcome, status) in [("succeeded", "complete"), ("failed", "open")] {
        let session = stripe.make("/v1/checkout/sessions", &form).await;
        let page = session.body["url"].as_str().unwrap();
        let asked = stripe.submit(page, &[("card", "pm_card_threeDSecure2Required"), ("email", "s@example.com")]).await;
        let bank = asked.header("location").to_owned();
        assert!(bank.contains("/_simulator/authenticate/seti_"), "{bank}");
        let shown = format!("/v1/checkout/sessions/{}", session.id());
        assert_eq!(stripe.get(&shown, &[]).await.body["status"], "open");
        let back = stripe.submit(&bank, &[("outcome", outcome)]).await;
        let expected = if outcome == "succeeded" { "https://shop.example/thanks" } else { page };
        assert_eq!(back.header("location"), expected);
        assert_eq!(stripe.get(&shown, &[]).await.body["status"], status);
    }
    let methods = stripe.get(&format!("/v1/customers/{customer}/payment_methods"), &[]).await;
    assert_eq!(methods.ids().len(), 1, "the one that was authenticated");
}
