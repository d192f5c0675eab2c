//! The endpoints that push a platform's events: made, shared among triggers, looked after, removed.
//!
//! Whole events come from a webhook endpoint. What is named as thin events are (`v1.customer.created`, `v2.core.account.updated`) comes
//! from an event destination; both are looked after in the same way, and one subscription has either or both.
//!
//! An account has at most 16 endpoints, so one URL has one of each: the first trigger makes it, further ones add their
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

use self::endpoint::Kind;
use self::state::{State, States};
use self::types::EventTypes;
use self::upkeep::{Kept, Wish};
use super::extra::{self, Extra};
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
    let states = request.state.map(States::read).transpose()?.unwrap_or_default();
    for state in &states.0 {
        state.check_connection(&session.connection)?;
        if state.url != request.callback_url {
            return Err(Error::input("state", "the subscription's state belongs to another URL")
                .hint("Each URL has a subscription of its own: hand in the state that was made for this one."));
        }
    }
    let own = session.connection.account.as_deref();
    let foreign = |one: &InUse| one.filter.accounts.iter().any(|a| Some(a.as_str()) != own);
    let foreign = uses.iter().position(foreign).map(|index| format!("triggers[{index}].input.accounts"));
    brought_about(session, request.callback_url, &states, |kind| delivered(&uses, kind), foreign)
}

/// Looks whether a subscription is still as it was made, and mends what is not.
///
/// # Errors
/// A damaged or foreign state; otherwise as for [`subscribe`].
pub fn renew(session: &Session<'_>, state: &str) -> Result<Subscription> {
    let states = States::read(state)?;
    for state in &states.0 {
        state.check_connection(&session.connection)?;
    }
    let url = states.0.first().map_or("", |state| state.url.as_str());
    brought_about(session, url, &states, |_| EventTypes::default(), None)
}

/// Stops the delivery of these triggers, or of all.
///
/// # Errors
/// A damaged or foreign state, unknown triggers; Stripe's refusal; no answer.
pub fn unsubscribe(session: &Session<'_>, state: &str, triggers: Option<&[String]>) -> Result<Unsubscribed> {
    let states = States::read(state)?;
    for state in &states.0 {
        state.check_connection(&session.connection)?;
    }
    let uses = triggers.map(|ids| {
        let uses: Vec<Use> = ids.iter().map(|id| Use { trigger: id.clone(), input: "{}".into() }).collect();
        checked("triggers", &uses)
    });
    let uses = uses.transpose()?;
    let (mut left, mut event_types, mut metadata) = (States::default(), Vec::new(), None);
    for state in states.0 {
        let types = uses.as_ref().map(|uses| delivered(uses, state.kind));
        let ended = ending::end(session, &state, types.as_ref())?;
        metadata = Some(session.metadata(&ended.answer));
        event_types.extend(ended.delivered.into_vec());
        left.0.extend(ended.subscribed.map(|types| State { types: types.written(), ..state }));
    }
    Ok(Unsubscribed {
        metadata: metadata.ok_or_else(|| Error::input("state", "the subscription's state holds nothing"))?,
        event_types,
        state: (!left.0.is_empty()).then(|| left.write()),
    })
}

/// The event types of uses that an endpoint of this kind delivers, in its own words.
fn delivered(uses: &[InUse], kind: Kind) -> EventTypes {
    match kind {
        Kind::Snapshot => uses::event_types(uses).into_iter().collect(),
        Kind::Thin => uses::thin_types(uses).into_iter().collect(),
    }
}

/// The endpoints for whole events and for thin ones, as far as they are wanted or were made before.
fn brought_about(
    session: &Session<'_>,
    url: &str,
    states: &States,
    wanted: impl Fn(Kind) -> EventTypes,
    foreign: Option<String>,
) -> Result<Subscription> {
    let mut all: Option<Subscription> = None;
    let mut kept_states = States::default();
    for kind in Kind::ALL {
        let state = states.of(kind);
        let mut types = wanted(kind);
        if let Some(state) = state {
            types.add(&state.event_types());
        }
        if types.is_empty() {
            continue;
        }
        let Kept { endpoint, secrets, metadata, extras } =
            upkeep::keep(session, Wish { kind, url, types, state, foreign: foreign.clone() })?;
        kept_states.0.push(State {
            kind,
            endpoint: endpoint.id.clone(),
            url: url.to_owned(),
            account: session.connection.account.clone(),
            mode: session.connection.key.mode,
            secrets,
            types: endpoint.labels.subscribed().written(),
        });
        match &mut all {
            None => {
                let event_types = endpoint.types.into_vec();
                let state = String::new();
                all = Some(Subscription { id: endpoint.id, state, event_types, expires_at: None, metadata, extras });
            }
            Some(first) => {
                first.event_types.extend(endpoint.types.into_vec());
                first.extras.extend(extras);
                first.extras.push(extra::text("event-destination", &endpoint.id));
            }
        }
    }
    let all = all.ok_or_else(|| Error::input("triggers", "name at least one trigger"))?;
    Ok(Subscription { state: kept_states.write(), ..all })
}

/// The uses, at least one.
fn checked(field: &str, uses: &[Use]) -> Result<Vec<InUse>> {
    if uses.is_empty() {
        return Err(Error::input(field, "name at least one trigger"));
    }
    uses::check(field, uses)
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
