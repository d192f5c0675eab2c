//! What every call that reaches the API starts with: a usable connection, an invocation and a deadline.

use std::cell::Cell;

use crate::catalogue::{self, Method};
use crate::connection::{Connection, Fields};
use crate::error::{Error, Outcome, Result};
use crate::mapping::Viewer;
use crate::stripe::client::{Answer, Client};
use crate::stripe::idempotency;
use crate::stripe::key::Mode;
use crate::stripe::namespace::Namespace;
use crate::stripe::transport::{Clock, Transport};

pub use crate::stripe::idempotency::History;

/// The run of one step.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its id.
    pub id: String,
    /// A key of the caller's own.
    pub idempotency_key: Option<String>,
    /// How long the call may take, in milliseconds.
    pub timeout: Option<u64>,
    /// Earlier tries; none where this is the first.
    pub history: Option<History>,
}

impl Invocation {
    /// Takes a key of the caller's own that came with the input.
    ///
    /// # Errors
    /// Where the invocation has another one.
    pub fn take_key(&mut self, key: &str) -> Result<()> {
        match &self.idempotency_key {
            Some(own) if own != key => {
                Err(Error::input("invocation.idempotency_key", "the invocation and the input have different keys"))
            }
            _ => {
                self.idempotency_key = Some(key.to_owned());
                Ok(())
            }
        }
    }

    /// An error of a write that was found before anything was sent, told for the whole invocation: where an earlier try
    /// may have done it, that this one sent nothing does not change what is known.
    pub fn tell(&self, mut error: Box<Error>) -> Box<Error> {
        if error.outcome == Outcome::NotSent && self.history.is_some_and(|h| h.in_doubt) {
            const IN_DOUBT: &str =
                "An earlier try of this step may have been executed: once this is mended, run the same step again.";
            error.outcome = Outcome::Unknown;
            error.hint =
                Some(error.hint.take().map_or_else(|| IN_DOUBT.to_owned(), |hint| format!("{hint} {IN_DOUBT}")));
        }
        error
    }
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
    sent: Cell<u32>,
}

/// How a result came about; the contract documents each part.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented in the contract, `wit/types.wit`")]
pub struct Metadata {
    pub idempotency_key: Option<String>,
    pub key_protects_until: Option<u64>,
    pub replayed: bool,
    pub request_id: Option<String>,
    pub attempts: u32,
    pub mode: Mode,
    pub account: Option<String>,
    pub extras: Vec<(String, String)>,
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
        let longest = catalogue::CALL_TIMEOUT_MS.saturating_sub(RESERVE_MS);
        let deadline_ms = clock.monotonic_ms() + invocation.timeout.map_or(longest, |t| t.min(longest));
        Ok(Self { transport, clock, connection, invocation, deadline_ms, sent: Cell::new(0) })
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
            history: self.invocation.history,
            sent: &self.sent,
        }
    }

    /// How many requests the call has sent so far.
    pub fn attempts(&self) -> u32 {
        self.sent.get()
    }

    /// The key of a request that changes something; none where Stripe takes none. `template` is the path with its
    /// placeholders, `part` tells apart the requests of one call that have it in common.
    ///
    /// # Errors
    /// A key of the caller's own that cannot go into a header.
    pub fn idempotency_key(&self, method: Method, template: &str, part: u32) -> Result<Option<String>> {
        if !Namespace::of(template).takes_key(method) {
            return Ok(None);
        }
        let own = self.invocation.idempotency_key.as_deref();
        idempotency::key(&self.invocation.id, own, method, template, part).map(Some)
    }

    /// Whose dashboard links lead to.
    pub fn viewer(&self) -> Viewer<'_> {
        Viewer { mode: self.connection.key.mode, account: self.connection.account.as_deref() }
    }

    /// How an answer came about, with every request of the call so far.
    pub fn metadata(&self, answer: &Answer) -> Metadata {
        Metadata {
            idempotency_key: answer.idempotency_key.clone(),
            key_protects_until: answer.key_protects_until,
            replayed: answer.replayed,
            request_id: answer.request_id.clone(),
            attempts: self.attempts(),
            mode: self.connection.key.mode,
            account: self.connection.account.clone(),
            extras: answer.extras.clone(),
        }
    }

    /// How a result came about for which nothing was asked.
    pub fn metadata_of_nothing(&self) -> Metadata {
        Metadata {
            idempotency_key: None,
            key_protects_until: None,
            replayed: false,
            request_id: None,
            attempts: 0,
            mode: self.connection.key.mode,
            account: self.connection.account.clone(),
            extras: Vec::new(),
        }
    }

    /// How a result came about that an error is: that there is nothing.
    pub fn metadata_of(&self, error: &Error) -> Metadata {
        Metadata {
            idempotency_key: error.idempotency_key.clone(),
            key_protects_until: error.key_protects_until,
            replayed: error.replayed,
            request_id: error.request_id.clone(),
            attempts: self.attempts(),
            mode: self.connection.key.mode,
            account: self.connection.account.clone(),
            extras: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Retry};
    use crate::stripe::client::Call;
    use crate::stripe::tests::scripted::{CUSTOMER, KEY, World, answer, broken, error, post};

    fn invocation(history: Option<History>) -> Invocation {
        Invocation { id: "run-1".into(), idempotency_key: None, timeout: None, history }
    }

    fn session(world: &World, history: Option<History>) -> Session<'_> {
        let fields = Fields { values: vec![("api_key".into(), KEY.into())], development: true };
        Session::start(world, world, &fields, invocation(history)).expect("a session")
    }

    #[test]
    fn every_request_of_a_call_is_counted_also_when_a_later_one_fails() {
        let refusal = error(401, "invalid_request_error", "x");
        let world = World::of([broken(), answer(200, CUSTOMER), refusal]);
        let session = session(&world, None);
        let answer = session.client().send(&post()).expect("done");
        assert_eq!(session.metadata(&answer).attempts, 2);
        let error = session.client().send(&Call::read("/v1/customers/cus_1", "")).map(|_| ()).expect_err("refused");
        assert_eq!((error.attempts, session.metadata(&answer).attempts), (3, 3));
        assert_eq!(session.metadata_of(&error).attempts, 3);
    }

    #[test]
    fn a_key_is_made_where_stripe_takes_one() {
        let world = World::of([]);
        let session = session(&world, None);
        let key = |method, template, part| session.idempotency_key(method, template, part).expect("usable");
        assert_eq!(key(Method::Delete, "/v1/customers/{customer}", 0), None);
        assert_eq!(key(Method::Get, "/v1/customers", 0), None);
        assert!(key(Method::Delete, "/v2/core/event_destinations/{id}", 0).is_some());
        assert_ne!(key(Method::Post, "/v1/customers", 0), key(Method::Post, "/v1/customers", 1));
    }

    #[test]
    fn what_is_known_of_earlier_tries_goes_with_every_request() {
        let history = Some(History { first_try: 5, tries: 1, in_doubt: true });
        let world = World::of([answer(200, CUSTOMER)]);
        let session = session(&world, history);
        let error = session.client().send(&post()).map(|_| ()).expect_err("the key is years old");
        assert_eq!((error.kind, error.outcome, world.sent().len()), (ErrorKind::Idempotency, Outcome::Unknown, 0));
    }

    #[test]
    fn an_error_before_anything_is_sent_does_not_hide_a_doubt() {
        let wrong = || Error::input("email", "must be text").hint("Send text.");
        let history = |in_doubt| Some(History { first_try: 5, tries: 1, in_doubt });
        for (history, outcome) in
            [(None, Outcome::NotSent), (history(false), Outcome::NotSent), (history(true), Outcome::Unknown)]
        {
            let told = invocation(history).tell(wrong());
            assert_eq!((told.outcome, told.retry, told.field.as_deref()), (outcome, Retry::Never, Some("email")));
            let hint = told.hint.expect("a hint");
            assert_eq!(hint.contains("earlier try"), outcome == Outcome::Unknown, "{hint}");
        }
        // What was settled with Stripe stays so.
        let mut refused = wrong();
        refused.outcome = Outcome::Rejected;
        assert_eq!(invocation(history(true)).tell(refused).outcome, Outcome::Rejected);
    }
}
