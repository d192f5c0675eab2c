//! What can go wrong in a call, in two groups that never mix: the platform's failures, and the connector's own errors,
//! which are expected results. Each comes with the call's report.

use std::time::Duration;

use thiserror::Error;

use crate::contract;
use crate::history::History;
use crate::report::CallReport;

/// A failure of the platform during a call: a bug of the component, or a limit that it ran into. Not the connector's
/// own, expected errors.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// The component cannot be instantiated, or its functions are of other types than the contract's.
    #[error("the component cannot be instantiated: {0}")]
    Instantiate(String),
    /// It trapped.
    #[error("the component trapped: {0}")]
    Trap(String),
    /// It ended itself in place of returning.
    #[error("the component exited with status {0} in place of returning")]
    Exit(i32),
    /// It asked for more memory than it may have, and did not live with the refusal.
    #[error("the component asked for more than its {} MiB of memory", .limit >> 20)]
    Memory {
        /// The limit in bytes.
        limit: usize,
    },
    /// It computed for too long.
    #[error("the component computed for more than its {} ms", .limit.as_millis())]
    Cpu {
        /// The limit.
        limit: Duration,
    },
    /// The call as a whole took too long.
    #[error("the call took longer than its {} ms", .limit.as_millis())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// It gave a list that does not end.
    #[error("the component's list has no end: it goes on after {pages} pages")]
    Endless {
        /// How many were read.
        pages: usize,
    },
    /// It gave a list whose pages together are larger than what the host keeps.
    #[error("the component's list has more than {} MiB; HostConfig::result allows more", .most >> 20)]
    Oversized {
        /// The most in bytes.
        most: usize,
    },
    /// The host has no room for the call now.
    #[error("the host is busy: {0}")]
    Busy(Busy),
}

/// What a host has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Busy {
    /// No call ended in time.
    #[error("{most} calls were running until this one's time was over; HostConfig::calls allows more")]
    Room {
        /// How many run at once.
        most: u32,
    },
    /// Too many wait already. Try again later.
    #[error("{longest} calls wait for their turn already; HostConfig::waiting allows more")]
    Queue {
        /// How many may wait.
        longest: u32,
    },
    /// The guest waited for memory until its time was over.
    #[error("other calls held the {} MiB of memory in all until this one's time was over; HostConfig::memory_in_all allows more", .most >> 20)]
    Memory {
        /// How much all may have together, in bytes.
        most: usize,
    },
    /// Others that change the subscriptions of this account were before it, until its time was over or too many.
    #[error("other calls that change this account's subscriptions come first, one after the other; try again later")]
    Subscriptions,
    /// It takes no calls any more.
    #[error("it is shutting down and takes no more calls")]
    Draining,
}

/// Why a call has no result. `report` says what it did all the same.
#[derive(Debug, Error)]
pub enum CallError {
    /// The connector's own error, an expected result.
    #[error("{}", .0.error.message)]
    Connector(Box<ConnectorFailure>),
    /// A failure of the platform.
    #[error("{}{}", .0.error, .0.consequence())]
    Platform(Box<PlatformFailure>),
}

/// The connector's own error.
#[derive(Debug)]
pub struct ConnectorFailure {
    /// What went wrong, complete.
    pub error: contract::Error,
    /// What the call did.
    pub report: CallReport,
}

impl ConnectorFailure {
    /// What is known of the run's tries after this one: what to pass on with the next.
    #[must_use]
    pub fn history(&self) -> History {
        self.report.history_after(self.error.outcome)
    }
}

/// A failure of the platform.
#[derive(Debug)]
pub struct PlatformFailure {
    /// What went wrong.
    pub error: PlatformError,
    /// What the call did.
    pub report: CallReport,
}

impl PlatformFailure {
    /// What the invocation has done at the service: `unknown` when a request that changes something had left, now or in
    /// an earlier try whose end is not known, and `not-sent` otherwise.
    #[must_use]
    pub fn outcome(&self) -> contract::Outcome {
        self.report.outcome_of_run()
    }

    /// What is known of the run's tries after this one: what to pass on with the next.
    #[must_use]
    pub fn history(&self) -> History {
        self.report.history_after(self.outcome())
    }

    fn consequence(&self) -> &'static str {
        match self.outcome() {
            contract::Outcome::Unknown => {
                "; a request had left before, so the outcome is unknown: run it again with the same invocation id and its history, which repeats nothing"
            }
            _ => "; no request that changes anything had left",
        }
    }
}

impl CallError {
    /// What the call did.
    #[must_use]
    pub fn report(&self) -> &CallReport {
        match self {
            Self::Connector(failure) => &failure.report,
            Self::Platform(failure) => &failure.report,
        }
    }

    /// What the invocation has done at the service.
    #[must_use]
    pub fn outcome(&self) -> contract::Outcome {
        match self {
            Self::Connector(failure) => failure.error.outcome,
            Self::Platform(failure) => failure.outcome(),
        }
    }

    /// What is known of the run's tries after this one. Whoever runs the step again passes it on
    /// ([`Invocation::again_after`](crate::Invocation::again_after) does).
    #[must_use]
    pub fn history(&self) -> History {
        self.report().history_after(self.outcome())
    }

    /// The connector's own error, if it is one.
    #[must_use]
    pub fn connector(&self) -> Option<&contract::Error> {
        match self {
            Self::Connector(failure) => Some(&failure.error),
            Self::Platform(_) => None,
        }
    }

    /// The platform's failure, if it is one.
    #[must_use]
    pub fn platform(&self) -> Option<&PlatformFailure> {
        match self {
            Self::Connector(_) => None,
            Self::Platform(failure) => Some(failure),
        }
    }
}
