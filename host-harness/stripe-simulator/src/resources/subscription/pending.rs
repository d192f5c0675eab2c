//! Changes that wait for their payment: `payment_behavior=pending_if_incomplete`.

use serde_json::{Value, json};

use super::items::items_of;
use super::{KIND, period_end};
use crate::resources::fields::object;
use crate::resources::{Read, invoice};
use crate::world::{Account, Object, now};

/// Where the subscription is as it will be once the payment is made.
const PENDING: &str = "subscription.pending";
/// The longest that a change waits: 23 hours.
const PATIENCE: i64 = 23 * 3_600;

/// Keeps a change until its invoice, a draft so far, is paid. The subscription as it is meanwhile.
pub(super) fn hold(
    account: &mut Account,
    old: &Object,
    new: &Object,
    mut draft: Object,
    method: Option<&Object>,
    off_session: bool,
) -> Object {
    let time = now();
    let ends = [Some(time.saturating_add(PATIENCE)), period_end(old), old.integer("trial_end").filter(|t| *t > time)];
    let expires_at = ends.into_iter().flatten().min().unwrap_or(time);
    let changed = |name: &str| new.get(name).filter(|v| old.get(name) != Some(*v)).cloned().unwrap_or_default();
    let items = (items_of(old) != items_of(new)).then(|| items_of(new));
    let held = json!({
        "billing_cycle_anchor": changed("billing_cycle_anchor"), "cancel_at_period_end": null, "discount": null,
        "discounts": null, "expires_at": expires_at, "metadata": null, "subscription_items": items,
        "trial_end": changed("trial_end"), "trial_from_plan": null,
    });
    let kept = json!({"id": old.id(), "created": time, "invoice": draft.id(), "new": new});
    account.put(PENDING, &object(kept));
    if invoice::finish(account, &mut draft).is_some()
        && let Some(method) = method
    {
        // What came of it is on the invoice; until it is paid the change waits.
        let _ = invoice::charge(account, &draft, method, off_session);
    }
    let mut waiting = account.get(KIND, old.id()).unwrap_or_else(|| old.clone());
    waiting.insert("pending_update".into(), held);
    waiting.insert("latest_invoice".into(), draft.id().into());
    account.update(KIND, "customer.subscription.updated", old, &waiting);
    waiting
}

/// The change happens if its invoice is paid by now.
pub(super) fn apply(account: &mut Account, id: &str) {
    let Some(held) = account.get(PENDING, id) else { return };
    let invoice = account.get("invoice", held.text("invoice").unwrap_or_default()).unwrap_or_default();
    let (Some(new), Some(old)) = (held.object("new"), account.get(KIND, id)) else { return };
    if invoice.text("status") != Some("paid") {
        return;
    }
    account.remove(PENDING, id, None);
    let mut changed = old.clone();
    for name in ["items", "billing_cycle_anchor", "trial_start", "trial_end"] {
        changed.insert(name.into(), new.get(name).cloned().unwrap_or_default());
    }
    changed.insert("pending_update".into(), Value::Null);
    let text = account.update(KIND, "customer.subscription.updated", &old, &changed);
    account.emit("customer.subscription.pending_update_applied", text);
}

/// When the change that waits is given up.
pub(in crate::resources) fn expires(subscription: &Object) -> Option<i64> {
    subscription.object("pending_update")?.integer("expires_at")
}

/// The change does not happen: its invoice is void. Told of as expired, or as part of what takes its place.
pub(in crate::resources) fn discard(account: &mut Account, id: &str, expired: bool) {
    let Some(held) = account.get(PENDING, id) else { return };
    account.remove(PENDING, id, None);
    if let Some(mut invoice) = account.get("invoice", held.text("invoice").unwrap_or_default()) {
        invoice::give_up(account, &mut invoice, true);
    }
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    new.insert("pending_update".into(), Value::Null);
    if !expired {
        account.put(KIND, &new);
        return;
    }
    let text = account.update(KIND, "customer.subscription.updated", &old, &new);
    account.emit("customer.subscription.pending_update_expired", text);
}
