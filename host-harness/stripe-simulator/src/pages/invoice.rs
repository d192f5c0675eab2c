//! The hosted page of an invoice, where its customer sees and pays it, and its PDF.

use hyper::Method;

use super::html::{cards, document, escape};
use super::{field, page, redirect, with_type};
use crate::paper;
use crate::protocol::{Branch, Reply};
use crate::resources::{Read, format_amount, pay_invoice};
use crate::world::{Cause, Object, World, lock};

const KIND: &str = "invoice";

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    // Nobody but the merchant sees a draft.
    let invoice = account.get(KIND, id).filter(|i| i.text("status") != Some("draft"))?;
    if *method != Method::POST {
        return Some(page(200, shown(&invoice, None)));
    }
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let card = if field(form, "number").is_empty() { field(form, "card") } else { field(form, "number") };
    let paid = pay_invoice(&mut account, id, card);
    account.commit();
    let invoice = account.get(KIND, id)?;
    Some(match paid {
        Ok(Some(url)) => redirect(&url),
        Ok(None) => redirect(invoice.text("hosted_invoice_url").unwrap_or("/")),
        Err(error) => {
            let status = error.status();
            page(status, shown(&invoice, error.members().text("message")))
        }
    })
}

/// The invoice as a PDF.
pub(super) fn pdf(world: &World, id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let invoice = lock(&account).get(KIND, id).filter(|i| i.text("status") != Some("draft"))?;
    let mut text = vec![format!("Invoice {}", invoice.text("number").unwrap_or_default())];
    text.extend(invoice.text("account_name").map(str::to_owned));
    text.extend(invoice.text("customer_name").or_else(|| invoice.text("customer_email")).map(|c| format!("To: {c}")));
    text.extend(fields(&invoice).map(|(name, value)| format!("{name}: {value}")));
    text.push(String::new());
    text.extend(rows(&invoice).into_iter().map(|(what, amount)| format!("{what}: {amount}")));
    text.extend(invoice.text("footer").map(str::to_owned));
    Some(with_type(200, paper::document(&text), "application/pdf"))
}

/// A credit note as a PDF.
pub(super) fn credit_note(world: &World, id: &str) -> Option<Reply> {
    let account = world.account_with("credit_note", id)?;
    let note = lock(&account).get("credit_note", id)?;
    let amount = format_amount(note.integer("total").unwrap_or_default(), note.text("currency").unwrap_or("usd"));
    let mut text = vec![format!("Credit note {}", note.text("number").unwrap_or_default())];
    text.extend(
        note.object("lines")
            .into_iter()
            .flat_map(|l| l.objects("data"))
            .filter_map(|l| l.text("description").map(str::to_owned)),
    );
    text.push(format!("Total: {amount}"));
    text.extend(note.text("memo").map(str::to_owned));
    Some(with_type(200, paper::document(&text), "application/pdf"))
}

/// The merchant's own fields.
fn fields(invoice: &Object) -> impl Iterator<Item = (&str, &str)> {
    invoice.objects("custom_fields").filter_map(|f| Some((f.text("name")?, f.text("value")?)))
}

/// What is charged and what it comes to.
fn rows(invoice: &Object) -> Vec<(String, String)> {
    let currency = invoice.text("currency").unwrap_or("usd");
    let amount = |value: i64| format_amount(value, currency);
    let lines = invoice.object("lines").into_iter().flat_map(|l| l.objects("data"));
    let mut rows: Vec<(String, String)> = lines
        .map(|l| {
            let what = l.text("description").unwrap_or("Item").to_owned();
            (what, amount(l.integer("amount").unwrap_or_default()))
        })
        .collect();
    let off: i64 = invoice.objects("total_discount_amounts").filter_map(|d| d.integer("amount")).sum();
    let taxes = invoice.objects("total_taxes").filter(|t| t.text("tax_behavior") == Some("exclusive"));
    let tax: i64 = taxes.filter_map(|t| t.integer("amount")).sum();
    let shipping = invoice.integer("amount_shipping").unwrap_or_default();
    for (name, value) in [("Discount", -off), ("Shipping", shipping), ("Tax", tax)] {
        if value != 0 {
            rows.push((name.to_owned(), amount(value)));
        }
    }
    for (name, member) in [("Total", "total"), ("Paid", "amount_paid"), ("Amount due", "amount_remaining")] {
        rows.push((name.to_owned(), amount(invoice.integer(member).unwrap_or_default())));
    }
    rows
}

fn shown(invoice: &Object, problem: Option<&str>) -> String {
    let cells =
        |(what, amount): (String, String)| format!("<tr><td>{}</td><td>{}</td></tr>", escape(&what), escape(&amount));
    let rows: String = rows(invoice).into_iter().map(cells).collect();
    let fields: String =
        fields(invoice).map(|(name, value)| format!("<p>{}: {}</p>", escape(name), escape(value))).collect();
    let text = |name: &str| escape(invoice.text(name).unwrap_or_default());
    let problem = problem.map(|p| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(p))).unwrap_or_default();
    let form = match invoice.text("status") {
        Some("open" | "uncollectible") => {
            format!("{problem}<form method=\"post\">{}<button>Pay</button></form>", cards(None))
        }
        _ => String::new(),
    };
    document(
        "Invoice",
        &format!(
            "<h1>Invoice {}</h1><p>{}</p><p>{}</p>{fields}<table>{rows}</table><p>{}</p><p>{}</p>{form}\
             <p><a href=\"{}\">Download PDF</a></p>",
            text("number"),
            text("status"),
            text("customer_email"),
            text("description"),
            text("footer"),
            text("invoice_pdf"),
        ),
    )
}
