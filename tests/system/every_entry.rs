//! Every action and query of the catalogue, and every name that has fields of its own, with random input that is valid:
//! what is sent is what the facts allow, and every value that was given is in it, as it was given.

use std::collections::{BTreeMap, BTreeSet};

use host::CallError;
use host::contract::{Error, OperationFilter, Outcome};
use serde_json::{Map, Value, json};
use specimens::{Author, Dice, Known};
use stripe_connector::catalogue::{self, Operation, Shape};
use stripe_connector::input::resource_in_path;
use stripe_connector::timestamp;
use stripe_facts::{Encoding, Facts, Method};
use stripe_simulator::{Options, RecordedRequest, Simulator, conformance};

use crate::platform::{KEY, Platform};

/// How often each is run.
const ROUNDS: u32 = 4;

/// Random input and what must be sent of it.
struct Written {
    input: Map<String, Value>,
    sent: Map<String, Value>,
}

/// The values in a JSON value, each under its name in a form: `items[0][price]`.
fn values(name: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    let inside = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}[{part}]") };
    match value {
        Value::Object(members) => members.iter().for_each(|(part, v)| values(&inside(part), v, out)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| values(&inside(&i.to_string()), v, out)),
        Value::String(text) => drop(out.insert(name.to_owned(), text.clone())),
        // A number without a fraction is written without one.
        Value::Number(n) if n.as_i64().is_none() && n.as_f64().is_some_and(|n| n.fract() == 0.0) => {
            out.insert(name.to_owned(), format!("{:.0}", n.as_f64().expect("a number")));
        }
        other => drop(out.insert(name.to_owned(), other.to_string())),
    }
}

/// What stands in a query or a form.
fn decoded(form: &str) -> BTreeMap<String, String> {
    let text = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                    u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("hexadecimal")
                }
                b'+' => b' ',
                other => other,
            });
        }
        String::from_utf8(bytes).expect("text")
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("a value");
        (text(name), text(value))
    };
    form.split('&').filter(|p| !p.is_empty()).map(pair).collect()
}

/// Takes a value out by the path that an error gives: `items[0].price`.
fn take_out(input: &mut Map<String, Value>, path: &str) -> bool {
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    if parent.is_empty() {
        return input.remove(name).is_some();
    }
    let mut whole = Value::Object(std::mem::take(input));
    let removed = match whole.pointer_mut(parent) {
        Some(Value::Object(members)) => members.remove(name).is_some(),
        Some(Value::Array(items)) => name.parse().is_ok_and(|i: usize| i < items.len() && !items.remove(i).is_null()),
        _ => false,
    };
    if let Value::Object(members) = whole {
        *input = members;
    }
    removed
}

/// Times as people write them, amounts with their currency: the same value in another form.
fn in_other_forms(operation: Operation, sent: &Map<String, Value>, dice: &mut Dice) -> Map<String, Value> {
    let mut input = sent.clone();
    for (name, value) in sent {
        let Some(field) = operation.parameters().get(name) else { continue };
        let Some(number) = value.as_i64().filter(|_| dice.percent(50)) else { continue };
        let is_time = matches!(field.shape(), Shape::Timestamp);
        let is_amount = matches!(field.shape(), Shape::Amount);
        let currency = sent.get("currency").map_or("usd", |c| c.as_str().unwrap_or_default());
        let decimal =
            if currency == "jpy" { number.to_string() } else { format!("{}.{:02}", number / 100, number % 100) };
        let major = operation.major_units().into_iter().find(|(_, minor)| minor == name);
        match major.filter(|_| sent.contains_key("currency") && dice.percent(50)) {
            Some((major, minor)) => {
                input.remove(minor);
                input.insert(major.to_owned(), decimal.into());
            }
            None if is_amount => drop(input.insert(name.clone(), json!({"decimal": decimal, "currency": currency}))),
            None if is_time => {
                input.insert(name.clone(), timestamp::from_unix(number).expect("a time").into());
            }
            None => {}
        }
    }
    // A range of times.
    if let Some(Value::Object(range)) = input.get_mut("created") {
        for value in range.values_mut() {
            if let Some(seconds) = value.as_i64() {
                *value = timestamp::from_unix(seconds).expect("a time").into();
            }
        }
    }
    input
}

/// Random parameters of an operation of the catalogue; exactly one of those of which exactly one is wanted.
fn parameters(author: &mut Author<'_>, operation: Operation, facts: &stripe_facts::Operation) -> Map<String, Value> {
    let mut all = author.parameters(facts);
    let fixed: Map<String, Value> = serde_json::from_str(operation.fixed()).unwrap_or_default();
    all.retain(|name, _| !fixed.contains_key(name));
    let wanted = operation.one_of();
    let given: Vec<&str> = wanted.iter().copied().filter(|n| all.contains_key(*n)).collect();
    if let Some((_, more)) = given.split_first() {
        more.iter().for_each(|name| drop(all.remove(*name)));
    } else if let Some(name) = wanted.first() {
        let id = author.known.named(name, author.dice).unwrap_or_else(|| "id_none".to_owned());
        let value = match operation.parameters().get(name).map(|f| f.shape()) {
            Some(Shape::Amount | Shape::Integer) => json!(1000),
            Some(Shape::Number) => json!(12.5),
            _ => json!(id),
        };
        all.insert((*name).to_owned(), value);
    }
    all
}

/// Input for an operation, in some currency or in this one.
fn written(
    author: &mut Author<'_>,
    operation: Operation,
    facts: &stripe_facts::Operation,
    currency: Option<&Value>,
) -> Written {
    let mut sent = parameters(author, operation, facts);
    if let (Some(own), Some(currency)) = (sent.get_mut("currency"), currency) {
        *own = currency.clone();
    }
    let mut input = in_other_forms(operation, &sent, author.dice);
    let ids = author.path(facts);
    for (name, (_, id)) in operation.path_fields().into_iter().zip(ids) {
        // Where there is nothing of the kind yet, some other id was taken, which the connector would not let pass.
        let own = resource_in_path(operation, name).map(|r| r.name());
        let other = catalogue::table().expect("a table").resource_of_id(&id).map(|r| r.name());
        let fits = own.is_none() || other.is_none() || own == other;
        input.insert(name.to_owned(), if fits { id } else { "id_none".to_owned() }.into());
    }
    for (name, value) in
        operation.defaults().parse::<Value>().ok().and_then(|d| d.as_object().cloned()).into_iter().flatten()
    {
        if !input.contains_key(&name) {
            sent.insert(name, value);
        }
    }
    sent.extend(serde_json::from_str::<Map<String, Value>>(operation.fixed()).unwrap_or_default());
    Written { input, sent }
}

async fn run(platform: &Platform, operation: Operation, id: &str, input: &str) -> Result<(), CallError> {
    let call = platform.fresh();
    if operation.kind().name() == "query" {
        return platform.connector.run_query(&call, id, input, None).await.map(drop);
    }
    platform.connector.run_action(&call, id, input).await.map(drop)
}

/// The error of what was refused before anything was sent.
fn unsent(result: &Result<(), CallError>) -> Option<&Error> {
    match result {
        Err(CallError::Connector(failure)) if failure.error.outcome == Outcome::NotSent => Some(&failure.error),
        _ => None,
    }
}

/// Runs it; what the facts do not know to be wrong, and the connector does, is taken out first.
/// `target`: where an input of an alias goes.
async fn run_what_is_valid(
    platform: &Platform,
    operation: Operation,
    id: &str,
    given: &mut Written,
    target: &dyn Fn(&str) -> String,
) -> Result<(), CallError> {
    loop {
        let result = run(platform, operation, id, &Value::Object(given.input.clone()).to_string()).await;
        let Some(error) = unsent(&result) else { return result };
        let beyond_facts =
            ["exclude each other", "is expanded in", "no part of pausing", "only applies when", "to two places"];
        assert!(beyond_facts.iter().any(|part| error.message.contains(part)), "{id} {:?}: {error:?}", given.input);
        let field = error.field.as_deref().expect("a field");
        let field = if field.starts_with("expand") { "expand" } else { field };
        assert!(take_out(&mut given.input, field), "{id}: {field} of {:?}", given.input);
        take_out(&mut given.sent, &target(field));
    }
}

/// The request of the operation itself among those that were made, checked against the facts as all of them are.
fn own_request<'r>(made: &'r [RecordedRequest], facts: &stripe_facts::Operation) -> Option<&'r RecordedRequest> {
    for r in made {
        let text = format!("{} {}?{} {}", r.method, r.path, r.query, r.body);
        conformance::check_request(&r.method, &r.path, &r.query, &r.body).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(!format!("{r:?}").contains(KEY), "{text}");
    }
    made.iter().find(|r| {
        let found = Facts::bundled().find(Method::parse(&r.method).expect("a method"), &r.path);
        found.is_some_and(|f| (f.operation.method, &f.operation.path) == (facts.method, &facts.path))
    })
}

/// Every value that was given is in the request as it was given, and nothing else is but what the hook adds.
fn check_nothing_is_lost(id: &str, given: &Map<String, Value>, request: &RecordedRequest, added: &[&str]) {
    let mut expected = BTreeMap::new();
    values("", &Value::Object(given.clone()), &mut expected);
    let form = if request.method == "POST" { &request.body } else { &request.query };
    let mut sent = decoded(form);
    sent.retain(|name, _| !added.contains(&name.as_str()) || expected.contains_key(name));
    assert_eq!(sent, expected, "{id}");
}

/// A shop with something in it, and the ids of that.
async fn shop() -> (Simulator, Platform, Known) {
    let options = Options { demo: true, seed: Some(1), check_answers: true, ..Options::default() };
    let simulator = Simulator::start_with(options).await.expect("a simulator");
    let platform = Platform::new(&simulator.base_url());
    let mut known = Known::default();
    for summary in platform.connector.all_operations(OperationFilter::default()).await.expect("a list") {
        if summary.id.ends_with(".list") {
            let found = platform.connector.run_query(&platform.fresh(), &summary.id, "{}", None).await;
            if let Ok(found) = found {
                known.learn(&serde_json::from_str(&found.value.output).expect("JSON"));
            }
        }
    }
    (simulator, platform, known)
}

fn facts_of(operation: Operation) -> &'static stripe_facts::Operation {
    let request = operation.request();
    let method = Method::parse(request.method().name()).expect("a method");
    Facts::bundled().operation(method, request.path()).expect("an operation of the API")
}

/// What a hook sends in another request than the operation's own, or beside what was given.
fn is_sent_otherwise(operation: Operation) -> bool {
    matches!(operation.hook(), "cancel-subscription" | "resume-subscription")
}

#[tokio::test]
async fn every_entry_sends_what_it_was_given_and_nothing_that_the_facts_refuse() {
    let (simulator, platform, known) = shop().await;
    let table = catalogue::table().expect("a table");
    let mut dice = Dice::new(9);
    let (mut ran, mut tried) = (BTreeSet::new(), 0);
    for round in 0..ROUNDS {
        for operation in table.operations().iter().filter_map(Operation::curated) {
            let facts = facts_of(operation);
            // A file travels beside the input: its operation has tests of its own.
            if facts.encoding == Encoding::Multipart {
                continue;
            }
            let mut author = Author { dice: &mut dice, known: &known, wrong: false, sparse: round == 0 };
            let mut given = written(&mut author, operation, facts, None);
            let before = simulator.requests().len();
            let result = run_what_is_valid(&platform, operation, operation.id(), &mut given, &str::to_owned).await;
            let requests = simulator.requests();
            let own = own_request(&requests[before..], facts);
            tried += 1;
            if is_sent_otherwise(operation) {
                continue;
            }
            let request =
                own.unwrap_or_else(|| panic!("{} {:?}: nothing was sent: {result:?}", operation.id(), given.input));
            let added: &[&str] = if operation.hook().is_empty() {
                &[]
            } else {
                &["success_url", "cancel_url", "pause_collection[behavior]"]
            };
            check_nothing_is_lost(operation.id(), &given.sent, request, added);
            ran.extend(result.is_ok().then(|| operation.id()));
        }
    }
    println!("{tried} runs; {} entries succeeded at least once", ran.len());
    assert!(simulator.violations().is_empty(), "{:?}", simulator.violations());
    assert!(ran.len() >= 70, "{}", ran.len());
}

/// What an alias's inputs are in its operation: a field, a member of one, or a member of the first of a list.
fn put(sent: &mut Map<String, Value>, target: &str, value: Value) {
    let mut value = value;
    let mut path: Vec<&str> = target.split('.').collect();
    let field = path.remove(0);
    let whole = sent.entry(field).or_insert(Value::Null);
    for name in path.into_iter().rev() {
        value = if name == "0" { json!([value]) } else { json!({name: value}) };
    }
    merge(whole, value);
}

fn merge(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().for_each(|(name, value)| merge(into.entry(name).or_insert(Value::Null), value));
        }
        (Value::Array(into), Value::Array(from)) => into.iter_mut().zip(from).for_each(|(i, f)| merge(i, f)),
        (into, value) => *into = value,
    }
}

#[tokio::test]
async fn every_name_with_fields_of_its_own_sends_what_it_was_given() {
    let (simulator, platform, known) = shop().await;
    let table = catalogue::table().expect("a table");
    let mut dice = Dice::new(10);
    let mut tried = 0;
    for _ in 0..ROUNDS * 3 {
        for alias in table.aliases() {
            let entry = table.operation(alias.operation()).iter().find(|o| o.kind() == alias.kind()).expect("there");
            let operation = Operation::curated(entry).expect("a request");
            let facts = facts_of(operation);
            let mut author = Author { dice: &mut dice, known: &known, wrong: false, sparse: false };
            // What its source documents, with ids that there are, instead of the operation's own fields.
            let sample: Map<String, Value> = serde_json::from_str(&alias.sample()).expect("JSON");
            let mut given = written(&mut author, operation, facts, sample.get("currency"));
            let heads: BTreeSet<&str> =
                alias.inputs().iter().map(|(_, target)| target.split('.').next().expect("a field")).collect();
            let own = |name: &str| heads.contains(name) || operation.path_fields().contains(&name);
            given.input.retain(|name, _| !own(name) && !sample.contains_key(name));
            given.sent.retain(|name, _| !heads.contains(name.as_str()) && !sample.contains_key(name));
            // Of these exactly one is wanted, and it is given.
            if operation.one_of().iter().any(|name| heads.contains(name)) {
                given.input.retain(|name, _| !operation.one_of().contains(&name.as_str()));
                given.sent.retain(|name, _| !operation.one_of().contains(&name.as_str()));
            }
            for (major, minor) in operation.major_units() {
                if heads.contains(minor) || sample.contains_key(minor) {
                    given.input.remove(major);
                }
            }
            for (name, value) in &sample {
                let target =
                    alias.inputs().iter().find(|(own, _)| own == name).map_or(name.as_str(), |(_, target)| target);
                let last = target.rsplit('.').next().expect("a name");
                let id = value.as_str().filter(|v| v.contains("OzQ2eLkdIwHu7ix") || v.contains("QxYz0123456789"));
                let value = match id {
                    Some(made_up) => known.named(last, &mut dice).unwrap_or_else(|| made_up.to_owned()).into(),
                    None => value.clone(),
                };
                given.input.insert(name.clone(), value.clone());
                let is_own = alias.filters().iter().any(|(own, _)| own == name) || alias.key() == name;
                if is_own
                    || operation.path_fields().contains(&target)
                    || operation.extra().is_some_and(|e| e.get(target).is_some())
                {
                    continue;
                }
                let is_time = name.ends_with("Date");
                let seconds = |text: &Value| json!(text.as_str().map(|_| 1_767_225_600));
                put(&mut given.sent, target, if is_time { seconds(&value) } else { value });
            }
            let defaults: Map<String, Value> = serde_json::from_str(alias.defaults()).unwrap_or_default();
            for (name, value) in defaults.into_iter().filter(|(name, _)| !sample.contains_key(name)) {
                let target = alias.inputs().iter().find(|(own, _)| *own == name).expect("its input").1;
                put(&mut given.sent, target, value);
            }
            let before = simulator.requests().len();
            let target = |field: &str| {
                let own = alias.inputs().iter().find(|(name, _)| *name == field);
                own.map_or(field, |(_, target)| target).to_owned()
            };
            let result = run_what_is_valid(&platform, operation, alias.name(), &mut given, &target).await;
            let requests = simulator.requests();
            let own = own_request(&requests[before..], facts);
            tried += 1;
            if is_sent_otherwise(operation) {
                continue;
            }
            let request =
                own.unwrap_or_else(|| panic!("{} {:?}: nothing was sent: {result:?}", alias.name(), given.input));
            check_nothing_is_lost(alias.name(), &given.sent, request, &["success_url", "cancel_url"]);
            if let Some(key) = sample.get(alias.key()) {
                assert_eq!(request.header("idempotency-key"), key.as_str(), "{}", alias.name());
            }
        }
    }
    assert!(tried >= 100, "{tried}");
}
