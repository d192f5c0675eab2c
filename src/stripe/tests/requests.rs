//! What leaves, byte for byte.

use serde_json::{Map, Value, json};
use stripe_table::{Base, Encoding};

use super::scripted::*;
use crate::catalogue::{self, Method};
use crate::stripe::client::{Call, Expected, Payload};
use crate::stripe::file::File;

fn parameters(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn sent(call: &Call) -> Sent {
    let world = World::of([answer(200, CUSTOMER)]);
    Caller::new(&world).send(call).expect("done");
    world.sent().remove(0)
}

#[test]
fn every_request_names_the_version_and_the_key() {
    for call in [post(), delete(), get()] {
        let sent = sent(&call);
        assert_eq!(sent.header("stripe-version"), Some(catalogue::API_VERSION));
        assert_eq!(sent.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(sent.header("accept"), Some("application/json"));
        assert_eq!(sent.header("idempotency-key"), call.idempotency_key.as_deref());
        assert_eq!(sent.header("stripe-account"), None);
    }
    let world = World::of([answer(200, CUSTOMER)]);
    let mut caller = Caller::new(&world);
    caller.account = Some("acct_1");
    caller.send(&get()).expect("done");
    caller.send(&Call::read("/v2/core/accounts/acct_1", "")).expect("done");
    let sent = world.sent();
    assert_eq!((sent[0].header("stripe-account"), sent[0].header("stripe-context")), (Some("acct_1"), None));
    assert_eq!((sent[1].header("stripe-account"), sent[1].header("stripe-context")), (None, Some("acct_1")));
}

#[test]
fn v1_is_a_form() {
    let sent = sent(&post());
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/customers"));
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!((sent.body.as_deref(), sent.header("content-length")), (Some(b"name=Jenny".as_slice()), Some("10")));
}

#[test]
fn v2_is_json_in_a_body_and_a_query_elsewhere() {
    let what = parameters(json!({"contact_email": "a@b.c", "include": ["identity"]}));
    let call = |method, key: Option<&str>| {
        let payload = Payload::new(method, Encoding::Json, &what);
        Call::write(method, "/v2/core/accounts", payload, key.map(str::to_owned))
    };
    let made = sent(&call(Method::Post, Some("key-1")));
    assert_eq!(made.header("content-type"), Some("application/json"));
    assert_eq!(made.body.as_deref(), Some(br#"{"contact_email":"a@b.c","include":["identity"]}"#.as_slice()));
    let read = sent(&call(Method::Get, None));
    assert_eq!(read.path, "/v2/core/accounts?contact_email=a%40b.c&include%5B0%5D=identity");
    assert_eq!((read.body, read.headers.iter().any(|(n, _)| n == "Content-Type")), (None, false));
    assert_eq!(sent(&call(Method::Delete, Some("key-1"))).header("idempotency-key"), Some("key-1"));
}

#[test]
fn an_upload_goes_to_the_hosts_of_files_and_is_the_same_on_every_attempt() {
    let file = File { name: "a.png".into(), content_type: "image/png".into(), content: vec![0x89, b'P', 0, 0xff] };
    let payload = Payload::upload(&parameters(json!({"purpose": "dispute_evidence"})), "file", &file, "key-1");
    let mut call = Call::write(Method::Post, "/v1/files", payload, Some("key-1".into()));
    call.base = Base::Files;
    let world = World::of([broken(), answer(200, r#"{"id":"file_1","object":"file"}"#)]);
    Caller::new(&world).send(&call).expect("done");
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].address.as_str()), (2, "files.stripe.com"));
    assert_eq!((&sent[0].body, &sent[0].headers), (&sent[1].body, &sent[1].headers));
    assert!(sent[0].header("content-type").is_some_and(|t| t.starts_with("multipart/form-data; boundary=")));
    let length = sent[0].body.as_ref().map(|b| b.len().to_string());
    assert_eq!(sent[0].header("content-length"), length.as_deref());
}

#[test]
fn a_connection_that_names_another_address_has_everything_there() {
    for (base, part, address) in [
        ("https://api.stripe.com", Base::MeterEvents, "meter-events.stripe.com"),
        ("https://api.stripe.com", Base::Api, "api.stripe.com"),
        ("http://127.0.0.1:12111", Base::Files, "127.0.0.1:12111"),
        ("http://127.0.0.1:12111", Base::MeterEvents, "127.0.0.1:12111"),
    ] {
        let world = World::of([answer(200, CUSTOMER)]);
        Caller::new(&world).at(base).send(&Call { base: part, ..post() }).expect("done");
        assert_eq!(world.sent()[0].address, address);
    }
}

#[test]
fn a_file_comes_out_with_its_name_and_type() {
    let call = Call { expected: Expected::File, base: Base::Files, ..Call::read("/v1/quotes/qt_1/pdf", "") };
    let pdf = answer(200, "%PDF-1.7").with("content-disposition", "attachment; filename=\"Q-1.pdf\"");
    let world = World::of([error(500, "api_error", "x"), pdf]);
    let answer = Caller::new(&world).send(&call).expect("a file");
    assert_eq!(answer.file.expect("a file").content, b"%PDF-1.7");
    assert!(answer.body.text().contains(r#""name":"Q-1.pdf""#), "{}", answer.body.text());
    assert_eq!((world.sent()[0].header("accept"), world.sent()[0].address.as_str()), (Some("*/*"), "files.stripe.com"));
    // What is no file is Stripe's error all the same.
    let missing = error(404, "invalid_request_error", "resource_missing");
    assert_eq!(refused(&call, [missing]).kind, crate::error::ErrorKind::NotFound);
}
