//! Setup intents: saving a payment method for later.

use serde_json::{Value, json};

use super::application_fee::APPLICATION;
use super::cards::{self, Behaviour};
use super::fields::{assign, assign_metadata, new_metadata, object};
use super::{Call, Operations, Read, Reply, confirmation_token, customer, listing, payment_intent, payment_method};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/setup_intents", list),
    ("POST", "/v1/setup_intents", create),
    ("GET", "/v1/setup_intents/{intent}", retrieve),
    ("POST", "/v1/setup_intents/{intent}", update),
    ("POST", "/v1/setup_intents/{intent}/cancel", cancel),
    ("POST", "/v1/setup_intents/{intent}/confirm", confirm),
];

const KIND: &str = "setup_intent";

/// A setup intent that nothing happened to yet.
pub(super) fn build(account: &mut Account, sent: &Object) -> Object {
    let id = account.new_id("seti");
    let client_secret = format!("{id}_secret_{}", account.letters(25));
    object(json!({
        "id": id,
        "object": KIND,
        "allowed_payment_method_types": null,
        "application": account.is_connected().then_some(APPLICATION),
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": true},
        "cancellation_reason": null,
        "client_secret": client_secret,
        "created": now(),
        "customer": sent.text("customer"),
        "customer_account": null,
        "description": sent.text("description"),
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": null,
        "latest_attempt": null,
        "livemode": account.live(),
        "managed_payments": null,
        "mandate": null,
        "metadata": new_metadata(sent),
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
        "payment_method_types": payment_intent::method_types(sent),
        "single_use_mandate": null,
        "status": "requires_payment_method",
        "usage": sent.text("usage").unwrap_or("off_session"),
    }))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    if let Some(id) = sent.text("customer") {
        customer::named(call.account, id, "customer")?;
    }
    if sent.contains_key("confirmation_token") && !sent.is_true("confirm") {
        let message = "You can only set `confirmation_token` when `confirm` is true.";
        return Err(ApiError::invalid(message).param("confirmation_token"));
    }
    let sent = confirmation_token::unfold(call.account, sent)?;
    let mut intent = build(call.account, &sent);
    let method = match sent.text("payment_method") {
        Some(id) => Some(payment_method::named(call.account, id, "payment_method")?),
        None => None,
    };
    if let Some(method) = &method {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    if sent.is_true("confirm") && method.is_none() {
        return Err(no_method());
    }
    call.account.create(KIND, "setup_intent.created", &intent);
    match method {
        Some(method) if sent.is_true("confirm") => {
            confirmation_token::spend(call.account, &sent, KIND, intent.id());
            complete(call.account, intent, method).map(Reply::from)
        }
        _ => Ok(intent.into()),
    }
}

fn no_method() -> ApiError {
    ApiError::invalid(
        "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the \
         SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment \
         method or ConfirmationToken.",
    )
    .code("setup_intent_unexpected_state")
}

/// Saves the payment method, or notes why it cannot be saved.
pub(super) fn complete(account: &mut Account, mut intent: Object, method: Object) -> Result<Object, ApiError> {
    intent.insert("payment_method".into(), method.id().into());
    if let Behaviour::Declines(code, decline_code) = payment_method::card(&method).behaviour {
        let error = payment_method::decline_error(code, decline_code).with("payment_method", Value::Object(method));
        intent.insert("payment_method".into(), Value::Null);
        intent.insert("status".into(), "requires_payment_method".into());
        intent.insert("last_setup_error".into(), error.members().into());
        let text = account.put(KIND, &intent);
        account.emit("setup_intent.setup_failed", text);
        return Err(error.with(KIND, Value::Object(intent)));
    }
    account.set_up_off_session.insert(method.id().to_owned());
    intent.insert("last_setup_error".into(), Value::Null);
    intent.insert("status".into(), "succeeded".into());
    let text = account.put(KIND, &intent);
    account.emit("setup_intent.succeeded", text);
    if let Some(customer) = intent.text("customer")
        && method.text("customer").is_none()
    {
        payment_method::attach_to(account, method, customer);
    }
    Ok(intent)
}

fn open(intent: &Object, verb: &str) -> Result<(), ApiError> {
    match intent.text("status").unwrap_or_default() {
        status @ ("succeeded" | "canceled") => {
            let message = format!("You cannot {verb} this SetupIntent because it has a status of {status}.");
            let error = ApiError::invalid(message).code("setup_intent_unexpected_state");
            Err(error.with(KIND, Value::Object(intent.clone())))
        }
        _ => Ok(()),
    }
}

fn confirm(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let intent = call.named(KIND)?;
    open(&intent, "confirm")?;
    let sent = confirmation_token::unfold(call.account, std::mem::take(&mut call.parameters))?;
    let method = match (sent.object("payment_method_data"), sent.text("payment_method")) {
        (Some(data), _) => {
            let method = payment_method::build(call.account, &cards::VISA, data);
            call.account.put("payment_method", &method);
            method
        }
        (None, Some(id)) => payment_method::named(call.account, id, "payment_method")?,
        (None, None) => match intent.text("payment_method") {
            Some(id) => call.account.find("payment_method", id, "payment_method")?,
            None => return Err(no_method()),
        },
    };
    confirmation_token::spend(call.account, &sent, KIND, intent.id());
    complete(call.account, intent, method).map(Reply::from)
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    open(&intent, "cancel")?;
    let reason = call.parameters.get("cancellation_reason").cloned().unwrap_or_default();
    intent.insert("cancellation_reason".into(), reason);
    intent.insert("status".into(), "canceled".into());
    let text = call.account.put(KIND, &intent);
    call.account.emit("setup_intent.canceled", text.clone());
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    let sent = &call.parameters;
    assign(KIND, &mut intent, sent, &["description"]);
    if let Some(id) = sent.text("customer") {
        intent.insert("customer".into(), customer::named(call.account, id, "customer")?.id().into());
    }
    if let Some(id) = sent.text("payment_method") {
        let method = payment_method::named(call.account, id, "payment_method")?;
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    assign_metadata(&mut intent, sent)?;
    Ok(Reply::Kept(call.account.put(KIND, &intent)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("customer", "customer"), ("payment_method", "payment_method")])
}
