//! The facts as they are kept: complete, written as they are read, and refused when damaged.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use stripe_facts::{Encoding, Facts, Method, Shape, import, text};

#[test]
fn the_bundled_facts_are_of_one_whole_api_version() {
    let facts = Facts::bundled();
    assert_eq!(facts.api_version, "2026-10-28.endive");
    assert_eq!((facts.operations.len(), facts.objects.len(), facts.event_types.len()), (648, 174, 275));
    assert!(facts.event_types.is_sorted());
}

#[test]
fn writing_what_was_read_gives_the_same_files() {
    for ((name, kept), (written_name, written)) in text::FILES.into_iter().zip(text::write(Facts::bundled())) {
        assert_eq!(name, written_name);
        assert!(kept == written, "{name} is not as it would be written");
    }
}

#[test]
fn a_parameter_has_its_type_whether_it_is_required_and_whether_it_can_be_unset() {
    let create = Facts::bundled().operation(Method::Post, "/v1/payment_intents").expect("there");
    assert_eq!((create.encoding, create.name.as_str()), (Encoding::Form, "PaymentIntentService.create"));
    let amount = create.parameter("amount").expect("there");
    assert_eq!((amount.required, &amount.shape), (true, &Shape::Integer));
    assert!(create.parameter("metadata").is_some_and(|m| !m.required));
    let update = Facts::bundled().operation(Method::Post, "/v1/customers/{customer}").expect("there");
    assert!(update.parameter("metadata").is_some_and(|m| m.shape.is_emptyable()));
    assert!(create.parameter("payment_method_types").is_none(), "it left in this version");
}

#[test]
fn a_literal_segment_wins_over_a_placeholder() {
    let find = |method, path| Facts::bundled().find(method, path).map(|f| f.operation.path.as_str());
    assert_eq!(find(Method::Get, "/v1/customers/search"), Some("/v1/customers/search"));
    assert_eq!(find(Method::Get, "/v1/customers/cus_1"), Some("/v1/customers/{customer}"));
    assert_eq!(find(Method::Get, "/v1/customers/"), None);
    assert_eq!(find(Method::Get, "/v1/customers/cus_1/more/of/it"), None);
    assert_eq!(find(Method::Delete, "/v1/balance"), None);
    assert!(Facts::bundled().knows_path("/v1/balance"));
}

#[test]
fn every_reference_leads_to_an_object() {
    fn references<'f>(shape: &'f Shape, found: &mut Vec<&'f str>) {
        match shape {
            Shape::Ref(name) => found.push(name),
            Shape::Expandable(names) => found.extend(names.iter().map(String::as_str)),
            Shape::Array(s) | Shape::Map(s) | Shape::List(s) | Shape::Search(s) | Shape::Pages(s) => {
                references(s, found)
            }
            Shape::Union(parts) => parts.iter().for_each(|s| references(s, found)),
            Shape::Object(fields) => fields.iter().for_each(|f| references(&f.shape, found)),
            _ => {}
        }
    }
    let facts = Facts::bundled();
    let mut found = Vec::new();
    facts.objects.values().for_each(|s| references(s, &mut found));
    facts.operations.iter().for_each(|o| references(&o.response, &mut found));
    assert!(found.len() > 500);
    for name in found {
        assert!(facts.objects.contains_key(name), "{name}");
    }
}

#[test]
fn a_damaged_text_is_refused_with_its_line() {
    let wrong = |text: &str| text::parse(text).expect_err(text);
    assert!(wrong("event x\n").problem.contains("api VERSION"));
    assert_eq!(wrong("api 1\nPUT /v1/x form A.b -> any\n").line, 2);
    for (body, problem) in [
        ("object x\n  a\n", "needs a type"),
        ("object x\n  a strin\n", "`strin` is no type"),
        ("object x\n  a [string\n", "without `]`"),
        ("object x\n  a string]\n", "after the type"),
        ("object x\n  a @nowhere\n", "no enum `nowhere`"),
        ("object x\n      a string\n", "indented too far"),
        ("GET /v1/x form A.b\n", "-> TYPE"),
        ("GET /v1/x xml A.b -> any\n", "no encoding"),
    ] {
        let error = wrong(&format!("api 1\n{body}"));
        assert!(error.problem.contains(problem), "{body}: {error}");
    }
}

#[test]
fn an_openapi_document_is_taken_over_or_refused_where_it_is_not_understood() {
    let document = |schema: serde_json::Value| {
        serde_json::json!({
            "info": {"version": "2030-01-01.test"},
            "components": {"schemas": {"thing": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "a": schema}}}},
            "paths": {"/v1/webhook_endpoints": {"post": {
                "operationId": "PostV1WebhookEndpoints",
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
                    "enabled_events": {"type": "array", "items": {"type": "string", "enum": ["*", "b.done", "a.done"]}}}}}}},
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}}}}}}},
        })
    };
    let facts = import::from_openapi(&document(
        serde_json::json!({"type": "integer", "nullable": true, "description": "prose"}),
    ))
    .expect("fine");
    assert_eq!(
        (facts.api_version.as_str(), facts.event_types.as_slice()),
        ("2030-01-01.test", ["a.done".to_owned(), "b.done".to_owned()].as_slice())
    );
    let all: String = text::write(&facts).into_iter().map(|(_, body)| body).collect();
    assert!(all.contains("  a? integer\n  id* string\n") && !all.contains("prose"), "{all}");
    assert_eq!(text::parse(&all).expect("reads back"), facts);
    let error = import::from_openapi(&document(serde_json::json!({"type": "tuple"}))).expect_err("refused");
    assert_eq!((error.at.as_str(), error.problem.as_str()), ("thing.a", "type tuple"));
}
