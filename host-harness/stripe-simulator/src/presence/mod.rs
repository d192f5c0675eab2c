//! Which members of the API's objects an answer may lack.
//!
//! The facts say of a member that it need not have a value, and not whether it is then `null` or absent. The type
//! declarations of the official Node SDK do; `members.facts` beside this file is what they say, written by
//! `members.mjs` and not edited by hand: an indented line a member, `-` where an answer may lack it, `-?` where
//! it may also be `null`. A member that is not listed is always there.

mod count;

use std::borrow::Cow;
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

/// What there is to see to in a member.
#[derive(Debug)]
struct Rule {
    name: &'static str,
    /// It is `null` when there is none.
    always: bool,
    /// It is left out when it is `null`.
    never_null: bool,
    inside: Inside,
}

/// What there is to see to inside a member.
#[derive(Debug)]
enum Inside {
    Nothing,
    /// A hash with members of its own.
    Hash(Vec<Rule>),
    /// Several of the same.
    Each(Box<Inside>),
    /// Objects of the API, which have rules of their own.
    Objects,
}

/// The rules by the kind of the objects.
static RULES: LazyLock<BTreeMap<&'static str, Vec<Rule>>> = LazyLock::new(|| {
    let kinds = Facts::bundled().objects.iter();
    kinds.filter_map(|(kind, shape)| Some((kind.as_str(), rules(shape.fields()?, of(kind))))).collect()
});

trait Fields {
    fn fields(&self) -> Option<&[Field]>;
}

impl Fields for Shape {
    fn fields(&self) -> Option<&[Field]> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }
}

/// The rules of members; those that there is nothing to see to in have none.
fn rules(fields: &'static [Field], known: &Presence) -> Vec<Rule> {
    let rule = |field: &'static Field| {
        let known = known.member(&field.name);
        Rule {
            name: &field.name,
            always: field.nullable && !known.may_lack,
            never_null: known.never_null,
            inside: inside(&field.shape, known),
        }
    };
    let matters = |r: &Rule| r.always || r.never_null || !matches!(r.inside, Inside::Nothing);
    fields.iter().map(rule).filter(matters).collect()
}

fn inside(shape: &'static Shape, known: &Presence) -> Inside {
    match shape {
        Shape::Array(inner) | Shape::Map(inner) => match inside(inner, known) {
            Inside::Nothing => Inside::Nothing,
            inner => Inside::Each(Box::new(inner)),
        },
        Shape::Object(fields) => match rules(fields, known) {
            rules if rules.is_empty() => Inside::Nothing,
            rules => Inside::Hash(rules),
        },
        Shape::Union(parts) => match parts.iter().find(|p| p.fields().is_some()) {
            Some(part) => inside(part, known),
            None => Inside::Objects,
        },
        Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => Inside::Objects,
        _ => Inside::Nothing,
    }
}

/// What has to be seen to in an object of the API.
fn rules_of(object: &Object) -> Option<&'static [Rule]> {
    RULES.get(object.get("object")?.as_str()?).map(Vec::as_slice)
}

fn is_deleted(object: &Object) -> bool {
    object.get("deleted") == Some(&Value::Bool(true))
}

/// Makes the objects in a value what Stripe sends of them, at any depth: what is always there and can be `null` is,
/// and what is not there rather than `null` is left out.
pub(crate) fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(object) => match rules_of(object) {
            Some(rules) => settle_object(rules, object),
            None => object.values_mut().for_each(settle),
        },
        _ => {}
    }
}

fn settle_object(rules: &[Rule], object: &mut Object) {
    settle_members(rules, object);
    count::count(object);
}

/// An object as Stripe sends it.
pub(crate) fn settled(object: &Object) -> Cow<'_, Object> {
    let mut settled = Cow::Borrowed(object);
    if !is_settled_object(object) {
        match rules_of(object) {
            Some(rules) => settle_object(rules, settled.to_mut()),
            None => settled.to_mut().values_mut().for_each(settle),
        }
    }
    settled
}

fn is_settled_object(object: &Object) -> bool {
    match rules_of(object) {
        Some(rules) => are_settled(rules, object) && count::uncounted(object).is_none(),
        None => object.values().all(is_settled),
    }
}

/// Whether there is nothing to see to.
fn is_settled(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_settled),
        Value::Object(object) => is_settled_object(object),
        _ => true,
    }
}

fn are_settled(rules: &[Rule], object: &Object) -> bool {
    is_deleted(object)
        || rules.iter().all(|rule| match object.get(rule.name) {
            Some(Value::Null) => !rule.never_null,
            Some(value) => is_settled_inside(&rule.inside, value),
            None => !rule.always,
        })
}

fn is_settled_inside(inside: &Inside, value: &Value) -> bool {
    match (inside, value) {
        (Inside::Hash(rules), Value::Object(object)) => are_settled(rules, object),
        (Inside::Each(inside), Value::Array(items)) => items.iter().all(|i| is_settled_inside(inside, i)),
        (Inside::Each(inside), Value::Object(members)) => members.values().all(|v| is_settled_inside(inside, v)),
        (Inside::Objects, value) => is_settled(value),
        _ => true,
    }
}

fn settle_members(rules: &[Rule], object: &mut Object) {
    if is_deleted(object) {
        return;
    }
    for rule in rules {
        match object.get_mut(rule.name) {
            Some(Value::Null) if rule.never_null => {
                object.shift_remove(rule.name);
            }
            Some(value) => settle_inside(&rule.inside, value),
            None if rule.always => {
                object.insert(rule.name.to_owned(), Value::Null);
            }
            None => {}
        }
    }
}

fn settle_inside(inside: &Inside, value: &mut Value) {
    match (inside, value) {
        (Inside::Hash(rules), Value::Object(object)) => settle_members(rules, object),
        (Inside::Each(inside), Value::Array(items)) => items.iter_mut().for_each(|i| settle_inside(inside, i)),
        (Inside::Each(inside), Value::Object(members)) => {
            members.values_mut().for_each(|v| settle_inside(inside, v));
        }
        (Inside::Objects, value) => settle(value),
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
        let kept = refund.as_object().unwrap();
        assert!(matches!(super::settled(kept), Cow::Borrowed(_)), "what is settled is not touched again");
        let mut again = kept.clone();
        again.shift_remove("charge");
        assert_eq!(super::settled(&again).get("charge"), Some(&Value::Null));
    }
}
