//! How a secret looks in what others write: as it is, with some of its letters escaped as URLs and JSON have it, in
//! base64 at any of the three places that it can begin at, and in hexadecimal.
//!
//! Each form has the same length as the same form of a placeholder of the same length. A server that means to smuggle a
//! secret to a component can invent other forms; but such a server has the secret already.

use zeroize::Zeroizing;

/// One encoded form of a secret, and what takes its place.
pub(super) struct Encoded {
    pub(super) needle: Zeroizing<Vec<u8>>,
    pub(super) by: Vec<u8>,
}

/// The forms that have a fixed text: base64 in both alphabets, hexadecimal in both cases.
pub(super) fn encoded(secret: &[u8], placeholder: &[u8]) -> Vec<Encoded> {
    let mut forms: Vec<Encoded> = Vec::new();
    let mut add = |needle: Zeroizing<Vec<u8>>, by: Zeroizing<Vec<u8>>| {
        if !forms.iter().any(|form| form.needle == needle) {
            forms.push(Encoded { needle, by: by.to_vec() });
        }
    };
    for alphabet in [STANDARD, URL_SAFE] {
        for before in 0..3 {
            add(base64(secret, before, alphabet), base64(placeholder, before, alphabet));
        }
    }
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        add(hex(secret, digits), hex(placeholder, digits));
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A base64 text, with its padding.
pub(crate) fn base64_text(bytes: &[u8]) -> String {
    let missing = (3 - bytes.len() % 3) % 3;
    let ended: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.iter().copied().chain(std::iter::repeat_n(0, missing)).collect());
    let letters = base64(&ended, 0, STANDARD);
    let kept = letters.iter().map(|letter| char::from(*letter)).take((bytes.len() * 8).div_ceil(6));
    kept.chain(std::iter::repeat_n('=', missing)).collect()
}

/// The letters of a base64 text that come from these bytes alone, where so many others (of every three) are before them.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Zeroizing<Vec<u8>> {
    let (mut kept, mut bits, mut letters) = (0_u32, 0_u32, Zeroizing::new(Vec::with_capacity(bytes.len() * 4 / 3 + 4)));
    // The first letter that has no bit of what is before.
    let first = (before * 8).div_ceil(6);
    for byte in std::iter::repeat_n(&0, before).chain(bytes) {
        kept = kept << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            letters.extend(usize::try_from(kept >> bits & 63).ok().and_then(|index| alphabet.get(index)));
        }
    }
    Zeroizing::new(letters.get(first..).unwrap_or_default().to_vec())
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let digit = |value: u8| digits.get(usize::from(value)).copied().unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
    bytes.iter().for_each(|byte| text.extend([digit(byte >> 4), digit(byte & 15)]));
    text
}

/// What a place in a text is, held against the letters of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Something else.
    Nothing,
    /// The secret, up to here.
    Until(usize),
    /// It may be the secret: the text ends before that is decided.
    Cut,
}

/// Whether the secret, some letters of it escaped perhaps, is at this place.
pub(super) fn at(text: &[u8], from: usize, secret: &[u8]) -> Found {
    let mut place = from;
    for wanted in secret {
        match letter(text, place, *wanted) {
            Letter::Is(length) => place += length,
            Letter::Other => return Found::Nothing,
            Letter::Cut => return Found::Cut,
        }
    }
    Found::Until(place)
}

/// Writes the placeholder over the secret that was found here, each letter escaped as the secret's was.
pub(super) fn overwrite(text: &mut [u8], from: usize, secret: &[u8], placeholder: &[u8]) {
    let mut place = from;
    for (wanted, other) in secret.iter().zip(placeholder) {
        let Letter::Is(length) = letter(text, place, *wanted) else { return };
        match (length, text.get_mut(place..place + length)) {
            (1, Some([only])) => *only = *other,
            // A backslash and the letter itself: neither a letter nor a digit, so it is the placeholder's as well.
            (3.., Some([.., high, low])) => {
                let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
                (*high, *low) = (digit(other >> 4), digit(other & 15));
            }
            _ => {}
        }
        place += length;
    }
}

enum Letter {
    Is(usize),
    Other,
    Cut,
}

/// Whether this letter is here: as it is, `%5F`, `\u005f`, or after a backslash.
fn letter(text: &[u8], place: usize, wanted: u8) -> Letter {
    let rest = text.get(place..).unwrap_or_default();
    let code = |digits: &[u8]| {
        let text = std::str::from_utf8(digits).ok()?;
        u32::from_str_radix(text, 16).ok().filter(|_| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let is = |code: Option<u32>, length: usize| {
        if code == Some(u32::from(wanted)) { Letter::Is(length) } else { Letter::Other }
    };
    match rest {
        [] => Letter::Cut,
        [first, ..] if *first == wanted => Letter::Is(1),
        [b'%', high, low, ..] => is(code(&[*high, *low]), 3),
        [b'%', ..] => Letter::Cut,
        [b'\\', b'u', a, b, c, d, ..] => is(code(&[*a, *b, *c, *d]), 6),
        [b'\\'] | [b'\\', b'u', ..] => Letter::Cut,
        [b'\\', second, ..] if *second == wanted && !wanted.is_ascii_alphanumeric() => Letter::Is(2),
        _ => Letter::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escaped_letters_are_the_letters() {
        let secret = b"sk_\"a/b";
        for text in [
            &br#"sk_"a/b"#[..],
            br#"sk_\"a\/b"#,
            br"sk%5f%22a%2Fb",
            br#"\u0073\u006b\u005F"a/b"#,
            br"%73%6B%5F%22%61%2f%62",
        ] {
            assert_eq!(at(text, 0, secret), Found::Until(text.len()), "{}", String::from_utf8_lossy(text));
            for length in 0..text.len() {
                assert_eq!(at(&text[..length], 0, secret), Found::Cut, "{length}");
            }
            let mut written = text.to_vec();
            overwrite(&mut written, 0, secret, b"sk_\"x/y");
            assert_eq!(at(&written, 0, b"sk_\"x/y"), Found::Until(text.len()), "{}", String::from_utf8_lossy(&written));
            assert_eq!(at(&written, 0, secret), Found::Nothing);
        }
        for text in [&b"sk_a"[..], b"sk%+5", b"sk%5", b"sk\\u+05f", b"s\\k_"] {
            assert_ne!(at(text, 0, secret), Found::Until(text.len()), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn base64_is_what_everybody_makes() {
        assert_eq!(&**base64(b"sk_test_abc", 0, STANDARD), b"c2tfdGVzdF9hYm");
        // What `user:sk_test_abc` is as a Basic credential.
        let credential = "dXNlcjpza190ZXN0X2FiYw==";
        assert!(credential.contains(str::from_utf8(&base64(b"sk_test_abc", 2, STANDARD)).unwrap()));
    }

    proptest! {
        #[test]
        fn a_secret_within_base64_is_found_wherever_it_begins(
            before in prop::collection::vec(any::<u8>(), 0..9),
            secret in "[!-~]{6,40}",
            after in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let whole = [before.as_slice(), secret.as_bytes(), after.as_slice()].concat();
            for alphabet in [STANDARD, URL_SAFE] {
                let text = base64(&whole, 0, alphabet);
                let forms = encoded(secret.as_bytes(), secret.as_bytes());
                prop_assert!(forms.iter().any(|form| text.windows(form.needle.len()).any(|part| part == &**form.needle)));
            }
        }

        #[test]
        fn forms_of_one_length_have_one_length(secret in "[!-~]{6,40}", seed in any::<u8>()) {
            let other = vec![seed; secret.len()];
            for form in encoded(secret.as_bytes(), &other) {
                prop_assert_eq!(form.needle.len(), form.by.len());
            }
        }
    }
}
