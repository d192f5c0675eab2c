//! Subscriptions: created with their first invoice, changed, canceled.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, new_metadata, object, sublist};
use super::invoiceitem::Proration;
use super::payment_intent::{self, Terms, Verdict};
use super::{
    Call, Operations, Read, Reply, calendar, checkout_session, customer, cycle, discount, invoice, invoiceitem,
    listing, money, payment_method, price, rates, search,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/subscriptions", list),
    ("POST", "/v1/subscriptions", create_operation),
    ("GET", "/v1/subscriptions/search", find),
    ("GET", "/v1/subscriptions/{subscription_exposed_id}", retrieve),
    ("POST", "/v1/subscriptions/{subscription_exposed_id}", update),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel_operation),
    ("POST", "/v1/subscriptions/{subscription}/pause", pause_operation),
    ("POST", "/v1/subscriptions/{subscription}/resume", resume),
];

const KIND: &str = "subscription";
const DAY: i64 = 86_400;
const LONGEST_TRIAL: i64 = 5 * 366 * DAY;
/// Items that a subscription can have.
const MOST_ITEMS: usize = 20;

/// There is nothing that could be charged.
pub(super) fn no_method() -> ApiError {
    ApiError::invalid(
        "This customer has no attached payment source or default payment method. Please consider adding a default \
         payment method. For more information, visit \
         https://stripe.com/docs/billing/payment-methods-guide#collecting-payment-methods.",
    )
    .code("resource_missing")
}

/// The price of an item, existing or described.
pub(super) fn price_of(account: &mut Account, item: &Object, param: &str) -> Result<Object, ApiError> {
    let found = match item.text("price").or_else(|| item.text("plan")) {
        Some(id) => account.find("price", id, &format!("{param}[price]"))?,
        None => {
            let Some(data) = item.object("price_data") else {
                return Err(ApiError::missing_param(&format!("{param}[price]")));
            };
            let parent = format!("{param}[price_data]");
            let product = data.text("product").unwrap_or_default();
            let product = account.find("product", product, &format!("{parent}[product]"))?.id().to_owned();
            price::build(account, data, &product, &parent)?
        }
    };
    if found.object("recurring").is_none() {
        return Err(ApiError::invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
        )
        .param(format!("{param}[price]")));
    }
    if !found.is_true("active") {
        return Err(ApiError::invalid("The price specified is inactive. This field only accepts active prices.")
            .param(format!("{param}[price]")));
    }
    Ok(found)
}

fn item(account: &mut Account, subscription: &str, sent: &Object, price: Object, period: (i64, i64)) -> Value {
    json!({
        "id": account.new_id("si"),
        "object": "subscription_item",
        "billed_until": period.1,
        "billing_thresholds": null,
        "created": now(),
        "current_period_end": period.1,
        "current_period_start": period.0,
        "current_trial": null,
        "discounts": [],
        "metadata": new_metadata(sent),
        "plan": price::plan(&price),
        "price": price,
        "quantity": sent.integer("quantity").unwrap_or(1),
        "subscription": subscription,
        "tax_rates": [],
    })
}

/// When the period of an item ends that begins at a moment.
pub(super) fn next_end(item: &Object, start: i64) -> i64 {
    let recurring = item.object("price").and_then(|p| p.object("recurring"));
    let unit = recurring.and_then(|r| r.text("interval")).unwrap_or("month");
    calendar::later(start, unit, recurring.and_then(|r| r.integer("interval_count")).unwrap_or(1))
}

/// What a subscription's invoices are charged to.
pub(super) fn default_method(account: &Account, subscription: Option<&Object>, customer: &Object) -> Option<Object> {
    let own = subscription.and_then(|s| s.text("default_payment_method"));
    let settings = customer.object("invoice_settings").and_then(|s| s.text("default_payment_method"));
    let id = own.or(settings).or_else(|| customer.text("default_source"))?;
    account.get("payment_method", id)
}

/// How a subscription begins.
pub(super) struct Start<'a> {
    /// The parameters of its creation.
    pub(super) sent: &'a Object,
    /// The session that it is bought in: the customer is there to authenticate.
    pub(super) session: Option<&'a str>,
}

fn create_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    create(call.account, &Start { sent: &sent, session: None }).map(Reply::from)
}

/// Creates a subscription and its first invoice, and has that paid if the parameters say so.
pub(super) fn create(account: &mut Account, start: &Start<'_>) -> Result<Object, ApiError> {
    let sent = start.sent;
    let Some(customer) = sent.text("customer") else { return Err(ApiError::missing_param("customer")) };
    let customer = customer::named(account, customer, "customer")?;
    let created = now();
    let trial_end = trial_end(sent, created)?;
    if sent.list("items").is_empty() {
        return Err(ApiError::missing_param("items"));
    }
    if sent.list("items").len() > MOST_ITEMS {
        return Err(ApiError::invalid(format!("A subscription can have up to {MOST_ITEMS} items.")).param("items"));
    }
    let mut prices = Vec::new();
    for (index, item) in sent.objects("items").enumerate() {
        let param = format!("items[{index}]");
        money::check_quantity(item.integer("quantity").unwrap_or(1), 0, &format!("{param}[quantity]"))?;
        prices.push((item, price_of(account, item, &param)?));
    }
    let currency = prices.first().and_then(|(_, p)| p.text("currency")).unwrap_or("usd").to_owned();
    if prices.iter().any(|(_, p)| p.text("currency") != Some(&currency)) {
        return Err(ApiError::invalid("All prices on a subscription must have the same currency.").param("items"));
    }
    if let Some(wanted) = sent.text("currency")
        && money::currency(wanted, "currency")? != currency
    {
        return Err(ApiError::invalid(format!("The prices of the items are in {currency}.")).param("currency"));
    }
    let send_invoice = sent.text("collection_method") == Some("send_invoice");
    if send_invoice && !sent.contains_key("days_until_due") {
        return Err(ApiError::missing_param("days_until_due"));
    }
    let method = match sent.text("default_payment_method") {
        Some(id) => {
            let method = account.find("payment_method", id, "default_payment_method")?;
            if method.text("customer") != Some(customer.id()) {
                return Err(payment_method::not_attached(id, "default_payment_method"));
            }
            Some(method)
        }
        None => default_method(account, None, &customer),
    };
    let redeemed = discount::redeem(account, sent)?;
    if let Some(redeemed) = &redeemed {
        discount::check_currency(redeemed, &currency)?;
    }
    let rates = rates::taxes_named(account, sent, "default_tax_rates")?;
    let metered = |p: &Object| p.object("recurring").and_then(|r| r.text("usage_type")) == Some("metered");
    let total: i64 = prices
        .iter()
        .filter(|(_, p)| !metered(p))
        .map(|(i, p)| price::cost(account, p, i.integer("quantity").unwrap_or(1)))
        .fold(0, i64::saturating_add);
    let total = if redeemed.as_ref().is_some_and(|r| discount::is_free(r)) { 0 } else { total };
    if total > money::LARGEST_TOTAL {
        return Err(money::too_large("items", &currency, money::LARGEST_TOTAL));
    }
    let to_pay = total > 0 && trial_end.is_none() && !send_invoice;
    let behaviour = sent.text("payment_behavior").unwrap_or("allow_incomplete");
    if to_pay && behaviour != "default_incomplete" {
        let method = method.as_ref().ok_or_else(no_method)?;
        if behaviour == "error_if_incomplete" {
            match payment_intent::verdict(account, method, &terms(start)) {
                Verdict::Pays => {}
                Verdict::Authenticates => {
                    let code = "subscription_payment_intent_requires_action";
                    let message = "Payment for this subscription requires additional user action before it can be \
                        completed successfully. Payment can be completed using the PaymentIntent associated with \
                        `subscription.latest_invoice`.";
                    return Err(ApiError::card(code, message));
                }
                Verdict::Declines(code, decline_code) => {
                    return Err(payment_method::decline_error(code, decline_code));
                }
            }
        }
    }
    // From here on nothing can be refused.
    let id = account.new_id("sub");
    for (item, price) in &prices {
        if item.object("price_data").is_some() {
            price::keep(account, price);
        }
    }
    let interval = prices.first().and_then(|(_, p)| p.object("recurring"));
    let (unit, count) = interval
        .map_or(("month", 1), |r| (r.text("interval").unwrap_or("month"), r.integer("interval_count").unwrap_or(1)));
    let period = (created, trial_end.unwrap_or_else(|| calendar::later(created, unit, count)));
    let items: Vec<Value> = prices.into_iter().map(|(i, p)| item(account, &id, i, p, period)).collect();
    let status = match (trial_end, to_pay) {
        (Some(_), _) => "trialing",
        (None, true) => "incomplete",
        (None, false) => "active",
    };
    let mut subscription = build(account, &id, sent, &currency, items, status, trial_end);
    subscription.insert("test_clock".into(), customer.get("test_clock").cloned().unwrap_or_default());
    subscription.insert("default_tax_rates".into(), rates.unwrap_or_default().into());
    let owner = [("subscription", id.as_str()), ("customer", customer.id())];
    let discounts = discount::attach(account, redeemed.unwrap_or_default(), &owner);
    subscription.insert("discounts".into(), discounts.into());
    if sent.is_true("cancel_at_period_end") {
        subscription.insert("cancel_at_period_end".into(), true.into());
        subscription.insert("cancel_at".into(), period.1.into());
        subscription.insert("canceled_at".into(), created.into());
    }
    // A payment that succeeds or fails at once is part of the creation: its event comes first and shows the
    // result.
    let place = account.next_event();
    account.put(KIND, &subscription);
    account.being_created = Some(id.clone());
    if let Some(session) = start.session {
        account.purposes.insert(id.clone(), ("checkout.session", session.to_owned()));
    }
    let mut first = invoice::draft(account, &subscription, "subscription_create");
    subscription.insert("latest_invoice".into(), first.id().into());
    account.put(KIND, &subscription);
    if !send_invoice {
        let intent = invoice::finalize(account, &mut first, method.as_ref());
        match (intent, method) {
            (None, _) => invoice::mark_paid(account, &mut first),
            (Some(mut intent), Some(method)) if behaviour != "default_incomplete" => {
                // The decline is on the invoice's payment intent; the subscription waits for another attempt.
                let _ = payment_intent::attempt(account, &mut intent, &method, &terms(start));
            }
            _ => {}
        }
    }
    account.being_created = None;
    let mut subscription = account.get(KIND, &id).unwrap_or(subscription);
    let discounts = subscription.list("discounts").to_vec();
    let lasting = discount::lasting(account, &discounts);
    if lasting.len() != discounts.len() {
        subscription.insert("discounts".into(), lasting.into());
        account.put(KIND, &subscription);
    }
    for id in &discounts {
        let told = serde_json::to_vec(&discount::object_of(account, id)).unwrap_or_default();
        account.emit("customer.discount.created", told.into());
    }
    let text = serde_json::to_vec(&subscription).unwrap_or_default().into();
    account.emit_at(place, "customer.subscription.created", text);
    let soon = created.saturating_add(3 * DAY);
    if let Some(end) = trial_end.filter(|end| *end <= soon) {
        account.warned.insert(format!("{id}:{end}"));
        let text = serde_json::to_vec(&subscription).unwrap_or_default().into();
        account.emit_at(place + 1, "customer.subscription.trial_will_end", text);
    }
    Ok(subscription)
}

fn terms(start: &Start<'_>) -> Terms {
    let off_session = start.session.is_none() && start.sent.is_true("off_session");
    Terms { off_session, ..Terms::default() }
}

fn trial_end(sent: &Object, created: i64) -> Result<Option<i64>, ApiError> {
    if let Some(days) = sent.integer("trial_period_days") {
        if days < 0 {
            return Err(ApiError::too_small("trial_period_days", 0));
        }
        if days > 730 {
            let message = "Trials can last up to 730 days.";
            return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("trial_period_days"));
        }
        return Ok((days > 0).then_some(created + days * DAY));
    }
    match sent.integer("trial_end") {
        Some(end) if end <= created => {
            let message = "Invalid timestamp: trial_end must be in the future.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        Some(end) if end > created + LONGEST_TRIAL => {
            let message = "Invalid timestamp: trial_end can be at most five years in the future.";
            Err(ApiError::invalid(message).param("trial_end"))
        }
        end => Ok(end),
    }
}

fn build(
    account: &Account,
    id: &str,
    sent: &Object,
    currency: &str,
    items: Vec<Value>,
    status: &str,
    trial_end: Option<i64>,
) -> Object {
    let created = now();
    let empty = Object::new();
    let settings = sent.object("payment_settings").unwrap_or(&empty);
    let flexible = sent.object("billing_mode").is_none_or(|m| m.text("type") != Some("classic"));
    let mode = if flexible {
        json!({"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": null})
    } else {
        json!({"flexible": null, "type": "classic", "updated_at": null})
    };
    let mut subscription = object(json!({
        "id": id,
        "object": KIND,
        "application": null,
        "application_fee_percent": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": trial_end.unwrap_or(created),
        "billing_cycle_anchor_config": null,
        "billing_mode": mode,
        "billing_schedules": [],
        "billing_thresholds": null,
        "cancel_at": sent.integer("cancel_at"),
        "cancel_at_period_end": false,
        "canceled_at": null,
        "cancellation_details": {"comment": null, "feedback": null, "feedback_option": null, "reason": null},
        "collection_method": sent.text("collection_method").unwrap_or("charge_automatically"),
        "created": created,
        "currency": currency,
        "customer": sent.get("customer"),
        "customer_account": null,
        "days_until_due": sent.get("days_until_due"),
        "default_payment_method": sent.text("default_payment_method"),
        "default_source": null,
        "default_tax_rates": [],
        "description": sent.text("description"),
        "discounts": [],
        "ended_at": null,
        "invoice_settings": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
            "issuer": {"type": "self"},
        },
        "items": sublist(items, format!("/v1/subscription_items?subscription={id}")),
        "latest_invoice": null,
        "livemode": account.live(),
        "managed_payments": null,
        "metadata": new_metadata(sent),
        "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null,
        "pause_collection": null,
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": settings.get("payment_method_types"),
            "save_default_payment_method": settings.text("save_default_payment_method").unwrap_or("off"),
        },
        "pending_invoice_item_interval": null,
        "pending_setup_intent": null,
        "pending_update": null,
        "presentment_details": null,
        "schedule": null,
        "start_date": created,
        "status": status,
        "status_details": null,
        "test_clock": null,
        "transfer_data": null,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": null, "missing_payment_method": "create_invoice"}},
        "trial_start": trial_end.map(|_| created),
    }));
    if let Some(sent) = sent.object("trial_settings").and_then(|t| t.object("end_behavior")) {
        let missing = sent.get("missing_payment_method");
        let end = json!({"end_behavior": {"billing_cycle_anchor": null, "missing_payment_method": missing}});
        subscription.insert("trial_settings".into(), end);
    }
    subscription
}

/// Keeps a changed subscription; while it is being created that is no change to tell of.
fn keep(account: &mut Account, old: &Object, new: &Object) {
    if account.being_created.as_deref() == Some(new.id()) {
        account.put(KIND, new);
    } else {
        account.update(KIND, "customer.subscription.updated", old, new);
    }
}

/// An invoice of the subscription was paid.
pub(super) fn paid(account: &mut Account, id: &str, method: Option<&str>) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    if matches!(new.text("status"), Some("incomplete" | "past_due" | "unpaid")) {
        new.insert("status".into(), "active".into());
    }
    let saves = new.object("payment_settings").and_then(|s| s.text("save_default_payment_method"));
    if saves == Some("on_subscription")
        && let Some(method) = method
    {
        new.insert("default_payment_method".into(), method.into());
    }
    keep(account, &old, &new);
    if let Some(("checkout.session", session)) = account.purposes.get(id).cloned() {
        checkout_session::complete(account, &session);
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn period_end(subscription: &Object) -> Option<i64> {
    subscription.object("items")?.objects("data").next()?.integer("current_period_end")
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    change(call.account, &old, &sent).map(Reply::from)
}

/// Changes a subscription as the parameters of its update say, and bills what that costs.
pub(super) fn change(account: &mut Account, old: &Object, sent: &Object) -> Result<Object, ApiError> {
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

/// Periods begin at a moment and last as long as the items say, or end at one.
fn set_periods(subscription: &mut Object, start: Option<i64>, end: i64) {
    let items = subscription.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        let end = match start {
            Some(start) => {
                item.insert("current_period_start".into(), start.into());
                next_end(item, start)
            }
            None => end,
        };
        item.insert("current_period_end".into(), end.into());
        item.insert("billed_until".into(), end.into());
    }
}

/// What changed items cost or give back for the rest of the period. Another interval begins a new period.
fn settle_change(account: &mut Account, old: &Object, new: &mut Object, behaviour: &str) {
    if !matches!(old.text("status"), Some("active" | "past_due" | "unpaid")) {
        return;
    }
    let items = |s: &Object| -> Vec<Object> {
        s.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect()
    };
    let interval = |i: &Object| {
        let recurring = i.object("price").and_then(|p| p.object("recurring"));
        recurring.map(|r| (r.text("interval").map(str::to_owned), r.integer("interval_count")))
    };
    let (before, after) = (items(old), items(new));
    let restarts = before.first().and_then(interval) != after.first().and_then(interval);
    let time = now();
    if behaviour != "none" || restarts {
        for item in &before {
            let same = after.iter().find(|a| a.id() == item.id());
            let kept = same.is_some_and(|a| {
                a.get("quantity") == item.get("quantity")
                    && a.object("price").map(Read::id) == item.object("price").map(Read::id)
            });
            if !kept && behaviour != "none" {
                prorate(account, old, item, time, -1);
            }
            if let Some(changed) = same.filter(|_| !kept && !restarts && behaviour != "none") {
                prorate(account, old, changed, time, 1);
            }
        }
        for item in after.iter().filter(|a| !restarts && before.iter().all(|b| b.id() != a.id())) {
            prorate(account, old, item, time, 1);
        }
    }
    if restarts {
        set_periods(new, Some(time), 0);
        new.insert("billing_cycle_anchor".into(), time.into());
        account.put(KIND, new);
        // The whole of the new period is billed at once, less what is given back.
        cycle::bill_now(account, new, "subscription_cycle");
    } else if behaviour == "always_invoice" {
        account.put(KIND, new);
        cycle::bill_now(account, new, "subscription_update");
    } else {
        return;
    }
    // A payment that failed is on the subscription by now.
    if let Some(status) = account.get(KIND, old.id()).and_then(|s| s.get("status").cloned()) {
        new.insert("status".into(), status);
    }
}

fn prorate(account: &mut Account, subscription: &Object, item: &Object, time: i64, sign: i64) {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    let quantity = item.integer("quantity").unwrap_or(1);
    let start = item.integer("current_period_start").unwrap_or_default();
    let end = item.integer("current_period_end").unwrap_or_default();
    let (left, length) = ((end - time).clamp(0, (end - start).max(0)), (end - start).max(1));
    let cost = i128::from(price::cost(account, price, quantity)) * i128::from(left);
    let half = i128::from(length) / 2;
    let amount = i64::try_from((cost + half) / i128::from(length)).unwrap_or_default().saturating_mul(sign);
    let product = price.text("product").and_then(|p| account.get("product", p));
    let name = product.as_ref().and_then(|p| p.text("name")).unwrap_or("Product");
    let many = if quantity == 1 { name.to_owned() } else { format!("{quantity} × {name}") };
    let what = if sign < 0 { "Unused" } else { "Remaining" };
    let proration = Proration {
        subscription,
        item,
        price,
        quantity,
        amount,
        description: format!("{what} time on {many} after {}", calendar::day(time)),
        period: (time, end),
    };
    invoiceitem::prorate(account, &proration);
}

/// The items of the next phase of a schedule take the place of those that are there.
pub(super) fn replace_items(account: &mut Account, old: &Object, phase: &Object, items: Vec<Value>) {
    let mut sent: Vec<Value> = old
        .object("items")
        .into_iter()
        .flat_map(|i| i.objects("data"))
        .map(|i| json!({"id": i.id(), "deleted": true}))
        .collect();
    for (place, item) in items.into_iter().enumerate() {
        match sent.get_mut(place).and_then(Value::as_object_mut) {
            Some(kept) => {
                kept.remove("deleted");
                kept.extend(item.as_object().cloned().unwrap_or_default());
            }
            None => sent.push(item),
        }
    }
    let behaviour = phase.get("proration_behavior").cloned().unwrap_or_default();
    let sent = object(json!({"items": sent, "proration_behavior": behaviour}));
    // Prices of a phase were checked when the schedule was made; one that is gone by now changes nothing.
    let _ = change(account, old, &sent);
}

/// A subscription ends.
pub(super) fn end(account: &mut Account, id: &str, reason: &str) {
    let Some(subscription) = account.get(KIND, id) else { return };
    if matches!(subscription.text("status"), Some("canceled" | "incomplete_expired")) {
        return;
    }
    let mut details = Object::new();
    details.insert("reason".into(), reason.into());
    cancel(account, subscription, &details);
}

/// The first payment was never made.
pub(super) fn expire(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    new.insert("status".into(), "incomplete_expired".into());
    new.insert("ended_at".into(), now().into());
    account.update(KIND, "customer.subscription.updated", &old, &new);
    if let Some(mut invoice) = old.text("latest_invoice").and_then(|i| account.get("invoice", i)) {
        invoice::give_up(account, &mut invoice, true);
    }
}

/// A subscription stops until it is resumed.
pub(super) fn pause_now(account: &mut Account, old: &Object) {
    let mut new = old.clone();
    new.insert("status".into(), "paused".into());
    let text = account.put(KIND, &new);
    account.emit("customer.subscription.paused", text);
}

fn pause_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    if !matches!(old.text("status"), Some("active" | "trialing" | "past_due")) {
        let message = format!("A subscription that is {} cannot be paused.", old.text("status").unwrap_or_default());
        return Err(ApiError::invalid(message));
    }
    pause_now(call.account, &old);
    call.named(KIND).map(Reply::from)
}

fn resume(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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

fn set_details(subscription: &mut Object, given: &[(&str, Value)]) {
    if let Some(Value::Object(details)) = subscription.get_mut("cancellation_details") {
        for (name, value) in given {
            details.insert((*name).to_owned(), value.clone());
        }
    }
}

/// Items by id are changed or deleted, others are added.
fn change_items(account: &mut Account, subscription: &mut Object, sent: &Object) -> Result<(), ApiError> {
    let empty = Object::new();
    let mut items: Vec<Object> = subscription.object("items").unwrap_or(&empty).objects("data").cloned().collect();
    let period = items.first().map_or((now(), now()), |i| {
        (i.integer("current_period_start").unwrap_or_default(), i.integer("current_period_end").unwrap_or_default())
    });
    let mut new_prices = Vec::new();
    for (index, change) in sent.objects("items").enumerate() {
        let param = format!("items[{index}]");
        money::check_quantity(change.integer("quantity").unwrap_or(1), 0, &format!("{param}[quantity]"))?;
        let priced = change.contains_key("price") || change.contains_key("price_data") || change.contains_key("plan");
        let price = if priced { Some(price_of(account, change, &param)?) } else { None };
        if let (Some(price), true) = (&price, change.contains_key("price_data")) {
            new_prices.push(price.clone());
        }
        let Some(id) = change.text("id") else {
            let price = price.ok_or_else(|| ApiError::missing_param(&format!("{param}[price]")))?;
            items.push(object(item(account, subscription.id(), change, price, period)));
            continue;
        };
        let Some(place) = items.iter().position(|i| i.id() == id) else {
            return Err(ApiError::missing_object("subscription_item", id, &format!("{param}[id]")));
        };
        if change.is_true("deleted") {
            items.remove(place);
            continue;
        }
        if let Some(item) = items.get_mut(place) {
            if let Some(price) = price {
                item.insert("plan".into(), price::plan(&price));
                item.insert("price".into(), Value::Object(price));
            }
            if let Some(quantity) = change.get("quantity") {
                item.insert("quantity".into(), quantity.clone());
            }
            assign_metadata(item, change)?;
        }
    }
    if items.is_empty() {
        return Err(ApiError::invalid(
            "A subscription must have at least one active plan. To cancel it, cancel the \
            subscription.",
        )
        .param("items"));
    }
    for price in new_prices {
        price::keep(account, &price);
    }
    if let Some(Value::Object(list)) = subscription.get_mut("items") {
        list.insert("data".into(), items.into_iter().map(Value::Object).collect());
    }
    Ok(())
}

fn cancel_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let subscription = call.named(KIND)?;
    if subscription.text("status") == Some("canceled") {
        return Err(ApiError::missing_object(KIND, subscription.id(), "id"));
    }
    let details = call.parameters.object("cancellation_details").cloned().unwrap_or_default();
    Ok(cancel(call.account, subscription, &details).into())
}

fn cancel(account: &mut Account, mut subscription: Object, details: &Object) -> Object {
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
pub(super) fn cancel_all_of(account: &mut Account, customer: &str) {
    let running = |s: &Object| s.text("customer") == Some(customer) && s.text("status") != Some("canceled");
    for subscription in account.select(KIND, customer, running) {
        cancel(account, subscription, &Object::new());
    }
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let equal = [("customer", "customer"), ("collection_method", "collection_method"), ("test_clock", "test_clock")];
    listing::shelf_where(call, KIND, &equal, |s| {
        let status = s.text("status").unwrap_or_default();
        let in_status = match sent.text("status") {
            None => status != "canceled",
            Some("all") => true,
            Some("ended") => matches!(status, "canceled" | "incomplete_expired"),
            Some(wanted) => wanted == status,
        };
        let empty = Object::new();
        let items = s.object("items").unwrap_or(&empty);
        let has_price = |id: &str| items.objects("data").any(|i| i.object("price").is_some_and(|p| p.id() == id));
        let period = |name: &str| {
            let range = sent.get(name);
            range.is_none()
                || items.objects("data").any(|i| i.integer(name).is_some_and(|t| listing::in_range(range, t)))
        };
        in_status
            && sent.text("price").is_none_or(has_price)
            && sent.text("plan").is_none_or(has_price)
            && period("current_period_start")
            && period("current_period_end")
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, KIND, &["canceled_at", "created", "metadata", "status"])
}
