//! Authorizations: money that a payment intent holds is captured, at once or in parts; the amount is raised; and what
//! is not captured in time is let go.
//!
//! Parts and raises are for merchants who asked for them when they confirmed the intent.

use serde_json::json;

use super::fields::{assign, assign_metadata, object};
use super::payment_intent::{KIND, asks_for, end, status, succeed, unexpected_state};
use super::{Call, Operations, Read, Reply, charge, destination, money};
use crate::protocol::ApiError;
use crate::world::Account;

pub(super) const OPERATIONS: Operations = &[
    ("POST", "/v1/payment_intents/{intent}/capture", capture),
    ("POST", "/v1/payment_intents/{intent}/increment_authorization", increment),
];

/// How often the authorization of a charge was raised.
const RAISED: &str = "charge.raised";
/// How often an authorization can be raised, and a part of it captured before the last.
const INCREMENTS: usize = 10;
const CAPTURES: usize = 50;

fn capture(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    match status(&intent) {
        "requires_capture" => {}
        "succeeded" => {
            let message = "This PaymentIntent could not be captured because it has already been captured.";
            return Err(unexpected_state(&intent, message.to_owned()));
        }
        other => {
            let message = format!(
                "This PaymentIntent could not be captured because it has a status of {other}. Only a PaymentIntent \
                 with one of the following statuses may be captured: requires_capture."
            );
            return Err(unexpected_state(&intent, message));
        }
    }
    let last = call.parameters.get("final_capture").is_none_or(|f| *f != false);
    let multicapture = asks_for(&intent, "request_multicapture");
    if !last && !multicapture {
        let message = "This PaymentIntent is not eligible for multicapture because you did not request support using \
            `request_multicapture` when you created or confirmed it.";
        return Err(ApiError::invalid(message).param("final_capture"));
    }
    let received = intent.integer("amount_received").unwrap_or_default();
    let capturable = intent.integer("amount_capturable").unwrap_or_default();
    let amount = call.parameters.integer("amount_to_capture").unwrap_or(capturable);
    // What was captured before can be all there is.
    let least = i64::from(!(last && received > 0));
    if amount < least {
        return Err(ApiError::too_small("amount_to_capture", least));
    }
    if amount > capturable {
        let message = format!(
            "You cannot capture {amount}: the amount that can be captured of this PaymentIntent is {capturable}."
        );
        return Err(ApiError::invalid(message).code("amount_too_large").param("amount_to_capture"));
    }
    let id = intent.text("latest_charge").unwrap_or_default().to_owned();
    let last = last || amount == capturable;
    if !last && charge::captures(call.account, &id) >= CAPTURES {
        let message = format!("A PaymentIntent can be captured {CAPTURES} times at most before the final capture.");
        return Err(ApiError::invalid(message).param("final_capture"));
    }
    assign(KIND, &mut intent, &call.parameters, &["statement_descriptor", "statement_descriptor_suffix"]);
    assign_metadata(&mut intent, &call.parameters)?;
    let sent = std::mem::take(&mut call.parameters);
    intent = destination::terms(&intent, &sent);
    // With less captured, what concerns connected accounts is capped.
    destination::check(call.account, &intent, intent.integer("amount").unwrap_or(amount))?;
    charge::capture(call.account, &id, amount, &sent);
    let received = received.saturating_add(amount);
    if last {
        succeed(call.account, &mut intent, received);
    } else {
        intent.insert("amount_capturable".into(), (capturable - amount).into());
        intent.insert("amount_received".into(), received.into());
        let text = call.account.put(KIND, &intent);
        call.account.emit("payment_intent.amount_capturable_updated", text);
    }
    Ok(intent.into())
}

/// Raises the amount that is held.
fn increment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    if status(&intent) != "requires_capture" {
        let message = format!(
            "This PaymentIntent's authorization could not be incremented because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be incremented: requires_capture.",
            status(&intent)
        );
        return Err(unexpected_state(&intent, message));
    }
    if !asks_for(&intent, "request_incremental_authorization") {
        return Err(ApiError::invalid(
            "This PaymentIntent is not eligible for incremental authorization because you did not request support \
             using `request_incremental_authorization` when you created or confirmed it.",
        ));
    }
    let held = intent.integer("amount").unwrap_or_default();
    let amount = sent.integer("amount").unwrap_or_default();
    money::check_charge(amount, intent.text("currency").unwrap_or_default(), "amount")?;
    if amount <= held {
        let message = format!("The amount must be greater than the currently authorized amount, {held}.");
        return Err(ApiError::invalid(message).param("amount"));
    }
    if intent.integer("amount_received").unwrap_or_default() > 0 {
        return Err(ApiError::invalid("A PaymentIntent cannot be incremented after a part of it was captured."));
    }
    let id = intent.text("latest_charge").unwrap_or_default().to_owned();
    let raised = call.account.get(RAISED, &id).and_then(|r| r.integer("count")).unwrap_or_default();
    if usize::try_from(raised).unwrap_or(usize::MAX) >= INCREMENTS {
        let message = format!("A PaymentIntent can be incremented {INCREMENTS} times at most.");
        return Err(ApiError::invalid(message));
    }
    assign(KIND, &mut intent, &sent, &["application_fee_amount", "description", "statement_descriptor"]);
    assign_metadata(&mut intent, &sent)?;
    call.account.put(RAISED, &object(json!({"id": id, "count": raised + 1})));
    charge::raise(call.account, &id, amount);
    intent.insert("amount".into(), amount.into());
    intent.insert("amount_capturable".into(), amount.into());
    let text = call.account.put(KIND, &intent);
    call.account.emit("payment_intent.amount_capturable_updated", text.clone());
    Ok(Reply::Kept(text))
}

/// The authorization ends: what was not captured by then never is.
pub(super) fn expire(account: &mut Account, id: &str) {
    let Some(mut intent) = account.get(KIND, id).filter(|i| status(i) == "requires_capture") else { return };
    let received = intent.integer("amount_received").unwrap_or_default();
    if received > 0 {
        succeed(account, &mut intent, received);
        return;
    }
    charge::release(account, intent.text("latest_charge").unwrap_or_default(), "charge.expired");
    end(account, &mut intent, "automatic".into());
}
