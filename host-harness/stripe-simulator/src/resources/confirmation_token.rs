//! Confirmation tokens: what a customer entered in a browser, for confirming one intent. Here tests make them.

use serde_json::{Value, json};

use super::fields::whole;
use super::{Call, Operations, Read, Reply, cards, payment_method};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/confirmation_tokens/{confirmation_token}", retrieve),
    ("POST", "/v1/test_helpers/confirmation_tokens", create),
];

const KIND: &str = "confirmation_token";
/// Seconds that a token can be used for.
const LIFE: i64 = 12 * 3600;

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let method = match (sent.text("payment_method"), sent.object("payment_method_data")) {
        (Some(_), Some(_)) => return Err(ApiError::exclusive("payment_method", "payment_method_data")),
        (Some(id), None) => payment_method::named(account, id, "payment_method")?,
        (None, Some(data)) => match data.text("type") {
            Some(kind) if kind != "card" => payment_method::build_other(account, kind, data),
            _ => payment_method::build(account, &cards::VISA, data),
        },
        (None, None) => return Err(ApiError::missing_param("payment_method")),
    };
    let mut preview = method.clone();
    preview.retain(|name, _| {
        !matches!(name.as_str(), "id" | "object" | "created" | "livemode" | "metadata" | "radar_options")
    });
    let shipping = sent
        .object("shipping")
        .map(|s| json!({"address": s.get("address"), "name": s.get("name"), "phone": s.text("phone")}));
    let token = whole(
        KIND,
        json!({
            "id": account.new_id("ctoken"), "object": KIND, "created": now(), "expires_at": now() + LIFE,
            "livemode": account.live(), "payment_method_options": sent.get("payment_method_options"),
            "payment_method_preview": preview, "return_url": sent.text("return_url"),
            "setup_future_usage": sent.text("setup_future_usage"), "shipping": shipping, "use_stripe_sdk": true,
        }),
    );
    // The payment method itself comes into being when an intent is confirmed with it.
    account.sealed.insert(token.id().to_owned(), method);
    Ok(Reply::Kept(account.put(KIND, &token)))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

/// The parameters of a confirmation with those of its token among them. The token is not used yet: [`spend`] does
/// that.
pub(super) fn unfold(account: &mut Account, mut sent: Object) -> Result<Object, ApiError> {
    let Some(id) = sent.text("confirmation_token").map(str::to_owned) else { return Ok(sent) };
    for other in ["payment_method", "payment_method_data"] {
        if sent.contains_key(other) {
            return Err(ApiError::exclusive("confirmation_token", other).param("confirmation_token"));
        }
    }
    let token = account.find(KIND, &id, "confirmation_token")?;
    let refused = |why: &str| {
        let message = format!("The ConfirmationToken {id} {why}. Please create a new ConfirmationToken and try again.");
        Err(ApiError::invalid(message).param("confirmation_token"))
    };
    if token.text("payment_intent").or_else(|| token.text("setup_intent")).is_some() {
        return refused("was already used to confirm a PaymentIntent or SetupIntent");
    }
    if token.integer("expires_at").is_some_and(|end| end <= now()) {
        return refused("has expired");
    }
    let method = account.sealed.get(&id).cloned().unwrap_or_default();
    if !account.exists("payment_method", method.id()) {
        account.put("payment_method", &method);
    }
    sent.insert("payment_method".into(), method.id().into());
    for name in ["return_url", "setup_future_usage", "shipping"] {
        if let (Some(value), false) = (token.get(name).filter(|v| !v.is_null()), sent.contains_key(name)) {
            sent.insert(name.into(), value.clone());
        }
    }
    Ok(sent)
}

/// Uses up the token of a confirmation: it names what it confirmed from now on.
pub(super) fn spend(account: &mut Account, sent: &Object, kind: &str, intent: &str) {
    let Some(mut token) = sent.text("confirmation_token").and_then(|id| account.get(KIND, id)) else { return };
    token.insert(kind.to_owned(), Value::from(intent));
    account.sealed.remove(token.id());
    account.put(KIND, &token);
}
