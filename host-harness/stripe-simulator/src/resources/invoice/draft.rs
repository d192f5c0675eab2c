//! Drafts: made by hand, out of a subscription or a quote; changed and deleted while nobody owes them.

use serde_json::{Value, json};

use super::{DAY, HOUR, KIND, check_draft, push_item, recompute, subscription_of};
use crate::protocol::ApiError;
use crate::resources::fields::{assign, assign_metadata, deleted, new_metadata, sublist, whole};
use crate::resources::{Call, Read, Reply, customer, discount, invoiceitem, money, rates, tax_id};
use crate::world::{Account, Object, now, written};

/// A draft without lines; neither kept nor told of.
pub(super) fn blank(account: &mut Account, id: &str, customer: &Object, currency: &str) -> Object {
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

/// A draft for the current period of a subscription; kept, and told of. A change of a subscription is paid with what
/// it prorated alone.
pub(in crate::resources) fn draft(account: &mut Account, subscription: &Object, reason: &str) -> Object {
    let items = if reason == "subscription_update" { Vec::new() } else { items_of(subscription) };
    draft_of(account, subscription, reason, &items, None)
}

/// A draft for the items of a subscription whose period began; kept, and told of.
pub(in crate::resources) fn draft_for(
    account: &mut Account,
    subscription: &Object,
    reason: &str,
    begun: &[String],
) -> Object {
    let items: Vec<Object> = items_of(subscription).into_iter().filter(|i| begun.iter().any(|b| b == i.id())).collect();
    draft_of(account, subscription, reason, &items, None)
}

/// A draft for the part of a period that comes before the anchor of a new subscription, unless that is free; kept,
/// and told of.
pub(in crate::resources) fn draft_part(
    account: &mut Account,
    subscription: &Object,
    period: (i64, i64),
    natural: i64,
    free: bool,
) -> Object {
    let items = if free { Vec::new() } else { items_of(subscription) };
    let part = (period.1.saturating_sub(period.0), natural.saturating_sub(period.0));
    draft_of(account, subscription, "subscription_create", &items, Some(part))
}

fn items_of(subscription: &Object) -> Vec<Object> {
    subscription.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect()
}

fn draft_of(
    account: &mut Account,
    subscription: &Object,
    reason: &str,
    items: &[Object],
    part: Option<(i64, i64)>,
) -> Object {
    let id = account.new_id("in");
    let trial = subscription.text("status") == Some("trialing");
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
        ("parent", parent_of(subscription)),
    ] {
        invoice.insert(name.into(), value);
    }
    describe(&mut invoice, subscription, &customer);
    let currency = invoice.text("currency").unwrap_or("usd").to_owned();
    for mut item in invoiceitem::pending(account, customer.id(), &currency, Some(subscription.id())) {
        invoiceitem::put_on(account, &mut invoice, &mut item);
    }
    for item in items {
        push_item(account, &mut invoice, subscription, item, trial, part);
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

/// What invoices of a subscription say besides their lines: the subscription's own settings before the customer's.
pub(super) fn describe(invoice: &mut Object, subscription: &Object, customer: &Object) {
    let settings = [subscription.object("invoice_settings"), customer.object("invoice_settings")];
    for name in ["custom_fields", "description", "footer"] {
        let known = settings.iter().flatten().filter_map(|s| s.get(name)).find(|v| !v.is_null());
        if let Some(value) = known {
            invoice.insert(name.into(), value.clone());
        }
    }
}

/// Whom an invoice is for, and what it is in.
pub(super) struct Recipient {
    pub(super) owner: Object,
    pub(super) subscription: Option<Object>,
    pub(super) currency: String,
}

/// Reads `customer`, `subscription` and `currency`.
pub(super) fn recipient(account: &Account, sent: &Object) -> Result<Recipient, ApiError> {
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
    if let Some(subscription) = &subscription
        && subscription.text("customer") != Some(owner.id())
    {
        let (id, owner) = (subscription.id(), owner.id());
        let message = format!("Customer {owner} does not have a subscription with ID {id}.");
        return Err(ApiError::invalid(message).code("resource_missing").param("subscription"));
    }
    let currency = match (sent.text("currency"), &subscription) {
        (Some(code), _) => money::currency(code, "currency")?,
        (None, Some(subscription)) => subscription.text("currency").unwrap_or("usd").to_owned(),
        (None, None) => owner.text("currency").unwrap_or("usd").to_owned(),
    };
    Ok(Recipient { owner, subscription, currency })
}

/// What an invoice of a subscription says of where it comes from.
pub(super) fn parent_of(subscription: &Object) -> Value {
    json!({
        "quote_details": null,
        "subscription_details": {"metadata": subscription.get("metadata"), "subscription": subscription.id()},
        "type": "subscription_details",
    })
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let Recipient { owner, subscription, currency } = recipient(account, &sent)?;
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
        invoice.insert("parent".into(), parent_of(subscription));
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

pub(super) fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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

pub(super) fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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
    call.account.emit("invoice.deleted", written(&invoice));
    Ok(deleted(KIND, &id).into())
}
