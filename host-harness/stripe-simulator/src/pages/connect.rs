//! Where connected accounts are sent: the form that an account link leads to, and the Express dashboard.

use super::html::{document, escape};
use super::{Method, page, redirect};
use crate::protocol::Reply;
use crate::resources::{Onboarding, Read, onboard};
use crate::world::{World, lock};

/// The form of an account link.
pub(super) fn setup(world: &World, method: &Method, account: &str, token: &str) -> Option<Reply> {
    Some(match onboard(world, account, token, *method == Method::POST)? {
        Onboarding::Back(url) => redirect(&url),
        Onboarding::Form { due } => {
            let due: String = due.iter().map(|d| format!("<li><code>{}</code></li>", escape(d))).collect();
            let body = format!(
                "<h1>Get paid</h1><p>Account <code>{}</code> is asked for:</p><ul>{due}</ul><form method=\"post\">\
                 <button>Fill in everything and go back</button></form>",
                escape(account)
            );
            page(200, document("Onboarding", &body))
        }
    })
}

/// The dashboard that a login link leads to.
pub(super) fn express(world: &World, account: &str) -> Option<Reply> {
    let platform = world.account_with("account", account)?;
    let known = lock(&platform).get("account", account)?;
    let payouts = if known.is_true("payouts_enabled") { "enabled" } else { "not enabled" };
    let body = format!("<h1>Express</h1><p>Account <code>{}</code>: payouts are {payouts}.</p>", escape(account));
    Some(page(200, document("Express", &body)))
}
