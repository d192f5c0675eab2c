//! A short number that stands for a text: to tell a damaged text from a whole one, and to remember that one was seen.
//!
//! It guards against accidents only. Whoever wants two texts of one fingerprint can make them.

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The fingerprint. Texts that differ within one run of eight bytes never share theirs; others do by a chance of
/// one in 2⁶⁴.
pub fn fingerprint(text: &str) -> u64 {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let start = text.len() as u64;
    let hash = chunks.iter().chain(std::iter::once(&last)).fold(start, |hash, chunk| {
        // Each step can be undone, so what has come to differ stays so.
        let mixed = (hash ^ u64::from_le_bytes(*chunk)).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 29)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(FACTOR);
    hash ^ (hash >> 32)
}

/// The same in 16 hexadecimal digits.
pub fn written(text: &str) -> String {
    format!("{:016x}", fingerprint(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hundred_thousand_ids_have_as_many_fingerprints() {
        let all: BTreeSet<u64> = (0..100_000).map(|i| fingerprint(&format!("evt_1Pabc{i:015}"))).collect();
        assert_eq!(all.len(), 100_000);
    }

    #[test]
    fn an_end_of_nul_bytes_counts() {
        let all: BTreeSet<String> = (0..20).map(|i| written(&"\0".repeat(i))).collect();
        assert_eq!(all.len(), 20);
    }

    proptest! {
        #[test]
        fn one_changed_byte_changes_it(text in "[ -~]{1,60}", at in any::<prop::sample::Index>(), other in "[ -~]") {
            let at = at.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(fingerprint(&text) == fingerprint(&changed), text == changed);
        }
    }
}
