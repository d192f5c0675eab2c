//! The run of one step.
//!
//! A run is longer than a call: a platform that got no answer, or crashed, runs the step again with the same id. What
//! became of the earlier tries the connector cannot know, since it keeps nothing; so **whoever runs a step again passes
//! its [`History`] on**. [`Invocation::again_after`] makes it of a try that failed; a platform that stores its runs stores
//! the three values. Without it, an answer that says nothing of the first try (a refused key, a rate limit) reads as if
//! nothing had been done.

use std::time::Duration;

use thiserror::Error;

use crate::contract;
use crate::failure::CallError;
use crate::history::History;
use crate::secret::random_text;

/// The run of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Identifies the step's run: the same for a re-run, another for everything else.
    pub id: String,
    /// An idempotency key of the caller's own in place of the derived one.
    pub idempotency_key: Option<String>,
    /// How long the whole call may take. The manifest's limit holds as well.
    pub timeout: Option<Duration>,
    /// What is known of earlier tries. None for the first.
    pub history: Option<History>,
}

impl Invocation {
    /// The run of this id.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), idempotency_key: None, timeout: None, history: None }
    }

    /// A run that nothing else is. Keep the id to run the same step again.
    pub fn fresh() -> Result<Self, NoRandomness> {
        random_text(24).map(|text| Self::new(format!("run_{text}"))).ok_or(NoRandomness)
    }

    /// With an idempotency key of the caller's own.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// With a limit to the whole call.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With what is known of earlier tries. See the type: a re-run must have it.
    #[must_use]
    pub fn with_history(mut self, history: impl Into<Option<History>>) -> Self {
        self.history = history.into();
        self
    }

    /// The same run once more, after a try of it that failed.
    #[must_use]
    pub fn again_after(&self, failure: &CallError) -> Self {
        self.clone().with_history(failure.history())
    }

    /// What the guest gets, when the call may take so long from now on.
    pub(crate) fn for_guest(&self, left: Duration) -> contract::Invocation {
        contract::Invocation {
            id: self.id.clone(),
            idempotency_key: self.idempotency_key.clone(),
            timeout: Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1)),
            history: self.history.map(History::for_guest),
        }
    }
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const FIRST: Duration = Duration::from_millis(1_700_000_000_900);

    #[test]
    fn the_guest_is_told_of_earlier_tries_and_of_the_time_that_is_left() {
        let history = History::in_doubt_since(UNIX_EPOCH + FIRST);
        let run = Invocation::new("run_1").with_timeout(Duration::from_secs(30)).with_history(history);
        let told = run.for_guest(Duration::from_secs(29));
        assert_eq!((told.id.as_str(), told.timeout), ("run_1", Some(29_000)));
        let expected = contract::History { first_try: 1_700_000_000, tries: 1, in_doubt: true };
        assert_eq!(told.history, Some(expected));
        assert_eq!(Invocation::new("run_1").for_guest(FIRST).history, None, "a first try has none");
    }

    #[test]
    fn no_time_left_is_not_no_limit() {
        assert_eq!(Invocation::new("run_1").for_guest(Duration::ZERO).timeout, Some(1));
    }
}
