//! Answers for operations without behaviour of their own: well-shaped objects made from the facts.
//!
//! Parameters that fit a field of the same name are put in; the last id in the path becomes the object's id. What
//! is created in this way is kept, so that it can be read, changed, listed and deleted; an id that was never given
//! out is answered with an example. v2 has rules of its own for this.

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Method, Shape};

use super::{Call, Read, Reply, listing};
use crate::conformance;
use crate::presence::{self, Presence};
use crate::protocol::ApiError;
use crate::world::{Object, now};

/// Objects in objects: deeper ones are left out where they may be, and are all but empty where not.
const DEEPEST: usize = 6;

/// Answers an operation.
pub(super) fn answer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if call.operation.path.starts_with("/v2/") {
        return super::v2::answer(call);
    }
    let Some(kind) = kind_of(&call.operation.response) else { return make(call).map(Reply::Made) };
    let path = call.operation.path.as_str();
    let id = call.values.last().cloned().unwrap_or_default();
    let own = path.ends_with('}');
    let known = call.account.get(kind, &id);
    match (call.operation.method, &call.operation.response) {
        (Method::Get, Shape::List(_)) => {
            if call.account.shelf(kind).is_none() {
                return make(call).map(Reply::Made);
            }
            // A list inside something has what was made inside it.
            let owner = call.values.first().cloned();
            let fields = Facts::bundled().object(kind).unwrap_or_default();
            let filters: Vec<(&String, &Value)> = call
                .parameters
                .iter()
                .filter(|(name, value)| {
                    let is_range = matches!(value, Value::Object(_));
                    !is_range && *name != "created" && fields.iter().any(|f| f.name == **name)
                })
                .collect();
            listing::shelf_where(call, kind, &[], |o| {
                owner.as_deref().is_none_or(|id| o.values().any(|v| v == id))
                    && filters.iter().all(|(name, value)| o.get(*name) == Some(*value))
            })
        }
        (Method::Get, _) if own && known.is_some() => Ok(Reply::Made(known.map(Value::Object).unwrap_or_default())),
        (Method::Delete, _) if own && known.is_some() => {
            call.account.remove(kind, &id, None);
            if let (Some(event), Some(known)) = (event(kind, "deleted"), known) {
                call.account.emit(event, serde_json::to_vec(&known).unwrap_or_default().into());
            }
            make(call).map(Reply::Made)
        }
        (Method::Post, _) => post(call, kind, own, known),
        _ => make(call).map(Reply::Made),
    }
}

/// The object that an operation returns, or lists.
fn kind_of(response: &'static Shape) -> Option<&'static str> {
    match response {
        Shape::Ref(name) => {
            let fields = Facts::bundled().object(name)?;
            fields.iter().any(|f| f.name == "id").then_some(name.as_str())
        }
        Shape::List(inner) => kind_of(inner),
        _ => None,
    }
}

/// The event of a change of this kind, where there is one.
fn event(kind: &str, what: &str) -> Option<&'static str> {
    // Issuing is older than the dots in the names of kinds.
    let name = format!("{}.{what}", kind.replace("issuing.", "issuing_"));
    let types = &Facts::bundled().event_types;
    types.iter().map(String::as_str).find(|t| *t == name)
}

/// Something new, something changed, or something done to what is there.
fn post(call: &mut Call<'_>, kind: &'static str, own: bool, known: Option<Object>) -> Result<Reply, ApiError> {
    let named = call.operation.path.contains('}');
    let verb = call.operation.path.rsplit('/').next().unwrap_or_default().to_owned();
    let done = match verb.as_str() {
        "cancel" => "canceled",
        "redact" => "redacted",
        "archive" => "archived",
        "expire" => "expired",
        _ => "",
    };
    if let (Some(old), true) = (&known, own) {
        let mut new = old.clone();
        copy(kind, &mut new, &call.parameters);
        super::fields::assign_metadata(&mut new, &call.parameters)?;
        let text = match event(kind, "updated") {
            Some(event) => call.account.update(kind, event, old, &new),
            None => call.account.put(kind, &new),
        };
        return Ok(Reply::Kept(text));
    }
    if let (Some(mut object), false) = (known, own) {
        copy(kind, &mut object, &call.parameters);
        set_status(kind, &mut object, done);
        let text = call.account.put(kind, &object);
        if let Some(event) = event(kind, done) {
            call.account.emit(event, text.clone());
        }
        return Ok(Reply::Kept(text));
    }
    let mut made = make(call)?;
    let collection = !own && (!named || call.operation.path.matches('{').count() == 1);
    let is_new = collection && done.is_empty() && !matches!(verb.as_str(), "preview" | "search");
    if let (true, Some(object)) = (is_new, made.as_object_mut()) {
        let id = call.account.new_id(prefix(kind));
        object.insert("id".into(), id.into());
        for (placeholder, value) in call.operation.path_parameters().zip(&call.values) {
            if object.get(placeholder).is_some_and(|v| v.is_null() || v.is_string()) {
                object.insert(placeholder.to_owned(), value.as_str().into());
            }
        }
        let text = call.account.put(kind, object);
        if kind == "issuing.authorization" {
            // Whoever decides on authorizations is asked first.
            call.account.emit("issuing_authorization.request", text.clone());
        }
        if let Some(event) = event(kind, "created") {
            call.account.emit(event, text.clone());
        }
        let receipt = call.parameters.object("purchase_details").is_some_and(|d| !d.list("receipt").is_empty());
        if kind == "issuing.transaction" && receipt {
            call.account.emit("issuing_transaction.purchase_details_receipt_updated", text);
        }
        if kind == "reporting.report_run" {
            // The report is there at once.
            set_status(kind, object, "succeeded");
            object.insert("succeeded_at".into(), now().into());
            let text = call.account.put(kind, object);
            call.account.emit("reporting.report_run.succeeded", text);
        }
    }
    Ok(Reply::Made(made))
}

fn set_status(kind: &str, object: &mut Object, status: &str) {
    let field = Facts::bundled().object(kind).unwrap_or_default().iter().find(|f| f.name == "status");
    if field.is_some_and(|f| conformance::fits(&f.shape, &Value::from(status))) && !status.is_empty() {
        object.insert("status".into(), status.into());
    }
}

/// Parameters that fit a field of the same name.
fn copy(kind: &str, object: &mut Object, sent: &Object) {
    for field in Facts::bundled().object(kind).unwrap_or_default() {
        let known = presence::of(kind).member(&field.name);
        let completed = sent.get(&field.name).map(|v| super::fields::complete(&field.shape, v.clone(), known));
        if let Some(completed) = completed
            && field.name != "metadata"
            && conformance::fits(&field.shape, &completed)
        {
            object.insert(field.name.clone(), completed);
        }
    }
}

/// An object of the shape that the operation returns.
fn make(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let mut value = example(&call.operation.response, 0, presence::of(""));
    let url = call.path();
    let Some(object) = value.as_object_mut() else { return Ok(value) };
    let kind = object.text("object").unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "list" | "search_result") {
        listing::check_empty(&call.parameters, kind_of(&call.operation.response).unwrap_or("object"))?;
        object.insert("url".into(), url.into());
        return Ok(value);
    }
    let own_id = call.operation.path.ends_with('}').then(|| call.values.last()).flatten();
    if let Some(id) = own_id {
        object.insert("id".into(), id.as_str().into());
    }
    if call.operation.method == Method::Delete {
        let kept: Value = match object.get("id") {
            Some(id) => json!({"id": id, "object": kind, "deleted": true}),
            None => json!({"object": kind, "deleted": true}),
        };
        if conformance::check_object(&kept).is_ok() {
            return Ok(kept);
        }
    }
    copy(&kind, object, &call.parameters);
    if object.contains_key("metadata") && call.parameters.contains_key("metadata") {
        object.insert("metadata".into(), super::fields::new_metadata(&call.parameters));
    }
    for (name, here) in [("livemode", Value::Bool(call.account.live())), ("created", now().into())] {
        if object.get(name).is_some_and(|v| v.is_boolean() || v.is_i64()) {
            object.insert(name.into(), here);
        }
    }
    Ok(value)
}

/// Some value of a shape.
pub(super) fn of_shape(shape: &Shape) -> Value {
    example(shape, 0, presence::of(""))
}

/// A value of a shape.
fn example(shape: &Shape, depth: usize, presence: &Presence) -> Value {
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
        Shape::Object(fields) => members(fields, depth, presence),
        Shape::Union(parts) => parts.first().map_or(Value::Null, |p| example(p, depth, presence)),
        Shape::Ref(name) => match Facts::bundled().object(name) {
            Some(fields) => members(fields, depth + 1, presence::of(name)),
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

fn members(fields: &[Field], depth: usize, presence: &Presence) -> Value {
    let mut object = Object::new();
    let kind = fields.iter().find(|f| f.name == "object").and_then(|f| match &f.shape {
        Shape::Enum(values) => values.first().cloned(),
        _ => None,
    });
    for Field { name, required, nullable, shape } in fields {
        let value = match (name.as_str(), shape) {
            ("id", Shape::String) => format!("{}_simulated", kind.as_deref().map_or("obj", prefix)).into(),
            ("created", Shape::Integer) => now().into(),
            _ if *required && (depth < DEEPEST || !*nullable) => example(shape, depth, presence.member(name)),
            _ if presence.member(name).may_lack() => continue,
            _ => Value::Null,
        };
        object.insert(name.clone(), value);
    }
    Value::Object(object)
}

/// What ids of a kind begin with: the noun itself where no better is known.
fn prefix(kind: &str) -> &str {
    match kind {
        "account" => "acct",
        "billing_portal.configuration" => "bpc",
        "billing_portal.session" => "bps",
        "file_link" => "link",
        "identity.verification_session" => "vs",
        "issuing.card" => "ic",
        "issuing.cardholder" => "ich",
        "issuing.authorization" => "iauth",
        "issuing.transaction" => "ipi",
        "reporting.report_run" => "frr",
        "tax_id" => "txi",
        "topup" => "tu",
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
