//! What a thin event points at: the event itself, and the object that it is about.
//!
//! As the official SDKs' `fetchEvent` and `fetchRelatedObject` do it: the event by its id, then the object at the address
//! that the event gives. A loaded event's payload is an object of these two:
//!
//! ```json
//! {"event": {"id": "evt_…", "object": "v2.core.event", …}, "object": {"id": "mtr_…", …}}
//! ```
//!
//! `object` is as it is now, in the version that the connector asks for, and not as it was when the event happened. It is
//! `null` where the event is about none, or about one that is gone.

use super::directory;
use super::event::{Event, Head};
use super::extra;
use super::uses::{self, InUse, Use};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::{Doc, Node, Writer};
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call, Client};
use crate::stripe::form;

const FIELD: &str = "payload";

/// Fetches what an event points at. One that is complete, or was loaded before, is returned as it is. It names the triggers
/// of these uses whose filters it passes; without any use, all that listen to its type.
///
/// # Errors
/// A payload that is no event, or one of another account or mode; Stripe's refusal; no answer.
pub fn load(session: &Session<'_>, uses: &[Use], payload: &str) -> Result<Event> {
    let wrong =
        |what: &str| Error::input(FIELD, what).hint("Hand in the payload of an event as `receive` returned it.");
    let uses = uses::check("uses", uses)?;
    let doc = Doc::scan_str(payload).map_err(|e| wrong(&format!("the payload is not JSON: {}", e.what)))?;
    let root = doc.root();
    if let (None, Some(event), Some(object)) = (root.get("id"), root.get("event"), root.get("object")) {
        let head = Head::read(event).map_err(|what| wrong(&format!("the payload holds no event: {what}")))?;
        let loaded = Loaded { event, object: Some(object).filter(|o| !o.is_null()) };
        return Ok(loaded.whole(&head, session, &uses, payload.to_owned()));
    }
    let head = Head::read(root).map_err(|what| wrong(&format!("the payload is no event: {what}")))?;
    let own = session.connection.account.as_deref();
    if !head.thin {
        let event = Event::new(&head, root, &uses::listening(&uses, &head, head.object(root), own), own);
        return Ok(Event { payload: payload.to_owned(), ..event });
    }
    if head.mode != session.connection.key.mode {
        return Err(wrong("the event is of the other mode (test, live) than the connection's key"));
    }
    if let (Some(own), Some(account)) = (own, head.account.as_deref())
        && own != account
    {
        return Err(wrong("the event happened in another account than the one that the connection names"));
    }
    fetch(session, &uses, &head, root)
}

fn fetch(session: &Session<'_>, uses: &[InUse], thin: &Head<'_>, notified: Node<'_, '_>) -> Result<Event> {
    let client =
        Client { account: thin.account.as_deref().or(session.connection.account.as_deref()), ..session.client() };
    let answer = client.send(&Call::read(format!("/v2/core/events/{}", form::escape(&thin.id)), ""))?;
    let event = answer.body.root();
    let same = |head: &Head<'_>| head.thin && head.id == thin.id && head.event_type == thin.event_type;
    let head = Head::read(event).ok().filter(same).ok_or_else(|| not_asked_for(session, &answer, "event"))?;
    let related = event.get("related_object").filter(|r| r.is_object());
    if notified
        .get("related_object")
        .and_then(|r| r.get("id"))
        .is_some_and(|id| related.and_then(|r| r.get("id")).map(Node::raw) != Some(id.raw()))
    {
        return Err(not_asked_for(session, &answer, "event"));
    }
    let Some(related) = related else {
        return Ok(Loaded { event, object: None }.composed(&head, session, uses));
    };
    let url = related.get("url").and_then(Node::as_str).filter(|url| is_path(url));
    let url = url.ok_or_else(|| not_asked_for(session, &answer, "event"))?;
    match client.send(&Call::read(&*url, "")) {
        Ok(found) => {
            let object = found.body.root();
            let differs = |theirs: Option<Node<'_, '_>>, own: Option<Node<'_, '_>>| {
                theirs.zip(own).is_some_and(|(theirs, own)| theirs.as_str() != own.as_str())
            };
            if differs(related.get("id"), object.get("id")) || differs(related.get("type"), object.get("object")) {
                return Err(not_asked_for(session, &found, "object"));
            }
            Ok(Loaded { event, object: Some(object) }.composed(&head, session, uses))
        }
        // It was removed since: what is left to know is the event.
        Err(error) if error.kind == ErrorKind::NotFound => {
            let mut event = Loaded { event, object: None }.composed(&head, session, uses);
            event.extras.push(extra::text("related-object", "gone"));
            Ok(event)
        }
        Err(error) => Err(error),
    }
}

/// An event and the object that it is about.
struct Loaded<'d, 'a, 'e, 'b> {
    event: Node<'d, 'a>,
    object: Option<Node<'e, 'b>>,
}

impl Loaded<'_, '_, '_, '_> {
    fn composed(self, head: &Head<'_>, session: &Session<'_>, uses: &[InUse]) -> Event {
        let mut json = Writer::with_capacity(self.event.raw().len() + self.object.map_or(4, |o| o.raw().len()) + 24);
        json.begin_object();
        json.key("event").raw(self.event.raw());
        json.key("object").raw(self.object.map_or("null", Node::raw));
        json.end_object();
        self.whole(head, session, uses, json.finish())
    }

    fn whole(self, head: &Head<'_>, session: &Session<'_>, uses: &[InUse], payload: String) -> Event {
        let own = session.connection.account.as_deref();
        let triggers = uses::listening(uses, head, self.object, own);
        let event = Event::new(head, self.event, &triggers, own);
        let record = self.object.and_then(|object| event.map(object, &triggers));
        Event { payload, complete: true, record, api_version: Some(directory::api_version().to_owned()), ..event }
    }
}

/// Whether an address is a path of the API, which is asked for at the connection's own base and nowhere else.
fn is_path(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.~%?=&,:[]".contains(&b);
    (path.starts_with("/v1/") || path.starts_with("/v2/"))
        && url.len() <= 2000
        && url.bytes().all(plain)
        && !path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | ".."))
}

fn not_asked_for(session: &Session<'_>, answer: &Answer, what: &str) -> Box<Error> {
    let message = format!("what was answered is another {what} than the one that was asked for");
    let mut error =
        Error::new(ErrorKind::Service, message).hint("Check the API address: this does not look like Stripe's answer.");
    error.outcome = Outcome::Rejected;
    error.request_id.clone_from(&answer.request_id);
    error.attempts = session.attempts();
    error
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
