//! Where events come from: a connection at a path, what its deliveries are checked with, and what is done with them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use guard::{Guarded, Stopped};
use host::contract::{ErrorKind, SubscriptionState, TriggerUse, WebhookRequest};
use host::{Call, CallError, Connection, Invocation, NoRandomness};

use crate::handler::Handler;

/// Sources are below this.
pub const PATH: &str = "/webhooks";

/// What deliveries are checked with, and which triggers they are held against.
#[derive(Clone, Default)]
pub struct Expected {
    state: Arc<Mutex<Option<SubscriptionState>>>,
    connection: Arc<Mutex<Option<Connection>>>,
    uses: Arc<[TriggerUse]>,
}

impl Expected {
    /// The deliveries of a subscription, or of the connection's own secret, for these uses of triggers. Each event has a run for
    /// each trigger in use that it matches; without any use, every event has one, for its type.
    #[must_use]
    pub fn of(state: Option<SubscriptionState>, uses: Vec<TriggerUse>) -> Self {
        Self { state: Arc::new(Mutex::new(state)), uses: uses.into(), ..Self::default() }
    }

    /// The subscription was made anew: from now on its deliveries are checked with this.
    pub fn replace(&self, state: SubscriptionState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// Deliveries are signed with another secret from now on: they are checked with this connection and not the source's own.
    pub fn check_with(&self, connection: Connection) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    fn connection(&self) -> Option<Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the subscription has to remember; none where the connection's own secret counts.
    #[must_use]
    pub fn state(&self) -> Option<SubscriptionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The triggers in use; none for all.
    #[must_use]
    pub fn uses(&self) -> &[TriggerUse] {
        &self.uses
    }
}

/// One source of events.
#[derive(Clone)]
pub struct Source {
    /// Its name: the path below `/webhooks/`, and what its events are kept under.
    pub name: String,
    /// The connector, behind its guard.
    pub connector: Guarded,
    /// The user's connection.
    pub connection: Connection,
    /// What deliveries are checked with.
    pub expected: Expected,
    /// What is done with events.
    pub handler: Arc<dyn Handler>,
    /// Whether the runs of one object and trigger are done one after the other, in the order in which their events came.
    pub ordered: bool,
    /// How what was missed is fetched, where the connection can fetch.
    pub catch_up: Option<CatchUp>,
}

/// How what was missed is fetched.
#[derive(Clone, Debug)]
pub struct CatchUp {
    /// The triggers whose events are asked for; at least one.
    pub uses: Vec<TriggerUse>,
    /// Between one look and the next.
    pub every: Duration,
}

impl Source {
    /// Whether deliveries can be checked at all: what is wrong with the connection shows at an unsigned one, which is
    /// refused in any case, and so does a guard that lets no delivery through.
    ///
    /// # Errors
    /// What is wrong with the connection; the guard's verdict.
    pub async fn try_out(&self) -> Result<(), Stopped> {
        let Ok(call) = self.checking_call() else { return Ok(()) };
        let (state, uses) = (self.expected.state(), self.expected.uses().to_vec());
        let unsigned = WebhookRequest::post(PATH, Vec::new(), b"{}".to_vec());
        let Err(stopped) = self.connector.receive(&call, state.as_ref(), uses, unsigned).await else { return Ok(()) };
        match &stopped {
            Stopped::Failed(CallError::Connector(failure)) if failure.error.kind == ErrorKind::InvalidConnection => {
                Err(stopped)
            }
            // A service that signs nothing may take it; what else is wrong may be right for the next.
            Stopped::Failed(_) => Ok(()),
            _ => Err(stopped),
        }
    }

    /// A call that checks a delivery.
    pub(crate) fn checking_call(&self) -> Result<Call, NoRandomness> {
        let connection = self.expected.connection().unwrap_or_else(|| self.connection.clone());
        Ok(Call::new(connection, Invocation::fresh()?))
    }

    /// A call of its connection.
    pub(crate) fn call(&self) -> Result<Call, NoRandomness> {
        Ok(Call::new(self.connection.clone(), Invocation::fresh()?))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Source")
            .field("name", &self.name)
            .field("ordered", &self.ordered)
            .finish_non_exhaustive()
    }
}
