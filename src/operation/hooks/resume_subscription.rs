//! A subscription rests in one of two ways: its payments are not collected, which an update ends, or its status is
//! `paused`, which a request of its own ends. People say "resume" to both, so this looks which it is.
//!
//! What is looked at also tells a repeated run that the work is done.

use serde_json::{Map, Value};

use super::hook::{Hook, NOTHING};
use crate::catalogue::Operation;
use crate::error::{Error, Outcome, Result};
use crate::input::Input;
use crate::json::Node;
use crate::operation::request;
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call};

/// Ends whichever pause there is.
pub static HOOK: Hook = Hook { send: Some(send), finds_it_done: true, ..NOTHING };

/// What reads it and, by a POST, changes it.
const SUBSCRIPTION: &str = "/v1/subscriptions/{subscription_exposed_id}";

fn send(session: &Session<'_>, operation: Operation, input: &Input) -> Result<Answer> {
    let mut found = look(session, operation, input)?;
    let subscription = found.body.root();
    let status = subscription.get("status").and_then(Node::as_str).unwrap_or_default();
    let is_paused = status == "paused";
    let is_uncollected = subscription.get("pause_collection").is_some_and(|pause| !pause.is_null());
    // What has ended, Stripe refuses in its own words.
    let has_ended = matches!(status.as_ref(), "canceled" | "incomplete_expired");
    if let Some(name) = input.parameters.keys().find(|name| !is_paused && *name != "expand") {
        let message = ["`", name, "` only applies to a subscription whose status is `paused`"].concat();
        let mut error = Error::input(name.as_str(), message);
        error.outcome = Outcome::Rejected;
        error.attempts = session.attempts();
        return Err(told(session, error.hint(["Leave it out: the status is `", &status, "`."].concat())));
    }
    if !is_paused && !is_uncollected && !has_ended {
        found.replayed = true;
        return Ok(found);
    }
    if is_uncollected || has_ended {
        let collect = Map::from_iter([("pause_collection".to_owned(), Value::from(""))]);
        let collected = request::post(session, operation, SUBSCRIPTION, input, &collect)?;
        if !is_paused {
            return Ok(collected);
        }
    }
    request::send(session, operation, input)
}

fn look(session: &Session<'_>, operation: Operation, input: &Input) -> Result<Answer> {
    let mut call = Call::read(request::filled(SUBSCRIPTION, &input.path), "");
    call.path_fields = operation.request().path_names().zip(operation.path_fields()).collect();
    session.client().send(&call).map_err(|error| told(session, error))
}

/// An error before this try changed anything. An earlier one may have.
fn told(session: &Session<'_>, mut error: Box<Error>) -> Box<Error> {
    if session.invocation.history.is_some_and(|h| h.in_doubt) {
        error.outcome = Outcome::Unknown;
    }
    error
}
