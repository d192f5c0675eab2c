//! The hosted checkout page.

use hyper::Method;
use serde_json::Value;

use super::html::{document, escape};
use super::{field, page, redirect};
use crate::protocol::{Branch, Reply};
use crate::resources::{Paid, Read, TEST_CARDS, format_amount, pay};
use crate::world::{Account, Cause, Object, World, lock};

const KIND: &str = "checkout.session";

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    let session = account.get(KIND, id)?;
    if session.text("status") != Some("open") {
        let status = session.text("status").unwrap_or_default();
        let text = if status == "complete" { "This session was paid." } else { "This session has expired." };
        return Some(page(200, document("Checkout", &format!("<h1>{text}</h1>"))));
    }
    if *method != Method::POST {
        return Some(page(200, offer(&account, &session, None)));
    }
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let card = if field(form, "number").is_empty() { field(form, "card") } else { field(form, "number") };
    let paid = pay(&mut account, id, card, field(form, "email"), field(form, "name"));
    account.commit();
    Some(match paid {
        Ok(Paid::Complete(Some(url)) | Paid::Authenticate(url)) => redirect(&url),
        Ok(Paid::Complete(None)) => page(200, document("Checkout", "<h1>Thank you</h1>")),
        Err(error) => {
            let body = error.body(None);
            page(402, offer(&account, &session, body.pointer("/error/message").and_then(Value::as_str)))
        }
    })
}

fn offer(account: &Account, session: &Object, problem: Option<&str>) -> String {
    let currency = session.text("currency").unwrap_or("usd");
    let empty = Object::new();
    let items = account.get("checkout.session.line_items", session.id()).unwrap_or_default();
    let rows: String = items
        .objects("data")
        .map(|i| {
            let amount = format_amount(i.integer("amount_total").unwrap_or_default(), currency);
            let quantity = i.integer("quantity").unwrap_or(1);
            let name = escape(i.text("description").unwrap_or("Item"));
            format!("<tr><td>{quantity} × {name}</td><td>{amount}</td></tr>")
        })
        .collect();
    let total = session.integer("amount_total").map(|t| format_amount(t, currency)).unwrap_or_default();
    let details = session.object("customer_details").unwrap_or(&empty);
    let email = escape(details.text("email").unwrap_or_default());
    let options: String = TEST_CARDS
        .iter()
        .map(|c| format!("<option value=\"{}\">{} ({})</option>", c.handle(), escape(c.title), c.number))
        .collect();
    let problem = problem.map(|p| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(p))).unwrap_or_default();
    let back = session
        .text("cancel_url")
        .map(|u| format!("<p><a href=\"{}\">Back</a></p>", escape(&u.replace("{CHECKOUT_SESSION_ID}", session.id()))))
        .unwrap_or_default();
    let verb = match session.text("mode") {
        Some("subscription") => "Subscribe",
        Some("setup") => "Save card",
        _ => "Pay",
    };
    document(
        "Checkout",
        &format!(
            "<h1>Checkout</h1><table>{rows}<tr><td><strong>Total</strong></td><td><strong>{total}</strong></td></tr>\
             </table>{problem}<form method=\"post\"><label>Email <input type=\"email\" name=\"email\" \
             value=\"{email}\"></label><label>Name <input name=\"name\"></label><label>Test card <select \
             name=\"card\">{options}</select></label><button>{verb} {total}</button></form>{back}"
        ),
    )
}
