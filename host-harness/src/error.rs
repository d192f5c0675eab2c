//! What can go wrong, in three groups that never mix: loading a component, the platform's failures during a call, and the
//! connector's own errors, which are expected results.

use std::time::Duration;

use thiserror::Error;

use crate::contract;
use crate::history::History;
use crate::report::CallReport;

/// Why a host cannot be made.
#[derive(Debug, Error)]
pub enum HostError {
    /// The WebAssembly engine does not start on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The thread that watches computing time cannot start.
    #[error("the thread that watches computing time cannot start: {0}")]
    Thread(#[from] std::io::Error),
}

/// Why a component was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There are no bytes.
    #[error("the component is empty: 0 bytes")]
    Empty,
    /// A core module.
    #[error(
        "this is a core WebAssembly module and no component; build it with `--target wasm32-wasip2`, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// Component text.
    #[error("this is WebAssembly text; the host takes the binary form (`wasm-tools parse` makes it)")]
    Text,
    /// Something else.
    #[error("this is no WebAssembly component: it begins with {0}, a component with 00 61 73 6d 0d 00 01 00")]
    NotWebAssembly(String),
    /// It begins like a component and is none.
    #[error("the component cannot be compiled: {0}")]
    Invalid(String),
    /// It imports what its manifest does not declare.
    #[error("the component imports {}, which its manifest does not declare under permissions.imports", names(.0))]
    UndeclaredImports(Vec<String>),
    /// It imports what no component gets from this host.
    #[error("the component imports {}, which this host does not grant to any component", names(.0))]
    UngrantedImports(Vec<String>),
    /// An import is granted, in another version or shape.
    #[error("the component's imports do not fit what this host offers: {0}")]
    ImportMismatch(String),
    /// An interface of the world, or a function of one, is not exported.
    #[error("the component does not export {}, which the world {world} has", names(.missing))]
    MissingExports {
        /// What is missing.
        missing: Vec<String>,
        /// The manifest's world.
        world: String,
    },
    /// An interface of the world is exported in another version.
    #[error("the component exports {found}, but the host speaks {expected}")]
    ExportVersion {
        /// What it exports.
        found: String,
        /// What the host needs.
        expected: String,
    },
    /// The manifest names a world that this host does not speak.
    #[error("the manifest's world is {found}, but this host speaks {expected}")]
    World {
        /// The manifest's.
        found: String,
        /// The host's.
        expected: String,
    },
    /// A limit of the manifest is over what this host gives.
    #[error("the manifest's {key} of {asked} is over this host's {most}")]
    Limit {
        /// The key.
        key: &'static str,
        /// The manifest's value.
        asked: u64,
        /// The host's.
        most: u64,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

fn names(names: &[String]) -> String {
    names.join(", ")
}

/// A failure of the platform during a call: a bug of the component, or a limit that it ran into. Not the connector's
/// own, expected errors.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
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
    /// No room for another call came free in time.
    #[error("the host is busy: {most} calls are running")]
    Busy {
        /// How many run at once.
        most: u32,
    },
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
        if self.report.may_have_acted_in_all() { contract::Outcome::Unknown } else { contract::Outcome::NotSent }
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
