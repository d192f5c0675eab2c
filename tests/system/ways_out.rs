//! What went wrong says why and what to do, in the words of the simulator's own errors.

use host::contract::{Access, Error, ErrorKind, Outcome};
use serde_json::{Value, json};
use stripe_simulator::{Options, Simulator};

use crate::platform::{KEY, Platform, Shop, refused};
use crate::scripted::{Act, Scripted, answer};

fn hint(error: &Error) -> &str {
    error.hint.as_deref().unwrap_or_else(|| panic!("no hint: {error:?}"))
}

/// The note beside what a query found.
async fn note(platform: &Platform, operation: &str, input: Value) -> Option<String> {
    let found = platform.connector.run_query(&platform.fresh(), operation, &input.to_string(), None).await;
    let extras = found.expect("found").value.metadata.extras;
    extras.into_iter().find(|e| e.name == "note").map(|e| serde_json::from_str(&e.value).expect("JSON"))
}

async fn price(shop: &Shop, recurring: bool) -> Value {
    let product = shop.platform.act("product.create", json!({"name": "Plan"})).await;
    let mut input = json!({"product": product["id"], "unit_amount": 900, "currency": "usd"});
    if recurring {
        input["recurring"] = json!({"interval": "month"});
    }
    shop.platform.act("price.create", input).await["id"].clone()
}

#[tokio::test]
async fn a_checkout_in_the_wrong_mode_says_which_is_right() {
    let shop = Shop::open().await;
    for (mode, recurring, says) in
        [("payment", true, "needs mode `subscription`"), ("subscription", false, "use mode `payment`")]
    {
        let price = price(&shop, recurring).await;
        let input = json!({"mode": mode, "line_items": [{"price": price, "quantity": 1}], "success_url": "https://example.com"});
        let error = shop.platform.refused("checkout_session.create", &input.to_string()).await;
        assert!(hint(&error).contains(says), "{error:?}");
        assert_eq!(error.outcome, Outcome::Rejected);
    }
    shop.checked_requests();
}

#[tokio::test]
async fn a_subscription_that_nothing_pays_for_says_what_it_needs() {
    let shop = Shop::open().await;
    let customer = shop.platform.act("customer.create", json!({})).await;
    let input = json!({"customer": customer["id"], "items": [{"price": price(&shop, true).await}]});
    let error = shop.platform.refused("subscription.create", &input.to_string()).await;
    assert!(hint(&error).contains("invoice_settings.default_payment_method"), "{error:?}");
    assert_eq!(error.kind, ErrorKind::Conflict);
    shop.checked_requests();
}

#[tokio::test]
async fn what_was_deleted_and_what_never_was_are_two_things() {
    let shop = Shop::open().await;
    let customer = shop.platform.act("customer.create", json!({"name": "Ada"})).await;
    shop.platform.act("customer.delete", json!({"customer": customer["id"]})).await;
    let update = |id: &Value| json!({"customer": id, "name": "Bob"}).to_string();
    let deleted = shop.platform.refused("customer.update", &update(&customer["id"])).await;
    assert_eq!((deleted.kind.clone(), deleted.field.as_deref()), (ErrorKind::NotFound, Some("customer")));
    assert!(hint(&deleted).contains("was deleted"), "{deleted:?}");
    let missing = shop.platform.refused("customer.update", &update(&json!("cus_NeverWas"))).await;
    assert!(!hint(&missing).contains("deleted") && hint(&missing).contains("test and live"), "{missing:?}");
    let said = note(&shop.platform, "customer.retrieve", json!({"customer": customer["id"]})).await;
    assert!(said.is_some_and(|n| n.contains("was deleted")));
    shop.checked_requests();
}

#[tokio::test]
async fn an_amount_that_is_too_small_or_in_no_currency_says_how_amounts_count() {
    let shop = Shop::open().await;
    let small = shop.platform.refused("payment_intent.create", r#"{"amount":10,"currency":"usd"}"#).await;
    assert!(hint(&small).contains("smallest unit"), "{small:?}");
    let unknown = shop.platform.refused("payment_intent.create", r#"{"amount":1000,"currency":"xyz"}"#).await;
    assert!(hint(&unknown).contains("does not take this currency"), "{unknown:?}");
    assert_eq!(unknown.field.as_deref(), Some("currency"));
    shop.checked_requests();
}

#[tokio::test]
async fn a_search_that_does_not_parse_and_a_list_without_anything_say_why() {
    let shop = Shop::open().await;
    let call = shop.platform.fresh();
    let input = r#"{"query":"email is ada"}"#;
    let error = refused(shop.platform.connector.run_query(&call, "customer.search", input, None).await);
    assert!(hint(&error).contains("joined by AND or OR") && error.message.contains("parse"), "{error:?}");
    assert_eq!(error.field.as_deref(), Some("query"));
    let said = note(&shop.platform, "customer.list", json!({"email": "nobody@example.com"})).await;
    assert!(said.is_some_and(|n| n.contains("`email`") && n.contains("live mode")));
    let said = note(&shop.platform, "customer.search", json!({"query": "email:\"nobody@example.com\""})).await;
    assert!(said.is_some_and(|n| n.contains("lags behind")));
    shop.checked_requests();
}

#[tokio::test]
async fn the_least_permissions_of_a_workflow_are_enough_for_it_and_no_more() {
    let key = "rk_test_51Workflow";
    let chosen = ["customer.list", "customer.create", "refund.create"].map(str::to_owned);
    let planning = Platform::new("http://127.0.0.1:1");
    let least = planning.connector.permissions(&chosen).await.expect("offline").value;
    let grants: Vec<String> = least.iter().filter_map(|p| p.grant.clone()).collect();
    assert_eq!(grants, ["rak_customer_write", "rak_charge_write"]);
    assert!(least.iter().all(|p| p.access == Access::Unknown && !p.operations.is_empty()));

    let options = Options { restricted_keys: vec![(key.to_owned(), grants)], ..Options::default() };
    let simulator = Simulator::start_with(options).await.expect("a simulator");
    let platform = Platform::new(&simulator.base_url());
    let call = |run: &str| platform.call_with(run, &[("api_key", key)]);
    platform.connector.run_action(&call("a"), "customer.create", "{}").await.expect("allowed");
    platform.connector.run_query(&call("b"), "customer.list", "{}", None).await.expect("allowed");
    let no_charge = r#"{"charge":"ch_NeverWas"}"#;
    let error = refused(platform.connector.run_action(&call("c"), "refund.create", no_charge).await);
    assert_eq!(error.kind, ErrorKind::NotFound, "allowed, and there is nothing to refund: {error:?}");

    let error = refused(platform.connector.run_action(&call("d"), "product.create", r#"{"name":"x"}"#).await);
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Permission, Outcome::Rejected));
    assert!(hint(&error).contains("Grant rak_product_write (Products: Write)"), "{error:?}");

    let report = platform.connector.test_connection(&call("e")).await.expect("connected").value;
    let access = |operation: &str| {
        report.permissions.iter().find(|p| p.operations.iter().any(|o| o == operation)).expect(operation).access
    };
    assert_eq!(
        [access("customer.list"), access("customer.create"), access("product.create"), access("balance.retrieve")],
        [Access::Allowed, Access::Unknown, Access::Denied, Access::Denied]
    );
}

#[tokio::test]
async fn an_operation_that_does_not_exist_has_no_permissions() {
    let shop = Shop::open().await;
    let error = refused(shop.platform.connector.permissions(&["refund.creat".to_owned()]).await);
    assert_eq!(error.kind, ErrorKind::UnknownOperation);
    assert!(hint(&error).contains("refund.create"), "{error:?}");
}

/// What Stripe answers, and what a person is told: the kind, and a word of the cause and of the way out.
struct Told {
    answers: (u16, &'static str),
    kind: ErrorKind,
    field: Option<&'static str>,
    says: &'static [&'static str],
}

/// The errors that other tools tell their users of.
#[tokio::test]
async fn every_error_that_other_tools_name_has_a_cause_and_a_way_out() {
    let declined = |reason: &str| {
        format!(
            r#"{{"type":"card_error","code":"card_declined","decline_code":"{reason}","message":"Your card was declined."}}"#
        )
    };
    let told = |answers, kind, field, says| Told { answers, kind, field, says };
    let mut table = vec![
        told(
            (
                400,
                r#"{"type":"invalid_request_error","code":"parameter_missing","param":"amount","message":"Missing required param: amount."}"#,
            ),
            ErrorKind::InvalidInput,
            Some("amount"),
            &["Fill in the field"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used to make this request."}"#,
            ),
            ErrorKind::NotFound,
            Some("customer"),
            &["live"],
        ),
        told(
            (
                404,
                r#"{"type":"invalid_request_error","code":"resource_missing","param":"id","message":"No such charge: 'ch_1'"}"#,
            ),
            ErrorKind::NotFound,
            None,
            &["test and live"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","code":"resource_missing","param":"subscription","message":"No such subscription: 'sub_1'"}"#,
            ),
            ErrorKind::NotFound,
            None,
            &["test and live"],
        ),
        told(
            (401, r#"{"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_****"}"#),
            ErrorKind::Authentication,
            None,
            &["apikeys"],
        ),
        told(
            (401, r#"{"type":"invalid_request_error","code":"api_key_expired","message":"Expired API Key provided"}"#),
            ErrorKind::Authentication,
            None,
            &["expired", "apikeys"],
        ),
        told(
            (
                403,
                r#"{"type":"invalid_request_error","code":"secret_key_required","message":"This API call cannot be made with a publishable API key. Please use a secret API key."}"#,
            ),
            ErrorKind::Permission,
            None,
            &["publishable", "secret"],
        ),
        told(
            (
                402,
                r#"{"type":"card_error","code":"authentication_required","decline_code":"authentication_required","message":"Your card was declined. This transaction requires authentication."}"#,
            ),
            ErrorKind::Declined,
            None,
            &["customer"],
        ),
        told(
            (
                402,
                r#"{"type":"card_error","code":"incorrect_cvc","message":"Your card's security code is incorrect."}"#,
            ),
            ErrorKind::Declined,
            None,
            &["security code"],
        ),
        told(
            (402, r#"{"type":"card_error","code":"expired_card","message":"Your card has expired."}"#),
            ErrorKind::Declined,
            None,
            &["expired", "current"],
        ),
        told(
            (429, r#"{"type":"invalid_request_error","code":"rate_limit","message":"Request rate limit exceeded."}"#),
            ErrorKind::RateLimited,
            None,
            &["Too many", "wait"],
        ),
        told(
            (
                409,
                r#"{"type":"idempotency_error","code":"idempotency_key_in_use","message":"There is currently another in-progress request using this Idempotent Key"}"#,
            ),
            ErrorKind::Idempotency,
            None,
            &["already", "wait"],
        ),
        told(
            (
                400,
                r#"{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters they were first used with."}"#,
            ),
            ErrorKind::Idempotency,
            None,
            &["used before", "new run"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","message":"You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices."}"#,
            ),
            ErrorKind::Rejected,
            None,
            &["subscription", "one-time"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","code":"resource_missing","message":"This customer has no attached payment source or default payment method. Please consider adding a default payment method."}"#,
            ),
            ErrorKind::Conflict,
            None,
            &["default_payment_method", "send_invoice"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","code":"amount_too_small","param":"amount","message":"Amount must be at least $0.50 usd"}"#,
            ),
            ErrorKind::InvalidInput,
            Some("amount"),
            &["smallest unit"],
        ),
        told(
            (
                400,
                r#"{"type":"invalid_request_error","param":"currency","message":"Invalid currency: xyz. Stripe currently supports these currencies: usd, eur"}"#,
            ),
            ErrorKind::InvalidInput,
            Some("currency"),
            &["does not take this currency"],
        ),
    ];
    let reasons: Vec<(String, &'static [&'static str])> = vec![
        (declined("insufficient_funds"), &["too little money", "another"]),
        (declined("incorrect_cvc"), &["security code", "again"]),
        (declined("expired_card"), &["expired", "current"]),
        (declined("lost_card"), &["fraud", "another card"]),
        (declined("stolen_card"), &["fraud", "another card"]),
        (declined("generic_decline"), &["customer"]),
        (declined("fraudulent"), &["Radar", "another card"]),
    ];
    table.extend(reasons.into_iter().map(|(body, says)| told((402, body.leak()), ErrorKind::Declined, None, says)));
    let mut wrong = Vec::new();
    for told in table {
        let (status, body) = told.answers;
        let answered = format!(r#"{{"error":{body}}}"#);
        let answered = answer(status, "Request-Id: req_1\r\nStripe-Should-Retry: false\r\n", &answered);
        let server = Scripted::start(move |_, _| Act::Answer(answered.clone())).await;
        let platform = Platform::new(&server.base());
        let input = r#"{"amount":1099,"currency":"usd"}"#;
        let error = refused(platform.connector.run_action(&platform.fresh(), "payment_intent.create", input).await);
        let is_told = told.says.iter().all(|part| hint(&error).contains(part));
        let at_its_field = told.field.is_none() || error.field.as_deref() == told.field;
        if error.kind != told.kind || !is_told || !at_its_field {
            wrong.push(format!("{body}: {:?} at {:?}: {}", error.kind, error.field, hint(&error)));
        }
        assert!(!format!("{error:?}").contains(KEY));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn where_a_search_is_wrong_is_told_in_stripes_words() {
    let said = "We were unable to parse your search query. Unexpected token `is` at position 6.";
    let body = json!({"error": {"type": "invalid_request_error", "param": "query", "message": said}}).to_string();
    let server = Scripted::start(move |_, _| Act::Answer(answer(400, "Request-Id: req_1\r\n", &body))).await;
    let platform = Platform::new(&server.base());
    let input = r#"{"query":"email is ada"}"#;
    let error = refused(platform.connector.run_query(&platform.fresh(), "customer.search", input, None).await);
    assert_eq!((error.message.as_str(), error.field.as_deref()), (said, Some("query")));
    assert!(hint(&error).contains("joined by AND or OR"), "{error:?}");
}

/// Beside each other at the top and within lists; what is false or unset excludes nothing.
#[tokio::test]
async fn fields_that_exclude_each_other_are_refused_together() {
    let shop = Shop::open().await;
    for (operation, input, field, other) in [
        (
            "price.create",
            json!({"currency": "usd", "product": "prod_1", "unit_amount": 5, "unit_amount_decimal": "5.5"}),
            "unit_amount_decimal",
            "`unit_amount`",
        ),
        ("coupon.create", json!({"percent_off": 5, "amount_off": 5, "currency": "usd"}), "percent_off", "amount_off"),
        (
            "subscription.create",
            json!({"customer": "cus_1", "items": [{"price": "price_1", "price_data": {"currency": "usd", "product": "prod_1",
                "recurring": {"interval": "month"}, "unit_amount": 5}}]}),
            "items[0].price_data",
            "`price`",
        ),
        (
            "subscription.create",
            json!({"customer": "cus_1", "items": [{"price": "p"}], "trial_end": "now", "trial_period_days": 3}),
            "trial_period_days",
            "trial_end",
        ),
        (
            "checkout_session.create",
            json!({"mode": "setup", "customer": "cus_1", "customer_email": "a@example.com"}),
            "customer_email",
            "`customer`",
        ),
    ] {
        let error = shop.platform.refused(operation, &input.to_string()).await;
        assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::InvalidInput, Outcome::NotSent), "{error:?}");
        assert!(
            error.message.contains(other) && error.message.contains(field.rsplit('.').next().unwrap()),
            "{error:?}"
        );
        assert!(
            error
                .field
                .as_deref()
                .is_some_and(|f| f.starts_with(field.split('.').next().unwrap()) || f == "amount_off"),
            "{error:?}"
        );
    }
    assert!(shop.simulator.requests().is_empty());
}
