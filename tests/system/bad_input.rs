//! Everything that is wrong is said before anything is sent, with the field and the fix.

use host::contract::{DescribeRequest, Environment, Error, ErrorKind, Outcome, RetryAdvice};
use host::{Call, Invocation};
use serde_json::json;

use crate::platform::{KEY, Platform, Shop, refused};

/// The error of an action with this connection.
async fn with_connection(platform: &Platform, environment: Environment, fields: &[(&str, &str)]) -> Error {
    let call = Call::new(platform.connection(environment, fields), Invocation::new("bad"));
    let error = refused(platform.connector.run_action(&call, "customer.create", "{}").await);
    let tested = refused(platform.connector.test_connection(&call).await);
    assert_eq!(error.message, tested.message, "a call and the connection test agree");
    error
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_refused_by_its_field() {
    let shop = Shop::open().await;
    for (fields, field, says) in [
        (vec![], "api_key", "no API key"),
        (vec![("api_key", "pk_test_51abc")], "api_key", "publishable"),
        (vec![("api_key", "sk_test_51 abc")], "api_key", "space inside"),
        (vec![("api_key", "sk_live_51abc")], "api_key", "development"),
        (vec![("api_key", "rk_live_51abc")], "api_key", "development"),
        (vec![("api_key", "whsec_abc")], "api_key", "webhook signing secret"),
        (vec![("api_key", "hunter2")], "api_key", "does not begin with"),
        (vec![("api_key", KEY), ("account", "cus_1")], "account", "acct_"),
        (vec![("api_key", KEY), ("api_base", "http://api.example.com")], "api_base", "https://"),
    ] {
        let error = with_connection(&shop.platform, Environment::Development, &fields).await;
        assert_eq!(
            (error.kind.clone(), error.field.as_deref()),
            (ErrorKind::InvalidConnection, Some(field)),
            "{fields:?}"
        );
        assert!(error.message.contains(says), "{}", error.message);
        assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::NotSent, RetryAdvice::Never, 0));
        assert!(error.hint.is_some() || field != "api_key", "{error:?}");
        for secret in ["51abc", "hunter2"] {
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    }
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn an_input_that_cannot_work_is_refused_by_its_path() {
    let shop = Shop::open().await;
    let big = json!({"description": "x".repeat(2 << 20)}).to_string();
    let many: serde_json::Map<_, _> = (0..51).map(|i| (format!("k{i}"), json!("v"))).collect();
    let many = json!({"metadata": many}).to_string();
    for (operation, input, field, says) in [
        ("payment_intent.create", r#"{"currency":"usd"}"#, "amount", "required"),
        ("payment_intent.create", r#"{"amount":"1099","currency":"usd"}"#, "amount", "whole number"),
        ("payment_intent.create", r#"{"amount":10.99,"currency":"usd"}"#, "amount", "whole number"),
        ("payment_intent.create", r#"{"amount":-1,"currency":"usd"}"#, "amount", "at least 1"),
        ("payment_intent.create", r#"{"amount":1,"currency":"dollar"}"#, "currency", "three letters"),
        ("price.create", r#"{"unit_amount":-1,"currency":"usd","product":"prod_1"}"#, "unit_amount", "negative"),
        ("customer.create", r#"{"emial":"a@b.c"}"#, "emial", "no field"),
        ("customer.create", r#"{"address":{"city":1}}"#, "address.city", "must be text"),
        (
            "subscription.create",
            r#"{"customer":"cus_1","items":[{"price":"price_1"},{"prize":1}]}"#,
            "items[1].prize",
            "no field",
        ),
        ("customer.create", many.as_str(), "metadata", "at most 50"),
        ("customer.create", r#"{"metadata":{"a[b":"c"}}"#, "metadata.a[b", "must not contain"),
        ("customer.create", "not json", "", "not JSON"),
        ("customer.create", "[]", "", "JSON object"),
        ("customer.create", big.as_str(), "", "KiB"),
        ("refund.create", "{}", "payment_intent", "exactly one"),
    ] {
        let error = shop.platform.refused(operation, input).await;
        assert_eq!(
            (error.kind.clone(), error.field.as_deref()),
            (ErrorKind::InvalidInput, Some(field).filter(|f| !f.is_empty())),
            "{operation}: {error:?}"
        );
        assert!(error.message.contains(says), "{operation}: {}", error.message);
        assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::NotSent, RetryAdvice::Never, 0));
    }
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn an_unknown_operation_is_refused_with_the_nearest_names() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    for (given, meant) in
        [("customer.creat", "customer.create"), ("refund", "refund.create"), ("REFND.CREATE", "refund.create")]
    {
        let error = p.refused(given, "{}").await;
        assert_eq!(error.kind.clone(), ErrorKind::UnknownOperation);
        assert!(error.hint.as_deref().is_some_and(|h| h.contains(meant)), "{error:?}");
    }
    let error = p.refused("customer.list", "{}").await;
    assert!(error.hint.as_deref().is_some_and(|h| h.contains("is a query")), "{error:?}");
    let error = refused(p.connector.describe_operation(DescribeRequest::shown("invoice.payed")).await);
    assert!(error.hint.as_deref().is_some_and(|h| h.contains("invoice.paid")), "{error:?}");
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn an_invocation_without_a_usable_id_is_refused() {
    let shop = Shop::open().await;
    for id in ["", "two words", "line\nbreak", &"x".repeat(201)] {
        let error = refused(shop.platform.connector.run_action(&shop.platform.call(id), "customer.create", "{}").await);
        assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::InvalidInput, Some("invocation.id")));
    }
    let mut call = shop.platform.fresh();
    call.invocation = call.invocation.with_idempotency_key("k".repeat(256));
    let error = refused(shop.platform.connector.run_action(&call, "customer.create", "{}").await);
    assert_eq!(error.field.as_deref(), Some("invocation.idempotency-key"));
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn a_query_that_gets_through_nowhere_is_bad_input() {
    let shop = Shop::open().await;
    let input = json!({"email": "x".repeat(70_000)}).to_string();
    let asked = shop.platform.connector.run_query(&shop.platform.fresh(), "customer.list", &input, None).await;
    let error = refused(asked);
    assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::InvalidInput, Some("email")), "{error:?}");
    assert_eq!((error.outcome, error.retry, error.attempts), (Outcome::NotSent, RetryAdvice::Never, 0));
    assert!(error.message.contains("16 KiB"), "{}", error.message);
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn a_wrong_id_in_the_path_is_told_by_the_inputs_own_field() {
    let shop = Shop::open().await;
    let input = json!({"customer": "cus_doesnotexist"}).to_string();
    let asked = shop.platform.connector.run_query(&shop.platform.fresh(), "customer.retrieve", &input, None).await;
    let error = refused(asked);
    assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::NotFound, Some("customer")), "{error:?}");
}
