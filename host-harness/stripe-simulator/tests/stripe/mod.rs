//! A client of the simulator for tests: real sockets, and every answer and delivery held against the facts.

pub mod listener;
pub mod shop;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use stripe_simulator::{Options, Simulator, TEST_SECRET_KEY, conformance};

/// The API version that the facts describe.
pub const PINNED: &str = "2026-10-28.endive";

/// An answer of the simulator.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// The body; `null` when it is no JSON.
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }

    pub fn error(&self) -> &Value {
        &self.body["error"]
    }

    pub fn ids(&self) -> Vec<String> {
        let data = self.body["data"].as_array().unwrap_or_else(|| panic!("no data in {}", self.text));
        data.iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn types(&self) -> Vec<String> {
        let data = self.body["data"].as_array().unwrap_or_else(|| panic!("no data in {}", self.text));
        data.iter().map(|o| o["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// A simulator and a client with a key. A test ends well only when every answer and delivery was what the facts
/// say, with every member that Stripe sends.
pub struct Stripe {
    pub simulator: Simulator,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Drop for Stripe {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations: Vec<String> = self.simulator.violations().iter().map(ToString::to_string).collect();
            assert!(violations.is_empty(), "answers that are not what the facts say:\n{}", violations.join("\n"));
        }
    }
}

pub type Form<'a> = &'a [(&'a str, &'a str)];

pub fn encode(form: Form<'_>) -> String {
    let escape = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~[]".contains(&b);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    form.iter().map(|(k, v)| format!("{}={}", escape(k), escape(v))).collect::<Vec<_>>().join("&")
}

impl Stripe {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        let simulator = Simulator::start_with(Options { check_answers: true, ..options }).await.unwrap();
        Self { simulator, http: Client::builder(TokioExecutor::new()).build(HttpConnector::new()) }
    }

    /// Sends anything at all.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let url = if target.starts_with("http") { target.to_owned() } else { self.simulator.base_url() + target };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: head.status.as_u16(), headers: head.headers, text, body }
    }

    /// Sends a request of the API with more headers; the answer is of the right shape.
    pub async fn call(&self, method: &str, path: &str, form: Form<'_>, headers: &[(&str, &str)]) -> Answer {
        let key = format!("Bearer {TEST_SECRET_KEY}");
        let mut all = vec![("authorization", key.as_str())];
        if headers.iter().any(|(n, _)| *n == "authorization") {
            all.clear();
        }
        // Answers are held against the pinned version, so that is what is asked for.
        if path.starts_with("/v1/") && !headers.iter().any(|(n, _)| *n == "stripe-version") {
            all.push(("stripe-version", PINNED));
        }
        all.extend_from_slice(headers);
        let parameters = encode(form);
        let answer = if method == "POST" {
            self.send(method, path, &all, parameters).await
        } else {
            let target = if form.is_empty() { path.to_owned() } else { format!("{path}?{parameters}") };
            self.send(method, &target, &all, "").await
        };
        check(method, path, &answer);
        answer
    }

    pub async fn post(&self, path: &str, form: Form<'_>) -> Answer {
        self.call("POST", path, form, &[]).await
    }

    pub async fn get(&self, path: &str, form: Form<'_>) -> Answer {
        self.call("GET", path, form, &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], &[]).await
    }

    /// A request of v2 with more headers; the answer is of the right shape.
    pub async fn v2_with(&self, method: &str, target: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let key = format!("Bearer {TEST_SECRET_KEY}");
        let mut all = vec![("stripe-version", PINNED), ("content-type", "application/json")];
        if !headers.iter().any(|(n, _)| *n == "authorization") {
            all.push(("authorization", key.as_str()));
        }
        all.extend_from_slice(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, target, &all, body).await;
        check(method, target.split('?').next().unwrap(), &answer);
        answer
    }

    /// A request of v2.
    pub async fn v2(&self, method: &str, target: &str, body: Value) -> Answer {
        self.v2_with(method, target, body, &[]).await
    }

    /// A request of v2 that must succeed.
    pub async fn make_v2(&self, method: &str, target: &str, body: Value) -> Answer {
        let answer = self.v2(method, target, body).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text);
        answer
    }

    /// A request that names no version.
    pub async fn unversioned(&self, method: &str, path: &str, form: Form<'_>) -> Answer {
        let key = format!("Bearer {TEST_SECRET_KEY}");
        self.send(method, path, &[("authorization", &key)], encode(form)).await
    }

    /// A POST that must succeed.
    pub async fn make(&self, path: &str, form: Form<'_>) -> Answer {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    }

    /// Types of all events so far, oldest first.
    pub async fn events(&self) -> Vec<String> {
        let mut types = self.get("/v1/events", &[("limit", "100")]).await.types();
        types.reverse();
        types
    }

    /// A customer whose invoices are charged to a test card: its id and the payment method's.
    pub async fn customer_with(&self, card: &str) -> (String, String) {
        let customer = self.make("/v1/customers", &[("email", "c@example.com")]).await.id();
        let method = self.make(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await.id();
        let settings = [("invoice_settings[default_payment_method]", method.as_str())];
        self.make(&format!("/v1/customers/{customer}"), &settings).await;
        (customer, method)
    }

    /// A monthly price: its id.
    pub async fn monthly(&self, amount: &str) -> String {
        let form = [
            ("currency", "usd"),
            ("unit_amount", amount),
            ("recurring[interval]", "month"),
            ("product_data[name]", "Club"),
        ];
        self.make("/v1/prices", &form).await.id()
    }

    /// Submits a form as a browser does, without following where it leads.
    pub async fn submit(&self, url: &str, form: Form<'_>) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", url, &headers, encode(form)).await
    }
}

/// Whether an answer is one of the API: a well-shaped object, or a well-shaped error.
pub fn check(method: &str, path: &str, answer: &Answer) {
    if answer.status == 200 {
        if let Err(problem) = conformance::check_response(method, path, &answer.body) {
            panic!("{method} {path}: {problem}\n{}", answer.text);
        }
        return;
    }
    assert!((400..500).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
    let error = answer.error();
    assert!(error["message"].is_string(), "{}", answer.text);
    if path.starts_with("/v2/") && answer.status != 401 {
        assert!(error["code"].is_string() || error["type"].is_string(), "{}", answer.text);
        return;
    }
    let kinds = ["api_error", "card_error", "idempotency_error", "invalid_request_error", "temporary_session_expired"];
    assert!(kinds.contains(&error["type"].as_str().unwrap_or_default()), "{}", answer.text);
    if error["code"].is_string() && path.starts_with("/v1/") {
        assert!(error["doc_url"].is_string(), "{}", answer.text);
    }
    for kind in ["payment_intent", "payment_method"] {
        if error[kind].is_object() {
            conformance::check_object(&error[kind]).unwrap();
        }
    }
}

/// Waits for a condition that others bring about.
pub async fn until<T>(what: &str, mut test: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = test().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
