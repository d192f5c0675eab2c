//! Disputes: a customer's bank takes the money of a charge back, and the merchant argues.
//!
//! Evidence whose `uncategorized_text` is `winning_evidence` or `losing_evidence` decides at once, and
//! `escalate_inquiry_evidence` makes a dispute of an inquiry; anything else stays under review. Banks that only warn
//! open no dispute: see `early_fraud_warning`.

use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::cards::Behaviour;
use super::fields::{assign_metadata, whole};
use super::{Call, Operations, Read, Reply, early_fraud_warning, listing, payment_method};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/disputes", list),
    ("GET", "/v1/disputes/{dispute}", retrieve),
    ("POST", "/v1/disputes/{dispute}", update),
    ("POST", "/v1/disputes/{dispute}/close", close),
];

const KIND: &str = "dispute";
const DAY: i64 = 86_400;
/// Days to answer in, to the end of the last of them.
const ANSWERING: i64 = 8;
/// What the bank asks for its work.
const FEE: i64 = 1500;

/// Opens a dispute of a charge, when it was made with a card that does that.
pub(super) fn open_for(account: &mut Account, charge: &str, method: &Object) {
    let Some(old) = account.get("charge", charge) else { return };
    let (inquiry, reason, network_code) = match payment_method::card(method).behaviour {
        Behaviour::Disputes(reason, code) => (false, reason, code),
        Behaviour::Inquires => (true, "fraudulent", "10"),
        Behaviour::Warns => return early_fraud_warning::open(account, &old),
        _ => return,
    };
    let mut evidence: Object = super::fields::members("dispute", "evidence");
    evidence.insert("enhanced_evidence".into(), json!({}));
    for (name, field) in [("customer_email_address", "email"), ("customer_name", "name")] {
        let value = old.object("billing_details").and_then(|b| b.text(field));
        evidence.insert(name.into(), value.into());
    }
    let amount = old.integer("amount").unwrap_or_default();
    let id = account.new_id("du");
    let card = payment_method::card(method);
    let mut dispute = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "amount": amount, "balance_transactions": [], "charge": charge,
            "created": now(), "currency": old.get("currency"), "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": (now() / DAY + ANSWERING) * DAY + DAY - 1, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0, "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry, "livemode": account.live(), "metadata": {},
            "network_reason_code": network_code, "payment_intent": old.get("payment_intent"),
            "payment_method_details": {
                "card": {
                    "brand": card.brand, "case_type": if inquiry { "inquiry" } else { "chargeback" },
                    "network": card.brand, "network_reason_code": network_code,
                },
                "type": "card",
            },
            "reason": reason,
            "status": if inquiry { "warning_needs_response" } else { "needs_response" },
        }),
    );
    let mut new = old.clone();
    new.insert("disputed".into(), true.into());
    account.put("charge", &new);
    if !inquiry {
        let movement = move_money(account, &dispute, -amount, FEE);
        dispute.insert("balance_transactions".into(), json!([movement]));
    }
    let text = account.create(KIND, "charge.dispute.created", &dispute);
    if !inquiry {
        account.emit("charge.dispute.funds_withdrawn", text);
    }
}

fn move_money(account: &mut Account, dispute: &Object, amount: i64, fee: i64) -> Value {
    let currency = dispute.text("currency").unwrap_or("usd").to_owned();
    let movement = Movement {
        amount,
        fee,
        currency: &currency,
        kind: "adjustment",
        source: dispute.id(),
        description: Some("Chargeback"),
        available: true,
    };
    let id = balance::record(account, &movement);
    account.get("balance_transaction", &id).map(Value::Object).unwrap_or_default()
}

/// Whether the money of a charge is with the customer's bank: there is nothing to refund then.
pub(super) fn has_the_money(account: &Account, charge: &Object) -> bool {
    let of_charge = |d: &Object| d.text("charge") == Some(charge.id()) && !d.is_true("is_charge_refundable");
    charge.is_true("disputed") && !account.select(KIND, charge.id(), of_charge).is_empty()
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn is_over(dispute: &Object) -> bool {
    matches!(dispute.text("status"), Some("won" | "lost" | "warning_closed" | "prevented"))
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    let mut new = old.clone();
    assign_metadata(&mut new, &sent)?;
    let given = sent.object("evidence");
    if (given.is_some() || sent.contains_key("submit")) && is_over(&old) {
        return Err(ApiError::invalid("This dispute is already closed"));
    }
    let mut decided = None;
    if let (Some(given), Some(Value::Object(evidence))) = (given, new.get_mut("evidence")) {
        for (name, value) in given.iter().filter(|(n, _)| !matches!(n.as_str(), "enhanced_evidence" | "appeal")) {
            evidence.insert(name.clone(), if value == "" { Value::Null } else { value.clone() });
        }
        decided = match evidence.text("uncategorized_text") {
            Some("winning_evidence") => Some("won"),
            Some("losing_evidence") => Some("lost"),
            Some("escalate_inquiry_evidence") if is_inquiry(&old) => Some("escalated"),
            _ => None,
        };
    }
    let submits = given.is_some() && sent.get("submit").is_none_or(|s| *s == true);
    if let Some(Value::Object(details)) = new.get_mut("evidence_details")
        && given.is_some()
    {
        details.insert("has_evidence".into(), true.into());
        if submits {
            let count = details.integer("submission_count").unwrap_or_default();
            details.insert("submission_count".into(), count.saturating_add(1).into());
            details.insert("submission_method".into(), "manual".into());
        }
    }
    if submits {
        let inquiry = is_inquiry(&old);
        new.insert("status".into(), if inquiry { "warning_under_review" } else { "under_review" }.into());
    }
    call.account.update(KIND, "charge.dispute.updated", &old, &new);
    if let Some(outcome) = decided.filter(|_| submits) {
        return Ok(match outcome {
            "escalated" => escalate(call.account, &new),
            _ => decide(call.account, new, outcome),
        }
        .into());
    }
    Ok(new.into())
}

fn is_inquiry(dispute: &Object) -> bool {
    dispute.text("status").is_some_and(|s| s.starts_with("warning"))
}

/// The bank that asked is not content, and takes the money back.
fn escalate(account: &mut Account, old: &Object) -> Object {
    let amount = old.integer("amount").unwrap_or_default();
    let movement = move_money(account, old, -amount, FEE);
    let mut new = old.clone();
    new.insert("balance_transactions".into(), json!([movement]));
    new.insert("is_charge_refundable".into(), false.into());
    new.insert("status".into(), "needs_response".into());
    let details = new.get_mut("payment_method_details").and_then(|d| d.get_mut("card"));
    if let Some(card) = details.and_then(Value::as_object_mut) {
        card.insert("case_type".into(), "chargeback".into());
    }
    let text = account.update(KIND, "charge.dispute.updated", old, &new);
    account.emit("charge.dispute.funds_withdrawn", text);
    new
}

fn decide(account: &mut Account, mut dispute: Object, outcome: &str) -> Object {
    let inquiry = is_inquiry(&dispute);
    let status = if inquiry { "warning_closed" } else { outcome };
    dispute.insert("status".into(), status.into());
    if status == "won" {
        let amount = dispute.integer("amount").unwrap_or_default();
        let movement = move_money(account, &dispute, amount, -FEE);
        if let Some(Value::Array(movements)) = dispute.get_mut("balance_transactions") {
            movements.push(movement);
        }
        dispute.insert("is_charge_refundable".into(), true.into());
    }
    let text = account.put(KIND, &dispute);
    if status == "won" {
        account.emit("charge.dispute.funds_reinstated", text.clone());
    }
    account.emit("charge.dispute.closed", text);
    dispute
}

fn close(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let dispute = call.named(KIND)?;
    if is_over(&dispute) {
        return Err(ApiError::invalid("This dispute is already closed"));
    }
    Ok(decide(call.account, dispute, "lost").into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("charge", "charge"), ("payment_intent", "payment_intent")])
}
