//! How JSON is laid out on standard output, whoever wrote it.
//!
//! What the service sent comes as text and goes out as text: it was checked to be JSON and is laid out anew while it is
//! written, token by token, so that the largest or deepest answer takes no more memory than the smallest. Below
//! [`DEEPEST`] levels nothing is indented any more: every level would make each line longer, and a megabyte of brackets
//! hundreds of megabytes of blanks.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::cli::terminal::harmless::steers;

/// So many levels have lines of their own. A service's answers, with all that can be expanded in them, have half as many.
const DEEPEST: usize = 32;

/// Writes a value over as many lines as it takes to read well.
pub fn write_document(writer: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write(writer, value, Layout::new(DEEPEST))
}

/// Writes a value as one line.
pub fn write_line(writer: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write(writer, value, Layout::new(0))
}

/// A value as one line.
pub fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // Memory takes all that is written; what cannot be told leaves the line short.
    let _ = write_line(&mut bytes, value);
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

fn write(writer: &mut impl Write, value: &impl Serialize, layout: Layout) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *writer, layout))?;
    writer.write_all(b"\n")
}

/// Where lines break.
struct Layout {
    /// So many levels are indented.
    deepest: usize,
    /// How many brackets are open.
    depth: usize,
    /// Whether the innermost of them has something in it.
    filled: bool,
}

impl Layout {
    fn new(deepest: usize) -> Self {
        Self { deepest, depth: 0, filled: false }
    }

    fn open<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        let indented = self.filled && self.depth <= self.deepest;
        self.depth = self.depth.saturating_sub(1);
        self.filled = true;
        if indented {
            self.break_line(writer)?;
        }
        writer.write_all(bracket)
    }

    /// Before an element or a name.
    fn item<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.filled = true;
        if self.depth <= self.deepest { self.break_line(writer) } else { Ok(()) }
    }

    fn colon<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.depth <= self.deepest { b": " } else { b":" })
    }

    fn break_line<W: Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.item(writer, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.item(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.colon(writer)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        harmless(writer, fragment)
    }

    /// A whole value that was checked to be JSON.
    fn write_raw_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        // Whether nothing has come since the last bracket was opened.
        let mut first = false;
        while let Some((token, after)) = next_token(rest) {
            let closes = matches!(token, "]" | "}");
            if first && !closes {
                self.item(writer, true)?;
            }
            first = false;
            match token {
                "[" | "{" => {
                    self.open(writer, token.as_bytes())?;
                    first = true;
                }
                "]" | "}" => self.close(writer, token.as_bytes())?,
                "," => self.item(writer, false)?,
                ":" => self.colon(writer)?,
                _ => harmless(writer, token)?,
            }
            rest = after;
        }
        Ok(())
    }
}

/// The next token of a valid JSON text, and what comes after it.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let length = match text.as_bytes().first()? {
        b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
        b'"' => string_length(text.as_bytes()),
        _ => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:[]{}\"".contains(byte);
            text.bytes().position(|byte| ends(&byte)).unwrap_or(text.len())
        }
    };
    text.split_at_checked(length)
}

/// How long a string is, with both of its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Writes a part of a string or another token. A letter that would steer a terminal is written by its number, which is
/// the same JSON; below U+0020 JSON has none, and no other token has any.
fn harmless<W: Write + ?Sized>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter > '\u{7e}' && steers(letter)) {
        let (before, from) = rest.split_at(at);
        writer.write_all(before.as_bytes())?;
        let mut letters = from.chars();
        if let Some(letter) = letters.next() {
            // All of them are below U+10000, and so are one number.
            write!(writer, "\\u{:04x}", u32::from(letter))?;
        }
        rest = letters.as_str();
    }
    writer.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use host::contract::Embedded;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn document(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        write_document(&mut bytes, value).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn line(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        write_line(&mut bytes, value).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[derive(Serialize)]
    struct Envelope<'a> {
        output: Embedded<'a>,
        more: Value,
    }

    #[test]
    fn embedded_text_is_laid_out_like_everything_around_it() {
        let output = Embedded(" {\"z\" :\t1,\n\"a\":[true , null,{ }, [ ],-2.50],\"s\":\"a, b: {\\\"c\\\\\"} ");
        let shown = document(&Envelope { output, more: json!({ "list": [[], {}, [1]] }) });
        let expected = r#"{
  "output": {
    "z": 1,
    "a": [
      true,
      null,
      {},
      [],
      -2.50
    ],
    "s": "a, b: {\"c\\"
  },
  "more": {
    "list": [
      [],
      {},
      [
        1
      ]
    ]
  }
}
"#;
        assert_eq!(shown, expected);
        let shown = line(&Envelope { output, more: json!([1, "a\nb"]) });
        assert_eq!(
            shown,
            "{\"output\":{\"z\":1,\"a\":[true,null,{},[],-2.50],\"s\":\"a, b: {\\\"c\\\\\"},\"more\":[1,\"a\\nb\"]}\n"
        );
    }

    #[test]
    fn what_is_no_json_stays_text() {
        assert_eq!(line(&Embedded("{nope")), "\"{nope\"\n");
    }

    #[test]
    fn numbers_and_half_letters_stay_as_they_were_sent() {
        let text = r#"{"a":1e400,"b":12345678901234567890.10,"c":"\ud800"}"#;
        assert_eq!(line(&Embedded(text)), format!("{text}\n"));
    }

    #[test]
    fn what_steers_a_terminal_is_written_by_its_number() {
        let shown = line(&json!({ "raw": "a\u{9b}31m\u{7f}é" }));
        assert_eq!(shown, "{\"raw\":\"a\\u009b31m\\u007fé\"}\n");
        assert_eq!(line(&Embedded("[\"\u{9b}31m\"]")), "[\"\\u009b31m\"]\n");
        assert_eq!(line(&Embedded("{\"a\u{7f}b\u{202e}\":\"\u{2066}\"}")), "{\"a\\u007fb\\u202e\":\"\\u2066\"}\n");
    }

    /// Counts, and keeps nothing.
    struct Counted(usize);

    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_megabyte_of_brackets_does_not_become_hundreds() {
        let nest = format!("{}{}", "[".repeat(110), "]".repeat(110));
        let text = format!("[{}]", vec![nest.as_str(); (1 << 20) / (nest.len() + 1)].join(","));
        let mut counted = Counted(0);
        write_document(&mut counted, &Embedded(&text)).unwrap();
        assert!(counted.0 < 16 << 20, "{} bytes", counted.0);
        let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
        let mut counted = Counted(0);
        write_document(&mut counted, &Embedded(&deep)).unwrap();
        assert!(counted.0 < 3 << 20, "{} bytes", counted.0);
    }

    /// The outermost that is laid out as a tree would be: as `serde_json` does it.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[\\\\\"{}\\[\\],:\n\u{7f}-\u{9f}\u{2028}-\u{2030}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("\\PC{0,8}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_is_the_same_in_every_layout(value in values()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            for shown in [document(&value), line(&value), document(&Embedded(&text)), line(&Embedded(&text))] {
                prop_assert_eq!(&serde_json::from_str::<Value>(&shown).unwrap(), &value);
            }
            prop_assert_eq!(document(&value), document(&Embedded(&text)));
            prop_assert_eq!(line(&value).matches('\n').count(), 1);
        }
    }
}
