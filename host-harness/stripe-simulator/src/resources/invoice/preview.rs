//! What the next invoice would be.

use serde_json::Value;

use super::draft::{Recipient, describe, parent_of, recipient};
use super::{HOUR, Line, blank, push, push_item, recompute};
use crate::protocol::ApiError;
use crate::resources::fields::new_metadata;
use crate::resources::{Call, Read, Reply, discount, invoiceitem, subscription};
use crate::world::{Account, Object, now};

/// What the next invoice of a subscription, of one that begins, or of a customer's pending items would be; nothing is
/// kept.
pub(super) fn preview(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let recipient = recipient(account, &sent)?;
    let redeemed = discount::redeem(account, &sent)?;
    let mut more = Vec::new();
    for (index, item) in sent.objects("invoice_items").enumerate() {
        let charged = invoiceitem::charged(account, item, &recipient.currency, &format!("invoice_items[{index}]"))?;
        more.push((charged, new_metadata(item)));
    }
    let mut recipient = recipient;
    let mut billed = Billed::Next;
    let mut prorations = Vec::new();
    let details = sent.object("subscription_details");
    if let (None, Some(details)) = (&recipient.subscription, details.filter(|d| !d.list("items").is_empty())) {
        let imagined = subscription::imagine(account, &recipient.owner, details)?;
        recipient.currency = imagined.text("currency").unwrap_or("usd").to_owned();
        recipient.subscription = Some(imagined);
        billed = Billed::First;
    } else if let (Some(old), Some(details)) = (&recipient.subscription, details) {
        let foreseen = subscription::foresee(account, old, details)?;
        billed = match (foreseen.restarts, foreseen.at_once) {
            (true, _) => Billed::NewPeriod,
            (false, true) => Billed::Change,
            (false, false) => Billed::Next,
        };
        prorations = foreseen.planned;
        recipient.subscription = Some(foreseen.subscription);
    }
    let mut invoice = next(account, &recipient, billed);
    for (charged, metadata) in more {
        let line = Line {
            price: charged.details(),
            description: charged.description,
            amount: charged.amount,
            quantity: charged.quantity,
            period: (now(), now()),
            unit: Some(charged.unit),
            parent: Value::Null,
            subscription: None,
            discountable: true,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata,
        };
        push(account, &mut invoice, line);
    }
    for planned in prorations {
        push(account, &mut invoice, planned);
    }
    if let Some(redeemed) = redeemed {
        let ids = discount::prepare(account, redeemed, &[("customer", recipient.owner.id())]);
        invoice.insert("discounts".into(), ids.into());
    }
    recompute(account, &mut invoice);
    Ok(invoice.into())
}

/// The invoice that a subscription will have next.
pub(in crate::resources) fn upcoming(account: &mut Account, subscription: &Object) -> Object {
    let owner = account.get("customer", subscription.text("customer").unwrap_or_default()).unwrap_or_default();
    let currency = subscription.text("currency").unwrap_or("usd").to_owned();
    let recipient = Recipient { owner, subscription: Some(subscription.clone()), currency };
    let mut invoice = next(account, &recipient, Billed::Next);
    recompute(account, &mut invoice);
    invoice
}

/// What of a subscription an invoice is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Billed {
    /// The period that a new subscription begins with.
    First,
    /// The periods that come next.
    Next,
    /// A change alone, at once.
    Change,
    /// A period that begins by the change, at once.
    NewPeriod,
}

/// What waits for the next invoice, and the periods that it is for. The sums are not made.
fn next(account: &mut Account, recipient: &Recipient, billed: Billed) -> Object {
    let Recipient { owner, subscription, currency } = recipient;
    let id = account.new_id("upcoming_in");
    let mut invoice = blank(account, &id, owner, currency);
    let at_once = billed != Billed::Next;
    let reason = if matches!(billed, Billed::Change | Billed::NewPeriod) { "subscription_update" } else { "upcoming" };
    invoice.insert("billing_reason".into(), reason.into());
    invoice.insert("auto_advance".into(), true.into());
    for mut item in invoiceitem::pending(account, owner.id(), currency, subscription.as_ref().map(Read::id)) {
        let kept = item.clone();
        invoiceitem::put_on(account, &mut invoice, &mut item);
        account.put("invoiceitem", &kept);
    }
    let Some(subscription) = subscription else { return invoice };
    describe(&mut invoice, subscription, owner);
    let first = subscription.object("items").into_iter().flat_map(|i| i.objects("data"));
    let end = first.filter_map(|i| i.integer("current_period_end")).min().unwrap_or_else(now);
    let moment = if at_once { now() } else { end };
    let automatic = subscription.text("collection_method") == Some("charge_automatically");
    for (name, value) in [
        ("collection_method", subscription.get("collection_method").cloned().unwrap_or_default()),
        ("default_tax_rates", subscription.get("default_tax_rates").cloned().unwrap_or_default()),
        ("parent", parent_of(subscription)),
        ("discounts", subscription.list("discounts").into()),
        ("period_end", moment.into()),
        ("next_payment_attempt", if automatic { moment.saturating_add(HOUR).into() } else { Value::Null }),
    ] {
        invoice.insert(name.into(), value);
    }
    let items: Vec<Object> =
        subscription.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect();
    for mut item in items {
        let of_item = item.integer("current_period_end").unwrap_or_default();
        if matches!(billed, Billed::First | Billed::NewPeriod) {
            let trial = subscription.text("status") == Some("trialing");
            push_item(account, &mut invoice, subscription, &item, trial, None);
        } else if !at_once && of_item == end {
            invoice.insert("period_start".into(), item.get("current_period_start").cloned().unwrap_or_default());
            let next = subscription::next_end(subscription, &item, end);
            item.insert("current_period_start".into(), end.into());
            item.insert("current_period_end".into(), next.into());
            push_item(account, &mut invoice, subscription, &item, false, None);
        }
    }
    invoice
}
