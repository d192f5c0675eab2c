//! A quick look whether any of some texts can be in what passes by. It looks at a few places only, and where it finds
//! nothing there is nothing.

use zeroize::Zeroizing;

/// So many bytes are looked at together.
const GRAM: usize = size_of::<u64>();

/// Marks that tell most grams apart, as a power of two.
const MARKS: u32 = 14;

/// Every eight bytes in a row of the texts that are looked for.
pub(super) struct Grams {
    /// In ascending order.
    all: Zeroizing<Vec<u64>>,
    /// A bit for each, by its mark.
    marks: Zeroizing<Vec<u64>>,
    /// Of so many places in a row, each of the texts has eight bytes at one, wherever it is.
    step: usize,
}

/// The word and the bit of a gram's mark.
fn mark(gram: u64) -> (usize, u64) {
    // Fibonacci's: the highest bits depend on all others.
    let mark = gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - MARKS);
    (usize::try_from(mark >> 6).unwrap_or_default(), 1 << (mark & 63))
}

impl Grams {
    /// Those of these texts; none where one is too short for a quick look.
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t [u8]> + Clone) -> Option<Self> {
        let shortest = texts.clone().map(<[u8]>::len).min()?;
        let step = shortest.checked_sub(GRAM - 1).filter(|step| *step > 0)?;
        let grams = texts.flat_map(|text| text.array_windows().map(|gram| u64::from_le_bytes(*gram)));
        let mut all: Zeroizing<Vec<u64>> = Zeroizing::new(grams.collect());
        all.sort_unstable();
        let mut marks = Zeroizing::new(vec![0; 1 << (MARKS - 6)]);
        for gram in all.iter() {
            let (word, bit) = mark(*gram);
            if let Some(word) = marks.get_mut(word) {
                *word |= bit;
            }
        }
        Some(Self { all, marks, step })
    }

    /// Whether one of the texts may be in these bytes. Where it says no, none is.
    pub(super) fn may_be_in(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some(gram) = rest.first_chunk::<GRAM>() {
            let gram = u64::from_le_bytes(*gram);
            let (word, bit) = mark(gram);
            let marked = self.marks.get(word).is_some_and(|word| word & bit != 0);
            if marked && self.all.binary_search(&gram).is_ok() {
                return true;
            }
            rest = rest.get(self.step..).unwrap_or_default();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_texts_are_not_for_a_quick_look() {
        let of = |texts: &[&str]| Grams::of(texts.iter().map(|text| text.as_bytes())).is_some();
        assert!(!of(&[]) && !of(&["seven77"]) && !of(&["long enough", ""]));
        assert!(of(&["eight888"]) && of(&["long enough", "eight888"]));
    }

    #[test]
    fn what_has_nothing_of_them_is_told() {
        let grams = Grams::of([&b"c2tfdGVzdF94eHh4"[..]].into_iter()).unwrap();
        assert!(grams.may_be_in(b"Bearer c2tfdGVzdF94eHh4"));
        assert!(!grams.may_be_in(b"{\"object\": \"customer\"}") && !grams.may_be_in(b"c2tfdGV"));
    }

    proptest! {
        #[test]
        fn whatever_is_there_is_never_missed(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 8..40), 1..5),
            which in any::<prop::sample::Index>(),
            before in proptest::collection::vec(any::<u8>(), 0..60),
            after in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let grams = Grams::of(texts.iter().map(Vec::as_slice)).unwrap();
            let whole = [&before, which.get(&texts), &after].map(Vec::as_slice).concat();
            prop_assert!(grams.may_be_in(&whole));
        }
    }
}
