//! What a call did: returned with its result, and written as one line of the log. Never an argument, never a result,
//! never a secret; of a request its method, origin and path, without the query.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::egress::Denial;

/// What a call did.
#[derive(Clone, Debug, Serialize)]
pub struct CallReport {
    /// The interface and function: `actions.run`.
    pub function: &'static str,
    /// The operation or trigger, where the function takes one.
    pub operation: Option<String>,
    /// The invocation, where the function takes one.
    pub invocation: Option<String>,
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
            target: "host_harness::call",
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
