//! Invoices: drafts with lines, discounts and taxes; finalized, sent, paid, voided or given up.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, deleted, new_metadata, object, sublist, whole};
use super::payment_intent::{self, Terms};
use super::{
    Call, Operations, Read, Reply, customer, discount, invoice_payment, invoiceitem, listing, meter, money,
    payment_method, price, rates, search, subscription, tax_id,
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
    ("POST", "/v1/invoices", create),
    ("POST", "/v1/invoices/create_preview", preview),
    ("DELETE", "/v1/invoices/{invoice}", delete),
    ("POST", "/v1/invoices/{invoice}/add_lines", add_lines),
    ("POST", "/v1/invoices/{invoice}/finalize", finalize_operation),
    ("POST", "/v1/invoices/{invoice}/lines/{line_item_id}", update_line),
    ("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
    ("POST", "/v1/invoices/{invoice}/remove_lines", remove_lines),
    ("POST", "/v1/invoices/{invoice}/send", send),
    ("POST", "/v1/invoices/{invoice}/update_lines", update_lines),
];

const KIND: &str = "invoice";
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What a line of an invoice is made from.
pub(super) struct Line {
    pub(super) description: Option<String>,
    pub(super) amount: i64,
    pub(super) quantity: i64,
    pub(super) period: (i64, i64),
    /// Price and product, or `null`.
    pub(super) price: Value,
    pub(super) unit: Option<String>,
    pub(super) parent: Value,
    pub(super) subscription: Option<String>,
    pub(super) discountable: bool,
    pub(super) discounts: Vec<Value>,
    pub(super) rates: Vec<Object>,
    pub(super) metadata: Value,
}

/// Adds a line at the end. Sums are made by [`recompute`].
pub(super) fn push(account: &mut Account, invoice: &mut Object, line: Line) {
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
pub(super) fn take_off(invoice: &mut Object, item: &str) {
    if let Some(Value::Array(data)) = invoice.get_mut("lines").and_then(|l| l.get_mut("data")) {
        data.retain(|l| {
            let belongs = |path: &str| l.pointer(path).is_some_and(|of| of == item);
            !belongs("/parent/invoice_item_details/invoice_item")
                && !belongs("/parent/subscription_item_details/invoice_item")
        });
    }
}

/// A line for one item of a subscription. During a trial it costs nothing.
fn push_item(account: &mut Account, invoice: &mut Object, subscription: &Object, item: &Object, trial: bool) {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    let metered = price.object("recurring").and_then(|r| r.text("usage_type")) == Some("metered");
    let quantity =
        if metered { meter::usage(account, subscription, item) } else { item.integer("quantity").unwrap_or(1) };
    let amount = if trial { 0 } else { price::cost(account, price, quantity) };
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
                "invoice_item": null, "proration": false, "proration_details": {"credited_items": null},
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

/// A draft for the current period of a subscription; kept, and told of.
pub(super) fn draft(account: &mut Account, subscription: &Object, reason: &str) -> Object {
    let id = account.new_id("in");
    let trial = subscription.text("status") == Some("trialing");
    let empty = Object::new();
    let items: Vec<Object> = subscription.object("items").unwrap_or(&empty).objects("data").cloned().collect();
    let customer = account.get("customer", subscription.text("customer").unwrap_or_default()).unwrap_or_default();
    let mut invoice = blank(account, &id, &customer, subscription.text("currency").unwrap_or("usd"));
    let automatic = subscription.text("collection_method") == Some("charge_automatically");
    let due = subscription.integer("days_until_due").map(|days| now().saturating_add(days.saturating_mul(DAY)));
    for (name, value) in [
        ("billing_reason", reason.into()),
        ("collection_method", subscription.get("collection_method").cloned().unwrap_or_default()),
        ("auto_advance", true.into()),
        ("default_tax_rates", subscription.get("default_tax_rates").cloned().unwrap_or_default()),
        ("discounts", subscription.list("discounts").into()),
        ("due_date", if automatic { Value::Null } else { due.into() }),
        (
            "parent",
            json!({
                "quote_details": null,
                "subscription_details": {"metadata": subscription.get("metadata"), "subscription": subscription.id()},
                "type": "subscription_details",
            }),
        ),
    ] {
        invoice.insert(name.into(), value);
    }
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    for mut item in invoiceitem::pending(account, customer.id(), &currency, Some(subscription.id())) {
        invoiceitem::put_on(account, &mut invoice, &mut item);
    }
    // A change of a subscription is paid with what it prorated alone.
    if reason != "subscription_update" {
        for item in &items {
            push_item(account, &mut invoice, subscription, item, trial);
        }
    }
    if invoice.list("discounts").is_empty()
        && let Some(discount) = customer.object("discount")
    {
        invoice.insert("discounts".into(), json!([discount.id()]));
    }
    recompute(account, &mut invoice);
    account.create(KIND, "invoice.created", &invoice);
    invoice
}

/// A draft without lines; neither kept nor told of.
fn blank(account: &mut Account, id: &str, customer: &Object, currency: &str) -> Object {
    let created = now();
    whole(
        KIND,
        json!({
            "id": id,
            "object": KIND,
            "account_country": "US",
            "account_name": "Simulated Shop",
            "amount_due": 0,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_paid_off_stripe": 0,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "attempt_count": 0,
            "attempted": false,
            "auto_advance": false,
            "automatic_tax": {
                "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
            },
            "billing_reason": "manual",
            "collection_method": "charge_automatically",
            "created": created,
            "currency": currency,
            "customer": customer.id(),
            "customer_address": customer.get("address"),
            "customer_email": customer.get("email"),
            "customer_name": customer.get("name"),
            "customer_phone": customer.get("phone"),
            "customer_shipping": customer.get("shipping"),
            "customer_tax_exempt": customer.text("tax_exempt").unwrap_or("none"),
            "customer_tax_ids": tax_id::on_invoices(account, customer.id()),
            "default_tax_rates": [],
            "discounts": [],
            "issuer": {"type": "self"},
            "lines": sublist(Vec::new(), format!("/v1/invoices/{id}/lines")),
            "livemode": account.live(),
            "metadata": {},
            "payment_settings": {
                "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
            },
            "period_end": created,
            "period_start": created,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": "draft",
            "status_transitions": {
                "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
            },
            "subtotal": 0,
            "test_clock": customer.get("test_clock"),
            "total": 0,
            "total_discount_amounts": [],
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
        }),
    )
}

/// Makes the sums of a draft out of its lines, discounts, taxes and shipping.
pub(super) fn recompute(account: &Account, invoice: &mut Object) {
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

fn transition(invoice: &mut Object, name: &str, time: i64) {
    if let Some(Value::Object(transitions)) = invoice.get_mut("status_transitions") {
        transitions.insert(name.into(), time.into());
    }
}

/// Makes a draft final: it has a number, and a payment intent when there is something to pay at once.
pub(super) fn finalize(account: &mut Account, invoice: &mut Object, method: Option<&Object>) -> Option<Object> {
    let own = invoice.text("number").map(str::to_owned);
    let customer = invoice.text("customer").unwrap_or_default().to_owned();
    let number = own.unwrap_or_else(|| next_number(account, &customer));
    let id = invoice.id().to_owned();
    let hosted = format!("{}/_simulator/invoices/{id}", account.settings().base_url);
    let time = now();
    invoice.insert("number".into(), number.into());
    invoice.insert("status".into(), "open".into());
    if invoice.get("effective_at").is_none_or(Value::is_null) {
        invoice.insert("effective_at".into(), time.into());
    }
    apply_balance(account, invoice, &customer);
    invoice.insert("automatically_finalizes_at".into(), Value::Null);
    invoice.insert("invoice_pdf".into(), format!("{hosted}/pdf").into());
    invoice.insert("hosted_invoice_url".into(), hosted.into());
    transition(invoice, "finalized_at", time);
    let text = account.put(KIND, invoice);
    account.emit("invoice.finalized", text);
    let due = invoice.integer("amount_due").unwrap_or_default();
    if due == 0 || invoice.text("collection_method") != Some("charge_automatically") {
        return None;
    }
    Some(intend(account, invoice, method))
}

/// What the customer has or owes from before goes into what is due.
fn apply_balance(account: &mut Account, invoice: &mut Object, customer: &str) {
    let balance = account.get("customer", customer).and_then(|c| c.integer("balance")).unwrap_or_default();
    let total = invoice.integer("total").unwrap_or_default();
    let sum = total.saturating_add(balance);
    let due = sum.max(0);
    invoice.insert("starting_balance".into(), balance.into());
    invoice.insert("ending_balance".into(), sum.min(0).into());
    invoice.insert("amount_due".into(), due.into());
    invoice.insert("amount_remaining".into(), due.into());
    let used = sum.min(0).saturating_sub(balance);
    if used != 0 {
        let kind = "applied_to_invoice";
        customer::move_balance(account, customer, used, kind, &[("invoice", invoice.id())]);
    }
}

/// The payment intent of an invoice that has none yet.
fn intend(account: &mut Account, invoice: &Object, method: Option<&Object>) -> Object {
    let of_subscription = subscription_of(invoice).is_some();
    let first = invoice.text("billing_reason") == Some("subscription_create");
    let sent = object(json!({
        "customer": invoice.get("customer"),
        "description": match (first, of_subscription) {
            (true, _) => "Subscription creation",
            (_, true) => "Subscription update",
            _ => "Payment for Invoice",
        },
        "setup_future_usage": of_subscription.then_some("off_session"),
        "capture_method": "automatic",
    }));
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    let due = invoice.integer("amount_remaining").unwrap_or_default();
    let mut intent = payment_intent::build(account, due, &currency, &sent);
    if let Some(method) = method {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    account.purposes.insert(intent.id().to_owned(), (KIND, invoice.id().to_owned()));
    invoice_payment::open(account, invoice, &intent);
    account.create("payment_intent", "payment_intent.created", &intent);
    intent
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
    let paid = invoice.integer("amount_paid").unwrap_or_default();
    let left = invoice.integer("amount_remaining").unwrap_or_default();
    invoice.insert("amount_paid".into(), paid.saturating_add(left).into());
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

pub(super) fn subscription_of(invoice: &Object) -> Option<String> {
    let details = invoice.object("parent")?.object("subscription_details")?;
    details.text("subscription").map(str::to_owned)
}

fn must_be(invoice: &Object, statuses: &[&str], verb: &str) -> Result<(), ApiError> {
    let is = invoice.text("status").unwrap_or_default();
    if statuses.contains(&is) {
        return Ok(());
    }
    if verb == "pay" && is == "paid" {
        return Err(ApiError::invalid("Invoice is already paid").code("invoice_already_paid"));
    }
    let wanted = statuses.join(" or ");
    Err(ApiError::invalid(format!("You can only {verb} an {wanted} invoice. This invoice is in {is} status."))
        .code("invoice_not_editable"))
}

/// Only drafts can be changed.
pub(super) fn check_draft(invoice: &Object) -> Result<(), ApiError> {
    if invoice.text("status") == Some("draft") {
        return Ok(());
    }
    Err(ApiError::invalid("Finalized invoices can't be updated in this way").code("invoice_not_editable"))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let subscription = match sent.text("subscription") {
        Some(id) => Some(account.find("subscription", id, "subscription")?),
        None => None,
    };
    let owner = match (sent.text("customer"), &subscription) {
        (Some(id), _) => id.to_owned(),
        (None, Some(subscription)) => subscription.text("customer").unwrap_or_default().to_owned(),
        (None, None) => return Err(ApiError::missing_param("customer")),
    };
    let owner = customer::named(account, &owner, "customer")?;
    let currency = match (sent.text("currency"), &subscription) {
        (Some(code), _) => money::currency(code, "currency")?,
        (None, Some(subscription)) => subscription.text("currency").unwrap_or("usd").to_owned(),
        (None, None) => owner.text("currency").unwrap_or("usd").to_owned(),
    };
    let sends = check_collection(&sent, "charge_automatically")?;
    let rates = rates::taxes_named(account, &sent, "default_tax_rates")?;
    let redeemed = discount::redeem(account, &sent)?;
    if let Some(redeemed) = &redeemed {
        discount::check_currency(redeemed, &currency)?;
    }
    if let Some(id) = sent.text("default_payment_method") {
        account.find("payment_method", id, "default_payment_method")?;
    }
    let shipping = match sent.object("shipping_cost") {
        Some(cost) => rates::shipping_of(account, cost, "shipping_cost")?,
        None => None,
    };
    let id = account.new_id("in");
    let mut invoice = blank(account, &id, &owner, &currency);
    change(&mut invoice, &sent);
    let days = sent.integer("days_until_due");
    let due = sent.integer("due_date").or_else(|| days.map(|d| now().saturating_add(d.saturating_mul(DAY))));
    invoice.insert("due_date".into(), due.into());
    if sends {
        invoice.insert("collection_method".into(), "send_invoice".into());
    }
    invoice.insert("auto_advance".into(), sent.is_true("auto_advance").into());
    invoice.insert("metadata".into(), new_metadata(&sent));
    if let Some(rates) = rates {
        invoice.insert("default_tax_rates".into(), rates.into());
    }
    if let Some(shipping) = shipping {
        invoice.insert("shipping_cost".into(), rates::shipping_cost(&shipping));
    }
    if let Some(subscription) = &subscription {
        let parent = json!({
            "quote_details": null,
            "subscription_details": {"metadata": subscription.get("metadata"), "subscription": subscription.id()},
            "type": "subscription_details",
        });
        invoice.insert("parent".into(), parent);
    }
    let discounts = match redeemed {
        Some(redeemed) => discount::attach(account, redeemed, &[("invoice", &id), ("customer", owner.id())]),
        None => owner.object("discount").map(|d| d.id().into()).into_iter().collect(),
    };
    invoice.insert("discounts".into(), discounts.into());
    if sent.text("pending_invoice_items_behavior") == Some("include") || subscription.is_some() {
        let of = subscription.as_ref().map(Read::id);
        for mut item in invoiceitem::pending(account, owner.id(), &currency, of) {
            invoiceitem::put_on(account, &mut invoice, &mut item);
        }
    }
    if invoice.is_true("auto_advance") {
        invoice.insert("automatically_finalizes_at".into(), now().saturating_add(HOUR).into());
    }
    recompute(account, &mut invoice);
    Ok(Reply::Kept(account.create(KIND, "invoice.created", &invoice)))
}

/// Whether invoices are sent to the customer; then it must be said when they are due.
fn check_collection(sent: &Object, before: &str) -> Result<bool, ApiError> {
    let sends = sent.text("collection_method").unwrap_or(before) == "send_invoice";
    let dated = sent.contains_key("days_until_due") || sent.contains_key("due_date");
    if sends && !dated && before != "send_invoice" {
        return Err(ApiError::missing_param("days_until_due"));
    }
    if !sends && dated {
        let message = "`days_until_due` and `due_date` can only be set when `collection_method` is `send_invoice`.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }
    for name in ["days_until_due", "due_date"] {
        if sent.integer(name).is_some_and(|d| d < 0) {
            return Err(ApiError::too_small(name, 0));
        }
    }
    Ok(sends)
}

fn change(invoice: &mut Object, sent: &Object) {
    const FIELDS: &[&str] = &[
        "auto_advance",
        "custom_fields",
        "default_payment_method",
        "description",
        "effective_at",
        "footer",
        "number",
        "on_behalf_of",
        "shipping_details",
        "statement_descriptor",
        "automatically_finalizes_at",
    ];
    assign(KIND, invoice, sent, FIELDS);
}

fn finalize_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["draft"], "finalize")?;
    if let Some(advance) = call.parameters.get("auto_advance") {
        invoice.insert("auto_advance".into(), advance.clone());
    }
    finish(call.account, &mut invoice);
    call.named(KIND).map(Reply::from)
}

/// Finalizes; what costs nothing is paid by that.
pub(super) fn finish(account: &mut Account, invoice: &mut Object) -> Option<Object> {
    let intent = finalize(account, invoice, None);
    if invoice.integer("amount_due") == Some(0) {
        mark_paid(account, invoice);
        if let Some(subscription) = subscription_of(invoice) {
            subscription::paid(account, &subscription, None);
        }
    }
    intent
}

fn send(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    if invoice.text("collection_method") != Some("send_invoice") {
        return Err(ApiError::invalid(
            "You can only manually send an invoice if the collection method is set to 'send_invoice'.",
        ));
    }
    must_be(&invoice, &["draft", "open"], "send")?;
    if invoice.text("status") == Some("draft") {
        finish(call.account, &mut invoice);
    }
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.sent", text.clone());
    Ok(Reply::Kept(text))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let invoice = call.named(KIND)?;
    if invoice.text("status") != Some("draft") || subscription_of(&invoice).is_some() {
        let message = "You can only delete draft invoices that are not of a subscription.";
        return Err(ApiError::invalid(message).code("invoice_not_editable"));
    }
    let id = invoice.id().to_owned();
    for item in invoice.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default() {
        let item = item.pointer("/parent/invoice_item_details/invoice_item").and_then(Value::as_str);
        if let Some(item) = item {
            call.account.remove("invoiceitem", item, None);
        }
    }
    call.account.remove(KIND, &id, None);
    call.account.emit("invoice.deleted", serde_json::to_vec(&invoice).unwrap_or_default().into());
    Ok(deleted(KIND, &id).into())
}

fn mark_uncollectible(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["open"], "mark as uncollectible")?;
    invoice.insert("status".into(), "uncollectible".into());
    invoice.insert("auto_advance".into(), false.into());
    transition(&mut invoice, "marked_uncollectible_at", now());
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.marked_uncollectible", text.clone());
    Ok(Reply::Kept(text))
}

fn lines_of(invoice: &Object) -> Vec<Value> {
    invoice.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default()
}

fn add_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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
        let details = charged.price.as_ref().map(|p| json!({"price": p.id(), "product": p.get("product")}));
        let time = |name: &str| period.and_then(|p| p.integer(name)).unwrap_or_else(now);
        let made = Line {
            description: charged.description,
            amount: charged.amount,
            quantity: charged.quantity,
            period: (time("start"), time("end")),
            price: details.unwrap_or_default(),
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

fn remove_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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
        line.insert("amount".into(), charged.amount.into());
        line.insert("subtotal".into(), charged.amount.into());
        line.insert("quantity".into(), charged.quantity.into());
        line.insert("quantity_decimal".into(), charged.quantity.to_string().into());
        let details = charged.price.as_ref().map(|p| json!({"price": p.id(), "product": p.get("product")}));
        let pricing = json!({
            "price_details": details, "type": "price_details", "unit_amount_decimal": charged.unit,
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

fn update_line(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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

fn update_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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

/// Tries to have an open invoice paid by a payment method.
pub(super) fn charge(
    account: &mut Account,
    invoice: &Object,
    method: &Object,
    off_session: bool,
) -> Result<(), ApiError> {
    let open = |i: &Object| !matches!(i.text("status"), Some("canceled" | "succeeded"));
    let mut intent = match invoice_payment::intent_of(account, invoice.id()).filter(open) {
        Some(intent) => intent,
        None => intend(account, invoice, Some(method)),
    };
    payment_intent::attempt(account, &mut intent, method, &Terms { off_session, ..Terms::default() })
}

fn pay(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["draft", "open", "uncollectible"], "pay")?;
    let owner = customer::named(call.account, invoice.text("customer").unwrap_or_default(), "customer")?;
    let subscription = subscription_of(&invoice).and_then(|s| call.account.get("subscription", &s));
    let out_of_band = call.parameters.is_true("paid_out_of_band");
    let free = invoice.integer("amount_due") == Some(0);
    let method = match (call.parameters.text("payment_method"), invoice.text("default_payment_method")) {
        (Some(id), _) => Some(payment_method::named(call.account, id, "payment_method")?),
        (None, Some(id)) => Some(call.account.find("payment_method", id, "payment_method")?),
        (None, None) => subscription::default_method(call.account, subscription.as_ref(), &owner),
    };
    if method.is_none() && !out_of_band && !free {
        return Err(subscription::no_method());
    }
    if invoice.text("status") == Some("draft") {
        finish(call.account, &mut invoice);
    }
    if invoice.text("status") == Some("paid") {
        return call.named(KIND).map(Reply::from);
    }
    if out_of_band {
        mark_paid(call.account, &mut invoice);
        if let Some(subscription) = subscription_of(&invoice) {
            subscription::paid(call.account, &subscription, None);
        }
        return Ok(invoice.into());
    }
    if let Some(method) = method {
        let off_session = call.parameters.get("off_session").is_some_and(|v| *v == true);
        charge(call.account, &invoice, &method, off_session)?;
    }
    call.named(KIND).map(Reply::from)
}

/// An invoice that nobody will pay any more.
pub(super) fn give_up(account: &mut Account, invoice: &mut Object, void: bool) {
    if invoice.text("status") == Some("draft") {
        finalize(account, invoice, None);
    }
    if invoice.text("status") != Some("open") {
        return;
    }
    if let Some(mut intent) = invoice_payment::intent_of(account, invoice.id()).filter(|_| void) {
        payment_intent::void(account, &mut intent, "void_invoice".into());
    }
    let (status, moment, event) = if void {
        ("void", "voided_at", "invoice.voided")
    } else {
        ("uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")
    };
    invoice.insert("status".into(), status.into());
    transition(invoice, moment, now());
    let text = account.put(KIND, invoice);
    account.emit(event, text);
}

fn void(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut invoice = call.named(KIND)?;
    must_be(&invoice, &["open", "uncollectible"], "void")?;
    if let Some(mut intent) = invoice_payment::intent_of(call.account, invoice.id()) {
        payment_intent::void(call.account, &mut intent, "void_invoice".into());
    }
    invoice.insert("status".into(), "void".into());
    invoice.insert("auto_advance".into(), false.into());
    transition(&mut invoice, "voided_at", now());
    let text = call.account.put(KIND, &invoice);
    call.account.emit("invoice.voided", text.clone());
    Ok(Reply::Kept(text))
}

/// The draft that an accepted quote becomes.
pub(super) fn of_quote(account: &mut Account, owner: &Object, quote: &Object, items: &[&Value]) -> Object {
    let id = account.new_id("in");
    let mut invoice = blank(account, &id, owner, quote.text("currency").unwrap_or("usd"));
    invoice.insert("billing_reason".into(), "quote_accept".into());
    invoice.insert("description".into(), quote.get("description").cloned().unwrap_or_default());
    let parent = json!({
        "quote_details": {"quote": quote.id()}, "subscription_details": null, "type": "quote_details",
    });
    invoice.insert("parent".into(), parent);
    for item in items {
        let price = &item["price"];
        let line = Line {
            description: item["description"].as_str().map(str::to_owned),
            amount: item["amount_total"].as_i64().unwrap_or_default(),
            quantity: item["quantity"].as_i64().unwrap_or(1),
            period: (now(), now()),
            price: json!({"price": price["id"], "product": price["product"]}),
            unit: price["unit_amount_decimal"].as_str().map(str::to_owned),
            parent: Value::Null,
            subscription: None,
            discountable: true,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata: json!({}),
        };
        push(account, &mut invoice, line);
    }
    recompute(account, &mut invoice);
    account.create(KIND, "invoice.created", &invoice);
    invoice
}

/// What the next invoice of a subscription, or of a customer's pending items, would be; nothing is kept.
fn preview(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let subscription = match sent.text("subscription") {
        Some(id) => Some(account.find("subscription", id, "subscription")?),
        None => None,
    };
    let owner = match (sent.text("customer"), &subscription) {
        (Some(id), _) => customer::named(account, id, "customer")?,
        (None, Some(subscription)) => {
            account.get("customer", subscription.text("customer").unwrap_or_default()).unwrap_or_default()
        }
        (None, None) => return Err(ApiError::missing_param("customer")),
    };
    let currency = match (sent.text("currency"), &subscription) {
        (Some(code), _) => money::currency(code, "currency")?,
        (None, Some(subscription)) => subscription.text("currency").unwrap_or("usd").to_owned(),
        (None, None) => owner.text("currency").unwrap_or("usd").to_owned(),
    };
    let redeemed = discount::redeem(account, &sent)?;
    let id = account.new_id("upcoming_in");
    let mut invoice = blank(account, &id, &owner, &currency);
    invoice.insert("billing_reason".into(), "upcoming".into());
    invoice.insert("auto_advance".into(), true.into());
    for mut item in invoiceitem::pending(account, owner.id(), &currency, subscription.as_ref().map(Read::id)) {
        let kept = item.clone();
        invoiceitem::put_on(account, &mut invoice, &mut item);
        account.put("invoiceitem", &kept);
    }
    for (index, item) in sent.objects("invoice_items").enumerate() {
        let charged = invoiceitem::charged(account, item, &currency, &format!("invoice_items[{index}]"))?;
        let line = Line {
            description: charged.description,
            amount: charged.amount,
            quantity: charged.quantity,
            period: (now(), now()),
            price: charged
                .price
                .as_ref()
                .map(|p| json!({"price": p.id(), "product": p.get("product")}))
                .unwrap_or_default(),
            unit: Some(charged.unit),
            parent: Value::Null,
            subscription: None,
            discountable: true,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata: new_metadata(item),
        };
        push(account, &mut invoice, line);
    }
    if let Some(subscription) = &subscription {
        let parent = json!({
            "quote_details": null,
            "subscription_details": {"metadata": subscription.get("metadata"), "subscription": subscription.id()},
            "type": "subscription_details",
        });
        invoice.insert("parent".into(), parent);
        invoice.insert("discounts".into(), subscription.list("discounts").into());
        let items: Vec<Object> =
            subscription.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect();
        for item in items {
            let mut item = item;
            let end = item.integer("current_period_end").unwrap_or_default();
            let next = subscription::next_end(&item, end);
            item.insert("current_period_start".into(), end.into());
            item.insert("current_period_end".into(), next.into());
            push_item(account, &mut invoice, subscription, &item, false);
            invoice.insert("period_end".into(), end.into());
        }
    }
    if let Some(redeemed) = redeemed {
        let ids = discount::attach(account, redeemed, &[("customer", owner.id())]);
        invoice.insert("discounts".into(), ids.into());
    }
    recompute(account, &mut invoice);
    Ok(invoice.into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    let sent = std::mem::take(&mut call.parameters);
    const ALWAYS: &[&str] = &["auto_advance", "metadata", "payment_settings", "default_payment_method"];
    if sent.keys().any(|k| !ALWAYS.contains(&k.as_str())) {
        check_draft(&old)?;
    }
    if let Some(id) = sent.text("default_payment_method") {
        call.account.find("payment_method", id, "default_payment_method")?;
    }
    let before = old.text("collection_method").unwrap_or_default();
    if ["collection_method", "days_until_due", "due_date"].iter().any(|n| sent.contains_key(*n)) {
        let sends = check_collection(&sent, before)?;
        let method = if sends { "send_invoice" } else { "charge_automatically" };
        new.insert("collection_method".into(), method.into());
        let days = sent.integer("days_until_due").map(|d| now().saturating_add(d.saturating_mul(DAY)));
        if let Some(due) = sent.integer("due_date").or(days) {
            new.insert("due_date".into(), due.into());
        }
    }
    change(&mut new, &sent);
    if let Some(rates) = rates::taxes_named(call.account, &sent, "default_tax_rates")? {
        new.insert("default_tax_rates".into(), rates.into());
        if let Some(Value::Array(lines)) = new.get_mut("lines").and_then(|l| l.get_mut("data")) {
            lines.iter_mut().for_each(|l| l["taxes"] = json!([]));
        }
    }
    let redeemed = discount::redeem(call.account, &sent)?;
    let shipping = match sent.object("shipping_cost") {
        Some(cost) => rates::shipping_of(call.account, cost, "shipping_cost")?,
        None => None,
    };
    if let Some(shipping) = shipping {
        new.insert("shipping_cost".into(), rates::shipping_cost(&shipping));
    }
    assign_metadata(&mut new, &sent)?;
    if let Some(redeemed) = redeemed {
        discount::check_currency(&redeemed, old.text("currency").unwrap_or_default())?;
        let ids = discount::attach(call.account, redeemed, &[("invoice", old.id())]);
        new.insert("discounts".into(), ids.into());
    }
    if old.text("status") == Some("draft") {
        recompute(call.account, &mut new);
    }
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
