//! Billing meters: usage that is reported, and what prices make of it.

use serde_json::json;

use super::fields::{object, whole};
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/billing/meters", list),
    ("POST", "/v1/billing/meters", create),
    ("GET", "/v1/billing/meters/{id}", retrieve),
    ("POST", "/v1/billing/meters/{id}", update),
    ("POST", "/v1/billing/meters/{id}/deactivate", deactivate),
    ("POST", "/v1/billing/meters/{id}/reactivate", reactivate),
    ("GET", "/v1/billing/meters/{id}/event_summaries", summaries),
    ("POST", "/v1/billing/meter_events", report),
];

const KIND: &str = "billing.meter";
const EVENT: &str = "billing.meter_event";
const DAY: i64 = 86_400;

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let name = sent.text("event_name").unwrap_or_default();
    let holds = |m: &Object| m.text("event_name") == Some(name) && m.text("status") == Some("active");
    if !call.account.select(KIND, "", holds).is_empty() {
        let message = format!("A meter with the event name {name} is active already.");
        return Err(ApiError::invalid(message).code("resource_already_exists").param("event_name"));
    }
    if sent.text("display_name").is_none() {
        return Err(ApiError::empty_param("display_name"));
    }
    let key = |name: &str, default: &str| {
        sent.object(name).and_then(|m| m.text("event_payload_key")).unwrap_or(default).to_owned()
    };
    let time = now();
    let meter = whole(
        KIND,
        json!({
            "id": call.account.new_id("mtr"), "object": KIND, "created": time,
            "customer_mapping": {"event_payload_key": key("customer_mapping", "stripe_customer_id"), "type": "by_id"},
            "default_aggregation": {"formula": sent.object("default_aggregation").and_then(|a| a.text("formula"))},
            "display_name": sent.text("display_name"), "event_name": name,
            "event_time_window": sent.get("event_time_window"), "livemode": call.account.live(), "status": "active",
            "status_transitions": {"deactivated_at": null}, "updated": time,
            "value_settings": {"event_payload_key": key("value_settings", "value")},
        }),
    );
    Ok(Reply::Kept(call.account.create(KIND, "billing.meter.created", &meter)))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    if let Some(name) = call.parameters.text("display_name") {
        new.insert("display_name".into(), name.into());
        new.insert("updated".into(), now().into());
    }
    Ok(Reply::Kept(call.account.update(KIND, "billing.meter.updated", &old, &new)))
}

fn set(call: &mut Call<'_>, status: &str, event: &'static str) -> Result<Reply, ApiError> {
    let mut meter = call.named(KIND)?;
    if meter.text("status") == Some(status) {
        return Err(ApiError::invalid(format!("This meter is {status} already.")));
    }
    let time = now();
    meter.insert("status".into(), status.into());
    meter.insert("updated".into(), time.into());
    let at = (status == "inactive").then_some(time);
    meter.insert("status_transitions".into(), json!({"deactivated_at": at}));
    let text = call.account.put(KIND, &meter);
    call.account.emit(event, text.clone());
    Ok(Reply::Kept(text))
}

fn deactivate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    set(call, "inactive", "billing.meter.deactivated")
}

fn reactivate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    set(call, "active", "billing.meter.reactivated")
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("status", "status")])
}

/// Usage as it is reported.
pub(super) struct Usage {
    /// What a meter counts events by.
    pub(super) name: String,
    pub(super) payload: Object,
    /// What tells the event from others; without one it gets one.
    pub(super) identifier: Option<String>,
    /// When it happened, in Unix seconds.
    pub(super) timestamp: Option<i64>,
}

/// Usage that counts for nothing.
pub(super) struct Unusable {
    /// Why, as reports of errors name it.
    pub(super) reason: &'static str,
    /// The meter that it was for, if there is one.
    pub(super) meter: Option<Object>,
    /// Why, as a caller is told.
    pub(super) error: ApiError,
}

fn report(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let usage = Usage {
        name: sent.text("event_name").unwrap_or_default().to_owned(),
        payload: sent.object("payload").cloned().unwrap_or_default(),
        identifier: sent.text("identifier").map(str::to_owned),
        timestamp: sent.integer("timestamp"),
    };
    record(call.account, &usage).map(Reply::from).map_err(|unusable| unusable.error)
}

/// Keeps usage that some meter counts; the event as v1 shows it.
pub(super) fn record(account: &mut Account, usage: &Usage) -> Result<Object, Unusable> {
    let Usage { name, payload, .. } = usage;
    let meters = account.select(KIND, name, |m| m.text("event_name") == Some(name));
    let active = meters.iter().position(|m| m.text("status") == Some("active"));
    let Some(meter) = meters.get(active.unwrap_or_default()).cloned() else {
        let message = format!("No active meter found for event name {name}.");
        let error = ApiError::invalid(message).code("resource_missing").param("event_name");
        return Err(Unusable { reason: "no_meter", meter: None, error });
    };
    let unusable = |reason: &'static str, error: ApiError| Unusable { reason, meter: Some(meter.clone()), error };
    if active.is_none() {
        let message = format!("No active meter found for event name {name}.");
        let error = ApiError::invalid(message).code("resource_missing").param("event_name");
        return Err(unusable("archived_meter", error));
    }
    let key = |name: &str| meter.object(name).and_then(|m| m.text("event_payload_key")).unwrap_or_default().to_owned();
    let (who, what) = (key("customer_mapping"), key("value_settings"));
    let Some(customer) = payload.text(&who) else {
        return Err(unusable("meter_event_no_customer_defined", ApiError::missing_param(&format!("payload[{who}]"))));
    };
    if let Err(error) = account.find("customer", customer, &format!("payload[{who}]")) {
        return Err(unusable("meter_event_customer_not_found", error));
    }
    let counts = meter.object("default_aggregation").and_then(|a| a.text("formula")) == Some("count");
    let value = payload.text(&what);
    if !counts && value.and_then(|v| v.parse::<f64>().ok()).is_none_or(|v| !v.is_finite()) {
        let error = ApiError::invalid("The value of a meter event must be a number.").param(format!("payload[{what}]"));
        let reason = if value.is_none() { "meter_event_value_not_found" } else { "meter_event_invalid_value" };
        return Err(unusable(reason, error));
    }
    let time = now();
    let stamp = usage.timestamp.unwrap_or(time);
    if stamp > time + 300 || stamp < time - 35 * DAY {
        let message = "The timestamp must be within the past 35 days and at most five minutes ahead.";
        let reason = if stamp > time { "timestamp_in_future" } else { "timestamp_too_far_in_past" };
        return Err(unusable(reason, ApiError::invalid(message).param("timestamp")));
    }
    let identifier = match usage.identifier.as_deref() {
        Some(id) if account.exists(EVENT, id) => {
            let message = format!("An event already exists with identifier {id}.");
            let error = ApiError::invalid(message).code("resource_already_exists").param("identifier");
            return Err(unusable("duplicate_meter_event", error));
        }
        Some(id) => id.to_owned(),
        None => account.letters(24),
    };
    let mut event = object(json!({
        "object": EVENT, "created": time, "event_name": name, "identifier": identifier,
        "livemode": account.live(), "payload": payload, "timestamp": stamp,
    }));
    event.insert("id".into(), identifier.into());
    account.put(EVENT, &event);
    event.remove("id");
    Ok(event)
}

/// Takes an event back; whether there was one.
pub(super) fn cancel(account: &mut Account, name: &str, identifier: &str) -> bool {
    let found = account.get(EVENT, identifier).is_some_and(|e| e.text("event_name") == Some(name));
    if found {
        account.remove(EVENT, identifier, None);
    }
    found
}

fn aggregate(account: &Account, meter: &Object, customer: &str, start: i64, end: i64) -> f64 {
    let key = |name: &str| meter.object(name).and_then(|m| m.text("event_payload_key")).unwrap_or_default().to_owned();
    let (who, what) = (key("customer_mapping"), key("value_settings"));
    let name = meter.text("event_name").unwrap_or_default();
    let events = account.select(EVENT, customer, |e| {
        e.text("event_name") == Some(name)
            && e.object("payload").and_then(|p| p.text(&who)) == Some(customer)
            && e.integer("timestamp").is_some_and(|t| t >= start && t < end)
    });
    let value = |e: &Object| {
        e.object("payload").and_then(|p| p.text(&what)).and_then(|v| v.parse::<f64>().ok()).unwrap_or_default()
    };
    match meter.object("default_aggregation").and_then(|a| a.text("formula")) {
        Some("count") => events.len() as f64,
        Some("last") => events.iter().max_by_key(|e| e.integer("timestamp")).map(value).unwrap_or_default(),
        _ => events.iter().map(value).sum(),
    }
}

fn summaries(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let meter = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    let customer = sent.text("customer").unwrap_or_default();
    call.account.find("customer", customer, "customer")?;
    let (start, end) = (sent.integer("start_time").unwrap_or_default(), sent.integer("end_time").unwrap_or_default());
    if end <= start {
        return Err(ApiError::invalid("end_time must be after start_time.").param("end_time"));
    }
    let step = match sent.text("value_grouping_window") {
        Some("hour") => 3_600,
        Some(_) => DAY,
        None => end.saturating_sub(start),
    };
    if end.saturating_sub(start) / step > 10_000 {
        return Err(ApiError::invalid("The time range has too many windows.").param("end_time"));
    }
    let mut found = Vec::new();
    let mut from = start;
    while from < end {
        let to = from.saturating_add(step).min(end);
        let sum = aggregate(call.account, &meter, customer, from, to);
        if sum != 0.0 {
            found.push(json!({
                "id": format!("mtrusg_{from}{to}"), "object": "billing.meter_event_summary", "aggregated_value": sum,
                "end_time": to, "livemode": call.account.live(), "meter": meter.id(), "start_time": from,
            }));
        }
        from = to;
    }
    found.reverse();
    call.parameters = sent;
    listing::parts(call, "billing.meter_event_summary", found)
}

/// What a customer used of the meter of an item's price, in the period before the item's current one.
pub(super) fn usage(account: &Account, subscription: &Object, item: &Object) -> i64 {
    let meter = item.object("price").and_then(|p| p.object("recurring")).and_then(|r| r.text("meter"));
    let Some(meter) = meter.and_then(|m| account.get(KIND, m)) else { return 0 };
    let customer = subscription.text("customer").unwrap_or_default();
    let since = subscription.integer("start_date").unwrap_or_default();
    let start = item.integer("current_period_start").unwrap_or_default();
    // A period is as long as the one before it, near enough for usage.
    let length = item.integer("current_period_end").unwrap_or_default().saturating_sub(start);
    let sum = aggregate(account, &meter, customer, start.saturating_sub(length).max(since), start);
    sum.round() as i64
}
