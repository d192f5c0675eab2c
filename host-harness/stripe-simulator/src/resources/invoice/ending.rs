//! Invoices that nobody will pay any more: void, or uncollectible.

use super::{KIND, finalize, must_be, transition};
use crate::protocol::ApiError;
use crate::resources::{Call, Read, Reply, invoice_payment};
use crate::world::{Account, Object, now};

/// An invoice that nobody will pay any more.
pub(in crate::resources) fn give_up(account: &mut Account, invoice: &mut Object, void: bool) {
    if invoice.text("status") == Some("draft") {
        finalize(account, invoice, None);
    }
    if invoice.text("status") != Some("open") {
        return;
    }
    if void {
        invoice_payment::cancel(account, invoice.id(), "void_invoice");
    }
    let (status, moment, event) = if void {
        ("void", "voided_at", "invoice.voided")
    } else {
        ("uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")
    };
    invoice.insert("status".into(), status.into());
    invoice.insert("auto_advance".into(), false.into());
    invoice.insert("next_payment_attempt".into(), serde_json::Value::Null);
    transition(invoice, moment, now());
    let text = account.put(KIND, invoice);
    account.emit(event, text);
}

pub(super) fn void(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["open", "uncollectible"], "void")?;
    invoice_payment::cancel(call.account, invoice.id(), "void_invoice");
    invoice.insert("status".into(), "void".into());
    invoice.insert("auto_advance".into(), false.into());
    transition(&mut invoice, "voided_at", now());
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.voided", text.clone());
    Ok(Reply::Kept(text))
}

pub(super) fn mark_uncollectible(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["open"], "mark as uncollectible")?;
    invoice.insert("status".into(), "uncollectible".into());
    invoice.insert("auto_advance".into(), false.into());
    transition(&mut invoice, "marked_uncollectible_at", now());
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.marked_uncollectible", text.clone());
    Ok(Reply::Kept(text))
}
