//! What a call did: returned with its result, and written as one line of the log. Never an argument, never a result,
//! never a secret; of a request its method, origin and path, without the query.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::contract::Outcome;
use crate::egress::Denial;
use crate::history::{History, unix_seconds};

/// What a call did.
#[derive(Clone, Debug, Serialize)]
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
    /// Making the store and instantiating the component in it.
    #[serde(rename = "instantiate_ms", serialize_with = "milliseconds")]
    pub instantiate: Duration,
    /// Guest computation.
    #[serde(rename = "cpu_ms", serialize_with = "milliseconds")]
    pub cpu: Duration,
    /// The most linear memory that the guest had, in bytes.
    pub memory_peak: usize,
    /// Its requests, in order.
    pub requests: Vec<EgressRecord>,
    /// Its requests that were not let out.
    pub denials: Vec<Denial>,
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
}

/// One request that a call made.
#[derive(Clone, Debug, Serialize)]
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
        }
    }
}

impl CallReport {
    /// Whether a request that may change something may have reached the service.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        let reads = |method: &str| matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        self.requests.iter().any(|request| request.may_have_left && !reads(&request.method))
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

    pub(crate) fn log(&self, connector: &str) {
        let requests = self.requests.iter().map(|request| {
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
        let requests = requests.collect::<Vec<_>>().join("; ");
        let denials = self.denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        tracing::info!(
            target: "host::call",
            connector,
            function = self.function,
            operation = self.operation.as_deref(),
            invocation = self.invocation.as_deref(),
            outcome = ?self.outcome,
            duration_us = self.duration.as_micros(),
            instantiate_us = self.instantiate.as_micros(),
            cpu_us = self.cpu.as_micros(),
            memory_peak = self.memory_peak,
            requests,
            denials,
            stdout_bytes = self.stdout_bytes,
            stderr_bytes = self.stderr_bytes,
            "call"
        );
    }
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}
