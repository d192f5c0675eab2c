//! Where connected accounts are sent: links to the form that asks for what is missing, and to the Express dashboard.

use serde_json::json;

use super::account::{self, KIND, change, keep};
use super::fields::object;
use super::{Call, Operations, Read, Reply, external_account, person};
use crate::protocol::ApiError;
use crate::world::{Account, Cause, Object, World, lock, now};

pub(super) const OPERATIONS: Operations =
    &[("POST", "/v1/account_links", create_link), ("POST", "/v1/accounts/{account}/login_links", create_login_link)];

/// What is kept of an account link.
const LINK: &str = "account_link";
/// Seconds that an account link can be opened for.
const LINK_LIFE: i64 = 300;

fn create_login_link(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let known = account::made(call)?;
    let dashboard = known.object("controller").and_then(|c| c.object("stripe_dashboard")).and_then(|d| d.text("type"));
    if dashboard != Some("express") {
        return Err(ApiError::invalid(format!(
            "Cannot create a login link for an account that has no Express Dashboard: {}.",
            known.id()
        )));
    }
    if !known.is_true("details_submitted") {
        return Err(ApiError::invalid("Cannot create a login link for an account that has not completed onboarding."));
    }
    let token = call.account.letters(12);
    let url = format!("{}/express/{}/{token}", call.account.settings().base_url, known.id());
    Ok(object(json!({"object": "login_link", "created": now(), "url": url})).into())
}

fn create_link(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let id = sent.text("account").unwrap_or_default();
    let known = call.account.find(KIND, id, "account")?;
    for param in ["refresh_url", "return_url"] {
        let Some(url) = sent.text(param) else { return Err(ApiError::missing_param(param)) };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let message = "Not a valid URL";
            return Err(ApiError::invalid(message).code("url_invalid").param(param));
        }
    }
    let collects = known.object("controller").and_then(|c| c.text("requirement_collection")).unwrap_or_default();
    if sent.text("type") == Some("account_update") && collects != "application" {
        return Err(ApiError::invalid(
            "You cannot create `account_update` type Account Links for this account: its requirements are collected \
             by Stripe.",
        )
        .param("type"));
    }
    let letter = if known.text("type") == Some("standard") { "s" } else { "e" };
    let token = call.account.letters(12);
    let url = format!("{}/setup/{letter}/{id}/{token}", call.account.settings().base_url);
    let link = object(json!({"object": LINK, "created": now(), "expires_at": now() + LINK_LIFE, "url": url}));
    let mut kept = link.clone();
    for (name, value) in [
        ("id", json!(token)),
        ("account", json!(id)),
        ("refresh_url", json!(sent.text("refresh_url"))),
        ("return_url", json!(sent.text("return_url"))),
    ] {
        kept.insert(name.into(), value);
    }
    call.account.put(LINK, &kept);
    Ok(link.into())
}

/// Where somebody is sent who opened an account link: on to the form, or back because it cannot be used any more.
pub(crate) enum Onboarding {
    Form { due: Vec<String> },
    Back(String),
}

/// What an account link leads to; with `submit` somebody filled in everything that was asked for. A link can be used
/// once and for some minutes.
pub(crate) fn onboard(world: &World, id: &str, token: &str, submit: bool) -> Option<Onboarding> {
    let account = world.account_with(LINK, token)?;
    let mut account = lock(&account);
    account.begin(Cause::default());
    let link = account.get(LINK, token).filter(|l| l.text("account") == Some(id))?;
    let known = account.get(KIND, id)?;
    let url = |name: &str| link.text(name).unwrap_or_default().to_owned();
    if link.is_true("used") || link.integer("expires_at").is_some_and(|end| end <= now()) {
        return Some(Onboarding::Back(url("refresh_url")));
    }
    if !submit {
        let due = known.object("requirements").map(|r| r.list("currently_due").to_vec()).unwrap_or_default();
        return Some(Onboarding::Form { due: due.iter().filter_map(|d| d.as_str().map(str::to_owned)).collect() });
    }
    let mut used = link.clone();
    used.insert("used".into(), true.into());
    account.put(LINK, &used);
    fill_in(&mut account, &known);
    account.commit();
    Some(Onboarding::Back(url("return_url")))
}

/// Everything that is asked for, as the simulated owner answers.
fn fill_in(account: &mut Account, old: &Object) {
    let address = json!({"city": "San Francisco", "country": "US", "line1": "354 Oyster Point Blvd", "postal_code": "94080", "state": "CA"});
    let somebody = json!({
        "address": address, "dob": {"day": 1, "month": 1, "year": 1901}, "email": "owner@connected.example",
        "first_name": "Jenny", "last_name": "Rosen", "phone": "+15555551234", "ssn_last_4": "0000",
        "relationship": {"owner": true, "representative": true, "title": "CEO"},
    });
    let company = json!({"address": address, "name": "Connected Shop", "phone": "+15555551234", "tax_id": "000000000"});
    let individual = old.text("business_type").unwrap_or("individual") == "individual";
    let mut sent = object(json!({
        "business_profile": {"mcc": "5734", "url": "https://connected.example"},
        "business_type": old.text("business_type").unwrap_or("individual"),
        "tos_acceptance": {"date": now(), "ip": "127.0.0.1"},
    }));
    if individual {
        sent.insert("individual".into(), somebody);
    } else {
        sent.insert("company".into(), company);
        person::add(account, old.id(), &object(somebody));
    }
    if account.settings().external_accounts(account.live(), old.id()).is_empty() {
        // A ready-made token is never refused.
        let _ = external_account::add(account, old.id(), &object(json!({"external_account": "btok_us_verified"})));
    }
    let Some(old) = account.get(KIND, old.id()) else { return };
    let mut new = old.clone();
    if change(account, &mut new, &sent).is_ok() {
        keep(account, &old, new);
    }
}
