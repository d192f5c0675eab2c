//! A subscription stops until it is resumed.

use super::KIND;
use super::items::set_periods;
use crate::protocol::ApiError;
use crate::resources::{Call, Read, Reply, cycle};
use crate::world::{Account, Object, now};

/// A subscription stops until it is resumed.
pub(in crate::resources) fn pause_now(account: &mut Account, old: &Object) {
    let mut new = old.clone();
    new.insert("status".into(), "paused".into());
    let text = account.put(KIND, &new);
    account.emit("customer.subscription.paused", text);
}

pub(super) fn pause_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    if !matches!(old.text("status"), Some("active" | "trialing" | "past_due")) {
        let message = format!("A subscription that is {} cannot be paused.", old.text("status").unwrap_or_default());
        return Err(ApiError::invalid(message));
    }
    pause_now(call.account, &old);
    call.named(KIND).map(Reply::from)
}

pub(super) fn resume(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    if old.text("status") != Some("paused") {
        let message =
            format!("Only a paused subscription can be resumed; it is {}.", old.text("status").unwrap_or_default());
        return Err(ApiError::invalid(message));
    }
    let mut new = old.clone();
    new.insert("status".into(), "active".into());
    let anchor = call.parameters.object("billing_cycle_anchor").and_then(|a| a.text("type"));
    if anchor != Some("unchanged") {
        let time = now();
        set_periods(&mut new, Some(time), 0);
        new.insert("billing_cycle_anchor".into(), time.into());
        call.account.put(KIND, &new);
        cycle::bill_now(call.account, &mut new, "subscription_cycle");
    }
    let text = call.account.put(KIND, &new);
    call.account.emit("customer.subscription.resumed", text.clone());
    Ok(Reply::Kept(text))
}
