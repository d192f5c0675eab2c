//! What time brings: trials end, periods are billed, drafts are finalized, payments are tried again or are overdue,
//! and schedules enter their next phase.
//!
//! What an account sets in its dashboard is fixed here: a renewal is announced a week before, an invoice that was
//! sent three days before it is due, and who does not pay loses the subscription after the last attempt, or thirty
//! days after the invoice was due.
//!
//! [`next`] tells what is due first on a clock, [`carry_out`] does it. Whatever is carried out must move its
//! own due time on, or nothing after it would ever happen.

use serde_json::Value;

use super::payment_intent::Terms;
use super::{Read, discount, invoice, schedule, subscription};
use crate::world::{Account, Object, now, written};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// Before a trial ends, the merchant is told.
const WARNING: i64 = 3 * DAY;
/// Before a subscription is billed, the merchant is told.
const UPCOMING: i64 = 7 * DAY;
/// Before an invoice that was sent is due, the merchant is told.
const DUE_SOON: i64 = 3 * DAY;
/// An invoice that is overdue for so long ends its subscription.
const LENIENCE: i64 = 30 * DAY;
/// A first payment that is not made in this time ends its subscription.
const PATIENCE: i64 = 23 * HOUR;
/// The days between attempts to be paid.
const RETRIES: [i64; 3] = [3 * DAY, 5 * DAY, 7 * DAY];

/// Something that is due.
#[derive(Debug, Clone)]
pub(super) enum Due {
    TrialWillEnd(String),
    Upcoming(String, i64),
    Renew(String),
    Cancel(String),
    Expire(String),
    Resume(String),
    Finalize(String),
    Retry(String),
    Reminder(String),
    Overdue(String),
    LongOverdue(String),
    Discard(String),
    Phase(String),
    ScheduleEnds(String),
}

/// What a warning is remembered by.
fn warning(what: &str, id: &str, time: i64) -> String {
    format!("{what}:{id}:{time}")
}

fn moments(account: &Account, s: &Object, found: &mut Vec<(i64, Due)>) {
    let id = || s.id().to_owned();
    let status = s.text("status").unwrap_or_default();
    let period_end =
        s.object("items").and_then(|i| i.objects("data").filter_map(|i| i.integer("current_period_end")).min());
    let cancel_at = s.integer("cancel_at");
    if let Some(at) = subscription::expires(s) {
        found.push((at, Due::Discard(id())));
    }
    let announced = matches!(status, "trialing" | "active" | "past_due").then_some(period_end).flatten();
    if let Some(end) = announced.filter(|end| cancel_at.is_none_or(|at| at > *end)) {
        let began =
            s.object("items").and_then(|i| i.objects("data").filter_map(|i| i.integer("current_period_start")).max());
        // A period that is shorter than the warning is not announced.
        if end.saturating_sub(UPCOMING) > began.unwrap_or(end)
            && !account.warned.contains(&warning("upcoming", s.id(), end))
        {
            found.push((end.saturating_sub(UPCOMING), Due::Upcoming(id(), end)));
        }
    }
    match status {
        "trialing" => {
            let end = s.integer("trial_end").unwrap_or_default();
            if !account.warned.contains(&format!("{}:{end}", s.id())) {
                found.push((end - WARNING, Due::TrialWillEnd(id())));
            }
            found.push((end, Due::Renew(id())));
        }
        "active" | "past_due" | "unpaid" => found.extend(period_end.map(|end| (end, Due::Renew(id())))),
        "incomplete" => found.push((s.integer("created").unwrap_or_default() + PATIENCE, Due::Expire(id()))),
        _ => return,
    }
    if let Some(at) = cancel_at {
        // At the end of the period there is no more renewal.
        found.push((at, Due::Cancel(id())));
        found.retain(|(time, due)| !(matches!(due, Due::Renew(r) if r == s.id()) && *time >= at));
    }
    if let Some(at) = s.object("pause_collection").and_then(|p| p.integer("resumes_at")) {
        found.push((at, Due::Resume(id())));
    }
}

/// What becomes of an invoice that was sent and is not paid.
fn dunning(account: &Account, i: &Object, found: &mut Vec<(i64, Due)>) {
    let Some(due) = i.integer("due_date").filter(|_| i.text("collection_method") == Some("send_invoice")) else {
        return;
    };
    let id = || i.id().to_owned();
    let told = |what: &str| account.warned.contains(&warning(what, i.id(), due));
    if !told("will_be_due") && due.saturating_sub(DUE_SOON) > i.integer("created").unwrap_or(due) {
        found.push((due.saturating_sub(DUE_SOON), Due::Reminder(id())));
    }
    if !told("overdue") {
        found.push((due, Due::Overdue(id())));
    } else if !told("long_overdue") && invoice::subscription_of(i).is_some() {
        found.push((due.saturating_add(LENIENCE), Due::LongOverdue(id())));
    }
}

/// What is due first among the objects of a clock.
pub(super) fn next(account: &Account, clock: &str) -> Option<(i64, Due)> {
    let on_clock = |o: &Object| o.text("test_clock") == Some(clock);
    let mut found = Vec::new();
    for schedule in account.select("subscription_schedule", clock, on_clock).iter().rev() {
        let id = || schedule.id().to_owned();
        let warned = |end: &i64| account.warned.contains(&warning("schedule", schedule.id(), *end));
        let begins = schedule.integer("created").unwrap_or_default();
        // A schedule that is shorter than the warning is not announced to end.
        let ends = schedule::ends(schedule).filter(|end| end.saturating_sub(UPCOMING) > begins && !warned(end));
        found.extend(ends.map(|end| (end.saturating_sub(UPCOMING), Due::ScheduleEnds(id()))));
        found.extend(schedule::due(schedule).map(|time| (time, Due::Phase(id()))));
    }
    for s in account.select("subscription", clock, on_clock).iter().rev() {
        moments(account, s, &mut found);
    }
    // Most invoices are paid; those need not be read to know that nothing is due of them.
    for i in account.select("invoice", "\"status\":\"draft\"", on_clock).iter().rev() {
        let due = i.integer("automatically_finalizes_at").filter(|_| i.text("status") == Some("draft"));
        found.extend(due.map(|time| (time, Due::Finalize(i.id().to_owned()))));
    }
    for i in account.select("invoice", "\"status\":\"open\"", on_clock).iter().rev() {
        if i.text("status") == Some("open") {
            found.extend(i.integer("next_payment_attempt").map(|time| (time, Due::Retry(i.id().to_owned()))));
            dunning(account, i, &mut found);
        }
    }
    // The first of equals: phases before periods, older before newer.
    let mut first: Option<(i64, Due)> = None;
    for one in found {
        if first.as_ref().is_none_or(|(time, _)| one.0 < *time) {
            first = Some(one);
        }
    }
    first
}

/// Does what is due.
pub(super) fn carry_out(account: &mut Account, due: &Due) {
    match due {
        Due::TrialWillEnd(id) => {
            let Some(s) = account.get("subscription", id) else { return };
            account.warned.insert(format!("{id}:{}", s.integer("trial_end").unwrap_or_default()));
            if let Some(text) = account.text("subscription", id).cloned() {
                account.emit("customer.subscription.trial_will_end", text);
            }
        }
        Due::Upcoming(id, end) => {
            account.warned.insert(warning("upcoming", id, *end));
            let Some(s) = account.get("subscription", id) else { return };
            let invoice = invoice::upcoming(account, &s);
            account.emit("invoice.upcoming", written(&invoice));
        }
        Due::Reminder(id) => {
            tell(account, id, "will_be_due", "invoice.will_be_due");
        }
        Due::Overdue(id) => overdue(account, id),
        Due::LongOverdue(id) => {
            let Some(invoice) = account.get("invoice", id) else { return };
            let due = invoice.integer("due_date").unwrap_or_default();
            account.warned.insert(warning("long_overdue", id, due));
            if let Some(subscription) = invoice::subscription_of(&invoice) {
                subscription::end(account, &subscription, "payment_failed");
            }
        }
        Due::Discard(id) => subscription::discard(account, id, true),
        Due::ScheduleEnds(id) => {
            let Some(schedule) = account.get("subscription_schedule", id) else { return };
            account.warned.insert(warning("schedule", id, schedule::ends(&schedule).unwrap_or_default()));
            if let Some(text) = account.text("subscription_schedule", id).cloned() {
                account.emit("subscription_schedule.expiring", text);
            }
        }
        Due::Renew(id) => renew(account, id),
        Due::Cancel(id) => subscription::end(account, id, "cancellation_requested"),
        Due::Expire(id) => subscription::expire(account, id),
        Due::Resume(id) => {
            let Some(old) = account.get("subscription", id) else { return };
            let mut new = old.clone();
            new.insert("pause_collection".into(), Value::Null);
            account.update("subscription", "customer.subscription.updated", &old, &new);
        }
        Due::Finalize(id) => finalize(account, id),
        Due::Retry(id) => collect(account, id),
        Due::Phase(id) => schedule::enter_next(account, id),
    }
}

/// A period ends: the next one begins and is billed.
pub(super) fn renew(account: &mut Account, id: &str) {
    let Some(old) = account.get("subscription", id) else { return };
    let owner = account.get("customer", old.text("customer").unwrap_or_default()).unwrap_or_default();
    let ended_trial = old.text("status") == Some("trialing");
    if ended_trial && subscription::default_method(account, Some(&old), &owner).is_none() {
        let behaviour = old.object("trial_settings").and_then(|t| t.object("end_behavior"));
        match behaviour.and_then(|b| b.text("missing_payment_method")) {
            Some("cancel") => return subscription::end(account, id, "cancellation_requested"),
            Some("pause") => return subscription::pause_now(account, &old, old.clone()),
            _ => {}
        }
    }
    let mut new = old.clone();
    let (start, begun) = next_period(&mut new);
    if ended_trial {
        new.insert("status".into(), "active".into());
    }
    let draft = invoice::draft_for(account, &new, "subscription_cycle", &begun);
    let invoice = wait(account, draft, start);
    let lasting = discount::lasting(account, new.list("discounts"));
    new.insert("discounts".into(), lasting.into());
    new.insert("latest_invoice".into(), invoice.id().into());
    account.update("subscription", "customer.subscription.updated", &old, &new);
    pause_or_wait(account, &new, invoice);
}

/// Every item whose period ends first enters its next one; the period that ended, and the ids of those items.
fn next_period(subscription: &mut Object) -> ((i64, i64), Vec<String>) {
    let whole = subscription.clone();
    let items = subscription.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    let mut ended = (now(), now());
    let mut begun = Vec::new();
    if let Some(items) = items {
        let first = items.iter().filter_map(|i| i["current_period_end"].as_i64()).min().unwrap_or_else(now);
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            if item.integer("current_period_end") == Some(first) {
                ended = (item.integer("current_period_start").unwrap_or(first), first);
                let end = subscription::next_end(&whole, item, first);
                item.insert("current_period_start".into(), first.into());
                // A period of no length would never end.
                item.insert("current_period_end".into(), end.max(first + 1).into());
                item.insert("billed_until".into(), end.max(first + 1).into());
                begun.push(item.id().to_owned());
            }
        }
    }
    (ended, begun)
}

/// A draft stays one for an hour: there is time to change it.
fn wait(account: &mut Account, mut draft: Object, ended: (i64, i64)) -> Object {
    draft.insert("period_start".into(), ended.0.into());
    draft.insert("period_end".into(), ended.1.into());
    invoice::finalize_later(account, &mut draft);
    draft
}

/// While collection is paused, invoices are not collected.
fn pause_or_wait(account: &mut Account, subscription: &Object, mut invoice: Object) {
    let behaviour = subscription.object("pause_collection").and_then(|p| p.text("behavior")).map(str::to_owned);
    let Some(behaviour) = behaviour else { return };
    invoice.insert("auto_advance".into(), false.into());
    invoice.insert("automatically_finalizes_at".into(), Value::Null);
    account.put("invoice", &invoice);
    if behaviour != "keep_as_draft" {
        invoice::give_up(account, &mut invoice, behaviour == "void");
    }
}

/// A draft becomes final and is collected.
fn finalize(account: &mut Account, id: &str) {
    if is_open(account, id) {
        collect(account, id);
    }
}

/// Finalizes a draft. Whether it is to be charged now: what is sent to the customer is not.
fn is_open(account: &mut Account, id: &str) -> bool {
    let Some(mut invoice) = account.get("invoice", id) else { return false };
    invoice::finish(account, &mut invoice);
    if invoice.text("status") != Some("open") {
        return false;
    }
    if invoice.text("collection_method") == Some("send_invoice") {
        if let Some(text) = account.text("invoice", id).cloned() {
            account.emit("invoice.sent", text);
        }
        return false;
    }
    true
}

/// Tells of an invoice once.
fn tell(account: &mut Account, id: &str, what: &str, event: &'static str) -> Option<Object> {
    let invoice = account.get("invoice", id)?;
    account.warned.insert(warning(what, id, invoice.integer("due_date").unwrap_or_default()));
    let text = account.text("invoice", id).cloned()?;
    account.emit(event, text);
    Some(invoice)
}

/// An invoice that was sent was not paid in time: its subscription is past due.
fn overdue(account: &mut Account, id: &str) {
    let Some(invoice) = tell(account, id, "overdue", "invoice.overdue") else { return };
    if let Some(subscription) = invoice::subscription_of(&invoice) {
        past_due(account, &subscription);
    }
}

fn past_due(account: &mut Account, subscription: &str) {
    if let Some(current) = account.get("subscription", subscription)
        && current.text("status") == Some("active")
    {
        let mut new = current.clone();
        new.insert("status".into(), "past_due".into());
        subscription::keep(account, &current, &new);
    }
}

/// Tries to be paid while the customer is away.
pub(super) fn collect(account: &mut Account, id: &str) {
    attempt(account, id, true);
}

/// Tries to be paid; after the last attempt the subscription ends.
fn attempt(account: &mut Account, id: &str, off_session: bool) {
    let Some(mut invoice) = account.get("invoice", id) else { return };
    invoice.insert("next_payment_attempt".into(), Value::Null);
    account.put("invoice", &invoice);
    let owner = account.get("customer", invoice.text("customer").unwrap_or_default()).unwrap_or_default();
    let subscription = invoice::subscription_of(&invoice).and_then(|s| account.get("subscription", &s));
    let own = invoice.text("default_payment_method").and_then(|m| account.get("payment_method", m));
    match own.or_else(|| subscription::default_method(account, subscription.as_ref(), &owner)) {
        // A decline is on the invoice.
        Some(method) => drop(invoice::charge(account, &invoice, &method, off_session)),
        None => {
            // Without anything to charge, trying again makes no sense.
            invoice::payment_failed(account, id);
            if let Some(subscription) = subscription {
                past_due(account, subscription.id());
            }
            return;
        }
    }
    let Some(mut invoice) = account.get("invoice", id) else { return };
    if invoice.text("status") != Some("open") {
        return;
    }
    let attempts = invoice.integer("attempt_count").unwrap_or_default().max(1);
    let wait = usize::try_from(attempts - 1).ok().and_then(|i| RETRIES.get(i));
    let before = invoice.clone();
    match wait {
        Some(wait) => {
            invoice.insert("next_payment_attempt".into(), (now() + wait).into());
            account.update("invoice", "invoice.updated", &before, &invoice);
            if let Some(subscription) = subscription {
                past_due(account, subscription.id());
            }
        }
        None => {
            if let Some(subscription) = subscription {
                subscription::end(account, subscription.id(), "payment_failed");
            }
        }
    }
}

/// A change of a subscription is billed at once. Without `terms` nothing is charged: the invoice waits for the
/// customer, and meanwhile the subscription is past due.
pub(super) fn bill_now(account: &mut Account, subscription: &mut Object, reason: &str, terms: Option<&Terms>) {
    let start = now();
    let draft = invoice::draft(account, subscription, reason);
    let id = draft.id().to_owned();
    wait(account, draft, (start, start));
    subscription.insert("latest_invoice".into(), id.as_str().into());
    account.put("subscription", subscription);
    if !is_open(account, &id) {
        return;
    }
    match terms {
        Some(terms) => attempt(account, &id, terms.off_session),
        None => past_due(account, subscription.id()),
    }
}
