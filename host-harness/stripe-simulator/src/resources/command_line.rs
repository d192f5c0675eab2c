//! What the official command line asks for besides the API: a session for `stripe listen`, and another delivery of
//! an event.
//!
//! A session only says where to connect and what deliveries are signed with; [`listen`](crate::listen) is what it
//! connects to.

use std::sync::Arc;

use serde_json::{Value, json};
use stripe_facts::Facts;

use super::fields::object;
use super::{Call, Operations, Read, Reply};
use crate::listen::{self, SESSION};
use crate::protocol::ApiError;
use crate::webhooks::News;

pub(super) const OPERATIONS: Operations =
    &[("POST", "/v1/stripecli/sessions", open), ("POST", "/v1/events/{event}/retry", resend)];

/// Seconds until a client connects anew.
const RECONNECT: i64 = 300;

fn open(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let feature = match sent.list("websocket_features").first().and_then(Value::as_str) {
        Some("webhooks") => "webhooks",
        Some(other) => {
            let message = format!("The simulator has no {other:?} for the command line: it has webhooks.");
            return Err(ApiError::invalid(message).param("websocket_features"));
        }
        None => return Err(ApiError::missing_param("websocket_features")),
    };
    // A device keeps its secret, so that an application need not be told a new one for every session.
    let device = sent.text("device_name").unwrap_or_default().to_owned();
    let known = call.account.select(SESSION, &device, |s| s.text("device_name") == Some(&device));
    let secret = match known.first().and_then(|s| s.text("secret")) {
        Some(secret) => secret.to_owned(),
        None => format!("whsec_{}", call.account.letters(64)),
    };
    let id = call.account.new_id("cliws");
    let settings = call.account.settings();
    let host = settings.base_url.trim_start_matches("http://");
    let session = object(json!({
        "id": id,
        "object": SESSION,
        "default_version": &*settings.account_version,
        "device_name": device,
        "device_token": "",
        "display_connect_filter_warning": false,
        "latest_version": Facts::bundled().api_version,
        "reconnect_delay": RECONNECT,
        "secret": secret,
        "websocket_authorized_feature": feature,
        "websocket_id": id,
        "websocket_url": format!("ws://{host}{}", listen::PATH),
    }));
    call.account.put(SESSION, &session);
    Ok(session.into())
}

fn resend(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let found = call.account.events().get(call.id());
    let event = found.cloned().ok_or_else(|| ApiError::missing_object("event", call.id(), "id"))?;
    let sent = &call.parameters;
    let targets = match sent.text("webhook_endpoint") {
        Some(id) => vec![
            call.account
                .target(id)
                .cloned()
                .ok_or_else(|| ApiError::missing_object("webhook_endpoint", id, "webhook_endpoint"))?,
        ],
        None if sent.is_true("for_stripecli") => call.account.listeners(),
        None => call.account.wanting(event.kind),
    };
    for target in targets {
        call.account.deliver(target, News::Snapshot(Arc::clone(&event)), None);
    }
    Ok(Reply::Kept(event.text(None)))
}
