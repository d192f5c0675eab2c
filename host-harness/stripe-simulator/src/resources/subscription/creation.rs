//! A subscription begins, with its first invoice.

use serde_json::{Value, json};

use super::items::item;
use super::{DAY, KIND, default_method, no_method, price_of};
use crate::protocol::ApiError;
use crate::resources::fields::{new_metadata, object, sublist};
use crate::resources::payment_intent::{self, Terms, Verdict};
use crate::resources::{Call, Read, Reply, calendar, customer, discount, invoice, money, payment_method, price, rates};
use crate::world::{Account, Object, now};

const LONGEST_TRIAL: i64 = 5 * 366 * DAY;

/// Items that a subscription can have.
const MOST_ITEMS: usize = 20;

/// How a subscription begins.
pub(in crate::resources) struct Start<'a> {
    /// The parameters of its creation.
    pub(in crate::resources) sent: &'a Object,
    /// The session that it is bought in: the customer is there to authenticate.
    pub(in crate::resources) session: Option<&'a str>,
}

pub(super) fn create_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    create(call.account, &Start { sent: &sent, session: None }).map(Reply::from)
}

/// Creates a subscription and its first invoice, and has that paid if the parameters say so.
pub(in crate::resources) fn create(account: &mut Account, start: &Start<'_>) -> Result<Object, ApiError> {
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

pub(super) fn trial_end(sent: &Object, created: i64) -> Result<Option<i64>, ApiError> {
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

pub(super) fn build(
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
