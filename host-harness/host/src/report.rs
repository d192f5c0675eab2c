//! What a call did: returned with its result, and written as one line of the log. Never an argument, never a result,
//! never a secret; of a request its method, origin and path, without the query.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::caps::Cap;
use crate::contract::Outcome;
use crate::egress::Denial;
use crate::history::{History, unix_seconds};

/// What a call did.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CallReport {
    /// The interface and function: `actions.run`.
    pub function: &'static str,
    /// The operation or trigger, where the function takes one.
    pub operation: Option<String>,
    /// The invocation, where the function takes one.
    pub invocation: Option<String>,
    /// The caller's own idempotency key, where it gave one: a next try needs it as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// For whom it ran, where the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it began; in seconds since 1970 when serialised.
    #[serde(serialize_with = "unix_seconds")]
    pub began: SystemTime,
    /// What the caller knew of earlier tries of the invocation.
    pub history: Option<History>,
    /// How it ended.
    pub outcome: CallOutcome,
    /// The whole call, in milliseconds when serialised.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// Of it, waiting for room before it began, in milliseconds when serialised.
    #[serde(rename = "waited_ms", serialize_with = "milliseconds")]
    pub waited: Duration,
    /// Making the store and instantiating the component in it.
    #[serde(rename = "instantiate_ms", serialize_with = "milliseconds")]
    pub instantiate: Duration,
    /// Guest computation.
    #[serde(rename = "cpu_ms", serialize_with = "milliseconds")]
    pub cpu: Duration,
    /// The most linear memory that the guest had, in bytes.
    pub memory_peak: usize,
    /// The limits of the manifest in whose place the operator's smaller ones held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capped: Vec<Cap>,
    /// Its requests, in order.
    pub requests: Vec<EgressRecord>,
    /// The first of its requests that were not let out.
    pub denials: Vec<Denial>,
    /// How many were not let out in all.
    pub denied: u64,
    /// How much it wrote to its standard output and error; all of it counted, the beginning kept.
    pub stdout_bytes: u64,
    /// See `stdout_bytes`.
    pub stderr_bytes: u64,
    /// The beginning of what it wrote to its standard error: the reason of a panic. The connection's secrets are taken out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// The functions that may change something at the service.
const ACTING: &[&str] = &["actions.run", "triggers.subscribe", "triggers.renew", "triggers.unsubscribe"];

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallOutcome {
    /// With a result.
    Ok,
    /// With the connector's own error.
    ConnectorError,
    /// With a failure of the platform: a trap, a limit, a timeout.
    PlatformFailure,
    /// It was given up by whoever started it.
    Cancelled,
}

/// One request that a call made.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EgressRecord {
    /// The method.
    pub method: String,
    /// Scheme, host and port.
    pub origin: String,
    /// The path, without its query.
    pub path: String,
    /// The answer's status, when one came.
    pub status: Option<u16>,
    /// Until the answer began.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// Why no answer came.
    pub error: Option<String>,
    /// Whether the server may have seen it.
    pub may_have_left: bool,
    /// Whether it may change something: by its method, or because it asked to be taken as one of another method.
    pub acts: bool,
}

impl EgressRecord {
    pub(crate) fn new(method: &str, origin: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            origin: origin.to_owned(),
            path: path.to_owned(),
            status: None,
            duration: Duration::ZERO,
            error: None,
            may_have_left: true,
            acts: !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE"),
        }
    }
}

impl CallReport {
    /// Whether a request that may change something may have reached the service.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        self.acted().next().is_some()
    }

    /// The requests that may have changed something.
    pub(crate) fn acted(&self) -> impl Iterator<Item = &EgressRecord> {
        self.requests.iter().filter(|request| request.may_have_left && request.acts)
    }

    /// What the run has done at the service as far as the host itself knows, from this call and the earlier tries of it:
    /// `unknown` when a request that may change something had left, and `not-sent` otherwise.
    #[must_use]
    pub fn outcome_of_run(&self) -> Outcome {
        if self.may_have_acted_in_all() { Outcome::Unknown } else { Outcome::NotSent }
    }

    /// Whether this call or an earlier try of its invocation may have changed something.
    #[must_use]
    pub fn may_have_acted_in_all(&self) -> bool {
        let acts = ACTING.contains(&self.function);
        self.may_have_acted() || (acts && self.history.is_some_and(|history| history.in_doubt))
    }

    /// What is known of the run's tries after this one, which ended so: what to pass on with the next.
    #[must_use]
    pub fn history_after(&self, outcome: Outcome) -> History {
        let before = self.history;
        // That nothing left this time settles nothing of an earlier time.
        let still = before.is_some_and(|history| history.in_doubt) && outcome == Outcome::NotSent;
        History {
            first_try: before.map_or(self.began, |history| history.first_try.min(self.began)),
            tries: before.map_or(0, |history| history.tries).saturating_add(1),
            in_doubt: outcome == Outcome::Unknown || still,
        }
    }

    /// Writes it as one line of the log, if anybody reads it.
    pub(crate) fn log(&self, connector: &str) {
        if !tracing::enabled!(target: "host::call", tracing::Level::INFO) {
            return;
        }
        let requests = self.requests.iter().take(LOGGED).map(|request| {
            let status = request.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            format!(
                "{} {}{} {} {:.1}ms",
                request.method,
                request.origin,
                request.path,
                status,
                request.duration.as_secs_f64() * 1e3
            )
        });
        let requests = in_all(requests.collect(), self.requests.len());
        let denials = in_all(self.denials.iter().take(LOGGED).map(ToString::to_string).collect(), self.denials.len());
        tracing::info!(
            target: "host::call",
            connector,
            function = self.function,
            operation = self.operation.as_deref(),
            invocation = self.invocation.as_deref(),
            outcome = ?self.outcome,
            tenant = self.tenant.as_deref(),
            duration_us = self.duration.as_micros(),
            waited_us = self.waited.as_micros(),
            instantiate_us = self.instantiate.as_micros(),
            cpu_us = self.cpu.as_micros(),
            memory_peak = self.memory_peak,
            requests,
            denials,
            denied = self.denied,
            stdout_bytes = self.stdout_bytes,
            stderr_bytes = self.stderr_bytes,
            "call"
        );
    }
}

/// So many requests and denials of a call are in its line of the log. The report has them all.
const LOGGED: usize = 20;

fn in_all(shown: Vec<String>, count: usize) -> String {
    let more = count.saturating_sub(shown.len());
    let shown = shown.join("; ");
    if more == 0 { shown } else { format!("{shown}; and {more} more") }
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}
