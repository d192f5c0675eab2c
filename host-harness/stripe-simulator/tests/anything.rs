//! Every operation of the API takes anything: right, half right and wrong, and answers as Stripe does.
//!
//! `SEED=7` in the environment walks another way.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod stripe;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stripe::{Answer, PINNED, Stripe};
use stripe_facts::{Encoding, Facts, Field, Method, Operation, Shape};
use stripe_simulator::{Options, TEST_SECRET_KEY};

/// Numbers that look random and are the same for a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

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

/// The ids that there are, by the kind of their objects.
#[derive(Default)]
struct Pool(BTreeMap<String, BTreeSet<String>>);

impl Pool {
    /// Takes up every id in an answer.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                if let (Some(kind), Some(id)) = (members.get("object"), members.get("id"))
                    && let (Some(kind), Some(id)) = (kind.as_str(), id.as_str())
                {
                    let known = self.0.entry(kind.to_owned()).or_default();
                    if known.len() < 12 {
                        known.insert(id.to_owned());
                    }
                }
                members.values().for_each(|v| self.learn(v));
            }
            Value::Array(items) => items.iter().for_each(|i| self.learn(i)),
            _ => {}
        }
    }

    fn of(&self, kind: &str, dice: &mut Dice) -> Option<String> {
        let ids: Vec<&String> = self.0.get(kind)?.iter().collect();
        Some(ids[dice.below(ids.len())].clone())
    }

    fn any(&self, dice: &mut Dice) -> String {
        let kinds: Vec<&String> = self.0.keys().collect();
        let kind = kinds[dice.below(kinds.len())].clone();
        self.of(&kind, dice).unwrap()
    }

    /// An id for a parameter or placeholder of this name, when it looks like one.
    fn named(&self, name: &str, dice: &mut Dice) -> Option<String> {
        let name = name.rsplit(['[', '.']).next().unwrap_or(name).trim_end_matches(']');
        let kind = match name {
            "intent" => dice.pick(&["payment_intent", "setup_intent"]),
            "session" => "checkout.session",
            "default_payment_method" | "payment_method" => "payment_method",
            "subscription_exposed_id" => "subscription",
            "line_item_id" => "line_item",
            "schedule" => "subscription_schedule",
            "id" => return Some(self.any(dice)),
            "test_clock" => "test_helpers.test_clock",
            other => other.trim_end_matches("_id"),
        };
        self.of(kind, dice).or_else(|| self.of(kind.trim_end_matches('s'), dice))
    }
}

const TEXTS: &[&str] =
    &["usd", "eur", "jpy", "a text", "US", "en", "2026-10-28.endive", "a@example.com", "pm_card_visa"];
const ODD_TEXTS: &[&str] = &["", " ", "\0", "null", "[]", "-1", "日本語 \u{1f600}", "' OR 1=1", "%", "cus_none", "\n"];
const NUMBERS: &[i64] = &[1, 2, 50, 1000, 2000, 12];
const ODD_NUMBERS: &[i64] = &[0, -1, 99, 1 << 31, 999_999_999_999, i64::MAX, i64::MIN, i64::MAX - 1];

struct Writer<'a> {
    dice: &'a mut Dice,
    pool: &'a Pool,
    care: Care,
}

impl Writer<'_> {
    fn odd(&mut self) -> bool {
        self.care != Care::Valid && self.dice.percent(15)
    }

    fn text(&mut self, name: &str) -> String {
        if self.odd() {
            return match self.dice.below(4) {
                0 => self.pool.any(self.dice),
                1 => "x".repeat(600),
                _ => self.dice.pick(ODD_TEXTS).to_owned(),
            };
        }
        if name.contains("currency") {
            return self.dice.pick(&["usd", "eur", "jpy"]).to_owned();
        }
        if name.ends_with("url") || name.ends_with("url]") {
            return "https://example.com/".to_owned();
        }
        if name.ends_with("expand[0]") {
            return self.dice.pick(&["customer", "data.customer", "latest_charge", "data", "lines.data"]).to_owned();
        }
        self.pool.named(name, self.dice).unwrap_or_else(|| self.dice.pick(TEXTS).to_owned())
    }

    fn number(&mut self, name: &str) -> i64 {
        if self.odd() {
            return ODD_NUMBERS[self.dice.below(ODD_NUMBERS.len())];
        }
        let timely =
            ["_at", "time", "created", "start", "end", "anchor", "_date", "gte", "lte", "gt", "lt", "timestamp"];
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
        if timely.iter().any(|t| name.trim_end_matches(']').ends_with(t)) {
            return now + [-86_400, 0, 86_400, 40 * 86_400][self.dice.below(4)];
        }
        NUMBERS[self.dice.below(NUMBERS.len())]
    }

    /// A value as JSON; scalars of forms become text later.
    fn value(&mut self, shape: &Shape, name: &str, depth: usize) -> Value {
        if self.odd() && self.dice.percent(20) {
            return [json!("odd"), json!({}), json!([1, [2]]), json!({"a": {"b": "c"}}), json!("")][self.dice.below(5)]
                .clone();
        }
        match shape {
            Shape::Boolean => self.dice.percent(50).into(),
            Shape::True => true.into(),
            Shape::Integer => self.number(name).into(),
            Shape::Number => (self.number(name) as f64 / 4.0).into(),
            Shape::Decimal => self.dice.pick(&["1", "0.5", "12.25"]).into(),
            Shape::Enum(_) if self.odd() => self.text(name).into(),
            Shape::Enum(values) => values[self.dice.below(values.len())].as_str().into(),
            Shape::Array(inner) => {
                let count = if self.odd() { 0 } else { 1 + self.dice.below(2) };
                (0..count).map(|i| self.value(inner, &format!("{name}[{i}]"), depth + 1)).collect()
            }
            Shape::Map(inner) => json!({"key": self.value(inner, name, depth + 1)}),
            Shape::Object(fields) => self.members(fields, name, depth + 1),
            Shape::Union(parts) => {
                let part = &parts[self.dice.below(parts.len())];
                self.value(part, name, depth)
            }
            _ => self.text(name).into(),
        }
    }

    fn members(&mut self, fields: &[Field], parent: &str, depth: usize) -> Value {
        let chance = [35, 15, 8, 4][depth.min(3)].min(4 + 400 / fields.len().max(1));
        let mut object = serde_json::Map::new();
        for field in fields {
            let name = if parent.is_empty() { field.name.clone() } else { format!("{parent}[{}]", field.name) };
            let wanted = if field.required { !self.odd() } else { depth < 6 && self.dice.percent(chance) };
            if wanted {
                object.insert(field.name.clone(), self.value(&field.shape, &name, depth));
            }
        }
        if self.odd() {
            object.insert("unheard_of".into(), "x".into());
        }
        Value::Object(object)
    }
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

fn compose(operation: &'static Operation, pool: &Pool, dice: &mut Dice, care: Care) -> Sent {
    let kind = match &operation.response {
        Shape::Ref(name) => Some(name.as_str()),
        _ => None,
    };
    let last = operation.path_parameters().last().map(|p| format!("{{{p}}}"));
    let segments = operation.path.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else { return segment.to_owned() };
        let odd = care != Care::Valid && dice.percent(20);
        if odd {
            return escape(dice.pick(&["none", "cus_none", "日本", "%", "..", "a b", "search", "'"]));
        }
        let own = if Some(segment) == last.as_deref() { kind.and_then(|k| pool.of(k, dice)) } else { None };
        escape(&own.or_else(|| pool.named(name, dice)).unwrap_or_else(|| "id_none".into()))
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let json = operation.encoding == Encoding::Json && operation.method == Method::Post;
    let text = if care == Care::Garbage {
        dice.pick(NOISE).to_owned()
    } else {
        let value = Writer { dice, pool, care }.members(&operation.parameters, "", 0);
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
async fn survey(stripe: &Stripe) -> Pool {
    let mut pool = Pool::default();
    for operation in &Facts::bundled().operations {
        if operation.method == Method::Get && !operation.path.contains('{') && operation.parameter("limit").is_some() {
            pool.learn(&send(stripe, &Sent::get(&operation.path), Some(PINNED)).await.body);
        }
    }
    pool
}

async fn walk(version: Option<&str>, rounds: &[Care]) {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let stripe = Stripe::start_with(Options { seed: Some(seed), ..Options::default() }).await;
    let mut dice = Dice(seed);
    // What is deleted is deleted at the end, so that everything else has something to work on.
    let mut operations: Vec<&Operation> = Facts::bundled().operations.iter().collect();
    operations.sort_by_key(|o| o.method == Method::Delete);
    let (mut succeeded, mut refused) = (0, 0);
    for care in rounds {
        populate(&stripe).await;
        let mut pool = survey(&stripe).await;
        let mut before = state(&stripe).await;
        for operation in &operations {
            let sent = compose(operation, &pool, &mut dice, *care);
            let version = if operation.path.starts_with("/v2/") { Some(PINNED) } else { version };
            let about = About(format!("seed {seed}, {care:?}: {} {} {}", sent.method, sent.target, sent.body));
            let answer = send(&stripe, &sent, version).await;
            assert!(answer.status == 200 || (400..500).contains(&answer.status), "{} {}", answer.status, answer.text);
            assert!(answer.status == 401 || !answer.header("request-id").is_empty());
            // A card that is declined leaves its mark, and what is read may have come of age meanwhile.
            if answer.status == 200 || answer.status == 402 {
                succeeded += 1;
                pool.learn(&answer.body);
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
