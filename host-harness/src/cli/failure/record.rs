//! The JSON form of a failure.

use host::CallReport;
use host::contract::{self, Outcome};
use serde::Serialize;

use crate::cli::failure::kind::{Failure, Untold};
use crate::cli::failure::run::Run;

/// The JSON form. `kind` tells whose failure it is: `usage`, `demo`, `load`, `machine`,
/// `conformance`, `platform`, `limit`, `untold`, `guard`, `dry-run` and `stopped` are no kinds of the contract.
pub fn of(failure: &Failure) -> Record<'_> {
    let said = |kind| Record::Ours { kind, message: failure.to_string(), hint: None };
    match failure {
        Failure::Connector(failure) => {
            Record::Connector { error: &failure.error, next_try: Run::after(&failure.report, failure.history()) }
        }
        Failure::Platform(failure) => Record::Platform {
            kind: "platform",
            message: failure.error.to_string(),
            outcome: failure.outcome(),
            next_try: Run::after(&failure.report, failure.history()),
            report: &failure.report,
        },
        Failure::Usage { hint, .. } => {
            Record::Ours { kind: "usage", message: failure.to_string(), hint: hint.as_deref() }
        }
        Failure::Guarded(refusal) => Record::Guard {
            kind: "guard",
            message: failure.to_string(),
            hint: Some(&refusal.fix),
            rule: Some(refusal.rule.to_string()),
            outcome: refusal.outcome,
        },
        Failure::Withheld { acted, .. } => Record::Guard {
            kind: "guard",
            message: failure.to_string(),
            hint: None,
            rule: None,
            outcome: if *acted { Outcome::Committed } else { Outcome::NotSent },
        },
        Failure::DryRun(_) => said("dry-run"),
        Failure::Limit { hint, .. } => Record::Ours { kind: "limit", message: failure.to_string(), hint: Some(hint) },
        Failure::Untold(known) | Failure::Unsent { unsent: known, .. } => {
            let Untold { message, hint, outcome, run, key, key_protects_until, request_id, concerns } = &**known;
            Record::Untold {
                kind: if *outcome == Outcome::NotSent { "stopped" } else { "untold" },
                message,
                hint: hint.as_deref(),
                outcome: *outcome,
                next_try: run.as_ref(),
                idempotency_key: key.as_deref(),
                key_protects_until: *key_protects_until,
                request_id: request_id.as_deref(),
                related: concerns.iter().map(|(resource, id)| Related { resource, id }).collect(),
            }
        }
        Failure::Stopped(_) => said("stopped"),
        Failure::Unexpected(_) => said("demo"),
        Failure::Nonconforming => said("conformance"),
        Failure::Refused(_) => said("load"),
        Failure::Machine(_) | Failure::NobodyReads => said("machine"),
    }
}

/// The JSON form of a failure.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Record<'a> {
    Connector {
        #[serde(flatten)]
        error: &'a contract::Error,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_try: Option<Run>,
    },
    Platform {
        kind: &'static str,
        message: String,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_try: Option<Run>,
        report: &'a CallReport,
    },
    Untold {
        kind: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_try: Option<&'a Run>,
        idempotency_key: Option<&'a str>,
        key_protects_until: Option<u64>,
        request_id: Option<&'a str>,
        related: Vec<Related<'a>>,
    },
    Guard {
        kind: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        outcome: Outcome,
    },
    Ours {
        kind: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
    },
}

/// An object that a failure concerns.
#[derive(Serialize)]
pub struct Related<'a> {
    resource: &'a str,
    id: &'a str,
}
