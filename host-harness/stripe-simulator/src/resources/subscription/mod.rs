//! Subscriptions: created with their first invoice, changed, paused, canceled.
//!
//! A subscription begins in [`creation`]; [`change`] carries out what is asked of it afterwards, with what that
//! costs from [`proration`]; it stops for a while in [`pause`] and for good in [`ending`]. What time brings
//! (renewals, the ends of trials) is `cycle`'s business.

mod change;
mod creation;
mod ending;
mod items;
mod pause;
mod proration;

use serde_json::Value;

use super::{Call, Operations, Read, Reply, checkout_session, listing, search};
use crate::protocol::ApiError;
use crate::world::{Account, Object};

pub(super) use change::change;
use change::update;
use creation::create_operation;
pub(super) use creation::{Start, create};
use ending::cancel_operation;
pub(super) use ending::{cancel_all_of, end, expire};
pub(super) use items::{next_end, price_of, replace_items};
pub(super) use pause::pause_now;
use pause::{pause_operation, resume};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/subscriptions", list),
    ("POST", "/v1/subscriptions", create_operation),
    ("GET", "/v1/subscriptions/search", find),
    ("GET", "/v1/subscriptions/{subscription_exposed_id}", retrieve),
    ("POST", "/v1/subscriptions/{subscription_exposed_id}", update),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel_operation),
    ("POST", "/v1/subscriptions/{subscription}/pause", pause_operation),
    ("POST", "/v1/subscriptions/{subscription}/resume", resume),
];

const KIND: &str = "subscription";
const DAY: i64 = 86_400;

/// Keeps a changed subscription; while it is being created that is no change to tell of.
fn keep(account: &mut Account, old: &Object, new: &Object) {
    if account.being_created.as_deref() == Some(new.id()) {
        account.put(KIND, new);
    } else {
        account.update(KIND, "customer.subscription.updated", old, new);
    }
}

/// An invoice of the subscription was paid.
pub(super) fn paid(account: &mut Account, id: &str, method: Option<&str>) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    if matches!(new.text("status"), Some("incomplete" | "past_due" | "unpaid")) {
        new.insert("status".into(), "active".into());
    }
    let saves = new.object("payment_settings").and_then(|s| s.text("save_default_payment_method"));
    if saves == Some("on_subscription")
        && let Some(method) = method
    {
        new.insert("default_payment_method".into(), method.into());
    }
    keep(account, &old, &new);
    if let Some(("checkout.session", session)) = account.purposes.get(id).cloned() {
        checkout_session::complete(account, &session);
    }
}

/// What a subscription's invoices are charged to.
pub(super) fn default_method(account: &Account, subscription: Option<&Object>, customer: &Object) -> Option<Object> {
    let own = subscription.and_then(|s| s.text("default_payment_method"));
    let settings = customer.object("invoice_settings").and_then(|s| s.text("default_payment_method"));
    let id = own.or(settings).or_else(|| customer.text("default_source"))?;
    account.get("payment_method", id)
}

/// There is nothing that could be charged.
pub(super) fn no_method() -> ApiError {
    ApiError::invalid(
        "This customer has no attached payment source or default payment method. Please consider adding a default \
         payment method. For more information, visit \
         https://stripe.com/docs/billing/payment-methods-guide#collecting-payment-methods.",
    )
    .code("resource_missing")
}

fn period_end(subscription: &Object) -> Option<i64> {
    subscription.object("items")?.objects("data").next()?.integer("current_period_end")
}

fn set_details(subscription: &mut Object, given: &[(&str, Value)]) {
    if let Some(Value::Object(details)) = subscription.get_mut("cancellation_details") {
        for (name, value) in given {
            details.insert((*name).to_owned(), value.clone());
        }
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let equal = [("customer", "customer"), ("collection_method", "collection_method"), ("test_clock", "test_clock")];
    listing::shelf_where(call, KIND, &equal, |s| {
        let status = s.text("status").unwrap_or_default();
        let in_status = match sent.text("status") {
            None => status != "canceled",
            Some("all") => true,
            Some("ended") => matches!(status, "canceled" | "incomplete_expired"),
            Some(wanted) => wanted == status,
        };
        let empty = Object::new();
        let items = s.object("items").unwrap_or(&empty);
        let has_price = |id: &str| items.objects("data").any(|i| i.object("price").is_some_and(|p| p.id() == id));
        let period = |name: &str| {
            let range = sent.get(name);
            range.is_none()
                || items.objects("data").any(|i| i.integer(name).is_some_and(|t| listing::in_range(range, t)))
        };
        in_status
            && sent.text("price").is_none_or(has_price)
            && sent.text("plan").is_none_or(has_price)
            && period("current_period_start")
            && period("current_period_end")
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, KIND, &["canceled_at", "created", "metadata", "status"])
}
