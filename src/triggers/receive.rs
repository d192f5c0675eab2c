//! A webhook delivery: genuine or not, and which event it holds.
//!
//! The order is that of trust: the signature over the bytes first, then one scan of them, then whom the event is for.

use super::directory::Trigger;
use super::event::{Event, Head};
use super::subscription::state::States;
use super::uses::{self, InUse, Use};
use crate::connection::Fields;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::{Node, Scanned};
use crate::stripe::key::Mode;
use crate::stripe::signature;

/// A webhook request as it arrived.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path; Stripe's signature does not cover it.
    pub path: String,
    /// The query; nor this.
    pub query: Option<String>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a genuine delivery held.
#[derive(Debug, Default)]
pub struct Receipt {
    /// Events that triggers report.
    pub events: Vec<Event>,
    /// Events that none does.
    pub ignored: Vec<Ignored>,
    /// What to answer with; Stripe is content with any 2xx.
    pub response: Option<Response>,
}

/// An event that no trigger reports.
#[derive(Debug)]
pub struct Ignored {
    /// Stripe's id of it.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// Why.
    pub reason: String,
}

/// An answer to a delivery.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Checks a delivery and reads its event.
///
/// # Errors
/// Why the delivery is not to be trusted, or is no event; a state of another connection; uses that are not right.
pub fn receive(fields: &Fields, state: Option<&str>, uses: &[Use], request: Request, now: u64) -> Result<Receipt> {
    let states = state.map(States::read).transpose()?.unwrap_or_default();
    let listener = Listener::new(fields, &states)?;
    if !request.method.eq_ignore_ascii_case("POST") {
        let method: String = request.method.chars().filter(char::is_ascii_alphabetic).take(20).collect();
        return Err(refused(format!("a delivery of Stripe's is a POST request, and this is a {method} request")));
    }
    let secrets = secrets(fields, &states)?;
    let mut signatures = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("stripe-signature"));
    let (_, header) = signatures.next().ok_or_else(|| {
        refused("the request has no Stripe-Signature header")
            .hint("Only Stripe's own deliveries are accepted; pass their headers on unchanged.")
    })?;
    if signatures.next().is_some() {
        return Err(refused("the request has several Stripe-Signature headers"));
    }
    signature::verify(header, &request.body, &secrets, now, fields.webhook_tolerance()?).map_err(nothing_sent)?;
    let uses = uses::check("uses", uses)?;
    let body = Scanned::new(request.body).map_err(|unread| {
        let (what, at) = (unread.error.what, unread.error.at);
        refused(format!("the delivery is signed and cannot be read: {what}, at byte {at}"))
    })?;
    let head = Head::read(body.root())
        .map_err(|what| refused(format!("the delivery is signed and is not an event: {what}")))?;
    let found = match listener.ignores(&head) {
        Some(reason) => Err(reason),
        None => directed(&head, body.root(), &uses, listener.account),
    };
    match found {
        Ok(triggers) => {
            let event = Event::new(&head, body.root(), &triggers, listener.account);
            let event = Event { payload: body.into_text(), ..event };
            Ok(Receipt { events: vec![event], ..Receipt::default() })
        }
        Err(reason) => {
            let ignored = Ignored { id: head.id.into(), event_type: head.event_type.into(), reason: reason.to_owned() };
            Ok(Receipt { ignored: vec![ignored], ..Receipt::default() })
        }
    }
}

/// The triggers that an event is for, or why it is for none.
fn directed(
    head: &Head<'_>,
    event: Node<'_, '_>,
    uses: &[InUse],
    own: Option<&str>,
) -> std::result::Result<Vec<Trigger>, &'static str> {
    if !uses.is_empty() && !uses.iter().any(|u| u.trigger.fires_at(head.topic())) {
        return Err("no trigger that is in use here listens to this type");
    }
    let passed = uses::listening(uses, head, head.object(event), own);
    if passed.is_empty() { Err("the filters of the triggers in use do not let it pass") } else { Ok(passed) }
}

/// What the delivery may be signed with: the state's secret and, while that is rolled, the connection's.
fn secrets(fields: &Fields, states: &States) -> Result<Vec<String>> {
    let own: Vec<String> = states.0.iter().flat_map(|state| state.secrets.iter().cloned()).collect();
    match fields.webhook_secrets() {
        Ok(more) => Ok(own.into_iter().chain(more).collect()),
        Err(_) if !own.is_empty() && !fields.has_webhook_secret() => Ok(own),
        Err(error) => Err(error),
    }
}

/// Whose events are wanted.
struct Listener<'a> {
    development: bool,
    mode: Option<Mode>,
    account: Option<&'a str>,
    /// Whether the endpoint is known to be the account's own, so that its events need not name it.
    owns_endpoint: bool,
}

impl<'a> Listener<'a> {
    fn new(fields: &'a Fields, states: &States) -> Result<Self> {
        let (account, mode) = (fields.account()?, fields.mode());
        for state in &states.0 {
            state.check_owner(account, mode)?;
        }
        Ok(Self { development: fields.development, mode, account, owns_endpoint: !states.0.is_empty() })
    }

    /// Why an event is nothing for this connection, whatever its type.
    fn ignores(&self, head: &Head<'_>) -> Option<&'static str> {
        match head.mode {
            Mode::Live if self.development => return Some("it is a live event, and this is a development connection"),
            // An endpoint for connected accounts hears of both modes in live mode.
            Mode::Live if self.mode == Some(Mode::Test) => {
                return Some("it is a live event, and the connection's key is a test key");
            }
            Mode::Test if self.mode == Some(Mode::Live) => {
                return Some("it is a test event, and the connection's key is a live key");
            }
            _ => {}
        }
        match (self.account, head.account.as_deref()) {
            (Some(own), Some(account)) if own != account => {
                Some("it happened in another account than the one that the connection names")
            }
            (Some(_), None) if !self.owns_endpoint => {
                Some("it happened in the platform's own account, and the connection names a connected one")
            }
            _ => None,
        }
    }
}

fn refused(message: impl Into<String>) -> Box<Error> {
    Error::new(ErrorKind::Signature, message)
}

/// A delivery is checked without any request.
fn nothing_sent(mut error: Box<Error>) -> Box<Error> {
    error.outcome = Outcome::NotSent;
    error
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
