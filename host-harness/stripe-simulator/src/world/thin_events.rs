//! What happened, as `/v2/core/events` tells it: an id, a type, and where to look.
//!
//! Which of them a change of v1 causes is `thin_changes`' business. A thin event has no version and carries no object. Most changes that v1 tells in snapshots are told here too,
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
    fn every_type_is_in_a_line_of_its_own() {
        assert_eq!(TYPES.len(), 326);
        assert_eq!(known("v1.customer.created"), Some("v1.customer.created"));
        assert_eq!(known("customer.created"), None);
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
}
