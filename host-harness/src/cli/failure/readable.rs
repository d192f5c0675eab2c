//! How a failure reads: what happened, and below it a row for each thing to know.

use host::ConnectorFailure;
use host::contract::{Outcome, RetryAdvice};

use crate::cli::failure::kind::{Failure, Untold};
use crate::cli::failure::run::Run;
use crate::cli::terminal::{BAD, DIM, one_line, paint};
use crate::cli::wording;

/// The readable form.
pub fn block(failure: &Failure) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let kind = match failure {
        Failure::Connector(failure) => {
            rows = connector_rows(failure);
            Some(one_line(failure.error.kind.name()))
        }
        Failure::Platform(failure) => {
            rows.push(("done?", wording::outcome(failure.outcome()).to_owned()));
            if failure.outcome() == Outcome::Unknown {
                let next_try = Run::after(&failure.report, failure.history());
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
        Failure::Guarded(refusal) => {
            rows.push(("rule", refusal.rule.to_string()));
            rows.push(("to do", refusal.fix.clone()));
            rows.push(("done?", wording::outcome(refusal.outcome).to_owned()));
            Some("guard".to_owned())
        }
        Failure::Withheld { acted, .. } => {
            let outcome = if *acted { Outcome::Committed } else { Outcome::NotSent };
            rows.extend(acted.then(|| ("done?", wording::outcome(outcome).to_owned())));
            Some("guard".to_owned())
        }
        Failure::Refused(_) => Some("not loaded".to_owned()),
        Failure::Usage { hint, .. } => {
            rows.extend(hint.clone().map(|hint| ("hint", hint)));
            None
        }
        Failure::Limit { hint, .. } => {
            rows.push(("hint", hint.clone()));
            Some("limit".to_owned())
        }
        Failure::Untold(known) | Failure::Unsent { unsent: known, .. } => {
            rows = untold_rows(known);
            None
        }
        Failure::Unexpected(_)
        | Failure::Nonconforming
        | Failure::Machine(_)
        | Failure::Stopped(_)
        | Failure::DryRun(_)
        | Failure::NobodyReads => None,
    };
    let kind = kind.map(|kind| format!(" {}", paint(DIM, format!("({kind})")))).unwrap_or_default();
    let mut block = format!("{}{kind}: {}", paint(BAD, "error"), one_line(&failure.to_string()));
    for (name, text) in rows {
        block.push_str(&format!("\n  {}  {}", paint(DIM, format!("{name:<8}")), one_line(&text)));
    }
    block
}

fn untold_rows(untold: &Untold) -> Vec<(&'static str, String)> {
    let mut rows = vec![("done?", wording::outcome(untold.outcome).to_owned())];
    rows.extend(untold.hint.clone().map(|hint| ("hint", hint)));
    if let Some(run) = &untold.run {
        rows.push(("retry", format!("As the same run, which does nothing twice: {}", run.flags())));
    }
    rows.extend(untold.concerns.iter().map(|(resource, id)| ("concerns", format!("{resource} {id}"))));
    rows.extend(untold.request_id.clone().map(|id| ("request", id)));
    rows.extend(untold.key.clone().map(|key| ("key", key)));
    rows.extend(untold.key_protects_until.map(|until| ("until", until_when(until))));
    rows
}

/// What an idempotency key is good for, and how long.
fn until_when(seconds: u64) -> String {
    format!("{}: until then the same run does nothing twice.", wording::unix_seconds(seconds))
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
    let next_try = Run::after(&failure.report, failure.history());
    add("retry", Some(retry(error.retry, error.outcome, next_try.as_ref())));
    for related in &error.related {
        add("concerns", Some(format!("{} {}", related.resource, related.id)));
    }
    add("status", error.http_status.map(|status| status.to_string()));
    add("request", error.request_id.clone());
    add("key", error.idempotency_key.clone());
    add("until", error.key_protects_until.map(until_when));
    add("replayed", error.replayed.then(|| "It is the answer that an earlier try got.".to_owned()));
    add("see", error.doc_url.clone());
    for denial in &failure.report.denials {
        add("denied", Some(denial.to_string()));
    }
    rows
}

fn retry(advice: RetryAdvice, outcome: Outcome, next_try: Option<&Run>) -> String {
    let flags = next_try.map(Run::flags);
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
