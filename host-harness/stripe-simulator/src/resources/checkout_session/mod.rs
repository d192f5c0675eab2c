//! Checkout sessions: opened by the merchant, paid on a hosted page, completed or expired.
//!
//! [`cart`] reads what is sold and [`opening`] makes the session; [`entered`] takes what the customer chooses and
//! writes on the page, and after every choice [`totals`] works out what it costs; [`payment`] has it paid and
//! completes it. The page itself is in `pages`.

mod cart;
mod entered;
mod opening;
mod payment;
mod totals;

use serde_json::{Value, json};

use super::fields::{assign_metadata, sublist};
use super::{Call, Operations, Read, Reply, listing, payment_intent};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) use cart::{cart, keep_new};
use opening::create;
pub(super) use opening::open;
pub(super) use payment::complete;
pub(crate) use payment::{Paid, pay, problem};
use payment::{confirm_page, intent_of};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/checkout/sessions", list),
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions/{session}", retrieve),
    ("POST", "/v1/checkout/sessions/{session}", update),
    ("POST", "/v1/checkout/sessions/{session}/expire", expire_operation),
    ("GET", "/v1/checkout/sessions/{session}/line_items", list_line_items),
    ("GET", "/v1/payment_pages/{session}", retrieve),
    ("POST", "/v1/payment_pages/{session}/confirm", confirm_page),
];

const KIND: &str = "checkout.session";
/// Where the line items are: they are part of no answer unless expanded.
const LINE_ITEMS: &str = "checkout.session.line_items";
/// The taxes and discounts of line items, which are part of no answer unless expanded.
const ITEM_DETAILS: &str = "checkout.session.item_details";
/// What the session was opened with and does not show.
const DATA: &str = "checkout.session.data";
/// How long a link to a session that expired can be followed.
const RECOVERY: i64 = 30 * 86_400;

/// A session, expired if its time is over.
fn named(call: &mut Call<'_>) -> Result<Object, ApiError> {
    let session = call.named(KIND)?;
    Ok(lapse(call.account, session))
}

/// Expires a session whose time is over.
fn lapse(account: &mut Account, session: Object) -> Object {
    let over = session.integer("expires_at").is_some_and(|end| end <= now());
    if session.text("status") == Some("open") && over { expire(account, session) } else { session }
}

/// A session as it is now, for the page.
pub(crate) fn current(account: &mut Account, id: &str) -> Option<Object> {
    let session = account.get(KIND, id)?;
    Some(lapse(account, session))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    named(call).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut session = named(call)?;
    let sent = std::mem::take(&mut call.parameters);
    if session.text("status") != Some("open") && sent.keys().any(|k| k != "metadata") {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    let currency = session.text("currency").map(str::to_owned);
    let shipping = if sent.contains_key("shipping_options") {
        Some(opening::shipping_options(call.account, &sent, currency.as_deref())?)
    } else {
        None
    };
    assign_metadata(&mut session, &sent)?;
    if let Some(details) = sent.object("collected_information").and_then(|c| c.object("shipping_details")) {
        let address = details.object("address").cloned().unwrap_or_default();
        let member = |name: &str| address.get(name).filter(|v| *v != "").cloned().unwrap_or_default();
        let address = json!({
            "city": member("city"), "country": member("country"), "line1": member("line1"),
            "line2": member("line2"), "postal_code": member("postal_code"), "state": member("state"),
        });
        let shipping = json!({"address": address, "name": details.get("name")});
        let collected = json!({"business_name": null, "individual_name": null, "shipping_details": shipping});
        session.insert("collected_information".into(), collected);
    }
    if let Some(shipping) = shipping {
        opening::replace_shipping(call.account, &mut session, &shipping);
        totals::sum(call.account, &mut session);
    }
    Ok(Reply::Kept(call.account.put(KIND, &session)))
}

fn expire_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let session = named(call)?;
    let status = session.text("status").unwrap_or_default();
    if status != "open" {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             `{status}`."
        );
        return Err(ApiError::invalid(message));
    }
    Ok(expire(call.account, session).into())
}

/// A session that nobody will pay any more; what was begun for it is canceled.
fn expire(account: &mut Account, mut session: Object) -> Object {
    let id = session.id().to_owned();
    session.insert("status".into(), "expired".into());
    session.insert("url".into(), Value::Null);
    let link = format!("{}/c/recover/{id}", account.settings().base_url);
    let recovery = session.get_mut("after_expiration").and_then(|a| a.get_mut("recovery"));
    if let Some(Value::Object(recovery)) = recovery
        && recovery.is_true("enabled")
    {
        recovery.insert("expires_at".into(), now().saturating_add(RECOVERY).into());
        recovery.insert("url".into(), link.into());
    }
    account.put(KIND, &session);
    let open = |i: &Object| !matches!(i.text("status"), Some("succeeded" | "canceled"));
    if session.text("payment_intent").is_some()
        && let Some(mut intent) = intent_of(account, &session).filter(open)
    {
        payment_intent::void(account, &mut intent, "expired".into());
    }
    let text = account.put(KIND, &session);
    account.emit("checkout.session.expired", text);
    session
}

/// Somebody follows the link to a session that expired: a new one like it, and the page where it is paid.
///
/// # Errors
/// When there is nothing to recover, or not any more.
pub(crate) fn recover(account: &mut Account, id: &str) -> Result<String, ApiError> {
    let old = account.find(KIND, id, "id")?;
    let recovery = old.object("after_expiration").and_then(|a| a.object("recovery"));
    let Some(recovery) = recovery.filter(|r| r.integer("expires_at").is_some_and(|end| end > now())) else {
        return Err(ApiError::invalid("This Checkout Session cannot be recovered."));
    };
    let mut sent = account.get(DATA, id).and_then(|d| d.object("sent").cloned()).unwrap_or_default();
    for name in ["after_expiration", "expires_at"] {
        sent.remove(name);
    }
    if recovery.is_true("allow_promotion_codes") {
        sent.remove("discounts");
        sent.insert("allow_promotion_codes".into(), true.into());
    }
    let mut session = open(account, &sent)?;
    session.insert("recovered_from".into(), id.into());
    account.put(KIND, &session);
    Ok(session.text("url").unwrap_or_default().to_owned())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    for session in call.account.select(KIND, "\"status\":\"open\"", |s| s.text("status") == Some("open")) {
        lapse(call.account, session);
    }
    let equal = [
        ("customer", "customer"),
        ("payment_intent", "payment_intent"),
        ("payment_link", "payment_link"),
        ("subscription", "subscription"),
        ("status", "status"),
    ];
    let email = call.parameters.object("customer_details").and_then(|d| d.text("email"));
    listing::shelf_where(call, KIND, &equal, |s| {
        email.is_none() || s.object("customer_details").and_then(|d| d.text("email")) == email
    })
}

fn items_of(account: &Account, session: &str) -> Vec<Value> {
    account.get(LINE_ITEMS, session).map(|i| i.list("data").to_vec()).unwrap_or_default()
}

fn list_line_items(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let session = named(call)?;
    let items = items_of(call.account, session.id());
    listing::parts(call, "item", items)
}

/// `line_items` of a session, when expanded.
pub(super) fn line_items(account: &Account, session: &Object) -> Value {
    let id = session.id();
    sublist(items_of(account, id), format!("/v1/checkout/sessions/{id}/line_items"))
}

/// `taxes` and `discounts` of a line item, when expanded.
pub(super) fn item_details(account: &Account, field: &str, item: &Object) -> Option<Value> {
    account.get(ITEM_DETAILS, item.id())?.remove(field)
}

/// `total_details.breakdown` of a session, when expanded.
pub(super) fn breakdown(account: &Account, session: &Object) -> Option<Value> {
    account.get(DATA, session.id())?.remove("breakdown")
}
