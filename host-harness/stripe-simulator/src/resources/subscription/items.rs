//! What is subscribed to, and the periods that it is billed in.

use serde_json::{Value, json};

use super::{MOST_ITEMS, change};
use crate::protocol::ApiError;
use crate::resources::fields::{assign_metadata, new_metadata, object};
use crate::resources::{Read, calendar, money, price, rates};
use crate::world::{Account, Object, now};

/// The price of an item, existing or described.
pub(in crate::resources) fn price_of(account: &mut Account, item: &Object, param: &str) -> Result<Object, ApiError> {
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

/// A new item of a subscription.
pub(super) fn item(
    account: &mut Account,
    subscription: &str,
    sent: &Object,
    price: Object,
    rates: Vec<Value>,
    period: (i64, i64),
) -> Value {
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
        "tax_rates": rates,
    })
}

/// When the period of an item ends that begins at a moment. Periods end on the days that the anchor gives: what
/// begins on the 31st ends on the last day of shorter months, and on the 31st again of longer ones.
pub(in crate::resources) fn next_end(subscription: &Object, item: &Object, start: i64) -> i64 {
    let recurring = item.object("price").and_then(|p| p.object("recurring"));
    let unit = recurring.and_then(|r| r.text("interval")).unwrap_or("month");
    let count = recurring.and_then(|r| r.integer("interval_count")).unwrap_or(1);
    calendar::next_of(subscription.integer("billing_cycle_anchor").unwrap_or(start), unit, count, start)
}

/// Periods begin at a moment and last as long as the items say, or end at one.
pub(super) fn set_periods(subscription: &mut Object, start: Option<i64>, end: i64) {
    let whole = subscription.clone();
    let items = subscription.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        let end = match start {
            Some(start) => {
                item.insert("current_period_start".into(), start.into());
                next_end(&whole, item, start)
            }
            None => end,
        };
        item.insert("current_period_end".into(), end.into());
        item.insert("billed_until".into(), end.into());
    }
}

/// The items of a subscription.
pub(super) fn items_of(subscription: &Object) -> Vec<Object> {
    subscription.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect()
}

/// The items after a change, and the prices that were described in it.
pub(super) struct Items {
    pub(super) items: Vec<Object>,
    pub(super) new_prices: Vec<Object>,
}

/// Items by id are changed or deleted, others are added.
pub(super) fn changed_items(account: &mut Account, subscription: &Object, sent: &Object) -> Result<Items, ApiError> {
    let mut items = items_of(subscription);
    let period = items.first().map_or((now(), now()), |i| {
        (i.integer("current_period_start").unwrap_or_default(), i.integer("current_period_end").unwrap_or_default())
    });
    let mut new_prices = Vec::new();
    for (index, change) in sent.objects("items").enumerate() {
        let param = format!("items[{index}]");
        money::check_quantity(change.integer("quantity").unwrap_or(1), 0, &format!("{param}[quantity]"))?;
        let priced = change.contains_key("price") || change.contains_key("price_data") || change.contains_key("plan");
        let price = if priced { Some(price_of(account, change, &param)?) } else { None };
        if let Some(price) = &price
            && price.text("currency") != subscription.text("currency")
        {
            let message = "All prices on a subscription must have the same currency.";
            return Err(ApiError::invalid(message).param(format!("{param}[price]")));
        }
        let rates = rates::taxes_at(account, change, "tax_rates", &param)?;
        if let (Some(price), true) = (&price, change.contains_key("price_data")) {
            new_prices.push(price.clone());
        }
        let Some(id) = change.text("id") else {
            let price = price.ok_or_else(|| ApiError::missing_param(&format!("{param}[price]")))?;
            if items.iter().any(|i| i.object("price").is_some_and(|p| p.id() == price.id())) {
                let message = format!(
                    "Cannot add multiple subscription items with the same plan: {}. Consider updating the quantity of \
                     the existing item instead.",
                    price.id()
                );
                return Err(ApiError::invalid(message).param(format!("{param}[price]")));
            }
            let rates = rates.unwrap_or_default();
            items.push(object(item(account, subscription.id(), change, price, rates, period)));
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
            if let Some(rates) = rates {
                item.insert("tax_rates".into(), rates.into());
            }
            assign_metadata(item, change)?;
        }
    }
    if items.is_empty() {
        return Err(ApiError::invalid(
            "A subscription must have at least one active plan. To cancel it, cancel the subscription.",
        )
        .param("items"));
    }
    if items.len() > MOST_ITEMS {
        return Err(ApiError::invalid(format!("A subscription can have up to {MOST_ITEMS} items.")).param("items"));
    }
    Ok(Items { items, new_prices })
}

/// The phase of a schedule takes the place of what is there.
pub(in crate::resources) fn enter_phase(account: &mut Account, old: &Object, phase: &Object, items: Vec<Value>) {
    let mut sent: Vec<Value> = items_of(old).iter().map(|i| json!({"id": i.id(), "deleted": true})).collect();
    for (place, item) in items.into_iter().enumerate() {
        match sent.get_mut(place).and_then(Value::as_object_mut) {
            Some(kept) => {
                kept.remove("deleted");
                kept.extend(item.as_object().cloned().unwrap_or_default());
            }
            None => sent.push(item),
        }
    }
    let behaviour = phase.text("proration_behavior").unwrap_or("create_prorations");
    let mut sent = object(json!({"items": sent, "proration_behavior": behaviour}));
    for name in ["add_invoice_items", "collection_method", "default_payment_method", "description", "metadata"] {
        if let Some(value) = phase.get(name).filter(|v| !v.is_null()) {
            sent.insert(name.into(), value.clone());
        }
    }
    if !phase.list("discounts").is_empty() {
        sent.insert("discounts".into(), phase.list("discounts").into());
    }
    if !phase.list("default_tax_rates").is_empty() {
        let ids: Vec<Value> = phase.objects("default_tax_rates").map(|r| r.id().into()).collect();
        sent.insert("default_tax_rates".into(), ids.into());
    }
    if let Some(end) = phase.integer("trial_end").filter(|end| *end > now()) {
        sent.insert("trial_end".into(), end.into());
    }
    if phase.text("billing_cycle_anchor") == Some("phase_start") {
        sent.insert("billing_cycle_anchor".into(), json!({"type": "now"}));
    }
    if phase.text("collection_method") == Some("send_invoice") {
        let days = phase.object("invoice_settings").and_then(|s| s.integer("days_until_due"));
        sent.insert("days_until_due".into(), days.unwrap_or(30).into());
    }
    // What a phase names was checked when the schedule was made; what is gone by now changes nothing.
    let _ = change(account, old, &sent);
}
