//! What is subscribed to, and the periods that it is billed in.

use serde_json::{Value, json};

use super::change;
use crate::protocol::ApiError;
use crate::resources::fields::{assign_metadata, new_metadata, object};
use crate::resources::{Read, calendar, money, price};
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

pub(super) fn item(
    account: &mut Account,
    subscription: &str,
    sent: &Object,
    price: Object,
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
        "tax_rates": [],
    })
}

/// When the period of an item ends that begins at a moment.
pub(in crate::resources) fn next_end(item: &Object, start: i64) -> i64 {
    let recurring = item.object("price").and_then(|p| p.object("recurring"));
    let unit = recurring.and_then(|r| r.text("interval")).unwrap_or("month");
    calendar::later(start, unit, recurring.and_then(|r| r.integer("interval_count")).unwrap_or(1))
}

/// Periods begin at a moment and last as long as the items say, or end at one.
pub(super) fn set_periods(subscription: &mut Object, start: Option<i64>, end: i64) {
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

/// Items by id are changed or deleted, others are added.
pub(super) fn change_items(account: &mut Account, subscription: &mut Object, sent: &Object) -> Result<(), ApiError> {
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

/// The items of the next phase of a schedule take the place of those that are there.
pub(in crate::resources) fn replace_items(account: &mut Account, old: &Object, phase: &Object, items: Vec<Value>) {
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
