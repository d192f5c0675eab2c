//! A subscription ends.

use serde_json::{Value, json};

use super::{KIND, pending, proration, set_details};
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::resources::payment_intent::Terms;
use crate::resources::{Call, Read, Reply, cycle, invoice, invoiceitem, schedule};
use crate::world::{Account, Object, now};

/// A subscription ends.
pub(in crate::resources) fn end(account: &mut Account, id: &str, reason: &str) {
    let Some(subscription) = account.get(KIND, id) else { return };
    if matches!(subscription.text("status"), Some("canceled" | "incomplete_expired")) {
        return;
    }
    let details = object(json!({"reason": reason}));
    cancel(account, subscription, &details);
}

/// The first payment was never made.
pub(in crate::resources) fn expire(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    new.insert("status".into(), "incomplete_expired".into());
    new.insert("ended_at".into(), now().into());
    account.update(KIND, "customer.subscription.updated", &old, &new);
    if let Some(mut invoice) = old.text("latest_invoice").and_then(|i| account.get("invoice", i)) {
        invoice::give_up(account, &mut invoice, true);
    }
}

pub(super) fn cancel_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let subscription = call.named(KIND)?;
    if subscription.text("status") == Some("canceled") {
        return Err(ApiError::missing_object(KIND, subscription.id(), "id"));
    }
    let sent = std::mem::take(&mut call.parameters);
    Ok(cancel_with(call.account, subscription, &sent).into())
}

/// Cancels now; what is left of the period is given back, and what waits is billed, when that is asked for.
pub(in crate::resources) fn cancel_with(account: &mut Account, mut subscription: Object, sent: &Object) -> Object {
    let details = sent.object("cancellation_details").cloned().unwrap_or_default();
    if sent.is_true("prorate") && matches!(subscription.text("status"), Some("active" | "past_due" | "unpaid")) {
        let planned = proration::rest(account, &subscription, now(), true);
        proration::keep(account, &subscription, &planned);
    }
    let waiting = !invoiceitem::pending(
        account,
        subscription.text("customer").unwrap_or_default(),
        subscription.text("currency").unwrap_or("usd"),
        Some(subscription.id()),
    )
    .is_empty();
    if sent.is_true("invoice_now") && waiting {
        account.being_created = Some(subscription.id().to_owned());
        cycle::bill_now(account, &mut subscription, "subscription_update", Some(&Terms::default()));
        account.being_created = None;
        subscription = account.get(KIND, subscription.id()).unwrap_or(subscription);
    }
    cancel(account, subscription, &details)
}

pub(super) fn cancel(account: &mut Account, mut subscription: Object, details: &Object) -> Object {
    let time = now();
    if subscription.object("pending_update").is_some() {
        pending::discard(account, subscription.id(), false);
        subscription.insert("pending_update".into(), Value::Null);
    }
    // It was asked for earlier when it ends at the end of its period.
    if subscription.integer("canceled_at").is_none() {
        subscription.insert("canceled_at".into(), time.into());
    }
    subscription.insert("status".into(), "canceled".into());
    subscription.insert("ended_at".into(), time.into());
    let mut given = vec![("reason", Value::from("cancellation_requested"))];
    given.extend(details.iter().map(|(k, v)| (k.as_str(), v.clone())));
    set_details(&mut subscription, &given);
    let text = account.put(KIND, &subscription);
    account.emit("customer.subscription.deleted", text);
    stop_collecting(account, subscription.id());
    let failed = subscription.object("cancellation_details").and_then(|d| d.text("reason")) == Some("payment_failed");
    schedule::subscription_ended(account, &subscription, failed);
    subscription
}

/// What a canceled subscription still owes is not asked for automatically any more.
fn stop_collecting(account: &mut Account, id: &str) {
    let of_it = |i: &Object| {
        invoice::subscription_of(i).as_deref() == Some(id)
            && matches!(i.text("status"), Some("draft" | "open"))
            && i.is_true("auto_advance")
    };
    for old in account.select("invoice", id, of_it) {
        let mut new = old.clone();
        new.insert("auto_advance".into(), false.into());
        new.insert("next_payment_attempt".into(), Value::Null);
        new.insert("automatically_finalizes_at".into(), Value::Null);
        account.update("invoice", "invoice.updated", &old, &new);
    }
}

/// Cancels what a customer that is being deleted has subscribed to.
pub(in crate::resources) fn cancel_all_of(account: &mut Account, customer: &str) {
    let running = |s: &Object| s.text("customer") == Some(customer) && s.text("status") != Some("canceled");
    for subscription in account.select(KIND, customer, running) {
        cancel(account, subscription, &Object::new());
    }
}
