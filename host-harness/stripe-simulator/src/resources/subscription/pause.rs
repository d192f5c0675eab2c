//! A subscription stops until it is resumed.

use serde_json::Value;

use super::items::{items_of, next_end, set_periods};
use super::{KIND, anchor_is_unchanged, default_method, proration};
use crate::protocol::ApiError;
use crate::resources::payment_intent::Terms;
use crate::resources::{Call, Read, Reply, cycle, invoice};
use crate::world::{Account, Object, now};

/// A subscription stops: it bills nothing until it is resumed.
pub(in crate::resources) fn pause_now(account: &mut Account, old: &Object, mut new: Object) {
    new.insert("status".into(), "paused".into());
    let text = account.update(KIND, "customer.subscription.updated", old, &new);
    account.emit("customer.subscription.paused", text);
}

/// Stops a subscription by hand. What is left of the period is given back when that is asked for.
pub(super) fn pause_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    if !matches!(old.text("status"), Some("active" | "trialing" | "past_due")) {
        let message = format!("A subscription that is {} cannot be paused.", old.text("status").unwrap_or_default());
        return Err(ApiError::invalid(message));
    }
    let billing = call.parameters.object("bill_for").cloned().unwrap_or_default();
    let from = billing.object("unused_time_from").and_then(|u| u.text("type")).unwrap_or("none");
    let start = items_of(&old).first().and_then(|i| i.integer("current_period_start"));
    let time = match from {
        "now" => Some(now()),
        "item_current_period_start" => start,
        _ => None,
    };
    if let Some(time) = time.filter(|_| old.text("status") != Some("trialing")) {
        let planned = proration::rest(call.account, &old, time, true);
        proration::keep(call.account, &old, &planned);
    }
    let mut new = old.clone();
    if time.is_some() && call.parameters.text("invoicing_behavior") == Some("invoice") {
        call.account.being_created = Some(old.id().to_owned());
        cycle::bill_now(call.account, &mut new, "subscription_update", Some(&Terms::default()));
        call.account.being_created = None;
    }
    pause_now(call.account, &old, new);
    call.named(KIND).map(Reply::from)
}

/// Resumes a paused subscription. With a new period it goes on once that is paid; with the old one, at once.
pub(super) fn resume(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    if old.text("status") != Some("paused") {
        let message =
            format!("Only a paused subscription can be resumed; it is {}.", old.text("status").unwrap_or_default());
        return Err(ApiError::invalid(message));
    }
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let time = now();
    let mut new = old.clone();
    if anchor_is_unchanged(&sent) {
        catch_up(&mut new, time);
        let behaviour = sent.text("proration_behavior").unwrap_or("create_prorations");
        if behaviour != "none" {
            let date = sent.integer("proration_date").unwrap_or(time);
            let planned = proration::rest(account, &new, date, false);
            proration::keep(account, &new, &planned);
        }
        new.insert("status".into(), "active".into());
        if behaviour == "always_invoice" {
            account.put(KIND, &new);
            account.being_created = Some(old.id().to_owned());
            cycle::bill_now(account, &mut new, "subscription_update", Some(&Terms::default()));
            account.being_created = None;
            new = account.get(KIND, old.id()).unwrap_or(new);
        }
        return Ok(go_on(account, &old, new).into());
    }
    new.insert("billing_cycle_anchor".into(), time.into());
    set_periods(&mut new, Some(time), 0);
    let mut first = invoice::draft(account, &new, "subscription_cycle");
    new.insert("latest_invoice".into(), first.id().into());
    account.put(KIND, &new);
    account.being_created = Some(old.id().to_owned());
    let owner = account.get("customer", old.text("customer").unwrap_or_default()).unwrap_or_default();
    let method = default_method(account, Some(&new), &owner);
    if invoice::finish(account, &mut first).is_some()
        && let Some(method) = &method
    {
        // What came of it is on the invoice; the subscription stays paused until it is paid.
        let _ = invoice::charge(account, &first, method, false);
    }
    account.being_created = None;
    let paid = account.get("invoice", first.id()).is_some_and(|i| i.text("status") == Some("paid"));
    let at_once = sent.text("payment_behavior") == Some("resume_on_payment_attempt");
    if paid || at_once || new.text("collection_method") == Some("send_invoice") {
        new = account.get(KIND, old.id()).unwrap_or(new);
        new.insert("status".into(), if paid { "active".into() } else { running_unpaid(&new) });
        return Ok(go_on(account, &old, new).into());
    }
    account.update(KIND, "customer.subscription.updated", &old, &new);
    Ok(new.into())
}

fn running_unpaid(subscription: &Object) -> Value {
    let sends = subscription.text("collection_method") == Some("send_invoice");
    if sends { "active".into() } else { "past_due".into() }
}

/// The invoice that a paused subscription was to be resumed by is paid.
pub(super) fn go_on(account: &mut Account, old: &Object, new: Object) -> Object {
    let text = account.update(KIND, "customer.subscription.updated", old, &new);
    account.emit("customer.subscription.resumed", text);
    new
}

/// Periods that went by while it was paused are over, and were not billed.
fn catch_up(subscription: &mut Object, time: i64) {
    let whole = subscription.clone();
    let items = subscription.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        let end = item.integer("current_period_end").unwrap_or(time);
        if end > time {
            continue;
        }
        let next = next_end(&whole, item, time);
        item.insert("current_period_start".into(), end.into());
        item.insert("current_period_end".into(), next.into());
        item.insert("billed_until".into(), next.into());
    }
}
