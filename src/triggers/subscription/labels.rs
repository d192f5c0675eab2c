//! What is written into an endpoint's metadata, so that nothing has to be remembered elsewhere.
//!
//! | name | value | for |
//! |---|---|---|
//! | `automation_key` | the idempotency key that the endpoint was made with | asking Stripe for that answer again, and the secret in it |
//! | `automation_made_with` | the event types that it was made with | making the very same request |
//! | `automation_types_…` | event types that are subscribed to | writers who do not know of each other: Stripe merges metadata name by name, so none takes away what another has added |
//! | `automation_base_…` | event types that a person has set | leaving them as they are |
//! | `automation_used` | `1`: another call than the one that made it relies on it | not removing it while that is so |
//! | `automation_leaving` | `1`: the call that made it is about to remove it, for there is another | not beginning to rely on it |
//!
//! Types and base end in a fingerprint of their value. An endpoint without the first was made by a person. Of the last two
//! each is written before the other is read, so that of two calls at least one sees what the other is about.

use super::types::EventTypes;
use crate::json::Node;
use crate::triggers::fingerprint;

/// What is written on an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// How it was made; none where a person made it.
    pub made: Option<Made>,
    base: Named,
    types: Named,
    /// Whether a call relies on it that has not made it.
    pub used: bool,
    /// Whether the call that has made it is about to remove it.
    pub leaving: bool,
    /// How many names a person has set.
    others: usize,
}

/// Names, and the types that each of them holds.
type Named = Vec<(String, EventTypes)>;

/// How an endpoint was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// With which idempotency key.
    pub key: String,
    /// With which event types.
    pub types: EventTypes,
}

const KEY: &str = "automation_key";
const MADE_WITH: &str = "automation_made_with";
const TYPES: &str = "automation_types_";
const BASE: &str = "automation_base_";
const USED: &str = "automation_used";
const LEAVING: &str = "automation_leaving";
/// From how many names on they are put together. Stripe keeps 50.
const COMPACT: usize = 40;

impl Labels {
    /// Reads an endpoint's metadata.
    pub fn read(metadata: Option<Node<'_, '_>>) -> Self {
        let mut labels = Self::default();
        let (mut key, mut made_with) = (None, EventTypes::default());
        for (name, value) in metadata.into_iter().flat_map(Node::members) {
            let value = value.as_str().unwrap_or_default();
            match &*name {
                KEY => key = Some(value.into_owned()),
                USED => labels.used = true,
                LEAVING => labels.leaving = true,
                MADE_WITH => made_with = EventTypes::read(&value),
                name if name.starts_with(TYPES) => {
                    labels.types.push((name.to_owned(), EventTypes::read(&value)));
                }
                name if name.starts_with(BASE) => {
                    labels.base.push((name.to_owned(), EventTypes::read(&value)));
                }
                _ => labels.others += 1,
            }
        }
        labels.made = key.map(|key| Made { key, types: made_with });
        labels
    }

    /// Those of an endpoint that is made with this key, for these types.
    pub fn of_new(key: &str, types: &EventTypes) -> Self {
        let made = Made { key: key.to_owned(), types: types.clone() };
        Self { made: Some(made), types: named(TYPES, types), ..Self::default() }
    }

    /// The types to make an endpoint with: as many of these as can be written down in one value.
    pub fn first_part(types: &EventTypes) -> EventTypes {
        if types.is_all() { EventTypes::all() } else { types.parts().into_iter().next().unwrap_or_default() }
    }

    /// Names and values.
    pub fn entries(&self) -> Vec<(String, String)> {
        let mut entries = Vec::new();
        if let Some(made) = &self.made {
            entries.push((KEY.to_owned(), made.key.clone()));
            entries.push((MADE_WITH.to_owned(), made.types.written()));
        }
        for (name, types) in self.base.iter().chain(&self.types) {
            entries.push((name.clone(), types.written()));
        }
        for (name, set) in [(USED, self.used), (LEAVING, self.leaving)] {
            if set {
                entries.push((name.to_owned(), "1".to_owned()));
            }
        }
        entries
    }

    /// What is subscribed to.
    pub fn subscribed(&self) -> EventTypes {
        union(&self.types)
    }

    /// What a person has set.
    pub fn base(&self) -> EventTypes {
        union(&self.base)
    }

    /// What the endpoint should deliver by its labels.
    pub fn wanted(&self) -> EventTypes {
        let base = self.base();
        if base.is_all() {
            return base;
        }
        let mut wanted = self.subscribed();
        wanted.add(&base);
        // Every type delivers those that are subscribed to, and may not stand beside them.
        if wanted.is_all() { EventTypes::all() } else { wanted }
    }

    /// Writes down what a person has set: what the endpoint delivers and no label accounts for.
    pub fn adopt(&mut self, delivered: &EventTypes) {
        let mut known = self.base();
        known.add(&self.subscribed());
        put(&mut self.base, named(BASE, &delivered.without(&known)));
    }

    /// Subscribes to these, where they are not yet.
    pub fn subscribe(&mut self, types: &EventTypes) {
        let new = named(TYPES, &types.without(&self.subscribed()));
        put(&mut self.types, new);
        if self.names() > COMPACT {
            self.types = named(TYPES, &self.subscribed());
            self.base = named(BASE, &self.base());
        }
    }

    /// Ends the subscription to these; where the endpoint is our own, also as something that a person has set.
    pub fn unsubscribe(&mut self, types: &EventTypes) {
        without(&mut self.types, types);
        if self.made.is_some() {
            without(&mut self.base, types);
        }
    }

    /// Takes everything off: the endpoint is again as a person made it.
    pub fn clear(&mut self) {
        *self = Self { others: self.others, ..Self::default() };
    }

    /// How many names there are, a person's included.
    pub fn names(&self) -> usize {
        self.others + self.entries().len()
    }

    /// What to send to get from other labels to these: an empty value removes a name.
    pub fn since(&self, before: &Self) -> Vec<(String, String)> {
        let (old, new) = (before.entries(), self.entries());
        let gone = old.iter().filter(|(name, _)| new.iter().all(|(n, _)| n != name));
        let mut change: Vec<(String, String)> = gone.map(|(name, _)| (name.clone(), String::new())).collect();
        change.extend(new.into_iter().filter(|entry| !old.contains(entry)));
        change
    }
}

fn union(of: &Named) -> EventTypes {
    let mut all = EventTypes::default();
    of.iter().for_each(|(_, types)| all.add(types));
    all
}

fn named(prefix: &str, types: &EventTypes) -> Named {
    let name = |part: &EventTypes| format!("{prefix}{}", fingerprint::written(&part.written()));
    types.parts().into_iter().map(|part| (name(&part), part)).collect()
}

/// Puts names in, each in place of what it held before.
fn put(into: &mut Named, new: Named) {
    into.retain(|(name, _)| new.iter().all(|(n, _)| n != name));
    into.extend(new);
}

fn without(from: &mut Named, types: &EventTypes) {
    from.iter_mut().for_each(|(_, part)| part.remove(types));
    from.retain(|(_, part)| !part.is_empty());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;
    use crate::json::Doc;

    fn read(entries: &BTreeMap<String, String>) -> Labels {
        let metadata: Map<String, Value> = entries.iter().map(|(n, v)| (n.clone(), v.as_str().into())).collect();
        let text = Value::from(metadata).to_string();
        Labels::read(Some(Doc::scan_str(&text).expect("JSON").root()))
    }

    fn apply(entries: &mut BTreeMap<String, String>, change: Vec<(String, String)>) {
        for (name, value) in change {
            if value.is_empty() {
                entries.remove(&name);
            } else {
                entries.insert(name, value);
            }
        }
    }

    fn types(text: &str) -> EventTypes {
        EventTypes::read(text)
    }

    #[test]
    fn what_two_writers_add_without_knowing_of_each_other_is_all_there() {
        let seen = Labels::of_new("key", &types("a"));
        let mut metadata: BTreeMap<String, String> = seen.entries().into_iter().collect();
        for wanted in ["b", "c d"] {
            let mut labels = seen.clone();
            labels.subscribe(&types(wanted));
            apply(&mut metadata, labels.since(&seen));
        }
        assert_eq!(read(&metadata).wanted(), types("a b c d"));
        assert_eq!(read(&metadata).made, seen.made);
    }

    #[test]
    fn what_is_subscribed_to_already_adds_no_name() {
        let seen = Labels::of_new("key", &types("a b"));
        let mut labels = seen.clone();
        labels.subscribe(&types("b"));
        assert_eq!(labels.since(&seen), []);
    }

    #[test]
    fn what_a_person_has_set_stays_on_their_endpoint_and_goes_from_ours() {
        let mut theirs = Labels::default();
        theirs.adopt(&types("a b"));
        theirs.subscribe(&types("b c"));
        assert_eq!(theirs.wanted(), types("a b c"));
        theirs.unsubscribe(&types("b c"));
        assert_eq!((theirs.wanted(), theirs.subscribed()), (types("a b"), types("")));
        let mut ours = Labels::of_new("key", &types("c"));
        ours.adopt(&types("a c"));
        ours.unsubscribe(&types("a"));
        assert_eq!(ours.wanted(), types("c"));
    }

    #[test]
    fn every_type_stays_every_type() {
        let mut theirs = Labels::default();
        theirs.adopt(&types("* only.on.demand"));
        theirs.subscribe(&types("a"));
        assert_eq!((theirs.wanted(), theirs.subscribed()), (types("* only.on.demand"), types("a")));
    }

    #[test]
    fn many_names_are_put_together() {
        let mut metadata: BTreeMap<String, String> =
            Labels::of_new("key", &types("first")).entries().into_iter().collect();
        metadata.extend((0..10).map(|i| (format!("own{i}"), "x".to_owned())));
        let mut most = 0;
        for number in 0..200 {
            let seen = read(&metadata);
            let mut labels = seen.clone();
            labels.subscribe(&types(&format!("type{number}")));
            apply(&mut metadata, labels.since(&seen));
            most = most.max(metadata.len());
        }
        assert!(most <= COMPACT + 1, "{most}");
        assert_eq!(read(&metadata).wanted().iter().count(), 201);
        assert!(metadata.iter().all(|(n, v)| n.len() <= 40 && v.len() <= 500));
    }

    proptest! {
        #[test]
        fn any_metadata_is_read(entries in proptest::collection::btree_map("(automation_(key|made_with|types_|base_|used|leaving)?)?.{0,5}", ".{0,20}", 0..8)) {
            let labels = read(&entries);
            prop_assert_eq!(labels.since(&labels), []);
        }

        #[test]
        fn a_change_leads_from_one_to_the_other(a in "( ?[a-d]{1,2}){0,5}", b in "( ?[a-d]{1,2}){0,5}", gone in "( ?[a-d]{1,2}){0,5}") {
            let mut before = Labels::of_new("key", &types(&a));
            before.subscribe(&types("x"));
            let mut after = before.clone();
            after.subscribe(&types(&b));
            after.unsubscribe(&types(&gone));
            let mut metadata: BTreeMap<String, String> = before.entries().into_iter().collect();
            apply(&mut metadata, after.since(&before));
            let (mut read, mut expected) = (read(&metadata).entries(), after.entries());
            read.sort();
            expected.sort();
            prop_assert_eq!(read, expected);
        }
    }
}
