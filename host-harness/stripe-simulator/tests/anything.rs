//! Every operation of the API takes anything: right, half right and wrong, and answers as Stripe does.
//!
//! `SEED=7` in the environment walks another way.

use crate::stripe::{Answer, PINNED, Stripe};
use serde_json::Value;
use specimens::{Author, Dice, Known};
use stripe_facts::{Encoding, Facts, Method, Operation};
use stripe_simulator::{Options, TEST_SECRET_KEY, conformance};

/// How much is wrong with a request on purpose.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Care {
    /// Nothing: every value is of its type.
    Valid,
    /// Values at the edge of their type and beyond, parameters of others, ids of other kinds.
    Half,
    /// No parameters at all but noise.
    Garbage,
}

/// A value as the pairs of a form.
fn pairs(value: &Value, name: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (inner, value) in members {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}[{inner}]") };
                pairs(value, &name, out);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| pairs(v, &format!("{name}[{i}]"), out));
        }
        Value::String(text) => out.push((name.to_owned(), text.clone())),
        other => out.push((name.to_owned(), other.to_string())),
    }
}

const NOISE: &[&str] = &[
    "a[b=1",
    "[]=1",
    "a[][][]=1",
    "=",
    "&&&",
    "%",
    "%zz=1",
    "%ff=%fe",
    "a=1&a[b]=2",
    "amount[gt]=1",
    "{\"a\":",
    "{}",
    "[1]",
    "metadata[a][b]=1",
    "metadata=x",
    "expand=customer",
    "expand[]=a.b.c.d.e",
    "expand[]=%00",
    "limit=x",
    "\u{0}",
    "a=b=c",
    "items[0][price]=&items[0]=x",
    "items[18446744073709551616]=1",
    "a[0]=1&a[2]=1&a[b]=1",
];

fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A request for an operation.
struct Sent {
    method: &'static str,
    target: String,
    body: String,
    json: bool,
}

impl Sent {
    fn get(path: &str) -> Self {
        Self { method: "GET", target: format!("{path}?limit=12"), body: String::new(), json: false }
    }
}

fn compose(operation: &'static Operation, known: &Known, dice: &mut Dice, care: Care) -> Sent {
    let mut author = Author { dice, known, wrong: care != Care::Valid, sparse: false };
    let mut path = operation.path.clone();
    for (name, id) in author.path(operation) {
        path = path.replacen(&format!("{{{name}}}"), &escape(&id), 1);
    }
    let json = operation.encoding == Encoding::Json && operation.method == Method::Post;
    let text = if care == Care::Garbage {
        author.dice.pick(NOISE).to_owned()
    } else {
        let value = Value::Object(author.parameters(operation));
        if json {
            value.to_string()
        } else {
            let mut form = Vec::new();
            pairs(&value, "", &mut form);
            form.iter()
                .map(|(k, v)| format!("{}={}", escape(k).replace("%5B", "[").replace("%5D", "]"), escape(v)))
                .collect::<Vec<_>>()
                .join("&")
        }
    };
    let method = operation.method.as_str();
    if operation.method == Method::Post {
        return Sent { method, target: path, body: text, json };
    }
    // What is no URL is no request; servers never see it.
    let query: String =
        text.chars()
            .map(|c| {
                if c.is_ascii_graphic() && !"#{}|\\^`<>\"".contains(c) { c.to_string() } else { escape(&c.to_string()) }
            })
            .collect();
    Sent { method, target: format!("{path}?{query}"), body: String::new(), json }
}

/// What the simulator holds, as a text that changes with any of it.
async fn state(stripe: &Stripe) -> String {
    stripe.send("GET", "/_simulator/state", &[], "").await.text
}

async fn send(stripe: &Stripe, sent: &Sent, version: Option<&str>) -> Answer {
    let key = format!("Bearer {TEST_SECRET_KEY}");
    let mut headers = vec![("authorization", key.as_str())];
    if let Some(version) = version {
        headers.push(("stripe-version", version));
    }
    headers.push(("content-type", if sent.json { "application/json" } else { "application/x-www-form-urlencoded" }));
    stripe.send(sent.method, &sent.target, &headers, sent.body.clone()).await
}

/// Tells which request a failure was about.
struct About(String);

impl Drop for About {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the request: {}", self.0);
        }
    }
}

/// An account with a bit of everything.
async fn populate(stripe: &Stripe) {
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let one_time = [("currency", "usd"), ("unit_amount", "700"), ("product_data[name]", "Book")];
    let one_time = stripe.make("/v1/prices", &one_time).await.id();
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = stripe.make("/v1/subscriptions", &form).await.id();
    let session = [
        ("mode", "payment"),
        ("success_url", "https://example.com/"),
        ("line_items[0][price]", &one_time),
        ("line_items[0][quantity]", "2"),
    ];
    stripe.make("/v1/checkout/sessions", &session).await;
    for (capture, confirm) in [("automatic", "true"), ("manual", "true"), ("automatic", "false")] {
        let form = [
            ("amount", "2000"),
            ("currency", "usd"),
            ("customer", &customer),
            ("payment_method", &method),
            ("capture_method", capture),
            ("confirm", confirm),
            ("return_url", "https://example.com/"),
        ];
        let form = if confirm == "true" { &form[..] } else { &form[..6] };
        let intent = stripe.make("/v1/payment_intents", form).await;
        if capture == "automatic" && confirm == "true" {
            stripe.make("/v1/refunds", &[("payment_intent", &intent.id()), ("amount", "500")]).await;
        }
    }
    let disputed =
        [("amount", "2500"), ("currency", "usd"), ("payment_method", "pm_card_createDispute"), ("confirm", "true")];
    stripe.make("/v1/payment_intents", &disputed).await;
    stripe
        .make("/v1/setup_intents", &[("customer", &customer), ("payment_method", &method), ("confirm", "true")])
        .await;
    let coupon = stripe.make("/v1/coupons", &[("percent_off", "25"), ("duration", "once")]).await.id();
    stripe.make("/v1/promotion_codes", &[("promotion[type]", "coupon"), ("promotion[coupon]", &coupon)]).await;
    stripe.make("/v1/tax_rates", &[("display_name", "VAT"), ("percentage", "10"), ("inclusive", "false")]).await;
    stripe.make("/v1/invoiceitems", &[("customer", &customer), ("amount", "900"), ("currency", "usd")]).await;
    stripe.make("/v1/invoices", &[("customer", &customer)]).await;
    stripe.make("/v1/quotes", &[("customer", &customer), ("line_items[0][price]", &price)]).await;
    stripe.make("/v1/payment_links", &[("line_items[0][price]", &one_time), ("line_items[0][quantity]", "1")]).await;
    stripe.make("/v1/subscription_schedules", &[("from_subscription", &subscription)]).await;
    let hook = [("url", "http://127.0.0.1:9/"), ("enabled_events[]", "account.updated")];
    stripe.make("/v1/webhook_endpoints", &hook).await;
    stripe.make("/v1/test_helpers/test_clocks", &[("frozen_time", "1800000000")]).await;
    stripe.make("/v1/billing_portal/sessions", &[("customer", &customer)]).await;
}

/// Everything that is listed.
async fn survey(stripe: &Stripe) -> Known {
    let mut known = Known::default();
    for operation in &Facts::bundled().operations {
        if operation.method == Method::Get && !operation.path.contains('{') && operation.parameter("limit").is_some() {
            known.learn(&send(stripe, &Sent::get(&operation.path), Some(PINNED)).await.body);
        }
    }
    known
}

async fn walk(version: Option<&str>, rounds: &[Care]) {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let stripe = Stripe::start_with(Options { seed: Some(seed), ..Options::default() }).await;
    let mut dice = Dice::new(seed);
    // What is deleted is deleted at the end, so that everything else has something to work on.
    let mut operations: Vec<&Operation> = Facts::bundled().operations.iter().collect();
    operations.sort_by_key(|o| o.method == Method::Delete);
    let (mut succeeded, mut refused) = (0, 0);
    for care in rounds {
        populate(&stripe).await;
        let mut known = survey(&stripe).await;
        let mut before = state(&stripe).await;
        for operation in &operations {
            let sent = compose(operation, &known, &mut dice, *care);
            let version = if operation.path.starts_with("/v2/") { Some(PINNED) } else { version };
            let about = About(format!("seed {seed}, {care:?}: {} {} {}", sent.method, sent.target, sent.body));
            if *care == Care::Valid {
                let (path, query) = sent.target.split_once('?').unwrap_or((&sent.target, ""));
                assert_eq!(conformance::check_request(sent.method, path, query, &sent.body), Ok(()));
            }
            let answer = send(&stripe, &sent, version).await;
            assert!(answer.status == 200 || (400..500).contains(&answer.status), "{} {}", answer.status, answer.text);
            assert!(answer.status == 401 || !answer.header("request-id").is_empty());
            // A card that is declined leaves its mark, and what is read may have come of age meanwhile.
            if answer.status == 200 || answer.status == 402 {
                succeeded += 1;
                known.learn(&answer.body);
                if sent.method != "GET" {
                    before = state(&stripe).await;
                }
            } else {
                refused += 1;
                assert!(answer.error()["message"].is_string(), "{}", answer.text);
                let after = state(&stripe).await;
                assert!(before == after, "a refused request changed something: {}\n{before}\n{after}", answer.text);
            }
            if let Some(violation) = stripe.simulator.violations().first() {
                panic!("{violation}: {}", answer.text);
            }
            drop(about);
        }
    }
    println!("{succeeded} succeeded, {refused} were refused");
    // Most of what is right does something, and most of what is wrong is noticed.
    assert!(succeeded > 200 && refused > 200, "{succeeded} succeeded, {refused} were refused");
}

#[tokio::test]
async fn every_operation_takes_anything_in_the_pinned_version() {
    walk(Some(PINNED), &[Care::Valid, Care::Half, Care::Garbage, Care::Half]).await;
}

#[tokio::test]
async fn every_operation_takes_anything_in_the_accounts_version() {
    walk(None, &[Care::Valid, Care::Half]).await;
}
