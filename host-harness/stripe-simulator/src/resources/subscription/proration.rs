//! What a change in the middle of a period costs or gives back.

use serde_json::{Value, json};

use super::change::restarts;
use super::items::{Items, changed_items, items_of, set_periods};
use crate::protocol::ApiError;
use crate::resources::invoice::Line;
use crate::resources::invoiceitem::{self, Proration};
use crate::resources::{Read, calendar, discount, price};
use crate::world::{Account, Object, now};

/// The part of an amount that falls on a part of a period, rounded to the smallest unit.
pub(in crate::resources) fn share(amount: i64, part: i64, length: i64) -> i64 {
    let length = length.max(1);
    let exact = i128::from(amount) * i128::from(part.clamp(0, length));
    i64::try_from((exact + i128::from(length) / 2) / i128::from(length)).unwrap_or_default()
}

/// What will be charged or given back.
#[derive(Debug)]
pub(super) struct Planned {
    item: Object,
    pub(super) amount: i64,
    description: String,
    period: (i64, i64),
}

impl Planned {
    /// The line that it will be on an invoice.
    fn line(&self, subscription: &Object) -> Line {
        let empty = Object::new();
        let price = self.item.object("price").unwrap_or(&empty);
        Line {
            description: Some(self.description.clone()),
            amount: self.amount,
            quantity: self.item.integer("quantity").unwrap_or(1),
            period: self.period,
            price: json!({"price": price.id(), "product": price.get("product")}),
            unit: price.text("unit_amount_decimal").map(str::to_owned),
            parent: json!({
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null, "proration": true, "proration_details": {"credited_items": null},
                    "subscription": subscription.id(), "subscription_item": self.item.id(),
                },
                "type": "subscription_item_details",
            }),
            subscription: Some(subscription.id().to_owned()),
            discountable: false,
            discounts: Vec::new(),
            rates: self.item.objects("tax_rates").cloned().collect(),
            metadata: subscription.get("metadata").cloned().unwrap_or_default(),
        }
    }
}

/// What a change would make of a subscription.
pub(in crate::resources) struct Foreseen {
    pub(in crate::resources) subscription: Object,
    /// What the change would charge and give back.
    pub(in crate::resources) planned: Vec<Line>,
    /// Whether it would be billed at once.
    pub(in crate::resources) at_once: bool,
    /// Whether a new period would begin.
    pub(in crate::resources) restarts: bool,
}

/// What `subscription_details` of a preview would make of a subscription. Nothing is kept.
pub(in crate::resources) fn foresee(
    account: &mut Account,
    old: &Object,
    details: &Object,
) -> Result<Foreseen, ApiError> {
    let mut new = old.clone();
    let Items { items, .. } = changed_items(account, old, details)?;
    if let Some(Value::Object(list)) = new.get_mut("items") {
        list.insert("data".into(), items.into_iter().map(Value::Object).collect());
    }
    let time = now();
    let behaviour = details.text("proration_behavior").unwrap_or("create_prorations");
    let running = matches!(old.text("status"), Some("active" | "past_due" | "unpaid"));
    let cancels = details.is_true("cancel_now");
    let ends_trial = old.text("status") == Some("trialing") && details.text("trial_end") == Some("now");
    let restarts = !cancels && (ends_trial || running && restarts(account, old, &new, details));
    let date = details.integer("proration_date").unwrap_or(time);
    let planned = match (running && behaviour != "none", cancels) {
        (false, _) => Vec::new(),
        (true, true) => rest(account, old, date, true),
        (true, false) => plan(account, old, &new, date, restarts),
    };
    if restarts {
        new.insert("billing_cycle_anchor".into(), time.into());
        set_periods(&mut new, Some(time), 0);
    }
    let planned: Vec<Line> = planned.iter().map(|p| p.line(&new)).collect();
    let at_once = restarts || cancels || behaviour == "always_invoice" && !planned.is_empty();
    Ok(Foreseen { subscription: new, planned, at_once, restarts })
}

/// What an item costs for a whole period, less the discounts of its subscription.
pub(super) fn cost(account: &Account, subscription: &Object, item: &Object) -> i64 {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    // What is used is counted, not prorated.
    if price.object("recurring").and_then(|r| r.text("usage_type")) == Some("metered") {
        return 0;
    }
    let full = price::cost(account, price, item.integer("quantity").unwrap_or(1));
    let product = price.text("product").map(str::to_owned);
    let discounts = subscription.list("discounts").iter().filter_map(Value::as_str);
    discounts.fold(full, |left, id| {
        let off = discount::off(account, id, &[(left, product.clone(), true)]);
        left.saturating_sub(off.iter().sum::<i64>())
    })
}

fn one(account: &Account, subscription: &Object, item: &Object, time: i64, credit: bool) -> Planned {
    let quantity = item.integer("quantity").unwrap_or(1);
    let start = item.integer("current_period_start").unwrap_or_default();
    let end = item.integer("current_period_end").unwrap_or_default();
    let amount = share(cost(account, subscription, item), end.saturating_sub(time), end.saturating_sub(start));
    let product = item.object("price").and_then(|p| p.text("product")).and_then(|p| account.get("product", p));
    let name = product.as_ref().and_then(|p| p.text("name")).unwrap_or("Product");
    let many = if quantity == 1 { name.to_owned() } else { format!("{quantity} × {name}") };
    let what = if credit { "Unused" } else { "Remaining" };
    Planned {
        item: item.clone(),
        amount: if credit { amount.saturating_neg() } else { amount },
        description: format!("{what} time on {many} after {}", calendar::day(time)),
        period: (time, end),
    }
}

/// What the change from one form of a subscription to another charges and gives back for the rest of the period.
/// When the period ends by the change, all of the rest is given back.
pub(super) fn plan(account: &Account, old: &Object, new: &Object, time: i64, restarts: bool) -> Vec<Planned> {
    let (before, after) = (items_of(old), items_of(new));
    let mut planned = Vec::new();
    for item in &before {
        let same = after.iter().find(|a| a.id() == item.id());
        let kept = !restarts
            && same.is_some_and(|a| {
                a.get("quantity") == item.get("quantity")
                    && a.object("price").map(Read::id) == item.object("price").map(Read::id)
            });
        if kept {
            continue;
        }
        planned.push(one(account, old, item, time, true));
        if let Some(changed) = same.filter(|_| !restarts) {
            planned.push(one(account, new, changed, time, false));
        }
    }
    for item in after.iter().filter(|a| !restarts && before.iter().all(|b| b.id() != a.id())) {
        planned.push(one(account, new, item, time, false));
    }
    planned
}

/// What is given back when a subscription ends, and charged when one goes on.
pub(super) fn rest(account: &Account, subscription: &Object, time: i64, credit: bool) -> Vec<Planned> {
    items_of(subscription).iter().map(|i| one(account, subscription, i, time, credit)).collect()
}

/// Keeps what was planned until the next invoice.
pub(super) fn keep(account: &mut Account, subscription: &Object, planned: &[Planned]) {
    for Planned { item, amount, description, period } in planned {
        let empty = Object::new();
        let proration = Proration {
            subscription,
            item,
            price: item.object("price").unwrap_or(&empty),
            quantity: item.integer("quantity").unwrap_or(1),
            amount: *amount,
            description: description.clone(),
            period: *period,
            rates: item.list("tax_rates").to_vec(),
        };
        invoiceitem::prorate(account, &proration);
    }
}

/// The sum of what was planned.
pub(super) fn sum(planned: &[Planned]) -> i64 {
    planned.iter().fold(0, |sum, p| sum.saturating_add(p.amount))
}
