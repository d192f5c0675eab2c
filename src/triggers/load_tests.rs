//! What a thin event leads to.

use serde_json::{Value, json};

use super::*;
use crate::triggers::model::{Fault, KEY, Model};

const METER: &str = "/v1/billing/meters/mtr_1";

fn thin() -> Value {
    json!({"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-01-31T10:00:00.123Z", "livemode": false,
        "related_object": {"id": "mtr_1", "type": "billing.meter", "url": METER}})
}

/// A model that knows the event, and the meter that it is about.
fn model(whole: Value) -> Model {
    let model = Model::new();
    model.world(|w| {
        w.objects.insert("/v2/core/events/evt_1".into(), whole);
        w.objects.insert(METER.into(), json!({"id": "mtr_1", "object": "billing.meter", "status": "active"}));
        w.objects.insert(
            "/v1/customers/cus_1".into(),
            json!({"id": "cus_1", "object": "customer", "email": "a@example.com"}),
        );
    });
    model
}

fn with_data() -> Value {
    let mut whole = thin();
    whole["data"] = json!({"reason": "late"});
    whole
}

fn loaded(model: &Model, payload: &Value) -> Result<Event> {
    load(&model.line(0).session("run"), &[], &payload.to_string())
}

#[test]
fn a_thin_event_is_completed_with_what_stripe_has_of_it_and_of_its_object() {
    let model = model(with_data());
    let event = loaded(&model, &thin()).expect("loaded");
    assert_eq!((event.id.as_str(), event.complete, event.occurred_at), ("evt_1", true, 1_769_853_600));
    let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
    assert_eq!(payload["event"], with_data());
    assert_eq!(payload["object"]["status"], "active");
    let paths: Vec<String> = model.requests().into_iter().map(|r| r.path).collect();
    assert_eq!(paths, ["/v2/core/events/evt_1", METER]);
    // What was loaded is not fetched again.
    let again = loaded(&model, &payload).expect("loaded");
    assert_eq!((again.payload, again.complete, again.id), (event.payload, true, event.id));
    assert_eq!(model.requests(), []);
}

#[test]
fn the_object_is_mapped_where_its_resource_is() {
    let mut about = thin();
    about["related_object"] = json!({"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"});
    let event = loaded(&model(about.clone()), &about).expect("loaded");
    assert_eq!(event.record.map(|r| (r.resource, r.id)), Some(("customer", "cus_1".to_owned())));
}

#[test]
fn a_filter_that_a_thin_event_could_not_be_held_against_is_held_against_what_was_loaded() {
    let mut about = thin();
    about["type"] = json!("v1.customer.updated");
    about["related_object"] = json!({"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"});
    let uses = |customer: &str| {
        let of = |trigger: &str, input: Value| Use { trigger: trigger.into(), input: input.to_string() };
        [of("customer.updated", json!({"customer": customer})), of("invoice.paid", json!({}))]
    };
    let model = model(about.clone());
    let session = model.line(0);
    let loaded = |uses: &[Use]| load(&session.session("run"), uses, &about.to_string()).expect("loaded").triggers;
    assert_eq!(loaded(&uses("cus_1")), ["customer.updated"]);
    assert_eq!(loaded(&uses("cus_2")), [""; 0]);
    assert_eq!(loaded(&[]), ["customer.updated", "*"]);
    let again = load(
        &session.session("run"),
        &uses("cus_2"),
        &load(&session.session("run"), &[], &about.to_string()).expect("loaded").payload,
    );
    assert_eq!(again.expect("loaded before").triggers, [""; 0]);
}

#[test]
fn an_event_about_nothing_or_about_what_is_gone_is_complete_without_an_object() {
    let mut about_nothing = thin();
    about_nothing["related_object"] = Value::Null;
    let event = loaded(&model(about_nothing.clone()), &about_nothing).expect("loaded");
    assert_eq!((event.complete, event.extras.len()), (true, 0));
    let gone = model(thin());
    gone.world(|w| w.objects.remove(METER));
    let event = loaded(&gone, &thin()).expect("loaded");
    assert!(event.payload.ends_with("\"object\":null}"), "{}", event.payload);
    assert_eq!(event.extras, [("related-object".to_owned(), "\"gone\"".to_owned())]);
    // One that an account has one of has no id.
    let mut single = thin();
    single["related_object"] = json!({"type": "balance", "url": "/v1/balance"});
    let model = model(single.clone());
    model.world(|w| w.objects.insert("/v1/balance".into(), json!({"object": "balance", "available": []})));
    assert!(loaded(&model, &single).expect("loaded").record.is_some());
}

#[test]
fn nothing_is_asked_for_but_paths_of_the_api() {
    for url in [
        "https://evil.example/v1/customers/cus_1",
        "//evil.example/v1/customers",
        "/v1/../../etc",
        "/v1//customers",
        "/other/v1/customers",
        "/v1/customers/cus 1",
        "/v1/customers/cus_1#x",
        "/v1/customers/cus_1@evil.example\r\nX: y",
        "@evil.example/v1/",
        "",
    ] {
        let mut whole = thin();
        whole["related_object"]["url"] = json!(url);
        let model = model(whole.clone());
        let error = loaded(&model, &whole).expect_err(url);
        assert_eq!((error.kind, error.attempts), (ErrorKind::Service, 1), "{url}");
        assert_eq!(model.requests().len(), 1, "{url}");
    }
    assert!(is_path("/v2/core/accounts/acct_1?include=identity"));
}

#[test]
fn an_answer_about_something_else_is_not_taken() {
    for (member, value) in [
        ("id", json!("evt_2")),
        ("type", json!("v1.customer.created")),
        ("object", json!("event")),
        ("related_object", json!({"id": "mtr_2", "type": "billing.meter", "url": METER})),
    ] {
        let mut other = thin();
        other[member] = value;
        assert_eq!(loaded(&model(other), &thin()).expect_err(member).kind, ErrorKind::Service, "{member}");
    }
    for object in [json!({"id": "mtr_2", "object": "billing.meter"}), json!({"id": "mtr_1", "object": "customer"})] {
        let model = model(thin());
        model.world(|w| w.objects.insert(METER.into(), object));
        assert_eq!(loaded(&model, &thin()).expect_err("another").kind, ErrorKind::Service);
    }
}

#[test]
fn a_complete_event_is_returned_as_it_is() {
    let payload = "{\"id\":\"evt_1\", \"object\":\"event\",\"type\":\"customer.created\",\"created\":5,\"data\":{\"object\":{\"id\":\"cus_1\",\"object\":\"customer\"}}}";
    let model = Model::new();
    let event = load(&model.line(0).session("run"), &[], payload).expect("loaded");
    assert_eq!((event.payload.as_str(), event.complete, event.record.is_some()), (payload, true, true));
    assert_eq!(model.requests(), []);
}

#[test]
fn what_is_no_event_of_this_connection_sends_nothing() {
    let model = model(thin());
    let (mut live, mut other) = (thin(), thin());
    live["livemode"] = json!(true);
    other["context"] = json!("acct_2");
    let named = [("api_key", KEY), ("account", "acct_1")];
    let line = model.line(0);
    for payload in ["", "[]", "{}", "{\"event\":{},\"object\":null}", &live.to_string(), &other.to_string()] {
        let error = load(&line.session_with(&named, "run"), &[], payload).expect_err(payload);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("payload")), "{payload}");
    }
    assert_eq!(model.requests(), []);
}

#[test]
fn an_event_of_a_connected_account_is_fetched_for_that_account() {
    let mut of_connected = thin();
    of_connected["context"] = json!("acct_2");
    let model = model(of_connected.clone());
    let event = loaded(&model, &of_connected).expect("loaded");
    assert_eq!(event.account.as_deref(), Some("acct_2"));
    assert!(model.requests().iter().all(|r| r.account.as_deref() == Some("acct_2")));
}

#[test]
fn a_failure_is_an_error_that_the_same_call_may_follow() {
    let model = model(thin());
    model.plan(|seen, _| if seen.path == METER { Fault::Unreachable } else { Fault::None });
    assert_eq!(loaded(&model, &thin()).expect_err("away").kind, ErrorKind::Network);
    model.all_is_well();
    assert!(loaded(&model, &thin()).is_ok());
}
