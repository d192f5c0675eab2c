//! Which members of the API's objects an answer may lack.
//!
//! The facts say of a member that it need not have a value, and not whether it is then `null` or absent. The type
//! declarations of the official Node SDK do; `members.facts` beside this file is what they say, written by
//! `members.mjs` and not edited by hand: an indented line a member, `-` where an answer may lack it, `-?` where
//! it may also be `null`. A member that is not listed is always there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

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
        let members = read(&mut rest, 1);
        kinds.insert(line.trim_start_matches("object "), Presence { members, ..Presence::default() });
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

/// Leaves out what is `null` and has to be absent then, at any depth.
pub(crate) fn tidy(value: &mut Value) {
    tidy_value(value, &ALWAYS);
}

/// An object without what is `null` and has to be absent then.
pub(crate) fn tidied(object: &Object) -> Cow<'_, Object> {
    if is_tidy(object, &ALWAYS) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    tidy_members(&mut object, &ALWAYS);
    Cow::Owned(object)
}

/// What is known of an object, by its kind or else by where it is.
fn known_of<'p>(object: &Object, place: &'p Presence) -> &'p Presence {
    match object.get("object") {
        Some(Value::String(kind)) => of(kind),
        _ => place,
    }
}

fn is_tidy(object: &Object, place: &Presence) -> bool {
    let known = known_of(object, place);
    object.iter().all(|(name, value)| is_tidy_value(value, known.member(name)))
}

fn is_tidy_value(value: &Value, place: &Presence) -> bool {
    match value {
        Value::Null => !place.never_null,
        Value::Object(inner) => is_tidy(inner, place),
        Value::Array(items) => items.iter().all(|i| is_tidy_value(i, place)),
        _ => true,
    }
}

fn tidy_members(object: &mut Object, place: &Presence) {
    let known = known_of(object, place);
    object.retain(|name, value| {
        let known = known.member(name);
        tidy_value(value, known);
        !(value.is_null() && known.never_null)
    });
}

fn tidy_value(value: &mut Value, place: &Presence) {
    match value {
        Value::Object(inner) => tidy_members(inner, place),
        Value::Array(items) => items.iter_mut().for_each(|i| tidy_value(i, place)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stripe_facts::{Facts, Shape};

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
    fn what_may_not_be_null_is_left_out() {
        let mut list = json!({"object": "list", "data": [{
            "object": "refund", "description": null, "charge": null,
            "destination_details": {"card": {"reference": null, "type": "refund"}},
        }]});
        let refund = list["data"][0].as_object().unwrap().clone();
        tidy(&mut list);
        let expected = json!({
            "object": "refund", "charge": null, "destination_details": {"card": {"type": "refund"}},
        });
        assert_eq!(list["data"][0], expected);
        assert_eq!(Value::Object(tidied(&refund).into_owned()), expected);
        assert!(matches!(tidied(expected.as_object().unwrap()), Cow::Borrowed(_)));
    }
}
