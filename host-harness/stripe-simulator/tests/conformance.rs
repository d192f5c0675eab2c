//! The checks that other tests trust.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use serde_json::{Value, json};
use stripe_simulator::conformance::{check_object, check_request, check_response};

fn refund() -> Value {
    json!({"id": "re_1", "object": "refund", "amount": 1, "created": 1, "currency": "usd", "status": "succeeded"})
}

#[test]
fn an_object_is_held_against_its_schema() {
    check_object(&refund()).unwrap();
    let cases = [
        ("amount", json!("1"), "refund.amount"),
        ("amount", Value::Null, "refund.amount: may not be null"),
        ("colour", json!(1), "refund.colour: unknown member"),
        ("reason", json!("boredom"), "refund.reason"),
        ("metadata", json!({"a": 1}), "refund.metadata.a"),
        ("charge", json!({"object": "charge"}), "refund.charge"),
    ];
    for (name, value, problem) in cases {
        let mut object = refund();
        object[name] = value;
        let found = check_object(&object).unwrap_err();
        assert!(found.starts_with(problem), "{found}");
    }
    let mut object = refund();
    object.as_object_mut().unwrap().remove("currency");
    assert_eq!(check_object(&object).unwrap_err(), "refund.currency: is missing");
    check_object(&json!({"object": "list", "data": [refund()], "has_more": false, "url": "/"})).unwrap();
    assert!(
        check_object(&json!({"object": "list", "data": [{"object": "refund"}], "has_more": false, "url": "/"}))
            .is_err()
    );
    check_object(&json!({"id": "cus_1", "object": "customer", "deleted": true})).unwrap();
    assert!(check_object(&json!({"object": "planet"})).is_err());
    check_response("GET", "/v1/refunds/re_1", &refund()).unwrap();
    assert!(check_response("GET", "/v1/customers/cus_1", &refund()).is_err());
}

#[test]
fn a_request_is_held_against_its_operation() {
    let good = [
        ("POST", "/v1/customers", "", "email=a%40b.c&metadata[a]=1&address=&expand[0]=sources"),
        ("POST", "/v1/customers", "", ""),
        ("GET", "/v1/customers", "limit=3&created[gte]=5", ""),
        ("POST", "/v1/payment_intents", "", "amount=100&currency=usd&off_session=one_off"),
        ("POST", "/v1/subscriptions", "", "customer=c&items[0][price]=p&items[1][price]=q&trial_end=now"),
        ("DELETE", "/v1/subscriptions/sub_1", "prorate=true", ""),
    ];
    for (method, path, query, body) in good {
        check_request(method, path, query, body).unwrap_or_else(|e| panic!("{path} {body}{query}: {e}"));
    }
    let bad = [
        ("POST", "/v1/nothing", "", "", "Unrecognized request URL"),
        ("POST", "/v1/customers", "", "nope=1", "Received unknown parameter: nope"),
        ("POST", "/v1/customers", "email=a", "", "POST carries its parameters in the body"),
        ("GET", "/v1/customers", "", "limit=1", "GET carries its parameters in the query"),
        ("POST", "/v1/payment_intents", "", "currency=usd", "Missing required param: amount"),
        ("POST", "/v1/payment_intents", "", "amount=1.5&currency=usd", "Invalid integer: 1.5"),
        ("POST", "/v1/payment_intents", "", "amount=1&currency=usd&confirm=1", "Invalid boolean: 1"),
        ("POST", "/v1/customers", "", "name=a&name=b", "duplicate key name"),
        ("POST", "/v1/customers", "", "expand[1]=a", "Invalid array: expand"),
        ("POST", "/v1/customers", "", "expand[00]=a", "Invalid array: expand"),
        ("POST", "/v1/customers", "", "name", "malformed pair"),
        ("POST", "/v1/customers", "", "a[b=1", "malformed key"),
        ("POST", "/v1/customers", "", "name=%f", "bad escape"),
    ];
    for (method, path, query, body, problem) in bad {
        let found = check_request(method, path, query, body).unwrap_err();
        assert!(found.starts_with(problem), "{path} {body}{query}: {found}");
    }
}
