//! The scanner against `serde_json`: it takes the same texts and reads the same from them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Doc, Kind, Node, ScanErrorKind, Scanned, repeated_member};

fn refused(text: impl AsRef<[u8]>) -> super::ScanError {
    Doc::scan(text.as_ref()).expect_err("must be refused")
}

/// What a node and everything below it say, taken together again.
fn rebuilt(node: Node<'_, '_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => json!(node.as_bool().expect("boolean")),
        Kind::String => json!(node.as_str().expect("string")),
        Kind::Array => node.items().map(rebuilt).collect(),
        // Of equal names the first counts.
        Kind::Object => {
            let mut members = serde_json::Map::new();
            for (name, member) in node.members() {
                members.entry(name).or_insert_with(|| rebuilt(member));
            }
            Value::Object(members)
        }
        Kind::Number => {
            let value: Value = serde_json::from_str(node.raw()).expect("number");
            if node.raw() != "-0" {
                assert_eq!((node.as_i64(), node.as_u64()), (value.as_i64(), value.as_u64()), "{}", node.raw());
            }
            value
        }
    }
}

/// Every value is found by its name or number, and says of itself what it is.
fn navigates(node: Node<'_, '_>, value: &Value) {
    assert_eq!(node.as_str().as_deref(), value.as_str());
    assert_eq!(node.as_bool(), value.as_bool());
    assert_eq!(
        (node.is_null(), node.is_array(), node.is_object()),
        (value.is_null(), value.is_array(), value.is_object())
    );
    assert_eq!(serde_json::from_str::<Value>(node.raw()).expect("raw text is JSON"), *value);
    if let Some(text) = value.as_str() {
        assert!(node.str_eq(text) && !node.str_eq(&format!("{text}x")) && !node.str_eq(node.raw()));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        navigates(node.at(&index.to_string()).expect("an entry"), item);
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        navigates(node.get(name).expect("a member"), member);
    }
    assert!(node.get("no such name").is_none() && node.at("no such name").is_none());
}

/// Whether the difference to `serde_json` is one that is meant.
fn meant(text: &[u8], error: super::ScanError) -> bool {
    match error.kind {
        ScanErrorKind::TooDeep => text.len() > 64,
        ScanErrorKind::TooLarge => text.len() > 1 << 20,
        ScanErrorKind::NotJson => false,
    }
}

fn agrees(text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    match (Doc::scan(text), serde_json::from_slice::<Value>(text)) {
        (Ok(doc), Ok(value)) => {
            let seen = rebuilt(doc.root());
            if repeated_member(doc.root()).is_none() {
                assert_eq!(seen, value, "{shown}");
                navigates(doc.root(), &value);
            }
        }
        (Err(error), Ok(_)) => assert!(meant(text, error), "refused: {error:?}: {shown}"),
        (Ok(_), Err(error)) => panic!("taken, and serde_json says {error}: {shown}"),
        (Err(error), Err(_)) => assert!(error.at <= text.len()),
    }
}

#[test]
fn takes_and_refuses_what_serde_json_does() {
    for text in [
        "",
        " ",
        "null",
        " null ",
        "nul",
        "nullx",
        "true",
        "false",
        "tru",
        "TRUE",
        "NaN",
        "Infinity",
        "-Infinity",
        "undefined",
        "0",
        "-0",
        "00",
        "01",
        "-01",
        "-",
        "+1",
        "1.",
        ".1",
        "1.0",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "1.5e+10",
        "0x10",
        "1_000",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e308",
        "1e309",
        "-1e309",
        "1e400",
        "0e400",
        "1e-400",
        "\"\"",
        "\"a",
        "\"a\"b",
        "'a'",
        "\"\\",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u00\"",
        "\"\\u00zz\"",
        "\"\\u0041\"",
        "\"\\u+041\"",
        "\"\\/\\b\\f\\n\\r\\t\\\\\"",
        "\"\\u0000\"",
        "\"\u{7f}\u{80}\u{2028}\"",
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "\0",
        "null\0",
        "[1\0]",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ud83d\\ue000\"",
        "\"\\ud83d\\uffff\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "[]",
        "[ ]",
        "[1]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,,2]",
        "[",
        "]",
        "[1",
        "[1,",
        "[[]",
        "[]]",
        "[}",
        "[1}",
        "{\"a\":1]",
        "[{\"a\":1]}",
        "{\"a\":[1}]",
        "[1,[2,[3]],{}]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1",
        "{\"a\"",
        "{]",
        "{\"\":{\"\":[]}}",
        " { \"a\" : [ 1 , \"x\" ] , \"b\" : { } } ",
        "{\"a\\u0062\":1}",
        "{\"\\u0000\":1}",
        "{} {}",
        "1 1",
        "[]x",
        "[]//",
        "/**/[]",
        "\u{feff}[]",
        "[\u{a0}1]",
        "[\u{b}1]",
        "[\u{c}1]",
        "\r\n\t [] \r\n\t",
    ] {
        agrees(text.as_bytes());
    }
    for bytes in
        [&b"\"\xff\""[..], b"\xff", b"\"\xed\xa0\x80\"", b"\"\xc0\xaf\"", b"\"\xf4\x90\x80\x80\"", b"[\"\xe2\x82\"]"]
    {
        agrees(bytes);
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    for (text, at, what) in [
        ("{\"a\": nil}", 6, "a word other than true, false and null"),
        ("[1, 01]", 4, "a number is not written as JSON writes it"),
        ("[1e400]", 1, "a number is too large"),
        ("[\"\\ud800\"]", 2, "half of a surrogate pair"),
        ("{} x", 3, "more follows after the value"),
        ("[\"abc", 5, "a text does not end"),
        ("<html>", 0, "there is no value where one must be"),
        ("\u{feff}{}", 0, "there is no value where one must be"),
    ] {
        let error = refused(text);
        assert_eq!((error.at, error.what, error.kind), (at, what, ScanErrorKind::NotJson), "{text}");
    }
    assert_eq!(refused(b"[\"\xff\"]").what, "it is not UTF-8");
}

#[test]
fn reads_64_levels_and_not_65() {
    let nested = |depth: usize| format!("{}1{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
    let doc = nested(64);
    let doc = Doc::scan(doc.as_bytes()).expect("64 levels");
    assert!(doc.root().at("0.a.0.a.0.a").is_some_and(Node::is_array));
    for depth in [66, 128, 100_000] {
        let error = refused(nested(depth));
        assert_eq!((error.kind, error.at), (ScanErrorKind::TooDeep, 32 * 6), "{depth}");
    }
    assert_eq!(refused("[".repeat(65)).kind, ScanErrorKind::TooDeep);
    assert!(Doc::scan(format!("{}{}", "[".repeat(64), "]".repeat(64)).as_bytes()).is_ok());
}

#[test]
fn finds_members_however_their_names_are_written() {
    let text = r#"{"\u0069d": 1, "a\\b": 2, "a\"b": 3, "": 4, "é": 5, "\ud83d\ude00": 6, "id2": 7, "a\u0000": 8}"#;
    let doc = Doc::scan(text.as_bytes()).expect("JSON");
    for (name, value) in [("id", 1), ("a\\b", 2), ("a\"b", 3), ("", 4), ("é", 5), ("😀", 6), ("id2", 7), ("a\0", 8)]
    {
        assert_eq!(doc.root().get(name).and_then(Node::as_i64), Some(value), "{name}");
    }
    for name in ["\\u0069d", "i", "id\": 1, \"a", "a\\\\b", "a\\\"b", "a", "\0"] {
        assert!(doc.root().get(name).is_none(), "{name}");
    }
    // A name too long for the tape's bits, alone and beside one that begins alike.
    let long = "n".repeat(5000);
    let text = format!("{{\"{long}\": 1, \"{long}m\": 2, \"x\": 3}}");
    let doc = Doc::scan(text.as_bytes()).expect("JSON");
    for (name, value) in [(long.clone(), 1), (format!("{long}m"), 2), ("x".into(), 3)] {
        assert_eq!(doc.root().get(&name).and_then(Node::as_i64), Some(value));
    }
    assert_eq!(doc.root().members().map(|(name, _)| name.len()).collect::<Vec<_>>(), [5000, 5001, 1]);
}

#[test]
fn of_two_members_of_one_name_the_first_counts() {
    let doc = Doc::scan(br#"{"id": "first", "\u0069d": "second"}"#).expect("JSON");
    assert!(doc.root().get("id").is_some_and(|id| id.str_eq("first")));
}

#[test]
fn texts_outlive_the_places() {
    let text = String::from(r#"{"id": "cus_1"}"#);
    let id = {
        let doc = Doc::scan(text.as_bytes()).expect("JSON");
        doc.root().get("id").and_then(Node::as_str)
    };
    assert!(matches!(id, Some(std::borrow::Cow::Borrowed("cus_1"))));
}

#[test]
fn an_answer_keeps_its_text_as_it_came() {
    let text = "{ \"a\" :\n 1.50e0 }";
    let answer = Scanned::new(text.into()).expect("JSON");
    assert_eq!(answer.root().get("a").map(Node::raw), Some("1.50e0"));
    assert_eq!(answer.text(), text);
    assert_eq!(answer.into_text(), text);
    for bytes in [&b"<html>"[..], b"\"\xff\""] {
        assert_eq!(Scanned::new(bytes.into()).expect_err("not JSON").bytes, bytes);
    }
}

#[test]
fn names_the_member_that_comes_twice() {
    for (text, path) in [
        (r#"{"amount":1,"amount":999999}"#, "amount"),
        (r#"{"amount":1,"\u0061mount":2}"#, "amount"),
        (r#"{"a":1,"b":2,"c":3,"b":4,"a":5}"#, "b"),
        (r#"{"items":[{"price":1},{"price":2,"x":{},"price":3}]}"#, "items[1].price"),
        (r#"[[1,{"a":{"b":1,"b":1}}]]"#, "[0][1].a.b"),
    ] {
        let doc = Doc::scan(text.as_bytes()).expect("JSON");
        assert_eq!(repeated_member(doc.root()).as_deref(), Some(path), "{text}");
    }
    for text in [r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, "[1,1]", "1", r#"{"a":1,"A":1,"a ":1,"":1}"#] {
        let doc = Doc::scan(text.as_bytes()).expect("JSON");
        assert_eq!(repeated_member(doc.root()), None, "{text}");
    }
}

/// 16 MiB, the most that an answer has.
const LARGEST: usize = 16 << 20;

#[test]
fn a_hostile_answer_of_the_largest_size_takes_a_bounded_tape() {
    for (open, unit, close) in [
        ("[", "1", "]"),
        ("[", "\"\"", "]"),
        ("[", "[]", "]"),
        ("[", "{}", "]"),
        ("[", "{\"\":0}", "]"),
        ("{", "\"a\":1", "}"),
        ("{", "\"a\":[]", "}"),
    ] {
        let count = (LARGEST - 2) / (unit.len() + 1);
        let text = format!("{open}{}{unit}{close}", format!("{unit},").repeat(count - 1));
        match super::scan::places(&text) {
            Ok((count, capacity)) => assert!(count == 1 && capacity < 5000, "{unit}: {count} of {capacity}"),
            Err(error) => assert_eq!(error.kind, ScanErrorKind::TooLarge, "{unit}"),
        }
    }
    // One less than too many is taken, and the list is not longer than it may be.
    let most = |count: usize| format!("[{}[]]", "[],".repeat(count - 2));
    let (count, capacity) = super::scan::places(&most(super::tape::MOST)).expect("taken");
    assert_eq!((count, capacity), (super::tape::MOST, super::tape::MOST));
    assert_eq!(refused(most(super::tape::MOST + 1)).kind, ScanErrorKind::TooLarge);
}

#[test]
fn reads_ten_mebibytes_of_text_and_three_of_numbers() {
    let text = format!("{{\"id\": \"{}\", \"last\": 7}}", "é\\n".repeat((10 << 20) / 4));
    let doc = Doc::scan(text.as_bytes()).expect("JSON");
    assert_eq!(doc.root().get("last").and_then(Node::as_i64), Some(7));
    assert_eq!(doc.root().get("id").and_then(Node::as_str).map(|t| t.len()), Some((10 << 20) / 4 * 3));
    let text = format!("{{\"data\": [{}7]}}", "1,".repeat((3 << 20) / 2));
    let doc = Doc::scan(text.as_bytes()).expect("JSON");
    let numbers = doc.root().get("data").expect("data").items();
    assert_eq!(numbers.last().and_then(Node::as_i64), Some(7));
}

fn value() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![3 => "[a-z_]{0,12}", 1 => "[\\x00-\\x7f]{0,20}", 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_any_value_as_serde_json_does(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        agrees(text.expect("written").as_bytes());
    }

    #[test]
    fn agrees_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        agrees(&bytes);
    }

    #[test]
    fn agrees_on_what_looks_like_json(text in "[\\[\\]{},:\"\\\\ \\n0-9eE.+\\-a-fnrstu]{0,24}") {
        agrees(text.as_bytes());
    }

    #[test]
    fn agrees_on_pieces_of_json(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "\"\\u0061\":", "1", "-1.5e3", "1e400", "true", "null", " ", "\\", "\\u", "d83d", "\\ude00", "é", "\0",
    ]), 0..20)) {
        agrees(pieces.concat().as_bytes());
    }

    #[test]
    fn agrees_on_damaged_json(
        value in value(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\",:\\0e u".to_vec())], 0..3u8), 1..4),
    ) {
        let mut text = value.to_string().into_bytes();
        for (place, byte, how) in damage {
            let place = place.index(text.len().max(1));
            match how {
                0 => text.insert(place, byte),
                1 if place < text.len() => drop(text.remove(place)),
                _ => text.truncate(place),
            }
        }
        agrees(&text);
    }

    #[test]
    fn a_name_in_any_writing_is_found_and_a_second_is_noticed(name in any::<String>(), other in any::<String>()) {
        let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let text = format!("{{\"{escaped}\": 1}}");
        let doc = Doc::scan(text.as_bytes()).expect("JSON");
        prop_assert_eq!(doc.root().get(&name).and_then(Node::as_i64), Some(1));
        prop_assert_eq!(doc.root().get(&other).is_some(), name == other);
        let text = format!("{{{}: 1, \"{escaped}\": 2}}", json!(other));
        let doc = Doc::scan(text.as_bytes()).expect("JSON");
        prop_assert_eq!(repeated_member(doc.root()), (name == other).then_some(name));
    }
}

/// Not a test of anything: prints what reading an event of Stripe's size takes here.
/// `cargo test --release --lib -- --ignored --nocapture scanning_takes`
#[test]
#[ignore = "measures, and judges nothing"]
fn scanning_takes() {
    let mut members = serde_json::Map::new();
    for index in 0..60 {
        let name = format!("member_of_the_charge_{index}");
        let value = match index % 6 {
            0 => Value::Null,
            1 => json!(1_767_225_600 + index),
            2 => json!("pm_1Sample0123456789abcdefg"),
            3 => json!({"order": "6735", "checks": {"cvc": "pass"}}),
            4 => json!(false),
            _ => json!([]),
        };
        members.insert(name, value);
    }
    let event = json!({"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"object": members}});
    for text in [event.to_string(), serde_json::to_string_pretty(&event).expect("written")] {
        let bytes = text.as_bytes();
        let timed = |what: &str, step: &dyn Fn() -> usize| {
            let best = (0..50).map(|_| {
                let start = std::time::Instant::now();
                for _ in 0..200 {
                    std::hint::black_box(step());
                }
                start.elapsed().as_nanos() / 200
            });
            println!("{what}: {} ns for {} bytes", best.min().unwrap_or_default(), bytes.len());
        };
        timed("scan", &|| Doc::scan(bytes).map_or(0, |d| d.root().raw().len()));
        timed("serde_json to nothing", &|| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_or(0, |_| 1));
        timed("serde_json to a tree", &|| serde_json::from_slice::<Value>(bytes).map_or(0, |_| 1));
        let doc = Doc::scan(bytes).expect("JSON");
        timed("last member", &|| doc.root().at("data.object.member_of_the_charge_59").map_or(0, |n| n.raw().len()));
        println!(
            "{:?} places, room for {}",
            super::scan::places(&text).map(|p| p.0),
            super::scan::places(&text).map_or(0, |p| p.1)
        );
    }
}
