//! The scanner of answers against `serde_json`.

use serde_json::{Map, Value};
use stripe_connector::json::{Doc, Kind, Node, ScanErrorKind, Scanned, repeated_member};

use crate::Target;

/// The scanner.
pub const TARGET: Target = Target {
    name: "json",
    run,
    corpus,
    words: &[
        "{}",
        "[]",
        "\"\"",
        "\"a\":",
        "null",
        "true",
        "false",
        "-0",
        "0.5",
        "1e400",
        "1E-5",
        "9007199254740993",
        "\\u",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\\"",
        "\\\\",
        "\u{feff}",
        "\u{0}",
        "\u{7f}",
        "\u{2028}",
        "é",
        "😀",
        "[[[[[[[[[[[[[[[[",
        "]]]]]]]]]]]]]]]]",
        "{\"a\":{\"a\":",
        "}}",
        ",",
        ":",
        " \t\r\n",
    ],
};

fn run(bytes: &[u8]) {
    let shown = || String::from_utf8_lossy(bytes);
    let expected = serde_json::from_slice::<Value>(bytes);
    match (Doc::scan(bytes), expected) {
        (Ok(doc), Ok(value)) => {
            if repeated_member(doc.root()).is_none() {
                assert_eq!(tree(doc.root()), value, "{}", shown());
            }
            let owned = Scanned::new(bytes.to_vec()).unwrap_or_else(|e| panic!("{:?}: {}", e.error, shown()));
            assert_eq!(owned.root().raw(), doc.root().raw());
            assert_eq!(owned.into_text().as_bytes(), bytes);
        }
        (Ok(_), Err(error)) => panic!("taken, and serde_json says {error}: {}", shown()),
        (Err(error), expected) => {
            assert!(error.at <= bytes.len(), "{error:?}");
            let limited = match error.kind {
                ScanErrorKind::TooDeep => bytes.iter().filter(|b| matches!(b, b'[' | b'{')).count() > 64,
                ScanErrorKind::TooLarge => bytes.len() > 1 << 20,
                ScanErrorKind::NotJson => false,
            };
            assert!(limited || expected.is_err(), "refused, and serde_json takes it: {error:?}: {}", shown());
            assert_eq!(
                Scanned::new(bytes.to_vec()).map(|_| ()).map_err(|e| (e.error, e.bytes)),
                Err((error, bytes.to_vec()))
            );
        }
    }
}

/// What a node and all below it say.
fn tree(node: Node<'_, '_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => node.as_bool().expect("a boolean").into(),
        Kind::Number => serde_json::from_str(node.raw()).expect("a number"),
        Kind::String => node.as_str().expect("a text").into(),
        Kind::Array => node.items().map(tree).collect(),
        Kind::Object => {
            let members: Map<String, Value> =
                node.members().map(|(name, member)| (name.into_owned(), tree(member))).collect();
            for (name, value) in &members {
                assert_eq!(node.get(name).map(tree).as_ref(), Some(value), "{name:?}");
            }
            Value::Object(members)
        }
    }
}

fn corpus() -> Vec<Vec<u8>> {
    [
        r#"{"id":"cus_1","object":"customer","balance":-12,"name":"Zo\u00eb \ud83d\ude00","metadata":{},"deleted":true}"#,
        r#"{"object":"list","data":[{"id":"a","x":null},{"id":"b","x":[1,2.5,1e9]}],"has_more":false,"url":"/v1/customers"}"#,
        r#"{"error":{"type":"card_error","message":"Your card was \"declined\".","param":"items[0][price]"}}"#,
        " [ ] ",
        "-12.5e-3",
        r#""\b\f\n\r\t\/\\\"""#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
