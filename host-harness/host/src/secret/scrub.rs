//! Taking secrets out of what comes from outside: out of an answer, frame by frame, where the placeholder takes a secret's
//! place and no length changes; and out of a text that is shown, where `(secret)` does.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::{memchr2, memchr3, memmem};

use super::forms::{self, Encoded, Found};
use super::grams::Grams;
use super::value::Secret;

/// What stands in a text that is shown.
const SHOWN: &str = "(secret)";

/// A secret, its placeholder of the same length, and their encoded forms.
struct Word {
    secret: Secret,
    placeholder: String,
    encoded: Vec<Encoded>,
}

/// The secrets of a connection. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Scrubber {
    words: Arc<[Word]>,
    /// Tells most texts that have no secret, neither as it is nor encoded. None where one is too short for that.
    grams: Option<Arc<Grams>>,
    /// The most bytes that a form of one of them has.
    longest: usize,
}

impl Scrubber {
    /// Takes these out: each a secret, and a placeholder of its length.
    pub(crate) fn new(words: impl IntoIterator<Item = (Secret, String)>) -> Self {
        let word = |(secret, placeholder): (Secret, String)| {
            let encoded = forms::encoded(secret.expose().as_bytes(), placeholder.as_bytes());
            Word { secret, placeholder, encoded }
        };
        let words: Arc<[Word]> = words.into_iter().map(word).collect();
        // Every letter written as `\u005f`.
        let longest = words.iter().map(|word| word.secret.expose().len() * 6).max().unwrap_or_default();
        let plain = words.iter().map(|word| word.secret.expose().as_bytes());
        let encoded = words.iter().flat_map(|word| &word.encoded).map(|form| form.needle.as_slice());
        let grams = Grams::of(plain.chain(encoded)).map(Arc::new);
        Self { words, grams, longest }
    }

    /// Whether there is nothing to take out.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a secret, in some form, is in these bytes.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        let may_be_in = self.grams.as_ref().is_none_or(|grams| grams.may_be_in(bytes));
        // Without a quick look's hit, a secret can only be there with letters escaped.
        if !may_be_in && memchr2(b'%', b'\\', bytes).is_none() {
            return false;
        }
        let mut forms = self.words.iter().flat_map(|word| &word.encoded);
        self.words.iter().any(|word| word.next(bytes, 0).is_some())
            || may_be_in && forms.any(|form| position(bytes, 0, &form.needle).is_some())
    }

    /// Whether a secret is in a name, whose letters may have lost their case.
    pub(crate) fn finds_in_any_case(&self, name: &str) -> bool {
        let has = |secret: &str| {
            name.len() >= secret.len()
                && memmem::find(name.as_bytes(), secret.to_ascii_lowercase().as_bytes()).is_some()
        };
        self.words.iter().any(|word| has(word.secret.expose()))
    }

    /// Writes the placeholder over every secret. Returns whether there was one.
    pub(crate) fn overwrite(&self, bytes: &mut [u8]) -> bool {
        let mut any = false;
        for word in self.words.iter() {
            let mut place = 0;
            while let Some((start, end)) = word.next(bytes, place) {
                let (secret, placeholder) = (word.secret.expose().as_bytes(), word.placeholder.as_bytes());
                forms::overwrite(bytes, start, secret, placeholder);
                (place, any) = (end, true);
            }
            for form in &word.encoded {
                let mut place = 0;
                while let Some(found) = position(bytes, place, &form.needle) {
                    let (start, end) = (found, found + form.needle.len());
                    if let Some(there) = bytes.get_mut(start..end) {
                        there.copy_from_slice(&form.by);
                    }
                    (place, any) = (end, true);
                }
            }
        }
        any
    }

    /// Puts `(secret)` in the place of every secret.
    pub(crate) fn hide(&self, text: &mut String) {
        if !self.finds(text.as_bytes()) {
            return;
        }
        for word in self.words.iter() {
            replace(text, |bytes, place| word.next(bytes, place));
            for form in &word.encoded {
                replace(text, |bytes, place| {
                    let start = position(bytes, place, &form.needle)?;
                    Some((start, start + form.needle.len()))
                });
            }
        }
    }

    /// Where a secret may begin whose end is not there yet.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let first = bytes.len().saturating_sub(self.longest);
        let rest = |place: usize| bytes.get(place..).unwrap_or_default();
        let may_begin = |place: &usize| {
            self.words.iter().any(|word| {
                forms::at(bytes, *place, word.secret.expose().as_bytes()) == Found::Cut
                    || word.encoded.iter().any(|form| form.needle.starts_with(rest(*place)))
            })
        };
        (first..bytes.len()).find(may_begin).unwrap_or(bytes.len())
    }
}

impl Word {
    /// The next place, from this one on, where the secret is as it is or with escaped letters.
    fn next(&self, bytes: &[u8], mut place: usize) -> Option<(usize, usize)> {
        let secret = self.secret.expose().as_bytes();
        let first = *secret.first()?;
        if bytes.len() < secret.len() {
            return None;
        }
        loop {
            let start = place + memchr3(first, b'%', b'\\', bytes.get(place..)?)?;
            match forms::at(bytes, start, secret) {
                Found::Until(end) => return Some((start, end)),
                Found::Nothing | Found::Cut => place = start + 1,
            }
        }
    }
}

/// Where these bytes are, from this place on. Most texts of a result are shorter than what is looked for.
fn position(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..).filter(|rest| rest.len() >= needle.len())?;
    Some(from + memmem::find(rest, needle)?)
}

/// Replaces what `next` finds. What it finds is ASCII, so a text stays one.
fn replace(text: &mut String, next: impl Fn(&[u8], usize) -> Option<(usize, usize)>) {
    let (mut out, mut place) = (String::new(), 0);
    while let Some((start, end)) = next(text.as_bytes(), place) {
        out.push_str(text.get(place..start).unwrap_or_default());
        out.push_str(SHOWN);
        place = end;
    }
    if place > 0 {
        out.push_str(text.get(place..).unwrap_or_default());
        *text = out;
    }
}

/// An answer's bytes on their way to the component: what may be the beginning of a secret waits for what follows it.
pub(crate) struct Held {
    scrubber: Scrubber,
    waiting: BytesMut,
}

impl Held {
    pub(crate) fn new(scrubber: Scrubber) -> Self {
        Self { scrubber, waiting: BytesMut::new() }
    }

    /// What can go on once these bytes have come; `last` says that no more will.
    pub(crate) fn pass(&mut self, frame: Bytes, last: bool) -> Bytes {
        let mut whole = if self.waiting.is_empty() {
            if !self.scrubber.finds(&frame) {
                let keep = if last { frame.len() } else { self.scrubber.undecided(&frame) };
                let mut frame = frame;
                self.waiting.extend_from_slice(&frame.split_off(keep));
                return frame;
            }
            BytesMut::from(frame)
        } else {
            self.waiting.extend_from_slice(&frame);
            std::mem::take(&mut self.waiting)
        };
        self.scrubber.overwrite(&mut whole);
        let keep = if last { whole.len() } else { self.scrubber.undecided(&whole) };
        self.waiting = whole.split_off(keep);
        whole.freeze()
    }

    /// What waited for more, and no more came.
    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.waiting).freeze()
    }

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "sk_test_51Real";
    const PLACEHOLDER: &str = "sk_test_xxxxxx";

    fn scrubber() -> Scrubber {
        Scrubber::new([(Secret::new(SECRET.to_owned()), PLACEHOLDER.to_owned())])
    }

    fn passed(parts: &[&[u8]]) -> Vec<u8> {
        let mut held = Held::new(scrubber());
        let mut out = Vec::new();
        parts.iter().for_each(|part| out.extend_from_slice(&held.pass(Bytes::copy_from_slice(part), false)));
        out.extend_from_slice(&held.rest());
        out
    }

    /// `Basic` credentials of it, and it alone.
    const BASE64: [&str; 2] = ["dXNlcjpza190ZXN0XzUxUmVhbA==", "c2tfdGVzdF81MVJlYWw="];
    const HEX: &str = "736b5f746573745f35315265616c";

    #[test]
    fn every_form_is_taken_out() {
        for text in [SECRET, "sk%5Ftest%5f51Real", "sk\\u005ftest_51Rea\\u006C", BASE64[0], BASE64[1], HEX] {
            let whole = format!("before {text} after {text}");
            let out = passed(&[whole.as_bytes()]);
            assert_eq!(out.len(), whole.len());
            assert!(!scrubber().finds(&out), "{}", String::from_utf8_lossy(&out));
            let mut shown = whole.clone();
            scrubber().hide(&mut shown);
            assert!(!scrubber().finds(shown.as_bytes()) && shown.matches(SHOWN).count() == 2, "{shown}");
        }
    }

    #[test]
    fn other_text_is_left_alone_and_nothing_of_it_waits() {
        let mut held = Held::new(scrubber());
        let text = Bytes::from_static(b"{\"a\":\"sk_test_51Reap %5f \\u0073 \xff\"}");
        assert_eq!(held.pass(text.clone(), false), text);
        assert_eq!(held.len(), 0);
    }

    #[test]
    fn the_placeholder_takes_the_place_of_the_same_length() {
        assert_eq!(passed(&[b"key=sk_test_51Real;"]), b"key=sk_test_xxxxxx;");
        assert_eq!(passed(&[b"key=sk%5Ftest_51Real;"]), b"key=sk%5ftest_xxxxxx;");
    }

    #[test]
    fn nothing_to_take_out_changes_nothing() {
        let mut held = Held::new(Scrubber::default());
        assert_eq!(held.pass(Bytes::from_static(b"sk_test"), false), "sk_test");
        let mut text = SECRET.to_owned();
        Scrubber::default().hide(&mut text);
        assert_eq!(text, SECRET);
    }

    #[test]
    fn a_body_of_nothing_but_secrets_takes_no_longer_than_its_length() {
        let mut body = SECRET.repeat(200_000).into_bytes();
        assert!(scrubber().overwrite(&mut body));
        assert_eq!(body, PLACEHOLDER.repeat(200_000).into_bytes());
    }

    proptest! {
        #[test]
        fn cut_anywhere_it_is_the_same(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(SECRET.to_owned()),
                    Just("sk%5Ftest%5f51Rea%6c".to_owned()),
                    Just("\\u0073k_test_51Real".to_owned()),
                    Just(BASE64[0].to_owned()),
                    Just(BASE64[1].to_owned()),
                    Just(HEX.to_owned()),
                    "[sk_te51Ral%\\\\u05f ]{0,12}",
                ],
                0..8,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let whole = parts.concat();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            places.extend([0, whole.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &whole.as_bytes()[pair[0]..pair[1]]).collect();
            let out = passed(&pieces);
            prop_assert!(!scrubber().finds(&out), "{}", String::from_utf8_lossy(&out));
            prop_assert_eq!(out.len(), whole.len());
        }
    }
}
