//! Whether requests and answers are what the pinned API version says, strictly.
//!
//! The checks read the facts and nothing of the simulator, so a test can hold anybody's requests and anybody's
//! answers against them. Answers: unknown members, wrong types and values outside closed lists are wrong, at
//! any depth. Requests: unknown, missing or malformed parameters, and keys that come twice.

use serde_json::Value;
use stripe_facts::{Encoding, Facts, Field, Method, Shape};

/// Whether an object of the API (anything with a known `object`, lists of such too) is of its schema.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_object(value: &Value) -> Result<(), String> {
    let name = value["object"].as_str().ok_or("it has no `object`")?;
    if matches!(name, "list" | "search_result") {
        let Some(data) = value["data"].as_array() else { return Err(format!("{name}: `data` is no list")) };
        if !value["has_more"].is_boolean() || !value["url"].is_string() {
            return Err(format!("{name}: needs `has_more` and `url`"));
        }
        for (index, item) in data.iter().enumerate() {
            check_object(item).map_err(|e| format!("data[{index}].{e}"))?;
        }
        return Ok(());
    }
    if Facts::bundled().object(name).is_none() {
        return Err(format!("`{name}` is no object of the API"));
    }
    check_ref(name, value, name)
}

/// Whether an answer is of the shape that an operation returns. The path is a concrete one.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_response(method: &str, path: &str, value: &Value) -> Result<(), String> {
    let found = Method::parse(method).and_then(|m| Facts::bundled().find(m, path));
    let found = found.ok_or_else(|| format!("no operation {method} {path}"))?;
    match &found.operation.response {
        // The facts were made from a library that has one name for the lists of both namespaces.
        Shape::List(inner) if path.starts_with("/v2/") => check_v2_page(inner, value, "answer"),
        shape => check_value(shape, value, "answer"),
    }
}

/// Whether a value is of a shape.
pub(crate) fn fits(shape: &Shape, value: &Value) -> bool {
    check_value(shape, value, "").is_ok()
}

fn check_members(fields: &[Field], value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(format!("{at}: {value} is no object")) };
    let can_be_deleted = fields.iter().any(|f| f.name == "deleted");
    if members.get("deleted") == Some(&Value::Bool(true)) && can_be_deleted {
        return match members.keys().find(|k| !matches!(k.as_str(), "id" | "object" | "deleted")) {
            Some(extra) => Err(format!("{at}.{extra}: a deleted object has no such member")),
            None => Ok(()),
        };
    }
    for (name, value) in members {
        let at = format!("{at}.{name}");
        let field = fields.iter().find(|f| f.name == *name).ok_or_else(|| format!("{at}: unknown member"))?;
        match value {
            Value::Null if field.nullable => {}
            Value::Null => return Err(format!("{at}: may not be null")),
            value => check_value(&field.shape, value, &at)?,
        }
    }
    match fields.iter().find(|f| f.required && !members.contains_key(&f.name)) {
        Some(missing) => Err(format!("{at}.{}: is missing", missing.name)),
        None => Ok(()),
    }
}

fn check_value(shape: &Shape, value: &Value, at: &str) -> Result<(), String> {
    let expect = |fine: bool, what: &str| if fine { Ok(()) } else { Err(format!("{at}: {value} is no {what}")) };
    match shape {
        Shape::Any => Ok(()),
        Shape::Boolean => expect(value.is_boolean(), "boolean"),
        Shape::True => expect(*value == Value::Bool(true), "true"),
        Shape::Integer => expect(value.is_i64() || value.is_u64(), "integer"),
        Shape::Number => expect(value.is_number(), "number"),
        Shape::Decimal => expect(value.as_str().is_some_and(is_decimal), "decimal in text"),
        Shape::String => expect(value.is_string(), "text"),
        Shape::Enum(values) => {
            let known = value.as_str().is_some_and(|v| values.iter().any(|k| k == v));
            expect(known, &format!("one of {}", values.join(", ")))
        }
        Shape::Array(inner) => {
            let Value::Array(items) = value else { return expect(false, "list") };
            items.iter().enumerate().try_for_each(|(i, v)| check_value(inner, v, &format!("{at}[{i}]")))
        }
        Shape::Map(inner) => {
            let Value::Object(members) = value else { return expect(false, "object") };
            members.iter().try_for_each(|(name, v)| {
                if v.is_null() { Ok(()) } else { check_value(inner, v, &format!("{at}.{name}")) }
            })
        }
        Shape::Object(fields) => check_members(fields, value, at),
        Shape::Union(parts) => one_of(parts.iter().map(|p| check_value(p, value, at))),
        Shape::Ref(name) => check_ref(name, value, at),
        Shape::Expandable(_) if value.is_string() => Ok(()),
        Shape::Expandable(names) => one_of(names.iter().map(|n| check_ref(n, value, at))),
        Shape::List(inner) => check_page("list", inner, value, at),
        Shape::Search(inner) => check_page("search_result", inner, value, at),
        Shape::Pages(inner) => {
            let Some(items) = value["data"].as_array() else { return expect(false, "page") };
            items.iter().enumerate().try_for_each(|(i, v)| check_value(inner, v, &format!("{at}.data[{i}]")))
        }
    }
}

fn check_v2_page(inner: &Shape, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(format!("{at}: {value} is no page")) };
    let known = ["data", "next_page_url", "previous_page_url"];
    if let Some(extra) = members.keys().find(|k| !known.contains(&k.as_str())) {
        return Err(format!("{at}.{extra}: unknown member of a page"));
    }
    for name in ["next_page_url", "previous_page_url"] {
        if !members.get(name).is_some_and(|url| url.is_null() || url.is_string()) {
            return Err(format!("{at}.{name}: needs to be a URL or null"));
        }
    }
    let Some(items) = value["data"].as_array() else { return Err(format!("{at}.data: is no list")) };
    items.iter().enumerate().try_for_each(|(i, v)| check_value(inner, v, &format!("{at}.data[{i}]")))
}

/// What every thin event has and what many have besides, which the facts leave to the types.
fn check_thin_event(value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(format!("{at}: {value} is no event")) };
    let mut common = members.clone();
    common.remove("data");
    let named = |related: &Value| ["type", "url"].iter().all(|n| related.get(n).is_some_and(Value::is_string));
    if common.remove("related_object").is_some_and(|r| !r.is_null() && !named(&r)) {
        return Err(format!("{at}.related_object: needs `type` and `url`"));
    }
    check_members(Facts::bundled().object("v2.core.event").unwrap_or_default(), &Value::Object(common), at)
}

fn check_ref(name: &str, value: &Value, at: &str) -> Result<(), String> {
    if name == "v2.core.event" {
        return check_thin_event(value, at);
    }
    match Facts::bundled().object(name) {
        Some(fields) => check_members(fields, value, at),
        None if value.is_object() => Ok(()),
        None => Err(format!("{at}: {value} is no `{name}`")),
    }
}

fn check_page(kind: &str, inner: &Shape, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(format!("{at}: {value} is no {kind}")) };
    let known: &[&str] = match kind {
        "list" => &["object", "data", "has_more", "url", "total_count"],
        _ => &["object", "data", "has_more", "url", "next_page", "total_count"],
    };
    if let Some(extra) = members.keys().find(|k| !known.contains(&k.as_str())) {
        return Err(format!("{at}.{extra}: unknown member of a {kind}"));
    }
    if value["object"] != kind || !value["has_more"].is_boolean() || !value["url"].is_string() {
        return Err(format!("{at}: is no {kind}"));
    }
    let Some(items) = value["data"].as_array() else { return Err(format!("{at}.data: is no list")) };
    items.iter().enumerate().try_for_each(|(i, v)| check_value(inner, v, &format!("{at}.data[{i}]")))
}

/// Success if any succeeds, else the last complaint.
fn one_of(results: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let mut last = Ok(());
    for result in results {
        if result.is_ok() {
            return result;
        }
        last = result;
    }
    last
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

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
