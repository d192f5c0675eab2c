//! The webhook endpoint that pushes a platform's events: made, shared among triggers, looked after, removed.
//!
//! An account has at most 16 endpoints, so one URL has one endpoint: the first trigger makes it, further ones add their
//! event types, the last one removes it. The signing secret is told in the one answer that made the endpoint; the host
//! keeps it in the subscription's [`state`]. What it takes to have that answer repeated, and who has subscribed to
//! what, is written into the endpoint's own metadata (`labels`): a lost answer, another run and a call at the same time
//! find it there.
//!
//! ```text
//! mod ─┬─ upkeep ─┬─ secret ─ endpoint ─ labels ─ types
//!      │          └─ state ───────────────────────┘
//!      └─ ending ─┘
//! ```

mod ending;
mod endpoint;
mod labels;
mod secret;
pub mod state;
mod types;
mod upkeep;

use std::fmt;

use self::state::State;
use self::types::EventTypes;
use self::upkeep::{Kept, Wish};
use super::extra::Extra;
use super::uses::{self, InUse, Use};
use crate::error::{Error, Result};
use crate::operation::session::{Metadata, Session};

/// What to subscribe to.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where Stripe shall deliver.
    pub callback_url: &'a str,
    /// The triggers.
    pub triggers: &'a [Use],
    /// The state of this URL's subscription.
    pub state: Option<&'a str>,
}

/// A subscription; the contract documents each part.
#[expect(missing_docs, reason = "documented in the contract, `wit/triggers.wit`")]
pub struct Subscription {
    pub id: String,
    pub state: String,
    pub event_types: Vec<String>,
    pub expires_at: Option<u64>,
    pub metadata: Metadata,
    pub extras: Vec<Extra>,
}

/// What became of a subscription that triggers were taken from; the contract documents each part.
#[expect(missing_docs, reason = "documented in the contract, `wit/triggers.wit`")]
pub struct Unsubscribed {
    pub state: Option<String>,
    pub event_types: Vec<String>,
    pub metadata: Metadata,
}

/// Without its state, in which the secret is.
impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, event_types, metadata, extras, .. } = self;
        let mut shown = f.debug_struct("Subscription");
        shown.field("id", id).field("event_types", event_types).field("metadata", metadata).field("extras", extras);
        shown.finish_non_exhaustive()
    }
}

/// Likewise.
impl fmt::Debug for Unsubscribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Unsubscribed");
        shown.field("event_types", &self.event_types).field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

/// Makes Stripe deliver the events of these triggers to a URL.
///
/// # Errors
/// A URL that Stripe cannot reach, unknown triggers, a foreign state; Stripe's refusal; no answer; an endpoint of that
/// URL whose secret nobody knows.
pub fn subscribe(session: &Session<'_>, request: &Request<'_>) -> Result<Subscription> {
    check_url(request.callback_url)?;
    let uses = checked("triggers", request.triggers)?;
    let state = request.state.map(State::read).transpose()?;
    let mut types: EventTypes = uses::event_types(&uses).into_iter().collect();
    if let Some(state) = &state {
        state.check_connection(&session.connection)?;
        if state.url != request.callback_url {
            return Err(Error::input("state", "the subscription's state belongs to another URL")
                .hint("Each URL has a subscription of its own: hand in the state that was made for this one."));
        }
        types.add(&state.event_types());
    }
    let own = session.connection.account.as_deref();
    let foreign = |one: &InUse| one.accounts.iter().any(|a| Some(a.as_str()) != own);
    let foreign = uses.iter().position(foreign).map(|index| format!("triggers[{index}].input.accounts"));
    let wish = Wish { url: request.callback_url, types, state: state.as_ref(), foreign };
    subscription(session, request.callback_url, upkeep::keep(session, wish)?)
}

/// Looks whether a subscription is still as it was made, and mends what is not.
///
/// # Errors
/// A damaged or foreign state; otherwise as for [`subscribe`].
pub fn renew(session: &Session<'_>, state: &str) -> Result<Subscription> {
    let state = State::read(state)?;
    state.check_connection(&session.connection)?;
    let wish = Wish { url: &state.url, types: state.event_types(), state: Some(&state), foreign: None };
    subscription(session, &state.url, upkeep::keep(session, wish)?)
}

/// Stops the delivery of these triggers, or of all.
///
/// # Errors
/// A damaged or foreign state, unknown triggers; Stripe's refusal; no answer.
pub fn unsubscribe(session: &Session<'_>, state: &str, triggers: Option<&[String]>) -> Result<Unsubscribed> {
    let state = State::read(state)?;
    state.check_connection(&session.connection)?;
    let types = triggers.map(|ids| -> Result<EventTypes> {
        let uses: Vec<Use> = ids.iter().map(|id| Use { trigger: id.clone(), input: "{}".into() }).collect();
        Ok(uses::event_types(&checked("triggers", &uses)?).into_iter().collect())
    });
    let left = ending::end(session, &state, types.transpose()?.as_ref())?;
    Ok(Unsubscribed {
        metadata: session.metadata(&left.answer),
        event_types: left.delivered.into_vec(),
        state: left.subscribed.map(|types| State { types: types.written(), ..state }.write()),
    })
}

/// The uses, at least one.
fn checked(field: &str, uses: &[Use]) -> Result<Vec<InUse>> {
    if uses.is_empty() {
        return Err(Error::input(field, "name at least one trigger"));
    }
    uses::check(field, uses)
}

fn subscription(session: &Session<'_>, url: &str, kept: Kept) -> Result<Subscription> {
    let Kept { endpoint, secrets, metadata, extras } = kept;
    let state = State {
        endpoint: endpoint.id.clone(),
        url: url.to_owned(),
        account: session.connection.account.clone(),
        mode: session.connection.key.mode,
        secrets,
        types: endpoint.labels.subscribed().written(),
    };
    Ok(Subscription {
        state: state.write(),
        id: endpoint.id,
        event_types: endpoint.types.into_vec(),
        expires_at: None,
        metadata,
        extras,
    })
}

fn check_url(url: &str) -> Result<()> {
    let wrong = |message: &str| Err(Error::input("callback-url", message));
    let Some((scheme, rest)) = url.split_once("://") else {
        return wrong("the callback URL must be absolute: https://…");
    };
    if !matches!(scheme, "https" | "http") {
        return wrong("the callback URL must begin with https://");
    }
    if rest.is_empty() || rest.starts_with('/') || url.len() > 2000 || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong("the callback URL is not a valid address");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
