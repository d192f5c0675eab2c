//! Confirmation tokens: what a customer's browser collected, to be confirmed once by a server.

use serde_json::json;

use super::fields::object;
use super::{Call, Operations, Read, Reply, payment_method};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/confirmation_tokens/{confirmation_token}", retrieve),
    ("POST", "/v1/test_helpers/confirmation_tokens", create),
];

const KIND: &str = "confirmation_token";
/// The payment method behind a token, which the token itself only shows a preview of.
const METHOD: &str = "confirmation_token.method";
/// Seconds until a token cannot be used any more.
const LIFETIME: i64 = 12 * 60 * 60;

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let Some(method) = payment_method::described(call.account, &sent)? else {
        return Err(ApiError::missing_param("payment_method"));
    };
    let mut preview = method.clone();
    for name in ["id", "object", "created", "livemode", "metadata", "radar_options"] {
        preview.remove(name);
    }
    let address = |s: &Object| json!({"address": s.get("address"), "name": s.get("name"), "phone": s.get("phone")});
    let id = call.account.new_id("ctoken");
    let token = object(json!({
        "id": id,
        "object": KIND,
        "created": now(),
        "expires_at": now() + LIFETIME,
        "livemode": call.account.live(),
        "mandate_data": null,
        "metadata": {},
        "payment_intent": null,
        "payment_method_options": null,
        "payment_method_preview": preview,
        "return_url": sent.text("return_url"),
        "setup_future_usage": sent.text("setup_future_usage"),
        "setup_intent": null,
        "shipping": sent.object("shipping").map(address),
        "use_stripe_sdk": false,
    }));
    call.account.put(METHOD, &object(json!({"id": id, "method": method.id()})));
    Ok(Reply::Kept(call.account.put(KIND, &token)))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

/// The payment method of a token that was not used yet.
pub(super) fn method(account: &Account, id: &str) -> Result<Object, ApiError> {
    let token = account.find(KIND, id, "confirmation_token")?;
    if token.text("payment_intent").is_some() || token.text("setup_intent").is_some() {
        let message = format!("The ConfirmationToken {id} was used already, and each can be used once.");
        return Err(ApiError::invalid(message).param("confirmation_token"));
    }
    if token.integer("expires_at").is_some_and(|t| t <= now()) {
        let message = format!("The ConfirmationToken {id} has expired.");
        return Err(ApiError::invalid(message).param("confirmation_token"));
    }
    let behind = account.get(METHOD, id).unwrap_or_default();
    account.find("payment_method", behind.text("method").unwrap_or_default(), "confirmation_token")
}

/// A token is used for an intent of a kind: what it says goes for the intent where the parameters say nothing.
pub(super) fn spend(account: &mut Account, sent: &mut Object, kind: &str, intent: &str) {
    let Some(mut token) = sent.text("confirmation_token").and_then(|id| account.get(KIND, id)) else { return };
    for name in ["return_url", "setup_future_usage", "shipping"] {
        if let Some(value) = token.get(name).filter(|v| !v.is_null()).cloned() {
            sent.entry(name).or_insert(value);
        }
    }
    token.insert(kind.into(), intent.into());
    account.put(KIND, &token);
}
