use serde_json::{Value, json};

use super::target::Target;
use super::*;
use crate::catalogue::{self, OperationKind, Own, own};
use crate::error::ErrorKind;

fn the(id: &str) -> &'static Own {
    own(id).expect(id)
}

fn found(input: &Value) -> Vec<Value> {
    let told = search(the("api.search"), &input.to_string(), None).expect("found");
    let output: Value = serde_json::from_str(&told.output).expect("JSON");
    output["operations"].as_array().expect("a list").clone()
}

fn ids(input: Value) -> Vec<String> {
    found(&input).iter().map(|o| o["operation"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn words_find_what_was_meant_first() {
    for (words, id) in [
        ("refund a payment", "v1.refunds.create"),
        ("create customer", "v1.customers.create"),
        ("list tax rates", "v1.tax_rates.list"),
        ("cancel a subscription", "v1.subscriptions.cancel"),
        ("get invoice", "v1.invoices.retrieve"),
        ("v1.balance.retrieve", "v1.balance.retrieve"),
        ("advance test clock", "v1.test_helpers.test_clocks.advance"),
    ] {
        let all = ids(json!({"words": words}));
        assert!(all.iter().take(3).any(|found| found == id), "{words}: {all:?}");
    }
    assert!(ids(json!({"words": "zebra"})).is_empty());
}

#[test]
fn method_and_resource_narrow_it() {
    let deletes = found(&json!({"method": "delete", "resource": "customers", "limit": 100}));
    assert!(deletes.len() > 1);
    for operation in deletes {
        assert_eq!(operation["method"], "DELETE");
        assert!(operation["path"].as_str().expect("a path").contains("/customers"), "{operation}");
    }
    assert!(ids(json!({"resource": "tax rate"})).contains(&"v1.tax_rates.create".to_owned()));
}

#[test]
fn everything_is_found_page_by_page_and_once() {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let told = search(the("api.search"), r#"{"limit":100}"#, cursor.as_deref()).expect("a page");
        let output: Value = serde_json::from_str(&told.output).expect("JSON");
        all.extend(output["operations"].as_array().expect("a list").iter().map(|o| o["operation"].to_string()));
        cursor = told.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), catalogue::table().expect("opens").requests().len());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), catalogue::table().expect("opens").requests().len());
}

#[test]
fn what_a_search_cannot_mean_is_refused() {
    for (input, field) in [
        (json!({"word": "x"}), "word"),
        (json!({"limit": 0}), "limit"),
        (json!({"limit": "5"}), "limit"),
        (json!({"method": "PUT"}), "method"),
        (json!({"words": ""}), "words"),
    ] {
        let error = search(the("api.search"), &input.to_string(), None).expect_err("refused");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{input}");
    }
    assert!(search(the("api.search"), "{}", Some("x")).is_err());
}

fn meant(own: &str, input: Value, kind: Option<OperationKind>) -> crate::error::Result<Target> {
    target(the(own), &input.to_string(), kind)
}

#[test]
fn an_operation_is_named_by_id_or_by_method_and_path() {
    let write = Some(OperationKind::Action);
    for (input, id, becomes) in [
        (
            json!({"operation": "v1.customers.create", "input": {"email": "a"}}),
            "v1.customers.create",
            json!({"email": "a"}),
        ),
        (json!({"operation": "customer.create"}), "customer.create", json!({})),
        (json!({"operation": "Create a Customer"}), "customer.create", json!({})),
        (
            json!({"method": "post", "path": "/v1/customers/cus_1", "params": {"name": "x"}}),
            "v1.customers.update",
            json!({"customer": "cus_1", "name": "x"}),
        ),
        (
            json!({"operation": "DELETE /v1/customers/cus%201/sources/card_1"}),
            "v1.customers.sources.detach",
            json!({"customer": "cus 1", "id": "card_1"}),
        ),
    ] {
        let target = meant("api.write", input, write).expect(id);
        assert_eq!(target.operation.id(), id);
        assert_eq!(serde_json::from_str::<Value>(&target.input).expect("JSON"), becomes);
    }
}

#[test]
fn words_of_a_path_go_before_ids() {
    let read = Some(OperationKind::Query);
    let id = |path: &str| meant("api.read", json!({"method": "GET", "path": path}), read).expect(path).operation.id();
    assert_eq!(id("/v1/customers/search"), "v1.customers.search");
    assert_eq!(id("/v1/customers/cus_1"), "v1.customers.retrieve");
    assert_eq!(id("/v1/customers/"), "v1.customers.list");
}

#[test]
fn every_path_leads_to_its_own_request() {
    for request in catalogue::table().expect("opens").requests() {
        let line = [request.method().name(), " ", request.path()].concat();
        let found = target(the("api.describe"), &json!({"operation": line}).to_string(), None).expect(&line);
        assert_eq!(found.operation.id(), request.id());
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_a_way_out() {
    let (read, write) = (Some(OperationKind::Query), Some(OperationKind::Action));
    for (own, kind, input, field, says) in [
        ("api.read", read, json!({}), "operation", "is required"),
        ("api.read", read, json!({"operation": "v1.customers.create"}), "operation", "run it with `api.write`"),
        ("api.write", write, json!({"operation": "v1.customers.list"}), "operation", "run it with `api.read`"),
        ("api.write", write, json!({"operation": "v1.customers.create", "path": "/v1"}), "path", "not both"),
        ("api.write", write, json!({"operation": "v1.customers.create", "params": {}}), "params", "goes with `path`"),
        ("api.write", write, json!({"path": "/v1/customers"}), "method", "is required"),
        ("api.write", write, json!({"path": "/v1/customers", "method": "PUT"}), "method", "no method `PUT`"),
        ("api.write", write, json!({"path": "/v1/customers?x=1", "method": "POST"}), "path", "no `?`"),
        ("api.write", write, json!({"operation": "v1.customers.create", "inptu": {}}), "inptu", "no field"),
        ("api.write", write, json!({"operation": "v1.customers.create", "input": []}), "input", "an object"),
        ("api.write", write, json!({"operation": "POST /v1/customers/{customer}"}), "operation", "a real id"),
        (
            "api.write",
            write,
            json!({"operation": "POST /v1/customers/cus_1", "input": {"customer": "cus_2"}}),
            "customer",
            "in the path already",
        ),
    ] {
        let error = meant(own, input.clone(), kind).expect_err("refused");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{input}: {error:?}");
        assert!(error.message.contains(says), "{input}: {}", error.message);
    }
    let other = meant("api.read", json!({"operation": "GET /v1/customers/cus_1/cancel"}), read).expect_err("refused");
    assert!(other.hint.is_some(), "{other:?}");
    let of_another = meant("api.read", json!({"operation": "GET /v1/refunds/re_1/cancel"}), read).expect_err("refused");
    assert!(of_another.hint.is_some_and(|hint| hint.contains("a POST of this path")));
    let unknown = meant("api.read", json!({"operation": "v1.customer.list"}), read).expect_err("refused");
    assert_eq!((unknown.kind, unknown.field.as_deref()), (ErrorKind::UnknownOperation, Some("operation")));
    assert!(unknown.hint.is_some_and(|hint| hint.contains("`v1.customers.list`")));
}

#[test]
fn every_operation_is_described() {
    for request in catalogue::table().expect("opens").requests() {
        let told = describe(the("api.describe"), &json!({"operation": request.id()}).to_string()).expect("described");
        let output: Value = serde_json::from_str(&told.output).expect("JSON");
        assert_eq!((&output["operation"], &output["path"]), (&json!(request.id()), &json!(request.path())));
        assert_eq!(output["input_schema"]["type"], "object");
        for (member, _) in the("api.describe").outputs {
            assert!(output.get(member).is_some(), "{member}");
        }
    }
}

#[test]
fn the_four_have_schemas_that_everybody_takes_and_samples_that_fit() {
    for own in &catalogue::OWN {
        for (schema, sample) in [(own.input_schema(), own.sample_input), (own.output_schema(), own.sample_output)] {
            let schema: Value = serde_json::from_str(&schema).expect("JSON");
            assert!(jsonschema::meta::is_valid(&schema), "{}: {schema}", own.id);
            assert_eq!(schema["type"], "object");
            assert!(["oneOf", "anyOf", "allOf", "not"].iter().all(|c| schema.get(c).is_none()));
            let sample: Value = serde_json::from_str(sample).expect("JSON");
            assert!(jsonschema::draft202012::new(&schema).expect("a schema").is_valid(&sample), "{}", own.id);
        }
    }
}
