//! The key of a run: what makes doing it twice the same as doing it once.

use std::fmt;

use sha2::{Digest, Sha256};

/// Names a run, for good and everywhere: it is made from what the run is for (source, event, trigger, and which replay), so
/// that the same delivery has the same key in a database that was emptied or restored. Handed on as an invocation's id or as an
/// `Idempotency-Key`, it makes a second attempt harmless.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(String);

impl RunKey {
    /// The key of the run that `trigger` starts for an event; `replay` counts the further ones that somebody asked for, 0 for
    /// the first.
    #[must_use]
    pub fn of(source: &str, event_id: &str, trigger: &str, replay: u32) -> Self {
        let mut hash = Sha256::new();
        for part in [source, event_id, trigger] {
            // With its length, so that two ways to cut the same text are two keys.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(replay.to_be_bytes());
        let mut key = String::with_capacity(36);
        key.push_str("run_");
        for byte in hash.finalize().iter().take(16) {
            for half in [byte >> 4, byte & 15] {
                key.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
        }
        Self(key)
    }

    /// A key that somebody typed or that was stored.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As text: `run_` and 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The lane of a run whose object is given: runs of one lane are done one after the other. Two objects that share one by chance
/// wait for each other and lose nothing else.
pub(crate) fn lane(source: &str, trigger: &str, object: Option<&str>) -> Option<i64> {
    let mut hash = Sha256::new();
    for part in [source, trigger, object?] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().first_chunk().map(|first| i64::from_be_bytes(*first))
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_the_same_for_good() {
        let key = RunKey::of("/acct", "evt_1", "customer.created", 0);
        assert_eq!(key.as_str(), "run_d6628624ef7467149d60eb80997bf72c");
    }

    #[test]
    fn every_part_makes_another_key() {
        let parts =
            [("a", "b", "c", 0), ("ab", "", "c", 0), ("a", "bc", "", 0), ("a", "b", "c", 1), ("b", "b", "c", 0)];
        let mut keys: Vec<_> = parts.iter().map(|(s, e, t, n)| RunKey::of(s, e, t, *n)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), parts.len());
    }
}
