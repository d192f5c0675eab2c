//! Invoices of subscriptions: made, finalized and paid.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, object, sublist};
use super::payment_intent::{self, Terms};
use super::{
    Call, Operations, Read, Reply, customer, invoice_payment, listing, payment_method, price, search, subscription,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/invoices", list),
    ("GET", "/v1/invoices/search", find),
    ("GET", "/v1/invoices/{invoice}", retrieve),
    ("POST", "/v1/invoices/{invoice}", update),
    ("GET", "/v1/invoices/{invoice}/lines", list_lines),
    ("POST", "/v1/invoices/{invoice}/pay", pay),
    ("POST", "/v1/invoices/{invoice}/void", void),
];

const KIND: &str = "invoice";

/// A line for one item of a subscription. During a trial it costs nothing.
fn line(account: &mut Account, invoice: &str, subscription: &Object, item: &Object, trial: bool) -> Value {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    let quantity = item.integer("quantity").unwrap_or(1);
    let amount = if trial { 0 } else { price::total(price, quantity) };
    let product = price.text("product").and_then(|p| account.get("product", p));
    let name = product.as_ref().and_then(|p| p.text("name")).unwrap_or("Product").to_owned();
    let interval = price.object("recurring").and_then(|r| r.text("interval")).unwrap_or("month");
    let description = if trial {
        format!("Trial period for {name}")
    } else {
        let each = super::format_amount(
            price.integer("unit_amount").unwrap_or_default(),
            price.text("currency").unwrap_or("usd"),
        );
        format!("{quantity} × {name} (at {each} / {interval})")
    };
    let decimal = if trial { Some("0") } else { price.text("unit_amount_decimal") };
    json!({
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price.get("currency"),
        "description": description,
        "discount_amounts": [],
        "discountable": true,
        "discounts": [],
        "invoice": invoice,
        "livemode": account.live(),
        "metadata": subscription.get("metadata"),
        "parent": {
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null, "proration": false, "proration_details": {"credited_items": null},
                "subscription": subscription.id(), "subscription_item": item.id(),
            },
            "type": "subscription_item_details",
        },
        "period": {"end": item.get("current_period_end"), "start": item.get("current_period_start")},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price.id(), "product": price.get("product")},
            "type": "price_details",
            "unit_amount_decimal": decimal,
        },
        "quantity": quantity,
        "quantity_decimal": quantity.to_string(),
        "subscription": subscription.id(),
        "subtotal": amount,
        "taxes": [],
    })
}

/// A draft for the current period of a subscription; kept, and told of.
pub(super) fn draft(account: &mut Account, subscription: &Object, reason: &str) -> Object {
    let id = account.new_id("in");
    let trial = subscription.text("status") == Some("trialing");
    let empty = Object::new();
    let items: Vec<Object> = subscription.object("items").unwrap_or(&empty).objects("data").cloned().collect();
    let lines: Vec<Value> = items.iter().map(|i| line(account, &id, subscription, i, trial)).collect();
    let total: i64 = lines.iter().filter_map(|l| l["amount"].as_i64()).sum();
    let customer = account.get("customer", subscription.text("customer").unwrap_or_default()).unwrap_or_default();
    let automatic = subscription.text("collection_method") == Some("charge_automatically");
    let created = now();
    let due = subscription.integer("days_until_due").map(|days| created.saturating_add(days.saturating_mul(86_400)));
    let invoice = object(json!({
        "id": id,
        "object": KIND,
        "account_country": "US",
        "account_name": "Simulated Shop",
        "account_tax_ids": null,
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total,
        "amount_shipping": 0,
        "application": null,
        "attempt_count": 0,
        "attempted": false,
        "auto_advance": true,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null},
        "automatically_finalizes_at": null,
        "billing_reason": reason,
        "collection_method": subscription.get("collection_method"),
        "created": created,
        "currency": subscription.get("currency"),
        "custom_fields": null,
        "customer": subscription.get("customer"),
        "customer_account": null,
        "customer_address": customer.get("address"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"),
        "customer_shipping": customer.get("shipping"),
        "customer_tax_exempt": customer.text("tax_exempt").unwrap_or("none"),
        "customer_tax_ids": [],
        "default_payment_method": null,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "due_date": if automatic { None } else { due },
        "effective_at": null,
        "ending_balance": null,
        "footer": null,
        "from_invoice": null,
        "hosted_invoice_url": null,
        "invoice_pdf": null,
        "issuer": {"type": "self"},
        "last_finalization_error": null,
        "latest_revision": null,
        "lines": sublist(lines, format!("/v1/invoices/{id}/lines")),
        "livemode": account.live(),
        "metadata": {},
        "next_payment_attempt": null,
        "number": null,
        "on_behalf_of": null,
        "parent": {
            "quote_details": null,
            "subscription_details": {"metadata": subscription.get("metadata"), "subscription": subscription.id()},
            "type": "subscription_details",
        },
        "payment_settings": {"default_mandate": null, "payment_method_options": null, "payment_method_types": null},
        "period_end": created,
        "period_start": created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": null,
        "rendering": null,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": 0,
        "statement_descriptor": null,
        "status": "draft",
        "status_details": null,
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": null,
        "threshold_reason": null,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": null,
    }));
    account.create(KIND, "invoice.created", &invoice);
    invoice
}

fn transition(invoice: &mut Object, name: &str, time: i64) {
    if let Some(Value::Object(transitions)) = invoice.get_mut("status_transitions") {
        transitions.insert(name.into(), time.into());
    }
}

/// Makes a draft final: it has a number, and a payment intent when there is something to pay at once.
pub(super) fn finalize(account: &mut Account, invoice: &mut Object, method: Option<&Object>) -> Option<Object> {
    let number = next_number(account, invoice.text("customer").unwrap_or_default());
    let id = invoice.id().to_owned();
    let hosted = format!("{}/_simulator/invoices/{id}", account.settings().base_url);
    let time = now();
    invoice.insert("number".into(), number.into());
    invoice.insert("status".into(), "open".into());
    invoice.insert("effective_at".into(), time.into());
    invoice.insert("ending_balance".into(), 0.into());
    invoice.insert("invoice_pdf".into(), format!("{hosted}/pdf").into());
    invoice.insert("hosted_invoice_url".into(), hosted.into());
    transition(invoice, "finalized_at", time);
    let text = account.put(KIND, invoice);
    account.emit("invoice.finalized", text);
    let due = invoice.integer("amount_due").unwrap_or_default();
    if due == 0 || invoice.text("collection_method") != Some("charge_automatically") {
        return None;
    }
    let sent = object(json!({
        "customer": invoice.get("customer"),
        "description": "Subscription creation",
        "setup_future_usage": "off_session",
        "capture_method": "automatic",
    }));
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    let mut intent = payment_intent::build(account, due, &currency, &sent);
    if let Some(method) = method {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    account.purposes.insert(intent.id().to_owned(), (KIND, id));
    invoice_payment::open(account, invoice, &intent);
    account.create("payment_intent", "payment_intent.created", &intent);
    Some(intent)
}

fn next_number(account: &mut Account, customer: &str) -> String {
    let Some(mut customer) = account.get("customer", customer) else { return "0000-0001".to_owned() };
    let sequence = customer.integer("next_invoice_sequence").unwrap_or(1);
    customer.insert("next_invoice_sequence".into(), sequence.saturating_add(1).into());
    account.put("customer", &customer);
    format!("{}-{sequence:04}", customer.text("invoice_prefix").unwrap_or("0000"))
}

/// The payment succeeded: the invoice is paid, and what waited for that goes on.
pub(super) fn settle(account: &mut Account, id: &str, intent: &Object) {
    let Some(mut invoice) = account.get(KIND, id) else { return };
    let attempts = invoice.integer("attempt_count").unwrap_or_default() + 1;
    invoice.insert("attempt_count".into(), attempts.into());
    invoice.insert("attempted".into(), true.into());
    mark_paid(account, &mut invoice);
    invoice_payment::settle(account, id);
    if let Some(subscription) = subscription_of(&invoice) {
        subscription::paid(account, &subscription, intent.text("payment_method"));
    }
}

/// Notes that nothing is left to pay.
pub(super) fn mark_paid(account: &mut Account, invoice: &mut Object) {
    let due = invoice.get("amount_due").cloned().unwrap_or_default();
    invoice.insert("amount_paid".into(), due);
    invoice.insert("amount_remaining".into(), 0.into());
    invoice.insert("attempted".into(), true.into());
    invoice.insert("auto_advance".into(), false.into());
    invoice.insert("next_payment_attempt".into(), Value::Null);
    invoice.insert("status".into(), "paid".into());
    transition(invoice, "paid_at", now());
    let text = account.put(KIND, invoice);
    account.emit("invoice.paid", text.clone());
    account.emit("invoice.payment_succeeded", text);
}

/// The payment failed.
pub(super) fn payment_failed(account: &mut Account, id: &str) {
    let Some(mut invoice) = account.get(KIND, id) else { return };
    let attempts = invoice.integer("attempt_count").unwrap_or_default() + 1;
    invoice.insert("attempt_count".into(), attempts.into());
    invoice.insert("attempted".into(), true.into());
    let text = account.put(KIND, &invoice);
    account.emit("invoice.payment_failed", text);
}

/// The payment waits for the customer.
pub(super) fn payment_action_required(account: &mut Account, id: &str) {
    if let Some(text) = account.text(KIND, id).cloned() {
        account.emit("invoice.payment_action_required", text);
    }
}

fn subscription_of(invoice: &Object) -> Option<String> {
    let details = invoice.object("parent")?.object("subscription_details")?;
    details.text("subscription").map(str::to_owned)
}

fn must_be(invoice: &Object, status: &str, verb: &str) -> Result<(), ApiError> {
    let is = invoice.text("status").unwrap_or_default();
    if is == status {
        return Ok(());
    }
    if verb == "pay" && is == "paid" {
        return Err(ApiError::invalid("Invoice is already paid").code("invoice_already_paid"));
    }
    Err(ApiError::invalid(format!("You can only {verb} an {status} invoice. This invoice is in {is} status.")))
}

fn pay(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, "open", "pay")?;
    let id = invoice.id().to_owned();
    if call.parameters.is_true("paid_out_of_band") {
        mark_paid(call.account, &mut invoice);
        if let Some(subscription) = subscription_of(&invoice) {
            subscription::paid(call.account, &subscription, None);
        }
        return Ok(invoice.into());
    }
    let owner = customer::named(call.account, invoice.text("customer").unwrap_or_default(), "customer")?;
    let subscription = subscription_of(&invoice).and_then(|s| call.account.get("subscription", &s));
    let method = match call.parameters.text("payment_method") {
        Some(id) => Some(payment_method::named(call.account, id, "payment_method")?),
        None => subscription::default_method(call.account, subscription.as_ref(), &owner),
    };
    let method = method.ok_or_else(subscription::no_method)?;
    let intent = match invoice_payment::intent_of(call.account, &id) {
        Some(intent) => Some(intent),
        None => {
            invoice.insert("collection_method".into(), "charge_automatically".into());
            finalize(call.account, &mut invoice, Some(&method))
        }
    };
    if let Some(mut intent) = intent {
        let off_session = call.parameters.get("off_session").is_some_and(|v| *v == true);
        payment_intent::attempt(call.account, &mut intent, &method, &Terms { off_session, ..Terms::default() })?;
    }
    call.named(KIND).map(Reply::from)
}

fn void(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, "open", "void")?;
    if let Some(mut intent) = invoice_payment::intent_of(call.account, invoice.id()) {
        payment_intent::void(call.account, &mut intent, "void_invoice".into());
    }
    invoice.insert("status".into(), "void".into());
    transition(&mut invoice, "voided_at", now());
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.voided", text.clone());
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    assign(KIND, &mut new, &call.parameters, &["auto_advance", "description", "footer", "statement_descriptor"]);
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(KIND, "invoice.updated", &old, &new)))
}

fn list_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let invoice = call.named(KIND)?;
    let lines = invoice.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default();
    listing::parts(call, "line_item", lines)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let equal = [
        ("collection_method", "collection_method"),
        ("customer", "customer"),
        ("status", "status"),
        ("subscription", "parent.subscription_details.subscription"),
    ];
    let due = call.parameters.get("due_date");
    listing::shelf_where(call, KIND, &equal, |i| {
        due.is_none() || i.integer("due_date").is_some_and(|d| listing::in_range(due, d))
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    const FIELDS: &[&str] =
        &["created", "currency", "customer", "metadata", "number", "receipt_number", "status", "subscription", "total"];
    search::answer(call, KIND, FIELDS)
}

/// `payments` and `confirmation_secret` of an invoice, when expanded.
pub(super) fn include(account: &Account, field: &str, invoice: &Object) -> Option<Value> {
    let id = invoice.id();
    match field {
        "payments" => {
            let payments = invoice_payment::of_invoice(account, id).into_iter().map(Value::Object).collect();
            Some(sublist(payments, format!("/v1/invoice_payments?invoice={id}")))
        }
        "confirmation_secret" => {
            let intent = invoice_payment::intent_of(account, id)?;
            Some(json!({"client_secret": intent.get("client_secret"), "type": "payment_intent"}))
        }
        _ => None,
    }
}
