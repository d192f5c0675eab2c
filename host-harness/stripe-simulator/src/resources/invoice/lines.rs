//! What an invoice charges for.

use serde_json::{Value, json};

use super::{KIND, check_draft, recompute};
use crate::protocol::ApiError;
use crate::resources::fields::{assign_metadata, new_metadata};
use crate::resources::{Call, Read, Reply, invoiceitem, listing, meter, money, price, rates, subscription};
use crate::world::{Account, Object, now};

/// What a line of an invoice is made from.
pub(in crate::resources) struct Line {
    pub(in crate::resources) description: Option<String>,
    pub(in crate::resources) amount: i64,
    pub(in crate::resources) quantity: i64,
    pub(in crate::resources) period: (i64, i64),
    /// Price and product, or `null`.
    pub(in crate::resources) price: Value,
    pub(in crate::resources) unit: Option<String>,
    pub(in crate::resources) parent: Value,
    pub(in crate::resources) subscription: Option<String>,
    pub(in crate::resources) discountable: bool,
    pub(in crate::resources) discounts: Vec<Value>,
    pub(in crate::resources) rates: Vec<Object>,
    pub(in crate::resources) metadata: Value,
}

/// Adds a line at the end. Sums are made by [`recompute`].
pub(in crate::resources) fn push(account: &mut Account, invoice: &mut Object, line: Line) {
    let taxes: Vec<Value> = line.rates.iter().map(|r| rates::tax(r, line.amount)).collect();
    let made = json!({
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice.get("currency"),
        "description": line.description,
        "discount_amounts": [],
        "discountable": line.discountable,
        "discounts": line.discounts,
        "invoice": invoice.id(),
        "livemode": account.live(),
        "metadata": line.metadata,
        "parent": line.parent,
        "period": {"end": line.period.1, "start": line.period.0},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": line.price,
            "type": "price_details",
            "unit_amount_decimal": line.unit,
        },
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.to_string(),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": taxes,
    });
    if let Some(Value::Array(data)) = invoice.get_mut("lines").and_then(|l| l.get_mut("data")) {
        data.push(made);
    }
}

/// Takes the line of an invoice item off.
pub(in crate::resources) fn take_off(invoice: &mut Object, item: &str) {
    if let Some(Value::Array(data)) = invoice.get_mut("lines").and_then(|l| l.get_mut("data")) {
        data.retain(|l| {
            let belongs = |path: &str| l.pointer(path).is_some_and(|of| of == item);
            !belongs("/parent/invoice_item_details/invoice_item")
                && !belongs("/parent/subscription_item_details/invoice_item")
        });
    }
}

/// A line for one item of a subscription. During a trial it costs nothing; before its anchor a part of its price,
/// so many seconds of so many.
pub(super) fn push_item(
    account: &mut Account,
    invoice: &mut Object,
    subscription: &Object,
    item: &Object,
    trial: bool,
    part: Option<(i64, i64)>,
) {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    let metered = price.object("recurring").and_then(|r| r.text("usage_type")) == Some("metered");
    let quantity =
        if metered { meter::usage(account, subscription, item) } else { item.integer("quantity").unwrap_or(1) };
    let amount = match part {
        _ if trial => 0,
        Some((part, whole)) => subscription::share(price::cost(account, price, quantity), part, whole),
        None => price::cost(account, price, quantity),
    };
    let product = price.text("product").and_then(|p| account.get("product", p));
    let name = product.as_ref().and_then(|p| p.text("name")).unwrap_or("Product").to_owned();
    let interval = price.object("recurring").and_then(|r| r.text("interval")).unwrap_or("month");
    let description = if trial {
        format!("Trial period for {name}")
    } else {
        let each =
            money::amount(price.integer("unit_amount").unwrap_or_default(), price.text("currency").unwrap_or("usd"));
        format!("{quantity} × {name} (at {each} / {interval})")
    };
    let unit = if trial { Some("0") } else { price.text("unit_amount_decimal") };
    let rates: Vec<Object> = item.objects("tax_rates").cloned().collect();
    let line = Line {
        description: Some(description),
        amount,
        quantity,
        period: (
            item.integer("current_period_start").unwrap_or_default(),
            item.integer("current_period_end").unwrap_or_default(),
        ),
        price: json!({"price": price.id(), "product": price.get("product")}),
        unit: unit.map(str::to_owned),
        parent: json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null, "proration": part.is_some(), "proration_details": {"credited_items": null},
                "subscription": subscription.id(), "subscription_item": item.id(),
            },
            "type": "subscription_item_details",
        }),
        subscription: Some(subscription.id().to_owned()),
        discountable: true,
        discounts: Vec::new(),
        rates,
        metadata: subscription.get("metadata").cloned().unwrap_or_default(),
    };
    push(account, invoice, line);
}

fn lines_of(invoice: &Object) -> Vec<Value> {
    invoice.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default()
}

pub(super) fn list_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let invoice = call.named(KIND)?;
    let lines = invoice.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default();
    listing::parts(call, "line_item", lines)
}

pub(super) fn add_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    check_draft(&old)?;
    let sent = std::mem::take(&mut call.parameters);
    let mut new = old.clone();
    let currency = old.text("currency").unwrap_or("usd").to_owned();
    for (index, line) in sent.objects("lines").enumerate() {
        let at = format!("lines[{index}]");
        if let Some(id) = line.text("invoice_item") {
            let mut item = call.account.find("invoiceitem", id, &format!("{at}[invoice_item]"))?;
            if item.text("invoice").is_some() || item.get("customer") != old.get("customer") {
                let message = format!("The invoice item {id} cannot be added to this invoice.");
                return Err(ApiError::invalid(message).param(format!("{at}[invoice_item]")));
            }
            invoiceitem::put_on(call.account, &mut new, &mut item);
            continue;
        }
        let charged = invoiceitem::charged(call.account, line, &currency, &at)?;
        let rates = rates::taxes_named(call.account, line, "tax_rates")?.unwrap_or_default();
        let period = line.object("period");
        charged.keep_price(call.account);
        let details = charged.details();
        let time = |name: &str| period.and_then(|p| p.integer(name)).unwrap_or_else(now);
        let made = Line {
            description: charged.description,
            amount: charged.amount,
            quantity: charged.quantity,
            period: (time("start"), time("end")),
            price: details,
            unit: Some(charged.unit),
            parent: Value::Null,
            subscription: None,
            discountable: line.get("discountable").is_none_or(|d| *d == true),
            discounts: Vec::new(),
            rates: rates.iter().filter_map(Value::as_object).cloned().collect(),
            metadata: new_metadata(line),
        };
        push(call.account, &mut new, made);
    }
    recompute(call.account, &mut new);
    Ok(Reply::Kept(call.account.update(KIND, "invoice.updated", &old, &new)))
}

pub(super) fn remove_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    check_draft(&old)?;
    let sent = std::mem::take(&mut call.parameters);
    let mut lines = lines_of(&old);
    let mut items = Vec::new();
    for (index, line) in sent.objects("lines").enumerate() {
        let id = line.text("id").unwrap_or_default();
        let Some(place) = lines.iter().position(|l| l["id"] == id) else {
            return Err(ApiError::missing_object("line_item", id, &format!("lines[{index}][id]")));
        };
        let gone = lines.remove(place);
        if let Some(item) = gone.pointer("/parent/invoice_item_details/invoice_item").and_then(Value::as_str) {
            items.push((item.to_owned(), line.text("behavior") == Some("unassign")));
        }
    }
    let mut new = old.clone();
    if let Some(Value::Object(list)) = new.get_mut("lines") {
        list.insert("data".into(), lines.into());
    }
    for (id, keep) in items {
        match call.account.get("invoiceitem", &id) {
            Some(mut item) if keep => {
                item.insert("invoice".into(), Value::Null);
                call.account.put("invoiceitem", &item);
            }
            _ => call.account.remove("invoiceitem", &id, None),
        }
    }
    recompute(call.account, &mut new);
    Ok(Reply::Kept(call.account.update(KIND, "invoice.updated", &old, &new)))
}

/// Changes one line in place.
fn change_line(account: &mut Account, invoice: &mut Object, id: &str, sent: &Object, at: &str) -> Result<(), ApiError> {
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    let rates = rates::taxes_named(account, sent, "tax_rates")?;
    let priced = ["amount", "pricing", "price_data"].iter().any(|n| sent.contains_key(*n));
    let charged = if priced { Some(invoiceitem::charged(account, sent, &currency, at)?) } else { None };
    let lines = invoice.get_mut("lines").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    let line = lines.into_iter().flatten().find(|l| l["id"] == id).and_then(Value::as_object_mut);
    let Some(line) = line else { return Err(ApiError::missing_object("line_item", id, "line_item_id")) };
    if let Some(charged) = charged {
        charged.keep_price(account);
        line.insert("amount".into(), charged.amount.into());
        line.insert("subtotal".into(), charged.amount.into());
        line.insert("quantity".into(), charged.quantity.into());
        line.insert("quantity_decimal".into(), charged.quantity.to_string().into());
        let pricing = json!({
            "price_details": charged.details(), "type": "price_details", "unit_amount_decimal": charged.unit,
        });
        line.insert("pricing".into(), pricing);
    }
    for name in ["description", "discountable", "period"] {
        if let Some(value) = sent.get(name) {
            line.insert(name.into(), value.clone());
        }
    }
    if let Some(rates) = rates {
        let taxes: Vec<Value> = rates.iter().filter_map(Value::as_object).map(|r| rates::tax(r, 0)).collect();
        line.insert("taxes".into(), taxes.into());
    }
    assign_metadata(line, sent)
}

pub(super) fn update_line(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    check_draft(&old)?;
    let sent = std::mem::take(&mut call.parameters);
    let id = call.values.get(1).cloned().unwrap_or_default();
    let mut new = old.clone();
    change_line(call.account, &mut new, &id, &sent, "")?;
    recompute(call.account, &mut new);
    call.account.update(KIND, "invoice.updated", &old, &new);
    let line = lines_of(&new).into_iter().find(|l| l["id"] == id.as_str());
    Ok(Reply::Made(line.unwrap_or_default()))
}

pub(super) fn update_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    check_draft(&old)?;
    let sent = std::mem::take(&mut call.parameters);
    let mut new = old.clone();
    for (index, line) in sent.objects("lines").enumerate() {
        change_line(call.account, &mut new, line.text("id").unwrap_or_default(), line, &format!("lines[{index}]"))?;
    }
    recompute(call.account, &mut new);
    Ok(Reply::Kept(call.account.update(KIND, "invoice.updated", &old, &new)))
}
