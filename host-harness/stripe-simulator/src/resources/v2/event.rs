//! Thin events.

use std::sync::Arc;

use serde_json::Value;

use super::super::{Call, Operations, Read, Reply};
use super::pages::page;
use crate::protocol::ApiError;
use crate::world::{ThinEvent, instant};

pub(super) const OPERATIONS: Operations =
    &[("GET", "/v2/core/events", list), ("GET", "/v2/core/events/{id}", retrieve)];

/// Event types that one request can ask for.
const MOST_TYPES: usize = 20;
/// How long events can be read, in milliseconds.
const READABLE: i64 = 30 * 86_400 * 1_000;

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let since = call.account.clock_milliseconds().saturating_sub(READABLE);
    let found = call.account.events().thin(call.id()).filter(|e| e.created >= since);
    let found = found.ok_or_else(|| ApiError::missing_object("v2.core.event", call.id(), "id"))?;
    Ok(Reply::Made(found.whole()))
}

/// The bounds of `created`: each a name and milliseconds.
fn bounds(call: &Call<'_>) -> Result<Vec<(String, i64)>, ApiError> {
    let range = call.parameters.object("created").into_iter().flatten();
    let bound = |(name, value): (&String, &Value)| {
        let time = value.as_str().and_then(instant::read).ok_or_else(|| {
            ApiError::invalid("Invalid timestamp, expected RFC 3339.").param(format!("created[{name}]"))
        })?;
        Ok((name.clone(), time))
    };
    range.map(bound).collect()
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let types = call.parameters.list("types");
    if types.len() > MOST_TYPES {
        let message = format!("You may only specify up to {MOST_TYPES} event types.");
        return Err(ApiError::invalid(message).param("types"));
    }
    let bounds = bounds(call)?;
    let since = call.account.clock_milliseconds().saturating_sub(READABLE);
    let within = |time: i64| {
        time >= since
            && bounds.iter().all(|(name, bound)| match name.as_str() {
                "gt" => time > *bound,
                "gte" => time >= *bound,
                "lt" => time < *bound,
                _ => time <= *bound,
            })
    };
    let wanted = |event: &Arc<ThinEvent>| {
        within(event.created)
            && (types.is_empty() || types.iter().any(|t| t == event.kind))
            && call.parameters.text("object_id").is_none_or(|id| event.concerns(id))
    };
    let events = call.account.events();
    let wanted = &wanted;
    let told = move |at: usize| events.thin_at(at).filter(wanted).map(|event| (at, event.whole()));
    page(
        call,
        |place| Box::new((0..place.min(events.thin_len())).rev().filter_map(told)),
        |place| Box::new((place.saturating_add(1)..events.thin_len()).filter_map(told)),
    )
}
