//! Tax rates and shipping rates.

use serde_json::{Value, json};

use super::fields::{assign_metadata, new_metadata, whole};
use super::{Call, Operations, Read, Reply, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/tax_rates", list_taxes),
    ("POST", "/v1/tax_rates", create_tax),
    ("GET", "/v1/tax_rates/{tax_rate}", retrieve_tax),
    ("POST", "/v1/tax_rates/{tax_rate}", update_tax),
    ("GET", "/v1/shipping_rates", list_shipping),
    ("POST", "/v1/shipping_rates", create_shipping),
    ("GET", "/v1/shipping_rates/{shipping_rate_token}", retrieve_shipping),
    ("POST", "/v1/shipping_rates/{shipping_rate_token}", update_shipping),
];

const TAX: &str = "tax_rate";
const SHIPPING: &str = "shipping_rate";

fn create_tax(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let percentage = sent.get("percentage").and_then(Value::as_f64).unwrap_or_default();
    if !(0.0..=100.0).contains(&percentage) {
        return Err(ApiError::invalid("Invalid percentage: must be between 0 and 100.").param("percentage"));
    }
    let rate = whole(
        TAX,
        json!({
            "id": call.account.new_id("txr"), "object": TAX, "active": sent.get("active").is_none_or(|a| *a == true),
            "country": sent.text("country"), "created": now(), "description": sent.text("description"),
            "display_name": sent.text("display_name"), "effective_percentage": percentage,
            "inclusive": sent.is_true("inclusive"), "jurisdiction": sent.text("jurisdiction"),
            "livemode": call.account.live(), "metadata": new_metadata(sent), "percentage": percentage,
            "rate_type": "percentage", "state": sent.text("state"), "tax_type": sent.get("tax_type"),
        }),
    );
    Ok(Reply::Kept(call.account.create(TAX, "tax_rate.created", &rate)))
}

fn retrieve_tax(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(TAX).map(Reply::from)
}

fn update_tax(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(TAX)?;
    let mut new = old.clone();
    for name in ["active", "country", "description", "display_name", "jurisdiction", "state", "tax_type"] {
        if let Some(value) = call.parameters.get(name) {
            new.insert(name.into(), if value == "" { Value::Null } else { value.clone() });
        }
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(TAX, "tax_rate.updated", &old, &new)))
}

fn list_taxes(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    listing::shelf_where(call, TAX, &[], |r| {
        ["active", "inclusive"].iter().all(|name| sent.get(*name).is_none_or(|v| r.get(*name) == Some(v)))
    })
}

/// The tax rates that a parameter names.
pub(super) fn taxes_named(account: &Account, sent: &Object, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
    taxes_at(account, sent, name, "")
}

/// The tax rates that a parameter inside another one names.
pub(super) fn taxes_at(
    account: &Account,
    sent: &Object,
    name: &str,
    parent: &str,
) -> Result<Option<Vec<Value>>, ApiError> {
    if !sent.contains_key(name) {
        return Ok(None);
    }
    let param = if parent.is_empty() { name.to_owned() } else { format!("{parent}[{name}]") };
    let each = |(index, id): (usize, &Value)| {
        account.find(TAX, id.as_str().unwrap_or_default(), &format!("{param}[{index}]")).map(Value::Object)
    };
    sent.list(name).iter().enumerate().map(each).collect::<Result<_, _>>().map(Some)
}

/// What a tax rate takes of an amount.
pub(super) fn tax(rate: &Object, amount: i64) -> Value {
    let percentage = rate.get("percentage").and_then(Value::as_f64).unwrap_or_default();
    let inclusive = rate.is_true("inclusive");
    let exact =
        if inclusive { amount as f64 * percentage / (100.0 + percentage) } else { amount as f64 * percentage / 100.0 };
    let tax = exact.round() as i64;
    json!({
        "amount": tax,
        "tax_behavior": if inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": {"tax_rate": rate.id()},
        "taxability_reason": "not_available",
        "taxable_amount": if inclusive { amount - tax } else { amount },
        "type": "tax_rate_details",
    })
}

/// A shipping rate out of parameters: those of its own creation, or `shipping_rate_data` of something.
pub(super) fn build_shipping(account: &mut Account, sent: &Object, parent: &str) -> Result<Object, ApiError> {
    let name = |n: &str| if parent.is_empty() { n.to_owned() } else { format!("{parent}[{n}]") };
    let Some(fixed) = sent.object("fixed_amount") else { return Err(ApiError::missing_param(&name("fixed_amount"))) };
    let param = name("fixed_amount");
    let currency = money::currency(fixed.text("currency").unwrap_or_default(), &format!("{param}[currency]"))?;
    let amount = fixed.integer("amount").unwrap_or_default();
    if amount < 0 {
        return Err(ApiError::too_small(&format!("{param}[amount]"), 0));
    }
    if amount > money::LARGEST {
        return Err(money::too_large(&format!("{param}[amount]"), &currency, money::LARGEST));
    }
    let estimate = sent.object("delivery_estimate");
    let estimate = estimate.map(|e| json!({"maximum": e.get("maximum"), "minimum": e.get("minimum")}));
    Ok(whole(
        SHIPPING,
        json!({
            "id": account.new_id("shr"), "object": SHIPPING, "active": true, "created": now(),
            "delivery_estimate": estimate, "display_name": sent.text("display_name"),
            "fixed_amount": {"amount": amount, "currency": currency}, "livemode": account.live(),
            "metadata": new_metadata(sent), "tax_behavior": sent.text("tax_behavior").unwrap_or("unspecified"),
            "tax_code": sent.text("tax_code"), "type": "fixed_amount",
        }),
    ))
}

fn create_shipping(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let rate = build_shipping(call.account, &sent, "")?;
    // Stripe tells nobody of shipping rates.
    Ok(Reply::Kept(call.account.put(SHIPPING, &rate)))
}

fn retrieve_shipping(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(SHIPPING).map(Reply::from)
}

fn update_shipping(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut rate = call.named(SHIPPING)?;
    for name in ["active", "tax_behavior"] {
        if let Some(value) = call.parameters.get(name) {
            rate.insert(name.into(), value.clone());
        }
    }
    assign_metadata(&mut rate, &call.parameters)?;
    Ok(Reply::Kept(call.account.put(SHIPPING, &rate)))
}

fn list_shipping(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    listing::shelf_where(call, SHIPPING, &[("currency", "fixed_amount.currency")], |r| {
        sent.get("active").is_none_or(|a| r.get("active") == Some(a))
    })
}

/// The shipping rate that a parameter like `shipping_cost` names or describes; a described one is kept.
pub(super) fn shipping_of(account: &mut Account, sent: &Object, parent: &str) -> Result<Option<Object>, ApiError> {
    if let Some(id) = sent.text("shipping_rate") {
        return account.find(SHIPPING, id, &format!("{parent}[shipping_rate]")).map(Some);
    }
    let Some(data) = sent.object("shipping_rate_data") else { return Ok(None) };
    let rate = build_shipping(account, data, &format!("{parent}[shipping_rate_data]"))?;
    account.put(SHIPPING, &rate);
    Ok(Some(rate))
}

/// What shipping costs, as invoices and sessions say it.
pub(super) fn shipping_cost(rate: &Object) -> Value {
    let amount = rate.object("fixed_amount").and_then(|f| f.integer("amount")).unwrap_or_default();
    json!({"amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate.id()})
}
