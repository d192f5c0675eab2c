//! The page where a bank lets the customer authenticate a payment, or a card that is saved for later ones.

use hyper::Method;
use serde_json::Value;

use super::html::{document, escape};
use super::{field, json, page, redirect};
use crate::protocol::{Branch, Reply};
use crate::resources::{Read, complete_authentication, format_amount};
use crate::world::{Account, Cause, Object, World, lock};

const KINDS: [&str; 2] = ["payment_intent", "setup_intent"];

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let (kind, account) = KINDS.into_iter().find_map(|kind| Some((kind, world.account_with(kind, id)?)))?;
    let mut account = lock(&account);
    let before = account.get(kind, id)?;
    if *method != Method::POST {
        let what = match before.integer("amount") {
            Some(amount) => {
                format!("a payment of {}", format_amount(amount, before.text("currency").unwrap_or("usd")))
            }
            None => "payments with this card to come".to_owned(),
        };
        let body = format!(
            "<h1>3D Secure</h1><p>Authorize {}?</p><form method=\"post\">\
             <button name=\"outcome\" value=\"succeeded\">Complete</button>\
             <button name=\"outcome\" value=\"failed\">Fail</button></form>",
            escape(&what)
        );
        return Some(page(200, document("3D Secure", &body)));
    }
    let succeeded = match field(form, "outcome") {
        "succeeded" => true,
        "failed" => false,
        other => {
            let error = crate::protocol::ApiError::invalid(format!(
                "Invalid outcome: must be one of succeeded or failed, not {other:?}."
            ));
            return Some(json(400, error.param("outcome").body(None).to_string()));
        }
    };
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let after = complete_authentication(&mut account, id, succeeded);
    account.commit();
    let after = after?;
    Some(match destination(&account, &before, &after) {
        Some(url) => redirect(&url),
        None => json(200, Value::Object(after).to_string()),
    })
}

/// Where the customer came from: the page that the merchant named, or the session that is being paid.
fn destination(account: &Account, before: &Object, after: &Object) -> Option<String> {
    let redirect = before.object("next_action").and_then(|a| a.object("redirect_to_url"));
    let paid = matches!(after.text("status"), Some("succeeded" | "requires_capture"));
    if let Some(url) = redirect.and_then(|r| r.text("return_url")) {
        let joint = if url.contains('?') { '&' } else { '?' };
        let status = if paid { "succeeded" } else { "failed" };
        let (id, secret) = (after.id(), after.text("client_secret").unwrap_or_default());
        let kind = after.text("object").unwrap_or_default();
        return Some(format!("{url}{joint}{kind}={id}&{kind}_client_secret={secret}&redirect_status={status}"));
    }
    let session = session_of(account, after.id())?;
    let session = account.get("checkout.session", &session)?;
    if session.text("status") == Some("complete") {
        return session.text("success_url").map(|u| u.replace("{CHECKOUT_SESSION_ID}", session.id()));
    }
    session.text("url").map(str::to_owned)
}

fn session_of(account: &Account, intent: &str) -> Option<String> {
    match account.purposes.get(intent)? {
        ("checkout.session", id) => Some(id.clone()),
        ("invoice", id) => {
            let invoice = account.get("invoice", id)?;
            let details = invoice.object("parent")?.object("subscription_details")?;
            account.purposes.get(details.text("subscription")?).map(|(_, id)| id.clone())
        }
        _ => None,
    }
}
