//! What a platform knows of the earlier tries of a run.
//!
//! What lives here: the three values, as a platform holds them. What does not: how they come about (`report`) and how they
//! are passed on (`invocation`).

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::contract;

/// What a platform knows of the earlier tries of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// When the first try began; in seconds since 1970 when serialised.
    #[serde(serialize_with = "unix_seconds")]
    pub first_try: SystemTime,
    /// How many tries there were so far.
    pub tries: u32,
    /// Whether one of them ended with the outcome `unknown`, or never told how it ended (a crash): it may have been done.
    pub in_doubt: bool,
}

impl History {
    /// One earlier try that may have been done: its answer was lost, or the platform stopped before it came.
    #[must_use]
    pub fn in_doubt_since(first_try: SystemTime) -> Self {
        Self { first_try, tries: 1, in_doubt: true }
    }

    pub(crate) fn for_guest(self) -> contract::History {
        contract::History { first_try: seconds(self.first_try), tries: self.tries, in_doubt: self.in_doubt }
    }
}

/// Seconds since 1970. Whole seconds, rounded down: a key is rather known for a moment less than for a moment more.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(crate) fn unix_seconds<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(seconds(*time))
}
