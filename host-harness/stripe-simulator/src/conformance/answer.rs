//! Whether an answer is what a version says.

use serde_json::Value;
use stripe_facts::{Facts, Field, Method, Shape};

use crate::older;
use crate::presence::{self, Presence};
use crate::world::Object;

/// What an answer is held against.
#[derive(Debug, Clone, Copy)]
struct Rules<'v> {
    /// Whether members that Stripe always sends have to be there, and `null` only where Stripe says `null`.
    complete: bool,
    /// The version that the answer is in.
    version: &'v str,
}

/// The types that errors of v1 have.
const ERROR_TYPES: &[&str] = &["api_error", "card_error", "idempotency_error", "invalid_request_error"];

/// The latest version, with what is there allowed to be incomplete.
fn lenient() -> Rules<'static> {
    Rules { complete: false, version: &Facts::bundled().api_version }
}

/// Whether an object of the API (anything with a known `object`, lists of such too) is of its schema. It may lack
/// members that need not have a value.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_object(value: &Value) -> Result<(), String> {
    lenient().object(value)
}

/// Whether an object is of its schema and has every member that Stripe sends: `null` where there is no value, and
/// absent only what Stripe leaves out (what has to be expanded or included, members of one `type` or another).
/// An event is held against its own `api_version`, and so is the object in it.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_complete(value: &Value) -> Result<(), String> {
    Rules { complete: true, ..lenient() }.object(value)
}

/// Whether an answer is of the shape that an operation returns. The path is a concrete one.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_response(method: &str, path: &str, value: &Value) -> Result<(), String> {
    let found = Method::parse(method).and_then(|m| Facts::bundled().find(m, path));
    let found = found.ok_or_else(|| format!("no operation {method} {path}"))?;
    lenient().answer(&found.operation.response, path, value)
}

/// Whether a body is an error as v1 has them.
///
/// # Errors
/// The first thing that is wrong, with the path to it.
pub fn check_error(body: &Value) -> Result<(), String> {
    Rules { complete: true, ..lenient() }.error(body)
}

/// Whether the answer to a request is complete in the version that it is in: `shape` for a success, else an error.
pub(crate) fn check_answer(shape: Option<&Shape>, version: &str, path: &str, body: &Value) -> Result<(), String> {
    let rules = Rules { complete: true, version };
    match shape {
        Some(shape) => rules.answer(shape, path, body),
        None if path.starts_with("/v2/") => {
            let text = |name: &str| body.pointer(name).is_some_and(Value::is_string);
            let told = text("/error/message") && (text("/error/code") || text("/error/type"));
            if told { Ok(()) } else { Err("an error of v2 needs `message`, and `code` or `type`".into()) }
        }
        None => rules.error(body),
    }
}

/// Whether a value is of a shape.
pub(crate) fn fits(shape: &Shape, value: &Value) -> bool {
    check_value(shape, value, "").is_ok()
}

/// Whether a value is of a shape; what is wrong otherwise.
pub(super) fn check_value(shape: &Shape, value: &Value, at: &str) -> Result<(), String> {
    lenient().value(shape, value, at, presence::of(""))
}

/// The members of objects of a kind in a version.
fn members_of(kind: &str, version: &str) -> Option<&'static [Field]> {
    older::members(kind, version).or_else(|| Facts::bundled().object(kind))
}

impl Rules<'_> {
    /// What an operation returns.
    fn answer(self, shape: &Shape, path: &str, value: &Value) -> Result<(), String> {
        match shape {
            // The facts were made from a library that has one name for the lists of both namespaces.
            Shape::List(inner) if path.starts_with("/v2/") => self.page_of_v2(inner, value, "answer"),
            shape => self.value(shape, value, "answer", presence::of("")),
        }
    }

    fn object(self, value: &Value) -> Result<(), String> {
        let name = value.get("object").and_then(Value::as_str).ok_or("it has no `object`")?;
        if matches!(name, "list" | "search_result") {
            let data = value.get("data").and_then(Value::as_array);
            let Some(data) = data else { return Err(format!("{name}: `data` is no list")) };
            if !is_boolean(value, "has_more") || !is_string(value, "url") {
                return Err(format!("{name}: needs `has_more` and `url`"));
            }
            for (index, item) in data.iter().enumerate() {
                self.object(item).map_err(|e| format!("data[{index}].{e}"))?;
            }
            return Ok(());
        }
        self.kind(name, value, name)
    }

    /// An object of a kind.
    fn kind(self, kind: &str, value: &Value, at: &str) -> Result<(), String> {
        let Some(fields) = members_of(kind, self.version) else {
            return Err(format!("{at}: `{kind}` is no object of the API"));
        };
        match (kind, value) {
            ("v2.core.event", Value::Object(members)) => self.thin_event(fields, members, at),
            ("event", value) if self.complete => {
                self.members(fields, value, at, presence::of(kind))?;
                event(value, at)
            }
            _ => self.members(fields, value, at, presence::of(kind)),
        }
    }

    /// What every thin event has, and what many have besides, which the facts leave to the types of events.
    fn thin_event(self, fields: &[Field], members: &Object, at: &str) -> Result<(), String> {
        let mut common = members.clone();
        common.remove("data");
        if let Some(related) = common.remove("related_object").filter(|r| !r.is_null())
            && !(is_string(&related, "type") && is_string(&related, "url"))
        {
            return Err(format!("{at}.related_object: needs `type` and `url`"));
        }
        self.members(fields, &Value::Object(common), at, presence::of("v2.core.event"))
    }

    fn error(self, body: &Value) -> Result<(), String> {
        let error = body.get("error").filter(|_| body.as_object().is_some_and(|b| b.len() == 1));
        let error = error.ok_or_else(|| format!("{body} is no error"))?;
        // What a payment intent keeps as its last error is the error as it was answered.
        let kept = members_of("payment_intent", self.version).unwrap_or_default();
        let kept = kept.iter().find(|f| f.name == "last_payment_error").map(|f| &f.shape);
        if let Some(shape) = kept {
            // Codes are an open list, and the errors of operations have more than those of payments.
            let mut known = error.clone();
            let code = known.as_object_mut().and_then(|e| e.remove("code"));
            if code.as_ref().is_some_and(|c| !c.is_string()) {
                return Err(format!("error.code: {} is no text", code.unwrap_or_default()));
            }
            if code.is_some() && !is_string(error, "doc_url") {
                return Err("error.doc_url: is missing beside a code".into());
            }
            let never_null = presence::of("payment_intent").member("last_payment_error");
            self.value(shape, &known, "error", never_null)?;
        }
        match error.get("type").and_then(Value::as_str) {
            _ if !is_string(error, "message") => Err("error.message: is missing".into()),
            Some(kind) if ERROR_TYPES.contains(&kind) => Ok(()),
            kind => Err(format!("error.type: {kind:?} is none")),
        }
    }

    fn members(self, fields: &[Field], value: &Value, at: &str, presence: &Presence) -> Result<(), String> {
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
            let known = presence.member(name);
            match value {
                Value::Null if self.complete && known.never_null() => {
                    return Err(format!("{at}: is left out when there is none, not null"));
                }
                Value::Null if field.nullable => {}
                Value::Null => return Err(format!("{at}: may not be null")),
                value => self.value(&field.shape, value, &at, known)?,
            }
        }
        let wanted = |f: &&Field| f.required || (self.complete && !presence.member(&f.name).may_lack());
        match fields.iter().filter(wanted).find(|f| !members.contains_key(&f.name)) {
            Some(missing) => Err(format!("{at}.{}: is missing", missing.name)),
            None => Ok(()),
        }
    }

    fn value(self, shape: &Shape, value: &Value, at: &str, presence: &Presence) -> Result<(), String> {
        let expect = |fine: bool, what: &str| if fine { Ok(()) } else { Err(format!("{at}: {value} is no {what}")) };
        let each = |inner: &Shape, items: &[Value], at: &str| {
            items.iter().enumerate().try_for_each(|(i, v)| self.value(inner, v, &format!("{at}[{i}]"), presence))
        };
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
                each(inner, items, at)
            }
            Shape::Map(inner) => {
                let Value::Object(members) = value else { return expect(false, "object") };
                members.iter().try_for_each(|(name, v)| {
                    if v.is_null() { Ok(()) } else { self.value(inner, v, &format!("{at}.{name}"), presence) }
                })
            }
            Shape::Object(fields) => self.members(fields, value, at, presence),
            Shape::Union(parts) => one_of(parts.iter().map(|p| self.value(p, value, at, presence))),
            Shape::Ref(name) => self.named(name, value, at),
            Shape::Expandable(_) if value.is_string() => Ok(()),
            Shape::Expandable(names) => one_of(names.iter().map(|n| self.named(n, value, at))),
            Shape::List(inner) => self.page("list", inner, value, at),
            Shape::Search(inner) => self.page("search_result", inner, value, at),
            Shape::Pages(inner) => {
                let Some(items) = value.get("data").and_then(Value::as_array) else { return expect(false, "page") };
                each(inner, items, &format!("{at}.data"))
            }
        }
    }

    fn named(self, name: &str, value: &Value, at: &str) -> Result<(), String> {
        match members_of(name, self.version) {
            Some(_) => self.kind(name, value, at),
            None if value.is_object() => Ok(()),
            None => Err(format!("{at}: {value} is no `{name}`")),
        }
    }

    fn page(self, kind: &str, inner: &Shape, value: &Value, at: &str) -> Result<(), String> {
        let Value::Object(members) = value else { return Err(format!("{at}: {value} is no {kind}")) };
        let known: &[&str] = match kind {
            "list" => &["object", "data", "has_more", "url", "total_count"],
            _ => &["object", "data", "has_more", "url", "next_page", "total_count"],
        };
        if let Some(extra) = members.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(format!("{at}.{extra}: unknown member of a {kind}"));
        }
        let named = members.get("object").and_then(Value::as_str) == Some(kind);
        if !named || !is_boolean(value, "has_more") || !is_string(value, "url") {
            return Err(format!("{at}: is no {kind}"));
        }
        let items = members.get("data").and_then(Value::as_array);
        let Some(items) = items else { return Err(format!("{at}.data: is no list")) };
        let each = |(i, v)| self.value(inner, v, &format!("{at}.data[{i}]"), presence::of(""));
        items.iter().enumerate().try_for_each(each)
    }

    fn page_of_v2(self, inner: &Shape, value: &Value, at: &str) -> Result<(), String> {
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
        let items = members.get("data").and_then(Value::as_array);
        let Some(items) = items else { return Err(format!("{at}.data: is no list")) };
        let each = |(i, v)| self.value(inner, v, &format!("{at}.data[{i}]"), presence::of(""));
        items.iter().enumerate().try_for_each(each)
    }

    /// Some of the members of an object, as an event tells what they were.
    fn some(self, fields: &[Field], value: &Value, at: &str) -> Result<(), String> {
        let Value::Object(members) = value else { return Err(format!("{at}: {value} is no object")) };
        members.iter().try_for_each(|(name, value)| {
            let at = format!("{at}.{name}");
            let field = fields.iter().find(|f| f.name == *name).ok_or_else(|| format!("{at}: unknown member"))?;
            match (&field.shape, value) {
                (_, Value::Null) => Ok(()),
                (Shape::Object(inner), value) => self.some(inner, value, &at),
                // Of a list inside an object only what changed in it is told.
                (Shape::List(_), Value::Object(_)) => Ok(()),
                (Shape::Ref(name), value) => match members_of(name, self.version) {
                    Some(inner) => self.some(inner, value, &at),
                    None => Ok(()),
                },
                (Shape::Union(parts), Value::Object(_)) => one_of(parts.iter().map(|p| match p {
                    Shape::Object(inner) => self.some(inner, value, &at),
                    other => self.value(other, value, &at, presence::of("")),
                })),
                (shape, value) => self.value(shape, value, &at, presence::of("")),
            }
        })
    }
}

/// The object in an event, in the event's version, and what it was before.
fn event(event: &Value, at: &str) -> Result<(), String> {
    let at = format!("{at}({}).data", event.get("type").and_then(Value::as_str).unwrap_or_default());
    let version = event.get("api_version").and_then(Value::as_str).unwrap_or_default();
    let object = event.pointer("/data/object").unwrap_or(&Value::Null);
    let kind = object.get("object").and_then(Value::as_str).unwrap_or_default();
    let Some(fields) = members_of(kind, version) else { return Err(format!("{at}.object: is no object of the API")) };
    let rules = Rules { complete: true, version };
    rules.kind(kind, object, &format!("{at}.object"))?;
    match event.pointer("/data/previous_attributes") {
        Some(before) => Rules { complete: false, version }.some(fields, before, &format!("{at}.previous_attributes")),
        None => Ok(()),
    }
}

fn is_boolean(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(Value::is_boolean)
}

fn is_string(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(Value::is_string)
}

/// Success if any succeeds, else the last complaint.
pub(super) fn one_of(results: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let mut last = Ok(());
    for result in results {
        if result.is_ok() {
            return result;
        }
        last = result;
    }
    last
}

pub(super) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}
