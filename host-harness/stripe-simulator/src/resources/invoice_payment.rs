//! Invoice payments: which payment pays which invoice.

use serde_json::json;

use super::fields::object;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations =
    &[("GET", "/v1/invoice_payments", list), ("GET", "/v1/invoice_payments/{invoice_payment}", retrieve)];

const KIND: &str = "invoice_payment";

/// Ties a payment intent to the invoice that it is to pay.
pub(super) fn open(account: &mut Account, invoice: &Object, intent: &Object) {
    let payment = object(json!({
        "id": account.new_id("inpay"),
        "object": KIND,
        "amount_paid": null,
        "amount_requested": intent.get("amount"),
        "created": now(),
        "currency": invoice.get("currency"),
        "invoice": invoice.id(),
        "is_default": true,
        "livemode": account.live(),
        "payment": {"payment_intent": intent.id(), "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": null, "paid_at": null},
    }));
    account.put(KIND, &payment);
}

/// The payments of an invoice, newest first.
pub(super) fn of_invoice(account: &Account, invoice: &str) -> Vec<Object> {
    account.select(KIND, invoice, |p| p.text("invoice") == Some(invoice))
}

/// The payment intent that is to pay an invoice.
pub(super) fn intent_of(account: &Account, invoice: &str) -> Option<Object> {
    let payment = of_invoice(account, invoice).into_iter().next()?;
    account.get("payment_intent", payment.object("payment")?.text("payment_intent")?)
}

/// The invoice's payment is made.
pub(super) fn settle(account: &mut Account, invoice: &str) {
    for mut payment in of_invoice(account, invoice) {
        let amount = payment.get("amount_requested").cloned().unwrap_or_default();
        payment.insert("amount_paid".into(), amount);
        payment.insert("status".into(), "paid".into());
        payment.insert("status_transitions".into(), json!({"canceled_at": null, "paid_at": now()}));
        let text = account.put(KIND, &payment);
        account.emit("invoice_payment.paid", text);
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wanted = call.parameters.object("payment").and_then(|p| p.text("payment_intent")).map(str::to_owned);
    listing::shelf_where(call, KIND, &[("invoice", "invoice"), ("status", "status")], |p| {
        wanted.as_deref().is_none_or(|id| p.object("payment").and_then(|p| p.text("payment_intent")) == Some(id))
    })
}
