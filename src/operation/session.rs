//! What every call that reaches the API starts with: a usable connection, an invocation and a deadline.

use crate::catalog;
use crate::connection::{Connection, Fields};
use crate::error::{Error, Result};
use crate::mapping::Viewer;
use crate::stripe::client::{Answer, Client};
use crate::stripe::idempotency;
use crate::stripe::key::Mode;
use crate::stripe::transport::{Clock, Transport};

/// The run of one step.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its id.
    pub id: String,
    /// A key of the caller's own.
    pub idempotency_key: Option<String>,
    /// How long the call may take, in milliseconds.
    pub timeout: Option<u64>,
}

/// A call under way.
pub struct Session<'a> {
    /// Carries requests.
    pub transport: &'a dyn Transport,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Whom it acts for.
    pub connection: Connection,
    /// Which run it belongs to.
    pub invocation: Invocation,
    deadline_ms: u64,
}

/// How a result came about; the contract documents each part.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented in the contract, `wit/types.wit`")]
pub struct Metadata {
    pub idempotency_key: Option<String>,
    pub replayed: bool,
    pub request_id: Option<String>,
    pub attempts: u32,
    pub mode: Mode,
    pub account: Option<String>,
}

/// What a call keeps in hand for telling its result, so that the host's own timeout does not cut it off.
const RESERVE_MS: u64 = 2_000;

impl<'a> Session<'a> {
    /// Checks connection and invocation.
    ///
    /// # Errors
    /// The first field that is not right.
    pub fn start(
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
        fields: &Fields,
        invocation: Invocation,
    ) -> Result<Self> {
        let connection = fields.connection()?;
        idempotency::check_invocation(&invocation.id)?;
        if invocation.timeout == Some(0) {
            return Err(Error::input("invocation.timeout", "the timeout must be at least one millisecond"));
        }
        let longest = catalog::CALL_TIMEOUT_MS - RESERVE_MS;
        let deadline_ms = clock.monotonic_ms() + invocation.timeout.map_or(longest, |t| t.min(longest));
        Ok(Self { transport, clock, connection, invocation, deadline_ms })
    }

    /// A client for this call's requests.
    pub fn client(&self) -> Client<'_> {
        Client {
            transport: self.transport,
            clock: self.clock,
            key: &self.connection.key,
            account: self.connection.account.as_deref(),
            base: &self.connection.base,
            deadline_ms: self.deadline_ms,
        }
    }

    /// Whose dashboard links lead to.
    pub fn viewer(&self) -> Viewer<'_> {
        Viewer { mode: self.connection.key.mode, account: self.connection.account.as_deref() }
    }

    /// How an answer came about.
    pub fn metadata(&self, answer: &Answer) -> Metadata {
        Metadata {
            idempotency_key: answer.idempotency_key.clone(),
            replayed: answer.replayed,
            request_id: answer.request_id.clone(),
            attempts: answer.attempts,
            mode: self.connection.key.mode,
            account: self.connection.account.clone(),
        }
    }
}
