//! A small Stripe to test against, in memory and with a clock of its own: webhook endpoints, idempotency keys, events.
//!
//! It keeps the rules that the code under test leans on: metadata is merged name by name, a key's first answer is kept
//! for a day and refuses other parameters, lists are newest first and end at cursors, an event may come to light late.
//! Tests say what goes wrong ([`Fault`]), what happens between two requests, and who goes first ([`gate`]).

mod endpoints;
mod events;
pub mod gate;

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use self::gate::Gate;
use crate::catalogue::Method;
use crate::connection::Fields;
use crate::operation::session::{History, Invocation, Session};
use crate::stripe::transport::{Clock, Failure, HttpRequest, HttpResponse, Transport};

pub use self::endpoints::Endpoint;
pub use self::events::Event;

/// 2026-11-21T00:00:00Z.
pub const TODAY: u64 = 1_795_219_200;
pub const KEY: &str = "sk_test_model";

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    None,
    /// It is executed, and its answer does not arrive.
    LostAnswer,
    /// It does not arrive.
    Unreachable,
    /// It is answered with this status and nothing of Stripe's.
    Foreign(u16),
    /// It is refused with this status and error type.
    Refused(u16, &'static str),
    /// It is answered with this.
    Answered(Value),
    /// Its answer is larger than what is read.
    TooLarge,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub body: BTreeMap<String, String>,
    pub key: Option<String>,
    pub account: Option<String>,
}

impl Seen {
    pub fn is(&self, method: Method, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

type Plan = Box<dyn FnMut(&Seen, &mut World) -> Fault + Send>;

/// All there is.
#[derive(Default)]
pub struct World {
    pub now: u64,
    pub endpoints: Vec<Endpoint>,
    pub events: Vec<Event>,
    /// Bodies of other GETs by path.
    pub objects: BTreeMap<String, Value>,
    pub keys: BTreeMap<String, Kept>,
    pub requests: Vec<Seen>,
    /// Whether answers have a `Date`.
    pub silent_clock: bool,
    /// How long keys are kept.
    pub keeps_keys_for: u64,
    made: u64,
}

/// A key's first answer.
#[derive(Debug, Clone)]
pub struct Kept {
    request: String,
    answer: (u16, Value),
    at: u64,
}

pub struct Model {
    world: Mutex<World>,
    plan: Mutex<Option<Plan>>,
    gate: Gate,
}

impl Model {
    pub fn new() -> Self {
        let world = World { now: TODAY, keeps_keys_for: 24 * 60 * 60, ..World::default() };
        Self { world: Mutex::new(world), plan: Mutex::new(None), gate: Gate::open() }
    }

    /// One where requests of several clients come in the order that the gate says.
    pub fn gated(gate: Gate) -> Self {
        Self { gate, ..Self::new() }
    }

    /// A client that sends nothing more.
    pub fn leave(&self) {
        self.gate.leave();
    }

    /// The same world without a gate.
    pub fn opened(self) -> Self {
        Self { gate: Gate::open(), ..self }
    }

    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().expect("the world"))
    }

    /// Says what becomes of each request, from now on.
    pub fn plan(&self, plan: impl FnMut(&Seen, &mut World) -> Fault + Send + 'static) {
        *self.plan.lock().expect("the plan") = Some(Box::new(plan));
    }

    pub fn all_is_well(&self) {
        *self.plan.lock().expect("the plan") = None;
    }

    pub fn line(&self, client: usize) -> Line<'_> {
        Line { model: self, client, elapsed: Mutex::new(0), skew: 0 }
    }

    /// The requests since the last call of this.
    pub fn requests(&self) -> Vec<Seen> {
        self.world(|w| std::mem::take(&mut w.requests))
    }

    fn answer(&self, seen: Seen) -> Result<HttpResponse, Failure> {
        let mut world = self.world.lock().expect("the world");
        world.requests.push(seen.clone());
        let fault = self.plan.lock().expect("the plan").as_mut().map_or(Fault::None, |plan| plan(&seen, &mut world));
        match fault {
            Fault::None => Ok(world.execute(&seen)),
            Fault::LostAnswer => {
                world.execute(&seen);
                Err(Failure::Broken("the model dropped it".into()))
            }
            Fault::Unreachable => Err(Failure::Unreachable("the model is away".into())),
            Fault::Foreign(status) => Ok(HttpResponse { status, headers: Vec::new(), body: b"<html>".to_vec() }),
            Fault::Refused(status, kind) => {
                Ok(world.respond((status, json!({"error": {"type": kind, "message": "The model refuses."}})), false))
            }
            Fault::Answered(body) => Ok(world.respond((200, body), false)),
            Fault::TooLarge => Err(Failure::TooLarge(Box::new(world.respond((200, Value::Null), false)))),
        }
    }
}

impl World {
    /// A new number, and with it ids whose order says nothing of time.
    fn letters(&mut self) -> String {
        self.made += 1;
        format!("{:016x}", self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn execute(&mut self, seen: &Seen) -> HttpResponse {
        let request = format!("{:?} {} {:?}", seen.method, seen.path, seen.body);
        if let Some(key) = &seen.key {
            let (now, kept_for) = (self.now, self.keeps_keys_for);
            self.keys.retain(|_, kept| kept.at + kept_for > now);
            match self.keys.get(key) {
                Some(kept) if kept.request == request => {
                    let answer = kept.answer.clone();
                    return self.respond(answer, true);
                }
                Some(_) => {
                    let error = json!({"error": {"type": "idempotency_error", "message": "Keys for idempotent requests can only be used with the same parameters they were first used with."}});
                    return self.respond((400, error), false);
                }
                None => {}
            }
        }
        let answer = self.serve(seen);
        if let Some(key) = &seen.key
            && answer.0 < 400
        {
            self.keys.insert(key.clone(), Kept { request, answer: answer.clone(), at: self.now });
        }
        self.respond(answer, false)
    }

    fn serve(&mut self, seen: &Seen) -> (u16, Value) {
        let missing = |param: &str| {
            (
                404,
                json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing.", "param": param}}),
            )
        };
        match (seen.method, seen.path.as_str()) {
            (Method::Get, "/v1/events") => self.list_events(&seen.query).unwrap_or_else(missing),
            (Method::Get, path) if self.objects.contains_key(path) => (200, self.objects[path].clone()),
            (_, path) if path.starts_with("/v1/webhook_endpoints") => {
                self.serve_endpoints(seen).unwrap_or_else(|| missing("id"))
            }
            _ => missing("id"),
        }
    }

    fn respond(&mut self, (status, body): (u16, Value), replayed: bool) -> HttpResponse {
        let mut headers = vec![("request-id".to_owned(), format!("req_{}", self.letters()))];
        if !self.silent_clock {
            headers.push(("date".to_owned(), http_date(self.now)));
        }
        if replayed {
            headers.push(("idempotent-replayed".to_owned(), "true".to_owned()));
        }
        HttpResponse { status, headers, body: body.to_string().into_bytes() }
    }
}

/// A client's connection to the model, and its clock.
pub struct Line<'m> {
    model: &'m Model,
    client: usize,
    elapsed: Mutex<u64>,
    /// How far the client's clock is ahead of the model's, in seconds.
    pub skew: i64,
}

impl Line<'_> {
    pub fn session(&self, invocation: &str) -> Session<'_> {
        self.session_with(&[("api_key", KEY)], invocation)
    }

    pub fn session_with(&self, fields: &[(&str, &str)], invocation: &str) -> Session<'_> {
        self.session_of(fields, invocation, None)
    }

    pub fn session_of(&self, values: &[(&str, &str)], id: &str, history: Option<History>) -> Session<'_> {
        let invocation = Invocation { id: id.into(), idempotency_key: None, timeout: None, history };
        Session::start(self, self, &fields(values), invocation).expect("a session")
    }
}

/// The fields of a production connection.
pub fn fields(values: &[(&str, &str)]) -> Fields {
    Fields { values: values.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(), development: false }
}

impl Transport for Line<'_> {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure> {
        let header = |name: &str| request.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        let body = request.body.map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
        let seen = Seen {
            method: request.method,
            path: path.into(),
            query: decoded(query),
            body: decoded(&body),
            key: header("Idempotency-Key"),
            account: header("Stripe-Account").or(header("Stripe-Context")),
        };
        self.model.gate.pass(self.client);
        self.model.answer(seen)
    }
}

impl Clock for Line<'_> {
    fn unix_seconds(&self) -> u64 {
        self.model.world(|w| w.now).saturating_add_signed(self.skew)
    }

    fn monotonic_ms(&self) -> u64 {
        *self.elapsed.lock().expect("the clock")
    }

    fn sleep_ms(&self, duration: u64) {
        *self.elapsed.lock().expect("the clock") += duration;
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

fn decoded(form: &str) -> BTreeMap<String, String> {
    let unescape = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            let escaped =
                (*byte == b'%').then(|| u8::from_str_radix(std::str::from_utf8(&after[..2]).expect("hex"), 16));
            bytes.push(escaped.map_or(*byte, |b| b.expect("hex")));
            rest = if *byte == b'%' { &after[2..] } else { after };
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (unescape(name), unescape(value))).collect()
}

fn http_date(seconds: u64) -> String {
    let iso = crate::timestamp::from_unix(i64::try_from(seconds).expect("a time")).expect("a time");
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month: usize = iso[5..7].parse().expect("a month");
    format!("Sat, {} {} {} {} GMT", &iso[8..10], months[month - 1], &iso[..4], &iso[11..19])
}
