//! Every documented test card does what the documentation says of it, when it pays and when it is saved.

use crate::stripe::{Answer, Form, Stripe};
use serde_json::{Value, json};

/// What comes of a request with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeds,
    /// The customer has to authenticate, and then this comes of it.
    Asks(Then),
    /// 402: code and decline code.
    Declines(&'static str, &'static str),
}

use Outcome::{Asks, Declines, Succeeds};

/// What comes of authenticating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Done,
    Declined(&'static str),
}

use Then::{Declined, Done};

const GENERIC: Outcome = Declines("card_declined", "generic_decline");
const ABSENT: Outcome = Declines("authentication_required", "authentication_required");

/// Number; payment method, where there is one; what comes of paying, of paying while the customer is away with a card
/// that was not set up, and of saving it.
type Case = (&'static str, &'static str, Outcome, Outcome, Outcome);

/// The testing page of the documentation, in its order.
const CARDS: &[Case] = &[
    ("4242424242424242", "visa", Succeeds, Succeeds, Succeeds),
    ("4000056655665556", "visa_debit", Succeeds, Succeeds, Succeeds),
    ("5555555555554444", "mastercard", Succeeds, Succeeds, Succeeds),
    ("5200828282828210", "mastercard_debit", Succeeds, Succeeds, Succeeds),
    ("5105105105105100", "mastercard_prepaid", Succeeds, Succeeds, Succeeds),
    ("378282246310005", "amex", Succeeds, Succeeds, Succeeds),
    ("6011111111111117", "discover", Succeeds, Succeeds, Succeeds),
    ("3056930009020004", "diners", Succeeds, Succeeds, Succeeds),
    ("3566002020360505", "jcb", Succeeds, Succeeds, Succeeds),
    ("6200000000000005", "unionpay", Succeeds, Succeeds, Succeeds),
    ("4000002500000003", "fr", Succeeds, Succeeds, Succeeds),
    ("4000000000000002", "visa_chargeDeclined", GENERIC, GENERIC, GENERIC),
    ("4000000000000002", "chargeDeclined", GENERIC, GENERIC, GENERIC),
    (
        "4000000000009995",
        "visa_chargeDeclinedInsufficientFunds",
        Declines("card_declined", "insufficient_funds"),
        Declines("card_declined", "insufficient_funds"),
        Declines("card_declined", "insufficient_funds"),
    ),
    (
        "4000000000009987",
        "visa_chargeDeclinedLostCard",
        Declines("card_declined", "lost_card"),
        Declines("card_declined", "lost_card"),
        Declines("card_declined", "lost_card"),
    ),
    (
        "4000000000009979",
        "visa_chargeDeclinedStolenCard",
        Declines("card_declined", "stolen_card"),
        Declines("card_declined", "stolen_card"),
        Declines("card_declined", "stolen_card"),
    ),
    (
        "4000000000000069",
        "chargeDeclinedExpiredCard",
        Declines("expired_card", "expired_card"),
        Declines("expired_card", "expired_card"),
        Declines("expired_card", "expired_card"),
    ),
    (
        "4000000000000127",
        "chargeDeclinedIncorrectCvc",
        Declines("incorrect_cvc", "incorrect_cvc"),
        Declines("incorrect_cvc", "incorrect_cvc"),
        Declines("incorrect_cvc", "incorrect_cvc"),
    ),
    (
        "4000000000000119",
        "chargeDeclinedProcessingError",
        Declines("processing_error", "processing_error"),
        Declines("processing_error", "processing_error"),
        Declines("processing_error", "processing_error"),
    ),
    (
        "4000000000006975",
        "visa_chargeDeclinedVelocityLimitExceeded",
        Declines("card_declined", "card_velocity_exceeded"),
        Declines("card_declined", "card_velocity_exceeded"),
        Declines("card_declined", "card_velocity_exceeded"),
    ),
    ("4000000000000341", "chargeCustomerFail", GENERIC, GENERIC, Succeeds),
    (
        "4100000000000019",
        "radarBlock",
        Declines("card_declined", "fraudulent"),
        Declines("card_declined", "fraudulent"),
        Succeeds,
    ),
    ("4000000000004954", "riskLevelHighest", Succeeds, Succeeds, Succeeds),
    ("4000000000009235", "riskLevelElevated", Succeeds, Succeeds, Succeeds),
    ("4000000000000101", "cvcCheckFail", Succeeds, Succeeds, Succeeds),
    ("4000000000000036", "avsZipFail", Succeeds, Succeeds, Succeeds),
    ("4000000000000028", "avsLine1Fail", Succeeds, Succeeds, Succeeds),
    ("4000000000000010", "avsFail", Succeeds, Succeeds, Succeeds),
    ("4000000000000044", "avsUnchecked", Succeeds, Succeeds, Succeeds),
    ("4000000000000259", "createDispute", Succeeds, Succeeds, Succeeds),
    ("4000000000002685", "createDisputeProductNotReceived", Succeeds, Succeeds, Succeeds),
    ("4000000000001976", "createDisputeInquiry", Succeeds, Succeeds, Succeeds),
    ("4000000000005423", "createIssuerFraudRecord", Succeeds, Succeeds, Succeeds),
    ("4000000000007726", "pendingRefund", Succeeds, Succeeds, Succeeds),
    ("4000000000005126", "refundFail", Succeeds, Succeeds, Succeeds),
    ("4000000000000077", "bypassPending", Succeeds, Succeeds, Succeeds),
    ("4000003720000278", "bypassPendingInternational", Succeeds, Succeeds, Succeeds),
    ("4000002500003155", "authenticationRequired", Asks(Done), ABSENT, Asks(Done)),
    ("4000002500003155", "authenticationRequiredOnSetup", Asks(Done), ABSENT, Asks(Done)),
    ("4000002760003184", "", Asks(Done), ABSENT, Asks(Done)),
    ("4000003800000446", "authenticationRequiredSetupForOffSession", Asks(Done), Succeeds, Asks(Done)),
    (
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        Asks(Declined("insufficient_funds")),
        ABSENT,
        Asks(Done),
    ),
    ("4000000000003220", "threeDSecure2Required", Asks(Done), ABSENT, Asks(Done)),
    ("4000008400000027", "", Asks(Done), ABSENT, Asks(Done)),
    (
        "4000008400001629",
        "threeDSecureRequiredChargeDeclined",
        Asks(Declined("generic_decline")),
        ABSENT,
        Asks(Declined("generic_decline")),
    ),
    ("4000008400001280", "threeDSecureRequiredProcessingError", GENERIC, GENERIC, GENERIC),
    ("4000000000003055", "threeDSecureOptional", Succeeds, Succeeds, Succeeds),
    ("4000000000003097", "threeDSecureOptionalProcessingError", Succeeds, Succeeds, Succeeds),
    ("378282246310005", "amex_threeDSecureNotSupported", Succeeds, Succeeds, Succeeds),
    ("4000000032200000", "", Succeeds, Succeeds, Succeeds),
];

/// A payment method of a card: the ready-made one, and one made of the number.
async fn methods(stripe: &Stripe, number: &str, name: &str) -> Vec<String> {
    let form = [("type", "card"), ("card[number]", number), ("card[exp_month]", "12"), ("card[exp_year]", "2034")];
    let mut methods = vec![stripe.make("/v1/payment_methods", &form).await.id()];
    if !name.is_empty() {
        methods.push(format!("pm_card_{name}"));
    }
    methods
}

async fn pay(stripe: &Stripe, method: &str, more: Form<'_>) -> Answer {
    let mut form = vec![("amount", "2000"), ("currency", "usd"), ("payment_method", method), ("confirm", "true")];
    form.extend_from_slice(more);
    stripe.post("/v1/payment_intents", &form).await
}

async fn save(stripe: &Stripe, method: &str) -> Answer {
    stripe.post("/v1/setup_intents", &[("payment_method", method), ("confirm", "true")]).await
}

/// The customer authenticates; the intent afterwards.
async fn authenticate(stripe: &Stripe, intent: &Answer) -> Value {
    let bank = intent.body["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().expect("a bank to ask");
    stripe.submit(bank, &[("outcome", "succeeded")]).await.body
}

async fn check(stripe: &Stripe, answer: &Answer, expected: Outcome, kind: &str, what: &str) {
    let last_error = if kind == "payment_intent" { "last_payment_error" } else { "last_setup_error" };
    match expected {
        Succeeds => assert_eq!((answer.status, &answer.body["status"]), (200, &json!("succeeded")), "{what}"),
        Asks(then) => {
            assert_eq!((answer.status, &answer.body["status"]), (200, &json!("requires_action")), "{what}");
            let after = authenticate(stripe, answer).await;
            match then {
                Done => assert_eq!(after["status"], "succeeded", "{what}"),
                Declined(decline_code) => {
                    assert_eq!(after["status"], "requires_payment_method", "{what}");
                    assert_eq!(after[last_error]["decline_code"], decline_code, "{what}");
                }
            }
        }
        Declines(code, decline_code) => {
            let error = answer.error();
            assert_eq!((answer.status, &error["type"]), (402, &json!("card_error")), "{what}");
            assert_eq!((&error["code"], &error["decline_code"]), (&json!(code), &json!(decline_code)), "{what}");
            assert_eq!(error[kind]["status"], "requires_payment_method", "{what}");
            assert_eq!(error[kind][last_error]["message"], error["message"], "{what}");
            assert_eq!(error[kind][last_error]["payment_method"]["object"], "payment_method", "{what}");
            assert_eq!(error[kind]["payment_method"], Value::Null, "{what}");
        }
    }
}

#[tokio::test]
async fn every_card_pays_or_does_not_as_documented() {
    let stripe = Stripe::start().await;
    for (number, name, paying, away, _) in CARDS {
        for method in methods(&stripe, number, name).await {
            let what = format!("{number} {name}");
            check(&stripe, &pay(&stripe, &method, &[]).await, *paying, "payment_intent", &what).await;
        }
        for method in methods(&stripe, number, name).await {
            let what = format!("{number} {name}, away");
            let answer = pay(&stripe, &method, &[("off_session", "true")]).await;
            check(&stripe, &answer, *away, "payment_intent", &what).await;
        }
    }
}

#[tokio::test]
async fn every_card_is_saved_or_not_as_documented() {
    let stripe = Stripe::start().await;
    for (number, name, _, _, saving) in CARDS {
        for method in methods(&stripe, number, name).await {
            check(&stripe, &save(&stripe, &method).await, *saving, "setup_intent", &format!("{number} {name}")).await;
        }
    }
}

#[tokio::test]
async fn cards_that_decline_cannot_be_attached_and_others_can() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    for (number, name, paying, _, saving) in CARDS {
        for method in methods(&stripe, number, name).await {
            let path = format!("/v1/payment_methods/{method}/attach");
            let attached = stripe.post(&path, &[("customer", &customer)]).await;
            // What fails only when the bank is asked to authenticate does not fail here.
            let refused = matches!((paying, saving), (Declines(..), Declines(..))) && !name.contains("threeDSecure");
            assert_eq!(attached.status, if refused { 402 } else { 200 }, "{number} {name}");
        }
    }
}

#[tokio::test]
async fn a_card_that_was_set_up_pays_while_its_customer_is_away() {
    let stripe = Stripe::start().await;
    let cases = [
        ("pm_card_authenticationRequiredOnSetup", Succeeds),
        ("pm_card_threeDSecure2Required", ABSENT),
        ("pm_card_authenticationRequiredSetupForOffSession", Succeeds),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            Declines("card_declined", "insufficient_funds"),
        ),
    ];
    for (card, expected) in cases {
        let customer = stripe.make("/v1/customers", &[]).await.id();
        let form = [("customer", customer.as_str()), ("payment_method", card), ("confirm", "true")];
        let saved = authenticate(&stripe, &stripe.make("/v1/setup_intents", &form).await).await;
        let method = saved["payment_method"].as_str().unwrap();
        let away = [("customer", customer.as_str()), ("off_session", "true")];
        check(&stripe, &pay(&stripe, method, &away).await, expected, "payment_intent", card).await;
        let here = pay(&stripe, method, &away[..1]).await;
        assert_eq!(here.body["status"], "requires_action", "{card} asks a customer who is there");
    }
}

#[tokio::test]
async fn a_merchant_can_ask_for_authentication() {
    let stripe = Stripe::start().await;
    for (card, asks) in [("pm_card_threeDSecureOptional", true), ("pm_card_visa", false), ("pm_card_amex", false)] {
        for wish in ["any", "challenge"] {
            let wish = [("payment_method_options[card][request_three_d_secure]", wish)];
            let paid = pay(&stripe, card, &wish).await;
            assert_eq!(paid.body["status"] == "requires_action", asks, "{card}");
            let mut form = vec![("payment_method", card), ("confirm", "true")];
            form.extend_from_slice(&wish);
            let saved = stripe.make("/v1/setup_intents", &form).await;
            assert_eq!(saved.body["status"] == "requires_action", asks, "{card}");
        }
    }
    let asked = pay(&stripe, "pm_card_threeDSecure2Required", &[]).await;
    let paid = authenticate(&stripe, &asked).await;
    let charge = stripe.get(&format!("/v1/charges/{}", paid["latest_charge"].as_str().unwrap()), &[]).await.body;
    let authenticated = &charge["payment_method_details"]["card"]["three_d_secure"];
    assert_eq!(
        (&authenticated["result"], &authenticated["authentication_flow"]),
        (&json!("authenticated"), &json!("challenge"))
    );
}

#[tokio::test]
async fn a_bank_tells_what_it_checked() {
    let stripe = Stripe::start().await;
    let cases = [
        ("4242424242424242", ["pass", "pass", "pass"]),
        ("4000000000000101", ["fail", "pass", "pass"]),
        ("4000000000000036", ["pass", "pass", "fail"]),
        ("4000000000000028", ["pass", "fail", "pass"]),
        ("4000000000000010", ["pass", "fail", "fail"]),
        ("4000000000000044", ["pass", "unavailable", "unavailable"]),
    ];
    for (number, [cvc, line1, postal_code]) in cases {
        let mut form =
            vec![("type", "card"), ("card[number]", number), ("card[exp_month]", "12"), ("card[exp_year]", "2034")];
        let silent = stripe.make("/v1/payment_methods", &form).await.body;
        let nothing = json!({"address_line1_check": null, "address_postal_code_check": null, "cvc_check": null});
        assert_eq!(silent["card"]["checks"], nothing, "{number}: nothing was told");
        form.extend_from_slice(&[
            ("card[cvc]", "123"),
            ("billing_details[address][line1]", "1 Main Street"),
            ("billing_details[address][postal_code]", "12345"),
        ]);
        let told = stripe.make("/v1/payment_methods", &form).await.body;
        let expected =
            json!({"address_line1_check": line1, "address_postal_code_check": postal_code, "cvc_check": cvc});
        assert_eq!(told["card"]["checks"], expected, "{number}");
    }
}

#[tokio::test]
async fn cards_are_from_where_they_say() {
    let stripe = Stripe::start().await;
    let cases = [
        ("pm_card_us", "US", "visa", "credit"),
        ("pm_card_br", "BR", "visa", "credit"),
        ("pm_card_gb_debit", "GB", "visa", "debit"),
        ("pm_card_ae_mastercard", "AE", "mastercard", "credit"),
        ("pm_card_jcb", "JP", "jcb", "credit"),
        ("pm_card_mastercard_prepaid", "US", "mastercard", "prepaid"),
        ("pm_card_threeDSecure2Required", "IE", "visa", "credit"),
    ];
    for (name, country, brand, funding) in cases {
        let card = stripe.get(&format!("/v1/payment_methods/{name}"), &[]).await.body["card"].clone();
        let told = [&card["country"], &card["brand"], &card["funding"]];
        assert_eq!(told, [&json!(country), &json!(brand), &json!(funding)], "{name}");
    }
    let amex = stripe.get("/v1/payment_methods/pm_card_amex", &[]).await.body;
    assert_eq!(amex["card"]["three_d_secure_usage"]["supported"], false);
}
