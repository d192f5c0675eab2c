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
    assert_eq!(
        (event.event_type.as_str(), event.triggers.concat().as_str()),
        ("customer.created", "customer.created*")
    );
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
fn a_type_that_is_not_known_is_reported_to_whoever_wants_any() {
    let thin = |of: &str| json!({"id": "evt_1", "object": "v2.core.event", "type": of, "created": "2026-01-31T10:00:00Z", "livemode": false});
    for (body, is_complete) in [(event(json!({"type": "moon.landed"})), true), (thin("v2.moon.landed"), false)] {
        for uses in [&[][..], &[a_use("*", "{}")], &[a_use("invoice.paid", "{}"), a_use("any event", "{}")]] {
            let receipt = taken(CONNECTION, uses, &body);
            let event = &receipt.events[0];
            assert_eq!((event.triggers.concat().as_str(), event.complete), ("*", is_complete));
            assert_eq!(event.event_type, body["type"]);
        }
        let other = taken(CONNECTION, &[a_use("invoice.*", "{}")], &body);
        assert!(ignored(&other).is_some_and(|r| r.contains("in use")));
    }
}

#[test]
fn an_event_names_every_trigger_that_it_matches() {
    let all = ["customer.created", "customer.*", "*", "invoice.*", "customer.updated"].map(|name| a_use(name, "{}"));
    assert_eq!(taken(CONNECTION, &all, &event(json!({}))).events[0].triggers, ["customer.created", "customer.*", "*"]);
    let subscriptions = [a_use("customer.subscription.*", "{}"), a_use("customer.*", "{}")];
    assert_eq!(taken(CONNECTION, &subscriptions, &event(json!({}))).events[0].triggers, ["customer.*"]);
}

#[test]
fn a_thin_notification_is_for_the_trigger_of_the_event_that_it_tells_of() {
    let thin = json!({"id": "evt_1", "object": "v2.core.event", "type": "v1.customer.created", "livemode": false,
        "created": "2026-01-31T10:00:00Z", "reason": {"type": "request", "request": {"id": "req_1", "idempotency_key": "own"}},
        "related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"}});
    // What it is about is not there: a filter on that is held against it once it was loaded.
    let uses = [a_use("customer.created", r#"{"customer":"cus_2"}"#), a_use("invoice.paid", "{}")];
    let receipt = taken(CONNECTION, &uses, &thin);
    let event = &receipt.events[0];
    assert_eq!(
        (event.triggers.concat().as_str(), event.event_type.as_str()),
        ("customer.created", "v1.customer.created")
    );
    assert!(!event.complete && event.record.is_none());
    assert_eq!(extra(event, "request"), Some("\"req_1\""));
    assert_eq!(extra(event, "idempotency-key"), Some("\"own\""));
}

fn extra<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.extras.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

#[test]
fn filters_hold_against_what_the_event_is_about() {
    let paid = |object: Value| event(json!({"type": "invoice.paid", "data": {"object": object}}));
    let invoice = |total: i64| json!({"id": "in_1", "object": "invoice", "total": total, "currency": "usd"});
    let uses = [a_use("invoice.*", r#"{"minimum_amount":{"decimal":"10.00","currency":"usd"}}"#)];
    assert_eq!(taken(CONNECTION, &uses, &paid(invoice(1000))).events[0].triggers, ["invoice.*"]);
    assert!(ignored(&taken(CONNECTION, &uses, &paid(invoice(999)))).is_some_and(|r| r.contains("filters")));
}

#[test]
fn what_changed_and_what_caused_it_stand_beside_the_event() {
    let changed = event(json!({"type": "customer.updated", "request": {"id": "req_1", "idempotency_key": "own"},
        "data": {"object": {"id": "cus_1", "object": "customer"}, "previous_attributes": {"email": null}}}));
    let receipt = taken(CONNECTION, &[], &changed);
    let told = ["what-changed", "request", "idempotency-key"].map(|name| extra(&receipt.events[0], name));
    assert_eq!(told, [Some(r#"{"email":null}"#), Some("\"req_1\""), Some("\"own\"")]);
    // Of old the request was its id, and what nobody asked for has none.
    let old = taken(CONNECTION, &[], &event(json!({"request": "req_1"})));
    assert_eq!((extra(&old.events[0], "request"), extra(&old.events[0], "idempotency-key")), (Some("\"req_1\""), None));
    let own = taken(CONNECTION, &[], &event(json!({"request": {"id": null, "idempotency_key": null}})));
    assert_eq!(own.events[0].extras, []);
}

#[test]
fn the_tolerance_is_the_connections() {
    let body = event(json!({})).to_string();
    let at = |seconds: &str, now| {
        let connection = [CONNECTION, &[("webhook_tolerance", seconds)]].concat();
        receive(&fields(&connection), None, &[], signed(SECRET, body.as_bytes()), now)
    };
    assert!(at("600", NOW + 600).is_ok() && at("10", NOW + 10).is_ok());
    for (seconds, late) in [("600", 601), ("10", 11), ("", 301)] {
        assert_eq!(at(seconds, NOW + late).expect_err("too old").kind, ErrorKind::Signature, "{seconds}");
    }
    assert_eq!(at("never", NOW).expect_err("no number").field.as_deref(), Some("webhook_tolerance"));
}

#[test]
fn an_event_of_another_version_says_what_that_version_has_not() {
    let of = |version: &str| {
        let object =
            json!({"id": "cus_1", "object": "customer", "account_balance": -500, "currency": "usd", "email": null});
        taken(CONNECTION, &[], &event(json!({"api_version": version, "data": {"object": object}})))
    };
    let old = of("2018-05-21");
    let told: Vec<String> = serde_json::from_str(extra(&old.events[0], "not-mapped").expect("told")).expect("a list");
    assert!(told.contains(&"name".to_owned()) && !told.contains(&"email".to_owned()), "{told:?}");
    assert_eq!(extra(&of(crate::catalogue::API_VERSION).events[0], "not-mapped"), None);
}

#[test]
fn events_of_older_versions_map_without_nulls_that_the_event_has() {
    for (kind, version, object, expected) in [
        // Until 2019-10-17 a customer's balance was its account balance.
        (
            "customer.updated",
            "2018-02-28",
            json!({"id": "cus_1", "object": "customer", "account_balance": -500, "currency": "usd", "created": 5}),
            json!({"balance": {"minor": -500, "currency": "usd", "decimal": "-5.00", "display": "-5.00 USD"}}),
        ),
        // Until 2019-03-14 an invoice had a date, until 2025-03-31 its subscription at the top.
        (
            "invoice.paid",
            "2018-11-08",
            json!({"id": "in_1", "object": "invoice", "date": 1_500_000_000, "subscription": "sub_1", "total": 5, "currency": "usd"}),
            json!({"created_at": "2017-07-14T02:40:00Z", "subscription": "sub_1"}),
        ),
        // Of old a subscription had its own period, plan and start.
        (
            "customer.subscription.created",
            "2018-02-28",
            json!({"id": "sub_1", "object": "subscription", "start": 1_500_000_000, "current_period_end": 1_500_000_000,
                "plan": {"id": "plan_1", "object": "plan"}, "items": {"object": "list", "data": []}}),
            json!({"started_at": "2017-07-14T02:40:00Z", "period_ends_at": "2017-07-14T02:40:00Z", "price": "plan_1"}),
        ),
        // Until 2022-11-15 a payment carried its charges.
        (
            "payment_intent.succeeded",
            "2020-08-27",
            json!({"id": "pi_1", "object": "payment_intent", "amount": 5, "currency": "usd",
                "charges": {"object": "list", "data": [{"id": "ch_1", "object": "charge"}]}}),
            json!({"charge": "ch_1"}),
        ),
        // Before customer details were told the checkout had the address alone.
        (
            "checkout.session.completed",
            "2019-05-16",
            json!({"id": "cs_1", "object": "checkout.session", "customer_email": "a@example.com"}),
            json!({"email": "a@example.com"}),
        ),
        // Until 2025-09-30 a code had its coupon at the top.
        (
            "promotion_code.created",
            "2020-08-27",
            json!({"id": "promo_1", "object": "promotion_code", "coupon": {"id": "co_1", "object": "coupon"}}),
            json!({"coupon": "co_1"}),
        ),
    ] {
        let old = event(json!({"type": kind, "api_version": version, "data": {"object": object}}));
        let receipt = taken(CONNECTION, &[], &old);
        let record = receipt.events[0].record.as_ref().expect("mapped");
        let fields: Value = serde_json::from_str(&record.fields).expect("JSON");
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&fields[name], value, "{kind} of {version}: {name}");
        }
    }
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
