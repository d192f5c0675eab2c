//! From parameters to the fields of an object.

use serde_json::{Number, Value, json};
use stripe_facts::{Facts, Field, Shape};

use super::Read;
use crate::presence::{self, Presence};
use crate::protocol::{ApiError, check_metadata_count};
use crate::world::Object;

/// A JSON object out of `json!`.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Copies parameters onto the fields of the same names. An empty string unsets a field; a hash gets every
/// member that the object's schema has, `null` where none was sent.
pub(super) fn assign(kind: &str, target: &mut Object, sent: &Object, names: &[&str]) {
    for name in names {
        let Some(value) = sent.get(*name) else { continue };
        let value = if value == "" {
            Value::Null
        } else if value.is_object() {
            let schema = Facts::bundled().object(kind).unwrap_or_default();
            match schema.iter().find(|f| f.name == *name) {
                Some(field) => complete(&field.shape, value.clone(), presence::of(kind).member(name)),
                None => value.clone(),
            }
        } else {
            value.clone()
        };
        target.insert((*name).to_owned(), value);
    }
}

/// The value with every member that its shape always has; what was not sent is `null`.
pub(super) fn complete(shape: &Shape, value: Value, presence: &Presence) -> Value {
    match (shape, value) {
        (Shape::Union(parts), value) => match parts.iter().find(|p| matches!(p, Shape::Object(_))) {
            Some(part) => complete(part, value, presence),
            None => value,
        },
        (Shape::Object(fields), Value::Object(mut sent)) => {
            for Field { name, required, nullable, shape } in fields {
                match sent.remove(name) {
                    Some(Value::String(text)) if text.is_empty() && *nullable => sent.insert(name.clone(), Value::Null),
                    Some(value) => sent.insert(name.clone(), complete(shape, value, presence.member(name))),
                    None if *required || presence.member(name).may_lack() => None,
                    None => sent.insert(name.clone(), Value::Null),
                };
            }
            Value::Object(sent)
        }
        // Decimals are sent as text.
        (Shape::Number, Value::String(text)) => match text.parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) => Value::Number(number),
            None => Value::String(text),
        },
        (Shape::Array(inner), Value::Array(items)) => items.into_iter().map(|i| complete(inner, i, presence)).collect(),
        (_, value) => value,
    }
}

/// An object of a kind out of what is known of it: members that were not given are `null`, except those that an
/// answer may lack.
pub(super) fn whole(kind: &str, known: Value) -> Object {
    let presence = presence::of(kind);
    let mut object = object(known);
    for Field { name, required, shape, .. } in Facts::bundled().object(kind).unwrap_or_default() {
        match object.get_mut(name) {
            None if !*required && !presence.member(name).may_lack() => {
                object.insert(name.clone(), Value::Null);
            }
            Some(value) if value.is_object() && !matches!(shape, Shape::Map(_)) => {
                let given = std::mem::take(value);
                *value = complete(shape, given, presence.member(name));
            }
            _ => {}
        }
    }
    object
}

/// The members of a member of an object that are always there, all of them `null`.
pub(super) fn members(kind: &str, member: &str) -> Object {
    let fields = Facts::bundled().object(kind).unwrap_or_default();
    let presence = presence::of(kind).member(member);
    match fields.iter().find(|f| f.name == member).map(|f| &f.shape) {
        Some(Shape::Object(fields)) => {
            let always = fields.iter().filter(|f| !presence.member(&f.name).may_lack());
            always.map(|f| (f.name.clone(), Value::Null)).collect()
        }
        _ => Object::new(),
    }
}

/// Merges the `metadata` parameter: an empty value removes a key, an empty string all of them.
pub(super) fn assign_metadata(target: &mut Object, sent: &Object) -> Result<(), ApiError> {
    let merged = match sent.get("metadata") {
        None => return Ok(()),
        Some(Value::Object(changes)) => {
            let mut merged = target.object("metadata").cloned().unwrap_or_default();
            for (key, value) in changes {
                if value == "" {
                    merged.remove(key);
                } else {
                    merged.insert(key.clone(), value.clone());
                }
            }
            merged
        }
        Some(_) => Object::new(),
    };
    check_metadata_count(merged.len(), "metadata")?;
    target.insert("metadata".to_owned(), Value::Object(merged));
    Ok(())
}

/// The `metadata` parameter of something new.
pub(super) fn new_metadata(sent: &Object) -> Value {
    let members = sent.object("metadata").into_iter().flatten();
    Value::Object(members.filter(|(_, v)| *v != "").map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// An address without anything known.
pub(super) fn empty_address() -> Value {
    json!({"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null})
}

/// A list that is part of another object.
pub(super) fn sublist(data: Vec<Value>, url: String) -> Value {
    json!({"object": "list", "data": data, "has_more": false, "url": url})
}

/// What a deleted object leaves.
pub(super) fn deleted(kind: &str, id: &str) -> Object {
    object(json!({"id": id, "object": kind, "deleted": true}))
}
