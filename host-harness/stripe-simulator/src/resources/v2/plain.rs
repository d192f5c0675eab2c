//! Operations of v2 without rules of their own: what is made is kept, read, listed, changed, archived, canceled
//! and deleted, in the shape that the facts give it.
//!
//! Parameters that fit a field of the same name, at any depth, are put in; the rest of an object is `null`, or
//! the least that its shape allows. Nothing moves by itself: a payment stays as it was made.

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Method, Shape};

use super::super::{Call, Read, Reply};
use super::{assign_metadata, deleted, now, pages};
use crate::conformance;
use crate::protocol::ApiError;
use crate::world::{Object, thin_events, written};

/// What something new is in, where its shape allows it; else the first that there is.
const BEGINNINGS: [&str; 6] = ["pending", "processing", "requires_payout_method", "active", "open", "enabled"];

/// Answers an operation.
pub(crate) fn answer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let path = call.operation.path.as_str();
    let kind = match kind_of(&call.operation.response) {
        Some(kind) => kind,
        None if call.operation.method == Method::Delete => match of_path(path) {
            Some(kind) => return delete(call, kind),
            None => return Ok(Reply::Made(json!({}))),
        },
        None => return Ok(Reply::Made(shape_only(call))),
    };
    match call.operation.method {
        Method::Get if matches!(call.operation.response, Shape::List(_)) => list(call, kind),
        Method::Get => named(call, kind).map(Reply::from),
        Method::Delete => delete(call, kind),
        Method::Post if path.ends_with('}') => update(call, kind),
        Method::Post if is_collection(path) => create(call, kind, Object::new()).map(Reply::from),
        Method::Post => act(call, kind),
    }
}

/// The kind of object that an operation returns or lists, when such objects have ids.
fn kind_of(response: &'static Shape) -> Option<&'static str> {
    match response {
        Shape::Ref(name) => fields(name).iter().any(|f| f.name == "id").then_some(name.as_str()),
        Shape::List(inner) => kind_of(inner),
        _ => None,
    }
}

/// The kind that is read at a path.
fn of_path(path: &str) -> Option<&'static str> {
    kind_of(&Facts::bundled().operation(Method::Get, path)?.response)
}

/// Whether a POST to the path makes something.
fn is_collection(path: &str) -> bool {
    let read = |path: &str| Facts::bundled().operation(Method::Get, path).is_some();
    !path.contains('{') || read(path) || read(&format!("{path}/{{id}}"))
}

fn fields(kind: &str) -> &'static [Field] {
    Facts::bundled().object(kind).unwrap_or_default()
}

/// The object that the path names: the last placeholder is its id.
pub(super) fn named(call: &Call<'_>, kind: &'static str) -> Result<Object, ApiError> {
    call.account.find(kind, call.values.last().map_or("", String::as_str), "id")
}

/// Something new, with what is known of it besides the parameters, and the event of it.
pub(super) fn create(call: &mut Call<'_>, kind: &'static str, known: Object) -> Result<Object, ApiError> {
    let made = create_untold(call, kind, known)?;
    tell(call, kind, "created", written(&made), None);
    Ok(made)
}

/// Like [`create`], and nobody is told.
pub(super) fn create_untold(call: &mut Call<'_>, kind: &'static str, known: Object) -> Result<Object, ApiError> {
    let prefix = prefix(kind);
    let id = if prefix == "acct" { call.account.new_id(prefix) } else { call.account.new_v2_id(prefix) };
    let mut made = shaped_members(fields(kind), Some(&call.parameters));
    let time = now(call.account);
    for name in ["created", "updated"] {
        if made.contains_key(name) {
            made.insert(name.into(), time.as_str().into());
        }
    }
    for (placeholder, value) in call.operation.path_parameters().zip(&call.values) {
        let name = placeholder.strip_suffix("_id").unwrap_or(placeholder);
        if made.contains_key(name) {
            made.insert(name.into(), value.as_str().into());
        }
    }
    if let (true, Some(number)) = (made.contains_key("last4"), call.parameters.text("account_number")) {
        let shown = number.chars().count().saturating_sub(4);
        made.insert("last4".into(), number.chars().skip(shown).collect::<String>().into());
    }
    made.insert("id".into(), id.into());
    made.insert("livemode".into(), call.account.live().into());
    if made.contains_key("metadata") {
        made.insert("metadata".into(), json!({}));
        assign_metadata(&mut made, &call.parameters)?;
    }
    made.extend(known);
    call.account.put(kind, &made);
    Ok(made)
}

/// Tells of a change, where there is a type for it.
pub(super) fn tell(call: &mut Call<'_>, kind: &str, what: &str, object: bytes::Bytes, data: Option<Value>) {
    if let Some(event) = thin_events::known(&format!("{kind}.{what}")) {
        call.account.emit_thin(event, object, data, None);
    }
}

/// Puts the parameters into an object that is there.
pub(super) fn change(call: &Call<'_>, kind: &str, object: &mut Object) -> Result<(), ApiError> {
    for field in fields(kind).iter().filter(|f| f.name != "metadata") {
        let Some(sent) = call.parameters.get(&field.name) else { continue };
        let old = object.get(&field.name);
        object.insert(field.name.clone(), merged(&field.shape, old, sent));
    }
    assign_metadata(object, &call.parameters)?;
    if object.contains_key("updated") {
        object.insert("updated".into(), now(call.account).into());
    }
    Ok(())
}

fn update(call: &mut Call<'_>, kind: &'static str) -> Result<Reply, ApiError> {
    let mut object = named(call, kind)?;
    change(call, kind, &mut object)?;
    let text = call.account.put(kind, &object);
    tell(call, kind, "updated", text.clone(), None);
    Ok(Reply::Kept(text))
}

fn delete(call: &mut Call<'_>, kind: &'static str) -> Result<Reply, ApiError> {
    let id = named(call, kind)?.id().to_owned();
    call.account.remove(kind, &id, None);
    Ok(deleted(kind, &id))
}

fn list(call: &Call<'_>, kind: &'static str) -> Result<Reply, ApiError> {
    // A list inside something has what was made inside it; filters compare fields of their names.
    let owner = call.values.first().map(String::as_str);
    let filters = call.parameters.iter().filter(|(name, value)| {
        !matches!(name.as_str(), "limit" | "page" | "include")
            && fields(kind).iter().any(|f| f.name == **name)
            && !value.is_object()
    });
    let filters: Vec<(&String, &Value)> = filters.collect();
    let equal = |object: &Object, name: &str, wanted: &Value| {
        let found = object.get(name).unwrap_or(&Value::Null);
        match wanted {
            Value::Array(any) => any.contains(found),
            one => one == found,
        }
    };
    let test = |object: &Object| {
        owner.is_none_or(|id| object.values().any(|v| v == id)) && filters.iter().all(|(n, v)| equal(object, n, v))
    };
    pages::shelf(call, kind, test, |object| object)
}

/// Something done to what is there: the last segment of the path says what.
fn act(call: &mut Call<'_>, kind: &'static str) -> Result<Reply, ApiError> {
    let verb = call.operation.path.rsplit('/').next().unwrap_or_default();
    let mut object = call.account.find(kind, call.values.first().map_or("", String::as_str), "id")?;
    let (status, archived) = match verb {
        "cancel" => ("canceled", None),
        "archive" => ("archived", Some(true)),
        "unarchive" => ("active", Some(false)),
        "close" => ("closed", None),
        _ => ("", None),
    };
    if verb == "cancel" && object.text("status") == Some(status) {
        let message = format!("'{}' is canceled already.", object.id());
        return Err(ApiError::typed("already_canceled", message));
    }
    change(call, kind, &mut object)?;
    let mut put = |name: &str, value: Value| {
        let fits = fields(kind).iter().any(|f| f.name == name && conformance::fits(&f.shape, &value));
        if fits {
            object.insert(name.into(), value);
        }
    };
    put("status", status.into());
    put("archived", archived.into());
    put("closed", (verb == "close").into());
    let text = call.account.put(kind, &object);
    tell(call, kind, if verb == "cancel" { status } else { "updated" }, text.clone(), None);
    Ok(Reply::Kept(text))
}

/// An answer that is no object with an id, and is kept nowhere.
fn shape_only(call: &Call<'_>) -> Value {
    let mut value = shaped(&call.operation.response, Some(&Value::Object(call.parameters.clone())), "");
    if let Value::Object(object) = &mut value {
        let in_minutes = |minutes: i64| {
            crate::world::instant::write(call.account.clock_milliseconds().saturating_add(minutes * 60_000))
        };
        for (name, time) in [("created", in_minutes(0)), ("expires_at", in_minutes(5))] {
            if object.contains_key(name) {
                object.insert(name.into(), time.into());
            }
        }
        if object.contains_key("livemode") {
            object.insert("livemode".into(), call.account.live().into());
        }
    }
    value
}

/// A value of a shape, with what was sent where that fits.
fn shaped(shape: &Shape, sent: Option<&Value>, name: &str) -> Value {
    match (shape, sent) {
        (Shape::Object(fields), sent) => Value::Object(shaped_members(fields, sent.and_then(Value::as_object))),
        (Shape::Ref(kind), sent) => Value::Object(shaped_members(fields(kind), sent.and_then(Value::as_object))),
        (Shape::Array(inner), Some(Value::Array(items))) => {
            items.iter().map(|item| shaped(inner, Some(item), name)).collect()
        }
        (Shape::Union(parts), sent) => {
            let fitting = sent.and_then(|s| parts.iter().find(|p| conformance::fits(p, s)));
            fitting.or(parts.first()).map_or(Value::Null, |p| shaped(p, sent, name))
        }
        (shape, Some(sent)) if conformance::fits(shape, sent) => sent.clone(),
        (Shape::Enum(values), _) => {
            let beginning = BEGINNINGS.iter().find(|b| name == "status" && values.iter().any(|v| v == *b));
            beginning.copied().or(values.first().map(String::as_str)).unwrap_or_default().into()
        }
        (Shape::Boolean, _) => false.into(),
        (Shape::True, _) => true.into(),
        (Shape::Integer, _) => 0.into(),
        (Shape::Number, _) => 0.0.into(),
        (Shape::Decimal, _) => "0".into(),
        (Shape::Array(_), _) => json!([]),
        (Shape::Map(_) | Shape::Any, _) => json!({}),
        _ => "".into(),
    }
}

fn shaped_members(fields: &[Field], sent: Option<&Object>) -> Object {
    let mut object = Object::new();
    for field in fields {
        let sent = sent.and_then(|s| s.get(&field.name)).filter(|v| !v.is_null());
        let value = match sent {
            Some(sent) => shaped(&field.shape, Some(sent), &field.name),
            None if field.required => shaped(&field.shape, None, &field.name),
            None if field.nullable => Value::Null,
            None => continue,
        };
        object.insert(field.name.clone(), value);
    }
    object
}

/// What was there with what was sent put over it. `null` unsets.
fn merged(shape: &Shape, old: Option<&Value>, sent: &Value) -> Value {
    match (shape, old, sent) {
        (Shape::Object(fields), Some(Value::Object(old)), Value::Object(sent)) => {
            let mut new = old.clone();
            for field in fields {
                if let Some(sent) = sent.get(&field.name) {
                    new.insert(field.name.clone(), merged(&field.shape, old.get(&field.name), sent));
                }
            }
            Value::Object(new)
        }
        (_, _, Value::Null) => Value::Null,
        (shape, old, sent) => {
            let new = shaped(shape, Some(sent), "");
            let scalar = !matches!(shape, Shape::Object(_) | Shape::Ref(_) | Shape::Array(_) | Shape::Union(_));
            // A scalar that does not fit the object changes nothing in it.
            if scalar && !conformance::fits(shape, sent) { old.cloned().unwrap_or_default() } else { new }
        }
    }
}

/// What ids of a kind begin with: the noun itself where no better is known.
fn prefix(kind: &str) -> &str {
    match kind {
        "v2.core.account" => "acct",
        "v2.core.account_person" => "person",
        "v2.core.account_person_token" => "perstok",
        "v2.core.account_token" => "accttok",
        "v2.core.vault.gb_bank_account" => "gbba",
        "v2.core.vault.us_bank_account" => "usba",
        "v2.money_management.financial_address" => "finaddr",
        "v2.money_management.inbound_transfer" => "ibt",
        "v2.money_management.outbound_payment" => "obp",
        "v2.money_management.outbound_setup_intent" => "outboundsi",
        other => other.rsplit('.').next().unwrap_or(other),
    }
}
