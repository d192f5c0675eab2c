//! One name, one thing: ids and aliases of operations, and those of triggers.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::catalogue::{Catalogue, Resource, Table, in_order};
use crate::problem::Report;

/// Ids and aliases of all resources together. An operation's id begins with its resource's name.
pub fn check(catalogue: &Catalogue, report: &mut Report<'_>) {
    let mut operations = BTreeMap::new();
    let mut triggers = BTreeMap::new();
    for resource in &catalogue.resources {
        let entry = &resource.entry;
        for (kind, table) in [("action", &entry.actions), ("query", &entry.queries)] {
            take(resource, kind, table, |o| &o.aliases, &mut operations, report);
            for id in table.keys().filter(|id| id.get_ref().split('.').next() != Some(&resource.name)) {
                let what = format!("{kind} `{}` must begin with its resource: `{}.…`", id.get_ref(), resource.name);
                report.wrong(&resource.file, id, what);
            }
        }
        take(resource, "trigger", &entry.triggers, |t| &t.aliases, &mut triggers, report);
    }
}

fn take<'c, T>(
    resource: &Resource,
    kind: &str,
    table: &'c Table<T>,
    aliases: fn(&T) -> &[Spanned<String>],
    taken: &mut BTreeMap<&'c str, &'c str>,
    report: &mut Report<'_>,
) where
    T: 'c,
{
    for (id, entry) in in_order(table) {
        for name in std::iter::once(id).chain(aliases(entry)) {
            if let Some(other) = taken.insert(name.get_ref(), id.get_ref()) {
                let what = format!(
                    "{kind} `{}` has the name `{}`, which another has: `{other}`",
                    id.get_ref(),
                    name.get_ref()
                );
                report.wrong(&resource.file, name, what);
            }
        }
    }
}
