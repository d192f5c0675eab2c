//! Prices.

use serde_json::{Value, json};

use super::fields::{assign_metadata, new_metadata, object};
use super::{Call, Operations, Read, Reply, listing, money, product, search};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/prices", list),
    ("POST", "/v1/prices", create),
    ("GET", "/v1/prices/search", find),
    ("GET", "/v1/prices/{price}", retrieve),
    ("POST", "/v1/prices/{price}", update),
];

/// Where the tiers are: they are part of no answer unless expanded.
const TIERS: &str = "price.tiers";
/// Where the prices in other currencies are: likewise.
const OPTIONS: &str = "price.currency_options";

fn member(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}[{name}]") }
}

/// A price out of parameters: those of its own creation, or `price_data` of something. `parent` names the hash
/// that they are in.
pub(super) fn build(account: &mut Account, sent: &Object, product: &str, parent: &str) -> Result<Object, ApiError> {
    let currency = money::currency(sent.text("currency").unwrap_or_default(), &member(parent, "currency"))?;
    let custom = sent.object("custom_unit_amount");
    let tiered = sent.text("billing_scheme") == Some("tiered");
    let decimal = sent.text("unit_amount_decimal");
    let amount = sent.integer("unit_amount").or_else(|| decimal.and_then(|d| d.parse().ok()));
    if decimal.is_some_and(|d| d.parse::<f64>().is_ok_and(|d| d < 0.0 || d > money::LARGEST as f64)) {
        return Err(ApiError::invalid("Invalid non-negative decimal").param(member(parent, "unit_amount_decimal")));
    }
    if amount.is_some_and(|a| a < 0) {
        return Err(ApiError::invalid("Invalid non-negative integer")
            .code("parameter_invalid_integer")
            .param(member(parent, "unit_amount")));
    }
    if amount.is_some_and(|a| a > money::LARGEST) {
        return Err(money::too_large(&member(parent, "unit_amount"), &currency, money::LARGEST));
    }
    check_interval(sent, parent)?;
    if sent.contains_key("unit_amount") && decimal.is_some() {
        return Err(ApiError::exclusive("unit_amount", "unit_amount_decimal"));
    }
    if amount.is_none() && decimal.is_none() && custom.is_none() && !tiered {
        return Err(ApiError::missing_param(&member(parent, "unit_amount")));
    }
    let tiers: Vec<Value> = sent.objects("tiers").map(tier).collect();
    if tiered && (tiers.is_empty() || !sent.contains_key("tiers_mode")) {
        let missing = if tiers.is_empty() { "tiers" } else { "tiers_mode" };
        return Err(ApiError::missing_param(&member(parent, missing)));
    }
    let decimal = decimal.map(str::to_owned).or_else(|| amount.map(|a| a.to_string()));
    let custom =
        custom.map(|c| json!({"maximum": c.get("maximum"), "minimum": c.get("minimum"), "preset": c.get("preset")}));
    let recurring = sent.object("recurring").map(|r| {
        json!({
            "interval": r.get("interval"),
            "interval_count": r.integer("interval_count").unwrap_or(1),
            "meter": r.get("meter"),
            "trial_period_days": r.get("trial_period_days"),
            "usage_type": r.text("usage_type").unwrap_or("licensed"),
        })
    });
    let mut price = object(json!({
        "id": account.new_id("price"),
        "object": "price",
        "active": sent.get("active").is_none_or(|a| *a == true),
        "billing_scheme": if tiered { "tiered" } else { "per_unit" },
        "created": now(),
        "currency": currency,
        "custom_unit_amount": custom,
        "livemode": account.live(),
        "lookup_key": sent.text("lookup_key"),
        "metadata": new_metadata(sent),
        "nickname": sent.text("nickname"),
        "product": product,
        "recurring": recurring,
        "tax_behavior": sent.text("tax_behavior").unwrap_or("unspecified"),
        "tiers_mode": sent.get("tiers_mode"),
        "transform_quantity": sent.get("transform_quantity"),
        "type": if recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }));
    if tiered {
        for name in ["unit_amount", "unit_amount_decimal"] {
            price.insert(name.into(), Value::Null);
        }
        price.insert("tiers".into(), tiers.into());
    }
    let options = currency_options(sent, parent)?;
    if !options.is_empty() {
        price.insert("currency_options".into(), options.into());
    }
    Ok(price)
}

/// What a price is in other currencies.
fn currency_options(sent: &Object, parent: &str) -> Result<Object, ApiError> {
    let mut options = Object::new();
    for (name, option) in sent.object("currency_options").into_iter().flatten() {
        let Value::Object(option) = option else { continue };
        let place = format!("{}[{name}]", member(parent, "currency_options"));
        let currency = money::currency(name, &place)?;
        let amount = option.integer("unit_amount");
        if amount.is_some_and(|a| a < 0) {
            return Err(ApiError::too_small(&format!("{place}[unit_amount]"), 0));
        }
        if amount.is_some_and(|a| a > money::LARGEST) {
            return Err(money::too_large(&format!("{place}[unit_amount]"), &currency, money::LARGEST));
        }
        let tiers: Vec<Value> = option.objects("tiers").map(tier).collect();
        let decimal = option.text("unit_amount_decimal").map(str::to_owned).or_else(|| amount.map(|a| a.to_string()));
        let custom = option.object("custom_unit_amount");
        let custom = custom
            .map(|c| json!({"maximum": c.get("maximum"), "minimum": c.get("minimum"), "preset": c.get("preset")}));
        let mut option = object(json!({
            "custom_unit_amount": custom,
            "tax_behavior": option.text("tax_behavior").unwrap_or("unspecified"),
            "unit_amount": amount,
            "unit_amount_decimal": decimal,
        }));
        if !tiers.is_empty() {
            option.insert("tiers".into(), tiers.into());
        }
        options.insert(currency, Value::Object(option));
    }
    Ok(options)
}

/// `currency_options` of a price, when expanded: its own currency is one of them.
pub(super) fn options(account: &Account, price: &Object) -> Value {
    let mut own = Object::new();
    for name in ["custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal"] {
        own.insert(name.to_owned(), price.get(name).cloned().unwrap_or_default());
    }
    if let Some(tiers) = tiers(account, price) {
        own.insert("tiers".into(), tiers);
    }
    let mut options = Object::new();
    options.insert(price.text("currency").unwrap_or_default().to_owned(), Value::Object(own));
    options.extend(others(account, price.id()));
    Value::Object(options)
}

/// What a price is in the currencies that are not its own.
fn others(account: &Account, price: &str) -> Object {
    account.get(OPTIONS, price).and_then(|o| o.object("options").cloned()).unwrap_or_default()
}

fn keep_options(account: &mut Account, price: &Object, options: Object) {
    let kept = json!({"id": price.id(), "created": price.get("created"), "options": options});
    account.put(OPTIONS, &object(kept));
}

/// The longest period that is billed at once is three years.
fn check_interval(sent: &Object, parent: &str) -> Result<(), ApiError> {
    let Some(recurring) = sent.object("recurring") else { return Ok(()) };
    let most = match recurring.text("interval") {
        Some("day") => 1095,
        Some("week") => 156,
        Some("month") => 36,
        _ => 3,
    };
    let name = format!("{}[interval_count]", member(parent, "recurring"));
    match recurring.integer("interval_count") {
        Some(count) if count < 1 => Err(ApiError::too_small(&name, 1)),
        Some(count) if count > most => Err(ApiError::too_large(&name, most)),
        _ => Ok(()),
    }
}

fn tier(sent: &Object) -> Value {
    let decimal = |name: &str| {
        sent.get(&format!("{name}_decimal")).cloned().or_else(|| sent.integer(name).map(|a| a.to_string().into()))
    };
    json!({
        "flat_amount": sent.get("flat_amount"),
        "flat_amount_decimal": decimal("flat_amount"),
        "unit_amount": sent.get("unit_amount"),
        "unit_amount_decimal": decimal("unit_amount"),
        "up_to": sent.integer("up_to"),
    })
}

/// Keeps a new price. A recurring one is a plan as well, and that is told first.
pub(super) fn keep(account: &mut Account, price: &Object) -> bytes::Bytes {
    let mut price = price.clone();
    if let Some(tiers) = price.remove("tiers") {
        let tiers = json!({"id": price.id(), "created": price.get("created"), "tiers": tiers});
        account.put(TIERS, &object(tiers));
    }
    if let Some(Value::Object(options)) = price.remove("currency_options") {
        keep_options(account, &price, options);
    }
    if price.object("recurring").is_some() {
        account.emit("plan.created", plan(&price).to_string().into());
    }
    account.create("price", "price.created", &price)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let (product, new_product) = match (sent.text("product"), sent.object("product_data")) {
        (Some(_), Some(_)) => return Err(ApiError::exclusive("product", "product_data")),
        (Some(id), None) => (call.account.find("product", id, "product")?.id().to_owned(), None),
        (None, Some(data)) => {
            let product = product::build(call.account, data)?;
            (product.id().to_owned(), Some(product))
        }
        (None, None) => {
            return Err(ApiError::invalid("Missing required param: product.")
                .code("parameter_missing")
                .param("product"));
        }
    };
    let price = build(call.account, &sent, &product, "")?;
    claim_lookup_key(call.account, &price, &sent)?;
    if let Some(product) = new_product {
        call.account.create("product", "product.created", &product);
    }
    Ok(Reply::Kept(keep(call.account, &price)))
}

/// One active price has a lookup key; another takes it over only when told to.
fn claim_lookup_key(account: &mut Account, price: &Object, sent: &Object) -> Result<(), ApiError> {
    let Some(key) = sent.text("lookup_key") else { return Ok(()) };
    let holders = account.select("price", key, |p| p.text("lookup_key") == Some(key) && p.id() != price.id());
    for old in holders {
        if !sent.is_true("transfer_lookup_key") {
            let message = format!("A price (`{}`) already uses that lookup key.", old.id());
            return Err(ApiError::invalid(message).param("lookup_key"));
        }
        let mut new = old.clone();
        new.insert("lookup_key".into(), Value::Null);
        account.update("price", "price.updated", &old, &new);
    }
    Ok(())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named("price").map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("price")?;
    let mut new = old.clone();
    for name in ["active", "lookup_key", "nickname", "tax_behavior"] {
        if let Some(value) = call.parameters.get(name) {
            new.insert(name.into(), if value == "" { Value::Null } else { value.clone() });
        }
    }
    assign_metadata(&mut new, &call.parameters)?;
    let changed = currency_options(&call.parameters, "")?;
    claim_lookup_key(call.account, &new, &call.parameters)?;
    if !changed.is_empty() {
        let mut options = others(call.account, new.id());
        options.extend(changed);
        keep_options(call.account, &new, options);
    }
    Ok(Reply::Kept(call.account.update("price", "price.updated", &old, &new)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let keys = sent.list("lookup_keys");
    let equal = [("currency", "currency"), ("product", "product"), ("type", "type")];
    listing::shelf_where(call, "price", &equal, |p| {
        let recurring = sent.object("recurring").is_none_or(|wanted| {
            let has = p.object("recurring");
            wanted.iter().all(|(name, value)| has.and_then(|r| r.get(name)) == Some(value))
        });
        recurring
            && sent.get("active").is_none_or(|a| p.get("active") == Some(a))
            && (keys.is_empty() || keys.iter().any(|k| p.get("lookup_key") == Some(k)))
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, "price", &["active", "currency", "lookup_key", "metadata", "product", "type"])
}

/// `tiers` of a price, when expanded.
pub(super) fn tiers(account: &Account, price: &Object) -> Option<Value> {
    account.get(TIERS, price.id())?.remove("tiers")
}

/// What something costs that comes in this quantity. Fractions of the smallest unit are rounded in the sum.
pub(super) fn total(price: &Object, quantity: i64) -> i64 {
    if let Some(amount) = price.integer("unit_amount") {
        return amount.saturating_mul(quantity);
    }
    let each: f64 = price.text("unit_amount_decimal").and_then(|d| d.parse().ok()).unwrap_or_default();
    (each * quantity as f64).round() as i64
}

/// What a quantity costs, with tiers and packages.
pub(super) fn cost(account: &Account, price: &Object, quantity: i64) -> i64 {
    let packaged = match price.object("transform_quantity") {
        Some(transform) => {
            let by = transform.integer("divide_by").unwrap_or(1).max(1);
            let up = transform.text("round") == Some("up");
            quantity / by + i64::from(up && quantity % by != 0)
        }
        None => quantity,
    };
    let Some(mode) = price.text("tiers_mode") else { return total(price, packaged) };
    let kept = account.get(TIERS, price.id()).unwrap_or_default();
    let each = |tier: &Object, name: &str| -> f64 {
        tier.text(&format!("{name}_decimal")).and_then(|d| d.parse().ok()).unwrap_or_default()
    };
    let mut sum = 0.0;
    let mut below = 0;
    for tier in kept.objects("tiers") {
        let end = tier.integer("up_to").unwrap_or(i64::MAX);
        let in_it = if mode == "volume" { quantity } else { quantity.min(end).saturating_sub(below) };
        let reached = if mode == "volume" { quantity <= end } else { quantity > below };
        if reached {
            sum += each(tier, "flat_amount") + each(tier, "unit_amount") * in_it as f64;
            if mode == "volume" {
                break;
            }
        }
        below = end;
    }
    // Conversions from fractions end at the largest number.
    sum.round() as i64
}

/// A recurring price as the plan that it also is.
pub(super) fn plan(price: &Object) -> Value {
    let empty = Object::new();
    let recurring = price.object("recurring").unwrap_or(&empty);
    json!({
        "id": price.id(),
        "object": "plan",
        "active": price.get("active"),
        "amount": price.get("unit_amount"),
        "amount_decimal": price.get("unit_amount_decimal"),
        "billing_scheme": price.get("billing_scheme"),
        "created": price.get("created"),
        "currency": price.get("currency"),
        "interval": recurring.text("interval").unwrap_or("month"),
        "interval_count": recurring.integer("interval_count").unwrap_or(1),
        "livemode": price.get("livemode"),
        "metadata": price.get("metadata"),
        "meter": recurring.get("meter"),
        "nickname": price.get("nickname"),
        "product": price.get("product"),
        "tiers_mode": price.get("tiers_mode"),
        "transform_usage": null,
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring.text("usage_type").unwrap_or("licensed"),
    })
}
