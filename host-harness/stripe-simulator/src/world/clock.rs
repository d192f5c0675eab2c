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
    machine_milliseconds() / 1000
}

fn machine_milliseconds() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds since 1970 on the simulator's clock, whatever a test clock says.
pub(crate) fn moment() -> i64 {
    moment_with(SKEW.get())
}

/// Like [`moment`], for who is not at work in an account: the skew in seconds comes with the call.
pub(super) fn moment_with(skew: i64) -> i64 {
    machine_milliseconds().saturating_add(skew.saturating_mul(1000))
}

/// [`now`] in milliseconds.
pub(super) fn milliseconds() -> i64 {
    FROZEN.get().map_or_else(moment, |frozen| frozen.saturating_mul(1000))
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
