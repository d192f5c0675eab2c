//! Test clocks: time that stands still until it is advanced, and then everything that was due happens.

use serde_json::{Value, json};

use super::fields::{deleted, object};
use super::{Call, Operations, Read, Reply, calendar, customer, cycle, listing, subscription};
use crate::protocol::ApiError;
use crate::world::{Account, Object, freeze, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/test_helpers/test_clocks", list),
    ("POST", "/v1/test_helpers/test_clocks", create),
    ("GET", "/v1/test_helpers/test_clocks/{test_clock}", retrieve),
    ("DELETE", "/v1/test_helpers/test_clocks/{test_clock}", delete),
    ("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance", advance),
];

pub(super) const KIND: &str = "test_helpers.test_clock";
const DAY: i64 = 86_400;
/// The latest time that a clock can show: the end of the year 9999.
const LATEST: i64 = 253_402_300_799;

/// The rest of the operation sees this clock.
pub(super) fn enter(clock: &Object) {
    freeze(clock.integer("frozen_time"));
}

/// The rest of the operation sees the clock of an object, if it has one.
pub(super) fn enter_of(account: &Account, object: &Object) {
    if let Some(clock) = object.text("test_clock").and_then(|id| account.get(KIND, id)) {
        enter(&clock);
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if call.account.live() {
        return Err(ApiError::invalid("Test clocks can only be used in test mode."));
    }
    let time = call.parameters.integer("frozen_time").unwrap_or_default();
    if !(0..=LATEST).contains(&time) {
        return Err(ApiError::invalid("Invalid timestamp").code("parameter_invalid_integer").param("frozen_time"));
    }
    let owner = match call.parameters.text("customer") {
        Some(id) => Some(customer::named(call.account, id, "customer")?),
        None => None,
    };
    let created = now();
    let clock = object(json!({
        "id": call.account.new_id("clock"), "object": KIND, "created": created, "deletes_after": created + 30 * DAY,
        "frozen_time": time, "livemode": false, "name": call.parameters.text("name"), "status": "ready",
        "status_details": {},
    }));
    let text = call.account.create(KIND, "test_helpers.test_clock.created", &clock);
    if let Some(mut owner) = owner {
        owner.insert("test_clock".into(), clock.id().into());
        call.account.put("customer", &owner);
    }
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

/// A clock that is deleted takes its customers along.
fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let clock = call.named(KIND)?;
    let id = clock.id().to_owned();
    for owner in call.account.select("customer", &id, |c| c.text("test_clock") == Some(&id)) {
        subscription::cancel_all_of(call.account, owner.id());
        let left = deleted("customer", owner.id());
        let text = written(&left);
        call.account.remove("customer", owner.id(), Some(text));
    }
    call.account.remove(KIND, &id, None);
    let last = written(&clock);
    call.account.emit("test_helpers.test_clock.deleted", last);
    Ok(deleted(KIND, &id).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[])
}

/// The longest that a clock can be advanced at once: two of the shortest intervals that it drives.
fn furthest(account: &Account, clock: &str, from: i64) -> i64 {
    let subscriptions = account.select("subscription", clock, |s| {
        s.text("test_clock") == Some(clock) && !matches!(s.text("status"), Some("canceled" | "incomplete_expired"))
    });
    let two = |item: &Object| {
        let recurring = item.object("price").and_then(|p| p.object("recurring"));
        let unit = recurring.and_then(|r| r.text("interval")).unwrap_or("month");
        let count = recurring.and_then(|r| r.integer("interval_count")).unwrap_or(1);
        calendar::later(from, unit, count.saturating_mul(2))
    };
    let items = subscriptions.iter().filter_map(|s| s.object("items")).flat_map(|i| i.objects("data"));
    items.map(two).min().unwrap_or(LATEST)
}

fn advance(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut clock = call.named(KIND)?;
    let id = clock.id().to_owned();
    let from = clock.integer("frozen_time").unwrap_or_default();
    let to = call.parameters.integer("frozen_time").unwrap_or_default();
    let refused = |message: String| Err(ApiError::invalid(message).param("frozen_time"));
    if to <= from {
        return refused(format!("The frozen_time must be after the clock's current time, {from}."));
    }
    if to > LATEST {
        return refused("Invalid timestamp".to_owned());
    }
    let furthest = furthest(call.account, &id, from);
    if to > furthest {
        return refused(format!(
            "A test clock can be advanced by two intervals of its shortest subscription at once: until {furthest}."
        ));
    }
    clock.insert("status".into(), "advancing".into());
    clock.insert("status_details".into(), json!({"advancing": {"target_frozen_time": to}}));
    let answer = call.account.put(KIND, &clock);
    call.account.emit("test_helpers.test_clock.advancing", answer.clone());
    let mut time = from;
    while let Some((due, what)) = cycle::next(call.account, &id).filter(|(due, _)| *due <= to) {
        time = due.max(time);
        freeze(Some(time));
        clock.insert("frozen_time".into(), time.into());
        call.account.put(KIND, &clock);
        cycle::carry_out(call.account, &what);
    }
    freeze(None);
    clock.insert("frozen_time".into(), to.into());
    clock.insert("status".into(), "ready".into());
    clock.insert("status_details".into(), Value::Object(Object::new()));
    let text = call.account.put(KIND, &clock);
    call.account.emit("test_helpers.test_clock.ready", text);
    // The caller learns that it advances; by the time that it asks again, it did.
    Ok(Reply::Kept(answer))
}
