//! What is measured, each as a closure that does it once. Everything that is needed beforehand is done when it is made.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use host::contract::{DescribeRequest, OperationFilter, WebhookRequest};
use host::{CacheFolder, Grants};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sha2::Sha256;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

use crate::platform::{CALLER, HOST, KEY, WEBHOOK_SECRET, cache, call, connection, connector, host, load, manifest};
use crate::requests::{Ask, asking_briefly};
use crate::servers::ANSWERING;

pub const INPUT: &str = r#"{"email":"jenny.rosen@example.com","name":"Jenny Rosen"}"#;
const FORM: &str = "email=jenny.rosen%40example.com&name=Jenny%20Rosen";

/// A function that only computes, as the host runs it: a fresh store for the call.
pub fn fresh_store() -> impl FnMut() {
    let connector = load(&HOST, &Grants::nothing());
    move || {
        let reply = CALLER.block_on(connector.resolve_resource("cus_1")).unwrap();
        assert!(reply.value.is_some());
    }
}

/// The same function of an instance that is kept: the bare call.
pub fn kept_store() -> impl FnMut() {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, bundled_connector::COMPONENT).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    // It asks the host for nothing.
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let instance = CALLER.block_on(linker.instantiate_async(&mut store, &component)).unwrap();
    let interface = "automation:connector/resources@0.1.0";
    let interface = instance.get_export_index(&mut store, None, interface).unwrap();
    let resolve = instance.get_export_index(&mut store, Some(&interface), "resolve").unwrap();
    let resolve = instance.get_typed_func::<(String,), (Option<String>,)>(&mut store, resolve).unwrap();
    move || {
        let (found,) = CALLER.block_on(resolve.call_async(&mut store, ("cus_1".to_owned(),))).unwrap();
        assert!(found.is_some());
    }
}

/// A write over a connection that is kept open.
pub fn customer_create() -> impl FnMut() {
    let (connector, connection) = (connector(&ANSWERING), connection(&ANSWERING));
    move || {
        CALLER.block_on(connector.run_action(&call(&connection), "customer.create", INPUT)).unwrap();
    }
}

/// The same request by a component that only sends it and hands the answer on: what the host adds to every request.
pub fn sending_guest() -> impl FnMut() {
    let ask = Ask::new("POST", format!("{}/v1/customers", *ANSWERING))
        .with_key()
        .header("stripe-version", "2025-01-01")
        .header("user-agent", "stripe-connector/0.1.0")
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("idempotency-key", "9a8f6b1c-7d3e-4f50-8a21-5b6c7d8e9f00")
        .saying(FORM);
    let guest = asking_briefly(ask).build();
    let connector = HOST.load(&guest, &manifest(), &Grants::nothing().allow(&ANSWERING).unwrap()).unwrap();
    let connection = connection(&ANSWERING);
    move || {
        let reply = CALLER.block_on(connector.run_action(&call(&connection), "customer.create", INPUT)).unwrap();
        assert_eq!(reply.report.requests.len(), 1);
    }
}

/// The same request without connector and host.
pub fn bare_request() -> impl FnMut() {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let url = format!("{}/v1/customers", *ANSWERING);
    move || {
        let request = Request::post(&url)
            .header("authorization", format!("Bearer {KEY}"))
            .header("stripe-version", "2025-01-01")
            .header("user-agent", "stripe-connector/0.1.0")
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("idempotency-key", "9a8f6b1c-7d3e-4f50-8a21-5b6c7d8e9f00")
            .body(Full::new(Bytes::from_static(FORM.as_bytes())))
            .unwrap();
        CALLER.block_on(async {
            let answer = client.request(request).await.unwrap();
            assert!(answer.status().is_success());
            answer.into_body().collect().await.unwrap();
        });
    }
}

fn harness(arguments: &'static [&'static str]) -> impl FnMut() {
    move || {
        let status = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(arguments)
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")))
            .env("STRIPE_SECRET_KEY", KEY)
            .env("STRIPE_API_BASE", ANSWERING.as_str())
            .env_remove("STRIPE_ACCOUNT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}: {status}");
    }
}

/// The command line, compiled code being cached.
pub fn harness_call() -> impl FnMut() {
    let mut call = harness(&["call", "customer.create", "--input", INPUT]);
    call();
    call
}

/// The same process, which does nothing.
pub fn harness_version() -> impl FnMut() {
    harness(&["--version"])
}

/// An event of 2.8 KB, and its signature.
pub fn delivery() -> (String, String) {
    let connector = load(&HOST, &Grants::nothing());
    let event = CALLER.block_on(connector.sample("payment_intent.succeeded")).unwrap().value;
    let mut event: Value = serde_json::from_str(&event.payload).unwrap();
    let short = 2_800usize.saturating_sub(event.to_string().len());
    event["data"]["object"]["metadata"] = json!({ "note": "n".repeat(short) });
    let (event, now) = (event.to_string(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let signature = format!("t={now},v1={}", hex(&signed(now, &event)));
    (event, signature)
}

fn signed(time: u64, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A webhook delivery, verified and read by the component.
pub fn webhook_receive() -> impl FnMut() {
    let (connector, connection) = (load(&HOST, &Grants::nothing()), connection("http://127.0.0.1:1"));
    let (event, signature) = delivery();
    let headers = vec![("Stripe-Signature".to_owned(), signature)];
    let request = WebhookRequest::post("/webhooks/stripe", headers, event.into_bytes());
    move || {
        let call = call(&connection);
        let receipt = CALLER.block_on(connector.receive(&call, None, Vec::new(), request.clone())).unwrap().value;
        assert_eq!(receipt.events.len(), 1);
    }
}

/// The same delivery, verified and read by a few native lines.
pub fn webhook_native() -> impl FnMut() {
    let (event, signature) = delivery();
    move || {
        let (time, expected) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        assert_eq!(hex(&signed(time.parse().unwrap(), &event)), expected);
        let event: Value = serde_json::from_str(&event).unwrap();
        divan::black_box(event);
    }
}

/// A page of what the catalogue lists, as long as a page is when nobody says.
pub fn list_page() -> impl FnMut() {
    let connector = load(&HOST, &Grants::nothing());
    move || {
        let page = CALLER.block_on(connector.list_operations(OperationFilter::default(), None, None)).unwrap();
        divan::black_box(page.value.operations);
    }
}

/// Finding an operation of the whole API by words.
pub fn api_search() -> impl FnMut() {
    let (connector, connection) = (load(&HOST, &Grants::nothing()), connection("http://127.0.0.1:1"));
    move || {
        let input = r#"{"words":"refund a payment"}"#;
        let found = CALLER.block_on(connector.run_query(&call(&connection), "api.search", input, None)).unwrap();
        divan::black_box(found.value.output);
    }
}

/// An operation as a form shows it.
pub fn describe_shown() -> impl FnMut() {
    describe(DescribeRequest::shown("payment_intent.create"))
}

/// The largest input that there is, and all of its output.
pub fn describe_full() -> impl FnMut() {
    describe(DescribeRequest::full("payment_intent.create"))
}

fn describe(request: DescribeRequest) -> impl FnMut() {
    let connector = load(&HOST, &Grants::nothing());
    move || {
        let described = CALLER.block_on(connector.describe_operation(request.clone())).unwrap();
        divan::black_box(described.value.input_schema);
    }
}

/// The component from its compiled code.
pub fn load_cached() -> impl FnMut() {
    let host = host(cache());
    load(&host, &Grants::nothing());
    move || drop(load(&host, &Grants::nothing()))
}

/// The component, compiled.
pub fn load_compiled() -> impl FnMut() {
    let host = host(CacheFolder::Off);
    move || drop(load(&host, &Grants::nothing()))
}

macro_rules! spread {
    ($($subject:ident)*) => {$(
        #[divan::bench(name = stringify!($subject))]
        fn $subject(bencher: Bencher) {
            bencher.bench_local(super::$subject());
        }
    )*};
}

/// The subjects as divan shows them.
mod spread {
    use divan::Bencher;

    spread! {
        fresh_store kept_store
        customer_create sending_guest bare_request
        harness_call harness_version
        webhook_receive webhook_native
        list_page api_search describe_shown describe_full
        load_cached load_compiled
    }
}
