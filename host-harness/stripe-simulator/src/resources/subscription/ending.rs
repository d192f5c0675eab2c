//! A subscription ends.

use serde_json::Value;

use super::{KIND, set_details};
use crate::protocol::ApiError;
use crate::resources::{Call, Read, Reply, invoice};
use crate::world::{Account, Object, now};

/// A subscription ends.
pub(in crate::resources) fn end(account: &mut Account, id: &str, reason: &str) {
    let Some(subscription) = account.get(KIND, id) else { return };
    if matches!(subscription.text("status"), Some("canceled" | "incomplete_expired")) {
        return;
    }
    let mut details = Object::new();
    details.insert("reason".into(), reason.into());
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
    let details = call.parameters.object("cancellation_details").cloned().unwrap_or_default();
    Ok(cancel(call.account, subscription, &details).into())
}

pub(super) fn cancel(account: &mut Account, mut subscription: Object, details: &Object) -> Object {
    let time = now();
    subscription.insert("status".into(), "canceled".into());
    subscription.insert("canceled_at".into(), time.into());
    subscription.insert("cancel_at_period_end".into(), false.into());
    subscription.insert("ended_at".into(), time.into());
    let mut given = vec![("reason", Value::from("cancellation_requested"))];
    given.extend(details.iter().map(|(k, v)| (k.as_str(), v.clone())));
    set_details(&mut subscription, &given);
    let text = account.put(KIND, &subscription);
    account.emit("customer.subscription.deleted", text);
    subscription
}

/// Cancels what a customer that is being deleted has subscribed to.
pub(in crate::resources) fn cancel_all_of(account: &mut Account, customer: &str) {
    let running = |s: &Object| s.text("customer") == Some(customer) && s.text("status") != Some("canceled");
    for subscription in account.select(KIND, customer, running) {
        cancel(account, subscription, &Object::new());
    }
}
