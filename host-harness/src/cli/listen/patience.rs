//! How long the program is waited for, and when it is started again.

use std::time::Duration;

/// Times and counts of the supervision.
#[derive(Clone, Copy)]
pub struct Patience {
    /// So long it may take to say its secret. It asks the API first, which takes seconds at worst.
    pub ready: Duration,
    /// So often it is tried before it was ever ready. Afterwards it is started again for as long as we run.
    pub tries: u32,
    /// The pause before it is started again; each is twice the one before.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// Who has listened for so long begins with the shortest pause again.
    pub steady: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(20),
            tries: 3,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            steady: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// The pause after so many lives in a row that ended soon.
    pub fn pause(&self, short_lives: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << short_lives.saturating_sub(1).min(16));
        doubled.min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let patience = Patience::default();
        let pauses: Vec<_> = [1, 2, 3, 7, u32::MAX].iter().map(|lives| patience.pause(*lives).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 30_000, 30_000]);
    }
}
