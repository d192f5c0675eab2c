//! A final invoice is paid, or fails to be.

use serde_json::{Value, json};

use super::{KIND, finish, intend, must_be, subscription_of, transition};
use crate::protocol::ApiError;
use crate::resources::payment_intent::Terms;
use crate::resources::{
    Call, Read, Reply, customer, invoice_payment, payment_intent, payment_method, subscription, test_clock,
};
use crate::world::{Account, Object, now};

/// The payment succeeded: the invoice is paid, or a part of it, and what waited for that goes on.
pub(in crate::resources) fn settle(account: &mut Account, id: &str, intent: &Object) {
    let Some(mut invoice) = account.get(KIND, id) else { return };
    let attempts = invoice.integer("attempt_count").unwrap_or_default() + 1;
    invoice.insert("attempt_count".into(), attempts.into());
    invoice.insert("attempted".into(), true.into());
    let received = intent.integer("amount_received").unwrap_or_default();
    credit(account, &mut invoice, intent.id(), received);
    if invoice.text("status") == Some("paid")
        && let Some(subscription) = subscription_of(&invoice)
    {
        subscription::paid(account, &subscription, intent.text("payment_method"));
    }
}

/// Money that came in pays what it suffices for; what is more than that is noted as overpaid.
fn credit(account: &mut Account, invoice: &mut Object, intent: &str, received: i64) {
    let id = invoice.id().to_owned();
    let left = invoice.integer("amount_remaining").unwrap_or_default();
    if received >= left {
        let over = invoice.integer("amount_overpaid").unwrap_or_default().saturating_add(received - left);
        invoice.insert("amount_overpaid".into(), over.into());
        mark_paid(account, invoice);
        invoice_payment::settle(account, &id, intent, received);
        // What else was to pay it is not needed any more.
        invoice_payment::cancel(account, &id, "automatic");
        if received > left {
            let text = account.put(KIND, invoice);
            account.emit("invoice.overpaid", text);
        }
        return;
    }
    let old = account.get(KIND, &id).unwrap_or_default();
    let paid = invoice.integer("amount_paid").unwrap_or_default().saturating_add(received);
    invoice.insert("amount_paid".into(), paid.into());
    invoice.insert("amount_remaining".into(), (left - received).into());
    invoice_payment::settle(account, &id, intent, received);
    invoice_payment::ask_for(account, &id, left - received);
    account.update(KIND, "invoice.updated", &old, invoice);
}

/// Ties a payment that was made, or will be, to an open invoice.
pub(super) fn attach_payment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["open"], "attach a payment to")?;
    let Some(id) = call.parameters.text("payment_intent").map(str::to_owned) else {
        return Err(ApiError::missing_param("payment_intent"));
    };
    let intent = call.account.find("payment_intent", &id, "payment_intent")?;
    let refused = |message: String| Err(ApiError::invalid(message).param("payment_intent"));
    if intent.get("currency") != invoice.get("currency") {
        return refused(format!("The PaymentIntent {id} is in another currency than the invoice."));
    }
    if intent.text("customer").is_some_and(|c| invoice.text("customer") != Some(c)) {
        return refused(format!("The PaymentIntent {id} is of another customer than the invoice."));
    }
    if intent.text("status") == Some("canceled") {
        return refused(format!("The PaymentIntent {id} is canceled."));
    }
    if call.account.purposes.contains_key(&id) || invoice_payment::is_tied(call.account, invoice.id(), &id) {
        return refused(format!("The PaymentIntent {id} is attached to an invoice already."));
    }
    call.account.purposes.insert(id.clone(), (KIND, invoice.id().to_owned()));
    invoice_payment::open(call.account, &invoice, &intent, false);
    if intent.text("status") == Some("succeeded") {
        let received = intent.integer("amount_received").unwrap_or_default();
        credit(call.account, &mut invoice, &id, received);
        if invoice.text("status") == Some("paid")
            && let Some(subscription) = subscription_of(&invoice)
        {
            subscription::paid(call.account, &subscription, None);
        }
    }
    call.named(KIND).map(Reply::from)
}

/// Notes that nothing is left to pay.
pub(in crate::resources) fn mark_paid(account: &mut Account, invoice: &mut Object) {
    let paid = invoice.integer("amount_paid").unwrap_or_default();
    let left = invoice.integer("amount_remaining").unwrap_or_default();
    invoice.insert("amount_paid".into(), paid.saturating_add(left).into());
    invoice.insert("amount_remaining".into(), 0.into());
    invoice.insert("attempted".into(), true.into());
    invoice.insert("auto_advance".into(), false.into());
    invoice.insert("next_payment_attempt".into(), Value::Null);
    invoice.insert("status".into(), "paid".into());
    transition(invoice, "paid_at", now());
    let text = account.put(KIND, invoice);
    account.emit("invoice.paid", text.clone());
    account.emit("invoice.payment_succeeded", text);
}

/// The payment failed.
pub(in crate::resources) fn payment_failed(account: &mut Account, id: &str) {
    let Some(mut invoice) = account.get(KIND, id) else { return };
    let attempts = invoice.integer("attempt_count").unwrap_or_default() + 1;
    invoice.insert("attempt_count".into(), attempts.into());
    invoice.insert("attempted".into(), true.into());
    let text = account.put(KIND, &invoice);
    account.emit("invoice.payment_failed", text);
}

/// The payment waits for the customer.
pub(in crate::resources) fn payment_action_required(account: &mut Account, id: &str) {
    if let Some(text) = account.text(KIND, id).cloned() {
        account.emit("invoice.payment_action_required", text);
    }
}

/// The payment intent that pays what is left of an invoice: the one that is open, or a new one.
fn intent_for(account: &mut Account, invoice: &Object, method: &Object) -> Object {
    let open = |i: &Object| !matches!(i.text("status"), Some("canceled" | "succeeded"));
    match invoice_payment::intent_of(account, invoice.id()).filter(open) {
        Some(mut intent) => {
            // Credit notes and other payments may have left less to pay.
            intent.insert("amount".into(), invoice.get("amount_remaining").cloned().unwrap_or_default());
            intent
        }
        None => intend(account, invoice, Some(method)),
    }
}

/// Tries to have an open invoice paid by a payment method.
pub(in crate::resources) fn charge(
    account: &mut Account,
    invoice: &Object,
    method: &Object,
    off_session: bool,
) -> Result<(), ApiError> {
    let mut intent = intent_for(account, invoice, method);
    payment_intent::attempt(account, &mut intent, method, &Terms { off_session, ..Terms::default() })
}

pub(super) fn pay(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["draft", "open", "uncollectible"], "pay")?;
    let owner = customer::named(call.account, invoice.text("customer").unwrap_or_default(), "customer")?;
    let subscription = subscription_of(&invoice).and_then(|s| call.account.get("subscription", &s));
    let out_of_band = call.parameters.is_true("paid_out_of_band");
    let free = invoice.integer("amount_due") == Some(0);
    let method = match (call.parameters.text("payment_method"), invoice.text("default_payment_method")) {
        (Some(id), _) => Some(payment_method::named(call.account, id, "payment_method")?),
        (None, Some(id)) => Some(call.account.find("payment_method", id, "payment_method")?),
        (None, None) => subscription::default_method(call.account, subscription.as_ref(), &owner),
    };
    if method.is_none() && !out_of_band && !free {
        return Err(subscription::no_method());
    }
    if invoice.text("status") == Some("draft") {
        finish(call.account, &mut invoice);
    }
    if invoice.text("status") == Some("paid") {
        return call.named(KIND).map(Reply::from);
    }
    if out_of_band {
        let left = invoice.get("amount_remaining").cloned().unwrap_or_default();
        invoice.insert("amount_paid_off_stripe".into(), left);
        invoice_payment::cancel(call.account, invoice.id(), "automatic");
        mark_paid(call.account, &mut invoice);
        if let Some(subscription) = subscription_of(&invoice) {
            subscription::paid(call.account, &subscription, None);
        }
        return Ok(invoice.into());
    }
    if let Some(method) = method {
        let off_session = call.parameters.get("off_session").is_some_and(|v| *v == true);
        charge(call.account, &invoice, &method, off_session)?;
    }
    call.named(KIND).map(Reply::from)
}

/// The customer pays an open invoice on its hosted page with a test card. Where it has to go to authenticate first,
/// if it has to.
///
/// # Errors
/// When the invoice cannot be paid any more, and when the card is declined; the customer can try again.
pub(crate) fn pay_on_page(account: &mut Account, id: &str, card: &str) -> Result<Option<String>, ApiError> {
    let invoice = account.find(KIND, id, "id")?;
    test_clock::enter_of(account, &invoice);
    must_be(&invoice, &["open", "uncollectible"], "pay")?;
    let billing = json!({"email": invoice.get("customer_email"), "name": invoice.get("customer_name")});
    let method = payment_method::entered(account, card, &billing, false)?;
    let return_url = invoice.text("hosted_invoice_url").map(str::to_owned);
    let terms = Terms { return_url, ..Terms::default() };
    let mut intent = intent_for(account, &invoice, &method);
    payment_intent::attempt(account, &mut intent, &method, &terms)?;
    let action = intent.object("next_action").and_then(|a| a.object("redirect_to_url")).and_then(|r| r.text("url"));
    Ok(action.map(str::to_owned))
}
