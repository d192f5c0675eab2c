//! A moment, as the stores write it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, UTC. Only the caller reads the clock: what a store decides by time it decides by a moment that
/// it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// What the machine's clock says.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_millis(millis(since))
    }

    /// So many milliseconds after 1970 began. Far beyond what a calendar knows, it is cut, so that adding cannot overflow.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        const FAR: i64 = i64::MAX / 8;
        match millis {
            ..0 => Self(0),
            FAR.. => Self(FAR),
            millis => Self(millis),
        }
    }

    /// So many seconds after 1970 began.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self::from_unix_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` it is; nothing when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self::from_unix_millis(self.0.saturating_add(millis(span)))
    }
}

/// A span in milliseconds, at most a thousand years.
pub(crate) fn millis(span: Duration) -> i64 {
    const LONGEST: i64 = 1000 * 366 * 24 * 3600 * 1000;
    i64::try_from(span.as_millis()).map_or(LONGEST, |millis| millis.min(LONGEST))
}
