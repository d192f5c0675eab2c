//! Webhook endpoints.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, deleted, new_metadata, object};
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::webhooks::Target;
use crate::world::{Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/webhook_endpoints", list),
    ("POST", "/v1/webhook_endpoints", create),
    ("GET", "/v1/webhook_endpoints/{webhook_endpoint}", retrieve),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update),
    ("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete),
];

/// Endpoints that one account can have.
const MOST: usize = 16;
const KIND: &str = "webhook_endpoint";

/// Whether deliveries could be sent to a URL.
pub(super) fn is_sound(url: &str) -> bool {
    let parsed: Option<hyper::Uri> = url.parse().ok();
    parsed
        .as_ref()
        .is_some_and(|u| u.host().is_some_and(|h| !h.is_empty()) && matches!(u.scheme_str(), Some("http" | "https")))
}

fn check_url(url: &str) -> Result<(), ApiError> {
    if is_sound(url) {
        return Ok(());
    }
    let message = "Invalid URL: An explicit scheme (such as https) must be provided.";
    Err(ApiError::invalid(message).code("url_invalid").param("url"))
}

fn check_events(sent: &Object) -> Result<(), ApiError> {
    if sent.contains_key("enabled_events") && sent.list("enabled_events").is_empty() {
        return Err(ApiError::invalid("Invalid array").param("enabled_events"));
    }
    Ok(())
}

/// An endpoint for `connect` hears of connected accounts instead of its own.
fn target(endpoint: &Object, secret: &str, connect: bool) -> Arc<Target> {
    Arc::new(Target {
        id: endpoint.id().into(),
        url: endpoint.text("url").unwrap_or_default().into(),
        secret: secret.into(),
        enabled_events: endpoint.list("enabled_events").iter().filter_map(|e| e.as_str().map(str::to_owned)).collect(),
        api_version: endpoint.text("api_version").map(Into::into),
        enabled: endpoint.text("status") == Some("enabled"),
        socket: None,
        thin: false,
        own: !connect,
        connected: connect,
        gone: AtomicBool::new(false),
    })
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    check_url(sent.text("url").unwrap_or_default())?;
    check_events(sent)?;
    if call.account.shelf(KIND).is_some_and(|s| s.count() >= MOST) {
        return Err(ApiError::invalid(format!("You have reached the maximum of {MOST} test webhook endpoints.")));
    }
    let secret = format!("whsec_{}", call.account.letters(32));
    let mut endpoint = object(json!({
        "id": call.account.new_id("we"),
        "object": KIND,
        "api_version": sent.text("api_version"),
        "application": null,
        "created": now(),
        "description": sent.text("description"),
        "enabled_events": sent.list("enabled_events"),
        "livemode": call.account.live(),
        "metadata": new_metadata(sent),
        "status": "enabled",
        "url": sent.text("url"),
    }));
    call.account.put(KIND, &endpoint);
    call.account.aim(target(&endpoint, &secret, call.parameters.is_true("connect")));
    endpoint.insert("secret".into(), secret.into());
    Ok(endpoint.into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut endpoint = call.named(KIND)?;
    let sent = &call.parameters;
    if sent.contains_key("url") {
        check_url(sent.text("url").unwrap_or_default())?;
    }
    check_events(sent)?;
    assign(KIND, &mut endpoint, sent, &["description", "enabled_events", "url"]);
    assign_metadata(&mut endpoint, sent)?;
    if let Some(Value::Bool(disabled)) = sent.get("disabled") {
        endpoint.insert("status".into(), if *disabled { "disabled" } else { "enabled" }.into());
    }
    let text = call.account.put(KIND, &endpoint);
    if let Some(old) = call.account.target(endpoint.id()) {
        let new = target(&endpoint, &old.secret, old.connected);
        call.account.aim(new);
    }
    Ok(Reply::Kept(text))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.named(KIND)?.id().to_owned();
    call.account.turn_away(&id);
    call.account.remove(KIND, &id, None);
    Ok(deleted(KIND, &id).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[])
}
