//! The billing portal: a customer sees what it subscribed to and was invoiced for, cancels and resumes, and changes
//! its card.

use hyper::Method;

use super::html::{cards, document, escape};
use super::{field, page, redirect};
use crate::protocol::{Branch, Reply};
use crate::resources::{PortalAction, Read, act_in_portal, format_amount};
use crate::world::{Account, Cause, Object, World, lock};

const KIND: &str = "billing_portal.session";

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    let session = account.get(KIND, id)?;
    let customer = session.text("customer").unwrap_or_default();
    if *method != Method::POST {
        return Some(page(200, shown(&account, &session, None)));
    }
    let action = match (field(form, "cancel"), field(form, "resume"), field(form, "card")) {
        ("", "", card) => PortalAction::Card(card),
        ("", resumed, _) => PortalAction::Resume(resumed),
        (canceled, ..) => PortalAction::Cancel(canceled),
    };
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let done = act_in_portal(&mut account, customer, &action);
    account.commit();
    Some(match done {
        Ok(()) => redirect(session.text("url").unwrap_or("/")),
        Err(error) => page(error.status(), shown(&account, &session, error.members().text("message"))),
    })
}

fn subscription(s: &Object) -> String {
    let over = matches!(s.text("status"), Some("canceled" | "incomplete_expired"));
    let button = |name: &str, title: &str| {
        let id = escape(s.id());
        format!("<td><form method=\"post\"><button name=\"{name}\" value=\"{id}\">{title}</button></form></td>")
    };
    let button = match (over, s.is_true("cancel_at_period_end")) {
        (true, _) => "<td>ended</td>".to_owned(),
        (false, true) => button("resume", "Don't cancel"),
        (false, false) => button("cancel", "Cancel"),
    };
    let status = escape(s.text("status").unwrap_or_default());
    format!("<tr><td>{} ({status})</td>{button}</tr>", escape(s.id()))
}

fn invoice(i: &Object) -> String {
    let amount = format_amount(i.integer("total").unwrap_or_default(), i.text("currency").unwrap_or("usd"));
    let text = |name: &str| escape(i.text(name).unwrap_or_default());
    let (url, number, status) = (text("hosted_invoice_url"), text("number"), text("status"));
    format!("<tr><td><a href=\"{url}\">{number}</a> ({status})</td><td>{}</td></tr>", escape(&amount))
}

fn shown(account: &Account, session: &Object, problem: Option<&str>) -> String {
    let customer = session.text("customer").unwrap_or_default();
    let of_customer = |o: &Object| o.text("customer") == Some(customer);
    let subscriptions: String =
        account.select("subscription", customer, of_customer).iter().map(subscription).collect();
    let final_ones = |i: &Object| of_customer(i) && i.text("status") != Some("draft");
    let invoices: String = account.select("invoice", customer, final_ones).iter().map(invoice).collect();
    let owner = account.get("customer", customer).unwrap_or_default();
    let method = owner.object("invoice_settings").and_then(|s| s.text("default_payment_method"));
    let card = method.and_then(|m| account.get("payment_method", m));
    let card = card.as_ref().and_then(|m| m.object("card")).map(|c| {
        let text = |name: &str| escape(c.text(name).unwrap_or_default());
        format!("<p>{} •••• {}</p>", text("brand"), text("last4"))
    });
    let problem = problem.map(|p| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(p))).unwrap_or_default();
    let back =
        session.text("return_url").map(|u| format!("<p><a href=\"{}\">Back</a></p>", escape(u))).unwrap_or_default();
    document(
        "Billing",
        &format!(
            "<h1>Billing</h1>{problem}<h2>Subscriptions</h2><table>{subscriptions}</table><h2>Payment method</h2>{}\
             <form method=\"post\">{}<button>Update payment method</button></form><h2>Invoices</h2>\
             <table>{invoices}</table>{back}",
            card.unwrap_or_default(),
            cards(None),
        ),
    )
}
