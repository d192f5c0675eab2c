//! Form encoding, there and back.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value};
use stripe_connector::stripe::form;

use crate::Target;

/// Form encoding.
pub const TARGET: Target = Target {
    name: "form",
    run,
    corpus,
    words: &["[", "]", "&", "=", "%", "+", "[0]", "[]", "%5B", "\0", "é", "😀", " "],
};

fn run(bytes: &[u8]) {
    // A body of JSON is taken as it is, anything else as decisions of what to send.
    let parameters = match serde_json::from_slice(bytes) {
        Ok(Value::Object(parameters)) => parameters,
        _ => match object(&mut Unstructured::new(bytes), 0) {
            Ok(parameters) => parameters,
            Err(_) => return,
        },
    };
    let parameters: Map<String, Value> = parameters.into_iter().map(|(name, value)| (name, carried(value))).collect();
    let encoded = form::encode(&parameters);
    assert!(
        encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%[]=&".contains(&b)),
        "{encoded:?} has a character that means something else"
    );
    let mut expected = BTreeMap::new();
    for (name, value) in &parameters {
        flatten(vec![name.clone()], value, &mut expected);
    }
    assert_eq!(decode(&encoded), expected, "{encoded}");
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

/// Each scalar with the names that lead to it.
type Pairs = BTreeMap<Vec<String>, String>;

fn flatten(at: Vec<String>, value: &Value, out: &mut Pairs) {
    let below = |name: String| at.iter().cloned().chain([name]).collect::<Vec<_>>();
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| flatten(below(name.clone()), value, out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| flatten(below(index.to_string()), value, out));
        }
        Value::Null => drop(out.insert(at, String::new())),
        Value::String(text) => drop(out.insert(at, text.clone())),
        other => drop(out.insert(at, other.to_string())),
    }
}

/// Reads a form as Stripe does: structure first, escapes after.
fn decode(form: &str) -> Pairs {
    let mut pairs = Pairs::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or_else(|| panic!("{pair:?} is no pair"));
        let (head, brackets) = key.split_at(key.find('[').unwrap_or(key.len()));
        let mut names = vec![plain(head)];
        if let Some(inner) = brackets.strip_prefix('[') {
            let inner = inner.strip_suffix(']').unwrap_or_else(|| panic!("{key:?} does not end"));
            names.extend(inner.split("][").map(plain));
        }
        let twice = pairs.insert(names, plain(value));
        assert_eq!(twice, None, "{key:?} comes twice");
    }
    pairs
}

fn plain(escaped: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = escaped.as_bytes();
    while let [first, after @ ..] = rest {
        let taken = if *first == b'%' {
            let digits = after.get(..2).and_then(|d| str::from_utf8(d).ok());
            bytes.push(digits.and_then(|d| u8::from_str_radix(d, 16).ok()).unwrap_or_else(|| panic!("in {escaped:?}")));
            3
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            1
        };
        rest = &rest[taken..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| panic!("{escaped:?} is no text"))
}

fn object(data: &mut Unstructured<'_>, depth: usize) -> Result<Map<String, Value>> {
    let mut members = Map::new();
    for _ in 0..data.int_in_range(0..=4)? {
        members.insert(String::arbitrary(data)?, value(data, depth + 1)?);
    }
    Ok(members)
}

fn value(data: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match data.int_in_range(0..=if depth > 5 { 4 } else { 6 })? {
        0 => Value::Null,
        1 => bool::arbitrary(data)?.into(),
        2 => i64::arbitrary(data)?.into(),
        3 => f64::arbitrary(data)?.into(),
        4 => String::arbitrary(data)?.into(),
        5 => (0..data.int_in_range(0..=3)?).map(|_| value(data, depth + 1)).collect::<Result<_>>()?,
        _ => object(data, depth)?.into(),
    })
}

fn corpus() -> Vec<Vec<u8>> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../vectors/form.json")).expect("vectors");
    vectors.iter().map(|vector| vector["input"].to_string().into_bytes()).collect()
}
