//! Which thin events a change of v1 is told in besides the one under the snapshot's own name: one for everything that
//! has a type of its own: a price that is activated, an item that is added, a status that is reached.

use bytes::Bytes;
use serde_json::Value;

use super::Object;
use super::thin_events::known;

/// The thin types for what changed, by the snapshot's type, what it shows and what that was before.
pub(super) fn of_snapshot(kind: &str, object: &Bytes, previous: Option<&Bytes>) -> Vec<&'static str> {
    let mut found = Vec::new();
    let new = kind == "customer.subscription.created";
    let is_told_apart = new || previous.is_some_and(|_| TOLD_APART.contains(&kind));
    if !is_told_apart {
        return found;
    }
    let Ok(now) = serde_json::from_slice::<Object>(object) else { return found };
    let before = previous.and_then(|p| serde_json::from_slice::<Object>(p).ok()).unwrap_or_default();
    for (_, member, thin) in CHANGES.iter().filter(|(of, member, _)| *of == kind && before.contains_key(*member)) {
        let value = now.get(*member).unwrap_or(&Value::Null);
        found.extend(thin.iter().filter(|(when, _)| when.is_none_or(|w| *value == w)).map(|(_, thin)| *thin));
    }
    for parts in PARTS.iter().filter(|p| p.snapshot == kind) {
        parts.compare(&now, &before, &mut found);
    }
    if kind.starts_with("customer.subscription.") && (new || before.contains_key("status")) {
        let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
        let thin = known(&format!("v1.customer.subscription.{status}"));
        // Pausing and resuming have snapshots of their own.
        found.extend(thin.filter(|_| status != "paused"));
    }
    found
}

/// Snapshots whose changes have types of their own.
const TOLD_APART: [&str; 4] = ["customer.subscription.updated", "invoice.updated", "price.updated", "product.updated"];

/// Types for one value, or for any.
type ByValue = &'static [(Option<bool>, &'static str)];

/// The snapshot's type, the member that changed, the thin types by its new value.
const CHANGES: &[(&str, &str, ByValue)] = &[
    ("price.updated", "active", &[(Some(true), "v1.price.activated"), (Some(false), "v1.price.deactivated")]),
    ("price.updated", "lookup_key", &[(None, "v1.price.lookup_key_changed")]),
    ("price.updated", "tax_behavior", &[(None, "v1.price.tax_behavior_changed")]),
    ("product.updated", "active", &[(Some(true), "v1.product.activated"), (Some(false), "v1.product.deactivated")]),
    ("product.updated", "default_price", &[(None, "v1.product.default_price_changed")]),
    ("product.updated", "tax_code", &[(None, "v1.product.tax_code_changed")]),
    ("customer.subscription.updated", "cancel_at", &[(None, "v1.customer.subscription.cancel_at_changed")]),
    (
        "customer.subscription.updated",
        "default_payment_method",
        &[(None, "v1.customer.subscription.default_payment_method_changed")],
    ),
];

/// A list in an object whose elements come, go and change.
struct Parts {
    snapshot: &'static str,
    member: &'static str,
    added: &'static str,
    removed: &'static str,
    /// Members of an element, and the types for their changes.
    changed: &'static [(&'static str, &'static str)],
}

const PARTS: &[Parts] = &[
    Parts {
        snapshot: "customer.subscription.updated",
        member: "items",
        added: "v1.customer.subscription.item_added",
        removed: "v1.customer.subscription.item_removed",
        changed: &[
            ("price", "v1.customer.subscription.item_price_changed"),
            ("quantity", "v1.customer.subscription.item_quantity_changed"),
            ("tax_rates", "v1.customer.subscription.item_tax_rates_changed"),
        ],
    },
    Parts {
        snapshot: "invoice.updated",
        member: "lines",
        added: "v1.invoice.line_item_added",
        removed: "v1.invoice.line_item_removed",
        changed: &[
            ("pricing", "v1.invoice.line_item_pricing_changed"),
            ("quantity", "v1.invoice.line_item_quantity_changed"),
        ],
    },
    Parts {
        snapshot: "invoice.updated",
        member: "discounts",
        added: "v1.invoice.discount_added",
        removed: "v1.invoice.discount_removed",
        changed: &[],
    },
];

impl Parts {
    /// Each type once, however many elements it is true of.
    fn compare(&self, now: &Object, before: &Object, found: &mut Vec<&'static str>) {
        let list = |object: &Object| {
            let member = object.get(self.member)?;
            member.get("data").unwrap_or(member).as_array().cloned()
        };
        let (Some(now), Some(before)) = (list(now), list(before)) else { return };
        let same = |one: &&Value, other: &Value| id(one).is_some() && id(one) == id(other);
        if now.iter().any(|part| !before.iter().any(|b| same(&b, part))) {
            found.push(self.added);
        }
        if before.iter().any(|part| !now.iter().any(|n| same(&n, part))) {
            found.push(self.removed);
        }
        for (member, thin) in self.changed {
            let differs = |part: &Value| {
                let old = before.iter().find(|b| same(b, part));
                old.is_some_and(|old| told(old.get(*member)) != told(part.get(*member)))
            };
            if now.iter().any(differs) {
                found.push(thin);
            }
        }
    }
}

/// An element's id; an element can be its id.
fn id(part: &Value) -> Option<&str> {
    part.as_str().or_else(|| part.get("id")?.as_str())
}

/// What makes a member another: the id of what it refers to, else itself.
fn told(member: Option<&Value>) -> Option<&Value> {
    member.map(|m| m.get("id").unwrap_or(m))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stripe_facts::Facts;

    use super::*;

    fn told(kind: &str, now: Value, before: Value) -> Vec<&'static str> {
        let text = |value: Value| Bytes::from(value.to_string());
        of_snapshot(kind, &text(now), Some(&text(before)).filter(|b| b.as_ref() != b"null"))
    }

    #[test]
    fn what_changed_is_told_by_types_that_there_are() {
        let parts = PARTS.iter().flat_map(|p| p.changed.iter().map(|(_, t)| *t).chain([p.added, p.removed]));
        let thin = CHANGES.iter().flat_map(|(_, _, thin)| thin.iter().map(|(_, t)| *t));
        for thin in thin.chain(parts) {
            assert_eq!(known(thin), Some(thin));
        }
        let snapshots = CHANGES.iter().map(|(s, ..)| *s).chain(PARTS.iter().map(|p| p.snapshot));
        for snapshot in snapshots {
            assert!(TOLD_APART.contains(&snapshot), "{snapshot}");
            assert!(Facts::bundled().event_types.iter().any(|t| t == snapshot), "{snapshot}");
        }
    }

    #[test]
    fn a_change_is_told_under_what_changed() {
        let found = told("price.updated", json!({"active": false}), json!({"active": true}));
        assert_eq!(found, ["v1.price.deactivated"]);
        let found = told("customer.subscription.created", json!({"status": "trialing"}), Value::Null);
        assert_eq!(found, ["v1.customer.subscription.trialing"]);
        assert!(told("reporting.report_run.succeeded", json!({}), Value::Null).is_empty());
    }

    #[test]
    fn elements_come_go_and_change() {
        let items = |items: Value| json!({"items": {"data": items}});
        let one =
            |id: &str, price: &str, quantity: i64| json!({"id": id, "price": {"id": price}, "quantity": quantity});
        let before = items(json!([one("a", "p", 1), one("b", "p", 1), one("c", "p", 1)]));
        let now = items(json!([one("a", "p", 2), one("b", "q", 1), one("d", "p", 1)]));
        let found = told("customer.subscription.updated", now, before);
        let expected = ["item_added", "item_removed", "item_price_changed", "item_quantity_changed"];
        assert_eq!(found, expected.map(|e| format!("v1.customer.subscription.{e}")));
        let found = told("invoice.updated", json!({"discounts": ["di_1"]}), json!({"discounts": []}));
        assert_eq!(found, ["v1.invoice.discount_added"]);
    }
}
