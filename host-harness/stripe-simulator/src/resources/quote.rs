//! Quotes: an offer that becomes a subscription or an invoice when it is accepted.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, new_metadata, whole};
use super::file::Contents;
use super::{Call, Operations, Read, Reply, checkout_session, customer, invoice, listing, money, subscription};
use crate::paper;
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/quotes", list),
    ("POST", "/v1/quotes", create),
    ("GET", "/v1/quotes/{quote}", retrieve),
    ("POST", "/v1/quotes/{quote}", update),
    ("POST", "/v1/quotes/{quote}/accept", accept),
    ("POST", "/v1/quotes/{quote}/cancel", cancel),
    ("POST", "/v1/quotes/{quote}/finalize", finalize),
    ("GET", "/v1/quotes/{quote}/line_items", list_items),
    ("GET", "/v1/quotes/{quote}/computed_upfront_line_items", list_items),
];

const KIND: &str = "quote";
/// Where the line items are: they are part of no answer unless expanded.
const ITEMS: &str = "quote.line_items";
const DAY: i64 = 86_400;

fn put_items(account: &mut Account, quote: &mut Object, sent: &Object) -> Result<(), ApiError> {
    let cart = checkout_session::cart(account, sent)?;
    checkout_session::keep_new(account, &cart.new);
    let total = cart.total;
    let none = json!({"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0});
    let first = cart.items.iter().filter_map(|i| i.pointer("/price/recurring")).find(|r| !r.is_null()).cloned();
    let recurring = first.map(|r| {
        json!({
            "amount_subtotal": total, "amount_total": total, "interval": r.get("interval"),
            "interval_count": r.get("interval_count"), "total_details": none,
        })
    });
    quote.insert("currency".into(), cart.currency.unwrap_or_else(|| "usd".to_owned()).into());
    quote.insert("amount_subtotal".into(), total.into());
    quote.insert("amount_total".into(), total.into());
    quote.insert("total_details".into(), none.clone());
    let upfront = json!({"amount_subtotal": total, "amount_total": total, "total_details": none});
    quote.insert("computed".into(), json!({"recurring": recurring, "upfront": upfront}));
    let kept = json!({"id": quote.id(), "created": quote.get("created"), "data": cart.items});
    account.put(ITEMS, &super::fields::object(kept));
    Ok(())
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let owner = match sent.text("customer") {
        Some(id) => Some(customer::named(call.account, id, "customer")?),
        None => None,
    };
    let time = now();
    let sends = sent.text("collection_method") == Some("send_invoice");
    let data = sent.object("subscription_data").cloned().unwrap_or_default();
    let mut quote = whole(
        KIND,
        json!({
            "id": call.account.new_id("qt"), "object": KIND, "amount_subtotal": 0, "amount_total": 0,
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "collection_method": if sends { "send_invoice" } else { "charge_automatically" }, "computed": {},
            "created": time, "customer": owner.as_ref().map(Read::id), "default_tax_rates": [],
            "description": sent.text("description"), "discounts": [],
            "expires_at": sent.integer("expires_at").unwrap_or(time + 30 * DAY), "footer": sent.text("footer"),
            "header": sent.text("header"),
            "invoice_settings": {
                "custom_fields": null, "days_until_due": sent.object("invoice_settings").and_then(|s| s.integer("days_until_due")),
                "description": null, "footer": null, "issuer": {"type": "self"},
            },
            "livemode": call.account.live(), "metadata": new_metadata(&sent), "status": "draft",
            "status_transitions": {"accepted_at": null, "canceled_at": null, "finalized_at": null},
            "subscription_data": {
                "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
                "description": data.get("description"), "effective_date": null, "metadata": new_metadata(&data),
                "trial_period_days": data.integer("trial_period_days"),
            },
            "test_clock": owner.as_ref().and_then(|o| o.get("test_clock")), "total_details": {},
        }),
    );
    put_items(call.account, &mut quote, &sent)?;
    quote.remove("line_items");
    Ok(Reply::Kept(call.account.create(KIND, "quote.created", &quote)))
}

fn in_status(quote: &Object, wanted: &[&str], verb: &str) -> Result<(), ApiError> {
    let status = quote.text("status").unwrap_or_default();
    if wanted.contains(&status) {
        return Ok(());
    }
    let message = format!("You can only {verb} a quote that is {}; this one is {status}.", wanted.join(" or "));
    Err(ApiError::invalid(message).code("quote_unexpected_status"))
}

fn step(quote: &mut Object, status: &str, moment: &str) {
    quote.insert("status".into(), status.into());
    if let Some(Value::Object(moments)) = quote.get_mut("status_transitions") {
        moments.insert(moment.into(), now().into());
    }
}

fn finalize(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut quote = call.named(KIND)?;
    in_status(&quote, &["draft"], "finalize")?;
    if quote.text("customer").is_none() {
        return Err(ApiError::invalid("A quote needs a customer before it can be finalized.").param("customer"));
    }
    if items_of(call.account, quote.id()).is_empty() {
        return Err(ApiError::invalid("A quote needs line items before it can be finalized.").param("line_items"));
    }
    step(&mut quote, "open", "finalized_at");
    let number = format!("QT-{}-0001", call.account.letters(8).to_uppercase());
    quote.insert("number".into(), number.into());
    let text = call.account.put(KIND, &quote);
    call.account.emit("quote.finalized", text.clone());
    Ok(Reply::Kept(text))
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut quote = call.named(KIND)?;
    in_status(&quote, &["draft", "open"], "cancel")?;
    step(&mut quote, "canceled", "canceled_at");
    let text = call.account.put(KIND, &quote);
    call.account.emit("quote.canceled", text.clone());
    Ok(Reply::Kept(text))
}

fn accept(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut quote = call.named(KIND)?;
    in_status(&quote, &["open"], "accept")?;
    let items = items_of(call.account, quote.id());
    let owner = call.account.get("customer", quote.text("customer").unwrap_or_default()).unwrap_or_default();
    let empty = Object::new();
    let (recurring, once): (Vec<&Value>, Vec<&Value>) =
        items.iter().partition(|i| i.pointer("/price/recurring").is_some_and(|r| !r.is_null()));
    if recurring.is_empty() {
        let made = invoice::of_quote(call.account, &owner, &quote, &once);
        quote.insert("invoice".into(), made.id().into());
    } else {
        let data = quote.object("subscription_data").unwrap_or(&empty);
        let lines: Vec<Value> =
            recurring.iter().map(|i| json!({"price": i.pointer("/price/id"), "quantity": i.get("quantity")})).collect();
        let mut sent = super::fields::object(json!({
            "customer": owner.id(), "items": lines, "collection_method": quote.get("collection_method"),
            "metadata": data.get("metadata"), "description": data.get("description"),
            "payment_behavior": "default_incomplete",
        }));
        if let Some(days) = quote.object("invoice_settings").and_then(|s| s.integer("days_until_due")) {
            sent.insert("days_until_due".into(), days.into());
        } else if quote.text("collection_method") == Some("send_invoice") {
            sent.insert("days_until_due".into(), 30.into());
        }
        if let Some(days) = data.integer("trial_period_days") {
            sent.insert("trial_period_days".into(), days.into());
        }
        let made = subscription::create(call.account, &sent, &subscription::Start::default())?;
        quote.insert("subscription".into(), made.id().into());
        quote.insert("invoice".into(), made.get("latest_invoice").cloned().unwrap_or_default());
    }
    step(&mut quote, "accepted", "accepted_at");
    let text = call.account.put(KIND, &quote);
    call.account.emit("quote.accepted", text.clone());
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut quote = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    if sent.keys().any(|k| k != "metadata") {
        in_status(&quote, &["draft"], "update")?;
    }
    if let Some(id) = sent.text("customer") {
        quote.insert("customer".into(), customer::named(call.account, id, "customer")?.id().into());
    }
    assign(KIND, &mut quote, &sent, &["description", "footer", "header", "expires_at"]);
    assign_metadata(&mut quote, &sent)?;
    if sent.contains_key("line_items") {
        put_items(call.account, &mut quote, &sent)?;
    }
    Ok(Reply::Kept(call.account.put(KIND, &quote)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("customer", "customer"), ("status", "status"), ("test_clock", "test_clock")])
}

fn items_of(account: &Account, quote: &str) -> Vec<Value> {
    account.get(ITEMS, quote).map(|i| i.list("data").to_vec()).unwrap_or_default()
}

fn list_items(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let quote = call.named(KIND)?;
    let items = items_of(call.account, quote.id());
    listing::parts(call, "item", items)
}

/// A quote as a person reads it.
///
/// # Errors
/// There is no such quote.
pub(super) fn pdf(account: &mut Account, id: &str) -> Result<Contents, ApiError> {
    let quote = account.find(KIND, id, "id")?;
    let currency = quote.text("currency").unwrap_or("usd");
    let amount = |item: &Object, name: &str| money::amount(item.integer(name).unwrap_or_default(), currency);
    let mut text = vec![format!("Quote {}", quote.text("number").unwrap_or_default())];
    text.extend(quote.text("header").map(str::to_owned));
    for item in items_of(account, id).iter().filter_map(Value::as_object) {
        text.push(format!("{}: {}", item.text("description").unwrap_or("Item"), amount(item, "amount_total")));
    }
    text.push(format!("Total: {}", amount(&quote, "amount_total")));
    text.extend(quote.text("footer").map(str::to_owned));
    Ok(Contents { bytes: paper::document(&text).into(), media_type: "application/pdf" })
}

/// `line_items` of a quote, when expanded.
pub(super) fn line_items(account: &Account, quote: &Object) -> Value {
    super::fields::sublist(items_of(account, quote.id()), format!("/v1/quotes/{}/line_items", quote.id()))
}
