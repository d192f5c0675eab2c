//! What a session costs as it stands: its items, less discounts, with taxes and the chosen shipping.
//!
//! Manual tax rates are on line items alone; shipping is taxed only by automatic tax, which is not simulated.

use serde_json::{Value, json};

use super::{DATA, ITEM_DETAILS, LINE_ITEMS, items_of};
use crate::resources::fields::object;
use crate::resources::{Read, discount, price, rates};
use crate::world::{Account, Object};

/// Works the amounts of a session and of its line items out anew. The session itself is not kept by this.
pub(super) fn sum(account: &mut Account, session: &mut Object) {
    let id = session.id().to_owned();
    let data = account.get(DATA, &id).unwrap_or_default();
    let trial = begins_with_trial(&data);
    let mut items: Vec<Object> = items_of(account, &id).into_iter().map(object).collect();
    let mut lines: Vec<(i64, Option<String>, bool)> = Vec::new();
    for item in &items {
        let empty = Object::new();
        let price = item.object("price").unwrap_or(&empty);
        let free = trial && price.object("recurring").is_some();
        let quantity = item.integer("quantity").unwrap_or(1);
        let amount = if free { 0 } else { price::cost(account, price, quantity) };
        lines.push((amount, price.text("product").map(str::to_owned), true));
    }
    let full: Vec<i64> = lines.iter().map(|(amount, ..)| *amount).collect();
    let mut of_items: Vec<Vec<Value>> = vec![Vec::new(); items.len()];
    let mut discounts = Vec::new();
    for one in data.list("discounts").iter().filter_map(Value::as_str) {
        let off = discount::off(account, one, &lines);
        let told = account.get("discount", one).unwrap_or_default();
        for ((line, off), of_item) in lines.iter_mut().zip(&off).zip(&mut of_items) {
            line.0 = line.0.saturating_sub(*off);
            if *off != 0 {
                of_item.push(json!({"amount": off, "discount": told}));
            }
        }
        discounts.push(json!({"amount": total(off), "discount": told}));
    }
    let mut taxes: Vec<Value> = Vec::new();
    for (index, item) in items.iter_mut().enumerate() {
        let before = full.get(index).copied().unwrap_or_default();
        let net = lines.get(index).map(|l| l.0).unwrap_or_default();
        let named = data.list("rates").get(index).and_then(Value::as_array);
        let rates: Vec<Object> =
            named.into_iter().flatten().filter_map(|r| account.get("tax_rate", r.as_str()?)).collect();
        let of_item: Vec<Value> = rates.iter().map(|r| tax(r, net)).collect();
        let all = total(of_item.iter().filter_map(amount));
        let on_top =
            total(of_item.iter().zip(&rates).filter(|(_, r)| !r.is_true("inclusive")).filter_map(|(t, _)| amount(t)));
        item.insert("amount_subtotal".into(), before.into());
        item.insert("amount_discount".into(), before.saturating_sub(net).into());
        item.insert("amount_tax".into(), all.into());
        item.insert("amount_total".into(), net.saturating_add(on_top).into());
        for one in &of_item {
            add(&mut taxes, one);
        }
        let details = json!({
            "id": item.id(), "created": session.get("created"), "discounts": of_items.get(index), "taxes": of_item,
        });
        account.put(ITEM_DETAILS, &object(details));
    }
    let of = |name: &str| total(items.iter().filter_map(|i| i.integer(name)));
    let shipping = session.object("shipping_cost").and_then(|s| s.integer("amount_total")).unwrap_or_default();
    let (subtotal, off, tax, sum) =
        (of("amount_subtotal"), of("amount_discount"), of("amount_tax"), of("amount_total").saturating_add(shipping));
    session.insert("amount_subtotal".into(), subtotal.into());
    session.insert("amount_total".into(), sum.into());
    let details = json!({"amount_discount": off, "amount_shipping": shipping, "amount_tax": tax});
    session.insert("total_details".into(), details);
    let status = if sum > 0 { "unpaid" } else { "no_payment_required" };
    session.insert("payment_status".into(), status.into());
    let items = json!({"id": id, "created": session.get("created"), "data": items});
    account.put(LINE_ITEMS, &object(items));
    let mut data = data;
    data.insert("breakdown".into(), json!({"discounts": discounts, "taxes": taxes}));
    account.put(DATA, &data);
}

/// Whether what recurs costs nothing yet.
pub(super) fn begins_with_trial(data: &Object) -> bool {
    let empty = Object::new();
    let sent = data.object("subscription").unwrap_or(&empty);
    sent.integer("trial_period_days").is_some_and(|d| d > 0) || sent.integer("trial_end").is_some()
}

fn total(amounts: impl IntoIterator<Item = i64>) -> i64 {
    amounts.into_iter().fold(0, i64::saturating_add)
}

fn amount(tax: &Value) -> Option<i64> {
    tax.get("amount").and_then(Value::as_i64)
}

/// A tax as line items tell it.
fn tax(rate: &Object, net: i64) -> Value {
    let made = rates::tax(rate, net);
    json!({
        "amount": made.get("amount"), "rate": rate, "taxability_reason": null,
        "taxable_amount": made.get("taxable_amount"),
    })
}

/// Adds a tax to the sum of its rate.
fn add(sums: &mut Vec<Value>, tax: &Value) {
    let same = |s: &&mut Value| s.pointer("/rate/id") == tax.pointer("/rate/id");
    let Some(Value::Object(sum)) = sums.iter_mut().find(same) else {
        sums.push(tax.clone());
        return;
    };
    for name in ["amount", "taxable_amount"] {
        let more = tax.get(name).and_then(Value::as_i64).unwrap_or_default();
        let new = sum.integer(name).unwrap_or_default().saturating_add(more);
        sum.insert(name.into(), new.into());
    }
}
