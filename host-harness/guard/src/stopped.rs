//! Why a call that somebody wanted has no result.

use host::CallError;
use host::contract::Outcome;
use thiserror::Error;

use crate::audit::AuditError;
use crate::ledger::LedgerError;
use crate::policy::PolicyError;
use crate::request::Outgoing;
use crate::verdict::Rule;

/// See the module.
#[derive(Debug, Error)]
pub enum Stopped {
    /// The guard denied it: nothing that changes anything was sent.
    #[error("the guard refused `{}`: {}", .0.operation, .0.reason)]
    Denied(Box<Refusal>),
    /// It was done, or read, and the guard keeps the answer back.
    #[error("the answer of `{operation}` is withheld: it has another customer in it")]
    Withheld {
        /// What was run.
        operation: String,
        /// Whether something was changed by it.
        acted: bool,
    },
    /// Nothing was to be sent, and this is what would have been.
    #[error("a dry run of `{operation}`: nothing was sent")]
    DryRun {
        /// What would have been run.
        operation: String,
        /// Its request; the first, where it takes several. None where it needs none.
        request: Option<Box<Outgoing>>,
    },
    /// The call itself failed.
    #[error(transparent)]
    Failed(#[from] CallError),
    /// The audit log cannot be written, so nothing is run.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The ledger cannot be used, so no money moves.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
}

/// What the guard denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was to be run.
    pub operation: String,
    /// Why it is not.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
    /// The rule that decided.
    pub rule: Rule,
    /// What is known of the run all the same: `unknown` where an earlier try of it may have been done.
    pub outcome: Outcome,
}

/// Why there is no guard.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The file is not taken.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// The connector does not say what it offers.
    #[error("the connector does not say what it offers: {0}")]
    Connector(#[from] CallError),
    /// The audit log cannot be used.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The ledger cannot be used.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
}
