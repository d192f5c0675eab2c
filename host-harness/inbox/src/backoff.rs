//! When a run that failed is tried again, and when it is given up.

use std::time::Duration;

/// How often a run is tried, and how long it waits between tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// So many tries; after the last the run is a dead letter.
    pub tries: u32,
    /// The longest that the first wait can be; each further one is twice the one before.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

/// Twenty tries in about a day and a half: an evening's outage and a deployment that went wrong at night are over by then.
impl Default for Backoff {
    fn default() -> Self {
        Self { tries: 20, first: Duration::from_secs(1), longest: Duration::from_secs(6 * 3600) }
    }
}

/// A receiver may ask for a longer wait than any of ours, and for no longer than this.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

impl Backoff {
    /// The wait after this try, the first being 1; none where it was the last. `asked` is how long the receiver asked to
    /// be left alone.
    #[must_use]
    pub fn after(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        if attempt >= self.tries {
            return None;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let most = self.first.saturating_mul(doubled).min(self.longest);
        // Between a half of it and all of it: what failed together does not come back together.
        let wait = most.mul_f64(0.5 + fastrand::f64() / 2.0);
        Some(wait.max(asked.unwrap_or_default().min(LONGEST_ASKED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_the_longest_and_end_after_the_last_try() {
        let backoff = Backoff { tries: 8, first: SECOND, longest: SECOND * 10 };
        for (attempt, most) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (7, 10)] {
            for _ in 0..50 {
                let wait = backoff.after(attempt, None).unwrap();
                assert!(wait >= SECOND * most / 2 && wait <= SECOND * most, "{attempt}: {wait:?}");
            }
        }
        assert_eq!(backoff.after(8, None), None);
        assert_eq!(
            Backoff { tries: u32::MAX, ..backoff }.after(u32::MAX - 1, None).map(|w| w <= SECOND * 10),
            Some(true)
        );
    }

    #[test]
    fn waits_are_spread() {
        let waits: std::collections::HashSet<_> = (0..50).filter_map(|_| Backoff::default().after(5, None)).collect();
        assert!(waits.len() > 25, "{waits:?}");
    }

    #[test]
    fn who_asks_for_a_longer_wait_gets_it_and_not_for_ever() {
        let backoff = Backoff::default();
        assert_eq!(backoff.after(1, Some(SECOND * 90)), Some(SECOND * 90));
        assert_eq!(backoff.after(1, Some(Duration::MAX)), Some(LONGEST_ASKED));
        assert_eq!(backoff.after(20, Some(SECOND)), None, "the last try is the last");
    }
}
