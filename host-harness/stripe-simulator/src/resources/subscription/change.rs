//! A subscription that is there changes.

use serde_json::Value;

use super::creation::trial_end;
use super::items::{change_items, set_periods};
use super::proration::settle_change;
use super::{KIND, default_method, end, pause_now, period_end, set_details};
use crate::protocol::ApiError;
use crate::resources::fields::{assign, assign_metadata};
use crate::resources::{Call, Read, Reply, cycle, discount, payment_method, rates};
use crate::world::{Account, Object, now};

pub(super) fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    change(call.account, &old, &sent).map(Reply::from)
}

/// Changes a subscription as the parameters of its update say, and bills what that costs.
pub(in crate::resources) fn change(account: &mut Account, old: &Object, sent: &Object) -> Result<Object, ApiError> {
    let mut new = old.clone();
    if matches!(old.text("status"), Some("canceled" | "incomplete_expired")) {
        let only_details = sent.keys().all(|k| matches!(k.as_str(), "cancellation_details" | "metadata"));
        if !only_details {
            return Err(ApiError::invalid(
                "A canceled subscription can only update its cancellation_details and metadata.",
            ));
        }
    }
    if let Some(id) = sent.text("default_payment_method") {
        let method = account.find("payment_method", id, "default_payment_method")?;
        if method.get("customer") != old.get("customer") {
            return Err(payment_method::not_attached(id, "default_payment_method"));
        }
    }
    if sent.contains_key("items") {
        change_items(account, &mut new, sent)?;
    }
    let redeemed = discount::redeem(account, sent)?;
    if let Some(rates) = rates::taxes_named(account, sent, "default_tax_rates")? {
        new.insert("default_tax_rates".into(), rates.into());
    }
    const FIELDS: &[&str] = &[
        "collection_method",
        "days_until_due",
        "default_payment_method",
        "description",
        "pause_collection",
        "application_fee_percent",
    ];
    assign(KIND, &mut new, sent, FIELDS);
    if let Some(Value::Bool(at_end)) = sent.get("cancel_at_period_end") {
        new.insert("cancel_at_period_end".into(), (*at_end).into());
        new.insert("cancel_at".into(), if *at_end { period_end(&new).into() } else { Value::Null });
        new.insert("canceled_at".into(), if *at_end { now().into() } else { Value::Null });
        let reason = at_end.then_some("cancellation_requested");
        set_details(&mut new, &[("reason", reason.into())]);
    }
    if let Some(time) = sent.integer("cancel_at") {
        new.insert("cancel_at".into(), time.into());
        new.insert("canceled_at".into(), now().into());
    }
    if let Some(details) = sent.object("cancellation_details") {
        let given: Vec<(&str, Value)> =
            details.iter().map(|(k, v)| (k.as_str(), if v == "" { Value::Null } else { v.clone() })).collect();
        set_details(&mut new, &given);
    }
    if let (Some(Value::Object(settings)), Some(sent)) =
        (new.get_mut("payment_settings"), sent.object("payment_settings"))
        && let Some(save) = sent.get("save_default_payment_method")
    {
        settings.insert("save_default_payment_method".into(), save.clone());
    }
    if new.text("status") == Some("trialing") && sent.get("trial_end").is_some_and(|t| *t == "now") {
        return end_trial(account, old, new, sent);
    }
    if let Some(end) = trial_end(sent, now())? {
        new.insert("trial_end".into(), end.into());
        let started = new.get("trial_start").filter(|t| !t.is_null()).cloned();
        new.insert("trial_start".into(), started.unwrap_or_else(|| now().into()));
        new.insert("status".into(), "trialing".into());
        set_periods(&mut new, None, end);
    }
    assign_metadata(&mut new, sent)?;
    if let Some(redeemed) = redeemed {
        let owner = [("subscription", old.id()), ("customer", old.text("customer").unwrap_or_default())];
        let ids = discount::attach(account, redeemed, &owner);
        for id in &ids {
            let told = serde_json::to_vec(&discount::object_of(account, id)).unwrap_or_default();
            account.emit("customer.discount.created", told.into());
        }
        new.insert("discounts".into(), ids.into());
    }
    if sent.contains_key("items") {
        settle_change(account, old, &mut new, sent.text("proration_behavior").unwrap_or("create_prorations"));
    }
    account.update(KIND, "customer.subscription.updated", old, &new);
    Ok(new)
}

/// The trial ends now: the first period begins and is billed at once.
fn end_trial(account: &mut Account, old: &Object, mut new: Object, sent: &Object) -> Result<Object, ApiError> {
    assign_metadata(&mut new, sent)?;
    let time = now();
    new.insert("trial_end".into(), time.into());
    let owner = account.get("customer", old.text("customer").unwrap_or_default()).unwrap_or_default();
    if default_method(account, Some(&new), &owner).is_none() {
        let behaviour = new.object("trial_settings").and_then(|t| t.object("end_behavior"));
        match behaviour.and_then(|b| b.text("missing_payment_method")) {
            Some("cancel") => {
                account.put(KIND, &new);
                end(account, old.id(), "cancellation_requested");
                return Ok(account.get(KIND, old.id()).unwrap_or(new));
            }
            Some("pause") => {
                pause_now(account, &new);
                return Ok(account.get(KIND, old.id()).unwrap_or(new));
            }
            _ => {}
        }
    }
    new.insert("status".into(), "active".into());
    new.insert("billing_cycle_anchor".into(), time.into());
    set_periods(&mut new, Some(time), 0);
    cycle::bill_now(account, &mut new, "subscription_cycle");
    let mut now_is = account.get(KIND, old.id()).unwrap_or_else(|| new.clone());
    now_is.insert("latest_invoice".into(), new.get("latest_invoice").cloned().unwrap_or_default());
    account.update(KIND, "customer.subscription.updated", old, &now_is);
    Ok(now_is)
}
