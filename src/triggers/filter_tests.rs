//! Which filters there are, and which events they let pass.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;

fn filter(trigger: &str, input: &str) -> Result<Filter> {
    Filter::read("input", directory::find(trigger).expect(trigger), input)
}

fn offered(trigger: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(&input_schema(directory::find(trigger).expect(trigger))).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
    let mut names: Vec<String> = schema["properties"].as_object().expect("properties").keys().cloned().collect();
    names.sort();
    names
}

/// Whether an event about this object passes; without one, whether it may.
fn passes(filter: &Filter, account: Option<&str>, object: Option<Value>) -> bool {
    let text = json!({"id": "evt_1", "type": "a", "created": 1, "livemode": false}).to_string();
    let event = Doc::scan_str(&text).expect("JSON");
    let head = Head::read(event.root()).expect("an event");
    let object = object.map(|object| object.to_string());
    let object = object.as_ref().map(|text| Doc::scan_str(text).expect("JSON"));
    filter.passes(&head, account, object.as_ref().map(Doc::root))
}

#[test]
fn a_filter_is_offered_where_every_object_of_the_trigger_has_what_it_asks_for() {
    let mut all = NAMES.map(str::to_owned);
    all.sort();
    assert_eq!(offered("payment_intent.succeeded"), all);
    assert_eq!(offered("customer.created"), ["accounts", "currency", "customer", "livemode"]);
    assert_eq!(offered("customer.subscription.*"), ["accounts", "currency", "customer", "livemode", "status"]);
    assert_eq!(offered("balance.available"), ["accounts", "livemode"]);
    assert_eq!(offered("*"), ["accounts", "livemode"]);
    // Nobody has written down what this one is about.
    assert_eq!(offered("customer.source.created"), ["accounts", "livemode"]);
}

#[test]
fn a_filter_that_is_not_offered_is_refused_with_the_reason_and_what_there_is() {
    for (trigger, input, field, says) in [
        ("balance.available", r#"{"customer":"cus_1"}"#, "input.customer", "about has nothing that `customer`"),
        ("customer.created", r#"{"minimum_amount":5}"#, "input.minimum_amount", "about has nothing"),
        ("customer.created", r#"{"colour":"red"}"#, "input.colour", "no filter `colour`"),
        ("invoice.paid", r#"{"status":"payed"}"#, "input.status", "one of draft"),
        ("invoice.paid", r#"{"customer":""}"#, "input.customer", "customer's id"),
        ("invoice.paid", r#"{"livemode":"true"}"#, "input.livemode", "true or false"),
        ("invoice.paid", r#"{"minimum_amount":"5"}"#, "input.minimum_amount", "whole number"),
        ("invoice.paid", r#"{"minimum_amount":-5}"#, "input.minimum_amount", "negative"),
        ("invoice.paid", r#"{"currency":"euro"}"#, "input.currency", "three letters"),
        (
            "invoice.paid",
            r#"{"minimum_amount":{"decimal":"5","currency":"usd"},"currency":"eur"}"#,
            "input.currency",
            "another one",
        ),
    ] {
        let error = filter(trigger, input).expect_err(input);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{input}");
        assert!(error.message.contains(says), "{}", error.message);
    }
    let hint = filter("balance.available", r#"{"customer":"cus_1"}"#).expect_err("refused").hint;
    assert_eq!(hint.as_deref(), Some("Its filters are `accounts`, `livemode`."));
}

#[test]
fn without_filters_every_event_passes() {
    let none = filter("customer.created", " {} ").expect("fine");
    assert!(none.is_empty() && passes(&none, None, None) && passes(&none, Some("acct_1"), Some(json!({}))));
}

#[test]
fn the_filter_on_accounts_lets_only_theirs_pass() {
    let found = filter("customer.created", r#"{"accounts":["acct_1","acct_2"]}"#).expect("fine");
    assert!(passes(&found, Some("acct_2"), None));
    assert!(!passes(&found, Some("acct_3"), None) && !passes(&found, None, None));
}

#[test]
fn each_filter_lets_pass_what_is_so_and_nothing_else() {
    for (input, fits, does_not) in [
        (json!({"customer": "cus_1"}), json!({"customer": "cus_1"}), json!({"customer": "cus_2"})),
        (json!({"customer": "cus_1"}), json!({"customer": {"id": "cus_1"}}), json!({"customer": null})),
        (json!({"status": "paid"}), json!({"status": "paid"}), json!({"status": "open"})),
        (json!({"currency": "EUR"}), json!({"currency": "eur"}), json!({"currency": "usd"})),
        (json!({"minimum_amount": 1000}), json!({"total": 1000}), json!({"total": 999})),
        (json!({"minimum_amount": 1000}), json!({"total": 1000, "currency": "jpy"}), json!({})),
        (
            json!({"minimum_amount": {"decimal": "10", "currency": "usd"}}),
            json!({"total": 1000, "currency": "usd"}),
            json!({"total": 5000, "currency": "eur"}),
        ),
        (json!({"livemode": false, "status": "paid"}), json!({"status": "paid"}), json!({"status": "void"})),
    ] {
        let found = filter("invoice.paid", &input.to_string()).expect("fine");
        assert!(passes(&found, None, Some(fits)), "{input}");
        assert!(!passes(&found, None, Some(does_not)), "{input}");
        assert!(passes(&found, None, None), "what is not there yet cannot be told: {input}");
    }
    let live = filter("invoice.paid", r#"{"livemode":true}"#).expect("fine");
    assert!(!passes(&live, None, None), "the mode is told by the event itself");
    let own = filter("customer.updated", r#"{"customer":"cus_1"}"#).expect("fine");
    assert!(passes(&own, None, Some(json!({"object": "customer", "id": "cus_1"}))), "a customer is its own");
}

proptest! {
    #[test]
    fn any_input_is_a_filter_or_an_error(input in ".{0,80}") {
        let _ = filter("customer.created", &input);
    }

    #[test]
    fn any_json_of_the_right_names_is_a_filter_or_an_error(
        input in r#"\{("(accounts|livemode|customer|status|currency|minimum_amount)":("a"|true|\["b"\]|1|null|\{"decimal":"1"\})(,|)){0,4}\}"#,
    ) {
        let _ = filter("invoice.paid", &input);
    }
}
