//! Refunds.

use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::fields::{assign_metadata, new_metadata, object};
use super::{Call, Operations, Read, Reply, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/refunds", list),
    ("POST", "/v1/refunds", create),
    ("GET", "/v1/refunds/{refund}", retrieve),
    ("POST", "/v1/refunds/{refund}", update),
    ("POST", "/v1/refunds/{refund}/cancel", cancel),
];

const KIND: &str = "refund";
const CHARGE: &str = "charge";

/// The charge that the parameters name, directly or by its payment intent.
fn charge_of(account: &Account, sent: &Object) -> Result<Object, ApiError> {
    if let Some(id) = sent.text("charge") {
        let charge = account.find("charge", id, "charge")?;
        if let Some(intent) = sent.text("payment_intent")
            && charge.text("payment_intent") != Some(intent)
        {
            let message = format!("The charge {id} does not belong to the PaymentIntent {intent}.");
            return Err(ApiError::invalid(message).param("charge"));
        }
        if charge.text("status") == Some("failed") {
            return Err(ApiError::invalid(format!("Charge {id} has failed, so it cannot be refunded.")).param("charge"));
        }
        return Ok(charge);
    }
    let Some(id) = sent.text("payment_intent") else {
        return Err(ApiError::invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
        )
        .code("parameter_missing"));
    };
    let intent = account.find("payment_intent", id, "payment_intent")?;
    let charge = intent.text("latest_charge").and_then(|c| account.get("charge", c));
    match charge {
        Some(charge) if charge.is_true("captured") => Ok(charge),
        _ => {
            let message = format!("This PaymentIntent ({id}) does not have a successful charge to refund.");
            Err(ApiError::invalid(message).code("payment_intent_unexpected_state").param("payment_intent"))
        }
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let charge = charge_of(call.account, &sent)?;
    refund(call.account, &charge, sent.integer("amount"), &sent).map(Reply::from)
}

/// Refunds a part of a charge.
pub(super) fn make(account: &mut Account, charge: &str, amount: i64, sent: &Object) -> Result<Object, ApiError> {
    let charge = account.find(CHARGE, charge, "charge")?;
    refund(account, &charge, Some(amount), sent)
}

fn refund(account: &mut Account, old: &Object, amount: Option<i64>, sent: &Object) -> Result<Object, ApiError> {
    let currency = old.text("currency").unwrap_or_default().to_owned();
    if !old.is_true("captured") {
        let message = format!("Charge {} has not been captured: cancel its PaymentIntent instead.", old.id());
        return Err(ApiError::invalid(message).param("charge"));
    }
    let captured = old.integer("amount_captured").unwrap_or_default();
    let refunded = old.integer("amount_refunded").unwrap_or_default();
    let left = captured - refunded;
    if left == 0 {
        let message = format!("Charge {} has already been refunded.", old.id());
        return Err(ApiError::invalid(message).code("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > left {
        let what = if refunded == 0 { "charge amount" } else { "unrefunded amount on charge" };
        let message = format!(
            "Refund amount ({}) is greater than {what} ({})",
            money::amount(amount, &currency),
            money::amount(left, &currency)
        );
        return Err(ApiError::invalid(message).param("amount"));
    }
    let id = account.new_id("re");
    let movement = Movement {
        amount: -amount,
        fee: 0,
        currency: &currency,
        kind: "refund",
        source: &id,
        description: Some("REFUND FOR PAYMENT"),
        available: true,
    };
    let transaction = balance::record(account, &movement);
    let refund = object(json!({
        "id": id,
        "object": KIND,
        "amount": amount,
        "balance_transaction": transaction,
        "charge": old.id(),
        "created": now(),
        "currency": currency,
        "customer": null,
        "customer_account": null,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": new_metadata(sent),
        "payment_intent": old.get("payment_intent"),
        "payment_method": old.get("payment_method"),
        "reason": sent.text("reason"),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    }));
    let mut new = old.clone();
    new.insert("amount_refunded".into(), (refunded + amount).into());
    new.insert("refunded".into(), (refunded + amount == old.integer("amount").unwrap_or_default()).into());
    account.update(CHARGE, "charge.refunded", old, &new);
    account.create(KIND, "refund.created", &refund);
    Ok(refund)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    assign_metadata(&mut new, &call.parameters)?;
    let text = call.account.update(KIND, "refund.updated", &old, &new);
    if old != new {
        call.account.emit("charge.refund.updated", text.clone());
    }
    Ok(Reply::Kept(text))
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let refund = call.named(KIND)?;
    let status = refund.text("status").unwrap_or_default();
    let message =
        format!("This refund cannot be canceled because it has a status of {status}; only requires_action can.");
    Err(ApiError::invalid(message))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("charge", "charge"), ("payment_intent", "payment_intent")])
}

/// `refunds` of a charge, when expanded.
pub(super) fn of_charge(account: &Account, charge: &Object) -> Value {
    let id = charge.id();
    listing::newest(account, KIND, id, format!("/v1/charges/{id}/refunds"), |r| r.text("charge") == Some(id))
}
