//! Invoices of what was bought elsewhere: quotes that were accepted, checkout sessions that were paid.

use serde_json::{Value, json};

use super::draft::blank;
use super::finalization::seal;
use super::{KIND, Line, mark_paid, push, recompute};
use crate::resources::fields::new_metadata;
use crate::resources::{Read, invoice_payment};
use crate::world::{Account, Object, now};

/// A line for an item of a quote or of a session.
fn line(item: &Object, amount: i64, rates: Vec<Object>) -> Line {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    Line {
        description: item.text("description").map(str::to_owned),
        amount,
        quantity: item.integer("quantity").unwrap_or(1),
        period: (now(), now()),
        price: json!({"price": price.id(), "product": price.get("product")}),
        unit: price.text("unit_amount_decimal").map(str::to_owned),
        parent: Value::Null,
        subscription: None,
        discountable: true,
        discounts: Vec::new(),
        rates,
        metadata: json!({}),
    }
}

/// The draft that an accepted quote becomes.
pub(in crate::resources) fn of_quote(
    account: &mut Account,
    owner: &Object,
    quote: &Object,
    items: &[&Value],
) -> Object {
    let id = account.new_id("in");
    let mut invoice = blank(account, &id, owner, quote.text("currency").unwrap_or("usd"));
    invoice.insert("billing_reason".into(), "quote_accept".into());
    invoice.insert("description".into(), quote.get("description").cloned().unwrap_or_default());
    let parent = json!({
        "quote_details": {"quote": quote.id()}, "subscription_details": null, "type": "quote_details",
    });
    invoice.insert("parent".into(), parent);
    for item in items.iter().filter_map(|i| i.as_object()) {
        let made = line(item, item.integer("amount_total").unwrap_or_default(), Vec::new());
        push(account, &mut invoice, made);
    }
    recompute(account, &mut invoice);
    account.create(KIND, "invoice.created", &invoice);
    invoice
}

/// The invoice of a session that was paid; it is paid by the session's payment. `data` is what the session was
/// opened with.
pub(in crate::resources) fn of_session(
    account: &mut Account,
    session: &Object,
    data: &Object,
    items: &[Value],
    intent: Option<&Object>,
) -> Object {
    let owner = account.get("customer", session.text("customer").unwrap_or_default()).unwrap_or_default();
    let id = account.new_id("in");
    let mut invoice = blank(account, &id, &owner, session.text("currency").unwrap_or("usd"));
    let empty = Object::new();
    let wanted = data.object("invoice").unwrap_or(&empty);
    for name in ["custom_fields", "description", "footer"] {
        invoice.insert(name.into(), wanted.get(name).filter(|v| *v != "").cloned().unwrap_or_default());
    }
    for (name, value) in [
        ("metadata", new_metadata(wanted)),
        ("discounts", data.list("discounts").into()),
        ("shipping_cost", session.get("shipping_cost").cloned().unwrap_or_default()),
    ] {
        invoice.insert(name.into(), value);
    }
    for (index, item) in items.iter().enumerate() {
        let Some(item) = item.as_object() else { continue };
        let named = data.list("rates").get(index).and_then(Value::as_array);
        let rates = named.into_iter().flatten().filter_map(|r| account.get("tax_rate", r.as_str()?)).collect();
        let made = line(item, item.integer("amount_subtotal").unwrap_or_default(), rates);
        push(account, &mut invoice, made);
    }
    recompute(account, &mut invoice);
    account.create(KIND, "invoice.created", &invoice);
    seal(account, &mut invoice);
    if let Some(intent) = intent {
        invoice_payment::open(account, &invoice, intent, true);
    }
    mark_paid(account, &mut invoice);
    if let Some(intent) = intent {
        invoice_payment::settle(account, &id, intent.id(), intent.integer("amount").unwrap_or_default());
    }
    invoice
}
