//! A subscription that is there changes.
//!
//! A change is read and checked whole; then what it costs now is worked out, and the payment behaviour decides
//! whether it happens at once, not at all, or when it is paid.

use serde_json::Value;

use super::creation::{cancel_at, check_days, refuse_unless_paid, set_invoice_settings, set_trial_settings, trial_end};
use super::items::{Items, changed_items, items_of, set_periods};
use super::proration::{self, Planned};
use super::{KIND, anchor_is_now, default_method, end, no_method, pause_now, pending, period_end, set_details};
use crate::protocol::ApiError;
use crate::resources::fields::{assign, assign_metadata};
use crate::resources::payment_intent::{self, Terms, Verdict};
use crate::resources::{Call, Read, Reply, cycle, discount, invoice, invoiceitem, payment_method, price, rates};
use crate::world::{Account, Object, now, written};

pub(super) fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    change(call.account, &old, &sent).map(Reply::from)
}

/// What a change may bring along when it waits for its payment.
const CAN_WAIT: &[&str] = &[
    "add_invoice_items",
    "billing_cycle_anchor",
    "items",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "trial_from_plan",
];

/// What can be refused without looking at the items.
fn check(account: &Account, old: &Object, sent: &Object) -> Result<(), ApiError> {
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
    check_days(sent)?;
    let collection = sent.text("collection_method").or_else(|| old.text("collection_method"));
    let sends = collection == Some("send_invoice");
    let days = sent.get("days_until_due").or_else(|| old.get("days_until_due"));
    if sends && sent.contains_key("collection_method") && days.is_none_or(|d| d.is_null() || *d == "") {
        return Err(ApiError::missing_param("days_until_due"));
    }
    if sent.text("payment_behavior") == Some("pending_if_incomplete") {
        if sends {
            let message = "`payment_behavior=pending_if_incomplete` needs `collection_method=charge_automatically`.";
            return Err(ApiError::invalid(message).param("payment_behavior"));
        }
        if let Some(other) = sent.keys().find(|k| !CAN_WAIT.contains(&k.as_str())) {
            let message = format!(
                "When `payment_behavior` is `pending_if_incomplete`, you can only pass parameters that can be pending; \
                 `{other}` is none of them."
            );
            return Err(ApiError::invalid(message).param(other.as_str()));
        }
    }
    if let Some(resumes) = sent.object("pause_collection").and_then(|p| p.integer("resumes_at"))
        && resumes <= now()
    {
        let message = "Invalid timestamp: resumes_at must be in the future.";
        return Err(ApiError::invalid(message).param("pause_collection[resumes_at]"));
    }
    if let Some(date) = sent.integer("proration_date") {
        let items = items_of(old);
        let inside = |i: &Object| {
            let time = |name: &str| i.integer(name).unwrap_or_default();
            (time("current_period_start")..=time("current_period_end")).contains(&date)
        };
        if !items.iter().all(inside) {
            let message = "Cannot specify `proration_date` outside of current subscription period.";
            return Err(ApiError::invalid(message).param("proration_date"));
        }
    }
    Ok(())
}

/// Changes a subscription as the parameters of its update say, and bills what that costs.
pub(in crate::resources) fn change(account: &mut Account, old: &Object, sent: &Object) -> Result<Object, ApiError> {
    check(account, old, sent)?;
    let time = now();
    let mut new = old.clone();
    let Items { items, new_prices } = changed_items(account, old, sent)?;
    if sent.contains_key("items")
        && let Some(Value::Object(list)) = new.get_mut("items")
    {
        list.insert("data".into(), items.into_iter().map(Value::Object).collect());
    }
    let redeemed = discount::redeem(account, sent)?;
    if let Some(redeemed) = &redeemed {
        discount::check_currency(redeemed, old.text("currency").unwrap_or_default())?;
    }
    if let Some(rates) = rates::taxes_named(account, sent, "default_tax_rates")? {
        new.insert("default_tax_rates".into(), rates.into());
    }
    let mut once = Vec::new();
    for (index, item) in sent.objects("add_invoice_items").enumerate() {
        let param = format!("add_invoice_items[{index}]");
        let charged = invoiceitem::charged(account, item, old.text("currency").unwrap_or("usd"), &param)?;
        let rates = rates::taxes_at(account, item, "tax_rates", &param)?.unwrap_or_default();
        once.push((item, charged, rates));
    }
    let trial = trial_end(sent, time)?;
    let cancels = cancel_at(sent, time)?;
    assign_metadata(&mut new, sent)?;
    set_plain(&mut new, sent, cancels);
    let ends_trial = old.text("status") == Some("trialing") && sent.text("trial_end") == Some("now");
    let behaviour = sent.text("proration_behavior").unwrap_or("create_prorations");
    let running = matches!(old.text("status"), Some("active" | "past_due" | "unpaid"));
    let restarts = !ends_trial && trial.is_none() && running && restarts(account, old, &new, sent);
    let date = sent.integer("proration_date").unwrap_or(time);
    let planned = if running && behaviour != "none" {
        proration::plan(account, old, &new, date, restarts || trial.is_some())
    } else {
        Vec::new()
    };
    let bills = ends_trial || restarts || behaviour == "always_invoice" && !(planned.is_empty() && once.is_empty());
    let due = once.iter().fold(proration::sum(&planned), |sum, (_, charged, _)| sum.saturating_add(charged.amount));
    let due = if restarts || ends_trial {
        items_of(&new).iter().fold(due, |sum, i| sum.saturating_add(proration::cost(account, &new, i)))
    } else {
        due
    };
    let owner = account.get("customer", old.text("customer").unwrap_or_default()).unwrap_or_default();
    let method = default_method(account, Some(&new), &owner);
    let terms = Terms { off_session: sent.is_true("off_session"), ..Terms::default() };
    let payment = sent.text("payment_behavior").unwrap_or("allow_incomplete");
    let charges = bills && due > 0 && new.text("collection_method") == Some("charge_automatically");
    if charges && payment == "error_if_incomplete" {
        refuse_unless_paid(account, method.as_ref().ok_or_else(no_method)?, &terms)?;
    }
    // From here on nothing can be refused.
    for price in new_prices {
        price::keep(account, &price);
    }
    if bills && old.object("pending_update").is_some() {
        pending::discard(account, old.id(), false);
        new.insert("pending_update".into(), Value::Null);
    }
    if let Some(end) = trial {
        begin_trial(&mut new, end);
    }
    if restarts || ends_trial {
        new.insert("billing_cycle_anchor".into(), time.into());
        set_periods(&mut new, Some(time), 0);
    }
    for (item, charged, rates) in once {
        invoiceitem::add_once(account, &owner, old.id(), &charged, item, rates);
    }
    if let Some(redeemed) = redeemed {
        let owner = [("subscription", old.id()), ("customer", old.text("customer").unwrap_or_default())];
        let ids = discount::attach(account, redeemed, &owner);
        for id in &ids {
            let told = written(&discount::object_of(account, id));
            account.emit("customer.discount.created", told);
        }
        new.insert("discounts".into(), ids.into());
    }
    let waits = charges
        && payment == "pending_if_incomplete"
        && method.as_ref().is_none_or(|m| payment_intent::verdict(account, m, &terms) != Verdict::Pays);
    if waits {
        return Ok(hold(account, old, &new, &planned, restarts || ends_trial, method.as_ref(), &terms));
    }
    proration::keep(account, &new, &planned);
    if ends_trial {
        return Ok(end_trial(account, old, new, method.is_none(), &terms));
    }
    if bills {
        let reason = if restarts { "subscription_cycle" } else { "subscription_update" };
        account.put(KIND, &new);
        account.being_created = Some(old.id().to_owned());
        let attempt = (payment != "default_incomplete").then_some(&terms);
        cycle::bill_now(account, &mut new, reason, attempt);
        account.being_created = None;
        // A payment that failed is on the subscription by now.
        new = account.get(KIND, old.id()).unwrap_or(new);
    }
    account.update(KIND, "customer.subscription.updated", old, &new);
    Ok(new)
}

/// What is taken over without a price.
fn set_plain(new: &mut Object, sent: &Object, cancels: Option<Option<i64>>) {
    const FIELDS: &[&str] = &[
        "application_fee_percent",
        "collection_method",
        "days_until_due",
        "default_payment_method",
        "description",
        "on_behalf_of",
        "pause_collection",
    ];
    assign(KIND, new, sent, FIELDS);
    set_invoice_settings(new, sent);
    set_trial_settings(new, sent);
    let end = period_end(new);
    if let Some(Value::Bool(at_end)) = sent.get("cancel_at_period_end") {
        new.insert("cancel_at_period_end".into(), (*at_end).into());
        new.insert("cancel_at".into(), if *at_end { end.into() } else { Value::Null });
        new.insert("canceled_at".into(), if *at_end { now().into() } else { Value::Null });
        let reason = at_end.then_some("cancellation_requested");
        set_details(new, &[("reason", reason.into())]);
    }
    if let Some(at) = cancels {
        new.insert("cancel_at".into(), at.or(end).into());
        new.insert("canceled_at".into(), now().into());
        set_details(new, &[("reason", "cancellation_requested".into())]);
    } else if sent.get("cancel_at").is_some_and(|v| *v == "") {
        for name in ["cancel_at", "canceled_at"] {
            new.insert(name.into(), Value::Null);
        }
        new.insert("cancel_at_period_end".into(), false.into());
        set_details(new, &[("reason", Value::Null)]);
    }
    if let Some(details) = sent.object("cancellation_details") {
        let given: Vec<(&str, Value)> =
            details.iter().map(|(k, v)| (k.as_str(), if v == "" { Value::Null } else { v.clone() })).collect();
        set_details(new, &given);
    }
    if let (Some(Value::Object(settings)), Some(sent)) =
        (new.get_mut("payment_settings"), sent.object("payment_settings"))
        && let Some(save) = sent.get("save_default_payment_method")
    {
        settings.insert("save_default_payment_method".into(), save.clone());
    }
}

/// Whether a change begins a new period: when that is asked for, when the interval changes, and when what cost
/// nothing costs something.
pub(super) fn restarts(account: &Account, old: &Object, new: &Object, sent: &Object) -> bool {
    let interval = |i: &Object| {
        let recurring = i.object("price").and_then(|p| p.object("recurring"));
        recurring.map(|r| (r.text("interval").map(str::to_owned), r.integer("interval_count")))
    };
    let (before, after) = (items_of(old), items_of(new));
    let list = |items: &[Object]| {
        let each = |i: &Object| {
            let price = i.object("price");
            price.map(|p| price::cost(account, p, i.integer("quantity").unwrap_or(1))).unwrap_or_default()
        };
        items.iter().map(each).fold(0, i64::saturating_add)
    };
    let other_interval = before.iter().any(|b| {
        let same = after.iter().find(|a| a.id() == b.id());
        same.is_some_and(|a| interval(a) != interval(b))
    });
    anchor_is_now(sent) || other_interval || (list(&before) == 0 && list(&after) > 0 && sent.contains_key("items"))
}

/// A change that waits for its payment.
fn hold(
    account: &mut Account,
    old: &Object,
    new: &Object,
    planned: &[Planned],
    restarts: bool,
    method: Option<&Object>,
    terms: &Terms,
) -> Object {
    proration::keep(account, new, planned);
    let reason = if restarts { "subscription_cycle" } else { "subscription_update" };
    let draft = invoice::draft(account, new, reason);
    pending::hold(account, old, new, draft, method, terms.off_session)
}

/// Until a moment nothing is charged; the anchor moves there.
fn begin_trial(new: &mut Object, end: i64) {
    new.insert("trial_end".into(), end.into());
    let started = new.get("trial_start").filter(|t| !t.is_null() && new.text("status") == Some("trialing")).cloned();
    let fresh = started.is_none();
    new.insert("trial_start".into(), started.unwrap_or_else(|| now().into()));
    new.insert("status".into(), "trialing".into());
    new.insert("billing_cycle_anchor".into(), end.into());
    set_periods(new, None, end);
    if fresh {
        let items = new.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            item.insert("current_period_start".into(), now().into());
        }
    }
    if new.is_true("cancel_at_period_end") {
        new.insert("cancel_at".into(), end.into());
    }
}

/// The trial ends now: the first period begins and is billed at once.
fn end_trial(account: &mut Account, old: &Object, mut new: Object, unpayable: bool, terms: &Terms) -> Object {
    let time = now();
    new.insert("trial_end".into(), time.into());
    let behaviour = new.object("trial_settings").and_then(|t| t.object("end_behavior"));
    let missing = behaviour.and_then(|b| b.text("missing_payment_method")).unwrap_or("create_invoice").to_owned();
    if unpayable && missing == "cancel" {
        account.put(KIND, &new);
        end(account, old.id(), "cancellation_requested");
        return account.get(KIND, old.id()).unwrap_or(new);
    }
    if unpayable && missing == "pause" {
        pause_now(account, old, new);
        return account.get(KIND, old.id()).unwrap_or_default();
    }
    new.insert("status".into(), "active".into());
    account.put(KIND, &new);
    account.being_created = Some(old.id().to_owned());
    cycle::bill_now(account, &mut new, "subscription_cycle", Some(terms));
    account.being_created = None;
    let current = account.get(KIND, old.id()).unwrap_or(new);
    account.update(KIND, "customer.subscription.updated", old, &current);
    current
}
