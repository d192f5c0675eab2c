//! One pass over a text: is it JSON (RFC 8259), and where is what in it?
//!
//! Strict: UTF-8 without a byte order mark, one value and nothing behind it, no lone surrogates in escapes, numbers that
//! are finite as 64-bit floats, and a bounded depth. What passes here, every reader of JSON reads alike, but for
//! members of the same name in one object ([`Node::get`] finds the first; [`super::repeated_member`] finds the second).

use super::escape::code_point;
use super::node::Node;
use super::number;
use super::plain::{end_of_plain, end_of_plain_inlined};
use super::tape::{Name, Tape};

/// How deep objects and arrays may be within each other. Stripe expands at most four levels, and its deepest answers are
/// about 20 deep: this is three times that, and readers that recurse still have stack for it.
const DEPTH: u32 = 64;

/// How many digits a number without an exponent has whose size needs no thought.
const SURELY_FINITE: usize = 300;

/// A text that is JSON, and where everything in it is.
#[derive(Debug)]
pub struct Doc<'a> {
    text: &'a str,
    tape: Tape,
}

impl<'a> Doc<'a> {
    /// Checks a text and notes its places.
    ///
    /// # Errors
    /// Why it is not JSON, or not of a size that is read.
    pub fn scan(text: &'a [u8]) -> Result<Self, ScanError> {
        match str::from_utf8(text) {
            Ok(text) => Self::scan_str(text),
            Err(error) => Err(Fault::Utf8.at(error.valid_up_to())),
        }
    }

    /// The same for a text that is known to be UTF-8.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub fn scan_str(text: &'a str) -> Result<Self, ScanError> {
        Ok(Self { text, tape: tape(text)? })
    }

    /// The value.
    pub fn root(&self) -> Node<'_, 'a> {
        Node::root(self.text, self.tape.places())
    }
}

/// The same as a [`Doc`], with its text its own: an answer that is scanned where it comes in and looked at later.
#[derive(Debug)]
pub struct Scanned {
    text: String,
    tape: Tape,
}

impl Scanned {
    /// Checks a text and notes its places.
    ///
    /// # Errors
    /// Why it is not JSON, or not of a size that is read; with the bytes as they came.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Unscanned> {
        let text = String::from_utf8(bytes).map_err(|e| {
            let error = Fault::Utf8.at(e.utf8_error().valid_up_to());
            Unscanned { bytes: e.into_bytes(), error }
        })?;
        match tape(&text) {
            Ok(tape) => Ok(Self { text, tape }),
            Err(error) => Err(Unscanned { bytes: text.into_bytes(), error }),
        }
    }

    /// The value.
    pub fn root(&self) -> Node<'_, '_> {
        Node::root(&self.text, self.tape.places())
    }

    /// The text, as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, as it came.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Bytes that are no [`Scanned`], and why.
#[derive(Debug)]
pub struct Unscanned {
    /// As they came.
    pub bytes: Vec<u8>,
    /// Why.
    pub error: ScanError,
}

/// Why a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanError {
    /// What is wrong there, to be read after "the answer is not JSON: ".
    pub what: &'static str,
    /// The byte at which it shows.
    pub at: usize,
    /// What kind of reason it is.
    pub kind: ScanErrorKind,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanErrorKind {
    /// It is not JSON.
    NotJson,
    /// It may be JSON, and is deeper than is read.
    TooDeep,
    /// It may be JSON, and has more members, objects and arrays than is kept track of.
    TooLarge,
}

/// One byte, so that it costs nothing on the way up.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Utf8,
    Value,
    Literal,
    Number,
    Infinite,
    Control,
    Unended,
    Escape,
    Surrogate,
    Name,
    Colon,
    ObjectEnd,
    ArrayEnd,
    Trailing,
    Depth,
    Size,
}

impl Fault {
    #[cold]
    fn at(self, at: usize) -> ScanError {
        let what = match self {
            Self::Utf8 => "it is not UTF-8",
            Self::Value => "there is no value where one must be",
            Self::Literal => "a word other than true, false and null",
            Self::Number => "a number is not written as JSON writes it",
            Self::Infinite => "a number is too large",
            Self::Control => "a control character within a text",
            Self::Unended => "a text does not end",
            Self::Escape => "a backslash with what may not follow it",
            Self::Surrogate => "half of a surrogate pair",
            Self::Name => "a member has no name in quotes",
            Self::Colon => "a member's name is not followed by a colon",
            Self::ObjectEnd => "a member is followed by neither a comma nor a brace",
            Self::ArrayEnd => "an entry is followed by neither a comma nor a bracket",
            Self::Trailing => "more follows after the value",
            Self::Depth => "it is more than 64 levels deep",
            Self::Size => "it has more than a million members, objects and arrays",
        };
        let kind = match self {
            Self::Depth => ScanErrorKind::TooDeep,
            Self::Size => ScanErrorKind::TooLarge,
            _ => ScanErrorKind::NotJson,
        };
        ScanError { what, at, kind }
    }
}

type Step<T = ()> = Result<T, Fault>;

fn tape(text: &str) -> Result<Tape, ScanError> {
    // Places are kept in 32 bits.
    if u32::try_from(text.len()).is_err() {
        return Err(Fault::Size.at(0));
    }
    let mut tape = Tape::for_text(text.len());
    let mut scanner = Scanner { text, at: 0 };
    match scanner.document(&mut tape) {
        Ok(()) => Ok(tape),
        Err(fault) => Err(fault.at(scanner.at)),
    }
}

/// How many places a text has, and how many there is room for.
#[cfg(test)]
pub(super) fn places(text: &str) -> Result<(usize, usize), ScanError> {
    tape(text).map(|tape| (tape.places().len(), tape.capacity()))
}

/// Goes through a text from left to right.
///
/// What is inlined by force is so that the place where it stands stays in a register: in WebAssembly, built for size,
/// this halves the time.
struct Scanner<'a> {
    text: &'a str,
    /// Where it stands: before what is read next, or where a fault shows.
    at: usize,
}

impl Scanner<'_> {
    /// The whole text. A loop and no recursion; the tape knows what an open object or array is within.
    fn document(&mut self, tape: &mut Tape) -> Step {
        let mut depth = 0;
        let mut within = 0;
        let mut in_object = false;
        self.space();
        loop {
            let name = if in_object { self.name()? } else { Name::NONE };
            let start = self.at;
            match self.peek() {
                open @ (b'{' | b'[') => {
                    if depth == DEPTH {
                        return Err(Fault::Depth);
                    }
                    depth += 1;
                    within = tape.open(name, start, within).ok_or(Fault::Size)?;
                    in_object = open == b'{';
                    self.at += 1;
                    self.space();
                    let is_empty = self.peek() == if in_object { b'}' } else { b']' };
                    if !is_empty {
                        continue;
                    }
                }
                first => {
                    self.scalar(first)?;
                    if in_object || depth == 0 {
                        tape.scalar(name, start, self.at).ok_or(Fault::Size)?;
                    }
                    self.space();
                }
            }
            // Behind a value: what it is within goes on, or ends, and then likewise what that is within.
            loop {
                match self.peek() {
                    _ if depth == 0 => return if self.at < self.text.len() { Err(Fault::Trailing) } else { Ok(()) },
                    b',' => break,
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ => return Err(if in_object { Fault::ObjectEnd } else { Fault::ArrayEnd }),
                }
                self.at += 1;
                depth -= 1;
                within = tape.close(within, self.at);
                in_object = tape.start_of(within).and_then(|start| self.text.as_bytes().get(start)) == Some(&b'{');
                self.space();
            }
            self.at += 1;
            self.space();
        }
    }

    /// The next byte; NUL, which is nowhere allowed, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn space(&mut self) {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.peek() {
            self.at += 1;
        }
    }

    /// A member's name, and what stands between it and its value.
    #[inline(always)]
    fn name(&mut self) -> Step<Name> {
        if self.peek() != b'"' {
            return Err(Fault::Name);
        }
        let start = self.at + 1;
        let plain = self.string()?;
        let name = Name::new(start, self.at - 1, plain);
        self.space();
        if self.peek() != b':' {
            return Err(Fault::Colon);
        }
        self.at += 1;
        self.space();
        Ok(name)
    }

    /// What begins with this byte and has nothing within it.
    #[inline(always)]
    fn scalar(&mut self, first: u8) -> Step {
        match first {
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => {
                self.at = number(self.text.as_bytes(), self.at)?;
                Ok(())
            }
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'a'..=b'z' | b'A'..=b'Z' => Err(Fault::Literal),
            _ => Err(Fault::Value),
        }
    }

    #[inline(always)]
    fn literal<const N: usize>(&mut self, word: &[u8; N]) -> Step {
        let rest = self.text.as_bytes().get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        if rest != Some(word) {
            return Err(Fault::Literal);
        }
        self.at += N;
        Ok(())
    }

    /// A string, of which the quote has been seen. Says whether it has no escapes.
    #[inline(always)]
    fn string(&mut self) -> Step<bool> {
        let bytes = self.text.as_bytes();
        self.at = end_of_plain_inlined(bytes, self.at + 1);
        let plain = self.peek() == b'"';
        if !plain {
            let (end, fault) = rest_of_string(self.text, self.at);
            self.at = end;
            fault?;
        }
        self.at += 1;
        Ok(plain)
    }
}

/// Where a string ends, from its first escape on.
#[inline(never)]
fn rest_of_string(text: &str, mut at: usize) -> (usize, Step) {
    let bytes = text.as_bytes();
    loop {
        let result = match bytes.get(at) {
            Some(b'"') => return (at, Ok(())),
            Some(b'\\') => escape(text, at),
            Some(_) => Err(Fault::Control),
            None => Err(Fault::Unended),
        };
        match result {
            Ok(after) => at = end_of_plain(bytes, after),
            Err(fault) => return (at, Err(fault)),
        }
    }
}

/// Where an escape ends that begins here.
fn escape(text: &str, at: usize) -> Step<usize> {
    match text.as_bytes().get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let digits = text.get(at + 2..).unwrap_or_default();
            if let Some((_, rest)) = code_point(digits) {
                return Ok(text.len() - rest.len());
            }
            let four = digits.as_bytes().first_chunk::<4>();
            let whole = four.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
            Err(if whole { Fault::Surrogate } else { Fault::Escape })
        }
        _ => Err(Fault::Escape),
    }
}

/// Where a number ends that begins here, with its sign or first digit.
fn number(bytes: &[u8], start: usize) -> Step<usize> {
    let first = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut at = digits(bytes, first);
    if at == first || bytes.get(first) == Some(&b'0') && at > first + 1 {
        return Err(Fault::Number);
    }
    let mut surely_finite = at - first < SURELY_FINITE;
    if bytes.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(bytes, fraction);
        if at == fraction {
            return Err(Fault::Number);
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let exponent = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(bytes, exponent);
        if at == exponent {
            return Err(Fault::Number);
        }
        surely_finite = false;
    }
    if !surely_finite && !number::is_finite(bytes.get(start..at).unwrap_or_default()) {
        return Err(Fault::Infinite);
    }
    Ok(at)
}

/// Where digits end.
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}
