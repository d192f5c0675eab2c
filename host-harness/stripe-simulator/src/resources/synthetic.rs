//! Answers for operations without state: well-shaped objects made from the facts, kept nowhere.
//!
//! Parameters that fit a field of the same name are put in; the last id in the path becomes the object's id.

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Method, Shape};

use super::{Call, Read, Reply};
use crate::conformance;
use crate::protocol::ApiError;
use crate::world::now;

/// Objects in objects: deeper ones are left out where they may be, and are all but empty where not.
const DEEPEST: usize = 6;

/// Answers an operation.
pub(super) fn answer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut value = example(&call.operation.response, 0);
    let url = call.path();
    let Some(object) = value.as_object_mut() else { return Ok(Reply::Made(value)) };
    let kind = object.text("object").unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "list" | "search_result") {
        object.insert("url".into(), url.into());
        return Ok(Reply::Made(value));
    }
    let own_id = call.operation.path.ends_with('}').then(|| call.values.last()).flatten();
    if let Some(id) = own_id {
        object.insert("id".into(), id.as_str().into());
    }
    if call.operation.method == Method::Delete && !call.operation.path.contains("/v2/") {
        let kept: Value = match object.get("id") {
            Some(id) => json!({"id": id, "object": kind, "deleted": true}),
            None => json!({"object": kind, "deleted": true}),
        };
        if conformance::check_object(&kept).is_ok() {
            return Ok(Reply::Made(kept));
        }
    }
    for field in Facts::bundled().object(&kind).unwrap_or_default() {
        if let Some(sent) = call.parameters.get(&field.name)
            && conformance::fits(&field.shape, sent)
        {
            object.insert(field.name.clone(), sent.clone());
        }
    }
    for (name, here) in [("livemode", Value::Bool(call.account.live())), ("created", now().into())] {
        if object.get(name).is_some_and(|v| v.is_boolean() || v.is_i64()) {
            object.insert(name.into(), here);
        }
    }
    Ok(Reply::Made(value))
}

/// A value of a shape.
fn example(shape: &Shape, depth: usize) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Boolean => false.into(),
        Shape::True => true.into(),
        Shape::Integer => 0.into(),
        Shape::Number => 0.0.into(),
        Shape::Decimal => "0".into(),
        Shape::String => "string".into(),
        Shape::Enum(values) => values.first().map_or("", String::as_str).into(),
        Shape::Array(_) => json!([]),
        Shape::Map(_) => json!({}),
        Shape::Object(fields) => members(fields, depth),
        Shape::Union(parts) => parts.first().map_or(Value::Null, |p| example(p, depth)),
        Shape::Ref(name) => match Facts::bundled().object(name) {
            Some(fields) => members(fields, depth + 1),
            None => json!({}),
        },
        Shape::Expandable(names) => format!("{}_simulated", names.first().map_or("obj", |n| prefix(n))).into(),
        Shape::List(_) => json!({"object": "list", "data": [], "has_more": false, "url": "/v1/list"}),
        Shape::Search(_) => {
            json!({"object": "search_result", "data": [], "has_more": false, "next_page": null, "url": "/v1/search"})
        }
        Shape::Pages(_) => json!({"data": [], "next_page_url": null, "previous_page_url": null}),
    }
}

fn members(fields: &[Field], depth: usize) -> Value {
    let mut object = crate::world::Object::new();
    let kind = fields.iter().find(|f| f.name == "object").and_then(|f| match &f.shape {
        Shape::Enum(values) => values.first().cloned(),
        _ => None,
    });
    for Field { name, required, nullable, shape } in fields {
        let value = match (name.as_str(), shape) {
            ("id", Shape::String) => format!("{}_simulated", kind.as_deref().map_or("obj", prefix)).into(),
            ("created", Shape::Integer) => now().into(),
            _ if *required && (depth < DEEPEST || !*nullable) => example(shape, depth),
            _ => continue,
        };
        object.insert(name.clone(), value);
    }
    Value::Object(object)
}

/// What ids of a kind begin with: the noun itself where no better is known.
fn prefix(kind: &str) -> &str {
    match kind {
        "coupon" => "co",
        "customer" => "cus",
        "dispute" => "du",
        "payout" => "po",
        "promotion_code" => "promo",
        "quote" => "qt",
        "tax_rate" => "txr",
        "transfer" => "tr",
        other => other.rsplit('.').next().unwrap_or(other),
    }
}
