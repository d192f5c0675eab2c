//! Events.

use bytes::Bytes;

use super::listing::{envelope, in_range, limit};
use super::{Call, Operations, Read, Reply};
use crate::protocol::ApiError;
use crate::world::Event;

pub(super) const OPERATIONS: Operations = &[("GET", "/v1/events", list), ("GET", "/v1/events/{id}", retrieve)];

/// Event types that one request can ask for.
const MOST_TYPES: usize = 20;

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let found = call.account.events().get(call.id());
    found.map(|e| Reply::Kept(e.text(None))).ok_or_else(|| ApiError::missing_object("event", call.id(), "id"))
}

/// `charge.*` and `*` are patterns.
fn matches(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => wanted == kind,
    }
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let types = sent.list("types");
    if types.len() > MOST_TYPES {
        let message = format!("You may only specify up to {MOST_TYPES} event types.");
        return Err(ApiError::invalid(message).param("types"));
    }
    if sent.contains_key("type") && sent.contains_key("types") {
        return Err(ApiError::exclusive("type", "types"));
    }
    let limit = limit(sent)?;
    let position = |name: &str| -> Result<Option<usize>, ApiError> {
        let Some(id) = sent.text(name) else { return Ok(None) };
        let place = call.account.events().position(id);
        place.map(Some).ok_or_else(|| ApiError::missing_object("event", id, name))
    };
    let (after, before) = (position("starting_after")?, position("ending_before")?);
    if after.is_some() && before.is_some() {
        return Err(ApiError::exclusive("starting_after", "ending_before"));
    }
    let wanted = |event: &Event| {
        let pending = event.pending.load(std::sync::atomic::Ordering::Relaxed) > 0;
        in_range(sent.get("created"), event.created())
            && sent.text("type").is_none_or(|t| matches(t, event.kind))
            && (types.is_empty() || types.iter().filter_map(|t| t.as_str()).any(|t| matches(t, event.kind)))
            && sent.get("delivery_success").is_none_or(|s| *s != pending)
    };
    let events = call.account.events();
    let mut found: Vec<Bytes> = match before {
        Some(before) => {
            let newer = events.iter().skip(before + 1).filter(|e| wanted(e));
            newer.take(limit + 1).map(|e| e.text(None)).collect()
        }
        None => {
            let older = events.iter().take(after.unwrap_or(events.len())).rev().filter(|e| wanted(e));
            older.take(limit + 1).map(|e| e.text(None)).collect()
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    if before.is_some() {
        found.reverse();
    }
    Ok(envelope(found.iter(), more, "/v1/events"))
}
