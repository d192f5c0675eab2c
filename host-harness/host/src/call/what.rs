//! What a call is: the function, whom it acts for, what it is about, whether it needs the network, and the secrets that
//! the component must not see or show.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::Call;
use crate::contract::{self, CallContext, SubscriptionState};
use crate::egress::{Client, EgressLog, Hooks, Policy};
use crate::invocation::Invocation;
use crate::lanes::Lane;
use crate::secret::Scrubber;

/// The functions of a connection that need no network: whether a delivery is genuine is computed.
const WITHOUT_NETWORK: &[&str] = &["triggers.receive"];

/// What a call is, for its report and its limits.
pub(crate) struct What {
    pub(super) function: &'static str,
    pub(super) operation: Option<String>,
    pub(super) call: Option<Call>,
    /// A secret of the call's beside its connection's.
    state: Option<SubscriptionState>,
    /// Where it waits for others of its account.
    pub(super) lane: Option<Lane>,
}

impl What {
    /// A function that needs no connection.
    pub(crate) fn offline(function: &'static str, operation: Option<&str>) -> Self {
        Self { function, operation: operation.map(str::to_owned), call: None, state: None, lane: None }
    }

    /// A function of a connection, and what the guest gets of it.
    pub(crate) fn with(function: &'static str, operation: Option<&str>, call: &Call) -> (Self, Context) {
        let connection = call.connection.for_guest(function);
        let context = Context { connection, invocation: call.invocation.clone() };
        let (operation, call) = (operation.map(str::to_owned), Some(call.clone()));
        (Self { function, operation, call, state: None, lane: None }, context)
    }

    /// Besides, of a subscription.
    pub(crate) fn of(mut self, state: Option<&SubscriptionState>) -> Self {
        self.state = state.cloned();
        self
    }

    /// It runs when those before it in this lane have ended.
    pub(crate) fn after_others(mut self, lane: Lane) -> Self {
        self.lane = Some(lane);
        self
    }

    /// What the call's requests go through. Without a connection, or a need, there is no way out at all.
    pub(super) fn hooks(&self, client: &Client, policy: &Arc<Policy>, log: EgressLog) -> Hooks {
        match self.call.as_ref().filter(|_| !WITHOUT_NETWORK.contains(&self.function)) {
            Some(call) => {
                let connection = &call.connection;
                let (injections, scrubber) = (connection.injections(), connection.scrubber().clone());
                Hooks::new(client.clone(), Arc::clone(policy), log, injections, scrubber, call.gate.clone())
            }
            None => Hooks::offline(log),
        }
    }

    /// What takes the connection's secrets out of what the component returns.
    pub(super) fn scrubber(&self) -> Option<&Scrubber> {
        self.call.as_ref().map(|call| call.connection.scrubber()).filter(|scrubber| !scrubber.is_empty())
    }

    pub(super) fn invocation(&self) -> Option<&Invocation> {
        self.call.as_ref().map(|call| &call.invocation)
    }

    /// Takes the secrets of the call out of a text that came from the component.
    pub(super) fn redact(&self, mut text: String) -> String {
        if let Some(scrubber) = self.scrubber() {
            scrubber.hide(&mut text);
        }
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
