//! Refunds. Banks have the last word: the money of some test cards takes its time, or comes back.

use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::cards::{self, Behaviour};
use super::fields::{assign_metadata, new_metadata, object};
use super::{Call, Operations, Read, Reply, destination, dispute, early_fraud_warning, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, moment, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/refunds", list),
    ("POST", "/v1/refunds", create),
    ("GET", "/v1/refunds/{refund}", retrieve),
    ("POST", "/v1/refunds/{refund}", update),
    ("POST", "/v1/refunds/{refund}/cancel", cancel),
];

const KIND: &str = "refund";
const CHARGE: &str = "charge";
/// What tells of a refund that changed.
const UPDATED: &[&str] = &["refund.updated", "charge.refund.updated"];
/// How long the banks of test cards think about a refund: recordings of test mode show four seconds. In
/// milliseconds; a shorter banking day shortens it.
const DELIBERATION: i64 = 4_000;

/// The test card that a charge was made with.
fn card_of(charge: &Object) -> Option<&'static cards::TestCard> {
    let details = charge.object("payment_method_details")?.object("card")?;
    cards::by_fingerprint(details.text("fingerprint")?)
}

/// No charge of the intent was paid.
fn nothing_to_refund(intent: &str) -> ApiError {
    ApiError::invalid(format!("This PaymentIntent ({intent}) does not have a successful charge to refund."))
}

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
            return Err(match charge.text("payment_intent") {
                Some(intent) => nothing_to_refund(intent),
                None => ApiError::invalid(format!("Charge {id} has failed, so it cannot be refunded.")),
            });
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
    charge.filter(|c| c.is_true("captured")).ok_or_else(|| nothing_to_refund(id))
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
        return Err(ApiError::invalid(match old.text("payment_intent") {
            Some(intent) => format!(
                "This uncaptured Charge was created by a PaymentIntent ({intent}). You must cancel the PaymentIntent \
                 to reverse the authorization instead of refunding the Charge directly. For more information, see \
                 https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
            ),
            None => format!("Charge {} has not been captured.", old.id()),
        }));
    }
    if dispute::has_the_money(account, old) {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", old.id());
        return Err(ApiError::invalid(message).code("charge_disputed"));
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
    let returned = destination::check_refund(account, old, sent, amount)?;
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
    let fee = if account.is_connected() { -returned.fee } else { 0 };
    let transaction = balance::record_with(account, &movement, fee);
    let reversal = destination::give_back(account, old, &id, returned);
    let behaviour = card_of(old).map(|c| c.behaviour);
    let pending = behaviour == Some(Behaviour::RefundsLate);
    let mut refund = object(json!({
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
            "card": {
                "reference_status": "pending", "reference_type": "acquirer_reference_number",
                "type": if pending { "pending" } else { "refund" },
            },
            "type": "card",
        },
        "metadata": new_metadata(sent),
        "payment_intent": old.get("payment_intent"),
        "payment_method": old.get("payment_method"),
        "reason": sent.text("reason"),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": if pending { "pending" } else { "succeeded" },
        "transfer_reversal": reversal,
    }));
    if pending {
        refund.insert("pending_reason".into(), "processing".into());
    }
    let mut new = old.clone();
    new.insert("amount_refunded".into(), (refunded + amount).into());
    new.insert("refunded".into(), (refunded + amount == old.integer("amount").unwrap_or_default()).into());
    account.create(KIND, "refund.created", &refund);
    account.update(CHARGE, "charge.refunded", old, &new);
    if new.is_true("refunded") {
        early_fraud_warning::settle(account, new.id());
    }
    let (_, day) = account.in_banking_days(1);
    let soon = day.min(moment().saturating_add(DELIBERATION));
    match behaviour {
        Some(Behaviour::RefundsLate) => account.later(soon, succeed, refund.id()),
        Some(Behaviour::RefundsFail) => account.later(soon, fail, refund.id()),
        _ => account.later(day, tell_reference, refund.id()),
    }
    Ok(refund)
}

/// The bank took a refund that was pending.
fn succeed(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    new.insert("status".into(), "succeeded".into());
    new.remove("pending_reason");
    set_destination(&mut new, "type", "refund".into());
    account.change(KIND, UPDATED, &old, &new);
}

/// The bank gave the money back: it is ours again, and the charge is as if it had not been refunded.
fn fail(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let currency = old.text("currency").unwrap_or_default().to_owned();
    let amount = old.integer("amount").unwrap_or_default();
    let movement = Movement {
        amount,
        fee: 0,
        currency: &currency,
        kind: "refund_failure",
        source: id,
        description: Some("REFUND FAILURE"),
        available: true,
    };
    let transaction = balance::record(account, &movement);
    if let Some(mut charge) = old.text("charge").and_then(|c| account.get(CHARGE, c)) {
        let refunded = charge.integer("amount_refunded").unwrap_or_default();
        charge.insert("amount_refunded".into(), (refunded - amount).max(0).into());
        charge.insert("refunded".into(), false.into());
        account.put(CHARGE, &charge);
    }
    let mut new = old.clone();
    new.insert("failure_balance_transaction".into(), transaction.into());
    new.insert("failure_reason".into(), "expired_or_canceled_card".into());
    new.insert("status".into(), "failed".into());
    account.change(KIND, &["refund.updated", "charge.refund.updated", "refund.failed"], &old, &new);
}

/// The number that the customer's bank knows the refund by is there.
fn tell_reference(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    let digits = account.letters(23).bytes().map(|b| char::from(b'0' + b % 10)).collect::<String>();
    set_destination(&mut new, "reference", digits.into());
    set_destination(&mut new, "reference_status", "available".into());
    account.change(KIND, UPDATED, &old, &new);
}

fn set_destination(refund: &mut Object, name: &str, value: Value) {
    let details = refund.get_mut("destination_details").and_then(|d| d.get_mut("card"));
    if let Some(card) = details.and_then(Value::as_object_mut) {
        card.insert(name.into(), value);
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.change(KIND, UPDATED, &old, &new)))
}

/// Only refunds that wait for the customer can be canceled, and refunds to cards never do; what is pending with a
/// card's bank is canceled in the dashboard, if at all.
fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND)?;
    Err(ApiError::invalid("Canceling this refund is unsupported."))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("charge", "charge"), ("payment_intent", "payment_intent")])
}

/// `refunds` of a charge, when expanded.
pub(super) fn of_charge(account: &Account, charge: &Object) -> Value {
    let id = charge.id();
    listing::newest(account, KIND, id, format!("/v1/charges/{id}/refunds"), |r| r.text("charge") == Some(id))
}
