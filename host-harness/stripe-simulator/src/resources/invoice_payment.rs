//! Invoice payments: which payment pays which invoice.

use serde_json::json;

use super::fields::object;
use super::{Call, Operations, Read, Reply, listing, payment_intent};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations =
    &[("GET", "/v1/invoice_payments", list), ("GET", "/v1/invoice_payments/{invoice_payment}", retrieve)];

const KIND: &str = "invoice_payment";

/// Ties a payment intent to an invoice that it is to pay; the invoice's own intent is its default.
pub(super) fn open(account: &mut Account, invoice: &Object, intent: &Object, default: bool) {
    let payment = object(json!({
        "id": account.new_id("inpay"),
        "object": KIND,
        "amount_paid": null,
        "amount_requested": intent.get("amount"),
        "created": now(),
        "currency": invoice.get("currency"),
        "invoice": invoice.id(),
        "is_default": default,
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

fn intent_id(payment: &Object) -> Option<&str> {
    payment.object("payment")?.text("payment_intent")
}

/// The invoice's own payment intent.
pub(super) fn intent_of(account: &Account, invoice: &str) -> Option<Object> {
    let payments = of_invoice(account, invoice);
    let payment = payments.iter().find(|p| p.is_true("is_default")).or_else(|| payments.first())?;
    account.get("payment_intent", intent_id(payment)?)
}

/// The payment intent that an invoice, or the newest part of it, was paid by.
pub(super) fn paid_by(account: &Account, invoice: &str) -> Option<Object> {
    let payments = of_invoice(account, invoice);
    let payment = payments.iter().find(|p| p.text("status") == Some("paid"))?;
    account.get("payment_intent", intent_id(payment)?)
}

/// Whether an invoice has a payment by this intent already.
pub(super) fn is_tied(account: &Account, invoice: &str, intent: &str) -> bool {
    of_invoice(account, invoice).iter().any(|p| intent_id(p) == Some(intent))
}

/// A payment of the invoice is made: by this intent, this much of it.
pub(super) fn settle(account: &mut Account, invoice: &str, intent: &str, amount: i64) {
    let open = |p: &Object| p.text("status") == Some("open") && intent_id(p) == Some(intent);
    for mut payment in of_invoice(account, invoice).into_iter().filter(open) {
        payment.insert("amount_paid".into(), amount.into());
        payment.insert("status".into(), "paid".into());
        payment.insert("status_transitions".into(), json!({"canceled_at": null, "paid_at": now()}));
        let text = account.put(KIND, &payment);
        account.emit("invoice_payment.paid", text);
    }
}

/// What is left to pay changed: the payments that are not made yet ask for that.
pub(super) fn ask_for(account: &mut Account, invoice: &str, amount: i64) {
    for mut payment in of_invoice(account, invoice) {
        let default = payment.text("status") == Some("open") && payment.is_true("is_default");
        let intent = intent_id(&payment).and_then(|i| account.get("payment_intent", i)).filter(|_| default);
        let Some(mut intent) = intent else { continue };
        if matches!(intent.text("status"), Some("succeeded" | "canceled" | "processing")) {
            continue;
        }
        intent.insert("amount".into(), amount.into());
        account.put("payment_intent", &intent);
        payment.insert("amount_requested".into(), amount.into());
        account.put(KIND, &payment);
    }
}

/// The invoice is not paid by what is still open: the invoice's own intent is canceled.
pub(super) fn cancel(account: &mut Account, invoice: &str, reason: &str) {
    for mut payment in of_invoice(account, invoice) {
        if payment.text("status") != Some("open") {
            continue;
        }
        let intent = intent_id(&payment).and_then(|i| account.get("payment_intent", i));
        let own = intent
            .filter(|i| payment.is_true("is_default") && !matches!(i.text("status"), Some("canceled" | "succeeded")));
        if let Some(mut intent) = own {
            payment_intent::void(account, &mut intent, reason.into());
        }
        payment.insert("status".into(), "canceled".into());
        payment.insert("status_transitions".into(), json!({"canceled_at": now(), "paid_at": null}));
        account.put(KIND, &payment);
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
