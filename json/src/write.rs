//! JSON text, written from left to right.
//!
//! ```
//! let mut json = stripe_json::Writer::new();
//! json.begin_object();
//! json.key("type").string("object");
//! json.key("required").strings(["id", "object"]);
//! json.key("properties").begin_object().end_object();
//! json.end_object();
//! assert_eq!(json.finish(), r#"{"type":"object","required":["id","object"],"properties":{}}"#);
//! ```

use serde_json::{Number, Value};

use super::plain::end_of_plain;

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    let mut json = Writer::new();
    json.string(text);
    json.finish()
}

/// A whole number. Others are carried as texts, exactly as they were written, so that there are none here; printing one
/// would take a table of ten kilobytes.
pub fn whole(number: &Number) -> String {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => number.to_string(),
        (None, Some(number)) => number.to_string(),
        (None, None) => "null".to_owned(),
    }
}

/// Writes one value. Commas are its business; that what begins also ends, and that members have names, the caller's.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
    /// Whether a comma comes before what comes next.
    comma: bool,
}

impl Writer {
    /// Of an empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of an empty text, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), comma: false }
    }

    /// `{`; its members follow.
    pub fn begin_object(&mut self) -> &mut Self {
        self.begin('{')
    }

    /// `}`.
    pub fn end_object(&mut self) -> &mut Self {
        self.end('}')
    }

    /// `[`; its entries follow.
    pub fn begin_array(&mut self) -> &mut Self {
        self.begin('[')
    }

    /// `]`.
    pub fn end_array(&mut self) -> &mut Self {
        self.end(']')
    }

    /// The name of a member; its value follows.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.quoted(name);
        self.text.push(':');
        self.comma = false;
        self
    }

    /// A text.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.separate();
        self.quoted(text);
        self
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.separate();
        if number < 0 {
            self.text.push('-');
        }
        let mut size = number.unsigned_abs();
        let mut digits = [0u8; 20];
        let mut used = 0;
        for digit in &mut digits {
            *digit = b'0' + (size % 10) as u8;
            used += 1;
            size /= 10;
            if size == 0 {
                break;
            }
        }
        self.text.extend(digits.iter().take(used).rev().map(|d| char::from(*d)));
        self
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, yes: bool) -> &mut Self {
        self.raw(if yes { "true" } else { "false" })
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.raw("null")
    }

    /// A value that is JSON text already.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.separate();
        self.text.push_str(json);
        self
    }

    /// A value of a tree.
    pub fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Null => self.null(),
            Value::Bool(yes) => self.boolean(*yes),
            Value::Number(number) => self.raw(&whole(number)),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.begin_array();
                for item in items {
                    self.value(item);
                }
                self.end_array()
            }
            Value::Object(members) => {
                self.begin_object();
                for (name, member) in members {
                    self.key(name).value(member);
                }
                self.end_object()
            }
        }
    }

    /// An array of texts.
    pub fn strings<'s>(&mut self, texts: impl IntoIterator<Item = &'s str>) -> &mut Self {
        self.begin_array();
        for text in texts {
            self.string(text);
        }
        self.end_array()
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    fn begin(&mut self, bracket: char) -> &mut Self {
        self.separate();
        self.text.push(bracket);
        self.comma = false;
        self
    }

    fn end(&mut self, bracket: char) -> &mut Self {
        self.text.push(bracket);
        self.comma = true;
        self
    }

    fn separate(&mut self) {
        if self.comma {
            self.text.push(',');
        }
        self.comma = true;
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        let mut rest = text;
        while let Some((plain, special)) = rest.split_at_checked(end_of_plain(rest.as_bytes(), 0)) {
            self.text.push_str(plain);
            let mut characters = special.chars();
            let Some(character) = characters.next() else { break };
            self.escaped(character);
            rest = characters.as_str();
        }
        self.text.push('"');
    }

    /// A quote, a backslash or a control character.
    #[cold]
    fn escaped(&mut self, character: char) {
        let short = match character {
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            ..' ' => {
                let code = u32::from(character);
                self.text.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                self.text.extend(char::from_digit(code % 16, 16));
                return;
            }
            itself => itself,
        };
        self.text.push('\\');
        self.text.push(short);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(json: Writer) -> Value {
        let text = json.finish();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    #[test]
    fn puts_commas_between_and_nowhere_else() {
        let mut json = Writer::new();
        json.begin_array();
        json.begin_object().end_object().begin_array().end_array();
        json.begin_object().key("a").null().key("b").begin_array().integer(1).boolean(true).end_array();
        json.key("c").raw("{\"x\": 1}").end_object();
        json.string("").strings([]).strings(["x"]).end_array();
        assert_eq!(json.finish(), r#"[{},[],{"a":null,"b":[1,true],"c":{"x": 1}},"",[],["x"]]"#);
    }

    #[test]
    fn writes_the_least_and_the_greatest_number() {
        for number in [0, 1, -1, 9, 10, -10, 1099, i64::MAX, i64::MIN] {
            let mut json = Writer::new();
            json.integer(number);
            assert_eq!(json.finish(), number.to_string());
        }
    }

    #[test]
    fn writes_trees_as_serde_json_does() {
        for value in [
            json!(null),
            json!({"a": [1, -2, 18_446_744_073_709_551_615_u64, i64::MIN], "b": {}, "c": [], "d": [true, false, null, "x\n"]}),
            json!([[], [{}], "", {"": ""}]),
        ] {
            let mut json = Writer::new();
            json.value(&value);
            assert_eq!(json.finish(), value.to_string());
        }
    }

    #[test]
    fn escapes_as_serde_json_does() {
        let every: String = ('\0'..='\u{ff}').chain(['\u{2028}', '😀', '\u{ffff}']).collect();
        let mut json = Writer::new();
        json.string(&every);
        assert_eq!(json.finish(), json!(every).to_string());
    }

    proptest! {
        #[test]
        fn any_text_reads_back(key in ".*", text in "[\\x00-\\x7f\"\\\\é😀]*", number in any::<i64>()) {
            let mut json = Writer::with_capacity(16);
            json.begin_object().key(&key).string(&text).end_object();
            prop_assert_eq!(read(json), json!({key: text}));
            let mut json = Writer::new();
            json.begin_array().integer(number).end_array();
            prop_assert_eq!(read(json), json!([number]));
        }
    }
}
