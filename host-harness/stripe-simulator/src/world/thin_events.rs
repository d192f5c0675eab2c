//! What happened, as `/v2/core/events` tells it: an id, a type, and where to look.
//!
//! A thin event has no version and carries no object. Most changes that v1 tells in snapshots are told here too,
//! under the same name with `v1.` before it. Which types there are is in the file beside this one, a type a line:
//! `singleton` marks those about an object without an id of its own, `nothing` those about no object.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_json::{Value, json};
use stripe_facts::{Facts, Method, Shape};

use super::{Event, Object, instant};

/// One thin event.
#[derive(Debug)]
pub(crate) struct ThinEvent {
    pub(crate) id: Box<str>,
    pub(crate) kind: &'static str,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) live: bool,
    /// The connected account that it happened in.
    pub(crate) context: Option<Box<str>>,
    pub(crate) request_id: Option<Arc<str>>,
    pub(crate) idempotency_key: Option<Arc<str>>,
    /// The text of what it is about, as it was at that moment; empty where it is about nothing.
    pub(crate) object: Bytes,
    /// What the type has to say besides.
    pub(crate) data: Option<Value>,
    /// The event of the same change in v1.
    pub(crate) snapshot: Option<Arc<Event>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Object,
    Singleton,
    Nothing,
}

static TYPES: LazyLock<HashMap<&'static str, About>> = LazyLock::new(|| {
    let line = |line: &'static str| match line.split_once(' ') {
        Some((kind, "singleton")) => (kind, About::Singleton),
        Some((kind, _)) => (kind, About::Nothing),
        None => (line, About::Object),
    };
    include_str!("thin_event_types.txt").lines().map(line).collect()
});

/// Where the objects of a kind are read, by kind.
static PLACES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
    for operation in Facts::bundled().operations.iter().filter(|o| o.method == Method::Get) {
        let kind = match &operation.response {
            Shape::Ref(kind) => Some(kind),
            Shape::Union(parts) => parts.iter().find_map(|p| if let Shape::Ref(kind) = p { Some(kind) } else { None }),
            _ => None,
        };
        if let Some(kind) = kind {
            places.entry(kind).or_default().push(&operation.path);
        }
    }
    // No description has a way to read it; this is where it is deleted.
    places.entry("discount").or_default().push("/v1/customers/{customer}/discount");
    places
});

/// The thin type of this name.
pub(crate) fn known(kind: &str) -> Option<&'static str> {
    TYPES.get_key_value(kind).map(|(kind, _)| *kind)
}

/// The thin types that a change is told under: that of the snapshot's own name, and those for what changed.
pub(super) fn of_snapshot(kind: &str, object: &Bytes, previous: Option<&Bytes>) -> Vec<&'static str> {
    let same = known(&format!("v1.{kind}"));
    let mut found: Vec<&'static str> = same.into_iter().collect();
    let new = kind == "customer.subscription.created";
    if !new && (previous.is_none() || !CHANGES.iter().any(|(of, ..)| *of == kind)) {
        return found;
    }
    let Ok(now) = serde_json::from_slice::<Object>(object) else { return found };
    let before = previous.and_then(|p| serde_json::from_slice::<Object>(p).ok()).unwrap_or_default();
    for (_, member, thin) in CHANGES.iter().filter(|(of, member, _)| *of == kind && before.contains_key(*member)) {
        let value = now.get(*member).unwrap_or(&Value::Null);
        found.extend(thin.iter().filter(|(when, _)| when.is_none_or(|w| *value == w)).map(|(_, thin)| *thin));
    }
    if kind.starts_with("customer.subscription.") && (new || before.contains_key("status")) {
        let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
        let thin = known(&format!("v1.customer.subscription.{status}"));
        // Pausing and resuming have snapshots of their own.
        found.extend(thin.filter(|_| status != "paused"));
    }
    found
}

/// Types for one value, or for any.
type ByValue = &'static [(Option<bool>, &'static str)];

/// Types that tell what changed: the snapshot's type, the member, the thin types by the new value.
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
    ("customer.subscription.updated", "status", &[]),
];

impl ThinEvent {
    /// What endpoints are sent.
    pub(crate) fn notification(&self) -> Object {
        let reason = self.request_id.as_deref().map(|id| {
            let key = self.idempotency_key.as_deref().unwrap_or_default();
            json!({"type": "request", "request": {"id": id, "idempotency_key": key}})
        });
        let known = json!({
            "id": self.id, "object": "v2.core.event", "context": self.context,
            "created": instant::write(self.created), "livemode": self.live, "reason": reason,
            "related_object": self.related_object(), "type": self.kind,
        });
        if let Value::Object(known) = known { known } else { Object::new() }
    }

    /// What `/v2/core/events` answers.
    pub(crate) fn whole(&self) -> Value {
        let mut event = self.notification();
        event.insert("changes".into(), Value::Null);
        event.insert("data".into(), self.data.clone().unwrap_or_default());
        event.insert("snapshot_event".into(), self.snapshot.as_ref().map(|s| &*s.id).into());
        Value::Object(event)
    }

    /// What it is about, and where that is read.
    pub(crate) fn related_object(&self) -> Option<Value> {
        let about = TYPES.get(self.kind).copied().unwrap_or(About::Nothing);
        let object: Object = serde_json::from_slice(&self.object).ok().filter(|_| about != About::Nothing)?;
        let kind = object.get("object")?.as_str()?;
        let by_id = about == About::Object;
        let mut places = PLACES.get(kind)?.iter().filter(|place| place.ends_with('}') == by_id);
        let url = places.find_map(|place| url(place, &object))?;
        Some(match about {
            About::Singleton => json!({"type": kind, "url": url}),
            _ => json!({"id": object.get("id"), "type": kind, "url": url}),
        })
    }

    /// Whether it is about the object of this id.
    pub(crate) fn concerns(&self, id: &str) -> bool {
        super::contains(&self.object, id)
            && self.related_object().is_some_and(|r| r.get("id").and_then(Value::as_str) == Some(id))
    }
}

/// A path with its placeholders filled: the last from the object's id, the others from the members of their names.
fn url(place: &str, object: &Object) -> Option<String> {
    let count = place.matches('{').count();
    let mut number = 0;
    let segments = place.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            return Some(segment.to_owned());
        };
        number += 1;
        let own = number == count && place.ends_with('}');
        let member = if own { "id" } else { name.strip_suffix("_id").unwrap_or(name) };
        object.get(member).and_then(Value::as_str).map(str::to_owned)
    });
    segments.collect::<Option<Vec<_>>>().map(|s| s.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_known_by_types_that_there_are() {
        for (snapshot, _, thin) in CHANGES {
            assert!(Facts::bundled().event_types.iter().any(|t| t == snapshot), "{snapshot}");
            assert!(thin.iter().all(|(_, t)| known(t).is_some()), "{thin:?}");
        }
        assert_eq!(TYPES.len(), 326);
    }

    #[test]
    fn related_objects_are_found_where_they_are_read() {
        let place = |object: Value| {
            let Value::Object(object) = object else { return None };
            let kind = object.get("object")?.as_str()?;
            PLACES.get(kind)?.iter().find_map(|place| url(place, &object))
        };
        let customer = json!({"id": "cus_1", "object": "customer"});
        assert_eq!(place(customer).as_deref(), Some("/v1/customers/cus_1"));
        let person = json!({"id": "person_1", "object": "v2.core.account_person", "account": "acct_1"});
        assert_eq!(place(person).as_deref(), Some("/v2/core/accounts/acct_1/persons/person_1"));
        let discount = json!({"id": "di_1", "object": "discount", "customer": "cus_1"});
        assert_eq!(place(discount).as_deref(), Some("/v1/customers/cus_1/discount"));
    }

    #[test]
    fn a_change_is_told_under_its_own_name_and_under_what_changed() {
        let text = |value: Value| Bytes::from(value.to_string());
        let told = of_snapshot("price.updated", &text(json!({"active": false})), Some(&text(json!({"active": true}))));
        assert_eq!(told, ["v1.price.updated", "v1.price.deactivated"]);
        let told = of_snapshot("customer.subscription.created", &text(json!({"status": "trialing"})), None);
        assert_eq!(told, ["v1.customer.subscription.created", "v1.customer.subscription.trialing"]);
        assert!(of_snapshot("reporting.report_run.succeeded", &text(json!({})), None).is_empty());
    }
}
