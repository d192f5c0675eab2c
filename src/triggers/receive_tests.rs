//! What a delivery may be, and what becomes of it.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::triggers::model::{KEY, Model, fields};
use crate::triggers::subscription;

const NOW: u64 = 1_769_853_600;
const SECRET: &str = "whsec_ofthehand";
const CONNECTION: &[(&str, &str)] = &[("api_key", KEY), ("webhook_secret", SECRET)];

fn signed(secret: &str, body: &[u8]) -> Request {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{NOW}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    Request {
        method: "POST".into(),
        path: "/hooks/1".into(),
        query: None,
        headers: vec![("stripe-signature".into(), format!("t={NOW},v1={hex}"))],
        body: body.to_vec(),
    }
}

fn event(more: Value) -> Value {
    let mut event = json!({"id": "evt_1", "object": "event", "type": "customer.created", "created": NOW, "livemode": false,
        "data": {"object": {"id": "cus_1", "object": "customer"}}});
    for (name, value) in more.as_object().expect("an object") {
        event[name] = value.clone();
    }
    event
}

fn taken(connection: &[(&str, &str)], uses: &[Use], body: &Value) -> Receipt {
    receive(&fields(connection), None, uses, signed(SECRET, body.to_string().as_bytes()), NOW).expect("genuine")
}

fn ignored(receipt: &Receipt) -> Option<&str> {
    assert_eq!(receipt.events.len() + receipt.ignored.len(), 1);
    receipt.ignored.first().map(|i| i.reason.as_str())
}

fn refused(request: Request) -> Box<Error> {
    let error = receive(&fields(CONNECTION), None, &[], request, NOW).expect_err("refused");
    assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::Signature, Outcome::NotSent, 0));
    error
}

fn a_use(trigger: &str, input: &str) -> Use {
    Use { trigger: trigger.into(), input: input.into() }
}

#[test]
fn a_genuine_event_is_handed_on_as_it_was_written() {
    let body = "{ \"id\":\"evt_1\", \"object\":\"event\",\"type\":\"customer.created\",\"created\":1769853600,\n\t\"livemode\":false,
        \"data\":{\"object\":{\"id\":\"cus_1\",\"object\":\"customer\",\"email\":\"\\u00e4@example.com\",\"balance\":1.0}}}\n";
    let receipt = receive(&fields(CONNECTION), None, &[], signed(SECRET, body.as_bytes()), NOW).expect("genuine");
    let event = &receipt.events[0];
    assert_eq!(event.payload, body);
    assert_eq!((event.event_type.as_str(), event.triggers.as_slice()), ("customer.created", &["customer.created"][..]));
    assert_eq!((event.occurred_at, event.complete), (NOW, true));
    assert!(event.record.as_ref().is_some_and(|r| r.fields.contains("@example.com")));
    assert!(receipt.response.is_none());
}

#[test]
fn only_a_post_is_a_delivery() {
    for method in ["GET", "PUT", "", "P\r\nOST"] {
        let request = Request { method: method.into(), ..signed(SECRET, event(json!({})).to_string().as_bytes()) };
        let error = refused(request);
        assert!(error.message.contains("POST") && !error.message.contains('\n'), "{}", error.message);
    }
}

#[test]
fn what_is_signed_and_no_event_is_refused() {
    for (body, says) in [
        (&b"[]"[..], "not an object"),
        (b"[{\"id\":\"evt_1\"}]", "not an object"),
        (b"null", "not an object"),
        (b"{}", "no id"),
        (br#"{"id":"evt_1","created":5}"#, "no type"),
        (br#"{"type":"customer.created","created":5}"#, "no id"),
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "not UTF-8"),
        (br#"{"id":"\ud800","type":"a","created":5}"#, "surrogate"),
        (br#"{"id":"evt_1","type":"a","created":1e400}"#, "too large"),
        (br#"{"id":"cus_1","object":"customer","type":"a","created":5}"#, "another"),
    ] {
        let error = refused(signed(SECRET, body));
        assert!(error.message.contains(says), "{}", error.message);
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let error = refused(signed(SECRET, format!("{{\"id\":{deep}}}").as_bytes()));
    assert!(error.message.contains("deep"), "{}", error.message);
}

#[test]
fn forged_old_and_unsigned_deliveries_are_refused() {
    let body = event(json!({})).to_string().into_bytes();
    assert!(refused(signed("whsec_other", &body)).message.contains("does not match"));
    let unsigned = Request { headers: Vec::new(), ..signed(SECRET, &body) };
    assert!(refused(unsigned).message.contains("no Stripe-Signature"));
    let mut twice = signed(SECRET, &body);
    twice.headers.push(twice.headers[0].clone());
    assert!(refused(twice).message.contains("several"));
    let error = receive(&fields(CONNECTION), None, &[], signed(SECRET, &body), NOW + 301).expect_err("old");
    assert_eq!(error.kind, ErrorKind::Signature);
    let error = receive(&fields(&[("api_key", KEY)]), None, &[], signed(SECRET, &body), NOW).expect_err("no secret");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidConnection, Some("webhook_secret")));
}

#[test]
fn the_subscriptions_state_has_the_secret() {
    let model = Model::new();
    let line = model.line(0);
    let uses = [a_use("customer.created", "{}")];
    let request = subscription::Request { callback_url: "https://platform.example/1", triggers: &uses, state: None };
    let state = subscription::subscribe(&line.session("run"), &request).expect("subscribed").state;
    let secret = model.world(|w| w.endpoints[0].secret.clone());
    let body = event(json!({})).to_string().into_bytes();
    let take = |connection: &[(&str, &str)], state: &str, secret: &str| {
        receive(&fields(connection), Some(state), &uses, signed(secret, &body), NOW)
    };
    let bare = &[("api_key", KEY)][..];
    assert_eq!(take(bare, &state, &secret).expect("genuine").events.len(), 1);
    assert_eq!(take(bare, &state, SECRET).expect_err("forged").kind, ErrorKind::Signature);
    // While the endpoint's secret is rolled, the connection has the other one.
    assert_eq!(take(CONNECTION, &state, SECRET).expect("genuine").events.len(), 1);
    assert_eq!(take(CONNECTION, &state, &secret).expect("genuine").events.len(), 1);
    // A platform that has no key at hand where deliveries come in.
    assert_eq!(take(&[], &state, &secret).expect("genuine").events.len(), 1);
    for connection in [&[("api_key", KEY), ("account", "acct_1")][..], &[("api_key", "sk_live_model")]] {
        let error = take(connection, &state, &secret).expect_err("another connection's");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")));
        assert!(!format!("{error:?}").contains("SECRET"));
    }
    let error = take(bare, "1.x.y", &secret).expect_err("damaged");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")));
}

#[test]
fn events_of_other_connected_accounts_do_not_pass() {
    let named = &[("api_key", KEY), ("webhook_secret", SECRET), ("account", "acct_1")][..];
    let of = |account: &str| event(json!({"account": account}));
    assert_eq!(ignored(&taken(named, &[], &of("acct_1"))), None);
    assert!(ignored(&taken(named, &[], &of("acct_2"))).is_some_and(|r| r.contains("another account")));
    assert!(ignored(&taken(named, &[], &event(json!({})))).is_some_and(|r| r.contains("platform's own account")));
    // A connection that names none may have an endpoint for connected accounts.
    let receipt = taken(CONNECTION, &[], &of("acct_2"));
    assert_eq!(receipt.events[0].account.as_deref(), Some("acct_2"));
}

#[test]
fn an_endpoint_that_was_made_in_the_connected_account_need_not_name_it() {
    let model = Model::new();
    let line = model.line(0);
    let named = &[("api_key", KEY), ("account", "acct_1")][..];
    let uses = [a_use("customer.created", r#"{"accounts":["acct_1"]}"#)];
    let request = subscription::Request { callback_url: "https://platform.example/1", triggers: &uses, state: None };
    let state = subscription::subscribe(&line.session_with(named, "run"), &request).expect("subscribed").state;
    let secret = model.world(|w| w.endpoints[0].secret.clone());
    let take = |body: Value| {
        receive(&fields(named), Some(&state), &uses, signed(&secret, body.to_string().as_bytes()), NOW)
            .expect("genuine")
    };
    assert_eq!(take(event(json!({}))).events[0].account.as_deref(), Some("acct_1"));
    assert!(ignored(&take(event(json!({"account": "acct_2"})))).is_some());
}

#[test]
fn an_event_of_the_other_mode_is_ignored() {
    let live = event(json!({"livemode": true}));
    assert!(ignored(&taken(CONNECTION, &[], &live)).is_some_and(|r| r.contains("test key")));
    let with_live_key = &[("api_key", "sk_live_model"), ("webhook_secret", SECRET)][..];
    assert_eq!(ignored(&taken(with_live_key, &[], &live)), None);
    assert!(ignored(&taken(with_live_key, &[], &event(json!({})))).is_some_and(|r| r.contains("live key")));
    let keyless = &[("webhook_secret", SECRET)][..];
    assert_eq!(ignored(&taken(keyless, &[], &live)), None);
    let development = Fields { development: true, ..fields(keyless) };
    let receipt = receive(&development, None, &[], signed(SECRET, live.to_string().as_bytes()), NOW).expect("genuine");
    assert!(ignored(&receipt).is_some_and(|r| r.contains("development")));
}

#[test]
fn uses_choose_which_events_are_reported() {
    let of = |account: &str| event(json!({"account": account}));
    let one = [a_use("customer.created", r#"{"accounts":["acct_1"]}"#), a_use("invoice.paid", "{}")];
    assert_eq!(ignored(&taken(CONNECTION, &one, &of("acct_1"))), None);
    assert!(ignored(&taken(CONNECTION, &one, &of("acct_2"))).is_some_and(|r| r.contains("filters")));
    assert!(ignored(&taken(CONNECTION, &one, &event(json!({})))).is_some_and(|r| r.contains("filters")));
    let other = [a_use("invoice.paid", "{}")];
    assert!(ignored(&taken(CONNECTION, &other, &event(json!({})))).is_some_and(|r| r.contains("in use")));
    // One use without a filter lets pass what another's filter holds back; the trigger is named once.
    let both = [a_use("customer.created", r#"{"accounts":["acct_1"]}"#), a_use("customer.created", "{}")];
    assert_eq!(taken(CONNECTION, &both, &of("acct_2")).events[0].triggers, ["customer.created"]);
    let request = signed(SECRET, event(json!({})).to_string().as_bytes());
    let bad = receive(&fields(CONNECTION), None, &[a_use("customer.created", "[]")], request, NOW).expect_err("bad");
    assert_eq!((bad.kind, bad.field.as_deref()), (ErrorKind::InvalidInput, Some("uses[0].input")));
}

#[test]
fn a_type_that_no_trigger_knows_is_ignored_with_its_name() {
    let receipt = taken(CONNECTION, &[], &event(json!({"type": "moon.landed"})));
    assert_eq!(receipt.ignored[0].event_type, "moon.landed");
    assert!(ignored(&receipt).is_some_and(|r| r.contains("no trigger listens")));
    let thin = json!({"id": "evt_1", "object": "v2.core.event", "type": "v2.moon.landed", "created": "2026-01-31T10:00:00Z", "livemode": false});
    assert!(ignored(&taken(CONNECTION, &[], &thin)).is_some());
}

proptest! {
    #[test]
    fn any_signed_bytes_are_a_receipt_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = receive(&fields(CONNECTION), None, &[], signed(SECRET, &body), NOW);
    }

    #[test]
    fn any_signed_json_is_a_receipt_or_an_error(
        json in r#"\{("(id|object|type|created|livemode|account|context|data)":("event"|"v2.core.event"|"customer.created"|"2026-01-31T10:00:00Z"|5|-5|true|null|\{"object":(\{\}|\[\]|"x"|\{"object":"customer","id":5\})\}|"acct_1"),?){0,8}\}"#,
    ) {
        let json = json.replace(",}", "}");
        let _ = receive(&fields(CONNECTION), None, &[], signed(SECRET, json.as_bytes()), NOW);
    }
}
