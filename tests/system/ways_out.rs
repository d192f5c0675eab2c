//! What went wrong says why and what to do, in the words of the simulator's own errors.

use host::contract::{Access, Error, ErrorKind, Outcome};
use serde_json::{Value, json};
use stripe_simulator::{Options, Simulator};

use crate::platform::{Platform, Shop, refused};

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
