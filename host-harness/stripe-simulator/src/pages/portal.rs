//! The billing portal: a customer sees and cancels what it subscribed to.

use hyper::Method;

use super::html::{document, escape};
use super::{field, page, redirect};
use crate::protocol::{Branch, Reply};
use crate::resources::{Read, cancel_at_period_end};
use crate::world::{Cause, World, lock};

const KIND: &str = "billing_portal.session";

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    let session = account.get(KIND, id)?;
    let customer = session.text("customer").unwrap_or_default();
    if *method == Method::POST {
        account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
        cancel_at_period_end(&mut account, customer, field(form, "cancel"));
        account.commit();
        return Some(redirect(session.text("url").unwrap_or("/")));
    }
    let subscriptions = account.select("subscription", customer, |s| s.text("customer") == Some(customer));
    let rows: String = subscriptions
        .iter()
        .map(|s| {
            let ends = s.is_true("cancel_at_period_end") || s.text("status") == Some("canceled");
            let status = escape(s.text("status").unwrap_or_default());
            let button = if ends {
                "<td>ends</td>".to_owned()
            } else {
                format!(
                    "<td><form method=\"post\"><button name=\"cancel\" value=\"{}\">Cancel</button></form></td>",
                    escape(s.id())
                )
            };
            format!("<tr><td>{} ({status})</td>{button}</tr>", escape(s.id()))
        })
        .collect();
    let back =
        session.text("return_url").map(|u| format!("<p><a href=\"{}\">Back</a></p>", escape(u))).unwrap_or_default();
    Some(page(200, document("Billing", &format!("<h1>Billing</h1><table>{rows}</table>{back}"))))
}
