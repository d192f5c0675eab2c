//! Event destinations: where events go, as snapshots or thin.
//!
//! Those that are webhook endpoints are sent to. Those in somebody's cloud are kept and shown, and nothing is
//! sent: there is no cloud here.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use stripe_facts::Facts;

use super::super::webhook_endpoint::is_sound;
use super::super::{Call, Operations, Read, Reply};
use super::{assign_metadata, deleted, includes, now, pages};
use crate::protocol::ApiError;
use crate::resources::fields::{object, whole};
use crate::webhooks::Target;
use crate::world::{Object, thin_events, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v2/core/event_destinations", list),
    ("POST", "/v2/core/event_destinations", create),
    ("GET", "/v2/core/event_destinations/{id}", retrieve),
    ("POST", "/v2/core/event_destinations/{id}", update),
    ("DELETE", "/v2/core/event_destinations/{id}", delete),
    ("POST", "/v2/core/event_destinations/{id}/disable", disable),
    ("POST", "/v2/core/event_destinations/{id}/enable", enable),
    ("POST", "/v2/core/event_destinations/{id}/ping", ping),
];

const KIND: &str = "v2.core.event_destination";
const PING: &str = "v2.core.event_destination.ping";

/// Transports; the settings of each are under its name.
const TRANSPORTS: [&str; 3] = ["amazon_eventbridge", "azure_event_grid", "webhook_endpoint"];

/// Whose events can be asked for. The last two are how earlier versions name the first two.
const SOURCES: [&str; 6] =
    ["@self", "@accounts", "@organization_members", "@organization_members/@accounts", "self", "other_accounts"];

/// What an answer shows: the URL only when it is asked for, the secret only by [`create`].
fn shown(mut destination: Object, call: &Call<'_>) -> Object {
    if !includes(&call.parameters, "webhook_endpoint.url")
        && let Some(Value::Object(endpoint)) = destination.get_mut("webhook_endpoint")
    {
        endpoint.insert("url".into(), Value::Null);
    }
    destination
}

fn check_events(sent: &Object, thin: bool) -> Result<(), ApiError> {
    if sent.contains_key("enabled_events") && sent.list("enabled_events").is_empty() {
        return Err(ApiError::invalid("At least one event type is needed.").param("enabled_events"));
    }
    let types = &Facts::bundled().event_types;
    for (index, kind) in sent.list("enabled_events").iter().enumerate() {
        let kind = kind.as_str().unwrap_or_default();
        let known =
            kind == "*" || if thin { thin_events::known(kind).is_some() } else { types.iter().any(|t| t == kind) };
        if !known {
            let payload = if thin { "thin" } else { "snapshot" };
            let message = format!("There is no event type '{kind}' with {payload} payloads.");
            return Err(ApiError::invalid(message).param(format!("enabled_events[{index}]")));
        }
    }
    Ok(())
}

fn check_endpoint(endpoint: Option<&Object>, live: bool) -> Result<(), ApiError> {
    let Some(url) = endpoint.map(|e| e.text("url").unwrap_or_default()) else { return Ok(()) };
    let refused = |message: &str| Err(ApiError::invalid(message).param("webhook_endpoint[url]"));
    if !is_sound(url) {
        return refused("Invalid URL: an explicit scheme, such as https, is needed.");
    }
    if live && !url.starts_with("https:") {
        return refused("Invalid URL: in live mode it must be HTTPS.");
    }
    Ok(())
}

fn check_new(sent: &Object, live: bool) -> Result<(), ApiError> {
    let thin = sent.text("event_payload") == Some("thin");
    check_events(sent, thin)?;
    if sent.text("name").is_none() {
        return Err(ApiError::invalid("A name is needed.").param("name"));
    }
    let transport = sent.text("type").unwrap_or_default();
    for name in TRANSPORTS {
        if sent.object(name).is_some() != (name == transport) {
            let verb = if name == transport { "must" } else { "cannot" };
            let message = format!("It {verb} be given for the type {transport}.");
            return Err(ApiError::invalid(message).param(name));
        }
    }
    if thin && sent.contains_key("snapshot_api_version") {
        let message = "It cannot be given for thin events, which have no version.";
        return Err(ApiError::invalid(message).param("snapshot_api_version"));
    }
    for (index, source) in sent.list("events_from").iter().enumerate() {
        if !source.as_str().is_some_and(|s| SOURCES.contains(&s)) {
            let complaint = format!(
                "Unrecognized enum value '{}', valid values are: {}.",
                source.as_str().unwrap_or_default(),
                SOURCES.join(", ")
            );
            return Err(ApiError::invalid(complaint).param(format!("events_from[{index}]")));
        }
    }
    check_endpoint(sent.object("webhook_endpoint"), live)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    check_new(&call.parameters, call.account.live())?;
    let id = call.account.new_v2_id("ed");
    let secret = format!("whsec_{}", call.account.letters(32));
    let time = now(call.account);
    let sent = &call.parameters;
    let thin = sent.text("event_payload") == Some("thin");
    let from: Vec<Value> = match sent.list("events_from") {
        [] => vec!["@self".into()],
        some => some.to_vec(),
    };
    let version = sent.text("snapshot_api_version").unwrap_or(&call.account.settings().account_version);
    let bridge = sent.object("amazon_eventbridge").map(|a| {
        let region = a.text("aws_region").unwrap_or_default();
        json!({
            "aws_account_id": a.get("aws_account_id"),
            "aws_event_source_arn": format!("arn:aws:events:{region}::event-source/aws.partner/stripe.com/{id}"),
            "aws_event_source_status": "pending",
        })
    });
    let grid = sent.object("azure_event_grid").map(|a| {
        json!({
            "azure_partner_topic_name": id, "azure_partner_topic_status": "never_activated",
            "azure_region": a.get("azure_region"), "azure_resource_group_name": a.get("azure_resource_group_name"),
            "azure_subscription_id": a.get("azure_subscription_id"),
        })
    });
    let endpoint = sent.object("webhook_endpoint").map(|e| json!({"signing_secret": null, "url": e.get("url")}));
    let mut destination = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "amazon_eventbridge": bridge, "azure_event_grid": grid, "created": time,
            "description": sent.text("description").unwrap_or_default(), "enabled_events": sent.get("enabled_events"),
            "event_payload": sent.get("event_payload"), "events_from": from, "livemode": call.account.live(),
            "metadata": {}, "name": sent.get("name"), "snapshot_api_version": (!thin).then_some(version),
            "status": "enabled", "status_details": null, "type": sent.get("type"), "updated": time,
            "webhook_endpoint": endpoint,
        }),
    );
    assign_metadata(&mut destination, sent)?;
    call.account.put(KIND, &destination);
    if let Some(target) = target(&destination, &secret) {
        call.account.aim(target);
    }
    if includes(&call.parameters, "webhook_endpoint.signing_secret")
        && let Some(Value::Object(endpoint)) = destination.get_mut("webhook_endpoint")
    {
        endpoint.insert("signing_secret".into(), secret.into());
    }
    Ok(shown(destination, call).into())
}

/// Where its deliveries go. Organisations have no members here: who listens to those hears nothing.
fn target(destination: &Object, secret: &str) -> Option<Arc<Target>> {
    let endpoint = destination.object("webhook_endpoint")?;
    let hears = |names: [&str; 2]| destination.list("events_from").iter().any(|f| names.iter().any(|n| f == n));
    let enabled_events = destination.list("enabled_events").iter();
    Some(Arc::new(Target {
        id: destination.id().into(),
        url: endpoint.text("url").unwrap_or_default().into(),
        secret: secret.into(),
        enabled_events: enabled_events.filter_map(|e| e.as_str().map(str::to_owned)).collect(),
        api_version: destination.text("snapshot_api_version").map(Into::into),
        enabled: destination.text("status") == Some("enabled"),
        thin: destination.text("event_payload") == Some("thin"),
        socket: None,
        own: hears(["@self", "self"]),
        connected: hears(["@accounts", "other_accounts"]),
        gone: AtomicBool::new(false),
    }))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let destination = call.named(KIND)?;
    Ok(shown(destination, call).into())
}

/// Keeps a destination that changed.
fn keep(call: &mut Call<'_>, mut destination: Object) -> Reply {
    destination.insert("updated".into(), now(call.account).into());
    call.account.put(KIND, &destination);
    let secret = call.account.target(destination.id()).map(|t| t.secret.clone());
    if let Some(target) = secret.and_then(|secret| target(&destination, &secret)) {
        call.account.aim(target);
    }
    shown(destination, call).into()
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut destination = call.named(KIND)?;
    let sent = &call.parameters;
    check_events(sent, destination.text("event_payload") == Some("thin"))?;
    if sent.contains_key("name") && sent.text("name").is_none() {
        return Err(ApiError::invalid("A name is needed.").param("name"));
    }
    let endpoint = sent.object("webhook_endpoint");
    if endpoint.is_some() && destination.text("type") != Some("webhook_endpoint") {
        return Err(ApiError::invalid("The type of a destination cannot change.").param("webhook_endpoint"));
    }
    check_endpoint(endpoint, call.account.live())?;
    assign_metadata(&mut destination, sent)?;
    for name in ["name", "enabled_events"] {
        if let Some(value) = sent.get(name).filter(|v| !v.is_null()) {
            destination.insert(name.into(), value.clone());
        }
    }
    if sent.contains_key("description") {
        destination.insert("description".into(), sent.text("description").unwrap_or_default().into());
    }
    if let Some(endpoint) = endpoint {
        let kept = json!({"signing_secret": null, "url": endpoint.get("url")});
        destination.insert("webhook_endpoint".into(), kept);
    }
    Ok(keep(call, destination))
}

fn set(call: &mut Call<'_>, status: &str, details: Value) -> Result<Reply, ApiError> {
    let mut destination = call.named(KIND)?;
    destination.extend(object(json!({"status": status, "status_details": details})));
    Ok(keep(call, destination))
}

fn disable(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    set(call, "disabled", json!({"disabled": {"reason": "user"}}))
}

fn enable(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    set(call, "enabled", Value::Null)
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.named(KIND)?.id().to_owned();
    call.account.turn_away(&id);
    call.account.remove(KIND, &id, None);
    Ok(deleted(KIND, &id))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    pages::shelf(call, KIND, |_| true, |destination| shown(destination, call))
}

/// A ping goes where it was asked for, whatever is enabled there, and is thin everywhere.
fn ping(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let destination = call.named(KIND)?;
    let event = call.account.emit_thin(PING, written(&destination), None, Some(destination.id()));
    Ok(Reply::Made(event.whole()))
}
