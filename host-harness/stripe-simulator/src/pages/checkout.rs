//! The hosted checkout page.

use hyper::Method;
use serde_json::Value;

use super::html::{cards, document, escape};
use super::{object, page, redirect};
use crate::protocol::{Branch, Reply};
use crate::resources::{Paid, Read, current_session, format_amount, pay, problem, recover};
use crate::world::{Account, Cause, Object, World, lock};

const KIND: &str = "checkout.session";
/// The members of an address, as forms and the API call them, and as people do.
const ADDRESS: &[(&str, &str)] = &[
    ("line1", "Address"),
    ("line2", "Address, second line"),
    ("city", "City"),
    ("state", "State"),
    ("postal_code", "Postal code"),
    ("country", "Country (two letters)"),
];

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let reply = visit(&mut account, *method == Method::POST, id, &object(form));
    account.commit();
    reply
}

fn visit(account: &mut Account, posted: bool, id: &str, form: &Object) -> Option<Reply> {
    let session = current_session(account, id)?;
    if session.text("status") != Some("open") {
        let status = session.text("status").unwrap_or_default();
        let text = if status == "complete" { "This session was paid." } else { "This session has expired." };
        return Some(page(200, document("Checkout", &format!("<h1>{text}</h1>"))));
    }
    if !posted {
        // Who comes back from the bank learns what became of it.
        let problem = problem(account, &session);
        return Some(page(200, offer(account, &session, &Object::new(), problem.as_deref())));
    }
    Some(match pay(account, id, form) {
        Ok(Paid::Complete(Some(url)) | Paid::Authenticate(url)) => redirect(&url),
        Ok(Paid::Complete(None)) => page(200, document("Checkout", "<h1>Thank you</h1>")),
        Ok(Paid::Changed) => {
            let session = account.get(KIND, id)?;
            page(200, offer(account, &session, form, None))
        }
        Err(error) => {
            let session = account.get(KIND, id)?;
            page(error.status(), offer(account, &session, form, error.members().text("message")))
        }
    })
}

/// Somebody follows the link to a session that expired.
pub(super) fn recovery(world: &World, id: &str, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let opened = recover(&mut account, id);
    account.commit();
    Some(match opened {
        Ok(url) => redirect(&url),
        Err(error) => {
            let error = error.members();
            let message = error.text("message").unwrap_or_default();
            page(404, document("Checkout", &format!("<h1>{}</h1>", escape(message))))
        }
    })
}

fn row(what: &str, amount: &str) -> String {
    format!("<tr><td>{what}</td><td>{amount}</td></tr>")
}

fn input(label: &str, name: &str, value: &str) -> String {
    format!("<label>{} <input name=\"{}\" value=\"{}\"></label>", escape(label), escape(name), escape(value))
}

fn checkbox(label: &str, name: &str) -> String {
    format!("<label><input type=\"checkbox\" name=\"{name}\" value=\"true\"> {}</label>", escape(label))
}

/// What is sold, each line with its quantity, and what it comes to.
fn receipt(account: &Account, session: &Object) -> String {
    let currency = session.text("currency").unwrap_or("usd");
    let amount = |value: i64| escape(&format_amount(value, currency));
    let items = account.get("checkout.session.line_items", session.id()).unwrap_or_default();
    let mut rows: String = items
        .objects("data")
        .map(|i| {
            let quantity = i.integer("quantity").unwrap_or(1);
            let name = escape(i.text("description").unwrap_or("Item"));
            let quantity = match i.object("adjustable_quantity") {
                Some(_) => format!("<input name=\"quantity[{}]\" value=\"{quantity}\">", escape(i.id())),
                None => quantity.to_string(),
            };
            row(&format!("{quantity} × {name}"), &amount(i.integer("amount_subtotal").unwrap_or_default()))
        })
        .collect();
    let empty = Object::new();
    let details = session.object("total_details").unwrap_or(&empty);
    let of = |name: &str| details.integer(name).unwrap_or_default();
    for (name, value) in
        [("Discount", -of("amount_discount")), ("Shipping", of("amount_shipping")), ("Tax", of("amount_tax"))]
    {
        if value != 0 {
            rows.push_str(&row(name, &amount(value)));
        }
    }
    let total = session.integer("amount_total").map(amount).unwrap_or_default();
    rows.push_str(&row("<strong>Total</strong>", &format!("<strong>{total}</strong>")));
    format!("<table>{rows}</table>")
}

/// The ways to ship, to choose one of.
fn shipping(account: &Account, session: &Object) -> String {
    let chosen = session.object("shipping_cost").and_then(|s| s.text("shipping_rate"));
    let each = |option: &Object| {
        let id = option.text("shipping_rate").unwrap_or_default();
        let rate = account.get("shipping_rate", id).unwrap_or_default();
        let cost = format_amount(
            option.integer("shipping_amount").unwrap_or_default(),
            session.text("currency").unwrap_or("usd"),
        );
        let mark = if chosen == Some(id) { " selected" } else { "" };
        let name = escape(rate.text("display_name").unwrap_or("Shipping"));
        format!("<option value=\"{}\"{mark}>{name} ({})</option>", escape(id), escape(&cost))
    };
    let options: String = session.objects("shipping_options").map(each).collect();
    if options.is_empty() {
        return options;
    }
    format!("<label>Shipping <select name=\"shipping_rate\">{options}</select></label>")
}

/// The merchant's own fields.
fn custom_fields(session: &Object, form: &Object) -> String {
    let empty = Object::new();
    let written = form.object("custom_fields").unwrap_or(&empty);
    let each = |field: &Object| {
        let key = field.text("key").unwrap_or_default();
        let label = field.object("label").and_then(|l| l.text("custom")).unwrap_or(key);
        let name = format!("custom_fields[{key}]");
        let of_kind = field.object(field.text("type").unwrap_or("text")).unwrap_or(&empty);
        let value = written.text(key).or_else(|| of_kind.text("default_value")).unwrap_or_default();
        if field.text("type") != Some("dropdown") {
            return input(label, &name, value);
        }
        let option = |o: &Object| {
            let (text, own) = (o.text("label").unwrap_or_default(), o.text("value").unwrap_or_default());
            let mark = if own == value { " selected" } else { "" };
            format!("<option value=\"{}\"{mark}>{}</option>", escape(own), escape(text))
        };
        let options: String = of_kind.objects("options").map(option).collect();
        format!("<label>{} <select name=\"{}\">{options}</select></label>", escape(label), escape(&name))
    };
    session.objects("custom_fields").map(each).collect()
}

fn address(title: &str, name: &str, form: &Object, with_name: bool) -> String {
    let empty = Object::new();
    let written = form.object(name).unwrap_or(&empty);
    let own = [("name", "Name")];
    let members = own.iter().filter(|_| with_name).chain(ADDRESS);
    let each = |(member, label): &(&str, &str)| {
        input(label, &format!("{name}[{member}]"), written.text(member).unwrap_or_default())
    };
    format!("<fieldset><legend>{title}</legend>{}</fieldset>", members.map(each).collect::<String>())
}

/// What the merchant wants to know.
fn questions(session: &Object, form: &Object) -> String {
    let wanted = |name: &str| session.object(name).is_some_and(|p| p.is_true("enabled"));
    let text = |name: &str| form.text(name).unwrap_or_default();
    let mut out = String::new();
    if wanted("phone_number_collection") {
        out.push_str(&input("Phone", "phone", text("phone")));
    }
    for (which, label) in [("individual", "Full name"), ("business", "Business name")] {
        let asked = session.object("name_collection").and_then(|n| n.object(which));
        if asked.is_some_and(|a| a.is_true("enabled")) {
            let name = format!("{which}_name");
            out.push_str(&input(label, &name, text(&name)));
        }
    }
    if session.text("billing_address_collection") == Some("required") {
        out.push_str(&address("Billing address", "billing", form, false));
    }
    if session.object("shipping_address_collection").is_some() {
        out.push_str(&address("Shipping address", "shipping", form, true));
    }
    out.push_str(&custom_fields(session, form));
    if let Some(consent) = session.object("consent_collection") {
        if consent.text("terms_of_service") == Some("required") {
            out.push_str(&checkbox("I agree to the terms of service", "terms_of_service"));
        }
        if consent.text("promotions") == Some("auto") {
            out.push_str(&checkbox("Keep me up to date", "promotions"));
        }
    }
    out
}

/// Where a promotion code is entered, or the one that was.
fn code(account: &Account, session: &Object) -> String {
    if !session.is_true("allow_promotion_codes") {
        return String::new();
    }
    let applied = session.objects("discounts").next().and_then(|d| d.text("promotion_code"));
    match applied.and_then(|c| account.get("promotion_code", c)) {
        Some(code) => format!(
            "<p>{} <button name=\"remove_code\" value=\"true\">Remove</button></p>",
            escape(code.text("code").unwrap_or_default())
        ),
        None => input("Promotion code", "promotion_code", ""),
    }
}

fn offer(account: &Account, session: &Object, form: &Object, problem: Option<&str>) -> String {
    let details = session.object("customer_details");
    let known = |name: &str| form.text(name).or_else(|| details.and_then(|d| d.text(name))).unwrap_or_default();
    let custom = |name: &str| {
        let text = session.object("custom_text").and_then(|t| t.object(name)).and_then(|t| t.text("message"));
        text.map(|t| format!("<p>{}</p>", escape(t))).unwrap_or_default()
    };
    let problem = problem.map(|p| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(p))).unwrap_or_default();
    let back = session
        .text("cancel_url")
        .map(|u| format!("<p><a href=\"{}\">Back</a></p>", escape(&u.replace("{CHECKOUT_SESSION_ID}", session.id()))))
        .unwrap_or_default();
    let total = session
        .integer("amount_total")
        .map(|t| escape(&format_amount(t, session.text("currency").unwrap_or("usd"))))
        .unwrap_or_default();
    let verb = match session.text("mode") {
        Some("subscription") => "Subscribe",
        Some("setup") => "Save card",
        _ => "Pay",
    };
    let choices = [shipping(account, session), code(account, session)].concat();
    let adjustable = account
        .get("checkout.session.line_items", session.id())
        .is_some_and(|i| i.objects("data").any(|i| i.object("adjustable_quantity").is_some()));
    let update =
        if choices.is_empty() && !adjustable { "" } else { "<button name=\"action\" value=\"update\">Update</button>" };
    let chosen = form.get("card").and_then(Value::as_str);
    document(
        "Checkout",
        &format!(
            "<h1>Checkout</h1><form method=\"post\">{}{choices}{update}{problem}<label>Email <input type=\"email\" \
             name=\"email\" value=\"{}\"></label>{}{}{}{}{}<button>{verb} {total}</button>{}</form>{back}",
            receipt(account, session),
            escape(known("email")),
            input("Name", "name", known("name")),
            questions(session, form),
            custom("shipping_address"),
            custom("terms_of_service_acceptance"),
            cards(chosen),
            custom("submit"),
        ),
    )
}
