//! Usage for meters, by v2: the same meters, read by the same rules, as in v1.
//!
//! A single event is checked before it is taken. A stream takes everything; what is wrong with it is told in thin
//! events afterwards, which here is at once.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{Call, Operations, Read, Reply};
use super::now;
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::resources::meter::{self, Unusable, Usage};
use crate::world::{Account, Object, Scope, instant, written};

pub(super) const OPERATIONS: Operations = &[
    ("POST", "/v2/billing/meter_events", create),
    ("POST", "/v2/billing/meter_event_adjustments", adjust),
    ("POST", "/v2/billing/meter_event_session", open),
    ("POST", STREAM, stream),
];

/// Takes the tokens of sessions instead of keys.
pub(crate) const STREAM: &str = "/v2/billing/meter_event_stream";
/// Sessions are kept under their tokens.
pub(crate) const SESSION: &str = "v2.billing.meter_event_session";

const KIND: &str = "v2.billing.meter_event";
/// How long a token is good for, in milliseconds.
const SESSION_LASTS: i64 = 15 * 60 * 1_000;
/// Events that one request of a stream can carry.
const MOST: usize = 100;
/// Errors are gathered in windows of this length, in milliseconds.
const WINDOW: i64 = 10_000;

fn usage(sent: &Object) -> Result<Usage, ApiError> {
    let timestamp = match sent.text("timestamp") {
        Some(text) => Some(
            instant::read(text)
                .ok_or_else(|| ApiError::invalid("Invalid timestamp, expected RFC 3339.").param("timestamp"))?,
        ),
        None => None,
    };
    Ok(Usage {
        name: sent.text("event_name").unwrap_or_default().to_owned(),
        payload: sent.object("payload").cloned().unwrap_or_default(),
        identifier: sent.text("identifier").map(str::to_owned),
        timestamp: timestamp.map(|t| t.div_euclid(1_000)),
    })
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let usage = usage(&call.parameters)?;
    let event = meter::record(call.account, &usage).map_err(|unusable| match unusable.reason {
        "archived_meter" | "duplicate_meter_event" => unusable.error.without_param().code(unusable.reason),
        _ => unusable.error,
    })?;
    let timestamp = event.integer("timestamp").unwrap_or_default().saturating_mul(1_000);
    Ok(Reply::Made(json!({
        "object": KIND, "created": now(call.account), "event_name": usage.name,
        "identifier": event.get("identifier"), "livemode": call.account.live(), "payload": usage.payload,
        "timestamp": instant::write(timestamp),
    })))
}

fn adjust(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let identifier = sent.object("cancel").and_then(|c| c.text("identifier")).unwrap_or_default();
    let name = sent.text("event_name").unwrap_or_default();
    if !meter::cancel(call.account, name, identifier) {
        let message = format!("There is no meter event with identifier {identifier}.");
        return Err(ApiError::invalid(message).param("cancel[identifier]"));
    }
    Ok(Reply::Made(json!({
        "id": call.account.new_v2_id("mtr_event_adj"), "object": "v2.billing.meter_event_adjustment",
        "cancel": {"identifier": identifier}, "created": now(call.account), "event_name": name,
        "livemode": call.account.live(), "status": "complete", "type": "cancel",
    })))
}

fn open(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let time = call.account.clock_milliseconds();
    let token = call.account.letters(64);
    let mut session = object(json!({
        "id": token, "object": SESSION, "authentication_token": token, "created": instant::write(time),
        "expires_at": instant::write(time.saturating_add(SESSION_LASTS)), "livemode": call.account.live(),
    }));
    call.account.put(SESSION, &session);
    session.insert("id".into(), call.account.new_v2_id("mtr_event_sess").into());
    Ok(session.into())
}

/// Whose usage the holder of a session's token reports.
pub(crate) fn session_of(account: &Account, token: &str) -> Result<Scope, ApiError> {
    let session = account.get(SESSION, token);
    let until = session.and_then(|s| instant::read(s.text("expires_at")?)).unwrap_or_default();
    if until > account.clock_milliseconds() {
        return Ok(account.scope().clone());
    }
    let error = ApiError::typed("temporary_session_expired", "The temporary session token has expired.");
    Err(error.status_is(401).code("billing_meter_event_session_expired"))
}

/// What is wrong with some of the events of a stream, by what they are about.
type Problems = BTreeMap<Option<String>, Vec<(Unusable, String)>>;

fn stream(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let events = call.parameters.list("events").to_vec();
    if events.is_empty() || events.len() > MOST {
        return Err(ApiError::invalid(format!("Between 1 and {MOST} events are taken at once.")).param("events"));
    }
    let usages = events.iter().enumerate().map(|(index, event)| {
        let sent = event.as_object().cloned().unwrap_or_default();
        usage(&sent).map_err(|e| e.param(format!("events[{index}][timestamp]")))
    });
    let usages: Vec<Usage> = usages.collect::<Result<_, _>>()?;
    let mut problems = Problems::new();
    for usage in usages {
        if let Err(unusable) = meter::record(call.account, &usage) {
            let meter = unusable.meter.as_ref().map(|m| m.id().to_owned());
            problems.entry(meter).or_default().push((unusable, usage.identifier.unwrap_or_default()));
        }
    }
    for problems in problems.into_values() {
        report(call.account, problems);
    }
    Ok(Reply::Made(json!({})))
}

/// Tells of events that are of no use: to a meter, or to any.
fn report(account: &mut Account, problems: Vec<(Unusable, String)>) {
    let count = problems.len();
    let mut meter = None;
    let mut types: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (unusable, identifier) in problems {
        let message = unusable.error.message().to_owned();
        let sample = json!({"error_message": message, "request": {"identifier": identifier}});
        types.entry(unusable.reason).or_default().push(sample);
        meter = unusable.meter;
    }
    let types: Vec<Value> = types
        .into_iter()
        .map(|(code, samples)| json!({"code": code, "error_count": samples.len(), "sample_errors": samples}))
        .collect();
    let start = account.clock_milliseconds().div_euclid(WINDOW).saturating_mul(WINDOW);
    let noun = if count == 1 { "is 1 invalid event" } else { "are invalid events" };
    let data = json!({
        "developer_message_summary": format!("There {noun}"),
        "reason": {"error_count": count, "error_types": types},
        "validation_end": instant::write(start.saturating_add(WINDOW)), "validation_start": instant::write(start),
    });
    let (kind, object) = match meter {
        Some(meter) => ("v1.billing.meter.error_report_triggered", written(&meter)),
        None => ("v1.billing.meter.no_meter_found", Bytes::new()),
    };
    account.emit_thin(kind, object, Some(data), None);
}
