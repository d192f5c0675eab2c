//! Form bodies and query strings as Stripe's v1 API reads them.
//!
//! `metadata[k]=v`, `items[0][price]=p`, `true`/`false`, nothing for an empty list or object. Names and values
//! are percent-encoded but for the unreserved characters of RFC 3986; the brackets of the structure are not.
//! The vectors in the tests are what the official Node SDK sends.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Encodes parameters.
pub fn encode(parameters: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        let mut key = String::new();
        percent(name, &mut key);
        put(&key, value, &mut out);
    }
    out
}

/// Percent-encodes one path segment or value.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    percent(text, &mut out);
    out
}

fn put(key: &str, value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let mut nested = format!("{key}[");
                percent(name, &mut nested);
                nested.push(']');
                put(&nested, value, out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                put(&format!("{key}[{index}]"), value, out);
            }
        }
        scalar => {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(key);
            out.push('=');
            match scalar {
                Value::String(text) => percent(text, out),
                // `null` unsets, as an empty string does.
                Value::Null => {}
                other => {
                    let _ = write!(out, "{other}");
                }
            }
        }
    }
}

fn percent(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
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
            let input = vector["input"].as_object().expect("an object");
            assert_eq!(encode(input), vector["encoded"].as_str().expect("text"), "{input:?}");
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
