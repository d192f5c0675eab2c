//! The checks that other tests trust.

use serde_json::{Value, json};
use stripe_simulator::conformance::{check_complete, check_error, check_object, check_request, check_response};

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

/// A refund with everything that Stripe sends.
fn whole_refund() -> Value {
    let mut refund = refund();
    for name in ["balance_transaction", "charge", "customer", "customer_account", "metadata", "payment_intent"]
        .into_iter()
        .chain(["payment_method", "reason", "receipt_number", "source_transfer_reversal", "transfer_reversal"])
    {
        refund[name] = Value::Null;
    }
    refund
}

#[test]
fn a_complete_object_has_every_member_that_stripe_sends() {
    check_complete(&whole_refund()).unwrap();
    assert_eq!(check_complete(&refund()).unwrap_err(), "refund.balance_transaction: is missing");
    let mut object = whole_refund();
    object["description"] = Value::Null;
    let problem = check_complete(&object).unwrap_err();
    assert_eq!(problem, "refund.description: is left out when there is none, not null");
    object["description"] = json!("a text");
    object["destination_details"] = json!({"card": {"type": "refund"}, "type": "card"});
    check_complete(&object).unwrap();
    object.as_object_mut().unwrap().remove("reason");
    assert_eq!(check_complete(&object).unwrap_err(), "refund.reason: is missing");
    let list = json!({"object": "list", "data": [object], "has_more": false, "url": "/"});
    assert_eq!(check_complete(&list).unwrap_err(), "data[0].refund.reason: is missing");
}

#[test]
fn an_event_is_held_against_its_own_version() {
    let code = json!({
        "id": "promo_1", "object": "promotion_code", "active": true, "code": "X", "created": 1, "customer": null,
        "customer_account": null, "expires_at": null, "livemode": false, "max_redemptions": null, "metadata": null,
        "promotion": {"coupon": "c", "type": "coupon"}, "times_redeemed": 0,
        "restrictions": {
            "first_time_transaction": false, "minimum_amount": null, "minimum_amount_currency": null,
        },
    });
    let event = |version: &str, before: Value| {
        json!({
            "id": "evt_1", "object": "event", "api_version": version, "created": 1, "livemode": false,
            "data": {"object": code, "previous_attributes": before}, "pending_webhooks": 0, "request": null,
            "type": "promotion_code.updated",
        })
    };
    check_complete(&event("2026-10-28.endive", json!({"active": false}))).unwrap();
    let older = check_complete(&event("2025-02-24.acacia", json!({}))).unwrap_err();
    assert_eq!(older, "event(promotion_code.updated).data.object.promotion: unknown member");
    for before in [json!({"colour": 1}), json!({"active": 1}), json!({"restrictions": {"minimum_amount": "1"}})] {
        let problem = check_complete(&event("2026-10-28.endive", before)).unwrap_err();
        assert!(problem.starts_with("event(promotion_code.updated).data.previous_attributes."), "{problem}");
    }
}

#[test]
fn an_error_has_the_members_of_errors() {
    let error = json!({"message": "No.", "type": "invalid_request_error"});
    check_error(&json!({"error": error})).unwrap();
    let with = |name: &str, value: Value| {
        let mut error = error.clone();
        error[name] = value;
        check_error(&json!({"error": error}))
    };
    with("param", json!("id")).unwrap();
    for (name, value) in [
        ("type", json!("boredom")),
        ("message", Value::Null),
        ("code", json!("without_doc_url")),
        ("code", json!(1)),
        ("param", json!(7)),
        ("decline_code", Value::Null),
        ("payment_intent", json!({"object": "payment_intent", "id": "pi_1"})),
        ("colour", json!("red")),
    ] {
        assert!(with(name, value.clone()).is_err(), "{name}: {value}");
    }
    assert!(check_error(&json!({"error": "text"})).is_err());
    assert!(check_error(&json!({"error": error, "more": 1})).is_err());
}
