//! Subscription schedules: phases that a subscription goes through, one after the other.

use serde_json::{Value, json};

use super::fields::{assign_metadata, new_metadata, object, whole};
use super::{
    Call, Operations, Read, Reply, calendar, customer, discount, invoiceitem, listing, price, rates, subscription,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/subscription_schedules", list),
    ("POST", "/v1/subscription_schedules", create),
    ("GET", "/v1/subscription_schedules/{schedule}", retrieve),
    ("POST", "/v1/subscription_schedules/{schedule}", update),
    ("POST", "/v1/subscription_schedules/{schedule}/cancel", cancel),
    ("POST", "/v1/subscription_schedules/{schedule}/release", release),
];

const KIND: &str = "subscription_schedule";
/// Phases that a schedule can have.
const MOST: usize = 10;

/// The phases of the parameters, with the times that they begin and end at.
fn phases(account: &mut Account, sent: &Object, start: i64) -> Result<Vec<Value>, ApiError> {
    let mut made = Vec::new();
    let mut begin = start;
    let count = sent.list("phases").len();
    if count > MOST {
        return Err(ApiError::invalid(format!("A schedule can have up to {MOST} phases.")).param("phases"));
    }
    for (index, phase) in sent.objects("phases").enumerate() {
        let at = format!("phases[{index}]");
        let mut items = Vec::new();
        let mut first: Option<Object> = None;
        for (place, item) in phase.objects("items").enumerate() {
            let param = format!("{at}[items][{place}]");
            let price = subscription::price_of(account, item, &param)?;
            if item.object("price_data").is_some() {
                price::keep(account, &price);
            }
            let quantity = item.integer("quantity").unwrap_or(1);
            super::money::check_quantity(quantity, 0, &format!("{param}[quantity]"))?;
            let rates = rates::taxes_at(account, item, "tax_rates", &param)?.unwrap_or_default();
            items.push(json!({
                "billing_thresholds": null, "discounts": [], "metadata": new_metadata(item), "plan": price.id(),
                "price": price.id(), "quantity": quantity, "tax_rates": rates,
            }));
            first.get_or_insert(price);
        }
        let Some(first) = first else { return Err(ApiError::missing_param(&format!("{at}[items]"))) };
        let recurring = first.object("recurring");
        let unit = recurring.and_then(|r| r.text("interval")).unwrap_or("month");
        let each = recurring.and_then(|r| r.integer("interval_count")).unwrap_or(1);
        let end = match (phase.integer("end_date"), phase.object("duration"), phase.integer("iterations")) {
            (Some(end), ..) => end,
            (None, Some(duration), _) => {
                let count = duration.integer("interval_count").unwrap_or(1).clamp(0, 1200);
                calendar::later(begin, duration.text("interval").unwrap_or("month"), count)
            }
            (None, None, Some(times)) => calendar::later(begin, unit, each.saturating_mul(times.clamp(0, 1200))),
            (None, None, None) => calendar::later(begin, unit, each),
        };
        if end <= begin {
            let message = "The end of a phase must be after its start.";
            return Err(ApiError::invalid(message).param(format!("{at}[end_date]")));
        }
        let rates = rates::taxes_at(account, phase, "default_tax_rates", &at)?.unwrap_or_default();
        discount::redeem(account, phase)?;
        if let Some(id) = phase.text("default_payment_method") {
            account.find("payment_method", id, &format!("{at}[default_payment_method]"))?;
        }
        let discounts: Vec<Value> = phase.objects("discounts").map(named_discount).collect();
        let mut once = Vec::new();
        for (place, item) in phase.objects("add_invoice_items").enumerate() {
            let currency = first.text("currency").unwrap_or("usd");
            let charged = invoiceitem::charged(account, item, currency, &format!("{at}[add_invoice_items][{place}]"))?;
            charged.keep_price(account);
            once.push(json!({
                "discounts": [], "metadata": new_metadata(item),
                "period": {"end": {"type": "min_item_period_end"}, "start": {"type": "max_item_period_start"}},
                "price": charged.price.as_ref().map(Read::id), "quantity": charged.quantity, "tax_rates": [],
            }));
        }
        let settings = phase.object("invoice_settings").map(|s| {
            json!({
                "account_tax_ids": null, "custom_fields": s.get("custom_fields").filter(|v| v.is_array()),
                "days_until_due": s.get("days_until_due"), "description": s.text("description"),
                "footer": s.text("footer"), "issuer": null,
            })
        });
        let trial_end = if phase.is_true("trial") { Some(end) } else { phase.integer("trial_end") };
        made.push(json!({
            "add_invoice_items": once, "application_fee_percent": null, "automatic_tax": null,
            "billing_cycle_anchor": phase.get("billing_cycle_anchor"), "billing_thresholds": null,
            "collection_method": phase.get("collection_method"), "currency": first.get("currency"),
            "default_payment_method": phase.text("default_payment_method"), "default_tax_rates": rates,
            "description": phase.text("description"), "discounts": discounts, "end_date": end,
            "invoice_settings": settings,
            "items": items, "metadata": new_metadata(phase), "on_behalf_of": null,
            "proration_behavior": phase.text("proration_behavior").unwrap_or("create_prorations"),
            "start_date": begin, "transfer_data": null, "trial": null, "trial_end": trial_end,
        }));
        begin = end;
    }
    Ok(made)
}

fn named_discount(sent: &Object) -> Value {
    json!({
        "coupon": sent.text("coupon"), "discount": sent.text("discount"),
        "promotion_code": sent.text("promotion_code"),
    })
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let from = match sent.text("from_subscription") {
        Some(id) => Some(account.find("subscription", id, "from_subscription")?),
        None => None,
    };
    let owner = match (sent.text("customer"), &from) {
        (Some(id), _) => id.to_owned(),
        (None, Some(from)) => from.text("customer").unwrap_or_default().to_owned(),
        (None, None) => return Err(ApiError::missing_param("customer")),
    };
    let owner = customer::named(account, &owner, "customer")?;
    let time = now();
    let start = sent.integer("start_date").unwrap_or(time);
    let phases = match &from {
        Some(from) => vec![phase_of(from)],
        None if sent.list("phases").is_empty() => return Err(ApiError::missing_param("phases")),
        None => phases(account, &sent, start)?,
    };
    let clock = owner.get("test_clock").cloned().unwrap_or_default();
    let schedule = whole(
        KIND,
        json!({
            "id": account.new_id("sub_sched"), "object": KIND,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": null},
            "created": time, "customer": owner.id(),
            "default_settings": {
                "application_fee_percent": null,
                "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
                "billing_cycle_anchor": "automatic", "billing_thresholds": null,
                "collection_method": "charge_automatically", "default_payment_method": null, "description": null,
                "invoice_settings": {
                    "account_tax_ids": null, "custom_fields": null, "days_until_due": null, "description": null,
                    "footer": null, "issuer": {"type": "self"},
                },
                "on_behalf_of": null, "transfer_data": null,
            },
            "end_behavior": sent.text("end_behavior").unwrap_or("release"), "livemode": account.live(),
            "metadata": new_metadata(&sent), "pause_schedules": [], "phases": phases, "status": "not_started",
            "test_clock": clock,
        }),
    );
    let id = schedule.id().to_owned();
    account.create(KIND, "subscription_schedule.created", &schedule);
    if let Some(old) = from {
        let mut new = old.clone();
        new.insert("schedule".into(), id.as_str().into());
        account.update("subscription", "customer.subscription.updated", &old, &new);
        let mut active = schedule;
        activate(&mut active, 0, Some(old.id()));
        account.put(KIND, &active);
    } else if start <= time {
        enter_next(account, &id);
    }
    Ok(account.get(KIND, &id).unwrap_or_default().into())
}

/// The phase that a running subscription is in.
fn phase_of(from: &Object) -> Value {
    let empty = Object::new();
    let items: Vec<&Object> = from.object("items").unwrap_or(&empty).objects("data").collect();
    let time = |name: &str| items.first().and_then(|i| i.integer(name)).unwrap_or_else(now);
    let each = |i: &&Object| {
        let price = i.object("price").map(Read::id);
        json!({
            "billing_thresholds": null, "discounts": [], "metadata": {}, "plan": price, "price": price,
            "quantity": i.get("quantity"), "tax_rates": [],
        })
    };
    json!({
        "add_invoice_items": [], "application_fee_percent": null, "automatic_tax": null, "billing_cycle_anchor": null,
        "billing_thresholds": null, "collection_method": null, "currency": from.get("currency"),
        "default_payment_method": null, "default_tax_rates": [], "description": null, "discounts": [],
        "end_date": time("current_period_end"), "invoice_settings": null,
        "items": items.iter().map(each).collect::<Vec<_>>(), "metadata": {}, "on_behalf_of": null,
        "proration_behavior": "create_prorations", "start_date": time("current_period_start"), "transfer_data": null,
        "trial": null, "trial_end": null,
    })
}

fn activate(schedule: &mut Object, phase: usize, subscription: Option<&str>) {
    let entered = schedule.list("phases").get(phase).cloned().unwrap_or_default();
    let current = json!({"end_date": entered.get("end_date"), "start_date": entered.get("start_date")});
    schedule.insert("status".into(), "active".into());
    schedule.insert("current_phase".into(), current);
    if let Some(id) = subscription {
        schedule.insert("subscription".into(), id.into());
    }
}

/// When something happens to a schedule next.
pub(super) fn due(schedule: &Object) -> Option<i64> {
    match schedule.text("status") {
        Some("not_started") => schedule.objects("phases").next()?.integer("start_date"),
        Some("active") => schedule.object("current_phase")?.integer("end_date"),
        _ => None,
    }
}

/// When the last phase of a schedule that runs ends.
pub(super) fn ends(schedule: &Object) -> Option<i64> {
    let running = matches!(schedule.text("status"), Some("not_started" | "active"));
    schedule.objects("phases").last()?.integer("end_date").filter(|_| running)
}

/// The subscription of a schedule was canceled; `failed` when that was for not paying.
pub(super) fn subscription_ended(account: &mut Account, subscription: &Object, failed: bool) {
    let Some(mut schedule) = subscription.text("schedule").and_then(|s| account.get(KIND, s)) else { return };
    if !matches!(schedule.text("status"), Some("not_started" | "active")) {
        return;
    }
    schedule.insert("status".into(), "canceled".into());
    schedule.insert("canceled_at".into(), now().into());
    schedule.insert("current_phase".into(), Value::Null);
    let text = account.put(KIND, &schedule);
    let event = if failed { "subscription_schedule.aborted" } else { "subscription_schedule.canceled" };
    account.emit(event, text);
}

/// A schedule enters its next phase, or is at its end.
pub(super) fn enter_next(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    let current = old.object("current_phase").and_then(|c| c.integer("start_date"));
    let place = old.objects("phases").position(|p| p.integer("start_date") == current).filter(|_| current.is_some());
    let next = place.map_or(0, |p| p + 1);
    let Some(phase) = old.list("phases").get(next).and_then(Value::as_object).cloned() else {
        return finish(account, new);
    };
    let items: Vec<Value> = phase.objects("items").map(item_of).collect();
    match old.text("subscription").and_then(|s| account.get("subscription", s)) {
        Some(subscription) => subscription::enter_phase(account, &subscription, &phase, items),
        None => {
            let sent = begin(&old, &phase, items);
            let start = subscription::Start { scheduled: true, ..Default::default() };
            if let Ok(mut made) = subscription::create(account, &sent, &start) {
                made.insert("schedule".into(), id.into());
                account.put("subscription", &made);
                new.insert("subscription".into(), made.id().into());
            }
        }
    }
    activate(&mut new, next, None);
    account.update(KIND, "subscription_schedule.updated", &old, &new);
}

/// The parameters that the subscription of a schedule begins with.
fn begin(schedule: &Object, phase: &Object, items: Vec<Value>) -> Object {
    let mut sent = object(json!({
        "customer": schedule.get("customer"), "items": items, "metadata": phase.get("metadata"),
    }));
    for name in ["add_invoice_items", "collection_method", "default_payment_method", "description", "discounts"] {
        if let Some(value) = phase.get(name).filter(|v| !v.is_null()) {
            sent.insert(name.into(), value.clone());
        }
    }
    if phase.text("collection_method") == Some("send_invoice") {
        let days = phase.object("invoice_settings").and_then(|s| s.integer("days_until_due"));
        sent.insert("days_until_due".into(), days.unwrap_or(30).into());
    }
    if let Some(end) = phase.integer("trial_end").filter(|e| *e > now()) {
        sent.insert("trial_end".into(), end.into());
    }
    let rates: Vec<Value> = phase.objects("default_tax_rates").map(|r| r.id().into()).collect();
    if !rates.is_empty() {
        sent.insert("default_tax_rates".into(), rates.into());
    }
    sent
}

/// An item of a phase as a parameter.
fn item_of(item: &Object) -> Value {
    let rates: Vec<Value> = item.objects("tax_rates").map(|r| r.id().into()).collect();
    json!({
        "price": item.get("price"), "quantity": item.get("quantity"), "metadata": item.get("metadata"),
        "tax_rates": rates,
    })
}

/// After the last phase the subscription is canceled or goes on by itself.
fn finish(account: &mut Account, mut schedule: Object) {
    let subscription = schedule.text("subscription").map(str::to_owned);
    schedule.insert("current_phase".into(), Value::Null);
    if schedule.text("end_behavior") == Some("cancel") {
        schedule.insert("status".into(), "completed".into());
        schedule.insert("completed_at".into(), now().into());
        let text = account.put(KIND, &schedule);
        if let Some(id) = subscription {
            subscription::end(account, &id, "cancellation_requested");
        }
        account.emit("subscription_schedule.completed", text);
        return;
    }
    schedule.insert("completed_at".into(), now().into());
    let completed = written(&schedule);
    account.emit("subscription_schedule.completed", completed);
    let_go(account, schedule);
}

/// The subscription goes on without the schedule.
fn let_go(account: &mut Account, mut schedule: Object) -> Object {
    let subscription = schedule.text("subscription").map(str::to_owned);
    schedule.insert("status".into(), "released".into());
    schedule.insert("released_at".into(), now().into());
    schedule.insert("released_subscription".into(), subscription.as_deref().into());
    schedule.insert("subscription".into(), Value::Null);
    schedule.insert("current_phase".into(), Value::Null);
    let text = account.put(KIND, &schedule);
    if let Some(old) = subscription.and_then(|s| account.get("subscription", &s)) {
        let mut new = old.clone();
        new.insert("schedule".into(), Value::Null);
        account.update("subscription", "customer.subscription.updated", &old, &new);
    }
    account.emit("subscription_schedule.released", text);
    schedule
}

fn running(schedule: &Object, verb: &str) -> Result<(), ApiError> {
    match schedule.text("status").unwrap_or_default() {
        "not_started" | "active" => Ok(()),
        status => Err(ApiError::invalid(format!(
            "You cannot {verb} a subscription schedule that is in the `{status}` status. You can only {verb} a \
             schedule that is in one of the following statuses: not_started, active."
        ))),
    }
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut schedule = call.named(KIND)?;
    running(&schedule, "cancel")?;
    schedule.insert("status".into(), "canceled".into());
    schedule.insert("canceled_at".into(), now().into());
    schedule.insert("current_phase".into(), Value::Null);
    let text = call.account.put(KIND, &schedule);
    if let Some(subscription) = schedule.text("subscription").and_then(|s| call.account.get("subscription", s)) {
        let sent = object(json!({
            "invoice_now": call.parameters.get("invoice_now").is_none_or(|v| *v == true),
            "prorate": call.parameters.get("prorate").is_none_or(|v| *v == true),
        }));
        if !matches!(subscription.text("status"), Some("canceled" | "incomplete_expired")) {
            subscription::cancel_with(call.account, subscription, &sent);
        }
    }
    call.account.emit("subscription_schedule.canceled", text.clone());
    Ok(Reply::Kept(text))
}

fn release(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let schedule = call.named(KIND)?;
    running(&schedule, "release")?;
    Ok(let_go(call.account, schedule).into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    running(&old, "update")?;
    let sent = std::mem::take(&mut call.parameters);
    let mut new = old.clone();
    if sent.contains_key("phases") {
        let first = old.objects("phases").next().and_then(|p| p.integer("start_date"));
        let start = sent.objects("phases").next().and_then(|p| p.integer("start_date")).or(first);
        let phases = phases(call.account, &sent, start.unwrap_or_else(now))?;
        if phases.is_empty() {
            return Err(ApiError::missing_param("phases"));
        }
        new.insert("phases".into(), phases.into());
        if old.text("status") == Some("active") {
            let time = now();
            let current = new.objects("phases").position(|p| {
                let at = |name: &str| p.integer(name).unwrap_or_default();
                (at("start_date")..at("end_date")).contains(&time)
            });
            let Some(current) = current else {
                let message = "One of the phases must be the current one.";
                return Err(ApiError::invalid(message).param("phases"));
            };
            activate(&mut new, current, None);
        }
    }
    if let Some(end) = sent.get("end_behavior") {
        new.insert("end_behavior".into(), end.clone());
    }
    assign_metadata(&mut new, &sent)?;
    Ok(Reply::Kept(call.account.update(KIND, "subscription_schedule.updated", &old, &new)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    listing::shelf_where(call, KIND, &[("customer", "customer")], |s| {
        !sent.is_true("scheduled") || s.text("status") == Some("not_started")
    })
}
