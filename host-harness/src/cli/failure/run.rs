//! What is known of the run of a step, so that it can be run again as the same run and nothing that is known gets lost.

use std::time::SystemTime;

use host::{CallReport, History, Invocation};
use serde::Serialize;

use crate::cli::wording;

/// How to run a step again.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    invocation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(flatten)]
    history: History,
}

impl Run {
    /// After a try whose end is known. Only `call` takes the flags; other commands are no runs of a step.
    pub fn after(report: &CallReport, history: History) -> Option<Self> {
        let repeatable = matches!(report.function, "actions.run" | "queries.run");
        let invocation_id = report.invocation.clone().filter(|_| repeatable)?;
        Some(Self { invocation_id, idempotency_key: report.idempotency_key.clone(), history })
    }

    /// After a try that began then, and of which nobody knows how it ended.
    pub fn in_doubt(invocation: &Invocation, began: SystemTime) -> Self {
        let before = invocation.history;
        let history = History {
            first_try: before.map_or(began, |history| history.first_try.min(began)),
            tries: before.map_or(0, |history| history.tries).saturating_add(1),
            in_doubt: true,
        };
        Self { invocation_id: invocation.id.clone(), idempotency_key: invocation.idempotency_key.clone(), history }
    }

    /// The same run, whose last try is known to have been done.
    pub fn settled(mut self) -> Self {
        self.history.in_doubt = false;
        self
    }

    /// The flags of `call` that make the next try the same run.
    pub fn flags(&self) -> String {
        let mut flags = format!("--invocation-id {}", wording::shell_word(&self.invocation_id));
        if let Some(key) = &self.idempotency_key {
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_try_without_an_end_leaves_the_run_in_doubt_since_its_first() {
        let first = Invocation::new("order 1");
        let once = Run::in_doubt(&first, at(1_795_275_723));
        assert_eq!(once.flags(), "--invocation-id 'order 1' --in-doubt-since 2026-11-21T15:42:03Z");
        let again =
            first.with_idempotency_key("mine").with_history(History { tries: 2, ..History::in_doubt_since(at(5)) });
        let twice = Run::in_doubt(&again, at(9));
        assert!(twice.flags().ends_with("--idempotency-key mine --in-doubt-since 1970-01-01T00:00:05Z --tries 3"));
        assert_eq!(twice.settled().flags(), "--invocation-id 'order 1' --idempotency-key mine");
    }
}
