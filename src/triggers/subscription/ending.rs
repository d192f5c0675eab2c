//! Takes event types from an endpoint, and removes it when none is left.

use super::endpoint::{self, Change, Endpoint};
use super::state::State;
use super::types::EventTypes;
use crate::error::{Error, ErrorKind, Outcome, Result, Retry};
use crate::operation::session::Session;
use crate::stripe::client::Answer;

/// What is left.
#[derive(Debug)]
pub struct Left {
    /// What is still subscribed to; none where nothing is.
    pub subscribed: Option<EventTypes>,
    /// What is still delivered.
    pub delivered: EventTypes,
    /// The answer that says most about how it came about.
    pub answer: Answer,
}

const ROUNDS: u32 = 8;

/// Ends the subscription to these types, or to all.
///
/// # Errors
/// Stripe's refusal; no answer; somebody who keeps changing the endpoint.
pub fn end(session: &Session<'_>, state: &State, types: Option<&EventTypes>) -> Result<Left> {
    let mut written = None;
    for number in 0..ROUNDS {
        let (all, looked) = endpoint::list(session, state.kind)?;
        // Others of ours for the same address are left-overs of this subscription.
        let ours = |e: &&Endpoint| e.id == state.endpoint || e.labels.made.is_some() && e.delivers_to(&state.url);
        let mut left = Left { subscribed: None, delivered: EventTypes::default(), answer: looked };
        let mut changed = false;
        for one in all.iter().filter(ours) {
            match step(one, types, number == 0) {
                Step::Nothing(subscribed) => {
                    left.delivered.add(&one.types);
                    if !subscribed.is_empty() {
                        left.subscribed.get_or_insert_default().add(&subscribed);
                    }
                }
                Step::Remove => written = endpoint::remove(session, state.kind, &one.id)?.or(written),
                Step::Change(change) => {
                    changed = true;
                    match endpoint::change(session, state.kind, &one.id, &change, number) {
                        Ok(answer) => written = Some(answer),
                        Err(error) if endpoint::is_gone(&error) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        // A removal needs no second look: Stripe has said that it is gone.
        if !changed {
            left.answer = written.unwrap_or(left.answer);
            return Ok(left);
        }
    }
    let message = "the endpoint of this URL is being changed by somebody else all the time";
    let mut error = Error::new(ErrorKind::Conflict, message);
    (error.outcome, error.retry, error.attempts) = (Outcome::Unknown, Retry::After(10_000), session.attempts());
    Err(error)
}

enum Step {
    /// It is as it should be, and these are subscribed to.
    Nothing(EventTypes),
    Remove,
    Change(Change),
}

/// What to do about an endpoint. `first`: nothing was changed yet, so what it delivers beyond its labels is what a person
/// has set.
fn step(one: &Endpoint, types: Option<&EventTypes>, first: bool) -> Step {
    let mut labels = one.labels.clone();
    let is_ours = labels.made.is_some();
    match types {
        None if is_ours => return Step::Remove,
        None => labels.clear(),
        Some(types) => {
            if first {
                labels.adopt(&one.types);
            }
            labels.unsubscribe(types);
        }
    }
    if is_ours && labels.wanted().is_empty() {
        return Step::Remove;
    }
    if !is_ours && labels.subscribed().is_empty() {
        // It is again what a person made.
        let base = Some(labels.base()).filter(|b| !b.is_empty()).unwrap_or_else(|| one.labels.base());
        labels.clear();
        let metadata = labels.since(&one.labels);
        if metadata.is_empty() {
            return Step::Nothing(EventTypes::default());
        }
        let types = Some(base).filter(|b| !b.is_empty() && *b != one.types);
        return Step::Change(Change { types, metadata, ..Change::default() });
    }
    let wanted = labels.wanted();
    let change = Change {
        types: (wanted != one.types).then_some(wanted),
        metadata: labels.since(&one.labels),
        ..Change::default()
    };
    if change.is_empty() { Step::Nothing(labels.subscribed()) } else { Step::Change(change) }
}
