//! A subscription begins, with its first invoice.

use serde_json::{Value, json};

use super::items::{item, price_of};
use super::proration::share;
use super::{DAY, KIND, MOST_ITEMS, anchor_of, default_method, no_method};
use crate::protocol::ApiError;
use crate::resources::fields::{assign, members, new_metadata, object, sublist};
use crate::resources::invoiceitem::{self, Charged};
use crate::resources::payment_intent::{self, Terms, Verdict};
use crate::resources::{
    Call, Read, Reply, calendar, customer, discount, invoice, money, payment_method, price, rates, subscription,
};
use crate::world::{Account, Object, now, written};

const LONGEST_TRIAL: i64 = 5 * 366 * DAY;
/// The most days that an invoice can wait to be paid: ten years are as good as forever.
const LONGEST_WAIT: i64 = 3_650;

/// How a subscription begins.
#[derive(Default)]
pub(in crate::resources) struct Start<'a> {
    /// The session that it is bought in: the customer is there to authenticate.
    pub(in crate::resources) session: Option<&'a str>,
    /// Whether a schedule begins it: nobody is there, and the first invoice is finalized like any later one.
    pub(in crate::resources) scheduled: bool,
}

/// What is subscribed to.
struct Bought<'a> {
    sent: &'a Object,
    price: Object,
    rates: Vec<Value>,
}

/// What comes on the first invoice only.
struct Once<'a> {
    sent: &'a Object,
    charged: Charged,
    rates: Vec<Value>,
}

pub(super) fn create_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    create(call.account, &sent, &Start::default()).map(Reply::from)
}

fn bought<'a>(account: &mut Account, sent: &'a Object) -> Result<Vec<Bought<'a>>, ApiError> {
    if sent.list("items").is_empty() {
        return Err(ApiError::missing_param("items"));
    }
    if sent.list("items").len() > MOST_ITEMS {
        return Err(ApiError::invalid(format!("A subscription can have up to {MOST_ITEMS} items.")).param("items"));
    }
    let mut found = Vec::new();
    for (index, item) in sent.objects("items").enumerate() {
        let param = format!("items[{index}]");
        money::check_quantity(item.integer("quantity").unwrap_or(1), 0, &format!("{param}[quantity]"))?;
        let price = price_of(account, item, &param)?;
        let rates = rates::taxes_at(account, item, "tax_rates", &param)?.unwrap_or_default();
        found.push(Bought { sent: item, price, rates });
    }
    Ok(found)
}

fn once<'a>(account: &mut Account, sent: &'a Object, currency: &str) -> Result<Vec<Once<'a>>, ApiError> {
    let mut found = Vec::new();
    for (index, item) in sent.objects("add_invoice_items").enumerate() {
        let param = format!("add_invoice_items[{index}]");
        let charged = invoiceitem::charged(account, item, currency, &param)?;
        if charged.currency != currency {
            let message = format!("The prices of the items are in {currency}.");
            return Err(ApiError::invalid(message).param(format!("{param}[price]")));
        }
        let rates = rates::taxes_at(account, item, "tax_rates", &param)?.unwrap_or_default();
        found.push(Once { sent: item, charged, rates });
    }
    Ok(found)
}

/// Creates a subscription and its first invoice, and has that paid if the parameters say so.
pub(in crate::resources) fn create(
    account: &mut Account,
    sent: &Object,
    start: &Start<'_>,
) -> Result<Object, ApiError> {
    let Some(customer) = sent.text("customer") else { return Err(ApiError::missing_param("customer")) };
    let customer = customer::named(account, customer, "customer")?;
    let created = now();
    let bought = bought(account, sent)?;
    let trial_end = match trial_end(sent, created)? {
        None if sent.is_true("trial_from_plan") => {
            let days = bought.iter().filter_map(|b| b.price.object("recurring")?.integer("trial_period_days")).max();
            days.filter(|d| *d > 0).map(|d| created.saturating_add(d.saturating_mul(DAY)))
        }
        end => end,
    };
    let currency = bought.first().and_then(|b| b.price.text("currency")).unwrap_or("usd").to_owned();
    if bought.iter().any(|b| b.price.text("currency") != Some(&currency)) {
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
    if !send_invoice && sent.contains_key("days_until_due") {
        let message = "`days_until_due` can only be set when `collection_method` is `send_invoice`.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }
    check_days(sent)?;
    if sent.integer("backdate_start_date").is_some_and(|start| start > created) {
        let message = "Invalid timestamp: backdate_start_date must be in the past.";
        return Err(ApiError::invalid(message).param("backdate_start_date"));
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
    let once = once(account, sent, &currency)?;
    let (unit, count) = bought.first().map_or(("month", 1), |b| interval(&b.price));
    let natural = calendar::later(created, unit, count);
    let anchor = anchor_of(sent, created, natural)?;
    let cancel_at = cancel_at(sent, created)?;
    // Until the anchor only a part of a period is there to be paid, or none of it.
    let first_end = anchor.unwrap_or(natural);
    let free_until_anchor = anchor.is_some() && sent.text("proration_behavior") == Some("none");
    let metered = |p: &Object| p.object("recurring").and_then(|r| r.text("usage_type")) == Some("metered");
    let full: i64 = bought
        .iter()
        .filter(|b| !metered(&b.price))
        .map(|b| price::cost(account, &b.price, b.sent.integer("quantity").unwrap_or(1)))
        .fold(0, i64::saturating_add);
    if full > money::LARGEST_TOTAL {
        return Err(money::too_large("items", &currency, money::LARGEST_TOTAL));
    }
    let recurring_part = match (trial_end, anchor) {
        (Some(_), _) => 0,
        (None, Some(_)) if free_until_anchor => 0,
        (None, Some(anchor)) => share(full, anchor - created, natural - created),
        (None, None) => full,
    };
    let total = once.iter().fold(recurring_part, |sum, o| sum.saturating_add(o.charged.amount));
    let total = if redeemed.as_ref().is_some_and(|r| discount::is_free(r, total)) { 0 } else { total };
    let later = send_invoice || start.scheduled;
    let to_pay = total > 0 && !later;
    let behaviour = sent.text("payment_behavior").unwrap_or("allow_incomplete");
    if behaviour == "pending_if_incomplete" {
        let message = "`pending_if_incomplete` can only be used when a subscription is updated.";
        return Err(ApiError::invalid(message).param("payment_behavior"));
    }
    let terms = terms(sent, start);
    if to_pay && behaviour != "default_incomplete" {
        let method = method.as_ref().ok_or_else(no_method)?;
        if behaviour == "error_if_incomplete" {
            refuse_unless_paid(account, method, &terms)?;
        }
    }
    // From here on nothing can be refused.
    let id = account.new_id("sub");
    for one in bought.iter().filter(|b| b.sent.object("price_data").is_some()) {
        price::keep(account, &one.price);
    }
    let period = (created, trial_end.unwrap_or(first_end));
    let items: Vec<Value> = bought.into_iter().map(|b| item(account, &id, b.sent, b.price, b.rates, period)).collect();
    let status = match (trial_end, to_pay) {
        (Some(_), _) => "trialing",
        (None, true) => "incomplete",
        (None, false) => "active",
    };
    let mut new = build(account, &id, sent, &currency, items, status, trial_end);
    if let Some(anchor) = anchor {
        new.insert("billing_cycle_anchor".into(), anchor.into());
    }
    new.insert("test_clock".into(), customer.get("test_clock").cloned().unwrap_or_default());
    new.insert("default_tax_rates".into(), rates.unwrap_or_default().into());
    let owner = [("subscription", id.as_str()), ("customer", customer.id())];
    let discounts = discount::attach(account, redeemed.unwrap_or_default(), &owner);
    new.insert("discounts".into(), discounts.into());
    if let Some(at) = cancel_at {
        let at = at.unwrap_or(period.1);
        new.insert("cancel_at".into(), at.into());
        new.insert("canceled_at".into(), created.into());
    }
    if sent.is_true("cancel_at_period_end") {
        new.insert("cancel_at_period_end".into(), true.into());
        new.insert("cancel_at".into(), period.1.into());
        new.insert("canceled_at".into(), created.into());
    }
    // A payment that succeeds or fails at once is part of the creation: its event comes first and shows the
    // result.
    let place = account.next_event();
    account.put(KIND, &new);
    account.being_created = Some(id.clone());
    if let Some(session) = start.session {
        account.purposes.insert(id.clone(), ("checkout.session", session.to_owned()));
    }
    for one in &once {
        invoiceitem::add_once(account, &customer, &id, &one.charged, one.sent, one.rates.clone());
    }
    // A period that costs nothing and is no trial has no invoice.
    if !(free_until_anchor && trial_end.is_none() && once.is_empty()) {
        let first = match (anchor, trial_end) {
            (Some(_), None) => invoice::draft_part(account, &new, (created, first_end), natural, free_until_anchor),
            _ => invoice::draft(account, &new, "subscription_create"),
        };
        bill(account, &mut new, first, later, behaviour, method.as_ref(), &terms);
    }
    account.being_created = None;
    let mut new = account.get(KIND, &id).unwrap_or(new);
    let discounts = new.list("discounts").to_vec();
    let lasting = discount::lasting(account, &discounts);
    if lasting.len() != discounts.len() {
        new.insert("discounts".into(), lasting.into());
        account.put(KIND, &new);
    }
    for id in &discounts {
        let told = written(&discount::object_of(account, id));
        account.emit("customer.discount.created", told);
    }
    let text = written(&new);
    account.emit_at(place, "customer.subscription.created", text.clone());
    let soon = created.saturating_add(3 * DAY);
    if let Some(end) = trial_end.filter(|end| *end <= soon) {
        account.warned.insert(format!("{id}:{end}"));
        account.emit_at(place + 1, "customer.subscription.trial_will_end", text);
    }
    Ok(new)
}

/// What a subscription to the items of a preview's `subscription_details` would begin as. Nothing is kept.
pub(in crate::resources) fn imagine(
    account: &mut Account,
    owner: &Object,
    details: &Object,
) -> Result<Object, ApiError> {
    let created = now();
    let bought = bought(account, details)?;
    let trial_end = trial_end(details, created)?;
    let currency = bought.first().and_then(|b| b.price.text("currency")).unwrap_or("usd").to_owned();
    if bought.iter().any(|b| b.price.text("currency") != Some(&currency)) {
        let message = "All prices on a subscription must have the same currency.";
        return Err(ApiError::invalid(message).param("subscription_details[items]"));
    }
    let rates = rates::taxes_named(account, details, "default_tax_rates")?;
    let (unit, count) = bought.first().map_or(("month", 1), |b| interval(&b.price));
    let natural = calendar::later(created, unit, count);
    let id = account.new_id("sub");
    let period = (created, trial_end.unwrap_or(natural));
    let items: Vec<Value> = bought.into_iter().map(|b| item(account, &id, b.sent, b.price, b.rates, period)).collect();
    let status = if trial_end.is_some() { "trialing" } else { "active" };
    let mut sent = details.clone();
    sent.insert("customer".into(), owner.id().into());
    let mut new = build(account, &id, &sent, &currency, items, status, trial_end);
    new.insert("default_tax_rates".into(), rates.unwrap_or_default().into());
    new.insert("test_clock".into(), owner.get("test_clock").cloned().unwrap_or_default());
    Ok(new)
}

/// The unit of a price's periods, and how many of them a period has.
fn interval(price: &Object) -> (&str, i64) {
    let recurring = price.object("recurring");
    recurring
        .map_or(("month", 1), |r| (r.text("interval").unwrap_or("month"), r.integer("interval_count").unwrap_or(1)))
}

/// The first invoice is paid at once, waits for the customer, or is finalized later.
fn bill(
    account: &mut Account,
    new: &mut Object,
    mut first: Object,
    later: bool,
    behaviour: &str,
    method: Option<&Object>,
    terms: &Terms,
) {
    new.insert("latest_invoice".into(), first.id().into());
    account.put(KIND, new);
    if later {
        invoice::finalize_later(account, &mut first);
        return;
    }
    match (invoice::finalize(account, &mut first, method), method) {
        (None, _) => {
            invoice::mark_paid(account, &mut first);
            subscription::paid(account, new.id(), None);
        }
        (Some(mut intent), Some(method)) if behaviour != "default_incomplete" => {
            // The decline is on the invoice's payment intent; the subscription waits for another attempt.
            let _ = payment_intent::attempt(account, &mut intent, method, terms);
        }
        _ => {}
    }
}

/// `error_if_incomplete`: what cannot be paid at once does not happen.
pub(super) fn refuse_unless_paid(account: &Account, method: &Object, terms: &Terms) -> Result<(), ApiError> {
    match payment_intent::verdict(account, method, terms) {
        Verdict::Pays => Ok(()),
        Verdict::Authenticates => {
            let code = "subscription_payment_intent_requires_action";
            let message = "Payment for this subscription requires additional user action before it can be completed \
                successfully. Payment can be completed using the PaymentIntent associated with \
                `subscription.latest_invoice`.";
            Err(ApiError::card(code, message))
        }
        Verdict::Declines(code, decline_code) => Err(payment_method::decline_error(code, decline_code)),
    }
}

fn terms(sent: &Object, start: &Start<'_>) -> Terms {
    let off_session = start.session.is_none() && sent.is_true("off_session");
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

/// Checks `days_until_due`.
pub(super) fn check_days(sent: &Object) -> Result<(), ApiError> {
    match sent.integer("days_until_due") {
        Some(days) if days < 0 => Err(ApiError::too_small("days_until_due", 0)),
        Some(days) if days > LONGEST_WAIT => Err(ApiError::too_large("days_until_due", LONGEST_WAIT)),
        _ => Ok(()),
    }
}

/// Reads `cancel_at`: a moment, or (`None` inside) the end of the current period.
pub(super) fn cancel_at(sent: &Object, time: i64) -> Result<Option<Option<i64>>, ApiError> {
    if sent.contains_key("cancel_at") && sent.contains_key("cancel_at_period_end") && !sent.contains_key("items") {
        return Err(ApiError::exclusive("cancel_at", "cancel_at_period_end").param("cancel_at"));
    }
    match (sent.integer("cancel_at"), sent.text("cancel_at")) {
        (Some(at), _) if at <= time => {
            let message = "Invalid timestamp: cancel_at must be in the future.";
            Err(ApiError::invalid(message).param("cancel_at"))
        }
        (Some(at), _) => Ok(Some(Some(at))),
        (None, Some(_)) => Ok(Some(None)),
        (None, None) => Ok(None),
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
        "cancel_at": null,
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
        "start_date": sent.integer("backdate_start_date").unwrap_or(created),
        "status": status,
        "status_details": null,
        "test_clock": null,
        "transfer_data": null,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": null, "missing_payment_method": "create_invoice"}},
        "trial_start": trial_end.map(|_| created),
    }));
    assign(KIND, &mut subscription, sent, &["application_fee_percent", "billing_cycle_anchor_config", "on_behalf_of"]);
    set_invoice_settings(&mut subscription, sent);
    set_trial_settings(&mut subscription, sent);
    subscription
}

/// `invoice_settings`: what its invoices say.
pub(super) fn set_invoice_settings(subscription: &mut Object, sent: &Object) {
    let Some(sent) = sent.object("invoice_settings") else { return };
    if let Some(Value::Object(settings)) = subscription.get_mut("invoice_settings") {
        let known = members(KIND, "invoice_settings");
        for (name, value) in sent.iter().filter(|(n, _)| known.contains_key(*n)) {
            settings.insert(name.clone(), if value == "" { Value::Null } else { value.clone() });
        }
    }
}

/// `trial_settings`: what happens when the trial ends and nothing could be charged.
pub(super) fn set_trial_settings(subscription: &mut Object, sent: &Object) {
    let Some(end) = sent.object("trial_settings").and_then(|t| t.object("end_behavior")) else { return };
    let missing = end.text("missing_payment_method").unwrap_or("create_invoice");
    let anchor = end.text("billing_cycle_anchor");
    let settings = json!({"end_behavior": {"billing_cycle_anchor": anchor, "missing_payment_method": missing}});
    subscription.insert("trial_settings".into(), settings);
}
