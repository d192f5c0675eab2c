//! The totals of an invoice.

use serde_json::{Value, json};

use crate::resources::{Read, discount, rates};
use crate::world::{Account, Object};

/// Makes the sums of a draft out of its lines, discounts, taxes and shipping.
pub(in crate::resources) fn recompute(account: &Account, invoice: &mut Object) {
    let defaults: Vec<Object> = invoice.objects("default_tax_rates").cloned().collect();
    let exempt = invoice.text("customer_tax_exempt") == Some("exempt");
    let discounts = invoice.list("discounts").to_vec();
    let shipping = invoice.object("shipping_cost").and_then(|s| s.integer("amount_total")).unwrap_or_default();
    let Some(Value::Array(lines)) = invoice.get_mut("lines").and_then(|l| l.get_mut("data")) else { return };
    let subtotal: i64 = lines.iter().filter_map(|l| l["amount"].as_i64()).fold(0, i64::saturating_add);
    let mut left: Vec<(i64, Option<String>, bool)> = lines
        .iter()
        .map(|l| {
            let product = l.pointer("/pricing/price_details/product").and_then(Value::as_str).map(str::to_owned);
            (l["amount"].as_i64().unwrap_or_default(), product, l["discountable"] == true)
        })
        .collect();
    let mut line_discounts: Vec<Vec<Value>> = vec![Vec::new(); lines.len()];
    let mut totals: Vec<(String, i64)> = Vec::new();
    let mut apply = |id: &str, only: Option<usize>, left: &mut Vec<(i64, Option<String>, bool)>| {
        let mut seen = left.clone();
        if let Some(only) = only {
            seen.iter_mut().enumerate().filter(|(i, _)| *i != only).for_each(|(_, l)| l.2 = false);
        }
        let off = discount::off(account, id, &seen);
        for ((line, off), told) in left.iter_mut().zip(&off).zip(&mut line_discounts) {
            if *off != 0 {
                line.0 = line.0.saturating_sub(*off);
                told.push(json!({"amount": off, "discount": id}));
            }
        }
        let sum = off.iter().fold(0, |a: i64, b| a.saturating_add(*b));
        match totals.iter_mut().find(|(d, _)| d == id) {
            Some((_, total)) => *total = total.saturating_add(sum),
            None => totals.push((id.to_owned(), sum)),
        }
    };
    let own: Vec<(usize, String)> = lines
        .iter()
        .enumerate()
        .flat_map(|(i, l)| {
            let ids = l["discounts"].as_array().into_iter().flatten().filter_map(Value::as_str);
            ids.map(move |d| (i, d.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    for (index, id) in own {
        apply(&id, Some(index), &mut left);
    }
    for id in discounts.iter().filter_map(Value::as_str) {
        apply(id, None, &mut left);
    }
    let mut taxes: Vec<Value> = Vec::new();
    for ((line, (amount, ..)), told) in lines.iter_mut().zip(&left).zip(line_discounts) {
        let own: Vec<Object> = line["taxes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|t| account.get("tax_rate", t.pointer("/tax_rate_details/tax_rate")?.as_str()?))
            .collect();
        let rates = if own.is_empty() { &defaults } else { &own };
        let of_line: Vec<Value> =
            if exempt { Vec::new() } else { rates.iter().map(|r| rates::tax(r, *amount)).collect() };
        for tax in &of_line {
            let same = |t: &&mut Value| t["tax_rate_details"] == tax["tax_rate_details"];
            match taxes.iter_mut().find(same) {
                Some(sum) => {
                    for name in ["amount", "taxable_amount"] {
                        let (a, b) = (sum[name].as_i64().unwrap_or_default(), tax[name].as_i64().unwrap_or_default());
                        sum[name] = a.saturating_add(b).into();
                    }
                }
                None => taxes.push(tax.clone()),
            }
        }
        line["taxes"] = of_line.into();
        line["discount_amounts"] = told.into();
    }
    let sum_of = |behaviour: &str| -> i64 {
        taxes.iter().filter(|t| t["tax_behavior"] == behaviour).filter_map(|t| t["amount"].as_i64()).sum()
    };
    let off = totals.iter().fold(0, |sum: i64, (_, d)| sum.saturating_add(*d));
    let net = subtotal.saturating_sub(off).saturating_add(shipping);
    let total = net.saturating_add(sum_of("exclusive"));
    let due = total.max(0);
    let totals: Vec<Value> = totals.into_iter().map(|(id, amount)| json!({"amount": amount, "discount": id})).collect();
    for (name, value) in [
        ("subtotal", subtotal.into()),
        ("subtotal_excluding_tax", subtotal.saturating_sub(sum_of("inclusive")).into()),
        ("total", total.into()),
        ("total_excluding_tax", net.saturating_sub(sum_of("inclusive")).into()),
        ("total_discount_amounts", totals.into()),
        ("total_taxes", taxes.into()),
        ("amount_shipping", shipping.into()),
        ("amount_due", due.into()),
        ("amount_remaining", due.into()),
    ] {
        invoice.insert(name.into(), value);
    }
}
