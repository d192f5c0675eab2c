//! Parameters against the facts: what was sent becomes typed JSON, or Stripe's error about the first thing
//! that is wrong.

use serde_json::{Number, Value};
use stripe_facts::{Field, Shape};

use super::ApiError;
use super::form::{Branch, Tree, to_json};
use crate::world::Object;

const METADATA_KEYS: usize = 50;
const METADATA_KEY_LENGTH: usize = 40;
const METADATA_VALUE_LENGTH: usize = 500;

/// Reads the parameters of an operation. Unknown names are told first, then values, then what is missing.
pub(crate) fn parameters(fields: &[Field], sent: &Branch) -> Result<Object, ApiError> {
    members(fields, sent, "")
}

fn full_name(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}[{name}]") }
}

fn members(fields: &[Field], sent: &Branch, parent: &str) -> Result<Object, ApiError> {
    let mut known = Vec::with_capacity(sent.len());
    let mut unknown = Vec::new();
    for (name, tree) in sent {
        match fields.iter().find(|f| f.name == *name) {
            Some(field) => known.push((field, tree)),
            None => unknown.push(full_name(parent, name)),
        }
    }
    if let Some(first) = unknown.first() {
        let plural = if unknown.len() > 1 { "s" } else { "" };
        let message = format!("Received unknown parameter{plural}: {}", unknown.join(", "));
        let error = ApiError::invalid(message).code("parameter_unknown").param(first.as_str());
        return Err(error.complaint("Unknown field."));
    }
    let mut read = Object::new();
    for (field, tree) in known {
        let name = full_name(parent, &field.name);
        let value = value(&field.shape, tree, &name)?;
        if field.name == "metadata" {
            check_metadata(&value, &name)?;
        }
        read.insert(field.name.clone(), value);
    }
    let given = |name: &str| sent.get(name).is_some_and(|t| *t != Tree::Exact(Value::Null));
    match fields.iter().find(|f| f.required && !given(&f.name)) {
        Some(missing) => Err(ApiError::missing_param(&full_name(parent, &missing.name))),
        None => Ok(read),
    }
}

fn value(shape: &Shape, tree: &Tree, name: &str) -> Result<Value, ApiError> {
    if matches!(tree, Tree::Exact(Value::Null)) {
        return Ok(Value::Null);
    }
    match shape {
        Shape::Union(parts) => one_of(parts, tree, name),
        Shape::Object(fields) => match tree {
            Tree::Branch(sent) => Ok(Value::Object(members(fields, sent, name)?)),
            _ => Err(ApiError::invalid("Invalid object").param(name)),
        },
        Shape::Map(inner) => match tree {
            Tree::Branch(sent) => {
                let each = |(key, tree): (&String, &Tree)| {
                    Ok::<_, ApiError>((key.clone(), value(inner, tree, &full_name(name, key))?))
                };
                Ok(Value::Object(sent.iter().map(each).collect::<Result<_, _>>()?))
            }
            _ => Err(ApiError::invalid("Invalid object").param(name)),
        },
        Shape::Array(inner) => elements(inner, tree, name),
        Shape::Any | Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => {
            Ok(to_json(tree))
        }
        scalar => self::scalar(scalar, tree, name),
    }
}

/// A choice: the first shape that fits; else the complaint of the shape that is most like what was sent.
fn one_of(parts: &[Shape], tree: &Tree, name: &str) -> Result<Value, ApiError> {
    let sent_container = matches!(tree, Tree::Branch(_));
    let mut complaint: Option<(u8, ApiError)> = None;
    for part in parts {
        match value(part, tree, name) {
            Ok(value) => return Ok(value),
            Err(error) => {
                let container = matches!(part, Shape::Object(_) | Shape::Map(_) | Shape::Array(_));
                let likeness = 2 * u8::from(!part.is_empty_string()) + u8::from(container == sent_container);
                if complaint.as_ref().is_none_or(|(best, _)| likeness > *best) {
                    complaint = Some((likeness, error));
                }
            }
        }
    }
    let complaint = complaint.map(|(_, error)| error);
    Err(complaint.unwrap_or_else(|| ApiError::invalid(format!("Invalid {name}")).param(name)))
}

fn elements(inner: &Shape, tree: &Tree, name: &str) -> Result<Value, ApiError> {
    let invalid = || ApiError::invalid("Invalid array").param(name);
    let Tree::Branch(sent) = tree else { return Err(invalid()) };
    let mut items = Vec::with_capacity(sent.len());
    for (index, tree) in sent {
        let number: u32 = index.parse().map_err(|_| invalid())?;
        items.push((number, value(inner, tree, &full_name(name, index))?));
    }
    items.sort_by_key(|(number, _)| *number);
    Ok(Value::Array(items.into_iter().map(|(_, v)| v).collect()))
}

fn scalar(shape: &Shape, tree: &Tree, name: &str) -> Result<Value, ApiError> {
    let noun = match shape {
        Shape::Boolean | Shape::True => "boolean",
        Shape::Integer => "integer",
        Shape::Number | Shape::Decimal => "decimal",
        _ => "string",
    };
    let takes_text = matches!(shape, Shape::String | Shape::Decimal | Shape::Enum(_));
    let text = match tree {
        Tree::Text(text) => text.as_str(),
        Tree::Exact(Value::String(text)) if takes_text => text.as_str(),
        Tree::Exact(value) => return exact(shape, value, name, noun),
        Tree::Branch(_) => {
            return Err(ApiError::invalid(format!("Invalid {noun}: {}", inspect(tree))).param(name));
        }
    };
    let unset_is_no_value = !matches!(shape, Shape::String) && !shape.is_empty_string();
    if text.is_empty() && unset_is_no_value {
        return Err(ApiError::empty_param(name));
    }
    let invalid = || ApiError::invalid(format!("Invalid {noun}: {text}")).param(name);
    match shape {
        Shape::Boolean | Shape::True => match text {
            "true" => Ok(Value::Bool(true)),
            "false" if *shape == Shape::Boolean => Ok(Value::Bool(false)),
            _ => Err(invalid()),
        },
        Shape::Integer => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let number = plain.then(|| text.parse::<i64>().ok()).flatten();
            number.map(Value::from).ok_or_else(|| invalid().code("parameter_invalid_integer"))
        }
        Shape::Number => {
            let number = is_decimal(text).then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64);
            number.map(Value::Number).ok_or_else(invalid)
        }
        Shape::Decimal if is_decimal(text) => Ok(text.into()),
        Shape::Decimal => Err(invalid()),
        Shape::Enum(values) if values.iter().any(|v| v == text) => Ok(text.into()),
        Shape::Enum(values) => {
            let known = values.join(", ");
            let complaint = format!("Unrecognized enum value '{text}', valid values are: {known}.");
            Err(ApiError::invalid(format!("Invalid {name}: must be {}", choice(values)))
                .param(name)
                .complaint(complaint))
        }
        _ => Ok(text.into()),
    }
}

/// A JSON scalar that is a type of its own: v2 only.
fn exact(shape: &Shape, value: &Value, name: &str, noun: &str) -> Result<Value, ApiError> {
    let fits = match shape {
        Shape::Boolean => value.is_boolean(),
        Shape::True => *value == Value::Bool(true),
        Shape::Integer => value.is_i64(),
        Shape::Number => value.is_number(),
        _ => false,
    };
    if fits { Ok(value.clone()) } else { Err(ApiError::invalid(format!("Invalid {noun}: {value}")).param(name)) }
}

fn is_decimal(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

fn choice(values: &[String]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [one, other] => format!("{one} or {other}"),
        [most @ .., last] => format!("one of {}, or {last}", most.join(", ")),
    }
}

/// A hash as Stripe's servers print it in messages.
fn inspect(tree: &Tree) -> String {
    match tree {
        Tree::Branch(members) => {
            let inner: Vec<String> = members.iter().map(|(k, v)| format!("{k:?}=>{}", inspect(v))).collect();
            format!("{{{}}}", inner.join(", "))
        }
        Tree::Text(text) => format!("{text:?}"),
        Tree::Exact(value) => value.to_string(),
    }
}

fn check_metadata(value: &Value, name: &str) -> Result<(), ApiError> {
    let Value::Object(members) = value else { return Ok(()) };
    for (key, value) in members {
        let length = key.chars().count();
        if length > METADATA_KEY_LENGTH {
            return Err(ApiError::invalid(format!(
                "Metadata keys can have up to {METADATA_KEY_LENGTH} characters, but you passed in a key that is \
                 {length} characters. Invalid key: {key}"
            ))
            .param(name));
        }
        let length = value.as_str().map_or(0, |v| v.chars().count());
        if length > METADATA_VALUE_LENGTH {
            return Err(ApiError::invalid(format!(
                "Metadata values can have up to {METADATA_VALUE_LENGTH} characters, but you passed in a value that \
                 is {length} characters. Invalid value: {}",
                value.as_str().unwrap_or_default()
            ))
            .param(full_name(name, key)));
        }
    }
    check_metadata_count(members.values().filter(|v| **v != "").count(), name)
}

/// Metadata as a whole: what is there already counts too.
pub(crate) fn check_metadata_count(count: usize, name: &str) -> Result<(), ApiError> {
    if count <= METADATA_KEYS {
        return Ok(());
    }
    let message = format!("You may specify up to {METADATA_KEYS} metadata keys; there would be {count}.");
    Err(ApiError::invalid(message).param(name))
}
