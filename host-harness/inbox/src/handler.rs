//! What is done with an event: the one thing that an embedder writes.

use std::pin::Pin;
use std::time::Duration;

use host::contract::Event;

/// One run to be done: an event and a trigger that it matches.
#[derive(Clone, Debug)]
pub struct Run {
    /// Identifies the run: the same for every try of it. What must not happen twice is kept from it by this key.
    pub key: String,
    /// The source that the event came from.
    pub source: String,
    /// The trigger.
    pub trigger: String,
    /// Which try it is; the first is 1.
    pub attempt: u32,
    /// Whether somebody asked for it to be done once more.
    pub replay: bool,
    /// The event, complete: what a thin one points at has been fetched.
    pub event: Event,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The run is done.
    Done,
    /// It failed, and may succeed later.
    Again {
        /// Why, in words that may be logged: no body, no secret.
        reason: String,
        /// How long the receiver asked to be left alone.
        after: Option<Duration>,
    },
    /// It failed, and no further try will change that.
    Dead {
        /// Why, in words that may be logged.
        reason: String,
    },
    /// It was not tried, and counts as if it had never been taken: whoever does such runs is going away.
    Back,
}

impl Verdict {
    /// It may succeed later.
    #[must_use]
    pub fn again(reason: impl Into<String>) -> Self {
        Self::Again { reason: reason.into(), after: None }
    }

    /// It never will.
    #[must_use]
    pub fn dead(reason: impl Into<String>) -> Self {
        Self::Dead { reason: reason.into() }
    }
}

/// A try that is under way.
pub type Handling<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Does runs.
///
/// It is called at least once for a run, and in rare cases (the process died after the work and before that was written
/// down) once more with the same key, so whatever it starts should know the key again.
pub trait Handler: Send + Sync {
    /// Does a run. It is dropped at any moment when it takes too long or somebody else has the run.
    fn handle<'a>(&'a self, run: &'a Run) -> Handling<'a>;

    /// How long a try may take; none for as long as it likes.
    fn longest(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }
}
