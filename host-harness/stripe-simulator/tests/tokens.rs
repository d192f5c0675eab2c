//! Tokens and confirmation tokens stand for something once.

use crate::stripe::{Answer, Form, Stripe};

const CARD: [(&str, &str); 5] = [
    ("card[number]", "4242424242424242"),
    ("card[exp_month]", "8"),
    ("card[exp_year]", "2044"),
    ("card[cvc]", "314"),
    ("card[name]", "Jenny Rosen"),
];

async fn card(stripe: &Stripe) -> Answer {
    stripe.make("/v1/tokens", &CARD).await
}

async fn used(stripe: &Stripe, token: &str) -> bool {
    stripe.get(&format!("/v1/tokens/{token}"), &[]).await.body["used"].as_bool().unwrap()
}

async fn is_refused(stripe: &Stripe, path: &str, form: Form<'_>) {
    let answer = stripe.post(path, form).await;
    assert_eq!((answer.status, answer.error()["code"].as_str()), (400, Some("token_already_used")), "{}", answer.text);
}

#[tokio::test]
async fn a_card_token_is_used_once() {
    let stripe = Stripe::start().await;
    let token = card(&stripe).await;
    assert_eq!((&token.body["type"], &token.body["used"]), (&"card".into(), &false.into()));
    assert_eq!((&token.body["card"]["last4"], &token.body["card"]["cvc_check"]), (&"4242".into(), &"unchecked".into()));
    let id = token.id();
    let form = [("type", "card"), ("card[token]", id.as_str())];
    let method = stripe.make("/v1/payment_methods", &form).await;
    assert_eq!((&method.body["card"]["exp_month"], &method.body["card"]["exp_year"]), (&8.into(), &2044.into()));
    assert_eq!(method.body["billing_details"]["name"], "Jenny Rosen");
    assert_eq!(method.body["card"]["checks"]["cvc_check"], "pass");
    assert!(used(&stripe, &id).await);
    is_refused(&stripe, "/v1/payment_methods", &form).await;
    is_refused(&stripe, "/v1/customers", &[("source", &id)]).await;
    is_refused(&stripe, "/v1/charges", &[("amount", "500"), ("currency", "usd"), ("source", &id)]).await;
    assert!(stripe.get("/v1/customers", &[]).await.ids().is_empty());
}

#[tokio::test]
async fn a_token_becomes_a_card_of_a_customer_under_the_same_id() {
    let stripe = Stripe::start().await;
    let token = card(&stripe).await;
    let customer = stripe.make("/v1/customers", &[("source", &token.id())]).await;
    assert_eq!(customer.body["default_source"], token.body["card"]["id"]);
    let other = card(&stripe).await.id();
    let charge = stripe.make("/v1/charges", &[("amount", "500"), ("currency", "usd"), ("source", &other)]).await;
    assert_eq!((&charge.body["paid"], used(&stripe, &other).await), (&true.into(), true));
    // The ready-made ones stand for something new each time.
    for _ in 0..2 {
        stripe.make("/v1/customers", &[("source", "tok_visa")]).await;
    }
}

#[tokio::test]
async fn details_that_are_wrong_make_no_token() {
    let stripe = Stripe::start().await;
    let with = |name: &'static str, value: &'static str| CARD.map(|(n, v)| if n == name { (n, value) } else { (n, v) });
    for (name, value, code) in [
        ("card[number]", "4242424242424241", "incorrect_number"),
        ("card[exp_month]", "13", "invalid_expiry_month"),
        ("card[exp_month]", "may", "invalid_expiry_month"),
        ("card[exp_year]", "2001", "invalid_expiry_year"),
        ("card[cvc]", "1", "invalid_cvc"),
    ] {
        let answer = stripe.post("/v1/tokens", &with(name, value)).await;
        assert_eq!((answer.status, &answer.error()["code"]), (402, &code.into()), "{}", answer.text);
    }
    assert_eq!(stripe.post("/v1/tokens", &[]).await.status, 400);
    let two = stripe.post("/v1/tokens", &[&CARD[..], &[("pii[id_number]", "1")]].concat()).await;
    assert_eq!(two.error()["code"], "parameters_exclusive");
    assert_eq!(stripe.get("/v1/tokens/tok_none", &[]).await.status, 404);
}

#[tokio::test]
async fn a_bank_account_token_becomes_an_external_account() {
    let stripe = Stripe::start().await;
    let form = |routing: &'static str| {
        [
            ("bank_account[country]", "US"),
            ("bank_account[currency]", "usd"),
            ("bank_account[account_number]", "000111111113"),
            ("bank_account[routing_number]", routing),
            ("bank_account[account_holder_name]", "Jenny Rosen"),
        ]
    };
    let wrong = stripe.post("/v1/tokens", &form("110000001")).await;
    assert_eq!(wrong.error()["code"], "routing_number_invalid");
    let token = stripe.make("/v1/tokens", &form("110000000")).await;
    assert!(token.id().starts_with("btok_"));
    let account = stripe.make("/v1/accounts", &[("type", "custom")]).await.id();
    let path = format!("/v1/accounts/{account}/external_accounts");
    let external = stripe.make(&path, &[("external_account", &token.id())]).await;
    assert_eq!(external.body["id"], token.body["bank_account"]["id"]);
    assert_eq!((&external.body["last4"], &external.body["account"]), (&"1113".into(), &account.as_str().into()));
    is_refused(&stripe, &path, &[("external_account", &token.id())]).await;
    for (kind, parameter, prefix) in [
        ("pii", "pii[id_number]", "pii_"),
        ("person", "person[first_name]", "cpt_"),
        ("cvc_update", "cvc_update[cvc]", "cvctok_"),
    ] {
        let token = stripe.make("/v1/tokens", &[(parameter, "123")]).await;
        assert_eq!(token.body["type"], kind);
        assert!(token.id().starts_with(prefix), "{}", token.text);
        assert!(!token.text.contains("\"123\""), "{}", token.text);
    }
}

#[tokio::test]
async fn a_confirmation_token_confirms_one_payment() {
    let stripe = Stripe::start().await;
    let path = "/v1/test_helpers/confirmation_tokens";
    let form = [
        ("payment_method", "pm_card_mastercard"),
        ("setup_future_usage", "off_session"),
        ("shipping[name]", "Jenny Rosen"),
        ("shipping[address][line1]", "1 Street"),
    ];
    let token = stripe.make(path, &form).await;
    assert_eq!(token.body["payment_method_preview"]["card"]["brand"], "mastercard");
    assert_eq!(token.body["expires_at"].as_i64().unwrap() - token.body["created"].as_i64().unwrap(), 43_200);
    let intent = stripe.make("/v1/payment_intents", &[("amount", "900"), ("currency", "usd")]).await.id();
    let confirm = format!("/v1/payment_intents/{intent}/confirm");
    let paid = stripe.make(&confirm, &[("confirmation_token", &token.id()), ("expand[]", "payment_method")]).await;
    assert_eq!(paid.body["status"], "succeeded");
    assert_eq!(paid.body["payment_method"]["card"]["brand"], "mastercard");
    assert_eq!(paid.body["shipping"]["name"], "Jenny Rosen");
    assert_eq!(paid.body["setup_future_usage"], "off_session");
    let spent = stripe.get(&format!("/v1/confirmation_tokens/{}", token.id()), &[]).await;
    assert_eq!(spent.body["payment_intent"], intent.as_str());
    let again = [("amount", "900"), ("currency", "usd"), ("confirm", "true"), ("confirmation_token", &token.id())];
    let again = stripe.post("/v1/payment_intents", &again).await;
    assert_eq!((again.status, &again.error()["param"]), (400, &"confirmation_token".into()), "{}", again.text);
    assert_eq!(stripe.get("/v1/payment_intents", &[]).await.ids().len(), 1);
}

#[tokio::test]
async fn a_confirmation_token_sets_up_a_card_and_expires() {
    let stripe = Stripe::start().await;
    let path = "/v1/test_helpers/confirmation_tokens";
    let data = [("payment_method_data[type]", "us_bank_account"), ("payment_method_data[billing_details][name]", "Jo")];
    let token = stripe.make(path, &data).await;
    assert_eq!(token.body["payment_method_preview"]["billing_details"]["name"], "Jo");
    let token = stripe.make(path, &[("payment_method", "pm_card_visa")]).await;
    let form = [("confirm", "true"), ("confirmation_token", &token.id())];
    let done = stripe.make("/v1/setup_intents", &form).await;
    assert_eq!(done.body["status"], "succeeded");
    let spent = stripe.get(&format!("/v1/confirmation_tokens/{}", token.id()), &[]).await;
    assert_eq!(spent.body["setup_intent"], done.body["id"]);
    let idle = stripe.post("/v1/setup_intents", &[("confirmation_token", &token.id())]).await;
    assert_eq!(idle.error()["param"], "confirmation_token");
    let token = stripe.make(path, &[("payment_method", "pm_card_visa")]).await.id();
    let skew = [("kind", "clock_skew"), ("seconds", "43201")];
    assert_eq!(stripe.submit("/_simulator/faults", &skew).await.status, 200);
    let late = stripe.post("/v1/setup_intents", &[("confirm", "true"), ("confirmation_token", &token)]).await;
    assert!(late.error()["message"].as_str().unwrap().contains("expired"), "{}", late.text);
}
