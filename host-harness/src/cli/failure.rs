//! What can end a command, how it reads and its exit status.
//!
//! The connector's own errors are shown whole, so that "did it charge the card?" and "may I try again?" are answered
//! where the user looks. Nothing in here holds a secret: the connector's error record has none by contract, and the
//! rest is of the command line's own making.

use std::io;
use std::process::ExitCode;

use host::contract::{self, Outcome, RetryAdvice};
use host::{CallError, CallReport, ConnectorFailure, History, HostError, LoadError, PlatformFailure};
use serde::Serialize;
use thiserror::Error;

use super::terminal::{BAD, DIM, Terminal, one_line, paint};
use super::wording;

/// The connector's error, and a step of the demo that did not give what it should.
const CONNECTOR: u8 = 1;
/// What was asked for makes no sense.
pub const USAGE: u8 = 2;
/// The platform could not do its part.
const PLATFORM: u8 = 3;

/// What ended a command.
#[derive(Debug, Error)]
pub enum Failure {
    /// The connector's own, expected error.
    #[error("{}", .0.error.message)]
    Connector(Box<ConnectorFailure>),
    /// A step of the demo that did not give what it should.
    #[error("{0}")]
    Unexpected(String),
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
    /// Nobody reads standard output any more. Not a failure of ours.
    #[error("standard output is closed")]
    NobodyReads,
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

    fn status(&self) -> u8 {
        match self {
            Self::Connector(_) | Self::Unexpected(_) => CONNECTOR,
            Self::Usage { .. } => USAGE,
            Self::Platform(_) | Self::Refused(_) | Self::Machine(_) => PLATFORM,
            Self::NobodyReads => 0,
        }
    }

    /// Says it on standard error, and returns the exit status.
    pub fn report(&self, terminal: &mut Terminal) -> ExitCode {
        match self {
            Self::NobodyReads => {}
            _ if terminal.json => terminal.error_record(&self.record()),
            _ => terminal.error_block(&self.block()),
        }
        ExitCode::from(self.status())
    }

    /// The JSON form. `kind` tells whose failure it is: `usage`, `demo`, `load`, `machine` and `platform` are no kinds of the contract.
    fn record(&self) -> Record<'_> {
        let said = |kind| Record::Ours { kind, message: self.to_string(), hint: None };
        match self {
            Self::Connector(failure) => {
                Record::Connector { error: &failure.error, next_try: next_try(&failure.report, failure.history()) }
            }
            Self::Platform(failure) => Record::Platform {
                kind: "platform",
                message: self.to_string(),
                outcome: failure.outcome(),
                next_try: next_try(&failure.report, failure.history()),
                report: &failure.report,
            },
            Self::Usage { hint, .. } => {
                Record::Ours { kind: "usage", message: self.to_string(), hint: hint.as_deref() }
            }
            Self::Unexpected(_) => said("demo"),
            Self::Refused(_) => said("load"),
            Self::Machine(_) | Self::NobodyReads => said("machine"),
        }
    }

    /// The readable form.
    fn block(&self) -> String {
        let mut rows: Vec<(&str, String)> = Vec::new();
        let kind = match self {
            Self::Connector(failure) => {
                rows = connector_rows(failure);
                Some(one_line(failure.error.kind.name()))
            }
            Self::Platform(failure) => {
                rows.push(("done?", wording::outcome(failure.outcome()).to_owned()));
                if failure.outcome() == Outcome::Unknown {
                    let next_try = next_try(&failure.report, failure.history());
                    rows.push(("retry", retry(RetryAdvice::SameKey, Outcome::Unknown, next_try.as_ref())));
                }
                for denial in &failure.report.denials {
                    rows.push(("denied", denial.to_string()));
                }
                let said = one_line(failure.report.stderr.trim());
                if !said.is_empty() {
                    rows.push(("it said", said));
                }
                Some("platform failure".to_owned())
            }
            Self::Refused(_) => Some("not loaded".to_owned()),
            Self::Usage { hint, .. } => {
                rows.extend(hint.clone().map(|hint| ("hint", hint)));
                None
            }
            Self::Unexpected(_) | Self::Machine(_) | Self::NobodyReads => None,
        };
        let kind = kind.map(|kind| format!(" {}", paint(DIM, format!("({kind})")))).unwrap_or_default();
        let mut block = format!("{}{kind}: {}", paint(BAD, "error"), one_line(&self.to_string()));
        for (name, text) in rows {
            block.push_str(&format!("\n  {}  {}", paint(DIM, format!("{name:<8}")), one_line(&text)));
        }
        block
    }
}

fn connector_rows(failure: &ConnectorFailure) -> Vec<(&'static str, String)> {
    let error = &failure.error;
    let mut rows = Vec::new();
    let mut add =
        |name, text: Option<String>| rows.extend(text.filter(|text| !text.is_empty()).map(|text| (name, text)));
    add("hint", error.hint.clone());
    add("field", error.field.clone());
    add("code", error.code.clone());
    add("declined", error.decline_code.clone());
    add("done?", Some(wording::outcome(error.outcome).to_owned()));
    let next_try = next_try(&failure.report, failure.history());
    add("retry", Some(retry(error.retry, error.outcome, next_try.as_ref())));
    for related in &error.related {
        add("concerns", Some(format!("{} {}", related.resource, related.id)));
    }
    add("status", error.http_status.map(|status| status.to_string()));
    add("request", error.request_id.clone());
    add("key", error.idempotency_key.clone());
    let until = error.key_protects_until.map(wording::unix_seconds);
    add("until", until.map(|until| format!("{until}: until then the same run does nothing twice.")));
    add("replayed", error.replayed.then(|| "It is the answer that an earlier try got.".to_owned()));
    add("see", error.doc_url.clone());
    for denial in &failure.report.denials {
        add("denied", Some(denial.to_string()));
    }
    rows
}

fn retry(advice: RetryAdvice, outcome: Outcome, next_try: Option<&NextTry<'_>>) -> String {
    let flags = next_try.map(NextTry::flags);
    let with_flags = |text: String| match &flags {
        Some(flags) => format!("{text}: {flags}"),
        None => format!("{text}."),
    };
    match advice {
        RetryAdvice::Never if outcome == Outcome::Unknown => {
            with_flags("No: something must be changed or looked at first. A later try is the same run".to_owned())
        }
        RetryAdvice::Never => "No: something must be changed first.".to_owned(),
        RetryAdvice::SameKey => with_flags("Yes, as the same run, which does nothing twice".to_owned()),
        RetryAdvice::After(milliseconds) => {
            let wait = wording::duration(std::time::Duration::from_millis(milliseconds));
            with_flags(format!("Yes, after {wait}, as the same run"))
        }
    }
}

/// How to run the step again so that it is the same run, and so that what is known of it is not lost.
#[derive(Serialize)]
struct NextTry<'a> {
    invocation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    #[serde(flatten)]
    history: History,
}

/// Of `call`, which takes these flags; other commands are no runs of a step.
fn next_try(report: &CallReport, history: History) -> Option<NextTry<'_>> {
    let invocation_id = report.invocation.as_deref()?;
    let idempotency_key = report.idempotency_key.as_deref();
    let repeatable = matches!(report.function, "actions.run" | "queries.run");
    repeatable.then_some(NextTry { invocation_id, idempotency_key, history })
}

impl NextTry<'_> {
    fn flags(&self) -> String {
        let mut flags = format!("--invocation-id {}", wording::shell_word(self.invocation_id));
        if let Some(key) = self.idempotency_key {
            flags.push_str(&format!(" --idempotency-key {}", wording::shell_word(key)));
        }
        if self.history.in_doubt {
            flags.push_str(&format!(" --in-doubt-since {}", wording::moment(self.history.first_try)));
            if self.history.tries > 1 {
                flags.push_str(&format!(" --tries {}", self.history.tries));
            }
        }
        flags
    }
}

/// The JSON form of a failure.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Connector {
        #[serde(flatten)]
        error: &'a contract::Error,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_try: Option<NextTry<'a>>,
    },
    Platform {
        kind: &'static str,
        message: String,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_try: Option<NextTry<'a>>,
        report: &'a CallReport,
    },
    Ours {
        kind: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
    },
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Connector(failure) => Self::Connector(failure),
            CallError::Platform(failure) => Self::Platform(failure),
        }
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

/// A failure to write to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Machine(format!("standard output cannot be written: {error}")),
        }
    }
}

impl From<host::NoRandomness> for Failure {
    fn from(error: host::NoRandomness) -> Self {
        Self::Machine(error.to_string())
    }
}
