//! What operations take and give, as schemas and samples.

use host::contract::{DescribeRequest, Operation, OperationSummary};
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::report::{Check, Findings};
use crate::subject::Subject;

/// Agent APIs refuse a whole request for one of these at the root.
const COMBINATORS: [&str; 4] = ["oneOf", "anyOf", "allOf", "not"];

/// Every operation that is listed can be described.
pub(crate) async fn describe(subject: &Subject, listed: &[OperationSummary]) -> (Check, Vec<Operation>) {
    let mut findings = Findings::default();
    let mut described = Vec::with_capacity(listed.len());
    for summary in listed {
        let what = format!("{} ({})", summary.id, summary.kind.name());
        let request = DescribeRequest::shown(&summary.id).of_kind(summary.kind);
        match subject.heard(&what, subject.connector.describe_operation(request).await) {
            Ok((operation, _)) => {
                let same = operation.summary.id == summary.id && operation.summary.kind == summary.kind;
                findings.that(same, || format!("{what}: another operation is described, {}", operation.summary.id));
                described.push(operation);
            }
            Err(refused) => findings.broken(refused.said(&what)),
        }
    }
    (findings.named("describe", "every operation that is listed is described"), described)
}

/// Schemas are JSON Schema 2020-12, in the form that agents take.
pub(crate) fn valid(operations: &[Operation]) -> Check {
    let mut findings = Findings::default();
    for operation in operations {
        let id = &operation.summary.id;
        for (part, text) in [("input", &operation.input_schema), ("output", &operation.output_schema)] {
            let what = format!("{id}: the {part} schema");
            let checked = schema(text).and_then(|schema| if part == "input" { for_agents(&schema) } else { Ok(()) });
            match checked {
                Ok(()) => findings.held(),
                Err(reason) => findings.broken(format!("{what} {reason}")),
            }
        }
    }
    findings.named("schemas", "schemas are valid JSON Schema 2020-12, without combinators at the root")
}

/// Samples are what their schemas say.
pub(crate) fn samples(operations: &[Operation]) -> Check {
    let mut findings = Findings::default();
    for operation in operations {
        let id = &operation.summary.id;
        for (part, schema, sample) in [
            ("input", &operation.input_schema, &operation.sample_input),
            ("output", &operation.output_schema, &operation.sample_output),
        ] {
            match fits(schema, sample) {
                Ok(()) => findings.held(),
                Err(reason) => findings.broken(format!("{id}: the {part} sample {reason}")),
            }
        }
    }
    findings.named("samples", "samples fit their schemas")
}

fn schema(text: &str) -> Result<Value, String> {
    let schema: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or(DIALECT);
    if dialect != DIALECT {
        return Err(format!("is of the dialect {dialect}, not 2020-12"));
    }
    jsonschema::meta::validate(&schema)
        .map_err(|error| format!("is not valid: {error}, at {:?}", error.instance_path().to_string()))?;
    Ok(schema)
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn for_agents(schema: &Value) -> Result<(), String> {
    let Some(root) = schema.as_object() else { return Err("is not an object".to_owned()) };
    if root.get("type").and_then(Value::as_str) != Some("object") {
        return Err("has not the type object at its root".to_owned());
    }
    if let Some(combinator) = COMBINATORS.into_iter().find(|combinator| root.contains_key(*combinator)) {
        return Err(format!("has {combinator} at its root, which agent APIs refuse"));
    }
    match lists_types(schema) {
        true => Err("has a type that is a list, which agent APIs refuse".to_owned()),
        false => Ok(()),
    }
}

/// Whether a `type` somewhere in a schema is a list. A property may be called `type`, and has a schema then.
fn lists_types(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.get("type").is_some_and(Value::is_array)
                || members.iter().any(|(name, member)| {
                    let below: fn(&Map<String, Value>) -> bool = |named| named.values().any(lists_types);
                    match (name.as_str(), member) {
                        ("properties" | "$defs" | "patternProperties", Value::Object(named)) => below(named),
                        ("enum" | "const" | "default" | "examples", _) => false,
                        (_, member) => lists_types(member),
                    }
                })
        }
        Value::Array(items) => items.iter().any(lists_types),
        _ => false,
    }
}

fn fits(schema: &str, sample: &str) -> Result<(), String> {
    let schema: Value = serde_json::from_str(schema).map_err(|_| "has no schema that is JSON".to_owned())?;
    let sample: Value = serde_json::from_str(sample).map_err(|error| format!("is not JSON: {error}"))?;
    let validator: Validator =
        jsonschema::draft202012::new(&schema).map_err(|error| format!("has no schema to check it with: {error}"))?;
    match validator.iter_errors(&sample).next() {
        None => Ok(()),
        Some(error) => Err(format!("does not fit its schema: {error}, at {:?}", error.instance_path().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_agents_refuse_is_found_and_nothing_else() {
        let fine = json!({ "type": "object", "properties": { "type": { "type": "string", "enum": ["a"] } } });
        assert_eq!(for_agents(&fine), Ok(()));
        for (schema, said) in [
            (json!([]), "not an object"),
            (json!({ "type": "array" }), "type object"),
            (json!({ "type": "object", "oneOf": [] }), "oneOf at its root"),
            (json!({ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }), "a list"),
        ] {
            let reason = for_agents(&schema).unwrap_err();
            assert!(reason.contains(said), "{reason}");
        }
    }

    #[test]
    fn a_schema_of_another_dialect_or_of_nonsense_is_found() {
        assert!(schema(r#"{"type": "object"}"#).is_ok());
        assert!(schema(r#"{"type": "objct"}"#).unwrap_err().contains("not valid"));
        assert!(schema(r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#).unwrap_err().contains("2020-12"));
        assert!(schema("{").unwrap_err().contains("not JSON"));
        assert!(fits(r#"{"type": "object"}"#, "[]").unwrap_err().contains("does not fit"));
    }
}
