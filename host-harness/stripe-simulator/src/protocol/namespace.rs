//! What the two halves of the API do differently whatever the operation: `/v1` and `/v2`.
//!
//! Which operations there are in each, and what those do, is not here.

const DAY: i64 = 86_400;

/// The first segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    V1,
    V2,
}

impl Namespace {
    /// The namespace of a path; what is in neither is answered as v1 answers.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/v2/") { Self::V2 } else { Self::V1 }
    }

    /// Whether requests of this method are executed once for an idempotency key.
    pub(super) fn takes_keys(self, method: &str) -> bool {
        method == "POST" || (self == Self::V2 && method == "DELETE")
    }

    /// How long an answer is kept for its key, in seconds. v1 promises "at least".
    pub(super) fn keeps_for(self) -> i64 {
        match self {
            Self::V1 => DAY,
            Self::V2 => 30 * DAY,
        }
    }

    /// Whether an error is given again for its key. v2 tries what failed anew.
    pub(super) fn repeats_errors(self) -> bool {
        self == Self::V1
    }
}
