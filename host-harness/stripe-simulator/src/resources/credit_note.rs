//! Credit notes: what is taken off an invoice after it was finalized.

use serde_json::{Value, json};

use super::fields::{assign_metadata, new_metadata, sublist, whole};
use super::{Call, Operations, Read, Reply, customer, invoice, invoice_payment, listing, refund, subscription};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/credit_notes", list),
    ("POST", "/v1/credit_notes", create),
    ("GET", "/v1/credit_notes/preview", preview),
    ("GET", "/v1/credit_notes/{credit_note}/lines", list_lines),
    ("GET", "/v1/credit_notes/{id}", retrieve),
    ("POST", "/v1/credit_notes/{id}", update),
    ("POST", "/v1/credit_notes/{id}/void", void),
];

const KIND: &str = "credit_note";

fn lines(account: &mut Account, sent: &Object, invoice: &Object) -> Result<Vec<Value>, ApiError> {
    let base = |account: &mut Account, amount: i64, kind: &str| {
        json!({
            "id": account.new_id("cnli"), "object": "credit_note_line_item", "amount": amount, "description": null,
            "discount_amount": 0, "discount_amounts": [], "invoice_line_item": null, "livemode": account.live(),
            "metadata": {}, "pretax_credit_amounts": [], "quantity": null, "tax_rates": [], "taxes": [],
            "type": kind, "unit_amount": null, "unit_amount_decimal": null,
        })
    };
    let mut made = Vec::new();
    for (index, line) in sent.objects("lines").enumerate() {
        let quantity = line.integer("quantity");
        let unit = line
            .integer("unit_amount")
            .or_else(|| line.text("unit_amount_decimal").and_then(|d| d.parse::<f64>().ok()).map(|d| d.round() as i64));
        let of_units = unit.map(|u| u.saturating_mul(quantity.unwrap_or(1)));
        let invoiced = match line.text("invoice_line_item") {
            Some(id) => {
                let lines = invoice.object("lines").map(|l| l.list("data")).unwrap_or_default();
                let found = lines.iter().find(|l| l["id"] == id);
                Some(found.cloned().ok_or_else(|| {
                    ApiError::missing_object("line_item", id, &format!("lines[{index}][invoice_line_item]"))
                })?)
            }
            None => None,
        };
        let whole_line = invoiced.as_ref().and_then(|l| l["amount"].as_i64());
        let Some(amount) = line.integer("amount").or(of_units).or(whole_line) else {
            return Err(ApiError::missing_param(&format!("lines[{index}][amount]")));
        };
        let mut one = base(account, amount, line.text("type").unwrap_or("custom_line_item"));
        let description = line.text("description").map(Value::from);
        let inherited = invoiced.as_ref().map(|l| l["description"].clone());
        set(&mut one, "description", description.or(inherited).unwrap_or_default());
        set(&mut one, "invoice_line_item", invoiced.and_then(|l| l.get("id").cloned()).unwrap_or_default());
        set(&mut one, "quantity", quantity);
        set(&mut one, "unit_amount", unit);
        set(&mut one, "unit_amount_decimal", unit.map(|u| u.to_string()));
        made.push(one);
    }
    if let (Some(amount), true) = (sent.integer("amount"), made.is_empty()) {
        let mut one = base(account, amount, "custom_line_item");
        set(&mut one, "description", "Credit");
        set(&mut one, "quantity", 1);
        set(&mut one, "unit_amount", amount);
        set(&mut one, "unit_amount_decimal", amount.to_string());
        made.push(one);
    }
    Ok(made)
}

/// The note, and how its amount is given back: before the payment, or as refund, credit and out of band.
fn build(account: &mut Account, sent: &Object, invoice: &Object) -> Result<Object, ApiError> {
    let status = invoice.text("status").unwrap_or_default();
    if !matches!(status, "open" | "paid" | "uncollectible") {
        let message = format!("Credit notes can only be created for finalized invoices; this one is {status}.");
        return Err(ApiError::invalid(message).param("invoice"));
    }
    let lines = lines(account, sent, invoice)?;
    let amount = lines.iter().filter_map(|l| l["amount"].as_i64()).fold(0, i64::saturating_add);
    if lines.is_empty() {
        return Err(ApiError::missing_param("amount"));
    }
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    let credited = invoice.integer("post_payment_credit_notes_amount").unwrap_or_default();
    let remaining = invoice.integer("amount_remaining").unwrap_or_default();
    let paid = invoice.integer("amount_paid").unwrap_or_default().saturating_sub(credited);
    if amount > remaining.saturating_add(paid) {
        let message = "The amount of this credit note is more than what is left of the invoice.";
        return Err(ApiError::invalid(message).param("amount"));
    }
    let before = amount.min(remaining);
    let after = amount - before;
    let parts = ["refund_amount", "credit_amount", "out_of_band_amount"];
    let given: Vec<i64> = parts.iter().map(|n| sent.integer(n).unwrap_or_default()).collect();
    if given.iter().any(|g| *g < 0) {
        return Err(ApiError::too_small("refund_amount", 0));
    }
    if given.iter().fold(0, |a: i64, b| a.saturating_add(*b)) != after {
        let message = format!(
            "The sum of refund_amount, credit_amount and out_of_band_amount must be the post payment amount, {after}."
        );
        return Err(ApiError::invalid(message));
    }
    let id = account.new_id("cn");
    let number = account.select(KIND, invoice.id(), |n| n.text("invoice") == Some(invoice.id())).len();
    let kind = match (before, after) {
        (_, 0) => "pre_payment",
        (0, _) => "post_payment",
        _ => "mixed",
    };
    let out_of_band = sent.integer("out_of_band_amount");
    let pdf = format!("{}/_simulator/credit_notes/{id}/pdf", account.settings().base_url);
    Ok(whole(
        KIND,
        json!({
            "id": id, "object": KIND, "amount": amount, "amount_shipping": 0, "created": now(),
            "currency": invoice.get("currency"), "customer": invoice.get("customer"), "discount_amount": 0,
            "discount_amounts": [], "effective_at": sent.integer("effective_at").unwrap_or_else(now),
            "invoice": invoice.id(), "lines": sublist(lines, format!("/v1/credit_notes/{id}/lines")),
            "livemode": account.live(), "memo": sent.text("memo"), "metadata": new_metadata(sent),
            "number": format!("{}-CN-{:02}", invoice.text("number").unwrap_or("0000-0001"), number + 1),
            "out_of_band_amount": out_of_band, "pdf": pdf, "post_payment_amount": after, "pre_payment_amount": before,
            "pretax_credit_amounts": [], "reason": sent.get("reason"), "refunds": [], "status": "issued",
            "subtotal": amount, "subtotal_excluding_tax": amount, "total": amount, "total_excluding_tax": amount,
            "total_taxes": [], "type": kind,
        }),
    ))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let mut invoice = account.find("invoice", sent.text("invoice").unwrap_or_default(), "invoice")?;
    let mut note = build(account, &sent, &invoice)?;
    let (refunded, credit) =
        (sent.integer("refund_amount").unwrap_or_default(), sent.integer("credit_amount").unwrap_or_default());
    if refunded > 0 {
        let charge =
            invoice_payment::paid_by(account, invoice.id()).and_then(|i| i.text("latest_charge").map(str::to_owned));
        let Some(charge) = charge else {
            let message = "This invoice was not paid by a charge that could be refunded.";
            return Err(ApiError::invalid(message).param("refund_amount"));
        };
        let made = refund::make(account, &charge, refunded, &Object::new())?;
        note.insert(
            "refunds".into(),
            json!([{
                "amount_refunded": refunded, "payment_record_refund": null, "refund": made.id(), "type": "refund",
            }]),
        );
    }
    if credit > 0 {
        let owner = invoice.text("customer").unwrap_or_default().to_owned();
        let moved = customer::move_balance(account, &owner, -credit, "credit_note", &[("credit_note", note.id())]);
        note.insert("customer_balance_transaction".into(), moved.id().into());
    }
    let text = account.create(KIND, "credit_note.created", &note);
    let old = invoice.clone();
    let add = |invoice: &mut Object, name: &str, by: i64| {
        let sum = invoice.integer(name).unwrap_or_default().saturating_add(by);
        invoice.insert(name.into(), sum.into());
    };
    let before = note.integer("pre_payment_amount").unwrap_or_default();
    add(&mut invoice, "pre_payment_credit_notes_amount", before);
    add(&mut invoice, "post_payment_credit_notes_amount", note.integer("post_payment_amount").unwrap_or_default());
    add(&mut invoice, "amount_due", -before);
    add(&mut invoice, "amount_remaining", -before);
    account.update("invoice", "invoice.updated", &old, &invoice);
    if before > 0 && invoice.integer("amount_remaining") == Some(0) {
        invoice_payment::cancel(account, invoice.id(), "automatic");
        invoice::mark_paid(account, &mut invoice);
        if let Some(subscription) = invoice::subscription_of(&invoice) {
            subscription::paid(account, &subscription, None);
        }
    } else if before > 0 {
        let left = invoice.integer("amount_remaining").unwrap_or_default();
        invoice_payment::ask_for(account, invoice.id(), left);
    }
    Ok(Reply::Kept(text))
}

fn preview(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let invoice = call.account.find("invoice", sent.text("invoice").unwrap_or_default(), "invoice")?;
    build(call.account, &sent, &invoice).map(Reply::from)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    if let Some(memo) = call.parameters.get("memo") {
        new.insert("memo".into(), if memo == "" { Value::Null } else { memo.clone() });
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(KIND, "credit_note.updated", &old, &new)))
}

fn void(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut note = call.named(KIND)?;
    if note.text("status") == Some("void") {
        return Err(ApiError::invalid("This credit note is void already."));
    }
    let mut invoice = call.account.find("invoice", note.text("invoice").unwrap_or_default(), "invoice")?;
    if invoice.text("status") != Some("open") || note.text("type") != Some("pre_payment") {
        return Err(ApiError::invalid("You can only void a credit note of an open invoice."));
    }
    let amount = note.integer("pre_payment_amount").unwrap_or_default();
    for (name, by) in
        [("pre_payment_credit_notes_amount", -amount), ("amount_due", amount), ("amount_remaining", amount)]
    {
        let sum = invoice.integer(name).unwrap_or_default().saturating_add(by);
        invoice.insert(name.into(), sum.into());
    }
    call.account.put("invoice", &invoice);
    let left = invoice.integer("amount_remaining").unwrap_or_default();
    invoice_payment::ask_for(call.account, invoice.id(), left);
    note.insert("status".into(), "void".into());
    note.insert("voided_at".into(), now().into());
    let text = call.account.put(KIND, &note);
    call.account.emit("credit_note.voided", text.clone());
    Ok(Reply::Kept(text))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("customer", "customer"), ("invoice", "invoice")])
}

fn list_lines(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let note = call.named(KIND)?;
    let lines = note.object("lines").map(|l| l.list("data").to_vec()).unwrap_or_default();
    listing::parts(call, "credit_note_line_item", lines)
}

fn set(line: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = line.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}
