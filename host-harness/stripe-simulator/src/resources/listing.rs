//! Lists: newest first, cursors both ways, filters.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Call, Read, Reply};
use crate::protocol::ApiError;
use crate::world::{Account, Object, Shelf};

/// A filter on equal text: a parameter, and the field that it is compared with.
pub(super) type Equal = (&'static str, &'static str);

/// How many objects a page has.
pub(super) fn limit(parameters: &Object) -> Result<usize, ApiError> {
    let limit = parameters.integer("limit").unwrap_or(10);
    if limit < 1 {
        return Err(ApiError::too_small("limit", 1));
    }
    if limit > 100 {
        return Err(ApiError::too_large("limit", 100));
    }
    Ok(usize::try_from(limit).unwrap_or(10))
}

/// Whether a time is in the range that `created` or a parameter like it gives.
pub(super) fn in_range(range: Option<&Value>, time: i64) -> bool {
    match range {
        Some(Value::Object(range)) => {
            range.integer("gt").is_none_or(|t| time > t)
                && range.integer("gte").is_none_or(|t| time >= t)
                && range.integer("lt").is_none_or(|t| time < t)
                && range.integer("lte").is_none_or(|t| time <= t)
        }
        Some(exact) => exact.as_i64() == Some(time),
        None => true,
    }
}

/// Lists a shelf, filtered by `created` and by text that is equal.
pub(super) fn shelf(call: &Call<'_>, kind: &'static str, equal: &[Equal]) -> Result<Reply, ApiError> {
    shelf_where(call, kind, equal, |_| true)
}

/// Lists a shelf with a test of its own on top; `test` costs a parse of every object that it sees.
pub(super) fn shelf_where(
    call: &Call<'_>,
    kind: &'static str,
    equal: &[Equal],
    test: impl Fn(&Object) -> bool,
) -> Result<Reply, ApiError> {
    let parameters = &call.parameters;
    // Who owns something is a customer, or an account of v2.
    let equal = equal.iter().chain([&("customer_account", "customer_account")]);
    let wanted: Vec<(&str, &str)> =
        equal.filter_map(|(param, field)| Some((*field, parameters.text(param)?))).collect();
    let created = parameters.get("created");
    let path = call.path();
    page(parameters, call.account.shelf(kind), kind, &path, |text, time| {
        if !in_range(created, time) || !wanted.iter().all(|(_, v)| crate::world::contains(text, v)) {
            return false;
        }
        let Ok(object) = serde_json::from_slice::<Object>(text) else { return false };
        wanted.iter().all(|(field, value)| field_is(&object, field, value)) && test(&object)
    })
}

/// Whether a field, or the id of an object in it, is this text. Dots lead into objects.
fn field_is(object: &Object, field: &str, value: &str) -> bool {
    let (first, rest) = field.split_once('.').map_or((field, None), |(f, r)| (f, Some(r)));
    match (object.get(first), rest) {
        (Some(Value::Object(inner)), Some(rest)) => field_is(inner, rest, value),
        (Some(Value::String(text)), None) => text == value,
        (Some(Value::Object(inner)), None) => inner.id() == value,
        _ => false,
    }
}

/// One page of a shelf.
fn page(
    parameters: &Object,
    shelf: Option<&Shelf>,
    kind: &'static str,
    url: &str,
    test: impl Fn(&[u8], i64) -> bool,
) -> Result<Reply, ApiError> {
    let limit = limit(parameters)?;
    let cursor = |name: &str| -> Result<Option<usize>, ApiError> {
        let Some(id) = parameters.text(name) else { return Ok(None) };
        let position = shelf.and_then(|s| s.position(id));
        position.map(Some).ok_or_else(|| ApiError::missing_object(kind, id, name))
    };
    let (after, before) = (cursor("starting_after")?, cursor("ending_before")?);
    if after.is_some() && before.is_some() {
        return Err(ApiError::exclusive("starting_after", "ending_before"));
    }
    let Some(shelf) = shelf else { return Ok(envelope(std::iter::empty::<&Bytes>(), false, url)) };
    if let Some(before) = before {
        let mut found: Vec<&Bytes> =
            shelf.after(before).filter(|k| test(k.text, k.created)).take(limit + 1).map(|k| k.text).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        return Ok(envelope(found.into_iter().rev(), more, url));
    }
    let mut found: Vec<&Bytes> = shelf
        .before(after.unwrap_or(usize::MAX))
        .filter(|k| test(k.text, k.created))
        .take(limit + 1)
        .map(|k| k.text)
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    Ok(envelope(found.into_iter(), more, url))
}

/// Whether a list without anything in it can be asked for like this: no cursor stands in it.
pub(super) fn check_empty(parameters: &Object, kind: &'static str) -> Result<(), ApiError> {
    limit(parameters)?;
    match ["starting_after", "ending_before"].iter().find_map(|n| Some((*n, parameters.text(n)?))) {
        Some((name, id)) => Err(ApiError::missing_object(kind, id, name)),
        None => Ok(()),
    }
}

/// A page made of texts.
pub(super) fn envelope<'t>(texts: impl Iterator<Item = &'t Bytes>, more: bool, url: &str) -> Reply {
    let mut out = b"{\"object\":\"list\",\"data\":[".to_vec();
    for (count, text) in texts.enumerate() {
        if count > 0 {
            out.push(b',');
        }
        out.extend_from_slice(text);
    }
    out.extend_from_slice(format!("],\"has_more\":{more},\"url\":{}}}", Value::from(url)).as_bytes());
    Reply::Kept(out.into())
}

/// One page of objects that are parts of another one, in the order that they have there.
pub(super) fn parts(call: &Call<'_>, kind: &'static str, data: Vec<Value>) -> Result<Reply, ApiError> {
    let limit = limit(&call.parameters)?;
    let place = |name: &str| -> Result<Option<usize>, ApiError> {
        let Some(id) = call.parameters.text(name) else { return Ok(None) };
        let place = data.iter().position(|d| d["id"] == id);
        place.map(Some).ok_or_else(|| ApiError::missing_object(kind, id, name))
    };
    let (start, end) = match (place("starting_after")?, place("ending_before")?) {
        (Some(_), Some(_)) => return Err(ApiError::exclusive("starting_after", "ending_before")),
        (Some(after), None) => (after + 1, data.len().min(after + 1 + limit)),
        (None, Some(before)) => (before.saturating_sub(limit), before),
        (None, None) => (0, data.len().min(limit)),
    };
    let more = if call.parameters.contains_key("ending_before") { start > 0 } else { end < data.len() };
    let page = data.get(start..end).unwrap_or_default();
    Ok(Reply::Made(json!({"object": "list", "data": page, "has_more": more, "url": call.path()})))
}

impl Call<'_> {
    /// The path of the request.
    pub(super) fn path(&self) -> String {
        let mut values = self.values.iter();
        let segment =
            |s: &str| if s.starts_with('{') { values.next().cloned().unwrap_or_default() } else { s.to_owned() };
        self.operation.path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }
}

/// The newest objects of a kind as a list inside another object.
pub(super) fn newest(
    account: &Account,
    kind: &str,
    needle: &str,
    url: String,
    test: impl Fn(&Object) -> bool,
) -> Value {
    let mut found = account.select(kind, needle, test);
    let more = found.len() > 10;
    found.truncate(10);
    let data: Vec<Value> = found.into_iter().map(Value::Object).collect();
    json!({"object": "list", "data": data, "has_more": more, "url": url})
}
