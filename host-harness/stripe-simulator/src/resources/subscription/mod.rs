//! Subscriptions: created with their first invoice, changed, paused, canceled.
//!
//! A subscription begins in [`creation`]; [`change`] carries out what is asked of it afterwards, with what that
//! costs from [`proration`]; it stops for a while in [`pause`] and for good in [`ending`]. What time brings
//! (renewals, the ends of trials) is `cycle`'s business. A change that waits for its payment is kept in
//! [`pending`].

mod change;
mod creation;
mod ending;
mod items;
mod pause;
mod pending;
mod proration;

use serde_json::Value;

use super::{Call, Operations, Read, Reply, calendar, checkout_session, listing, search};
use crate::protocol::ApiError;
use crate::world::{Account, Object};

pub(super) use change::change;
use change::update;
use creation::create_operation;
pub(super) use creation::{Start, create, imagine};
use ending::cancel_operation;
pub(super) use ending::{cancel_all_of, cancel_with, end, expire};
pub(super) use items::{enter_phase, next_end, price_of};
pub(super) use pause::pause_now;
use pause::{pause_operation, resume};
pub(super) use pending::{discard, expires};
pub(super) use proration::{foresee, share};

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
/// Items that a subscription can have.
const MOST_ITEMS: usize = 20;

/// Keeps a changed subscription; while it is being created that is no change to tell of.
pub(super) fn keep(account: &mut Account, old: &Object, new: &Object) {
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
    let resumes = new.text("status") == Some("paused")
        && account.being_created.as_deref() != Some(id)
        && new
            .text("latest_invoice")
            .and_then(|i| account.get("invoice", i))
            .is_some_and(|i| i.text("status") == Some("paid"));
    if resumes {
        new.insert("status".into(), "active".into());
        pause::go_on(account, &old, new);
    } else {
        keep(account, &old, &new);
    }
    pending::apply(account, id);
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

/// Whether a new period is asked for: `billing_cycle_anchor[type]=now`, in older versions just `now`.
fn anchor_is_now(sent: &Object) -> bool {
    let of_type = sent.object("billing_cycle_anchor").and_then(|a| a.text("type"));
    of_type.or_else(|| sent.text("billing_cycle_anchor")) == Some("now")
}

fn anchor_is_unchanged(sent: &Object) -> bool {
    let of_type = sent.object("billing_cycle_anchor").and_then(|a| a.text("type"));
    of_type.or_else(|| sent.text("billing_cycle_anchor")) == Some("unchanged")
}

/// When the first whole period of a new subscription begins, if not at once. It begins no later than it would end
/// by itself, at `natural`.
fn anchor_of(sent: &Object, created: i64, natural: i64) -> Result<Option<i64>, ApiError> {
    if sent.contains_key("billing_cycle_anchor") && sent.contains_key("billing_cycle_anchor_config") {
        return Err(ApiError::exclusive("billing_cycle_anchor", "billing_cycle_anchor_config"));
    }
    if let Some(config) = sent.object("billing_cycle_anchor_config") {
        let part = |name: &str, least: i64, most: i64| match config.integer(name) {
            Some(value) if value < least => {
                Err(ApiError::too_small(&format!("billing_cycle_anchor_config[{name}]"), least))
            }
            Some(value) if value > most => {
                Err(ApiError::too_large(&format!("billing_cycle_anchor_config[{name}]"), most))
            }
            value => Ok(value),
        };
        let clock = |value: Option<i64>, now: i64| value.unwrap_or(now);
        let (hour, minute, second) = (part("hour", 0, 23)?, part("minute", 0, 59)?, part("second", 0, 59)?);
        let today = created.rem_euclid(DAY);
        let time = clock(hour, today / 3_600) * 3_600 + clock(minute, today / 60 % 60) * 60 + clock(second, today % 60);
        let day = part("day_of_month", 1, 31)?.unwrap_or(1);
        let next = calendar::Config { month: part("month", 1, 12)?, day, time }.next(created);
        return Ok((next < natural).then_some(next));
    }
    match sent.integer("billing_cycle_anchor") {
        Some(anchor) if anchor < created => {
            let message = "billing_cycle_anchor must be a timestamp in the future.";
            Err(ApiError::invalid(message).param("billing_cycle_anchor"))
        }
        Some(anchor) if anchor > natural => {
            let message =
                format!("billing_cycle_anchor cannot be later than next natural billing date ({natural}) for plan");
            Err(ApiError::invalid(message).param("billing_cycle_anchor"))
        }
        anchor => Ok(anchor.filter(|a| *a > created && *a < natural)),
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
