//! What a change in the middle of a period costs or gives back.

use super::KIND;
use super::items::set_periods;
use crate::resources::invoiceitem::Proration;
use crate::resources::{Read, calendar, cycle, invoiceitem, price};
use crate::world::{Account, Object, now};

/// What changed items cost or give back for the rest of the period. Another interval begins a new period.
pub(super) fn settle_change(account: &mut Account, old: &Object, new: &mut Object, behaviour: &str) {
    if !matches!(old.text("status"), Some("active" | "past_due" | "unpaid")) {
        return;
    }
    let items = |s: &Object| -> Vec<Object> {
        s.object("items").into_iter().flat_map(|i| i.objects("data")).cloned().collect()
    };
    let interval = |i: &Object| {
        let recurring = i.object("price").and_then(|p| p.object("recurring"));
        recurring.map(|r| (r.text("interval").map(str::to_owned), r.integer("interval_count")))
    };
    let (before, after) = (items(old), items(new));
    let restarts = before.first().and_then(interval) != after.first().and_then(interval);
    let time = now();
    if behaviour != "none" || restarts {
        for item in &before {
            let same = after.iter().find(|a| a.id() == item.id());
            let kept = same.is_some_and(|a| {
                a.get("quantity") == item.get("quantity")
                    && a.object("price").map(Read::id) == item.object("price").map(Read::id)
            });
            if !kept && behaviour != "none" {
                prorate(account, old, item, time, -1);
            }
            if let Some(changed) = same.filter(|_| !kept && !restarts && behaviour != "none") {
                prorate(account, old, changed, time, 1);
            }
        }
        for item in after.iter().filter(|a| !restarts && before.iter().all(|b| b.id() != a.id())) {
            prorate(account, old, item, time, 1);
        }
    }
    if restarts {
        set_periods(new, Some(time), 0);
        new.insert("billing_cycle_anchor".into(), time.into());
        account.put(KIND, new);
        // The whole of the new period is billed at once, less what is given back.
        cycle::bill_now(account, new, "subscription_cycle");
    } else if behaviour == "always_invoice" {
        account.put(KIND, new);
        cycle::bill_now(account, new, "subscription_update");
    } else {
        return;
    }
    // A payment that failed is on the subscription by now.
    if let Some(status) = account.get(KIND, old.id()).and_then(|s| s.get("status").cloned()) {
        new.insert("status".into(), status);
    }
}

fn prorate(account: &mut Account, subscription: &Object, item: &Object, time: i64, sign: i64) {
    let empty = Object::new();
    let price = item.object("price").unwrap_or(&empty);
    let quantity = item.integer("quantity").unwrap_or(1);
    let start = item.integer("current_period_start").unwrap_or_default();
    let end = item.integer("current_period_end").unwrap_or_default();
    let (left, length) = ((end - time).clamp(0, (end - start).max(0)), (end - start).max(1));
    let cost = i128::from(price::cost(account, price, quantity)) * i128::from(left);
    let half = i128::from(length) / 2;
    let amount = i64::try_from((cost + half) / i128::from(length)).unwrap_or_default().saturating_mul(sign);
    let product = price.text("product").and_then(|p| account.get("product", p));
    let name = product.as_ref().and_then(|p| p.text("name")).unwrap_or("Product");
    let many = if quantity == 1 { name.to_owned() } else { format!("{quantity} × {name}") };
    let what = if sign < 0 { "Unused" } else { "Remaining" };
    let proration = Proration {
        subscription,
        item,
        price,
        quantity,
        amount,
        description: format!("{what} time on {many} after {}", calendar::day(time)),
        period: (time, end),
    };
    invoiceitem::prorate(account, &proration);
}
