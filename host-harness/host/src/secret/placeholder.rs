//! What a component gets in place of a secret: a text of the same length and shape, from which nothing but that shape can
//! be learned.
//!
//! The beginning that says what kind of secret it is (`sk_test_`) is kept, since connectors decide by it, and so is what is
//! neither a letter nor a digit, so that a connector can say what is wrong with a value that was pasted wrongly. Every
//! letter and digit after the beginning is a random one. Of the same length, so that putting the one in the place of the
//! other never moves what is around it.

use thiserror::Error;

/// No real secret is shorter, and a shorter one could not be told apart from other text in an answer.
const SHORTEST: usize = 6;
/// Servers and this host refuse longer headers.
const LONGEST: usize = 4096;
/// The longest beginning that is kept, in all and for each of its segments: `sk_org_live_`. More would be the secret.
const LONGEST_BEGINNING: usize = 12;
const LONGEST_SEGMENT: usize = 6;

/// Why a secret can have no placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unhidable {
    /// More than one line.
    #[error("has a line break inside: it is probably two values, or was cut when it was copied")]
    LineBreak,
    /// Not visible ASCII.
    #[error("has a character that cannot be sent: only visible ASCII can")]
    Unsendable,
    /// Too short to be told apart from other text.
    #[error("is too short: no secret has fewer than {SHORTEST} characters")]
    Short,
    /// Longer than a header may be.
    #[error("is too long: no secret has more than {LONGEST} characters")]
    Long,
    /// Nothing in it could be replaced.
    #[error("has no letter or digit after its beginning")]
    Shapeless,
    /// The system gives no random numbers.
    #[error("cannot be hidden: the system gives no random numbers")]
    NoRandomness,
}

/// A placeholder of this value.
pub(crate) fn placeholder(value: &str) -> Result<String, Unhidable> {
    if value.contains(['\n', '\r']) {
        return Err(Unhidable::LineBreak);
    }
    if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(Unhidable::Unsendable);
    }
    if value.len() < SHORTEST {
        return Err(Unhidable::Short);
    }
    if value.len() > LONGEST {
        return Err(Unhidable::Long);
    }
    let (beginning, rest) = value.split_at(beginning(value));
    if !rest.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Unhidable::Shapeless);
    }
    // One letter may come out as it was.
    for _ in 0..100 {
        let random = random_text(rest.len()).ok_or(Unhidable::NoRandomness)?;
        let letters = rest.chars().zip(random.chars());
        let tail: String =
            letters.map(|(real, random)| if real.is_ascii_alphanumeric() { random } else { real }).collect();
        if tail != rest {
            return Ok(format!("{beginning}{tail}"));
        }
    }
    Err(Unhidable::NoRandomness)
}

/// How much of a value says its kind: short segments of lower-case letters, each ended by `_`, with something after them.
fn beginning(value: &str) -> usize {
    let mut kept = 0;
    for (at, _) in value.match_indices('_') {
        let segment = value.get(kept..at).unwrap_or_default();
        let plain = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_lowercase());
        if !plain || segment.len() > LONGEST_SEGMENT || at + 1 > LONGEST_BEGINNING || at + 1 == value.len() {
            break;
        }
        kept = at + 1;
    }
    kept
}

/// So many random letters and digits; none where the system gives no randomness.
pub(crate) fn random_text(length: usize) -> Option<String> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).ok()?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map(|letter| char::from(*letter));
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_placeholder_keeps_the_kind_and_nothing_else() {
        for (value, kept) in [
            ("sk_test_51HostHarness", "sk_test_"),
            ("rk_live_abcdef", "rk_live_"),
            ("whsec_abc", "whsec_"),
            ("sk_org_live_a1", "sk_org_live_"),
            ("sk_test_mostlyallofit_x", "sk_test_"),
            ("sk_test_A_b", "sk_test_"),
            ("SK_test_abcdef", ""),
            ("_abcdef", ""),
            ("hunter2", ""),
        ] {
            let placeholder = placeholder(value).unwrap();
            assert_eq!(&value[..beginning(value)], kept, "{value}");
            assert!(placeholder.starts_with(kept), "{placeholder}");
            assert_ne!(placeholder, value);
        }
    }

    #[test]
    fn what_is_wrong_with_a_pasted_value_can_still_be_seen() {
        for (value, shape) in [
            ("sk_test_51 abc", "sk_test_xx xxx"),
            ("sk_test_****1234", "sk_test_****xxxx"),
            ("sk_test_a-b\"c'd", "sk_test_x-x\"x'x"),
            ("sk_test_A_b", "sk_test_x_x"),
        ] {
            let hidden = placeholder(value).unwrap();
            for (letter, expected) in hidden.chars().zip(shape.chars()) {
                assert!(letter == expected || expected == 'x' && letter.is_ascii_alphanumeric(), "{hidden}");
            }
        }
    }

    #[test]
    fn what_cannot_be_hidden_is_refused_by_what_is_wrong_with_it() {
        for (value, reason) in [
            ("sk_test_51\nsk_test_52", Unhidable::LineBreak),
            ("sk_test_51\r\nX-Evil: 1", Unhidable::LineBreak),
            ("sk_test_ä", Unhidable::Unsendable),
            ("sk_test_a\tb", Unhidable::Unsendable),
            ("sk_test_a\u{7f}", Unhidable::Unsendable),
            ("", Unhidable::Short),
            ("sk_t1", Unhidable::Short),
            ("------", Unhidable::Shapeless),
            ("sk_test_----", Unhidable::Shapeless),
        ] {
            assert_eq!(placeholder(value), Err(reason), "{value:?}");
        }
        assert_eq!(placeholder(&"a".repeat(LONGEST + 1)), Err(Unhidable::Long));
        for reason in [Unhidable::LineBreak, Unhidable::Unsendable, Unhidable::Short, Unhidable::Shapeless] {
            assert!(!reason.to_string().contains("51"));
        }
    }

    proptest! {
        #[test]
        fn a_placeholder_has_the_length_and_never_the_value(value in "[ -~]{6,80}") {
            if let Ok(hidden) = placeholder(&value) {
                prop_assert_eq!(hidden.len(), value.len());
                prop_assert_ne!(&hidden, &value);
                let again = placeholder(&value).unwrap();
                let letters = value[beginning(&value)..].bytes().filter(u8::is_ascii_alphanumeric).count();
                prop_assert!(letters < 8 || again != hidden);
            }
        }
    }
}
