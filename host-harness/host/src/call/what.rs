//! What a call is: the function, whom it acts for, and the secrets that the component must not see or show.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::Call;
use crate::contract::{self, CallContext, SubscriptionState};
use crate::invocation::Invocation;
use crate::secret::Injection;

/// What a call is, for its report and its limits.
pub(crate) struct What<'a> {
    pub(super) function: &'static str,
    pub(super) operation: Option<&'a str>,
    pub(super) call: Option<&'a Call>,
    pub(super) injections: Arc<[Injection]>,
    /// A secret of the call's beside its connection's.
    state: Option<SubscriptionState>,
}

impl<'a> What<'a> {
    /// A function that needs no connection.
    pub(crate) fn offline(function: &'static str, operation: Option<&'a str>) -> Self {
        Self { function, operation, call: None, injections: Arc::new([]), state: None }
    }

    /// A function of a connection, and what the guest gets of it.
    pub(crate) fn with(function: &'static str, operation: Option<&'a str>, call: &'a Call) -> (Self, Context) {
        let (connection, injections) = call.connection.for_guest();
        let context = Context { connection, invocation: call.invocation.clone() };
        (Self { function, operation, call: Some(call), injections: injections.into(), state: None }, context)
    }

    /// Besides, of a subscription.
    pub(crate) fn of(mut self, state: Option<&SubscriptionState>) -> Self {
        self.state = state.cloned();
        self
    }

    /// Takes the secrets of the call out of a text that came from the component.
    pub(crate) fn redact(&self, text: String) -> String {
        let text = match self.call {
            Some(call) => call.connection.redact(text),
            None => text,
        };
        match &self.state {
            Some(state) => state.redact(&text),
            None => text,
        }
    }
}

/// What the guest gets of a call, but for the time.
pub(crate) struct Context {
    connection: contract::Connection,
    invocation: Invocation,
}

impl Context {
    /// With the time that is left of the call.
    pub(crate) fn within(self, left: Duration) -> CallContext {
        CallContext { connection: self.connection, invocation: self.invocation.for_guest(left) }
    }
}
