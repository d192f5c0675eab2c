//! Form bodies and query strings as Stripe's v1 API reads them.
//!
//! `metadata[k]=v`, `items[0][price]=p`, `true`/`false`, nothing for an empty list or object. Names and values
//! are percent-encoded but for the unreserved characters of RFC 3986; the brackets of the structure are not.
//! The vectors in the tests are what the official Node SDK sends.

use serde_json::{Map, Value};

use crate::{hex, json};

/// Encodes parameters.
pub fn encode(parameters: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        let mut key = String::new();
        percent(name, &mut key);
        walk(&key, value, percent, &mut |key, value| {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(key);
            out.push('=');
            match value {
                Value::String(text) => percent(text, &mut out),
                // `null` unsets, as an empty string does.
                Value::Null => {}
                // The plus of an exponent would be read as a space.
                other => percent(&plain(other), &mut out),
            }
        });
    }
    out
}

/// The same names and values one by one, not encoded: the fields of a multipart body.
pub fn flatten(parameters: &Map<String, Value>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in parameters {
        walk(name, value, |name, key| key.push_str(name), &mut |key, value| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => plain(other),
            };
            out.push((key.to_owned(), text));
        });
    }
    out
}

/// Percent-encodes one path segment or value.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    percent(text, &mut out);
    out
}

/// Undoes [`escape`], and whatever else is percent-encoded; none for what is no text then.
pub fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8(bytes).ok(),
            [b'%', high, low, after @ ..] => {
                let digit = |d: u8| char::from(d).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                after
            }
            [b'%', ..] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

/// Visits every value that is no object and no list, with its whole name.
fn walk(key: &str, value: &Value, name_of: fn(&str, &mut String), visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let mut nested = [key, "["].concat();
                name_of(name, &mut nested);
                nested.push(']');
                walk(&nested, value, name_of, visit);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(&[key, "[", &index.to_string(), "]"].concat(), value, name_of, visit);
            }
        }
        scalar => visit(key, scalar),
    }
}

/// A number, true or false.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => json::whole(number),
        other => other.as_bool().unwrap_or_default().to_string(),
    }
}

fn percent(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(hex::digits(byte).map(|digit| char::from(digit.to_ascii_uppercase())));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_as_the_official_node_sdk_does() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("../../tests/vectors/form.json")).expect("vectors");
        assert!(vectors.len() > 10);
        for vector in vectors {
            let input = carried(vector["input"].clone());
            let input = input.as_object().expect("an object");
            assert_eq!(encode(input), vector["encoded"].as_str().expect("text"), "{input:?}");
        }
    }

    /// As a checked input has it: numbers that are not whole are texts.
    fn carried(value: Value) -> Value {
        match value {
            Value::Number(number) if number.is_f64() => Value::String(number.to_string()),
            Value::Array(items) => items.into_iter().map(carried).collect(),
            Value::Object(members) => members.into_iter().map(|(name, member)| (name, carried(member))).collect(),
            other => other,
        }
    }

    /// The keys and values of a body, decoded independently of the encoder.
    fn decode(body: &str) -> Vec<(String, String)> {
        let text = |t: &str| {
            let mut bytes = Vec::new();
            let mut rest = t.as_bytes();
            while let [first, after @ ..] = rest {
                if *first == b'%' {
                    let hex = std::str::from_utf8(&after[..2]).expect("ascii");
                    bytes.push(u8::from_str_radix(hex, 16).expect("hex"));
                    rest = &after[2..];
                } else {
                    bytes.push(*first);
                    rest = after;
                }
            }
            String::from_utf8(bytes).expect("utf-8")
        };
        body.split('&')
            .filter(|p| !p.is_empty())
            .map(|p| p.split_once('=').expect("a pair"))
            .map(|(k, v)| (text(k), text(v)))
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_escaped_can_be_undone(text in ".*") {
            prop_assert_eq!(unescape(&escape(&text)), Some(text));
        }

        #[test]
        fn any_text_survives_the_trip(values in proptest::collection::btree_map("[^\\[\\]]{1,12}", ".{0,30}", 0..8)) {
            let input: Map<String, Value> = values.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect();
            let mut decoded = decode(&encode(&input));
            decoded.sort();
            let mut expected: Vec<(String, String)> = values.into_iter().collect();
            expected.sort();
            prop_assert_eq!(decoded, expected);
        }

        #[test]
        fn a_value_never_adds_a_parameter(value in ".*") {
            let input: Map<String, Value> = [("description".to_owned(), Value::from(value))].into_iter().collect();
            prop_assert_eq!(decode(&encode(&input)).len(), 1);
        }
    }
}
