//! How far text within a string goes on as it is. Reading and writing strings spend their time here.

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = ONES << 7;

/// Where, from `at` on, the first quote, backslash or control character is; the length where there is none.
///
/// Eight bytes at a time: most of an answer is strings, and WebAssembly has 64-bit arithmetic.
pub fn end_of_plain(bytes: &[u8], at: usize) -> usize {
    end_of_plain_inlined(bytes, at)
}

/// The same for where a call costs more than the search.
#[inline(always)]
pub fn end_of_plain_inlined(bytes: &[u8], mut at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let hits = special(u64::from_le_bytes(*chunk));
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
        rest = after;
    }
    at + rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..b' ')).unwrap_or(rest.len())
}

/// The high bit of each byte that is special. Bits above the lowest may be wrong: subtraction carries.
fn special(word: u64) -> u64 {
    let zeros = |w: u64| w.wrapping_sub(ONES) & !w;
    let quotes = zeros(word ^ (ONES * b'"' as u64));
    let backslashes = zeros(word ^ (ONES * b'\\' as u64));
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (quotes | backslashes | controls) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_is_told_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = [b'a'; 20];
                text[place] = byte;
                let special = matches!(byte, b'"' | b'\\' | 0..=0x1f);
                assert_eq!(end_of_plain(&text, 0), if special { place } else { 20 }, "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'!'), Just(b'"'), Just(0x1f), Just(0x20), Just(0x80)], 0..40),
            from in 0usize..45,
        ) {
            let plain = text.iter().enumerate().skip(from).find(|(_, b)| matches!(**b, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(end_of_plain(&text, from), plain.map_or(text.len().max(from), |(i, _)| i));
        }
    }
}
