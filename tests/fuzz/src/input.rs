//! The check of an input, of any operation and on any text.

use serde_json::{Map, Value};
use specimens::{Author, Dice, Known};
use stripe_connector::catalogue;
use stripe_connector::error::{ErrorKind, Outcome};
use stripe_connector::input;
use stripe_facts::{Facts, Method};

use crate::Target;

/// The check of an input.
pub const TARGET: Target = Target {
    name: "input",
    run,
    corpus,
    words: &[
        "{}",
        "[]",
        "\"\"",
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "0.5",
        "9223372036854775808",
        "\"amount\":1,",
        "\"currency\":\"usd\",",
        "\"currency\":\"JPY\",",
        "{\"decimal\":\"10.99\",\"currency\":\"usd\"}",
        "\"metadata\":{\"a\":\"b\"},",
        "\"2026-01-31T10:00:00Z\"",
        "\"2026-01-31\"",
        "\"expand\":[\"customer\"],",
        "\"cus_NffrFeUfNV2Hib\"",
        "..",
        "/",
        "\\u0000",
        "\\ud83d",
        "é",
        "😀",
    ],
};

/// The id of an operation in the first line, the input behind it. Where there is no such operation, one by chance.
fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (id, text) = text.split_once('\n').unwrap_or(("", &text));
    let table = catalogue::table().expect("a table");
    let by_chance = bytes.iter().map(|b| usize::from(*b)).sum::<usize>() % table.requests().len();
    let is_one = !table.operation(id).is_empty() || table.request(id).is_some();
    let id = if is_one { id } else { table.requests().get(by_chance).expect("a request").id() };
    let operation = catalogue::operation(id, None).expect("an operation");
    let checked = match input::check(operation, text, Vec::new()) {
        Ok(checked) => checked,
        Err(error) => {
            assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::InvalidInput, Outcome::NotSent, 0));
            assert!(!error.message.is_empty() && error.field.as_deref() != Some(""), "{error:?}");
            return;
        }
    };
    // No input at all is one without fields.
    let said = if text.trim().is_empty() { "{}" } else { text };
    let Ok(Value::Object(given)) = serde_json::from_str(said) else { panic!("taken, and no object: {text:?}") };
    let known = operation.input_names();
    assert!(given.keys().all(|name| known.contains(&name.as_str())), "a field that there is not: {text}");
    assert_eq!(checked.path.len(), operation.path_fields().len());
    assert!(checked.path.iter().all(|id| !id.is_empty() && id != "." && id != ".." && !id.contains(['/', '?', '#'])));
    assert!(checked.parameters.keys().all(|name| operation.parameters().get(name).is_some()));

    // What was checked says the same when it is said again.
    let mut again: Map<String, Value> = checked.parameters.clone();
    again.extend(checked.extra.clone());
    again.extend(
        operation.path_fields().into_iter().map(str::to_owned).zip(checked.path.iter().cloned().map(Value::from)),
    );
    // What is always sent is nobody's to say.
    again.retain(|name, _| known.contains(&name.as_str()));
    let twice = input::check(operation, &Value::Object(again.clone()).to_string(), Vec::new());
    assert_eq!(twice.as_ref(), Ok(&checked), "{} of {}", Value::Object(again), operation.id());
}

/// Input of every seventh operation, made from the facts, and every sample of the catalogue.
fn corpus() -> Vec<Vec<u8>> {
    let table = catalogue::table().expect("a table");
    let entry = |id: &str, input: &str| format!("{id}\n{input}").into_bytes();
    let samples = table.operations().iter().map(|o| entry(o.id(), &o.sample()));
    let (known, mut dice) = (Known::default(), Dice::new(3));
    let made = table.requests().iter().step_by(7).map(|request| {
        let method = Method::parse(request.method().name()).expect("a method");
        let operation = Facts::bundled().operation(method, request.path()).expect("an operation of the API");
        let mut author = Author { dice: &mut dice, known: &known, wrong: false, sparse: false };
        let mut input = author.parameters(operation);
        input.extend(author.path(operation).into_iter().map(|(name, id)| (name.to_owned(), id.into())));
        entry(request.id(), &Value::Object(input).to_string())
    });
    samples.chain(made.collect::<Vec<_>>()).collect()
}
