//! A transport that answers what a test says, and a clock that nobody waits for.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::catalogue::Method;
use crate::error::{Error, Result};
use crate::stripe::client::{Answer, Call, Client, Payload};
use crate::stripe::idempotency::History;
use crate::stripe::key::SecretKey;
use crate::stripe::transport::{ApiBase, Clock, Failure, HttpRequest, HttpResponse, Transport};

/// The key of every call in here.
pub const KEY: &str = "sk_test_SECRET";

/// When the scripted world begins, in Unix seconds.
pub const BEGINNING: u64 = 1_800_000_000;

/// What becomes of one request.
#[derive(Debug, Clone)]
pub struct Step {
    takes_ms: u64,
    result: std::result::Result<HttpResponse, Failure>,
}

impl Step {
    /// It takes this long.
    pub fn taking(mut self, milliseconds: u64) -> Self {
        self.takes_ms = milliseconds;
        self
    }

    /// Whether it says that the key is in use.
    pub fn is_of_the_key(&self) -> bool {
        let in_use = b"idempotency_key_in_use";
        self.result.as_ref().is_ok_and(|r| r.body.windows(in_use.len()).any(|w| w == in_use))
    }

    /// The answer asks to be repeated, or not to be.
    pub fn should_retry(self, again: bool) -> Self {
        self.with("stripe-should-retry", &again.to_string())
    }

    /// The answer has this header as well.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.result {
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// An answer.
pub fn answer(status: u16, body: &str) -> Step {
    let headers =
        vec![("content-type".to_owned(), "application/json".to_owned()), ("request-id".to_owned(), "req_1".to_owned())];
    Step { takes_ms: 10, result: Ok(HttpResponse { status, headers, body: body.as_bytes().to_vec() }) }
}

/// A customer, as Stripe answers it.
pub const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer"}"#;

/// Stripe's error of this type and code.
pub fn error(status: u16, kind: &str, code: &str) -> Step {
    answer(status, &format!(r#"{{"error":{{"type":"{kind}","code":"{code}","message":"scripted {code}"}}}}"#))
}

/// The same answer, as Stripe keeps it for its key.
pub fn replayed(step: Step) -> Step {
    step.with("idempotent-replayed", "true")
}

/// No answer.
pub fn fails(failure: Failure) -> Step {
    Step { takes_ms: 10, result: Err(failure) }
}

/// The request left, and the connection broke.
pub fn broken() -> Step {
    fails(Failure::Broken("reset".into()))
}

/// Nobody listens.
pub fn unreachable() -> Step {
    fails(Failure::Unreachable("the connection was refused".into()))
}

/// A request as it left.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: String,
    pub address: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    pub at_ms: u64,
    pub deadline_ms: u64,
    pub first_byte_ms: u64,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// A world in which requests meet their steps one after the other, and the last step for ever.
pub struct World {
    steps: RefCell<VecDeque<Step>>,
    sent: RefCell<Vec<Sent>>,
    now_ms: Cell<u64>,
    pub unix: Cell<u64>,
}

impl World {
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: RefCell::new(steps.into_iter().collect()),
            sent: RefCell::default(),
            now_ms: Cell::new(1_000),
            unix: Cell::new(BEGINNING),
        }
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.sent.borrow().clone()
    }

    fn pass(&self, milliseconds: u64) {
        self.now_ms.set(self.now_ms.get() + milliseconds);
    }
}

impl Clock for World {
    fn unix_seconds(&self) -> u64 {
        self.unix.get() + (self.now_ms.get() - 1_000) / 1000
    }

    fn monotonic_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn sleep_ms(&self, duration: u64) {
        self.pass(duration);
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

impl Transport for World {
    fn send(&self, request: &HttpRequest<'_>) -> std::result::Result<HttpResponse, Failure> {
        self.sent.borrow_mut().push(Sent {
            method: format!("{:?}", request.method).to_uppercase(),
            address: request.base.authority.clone(),
            path: request.path.to_owned(),
            headers: request.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: request.body.map(<[u8]>::to_vec),
            at_ms: self.now_ms.get(),
            deadline_ms: request.deadline_ms,
            first_byte_ms: request.timeouts.first_byte,
        });
        let step = {
            let mut steps = self.steps.borrow_mut();
            if steps.len() > 1 { steps.pop_front() } else { steps.front().cloned() }.expect("a script")
        };
        self.pass(step.takes_ms);
        step.result
    }
}

/// A request that changes something under a key.
pub fn post() -> Call {
    Call::write(Method::Post, "/v1/customers", Payload::form("name=Jenny".into()), Some("key-1".into()))
}

/// A removal in v1, which has no key.
pub fn delete() -> Call {
    Call::write(Method::Delete, "/v1/customers/cus_1", Payload::Query(String::new()), None)
}

/// A request that reads.
pub fn get() -> Call {
    Call::read("/v1/customers/cus_1", "")
}

/// Who sends the requests of one call of the connector.
pub struct Caller<'w> {
    transport: &'w dyn Transport,
    world: &'w World,
    key: SecretKey,
    base: ApiBase,
    deadline_ms: u64,
    pub account: Option<&'static str>,
    pub history: Option<History>,
    pub attempts: Cell<u32>,
}

impl<'w> Caller<'w> {
    /// One with plenty of time and no history.
    pub fn new(world: &'w World) -> Self {
        Self {
            transport: world,
            world,
            key: SecretKey::parse(KEY).expect("a key"),
            base: ApiBase::parse("https://api.stripe.com").expect("an address"),
            deadline_ms: world.monotonic_ms() + 200_000,
            account: None,
            history: None,
            attempts: Cell::new(0),
        }
    }

    /// Through another transport, in the same time.
    pub fn through(mut self, transport: &'w dyn Transport) -> Self {
        self.transport = transport;
        self
    }

    /// With this much time.
    pub fn within_ms(mut self, milliseconds: u64) -> Self {
        self.deadline_ms = self.world.monotonic_ms() + milliseconds;
        self
    }

    /// At another address.
    pub fn at(mut self, base: &str) -> Self {
        self.base = ApiBase::parse(base).expect("an address");
        self
    }

    /// After a try that began this long ago, in seconds, and ended in doubt or not.
    pub fn after_a_try(mut self, seconds_ago: u64, in_doubt: bool) -> Self {
        self.history = Some(History { first_try: self.world.unix_seconds() - seconds_ago, tries: 1, in_doubt });
        self
    }

    pub fn send(&self, call: &Call) -> Result<Answer> {
        let client = Client {
            transport: self.transport,
            clock: self.world,
            key: &self.key,
            account: self.account,
            base: &self.base,
            deadline_ms: self.deadline_ms,
            history: self.history,
            sent: &self.attempts,
        };
        client.send(call)
    }

    pub fn refused(&self, call: &Call) -> Box<Error> {
        self.send(call).map(|a| a.body.into_text()).expect_err("an error was expected")
    }
}

/// What a call comes to that meets these steps.
pub fn refused(call: &Call, steps: impl IntoIterator<Item = Step>) -> Box<Error> {
    Caller::new(&World::of(steps)).refused(call)
}
