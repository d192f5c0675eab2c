//! What a host has done so far and does now, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::report::CallOutcome;

/// What a host does now, and has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that run now.
    pub running: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Guest memory in use beyond what each call has for itself, in bytes.
    pub memory: usize,
    /// Calls that ended with a result.
    pub ok: u64,
    /// Calls that ended with the connector's own error.
    pub connector_errors: u64,
    /// Calls that ended with a failure of the platform, refused ones included.
    pub platform_failures: u64,
    /// Calls that were cancelled.
    pub cancelled: u64,
}

/// How calls ended so far.
#[derive(Default)]
pub(crate) struct Counters {
    ok: AtomicU64,
    connector_errors: AtomicU64,
    platform_failures: AtomicU64,
    cancelled: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, outcome: CallOutcome) {
        let counter = match outcome {
            CallOutcome::Ok => &self.ok,
            CallOutcome::ConnectorError => &self.connector_errors,
            CallOutcome::PlatformFailure => &self.platform_failures,
            CallOutcome::Cancelled => &self.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// With what goes on now.
    pub(crate) fn stats(&self, (running, waiting): (usize, usize), memory: usize) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            running,
            waiting,
            memory,
            ok: read(&self.ok),
            connector_errors: read(&self.connector_errors),
            platform_failures: read(&self.platform_failures),
            cancelled: read(&self.cancelled),
        }
    }
}
