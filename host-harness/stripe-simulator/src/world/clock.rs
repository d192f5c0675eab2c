//! The time, as the API tells it.

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}
