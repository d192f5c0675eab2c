//! What time brings: trials end, periods are billed, drafts are finalized, payments are tried again, and
//! schedules enter their next phase.
//!
//! [`next`] tells what is due first on a clock, [`carry_out`] does it. Whatever is carried out must move its
//! own due time on, or nothing after it would ever happen.

use serde_json::{Value, json};

use super::{Read, discount, invoice, schedule, subscription};
use crate::world::{Account, Object, now};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// Before a trial ends, the merchant is told.
const WARNING: i64 = 3 * DAY;
/// A first payment that is not made in this time ends its subscription.
const PATIENCE: i64 = 23 * HOUR;
/// The days between attempts to be paid.
const RETRIES: [i64; 3] = [3 * DAY, 5 * DAY, 7 * DAY];

/// Something that is due.
#[derive(Debug, Clone)]
pub(super) enum Due {
    TrialWillEnd(String),
    Renew(String),
    Cancel(String),
    Expire(String),
    Resume(String),
    Finalize(String),
    Retry(String),
    Phase(String),
}

fn moments(account: &Account, s: &Object, found: &mut Vec<(i64, Due)>) {
    let id = || s.id().to_owned();
    let status = s.text("status").unwrap_or_default();
    let period_end =
        s.object("items").and_then(|i| i.objects("data").filter_map(|i| i.integer("current_period_end")).min());
    let cancel_at = s.integer("cancel_at");
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

/// What is due first among the objects of a clock.
pub(super) fn next(account: &Account, clock: &str) -> Option<(i64, Due)> {
    let on_clock = |o: &Object| o.text("test_clock") == Some(clock);
    let mut found = Vec::new();
    for schedule in account.select("subscription_schedule", clock, on_clock).iter().rev() {
        found.extend(schedule::due(schedule).map(|time| (time, Due::Phase(schedule.id().to_owned()))));
    }
    for s in account.select("subscription", clock, on_clock).iter().rev() {
        moments(account, s, &mut found);
    }
    for i in account.select("invoice", clock, on_clock).iter().rev() {
        let id = i.id().to_owned();
        match i.text("status") {
            Some("draft") => {
                found.extend(i.integer("automatically_finalizes_at").map(|time| (time, Due::Finalize(id))));
            }
            Some("open") => found.extend(i.integer("next_payment_attempt").map(|time| (time, Due::Retry(id)))),
            _ => {}
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
            Some("pause") => return subscription::pause_now(account, &old),
            _ => {}
        }
    }
    let mut new = old.clone();
    let start = next_period(&mut new);
    if ended_trial {
        new.insert("status".into(), "active".into());
    }
    let invoice = bill(account, &mut new, "subscription_cycle", start);
    let lasting = discount::lasting(account, new.list("discounts"));
    new.insert("discounts".into(), lasting.into());
    new.insert("latest_invoice".into(), invoice.id().into());
    account.update("subscription", "customer.subscription.updated", &old, &new);
    pause_or_wait(account, &new, invoice);
}

/// Every item whose period ends first enters its next one; the period that ended.
fn next_period(subscription: &mut Object) -> (i64, i64) {
    let items = subscription.get_mut("items").and_then(|l| l.get_mut("data")).and_then(Value::as_array_mut);
    let mut ended = (now(), now());
    if let Some(items) = items {
        let first = items.iter().filter_map(|i| i["current_period_end"].as_i64()).min().unwrap_or_else(now);
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            if item.integer("current_period_end") == Some(first) {
                ended = (item.integer("current_period_start").unwrap_or(first), first);
                let end = subscription::next_end(item, first);
                item.insert("current_period_start".into(), first.into());
                // A period of no length would never end.
                item.insert("current_period_end".into(), end.max(first + 1).into());
                item.insert("billed_until".into(), end.max(first + 1).into());
            }
        }
    }
    ended
}

fn bill(account: &mut Account, subscription: &mut Object, reason: &str, ended: (i64, i64)) -> Object {
    let mut invoice = invoice::draft(account, subscription, reason);
    invoice.insert("automatically_finalizes_at".into(), (now() + HOUR).into());
    invoice.insert("period_start".into(), ended.0.into());
    invoice.insert("period_end".into(), ended.1.into());
    account.put("invoice", &invoice);
    invoice
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
    let Some(mut invoice) = account.get("invoice", id) else { return };
    invoice::finish(account, &mut invoice);
    if invoice.text("status") != Some("open") {
        return;
    }
    if invoice.text("collection_method") == Some("send_invoice") {
        if let Some(text) = account.text("invoice", id).cloned() {
            account.emit("invoice.sent", text);
        }
        return;
    }
    collect(account, id);
}

/// Tries to be paid; after the last attempt the subscription ends.
pub(super) fn collect(account: &mut Account, id: &str) {
    let Some(mut invoice) = account.get("invoice", id) else { return };
    invoice.insert("next_payment_attempt".into(), Value::Null);
    account.put("invoice", &invoice);
    let owner = account.get("customer", invoice.text("customer").unwrap_or_default()).unwrap_or_default();
    let subscription = invoice::subscription_of(&invoice).and_then(|s| account.get("subscription", &s));
    match subscription::default_method(account, subscription.as_ref(), &owner) {
        // A decline is on the invoice.
        Some(method) => drop(invoice::charge(account, &invoice, &method, true)),
        None => invoice::payment_failed(account, id),
    }
    let Some(mut invoice) = account.get("invoice", id) else { return };
    if invoice.text("status") != Some("open") {
        return;
    }
    let attempts = invoice.integer("attempt_count").unwrap_or_default().max(1);
    let wait = usize::try_from(attempts - 1).ok().and_then(|i| RETRIES.get(i));
    let Some(old) = subscription else { return };
    match wait {
        Some(wait) => {
            let before = invoice.clone();
            invoice.insert("next_payment_attempt".into(), (now() + wait).into());
            account.update("invoice", "invoice.updated", &before, &invoice);
            if let Some(current) = account.get("subscription", old.id())
                && current.text("status") == Some("active")
            {
                let mut new = current.clone();
                new.insert("status".into(), "past_due".into());
                account.update("subscription", "customer.subscription.updated", &current, &new);
            }
        }
        None => subscription::end(account, old.id(), "payment_failed"),
    }
}

/// A change of a subscription is billed at once.
pub(super) fn bill_now(account: &mut Account, subscription: &mut Object, reason: &str) {
    let start = now();
    let invoice = bill(account, subscription, reason, (start, start));
    subscription.insert("latest_invoice".into(), json!(invoice.id()));
    account.put("subscription", subscription);
    finalize(account, invoice.id());
}
