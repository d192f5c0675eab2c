//! Subscriptions, whose state is a secret: the key that deliveries are signed with is in it.
//!
//! The generator would make a plain text of the state, and print it with the record that it is in. These are the same
//! records with a state that nothing prints.

use std::fmt;
use std::sync::Arc;

use super::bindings::automation::connector::types::{Extra, ResultMetadata};
use super::bindings::exports::automation::connector::triggers::{self as plain, TriggerUse};
use crate::secret::Secret;

/// What a subscription has to remember: opaque, and secret. Whoever makes a subscription stores its state with it,
/// encrypted, and shows it to nobody. Nothing prints it: not `Debug`, not the JSON form.
#[derive(Clone)]
pub struct SubscriptionState(Secret);

impl SubscriptionState {
    /// A state that was stored.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text to store. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(crate) fn for_guest(&self) -> Arc<String> {
        self.0.lend()
    }

    /// Takes the state, and what may be a key within it, out of a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        let of_a_key = |letter: char| letter.is_ascii_alphanumeric() || "_-+/=".contains(letter);
        let mut text = text.replace(self.expose(), "(secret)");
        for word in self.expose().split(|letter: char| !of_a_key(letter)).filter(|word| word.len() >= SHORTEST_KEY) {
            text = text.replace(word, "(secret)");
        }
        text
    }
}

/// No key that is worth its name is shorter.
const SHORTEST_KEY: usize = 12;

impl fmt::Debug for SubscriptionState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SubscriptionState")
    }
}

/// What to subscribe to.
#[derive(Clone, Debug)]
pub struct SubscriptionRequest {
    /// Where the service shall deliver: an absolute URL of the platform.
    pub callback_url: String,
    /// The triggers. Earlier ones of the same URL are kept.
    pub triggers: Vec<TriggerUse>,
    /// The state of this URL's subscription, where there is one.
    pub state: Option<SubscriptionState>,
}

impl SubscriptionRequest {
    /// These triggers, for a URL that has no subscription yet.
    #[must_use]
    pub fn new(callback_url: impl Into<String>, triggers: Vec<TriggerUse>) -> Self {
        Self { callback_url: callback_url.into(), triggers, state: None }
    }

    /// With the state of the URL's subscription, where there is one.
    #[must_use]
    pub fn with_state(mut self, state: impl Into<Option<SubscriptionState>>) -> Self {
        self.state = state.into();
        self
    }

    pub(crate) fn for_guest(self) -> plain::SubscriptionRequest {
        let state = self.state.map(|state| state.expose().to_owned());
        plain::SubscriptionRequest { callback_url: self.callback_url, triggers: self.triggers, state }
    }
}

/// A webhook subscription at the service. One is shared by all triggers of one URL.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The service's id of it.
    pub id: String,
    /// What to store, in place of any earlier state of this URL.
    pub state: SubscriptionState,
    /// The event types that it delivers now.
    pub event_types: Vec<String>,
    /// When it ends by itself, where it does, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// How it came about.
    pub metadata: ResultMetadata,
    /// What else is said.
    pub extras: Vec<Extra>,
}

impl From<plain::Subscription> for Subscription {
    fn from(made: plain::Subscription) -> Self {
        let plain::Subscription { id, state, event_types, expires_at, metadata, extras } = made;
        Self { id, state: SubscriptionState::new(state), event_types, expires_at, metadata, extras }
    }
}

/// What became of a subscription that triggers were taken from.
#[derive(Clone, Debug)]
pub struct Unsubscribed {
    /// The state of what is left. Absent when nothing is: forget the state.
    pub state: Option<SubscriptionState>,
    /// The event types that it still delivers.
    pub event_types: Vec<String>,
    /// How it came about.
    pub metadata: ResultMetadata,
}

impl From<plain::Unsubscribed> for Unsubscribed {
    fn from(done: plain::Unsubscribed) -> Self {
        let plain::Unsubscribed { state, event_types, metadata } = done;
        Self { state: state.map(SubscriptionState::new), event_types, metadata }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_not_printed() {
        let state = SubscriptionState::new("whsec_Deliveries1234".to_owned());
        let request = SubscriptionRequest::new("https://example.com", Vec::new()).with_state(state.clone());
        assert!(!format!("{request:?} {state:?}").contains("whsec"));
        assert_eq!(request.for_guest().state.as_deref(), Some("whsec_Deliveries1234"));
    }

    #[test]
    fn what_may_be_a_key_is_taken_out_of_a_text() {
        let state = SubscriptionState::new(r#"{"v":1,"secret":"whsec_Deliveries1234"}"#.to_owned());
        let said = format!("no field in {} but whsec_Deliveries1234, v", state.expose());
        assert_eq!(state.redact(&said), "no field in (secret) but (secret), v");
    }
}
