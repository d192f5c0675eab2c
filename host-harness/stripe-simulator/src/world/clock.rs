//! The time, as the API tells it.
//!
//! An operation sees the machine's clock, moved by the skew that was asked for; while it works on objects of a
//! test clock it sees that clock. Both are set for the thread by the account that carries the operation out,
//! which it does without awaiting anything.

use std::cell::Cell;

thread_local! {
    static SKEW: Cell<i64> = const { Cell::new(0) };
    static FROZEN: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    FROZEN.get().unwrap_or_else(|| machine().saturating_add(SKEW.get()))
}

/// What the machine's clock says.
pub(crate) fn machine() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

/// What the machine's clock says, in milliseconds.
pub(super) fn machine_milliseconds() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Moves the clock of this thread.
pub(super) fn set_skew(seconds: i64) {
    SKEW.set(seconds);
    FROZEN.set(None);
}

/// Stops the clock of this thread at a moment, or lets it go on; what it was before.
pub(crate) fn freeze(at: Option<i64>) -> Option<i64> {
    FROZEN.replace(at)
}
