//! Objects of the right shape for building a workflow before anything has happened.
//!
//! Values are plausible, fixed and recognisably made up. What the sample input says is repeated in the output.

use serde_json::{Map, Value, json};

use crate::catalog::{self, Field, Operation, Resource, Shape, Trigger};
use crate::json::Members;

/// 2026-01-01T00:00:00Z.
const MOMENT: u64 = 1_767_225_600;
const SUFFIX: &str = "Sample0123456789";
/// How deep objects within objects are filled in; deeper ones are left out where they may be.
const DEPTH: u32 = 3;

/// An output of an operation.
pub fn output(operation: &Operation) -> Value {
    let input: Map<String, Value> = serde_json::from_str(operation.sample).unwrap_or_default();
    match operation.response {
        Shape::Ref(name) => object(name, &input, DEPTH),
        Shape::List(item) => page("list", item, operation.path),
        Shape::Search(item) => page("search_result", item, operation.path),
        other => value("", other, DEPTH),
    }
}

/// An event of a trigger.
pub fn event(trigger: &Trigger, resource: &Resource) -> Value {
    let mut data = json!({"object": object(resource.object, &Map::new(), DEPTH)});
    if trigger.event.ends_with(".updated") {
        data.put("previous_attributes", json!({"description": null}));
    }
    json!({
        "id": format!("evt_{SUFFIX}"),
        "object": "event",
        "type": trigger.event,
        "created": MOMENT,
        "api_version": catalog::API_VERSION,
        "livemode": false,
        "pending_webhooks": 1,
        "request": {"id": format!("req_{SUFFIX}"), "idempotency_key": null},
        "data": data,
    })
}

fn page(kind: &str, item: &'static Shape, url: &str) -> Value {
    json!({"object": kind, "data": [value("", item, DEPTH)], "has_more": false, "url": url})
}

fn object(name: &str, given: &Map<String, Value>, depth: u32) -> Value {
    let Some(fields) = catalog::object(name) else { return json!({"object": name}) };
    let mut members = object_members(fields, depth);
    if let Some(prefix) = catalog::resource_of_object(name).and_then(|r| r.id_prefixes.first()) {
        members.insert("id".into(), format!("{prefix}{SUFFIX}").into());
    }
    for (name, value) in given {
        let plain = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        if plain && fields.iter().any(|f| f.name == name && fits(f.shape, value)) {
            members.insert(name.clone(), value.clone());
        }
    }
    Value::Object(members)
}

fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::String | Shape::Expandable(_) => value.is_string(),
        Shape::Enum(values) => value.as_str().is_some_and(|v| values.contains(&v)),
        Shape::Integer => value.is_i64(),
        Shape::Boolean => value.is_boolean(),
        _ => false,
    }
}

fn object_members(fields: &'static [Field], depth: u32) -> Map<String, Value> {
    let mut members = Map::new();
    for field in fields.iter().filter(|f| f.name != "deleted" && (f.required || f.nullable)) {
        let worth_showing =
            matches!(field.name, "customer" | "email" | "name" | "currency" | "latest_charge" | "payment_intent");
        let empty = field.nullable && !(worth_showing && depth == DEPTH);
        members.insert(field.name.to_owned(), if empty { Value::Null } else { value(field.name, field.shape, depth) });
    }
    members
}

fn value(name: &str, shape: &'static Shape, depth: u32) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Boolean => json!(matches!(name, "active" | "paid" | "captured")),
        Shape::True => json!(true),
        Shape::Integer => integer(name),
        Shape::Number => json!(1),
        Shape::Decimal => json!("1099"),
        Shape::String => text(name),
        Shape::Enum(values) => values.first().map_or(Value::Null, |v| json!(v)),
        Shape::Array(_) if depth == 0 => json!([]),
        Shape::Array(item) => match item {
            Shape::Object(_) | Shape::Ref(_) => json!([value(name, item, depth - 1)]),
            _ => json!([]),
        },
        Shape::Map(_) => json!({}),
        // What an object must have it has at any depth; what it may lack is left out below the last.
        Shape::Object(fields) => Value::Object(object_members(fields, depth.saturating_sub(1))),
        Shape::Union(parts) => parts.first().map_or(Value::Null, |p| value(name, p, depth)),
        Shape::Ref(name) => object(name, &Map::new(), depth.saturating_sub(1)),
        Shape::Expandable(names) => {
            let prefix = names.first().and_then(|n| catalog::resource_of_object(n)).and_then(|r| r.id_prefixes.first());
            json!(format!("{}{SUFFIX}", prefix.unwrap_or(&"")))
        }
        Shape::List(_) | Shape::Search(_) if depth == 0 => {
            json!({"object": "list", "data": [], "has_more": false, "url": "/v1"})
        }
        Shape::List(item) => page("list", item, "/v1"),
        Shape::Search(item) => page("search_result", item, "/v1"),
        Shape::Pages(item) => json!({"data": [value(name, item, depth.saturating_sub(1))]}),
    }
}

fn integer(name: &str) -> Value {
    match name {
        "quantity" | "interval_count" => json!(1),
        name if name.contains("amount") || name.contains("total") || name.contains("subtotal") => json!(1099),
        name if ["created", "date", "start", "end", "at", "anchor", "timestamp"].iter().any(|p| name.ends_with(p)) => {
            json!(MOMENT)
        }
        _ => json!(0),
    }
}

fn text(name: &str) -> Value {
    match name {
        "currency" => json!("usd"),
        "email" => json!("jenny.rosen@example.com"),
        "name" => json!("Jenny Rosen"),
        "url" => json!("https://example.com/"),
        "country" => json!("US"),
        "id" => json!(SUFFIX),
        name if name.ends_with("_url") => json!("https://example.com/"),
        _ => json!(""),
    }
}
