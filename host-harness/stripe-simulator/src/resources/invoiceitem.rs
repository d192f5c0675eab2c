//! Invoice items: what waits to be put on a customer's next invoice, or was put on one.

use serde_json::{Value, json};

use super::fields::{assign_metadata, deleted, new_metadata, whole};
use super::invoice::{self, Line};
use super::{Call, Operations, Read, Reply, customer, discount, listing, money, price, rates};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/invoiceitems", list),
    ("POST", "/v1/invoiceitems", create),
    ("GET", "/v1/invoiceitems/{invoiceitem}", retrieve),
    ("POST", "/v1/invoiceitems/{invoiceitem}", update),
    ("DELETE", "/v1/invoiceitems/{invoiceitem}", delete),
];

const KIND: &str = "invoiceitem";

/// What an item, or a line that is added to an invoice, costs.
pub(super) struct Charged {
    pub(super) amount: i64,
    pub(super) quantity: i64,
    pub(super) currency: String,
    pub(super) price: Option<Object>,
    pub(super) unit: String,
    pub(super) description: Option<String>,
    /// Whether the price was described here and is not kept yet.
    pub(super) described: bool,
}

impl Charged {
    /// Price and product as lines tell them.
    pub(super) fn details(&self) -> Value {
        self.price.as_ref().map(|p| json!({"price": p.id(), "product": p.get("product")})).unwrap_or_default()
    }

    /// Keeps the price that was described.
    pub(super) fn keep_price(&self, account: &mut Account) {
        if let Some(price) = self.price.as_ref().filter(|_| self.described) {
            price::keep(account, price);
        }
    }
}

/// Reads `amount`, or `pricing[price]`, `price_data` or `unit_amount_decimal` with `quantity`.
pub(super) fn charged(account: &mut Account, sent: &Object, currency: &str, at: &str) -> Result<Charged, ApiError> {
    let name = |n: &str| if at.is_empty() { n.to_owned() } else { format!("{at}[{n}]") };
    let quantity = sent.integer("quantity").unwrap_or(1);
    money::check_quantity(quantity, 0, &name("quantity"))?;
    let mut description = sent.text("description").map(str::to_owned);
    let named = sent.object("pricing").and_then(|p| p.text("price")).map(|p| (p, "pricing[price]"));
    let named = named.or_else(|| sent.text("price").map(|p| (p, "price")));
    let described = named.is_none() && sent.object("price_data").is_some();
    let price = match (named, sent.object("price_data")) {
        (Some((id, param)), _) => Some(account.find("price", id, &name(param))?),
        (None, Some(data)) => {
            let product = data.text("product").unwrap_or_default();
            let product = account.find("product", product, &name("price_data[product]"))?;
            Some(price::build(account, data, product.id(), &name("price_data"))?)
        }
        (None, None) => None,
    };
    if let Some(price) = price {
        if price.object("recurring").is_some() {
            let message = "The price specified is set to `type=recurring` but this field only accepts prices with \
                `type=one_time`.";
            return Err(ApiError::invalid(message).param(name("price")));
        }
        if description.is_none() {
            let product = price.text("product").and_then(|p| account.get("product", p));
            description = product.and_then(|p| p.text("name").map(str::to_owned));
        }
        let unit = price.text("unit_amount_decimal").unwrap_or("0").to_owned();
        let currency = price.text("currency").unwrap_or(currency).to_owned();
        let amount = price::cost(account, &price, quantity);
        return Ok(Charged { amount, quantity, currency, price: Some(price), unit, description, described });
    }
    let largest = |amount: i64, param: &str| {
        if amount.unsigned_abs() > money::LARGEST_TOTAL.unsigned_abs() {
            Err(money::too_large(&name(param), currency, money::LARGEST_TOTAL))
        } else {
            Ok(amount)
        }
    };
    if let Some(unit) = sent.text("unit_amount_decimal") {
        let each: f64 = unit.parse().unwrap_or_default();
        let amount = largest((each * quantity as f64).round() as i64, "unit_amount_decimal")?;
        let (unit, currency) = (unit.to_owned(), currency.to_owned());
        return Ok(Charged { amount, quantity, currency, price: None, unit, description, described });
    }
    let Some(amount) = sent.integer("amount") else { return Err(ApiError::missing_param(&name("amount"))) };
    let amount = largest(amount, "amount")?;
    let (unit, currency) = (amount.to_string(), currency.to_owned());
    Ok(Charged { amount, quantity, currency, price: None, unit, description, described })
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let into = match sent.text("invoice") {
        Some(id) => {
            let invoice = call.account.find("invoice", id, "invoice")?;
            invoice::check_draft(&invoice)?;
            Some(invoice)
        }
        None => None,
    };
    let owner = match (sent.text("customer"), &into) {
        (Some(id), _) => id.to_owned(),
        (None, Some(invoice)) => invoice.text("customer").unwrap_or_default().to_owned(),
        (None, None) => return Err(ApiError::missing_param("customer")),
    };
    let owner = customer::named(call.account, &owner, "customer")?;
    if let Some(id) = sent.text("subscription") {
        call.account.find("subscription", id, "subscription")?;
    }
    let currency = match sent.text("currency") {
        Some(code) => money::currency(code, "currency")?,
        None => into.as_ref().and_then(|i| i.text("currency")).unwrap_or("usd").to_owned(),
    };
    let rates = rates::taxes_named(call.account, &sent, "tax_rates")?;
    let redeemed = discount::redeem(call.account, &sent)?;
    let charged = charged(call.account, &sent, &currency, "")?;
    if into.as_ref().is_some_and(|i| i.text("currency") != Some(&charged.currency)) {
        let message = format!("The invoice is in another currency than {}.", charged.currency);
        return Err(ApiError::invalid(message).param("currency"));
    }
    charged.keep_price(call.account);
    let item = build(call.account, &owner, &charged, &sent, rates, into.as_ref());
    let id = item.id().to_owned();
    let discounts = discount::attach(call.account, redeemed.unwrap_or_default(), &[("invoice_item", &id)]);
    let mut item = item;
    item.insert("discounts".into(), discounts.into());
    let text = call.account.create(KIND, "invoiceitem.created", &item);
    if let Some(old) = into {
        let mut new = old.clone();
        put_on(call.account, &mut new, &mut item);
        invoice::recompute(call.account, &mut new);
        call.account.update("invoice", "invoice.updated", &old, &new);
        return Ok(item.into());
    }
    Ok(Reply::Kept(text))
}

fn build(
    account: &mut Account,
    owner: &Object,
    charged: &Charged,
    sent: &Object,
    rates: Option<Vec<Value>>,
    invoice: Option<&Object>,
) -> Object {
    let time = now();
    let details = charged.details();
    let period = sent.object("period").map(|p| json!({"end": p.get("end"), "start": p.get("start")}));
    let subscription = sent.text("subscription");
    whole(
        KIND,
        json!({
            "id": account.new_id("ii"), "object": KIND, "amount": charged.amount, "currency": charged.currency,
            "customer": owner.id(), "date": time, "description": charged.description,
            "discountable": sent.get("discountable").map_or(charged.amount >= 0, |d| *d == true),
            "discounts": [], "invoice": invoice.map(Read::id), "livemode": account.live(),
            "metadata": new_metadata(sent), "net_amount": charged.amount,
            "parent": subscription.map(|s| json!({
                "subscription_details": {"subscription": s, "subscription_item": null}, "type": "subscription_details",
            })),
            "period": period.unwrap_or_else(|| json!({"end": time, "start": time})),
            "pricing": {"price_details": details, "type": "price_details", "unit_amount_decimal": charged.unit},
            "proration": false, "quantity": charged.quantity, "quantity_decimal": charged.quantity.to_string(),
            "tax_rates": rates.unwrap_or_default(), "test_clock": owner.get("test_clock"),
        }),
    )
}

/// An item that comes on the next invoice of a subscription, once.
pub(super) fn add_once(
    account: &mut Account,
    owner: &Object,
    subscription: &str,
    charged: &Charged,
    sent: &Object,
    rates: Vec<Value>,
) {
    charged.keep_price(account);
    let mut sent = sent.clone();
    sent.insert("subscription".into(), subscription.into());
    sent.remove("period");
    let item = build(account, owner, charged, &sent, Some(rates), None);
    account.create(KIND, "invoiceitem.created", &item);
}

/// A proration: an item that a change of a subscription made.
pub(super) struct Proration<'a> {
    pub(super) subscription: &'a Object,
    pub(super) item: &'a Object,
    pub(super) price: &'a Object,
    pub(super) quantity: i64,
    pub(super) amount: i64,
    pub(super) description: String,
    pub(super) period: (i64, i64),
    pub(super) rates: Vec<Value>,
}

/// Keeps a proration until the next invoice.
pub(super) fn prorate(account: &mut Account, proration: &Proration<'_>) {
    let Proration { subscription, item, price, quantity, amount, description, period, rates } = proration;
    let details = json!({"price": price.id(), "product": price.get("product")});
    let made = whole(
        KIND,
        json!({
            "id": account.new_id("ii"), "object": KIND, "amount": amount, "currency": price.get("currency"),
            "customer": subscription.get("customer"), "date": now(), "description": description,
            "discountable": false, "discounts": [], "livemode": account.live(),
            "metadata": subscription.get("metadata"), "net_amount": amount,
            "parent": {
                "subscription_details": {"subscription": subscription.id(), "subscription_item": item.id()},
                "type": "subscription_details",
            },
            "period": {"end": period.1, "start": period.0},
            "pricing": {
                "price_details": details, "type": "price_details",
                "unit_amount_decimal": price.get("unit_amount_decimal"),
            },
            "proration": true, "quantity": quantity, "quantity_decimal": quantity.to_string(), "tax_rates": rates,
            "test_clock": subscription.get("test_clock"),
        }),
    );
    account.create(KIND, "invoiceitem.created", &made);
}

/// The items of a customer that are on no invoice yet, oldest first. Those of a subscription only when that is
/// what the invoice is for.
pub(super) fn pending(account: &Account, customer: &str, currency: &str, subscription: Option<&str>) -> Vec<Object> {
    let mut found = account.select(KIND, customer, |i| {
        let of = i.object("parent").and_then(|p| p.object("subscription_details")).and_then(|d| d.text("subscription"));
        i.text("customer") == Some(customer)
            && i.text("currency") == Some(currency)
            && i.text("invoice").is_none()
            && of.is_none_or(|of| subscription == Some(of))
    });
    found.reverse();
    found
}

/// Puts an item on an invoice as its last line.
pub(super) fn put_on(account: &mut Account, invoice: &mut Object, item: &mut Object) {
    item.insert("invoice".into(), invoice.id().into());
    account.put(KIND, item);
    let empty = Object::new();
    let pricing = item.object("pricing").unwrap_or(&empty);
    let period = item.object("period").unwrap_or(&empty);
    let subscription = item.object("parent").and_then(|p| p.object("subscription_details"));
    let subscription_id = subscription.and_then(|d| d.text("subscription"));
    let parent = match subscription.filter(|_| item.is_true("proration")) {
        Some(details) => json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": item.id(), "proration": true, "proration_details": {"credited_items": null},
                "subscription": details.get("subscription"), "subscription_item": details.get("subscription_item"),
            },
            "type": "subscription_item_details",
        }),
        None => json!({
            "invoice_item_details": {
                "invoice_item": item.id(), "proration": false, "proration_details": {"credited_items": null},
                "subscription": subscription_id,
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
    };
    let line = Line {
        description: item.text("description").map(str::to_owned),
        amount: item.integer("amount").unwrap_or_default(),
        quantity: item.integer("quantity").unwrap_or(1),
        period: (period.integer("start").unwrap_or_default(), period.integer("end").unwrap_or_default()),
        price: pricing.get("price_details").cloned().unwrap_or_default(),
        unit: pricing.text("unit_amount_decimal").map(str::to_owned),
        parent,
        subscription: subscription_id.map(str::to_owned),
        discountable: item.is_true("discountable"),
        discounts: item.list("discounts").to_vec(),
        rates: item.objects("tax_rates").cloned().collect(),
        metadata: item.get("metadata").cloned().unwrap_or_default(),
    };
    invoice::push(account, invoice, line);
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn on_draft(account: &Account, item: &Object) -> Result<Option<Object>, ApiError> {
    let Some(id) = item.text("invoice") else { return Ok(None) };
    let invoice = account.find("invoice", id, "invoice")?;
    if invoice.text("status") == Some("draft") {
        return Ok(Some(invoice));
    }
    Err(ApiError::invalid("This invoice item is already attached to an invoice that is no longer editable."))
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let invoice = on_draft(call.account, &old)?;
    let sent = std::mem::take(&mut call.parameters);
    let mut new = old.clone();
    let priced = ["amount", "pricing", "price_data", "unit_amount_decimal", "quantity"];
    if priced.iter().any(|n| sent.contains_key(*n)) {
        let mut wanted = sent.clone();
        let repriced = priced.iter().any(|n| *n != "quantity" && sent.contains_key(*n));
        if !repriced {
            let unit = old.object("pricing").and_then(|p| p.text("unit_amount_decimal")).unwrap_or("0");
            wanted.insert("unit_amount_decimal".into(), unit.into());
        }
        let currency = old.text("currency").unwrap_or("usd").to_owned();
        let charged = charged(call.account, &wanted, &currency, "")?;
        charged.keep_price(call.account);
        new.insert("amount".into(), charged.amount.into());
        new.insert("net_amount".into(), charged.amount.into());
        new.insert("quantity".into(), charged.quantity.into());
        new.insert("quantity_decimal".into(), charged.quantity.to_string().into());
        if let Some(Value::Object(pricing)) = new.get_mut("pricing") {
            pricing.insert("unit_amount_decimal".into(), charged.unit.as_str().into());
            if charged.price.is_some() {
                pricing.insert("price_details".into(), charged.details());
            }
        }
    }
    for name in ["description", "discountable", "period"] {
        if let Some(value) = sent.get(name) {
            new.insert(name.into(), value.clone());
        }
    }
    if let Some(rates) = rates::taxes_named(call.account, &sent, "tax_rates")? {
        new.insert("tax_rates".into(), rates.into());
    }
    assign_metadata(&mut new, &sent)?;
    // Stripe tells of new and of deleted items only.
    call.account.put(KIND, &new);
    if let Some(old) = invoice {
        let mut changed = old.clone();
        invoice::take_off(&mut changed, new.id());
        put_on(call.account, &mut changed, &mut new);
        invoice::recompute(call.account, &mut changed);
        call.account.update("invoice", "invoice.updated", &old, &changed);
    }
    Ok(new.into())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let item = call.named(KIND)?;
    let invoice = on_draft(call.account, &item)?;
    let id = item.id().to_owned();
    call.account.remove(KIND, &id, None);
    call.account.emit("invoiceitem.deleted", written(&item));
    if let Some(old) = invoice {
        let mut new = old.clone();
        invoice::take_off(&mut new, &id);
        invoice::recompute(call.account, &mut new);
        call.account.update("invoice", "invoice.updated", &old, &new);
    }
    Ok(deleted(KIND, &id).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let pending = call.parameters.get("pending").and_then(Value::as_bool);
    listing::shelf_where(call, KIND, &[("customer", "customer"), ("invoice", "invoice")], |i| {
        pending.is_none_or(|p| p == i.text("invoice").is_none())
    })
}
