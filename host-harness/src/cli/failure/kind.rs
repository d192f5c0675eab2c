//! The failures themselves: one case a cause, and the exit status of each.

use guard::{Refusal, Stopped};
use host::contract::Outcome;
use host::{CallError, ConnectorFailure, HostError, LoadError, PlatformFailure};
use thiserror::Error;

use crate::cli::failure::clip;
use crate::cli::failure::run::Run;
use crate::cli::terminal::Unwritten;

/// The connector's error, and a step of the demo that did not give what it should.
const CONNECTOR: u8 = 1;
/// What was asked for makes no sense.
pub const USAGE: u8 = 2;
/// The platform could not do its part.
const PLATFORM: u8 = 3;
/// Something was done, or may have been, of which nobody saw the result.
const UNTOLD: u8 = 4;
/// The guard refused it.
const GUARD: u8 = 5;

/// What ended a command.
#[derive(Debug, Error)]
pub enum Failure {
    /// The connector's own, expected error.
    #[error("{}", .0.error.message)]
    Connector(Box<ConnectorFailure>),
    /// A step of the demo that did not give what it should.
    #[error("{0}")]
    Unexpected(String),
    /// A component that breaks a promise of the contract; which was said before.
    #[error("the component does not conform to the contract")]
    Nonconforming,
    /// The command line, or a file that it names.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// A trap or a limit.
    #[error("{}", .0.error)]
    Platform(Box<PlatformFailure>),
    /// The component or its manifest was refused.
    #[error("{0}")]
    Refused(String),
    /// This machine: a port, the engine, standard output.
    #[error("{0}")]
    Machine(String),
    /// A limit of this command line's own, and how to go on.
    #[error("{message}")]
    Limit { message: String, hint: String },
    /// Something was done, or may have been, of which nobody saw the result.
    #[error("{}", .0.message)]
    Untold(Box<Untold>),
    /// The guard refused it, and nothing was changed.
    #[error("the guard refused `{}`: {}", .0.operation, .0.reason)]
    Guarded(Box<Refusal>),
    /// The guard keeps an answer back.
    #[error("the answer of `{operation}` is withheld: it has another customer in it")]
    Withheld { operation: String, acted: bool },
    /// Nothing was to be sent.
    #[error("a dry run of `{0}`: nothing was sent")]
    DryRun(String),
    /// Somebody wanted the process to end, with this status, and nothing was changed.
    #[error("stopped")]
    Stopped(u8),
    /// The same of something that would have changed something, and what is known of it.
    #[error("{}", .unsent.message)]
    Unsent { status: u8, unsent: Box<Untold> },
    /// Nobody reads standard output any more. Not a failure of ours.
    #[error("standard output is closed")]
    NobodyReads,
}

/// A call that changes something, of which nobody saw how it ended or what it gave.
#[derive(Clone, Debug)]
pub struct Untold {
    pub message: String,
    pub hint: Option<String>,
    /// What is known all the same.
    pub outcome: Outcome,
    /// How to run the step again, where it is one.
    pub run: Option<Run>,
    /// The idempotency key that was sent.
    pub key: Option<String>,
    /// Until when the service knows it, in seconds since 1970.
    pub key_protects_until: Option<u64>,
    pub request_id: Option<String>,
    /// The object that it is about: its resource and its id.
    pub concerns: Option<(String, String)>,
}

impl Untold {
    /// With nothing known but this.
    pub fn new(message: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            message: message.into(),
            hint: None,
            outcome,
            run: None,
            key: None,
            key_protects_until: None,
            request_id: None,
            concerns: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    /// With what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Usage { message, .. } => Self::Usage { message, hint: Some(hint.into()) },
            other => other,
        }
    }

    pub fn status(&self) -> u8 {
        match self {
            Self::Connector(_) | Self::Unexpected(_) | Self::Nonconforming => CONNECTOR,
            Self::Usage { .. } => USAGE,
            Self::Platform(_) | Self::Refused(_) | Self::Machine(_) | Self::Limit { .. } => PLATFORM,
            Self::Untold(_) => UNTOLD,
            Self::Withheld { acted: true, .. } => UNTOLD,
            Self::Guarded(_) | Self::Withheld { .. } => GUARD,
            Self::Stopped(status) | Self::Unsent { status, .. } => *status,
            Self::NobodyReads | Self::DryRun(_) => 0,
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Connector(mut failure) => {
                clip::error(&mut failure.error);
                Self::Connector(failure)
            }
            CallError::Platform(failure) => Self::Platform(failure),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Denied(refusal) => Self::Guarded(refusal),
            Stopped::Withheld { operation, acted } => Self::Withheld { operation, acted },
            Stopped::DryRun { operation, .. } => Self::DryRun(operation),
            Stopped::Failed(error) => error.into(),
            Stopped::Audit(error) => Self::Machine(error.to_string()),
            Stopped::Ledger(error) => Self::Machine(error.to_string()),
        }
    }
}

impl From<Untold> for Failure {
    fn from(untold: Untold) -> Self {
        Self::Untold(Box::new(untold))
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::Machine(error.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Denied(_) => Self::usage(error.to_string()),
            _ => Self::Machine(error.to_string()),
        }
    }
}

impl From<inbox::InboxError> for Failure {
    fn from(error: inbox::InboxError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<Unwritten> for Failure {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::NobodyReads => Self::NobodyReads,
            Unwritten::Failed(_) => Self::Machine(error.to_string()),
        }
    }
}

impl From<host::NoRandomness> for Failure {
    fn from(error: host::NoRandomness) -> Self {
        Self::Machine(error.to_string())
    }
}
