//! Members that an object has twice.
//!
//! Readers of JSON disagree on which of the two counts, so an input that has them may be read by the connector as
//! another amount than the one that a person or a guard has agreed to.

use std::fmt::Write;

use super::node::{Kind, Node};

/// The path (`items[0].price`) of the first member, at any depth, whose object has one of its name already. Names are
/// compared as they read: `"id"` and `"\u0069d"` are the same.
pub fn repeated_member(value: Node<'_, '_>) -> Option<String> {
    match value.kind() {
        Kind::Object => {
            if let Some(name) = repeated_name(value) {
                return Some(name);
            }
            value.members().find_map(|(name, member)| {
                let below = repeated_member(member)?;
                let dot = if below.starts_with('[') { "" } else { "." };
                Some(format!("{name}{dot}{below}"))
            })
        }
        Kind::Array => value.items().enumerate().find_map(|(index, item)| {
            let below = repeated_member(item)?;
            let mut path = String::with_capacity(below.len() + 8);
            let dot = if below.starts_with('[') { "" } else { "." };
            write!(path, "[{index}]{dot}{below}").ok()?;
            Some(path)
        }),
        _ => None,
    }
}

/// The first name that has been there before.
fn repeated_name(object: Node<'_, '_>) -> Option<String> {
    // Sorted by name, then by order: an object of many thousand members takes no longer than it must.
    let mut names: Vec<_> = object.members().map(|(name, _)| name).enumerate().collect();
    names.sort_unstable_by(|(i, a), (j, b)| a.cmp(b).then(i.cmp(j)));
    let pairs = names.iter().zip(names.iter().skip(1));
    let seconds = pairs.filter(|((_, before), (_, name))| before == name).map(|(_, second)| second);
    seconds.min_by_key(|(order, _)| *order).map(|(_, name)| name.to_string())
}
