use serde_json::{Value, json};

use super::*;
use crate::catalogue::{self, Operation};
use crate::{input as input_of, sample, triggers};

fn every_operation() -> impl Iterator<Item = Operation> {
    let table = catalogue::table().expect("opens");
    table.operations().iter().filter_map(Operation::curated).chain(table.requests().iter().map(Operation::plain))
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Checks what holds of every schema, and makes a validator of it.
fn validator(schema: &Value, what: &str) -> jsonschema::Validator {
    for keyword in ["oneOf", "anyOf", "allOf", "not", "$ref"] {
        assert!(schema.get(keyword).is_none(), "{what}: {keyword} at the root");
    }
    assert_eq!(schema["type"], "object", "{what}");
    assert_one_type(schema, what);
    let problem = jsonschema::meta::validate(schema).err().map(|e| format!("{e} at {}", e.instance_path()));
    assert_eq!(problem, None, "{what}");
    jsonschema::draft202012::new(schema).unwrap_or_else(|e| panic!("{what}: {e}"))
}

fn assert_one_type(schema: &Value, what: &str) {
    match schema {
        Value::Object(members) => {
            // A property may be called `type`, too; then it is a schema.
            assert!(members.get("type").is_none_or(|t| !t.is_array()), "{what}: a list of types");
            members.values().for_each(|m| assert_one_type(m, what));
        }
        Value::Array(items) => items.iter().for_each(|i| assert_one_type(i, what)),
        _ => {}
    }
}

fn assert_fits(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let problems: Vec<String> = validator.iter_errors(value).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{what}: {problems:?}\n{value}");
}

fn input_schema(id: &str, degree: Degree) -> Value {
    parse(&input(catalogue::operation(id, None).expect(id), degree, &Narrowing::default()))
}

#[test]
fn what_is_always_sent_is_no_field_and_shows_in_the_sample() {
    let mut operations = every_operation().filter(|o| !o.fixed().is_empty()).peekable();
    assert!(operations.peek().is_some());
    for operation in operations {
        let (id, fixed) = (operation.id(), parse(operation.fixed()));
        let output = parse(&sample::output(operation));
        for (name, value) in fixed.as_object().expect(id) {
            for degree in [Degree::Shown, Degree::Full] {
                let schema = input_schema(id, degree);
                assert!(schema["properties"].get(name).is_none(), "{id}: {name}");
                assert!(!schema["required"].as_array().expect(id).contains(&json!(name)), "{id}: {name}");
            }
            if output.get(name).is_some_and(Value::is_boolean) {
                assert_eq!(&output[name], value, "{id}: {name}");
            }
        }
    }
}

#[test]
fn every_sample_fits_its_schemas_and_its_check() {
    for operation in every_operation() {
        let id = operation.id();
        let sample_input = sample::input(operation);
        let file =
            operation.parameters().iter().find(|f| f.shape() == catalogue::Shape::File).map(|f| input_of::File {
                field: f.name().to_owned(),
                name: "sample.pdf".into(),
                content_type: "application/pdf".into(),
                content: vec![1],
            });
        input_of::check(operation, &sample_input, file.into_iter().collect())
            .unwrap_or_else(|e| panic!("{id}: {sample_input} {e:?}"));
        let (sample_input, sample_output) = (parse(&sample_input), parse(&sample::output(operation)));
        for degree in [Degree::Shown, Degree::Full] {
            let schema = parse(&input(operation, degree, &Narrowing::default()));
            assert_fits(&validator(&schema, id), &sample_input, &format!("input of {id}, {degree:?}"));
            // All outputs together have 15 MB in full: those of what people have described stand for them.
            if degree == Degree::Shown || operation.entry().is_some() {
                let schema = parse(&output(operation, degree));
                assert_fits(&validator(&schema, id), &sample_output, &format!("output of {id}, {degree:?}"));
            }
        }
    }
}

#[test]
fn every_event_fits_its_schema() {
    let table = catalogue::table().expect("opens");
    for id in table.events().iter().map(|e| e.name()).chain(["*", "invoice.*"]) {
        let trigger = catalogue::trigger(id).expect(id);
        let sample = parse(&sample::event(trigger));
        for degree in [Degree::Shown, Degree::Full] {
            let schema = parse(&event(trigger, degree));
            assert_fits(&validator(&schema, id), &sample, id);
        }
        validator(&parse(&triggers::input_schema(trigger)), id);
    }
}

#[test]
fn every_object_that_a_schema_names_has_a_schema() {
    for object in catalogue::table().expect("opens").objects() {
        let schema = parse(&object_schema(object.name()).expect("there"));
        validator(&schema, object.name());
        names_of(&schema).iter().for_each(|name| assert!(object_schema(name).is_ok(), "{name}"));
    }
    let error = object_schema("custommer").expect_err("none");
    assert!(error.hint.is_some_and(|h| h.contains("`customer`")));
}

fn names_of(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let own = members.get("x-object").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(names_of)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names_of).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn short_schemas_are_short() {
    for operation in every_operation() {
        let (input, output) =
            (input(operation, Degree::Shown, &Narrowing::default()).len(), output(operation, Degree::Shown).len());
        assert!(input <= 24 * 1024 && output <= 32 * 1024, "{}: {input} and {output} bytes", operation.id());
    }
}

#[test]
fn shown_fields_come_in_order_and_say_what_they_pick() {
    let schema = input_schema("payment_intent.create", Degree::Shown);
    let properties = schema["properties"].as_object().expect("properties");
    let mut shown: Vec<(u64, &str)> =
        properties.iter().filter_map(|(n, s)| Some((s["x-order"].as_u64()?, n.as_str()))).collect();
    shown.sort_unstable();
    let shown: Vec<&str> = shown.into_iter().map(|(_, n)| n).collect();
    assert_eq!(shown[..3], ["amount", "amount_major", "currency"]);
    assert_eq!(properties["customer"]["x-choices"], "customer");
    assert_eq!(properties["payment_method"]["x-choices-need"], json!(["customer"]));
    assert!(!properties.contains_key("transfer_data"), "not shown first");
    assert_eq!(schema.get("additionalProperties"), None);
    let full = input_schema("payment_intent.create", Degree::Full);
    assert!(full["properties"]["transfer_data"].is_object());
    assert_eq!(full["additionalProperties"], false);
    let parameters = input_schema("v1.payment_intents.create", Degree::Shown);
    assert!(parameters["properties"]["transfer_data"].is_object(), "nobody has said what to show first");
}

#[test]
fn what_the_check_refuses_the_schema_refuses() {
    let operation = catalogue::operation("payment_intent.create", None).expect("there");
    let schema = validator(&input_schema("payment_intent.create", Degree::Full), "full");
    for good in [
        json!({"amount": 1099, "currency": "usd"}),
        json!({"amount_major": "10.99", "currency": "usd"}),
        json!({"amount": {"decimal": "10.99", "currency": "usd"}, "currency": "usd"}),
        json!({"amount": 1, "currency": "JPY", "metadata": {"order": "", "gone": null}}),
        json!({"amount": 1, "currency": "usd", "mandate_data": null}),
        json!({"amount": 1, "currency": "usd", "mandate_data": ""}),
    ] {
        assert_fits(&schema, &good, "good");
        input_of::check(operation, &good.to_string(), vec![]).expect("good");
    }
    for bad in [
        json!({"amount": 1}),
        json!({"amount": 0, "currency": "usd"}),
        json!({"amount": 1.5, "currency": "usd"}),
        json!({"amount": {"decimal": "10.99"}, "currency": "usd"}),
        json!({"amount": 1, "currency": "dollar"}),
        json!({"amount": 1, "currency": "usd", "colour": "red"}),
        json!({"amount": 1, "currency": "usd", "metadata": {"k": "v".repeat(501)}}),
        json!({"amount": 1, "currency": "usd", "description": null}),
    ] {
        assert!(!schema.is_valid(&bad), "{bad}");
        input_of::check(operation, &bad.to_string(), vec![]).expect_err("bad");
    }
}

#[test]
fn alternatives_are_named_where_a_form_can_read_them() {
    let schema = input_schema("payment_intent.create", Degree::Shown);
    assert_eq!(schema["x-one-of"], json!([["amount", "amount_major"]]));
    assert_eq!(schema["required"], json!(["currency"]));
    assert!(schema["description"].as_str().expect("text").contains("exactly one of `amount` and `amount_major`"));
    assert_eq!(
        input_schema("refund.create", Degree::Shown)["x-one-of"],
        json!([["payment_intent", "charge", "origin"]])
    );
    assert_eq!(input_schema("customer.create", Degree::Shown).get("x-one-of"), None);
}

#[test]
fn what_is_given_leaves_out_its_alternatives() {
    let operation = catalogue::operation("payment_intent.create", None).expect("there");
    let narrowing = Narrowing { given: vec!["amount_major".into()], meaningless: vec!["description"] };
    let schema = parse(&input(operation, Degree::Full, &narrowing));
    let properties = schema["properties"].as_object().expect("properties");
    assert!(properties.contains_key("amount_major"));
    assert!(!properties.contains_key("amount") && !properties.contains_key("description"));
}

#[test]
fn a_file_is_named_beside_the_fields() {
    let schema = input_schema("v1.files.create", Degree::Full);
    assert_eq!(schema["x-files"], json!([{"field": "file", "required": true}]));
    assert!(schema["properties"].get("file").is_none());
    assert_eq!(schema["required"], json!(["purpose"]));
}

#[test]
fn times_and_amounts_may_be_written_in_two_ways() {
    let schema = input_schema("customer.list", Degree::Full);
    let times = json!([{"type": "integer"}, {"type": "string", "format": "date-time"}]);
    assert_eq!(schema["properties"]["created"]["anyOf"][0]["properties"]["gte"]["anyOf"], times);
    assert_eq!(schema["properties"]["created"]["anyOf"].as_array().map(Vec::len), Some(3));
    let event = input_schema("v2.billing.meter_events.create", Degree::Full);
    assert_eq!(event["properties"]["timestamp"]["anyOf"], times);
}
