//! A draft becomes final: it gets its number, and what the customer has or owes from before goes into it.

use serde_json::{Value, json};

use super::{HOUR, KIND, mark_paid, must_be, subscription_of, transition};
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::resources::{Call, Read, Reply, customer, invoice_payment, payment_intent, subscription};
use crate::world::{Account, Object, now};

/// Makes a draft final: it has a number, and a payment intent when there is something to pay at once.
pub(in crate::resources) fn finalize(
    account: &mut Account,
    invoice: &mut Object,
    method: Option<&Object>,
) -> Option<Object> {
    let customer = invoice.text("customer").unwrap_or_default().to_owned();
    apply_balance(account, invoice, &customer);
    seal(account, invoice);
    let due = invoice.integer("amount_due").unwrap_or_default();
    if due == 0 || invoice.text("collection_method") != Some("charge_automatically") {
        return None;
    }
    Some(intend(account, invoice, method))
}

/// A draft that is finalized an hour from now.
pub(in crate::resources) fn finalize_later(account: &mut Account, invoice: &mut Object) {
    invoice.insert("automatically_finalizes_at".into(), now().saturating_add(HOUR).into());
    account.put(KIND, invoice);
}

/// Gives a draft its number and the pages where it can be seen; from now on it is not changed any more.
pub(super) fn seal(account: &mut Account, invoice: &mut Object) {
    let customer = invoice.text("customer").unwrap_or_default().to_owned();
    let own = invoice.text("number").map(str::to_owned);
    let number = own.unwrap_or_else(|| next_number(account, &customer));
    let id = invoice.id().to_owned();
    let hosted = format!("{}/i/{id}", account.settings().base_url);
    let time = now();
    invoice.insert("number".into(), number.into());
    invoice.insert("status".into(), "open".into());
    if invoice.get("effective_at").is_none_or(Value::is_null) {
        invoice.insert("effective_at".into(), time.into());
    }
    invoice.insert("automatically_finalizes_at".into(), Value::Null);
    invoice.insert("invoice_pdf".into(), format!("{hosted}/pdf").into());
    invoice.insert("hosted_invoice_url".into(), hosted.into());
    transition(invoice, "finalized_at", time);
    let text = account.put(KIND, invoice);
    account.emit("invoice.finalized", text);
}

/// What the customer has or owes from before goes into what is due.
fn apply_balance(account: &mut Account, invoice: &mut Object, customer: &str) {
    let balance = account.get("customer", customer).and_then(|c| c.integer("balance")).unwrap_or_default();
    let total = invoice.integer("total").unwrap_or_default();
    let sum = total.saturating_add(balance);
    let due = sum.max(0);
    invoice.insert("starting_balance".into(), balance.into());
    invoice.insert("ending_balance".into(), sum.min(0).into());
    invoice.insert("amount_due".into(), due.into());
    invoice.insert("amount_remaining".into(), due.into());
    let used = sum.min(0).saturating_sub(balance);
    if used != 0 {
        let kind = "applied_to_invoice";
        customer::move_balance(account, customer, used, kind, &[("invoice", invoice.id())]);
    }
}

/// The payment intent of an invoice that has none yet.
pub(super) fn intend(account: &mut Account, invoice: &Object, method: Option<&Object>) -> Object {
    let of_subscription = subscription_of(invoice).is_some();
    let first = invoice.text("billing_reason") == Some("subscription_create");
    let sent = object(json!({
        "customer": invoice.get("customer"),
        "description": match (first, of_subscription) {
            (true, _) => "Subscription creation",
            (_, true) => "Subscription update",
            _ => "Payment for Invoice",
        },
        "setup_future_usage": of_subscription.then_some("off_session"),
        "capture_method": "automatic",
    }));
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    let due = invoice.integer("amount_remaining").unwrap_or_default();
    let mut intent = payment_intent::build(account, due, &currency, &sent);
    if let Some(method) = method {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    account.purposes.insert(intent.id().to_owned(), (KIND, invoice.id().to_owned()));
    invoice_payment::open(account, invoice, &intent, true);
    account.create("payment_intent", "payment_intent.created", &intent);
    intent
}

fn next_number(account: &mut Account, customer: &str) -> String {
    let Some(mut customer) = account.get("customer", customer) else { return "0000-0001".to_owned() };
    let sequence = customer.integer("next_invoice_sequence").unwrap_or(1);
    customer.insert("next_invoice_sequence".into(), sequence.saturating_add(1).into());
    account.put("customer", &customer);
    format!("{}-{sequence:04}", customer.text("invoice_prefix").unwrap_or("0000"))
}

/// Finalizes; what costs nothing is paid by that.
pub(in crate::resources) fn finish(account: &mut Account, invoice: &mut Object) -> Option<Object> {
    let intent = finalize(account, invoice, None);
    if invoice.integer("amount_due") == Some(0) {
        mark_paid(account, invoice);
        if let Some(subscription) = subscription_of(invoice) {
            subscription::paid(account, &subscription, None);
        }
    }
    intent
}

pub(super) fn finalize_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["draft"], "finalize")?;
    if let Some(advance) = call.parameters.get("auto_advance") {
        invoice.insert("auto_advance".into(), advance.clone());
    }
    finish(call.account, &mut invoice);
    let charged = invoice.text("collection_method") == Some("charge_automatically");
    if invoice.text("status") == Some("open") && invoice.is_true("auto_advance") && charged {
        // Like a draft that waits, it is charged an hour later.
        invoice.insert("next_payment_attempt".into(), now().saturating_add(HOUR).into());
        call.account.put(KIND, &invoice);
    }
    call.named(KIND).map(Reply::from)
}

pub(super) fn send(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    if invoice.text("collection_method") != Some("send_invoice") {
        return Err(ApiError::invalid(
            "You can only manually send an invoice if the collection method is set to 'send_invoice'.",
        ));
    }
    must_be(&invoice, &["draft", "open"], "send")?;
    if invoice.text("status") == Some("draft") {
        finish(call.account, &mut invoice);
    }
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.sent", text.clone());
    Ok(Reply::Kept(text))
}
