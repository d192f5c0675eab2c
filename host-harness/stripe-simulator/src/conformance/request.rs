//! Whether a request is what the pinned version takes.

use serde_json::Value;
use stripe_facts::{Encoding, Facts, Field, Method, Shape};

use super::answer::{check_value, is_decimal, one_of};

/// Whether a request is one that the API accepts: `method` upper case, a concrete `path`, the `query` without
/// `?`, the `body` as it was sent. Form parameters of POST belong in the body, those of GET and DELETE in the
/// query.
///
/// # Errors
/// The first thing that is wrong, in words like those of Stripe's messages.
pub fn check_request(method: &str, path: &str, query: &str, body: &str) -> Result<(), String> {
    let found = Method::parse(method).and_then(|m| Facts::bundled().find(m, path));
    let operation = found.ok_or_else(|| format!("Unrecognized request URL ({method}: {path})"))?.operation;
    let fields = &operation.parameters;
    if operation.encoding == Encoding::Json && operation.method == Method::Post {
        let body = if body.is_empty() { "{}" } else { body };
        let value: Value = serde_json::from_str(body).map_err(|e| format!("the body is no JSON: {e}"))?;
        return json_members(fields, &value, "");
    }
    if operation.encoding == Encoding::Multipart {
        return Ok(());
    }
    let (parameters, other) = if operation.method == Method::Post { (body, query) } else { (query, body) };
    if !other.is_empty() {
        return Err(format!(
            "{method} carries its parameters in the {}",
            if method == "POST" { "body" } else { "query" }
        ));
    }
    form_members(fields, &Form::read(parameters)?, "")
}

/// A form as a tree: text, or named members in the order that they came.
enum Form {
    Text(String),
    Members(Vec<(String, Form)>),
}

impl Form {
    fn read(text: &str) -> Result<Vec<(String, Form)>, String> {
        let mut root = Vec::new();
        for pair in text.split('&').filter(|_| !text.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("malformed pair {pair:?}"))?;
            let (key, value) = (decode(key)?, decode(value)?);
            let (head, brackets) = key.split_at(key.find('[').unwrap_or(key.len()));
            let mut segments = vec![head.to_owned()];
            let mut rest = brackets;
            while !rest.is_empty() {
                let inner = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
                let (segment, after) = inner.ok_or_else(|| format!("malformed key {key:?}"))?;
                segments.push(segment.to_owned());
                rest = after;
            }
            if head.is_empty() || segments.iter().any(|s| s.contains(['[', ']'])) {
                return Err(format!("malformed key {key:?}"));
            }
            insert(&mut root, &segments, value, &key)?;
        }
        Ok(root)
    }
}

fn insert(members: &mut Vec<(String, Form)>, segments: &[String], value: String, key: &str) -> Result<(), String> {
    let Some((first, rest)) = segments.split_first() else { return Ok(()) };
    let name = if first.is_empty() { members.len().to_string() } else { first.clone() };
    let place = members.iter().position(|(n, _)| *n == name);
    if rest.is_empty() {
        if place.is_some() {
            return Err(format!("duplicate key {key}"));
        }
        members.push((name, Form::Text(value)));
        return Ok(());
    }
    let place = place.unwrap_or_else(|| {
        members.push((name, Form::Members(Vec::new())));
        members.len() - 1
    });
    match members.get_mut(place) {
        Some((_, Form::Members(inner))) => insert(inner, rest, value, key),
        _ => Err(format!("key conflict {key}")),
    }
}

fn decode(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else { return Err(format!("bad escape in {text:?}")) };
                out.push((high * 16 + low) as u8);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).map_err(|_| format!("{text:?} is not UTF-8"))
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}[{name}]") }
}

fn form_members(fields: &[Field], sent: &[(String, Form)], parent: &str) -> Result<(), String> {
    for (name, value) in sent {
        let at = join(parent, name);
        let field = fields.iter().find(|f| f.name == *name);
        let field = field.ok_or_else(|| format!("Received unknown parameter: {at}"))?;
        form_value(&field.shape, value, &at)?;
    }
    match fields.iter().find(|f| f.required && !sent.iter().any(|(n, _)| *n == f.name)) {
        Some(missing) => Err(format!("Missing required param: {}", join(parent, &missing.name))),
        None => Ok(()),
    }
}

fn form_value(shape: &Shape, value: &Form, at: &str) -> Result<(), String> {
    match (shape, value) {
        (Shape::Any, _) => Ok(()),
        (Shape::Union(parts), value) => one_of(parts.iter().map(|p| form_value(p, value, at))),
        (Shape::Object(fields), Form::Members(sent)) => form_members(fields, sent, at),
        (Shape::Map(inner), Form::Members(sent)) => {
            sent.iter().try_for_each(|(name, v)| form_value(inner, v, &join(at, name)))
        }
        (Shape::Object(_) | Shape::Map(_), Form::Text(_)) => Err(format!("Invalid object: {at}")),
        (Shape::Array(inner), Form::Members(sent)) => {
            // Each of 0..n is there, written without leading zeros.
            if (0..sent.len()).any(|i| !sent.iter().any(|(n, _)| *n == i.to_string())) {
                return Err(format!("Invalid array: {at}"));
            }
            sent.iter().try_for_each(|(name, v)| form_value(inner, v, &join(at, name)))
        }
        (Shape::Array(_), Form::Text(_)) => Err(format!("Invalid array: {at}")),
        (_, Form::Members(_)) => Err(format!("Invalid value: {at}")),
        (scalar, Form::Text(text)) => form_scalar(scalar, text, at),
    }
}

fn form_scalar(shape: &Shape, text: &str, at: &str) -> Result<(), String> {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (fine, what) = match shape {
        Shape::Integer => (digits(text.strip_prefix('-').unwrap_or(text)), "integer"),
        Shape::Number | Shape::Decimal => (is_decimal(text), "decimal"),
        Shape::Boolean => (matches!(text, "true" | "false"), "boolean"),
        Shape::True => (text == "true", "boolean"),
        Shape::Enum(values) => (values.iter().any(|v| v == text), "value"),
        _ => (true, "string"),
    };
    if fine { Ok(()) } else { Err(format!("Invalid {what}: {text} ({at})")) }
}

fn json_members(fields: &[Field], value: &Value, parent: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(format!("Invalid object: {parent}")) };
    for (name, value) in members {
        let at = join(parent, name);
        let field = fields.iter().find(|f| f.name == *name);
        let field = field.ok_or_else(|| format!("Received unknown parameter: {at}"))?;
        json_value(&field.shape, value, &at)?;
    }
    match fields.iter().find(|f| f.required && !members.contains_key(&f.name)) {
        Some(missing) => Err(format!("Missing required param: {}", join(parent, &missing.name))),
        None => Ok(()),
    }
}

fn json_value(shape: &Shape, value: &Value, at: &str) -> Result<(), String> {
    match shape {
        // `null` unsets.
        _ if value.is_null() => Ok(()),
        Shape::Object(fields) => json_members(fields, value, at),
        Shape::Union(parts) => one_of(parts.iter().map(|p| json_value(p, value, at))),
        Shape::Array(inner) => match value {
            Value::Array(items) => {
                items.iter().enumerate().try_for_each(|(i, v)| json_value(inner, v, &format!("{at}[{i}]")))
            }
            _ => Err(format!("Invalid array: {at}")),
        },
        Shape::Map(inner) => match value {
            Value::Object(members) => members.iter().try_for_each(|(n, v)| json_value(inner, v, &join(at, n))),
            _ => Err(format!("Invalid object: {at}")),
        },
        other => check_value(other, value, at),
    }
}
