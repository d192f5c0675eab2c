//! Which members of the API's objects an answer may lack.
//!
//! The facts say of a member that it need not have a value, and not whether it is then `null` or absent. The type
//! declarations of the official Node SDK do; `members.facts` beside this file is what they say, written by
//! `members.mjs` and not edited by hand: an indented line a member, `-` where an answer may lack it, `-?` where
//! it may also be `null`. A member that is not listed is always there.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use stripe_facts::{Facts, Field, Shape};

use crate::world::Object;

/// What is known of a member, and of the members inside it.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    may_lack: bool,
    never_null: bool,
    members: BTreeMap<&'static str, Presence>,
}

/// A member that is always there, and so is everything in it.
static ALWAYS: Presence = Presence { may_lack: false, never_null: false, members: BTreeMap::new() };

static KINDS: LazyLock<BTreeMap<&'static str, Presence>> = LazyLock::new(|| {
    let lines = include_str!("members.facts").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let lines: Vec<(usize, &str)> = lines.map(|l| ((l.len() - l.trim_start().len()) / 2, l.trim_start())).collect();
    let mut rest = lines.as_slice();
    let mut kinds = BTreeMap::new();
    while let Some(((_, line), after)) = rest.split_first() {
        rest = after;
        let kind = line.trim_start_matches("object ");
        let mut presence = Presence { members: read(&mut rest, 1), ..Presence::default() };
        if kind.starts_with("v2.") {
            presence.may_be_null();
        }
        kinds.insert(kind, presence);
    }
    kinds
});

/// The members at a depth, as far as they go.
fn read(lines: &mut &[(usize, &'static str)], depth: usize) -> BTreeMap<&'static str, Presence> {
    let mut members = BTreeMap::new();
    while let Some(((at, line), after)) = lines.split_first()
        && *at == depth
    {
        *lines = after;
        let name = line.trim_end_matches(['-', '?']);
        let mark = line.strip_prefix(name).unwrap_or_default();
        let inner = read(lines, depth + 1);
        members.insert(name, Presence { may_lack: !mark.is_empty(), never_null: mark == "-", members: inner });
    }
    members
}

/// What is known of the objects of a kind.
pub(crate) fn of(kind: &str) -> &'static Presence {
    KINDS.get(kind).unwrap_or(&ALWAYS)
}

impl Presence {
    /// In v2 what has no value is `null`, as its published examples show, whatever the declarations say.
    fn may_be_null(&mut self) {
        self.never_null = false;
        self.members.values_mut().for_each(Self::may_be_null);
    }

    /// A member of the object that this is about.
    pub(crate) fn member(&self, name: &str) -> &Self {
        self.members.get(name).unwrap_or(&ALWAYS)
    }

    /// Whether an object may be without this member.
    pub(crate) fn may_lack(&self) -> bool {
        self.may_lack
    }

    /// Whether this member is left out rather than `null`.
    pub(crate) fn never_null(&self) -> bool {
        self.never_null
    }
}

/// Makes the objects in a value what Stripe sends of them, at any depth: what is always there and can be `null` is,
/// and what is not there rather than `null` is left out.
pub(crate) fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(object) => match kind_of(object) {
            Some((fields, known)) => settle_members(fields, object, known),
            None => object.values_mut().for_each(settle),
        },
        _ => {}
    }
}

/// An object as Stripe sends it.
pub(crate) fn settled(object: &Object) -> Value {
    let mut value = Value::Object(object.clone());
    settle(&mut value);
    value
}

/// What an object of the API has for members.
fn kind_of(object: &Object) -> Option<(&'static [Field], &'static Presence)> {
    let kind = object.get("object")?.as_str()?;
    Some((Facts::bundled().object(kind)?, of(kind)))
}

fn settle_members(fields: &[Field], object: &mut Object, known: &Presence) {
    if object.get("deleted") == Some(&Value::Bool(true)) {
        return;
    }
    for Field { name, nullable, shape, .. } in fields {
        let known = known.member(name);
        match object.get_mut(name) {
            Some(Value::Null) if known.never_null => {
                object.shift_remove(name);
            }
            Some(value) => settle_value(shape, value, known),
            None if *nullable && !known.may_lack => {
                object.insert(name.clone(), Value::Null);
            }
            None => {}
        }
    }
}

fn settle_value(shape: &Shape, value: &mut Value, known: &Presence) {
    match (shape, value) {
        (Shape::Array(inner), Value::Array(items)) => items.iter_mut().for_each(|i| settle_value(inner, i, known)),
        (Shape::Map(inner), Value::Object(members)) => {
            members.values_mut().for_each(|v| settle_value(inner, v, known));
        }
        (Shape::Object(fields), Value::Object(object)) => settle_members(fields, object, known),
        (Shape::Union(parts), value @ Value::Object(_)) => {
            let hash = parts.iter().find(|p| matches!(p, Shape::Object(_)));
            match hash {
                Some(part) => settle_value(part, value, known),
                None => settle(value),
            }
        }
        (Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_), value) => {
            settle(value);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_listed_member_is_one_that_the_facts_know() {
        let kinds = KINDS.keys().filter(|k| Facts::bundled().objects.contains_key(**k));
        assert!(kinds.count() > 170);
        for (kind, presence) in KINDS.iter() {
            let Some(fields) = Facts::bundled().object(kind) else { continue };
            for (name, member) in &presence.members {
                let field = fields.iter().find(|f| f.name == *name).unwrap_or_else(|| panic!("{kind}.{name}"));
                assert!(!(member.may_lack && field.required), "{kind}.{name} is always there by the facts");
            }
        }
        assert!(Facts::bundled().objects.values().all(|s| matches!(s, Shape::Object(_))));
    }

    #[test]
    fn what_is_always_there_is_null_and_what_may_not_be_null_is_left_out() {
        let mut list = json!({"object": "list", "data": [{
            "object": "refund", "description": null, "metadata": {"object": "refund"},
            "destination_details": {"card": {"reference": null, "type": "refund"}},
        }]});
        settle(&mut list);
        let refund = &list["data"][0];
        assert_eq!((refund.get("description"), refund.get("charge")), (None, Some(&Value::Null)));
        assert_eq!(refund["destination_details"], json!({"card": {"type": "refund"}}));
        assert_eq!(refund["metadata"], json!({"object": "refund"}), "what a caller names like a kind is none");
        let deleted = json!({"object": "customer", "id": "cus_1", "deleted": true});
        let mut settled = deleted.clone();
        settle(&mut settled);
        assert_eq!(settled, deleted);
    }
}
