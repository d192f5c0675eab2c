//! One name, one thing: ids and aliases of operations, and those of triggers, as people write them.

use stripe_table::alike;
use toml::Spanned;

use crate::catalogue::{ALIASES, Catalogue, Resource, Table, in_order};
use crate::problem::Report;

/// Ids and aliases of all resources together. An operation's id begins with its resource's name.
pub fn check(catalogue: &Catalogue, report: &mut Report<'_>) {
    let (mut operations, mut triggers) = (Taken::default(), Taken::default());
    for resource in &catalogue.resources {
        let entry = &resource.entry;
        for (kind, table) in [("action", &entry.actions), ("query", &entry.queries)] {
            operations.take(resource, kind, table, |o| &o.aliases, report);
            for id in table.keys().filter(|id| id.get_ref().split('.').next() != Some(&resource.name)) {
                let what = format!("{kind} `{}` must begin with its resource: `{}.…`", id.get_ref(), resource.name);
                report.wrong(&resource.file, id, what);
            }
        }
        triggers.take(resource, "trigger", &entry.triggers, |t| &t.aliases, report);
    }
    for (name, alias) in in_order(&catalogue.aliases) {
        let id = alias.operation.get_ref();
        // With fields of its own or without, it may mean the same operation.
        if !operations.0.contains(&(name.get_ref(), id)) {
            operations.claim(ALIASES, "alias of", name, id, report);
        }
    }
}

/// Names, and the ids of what has them.
#[derive(Default)]
struct Taken<'c>(Vec<(&'c str, &'c str)>);

impl<'c> Taken<'c> {
    fn take<T>(
        &mut self,
        resource: &Resource,
        kind: &str,
        table: &'c Table<T>,
        aliases: fn(&T) -> &[Spanned<String>],
        report: &mut Report<'_>,
    ) {
        for (id, entry) in in_order(table) {
            for name in std::iter::once(id).chain(aliases(entry)) {
                self.claim(&resource.file, kind, name, id.get_ref(), report);
            }
        }
    }

    /// A name that something has: nothing else has it or one that people write alike.
    fn claim(&mut self, file: &str, kind: &str, name: &'c Spanned<String>, id: &'c str, report: &mut Report<'_>) {
        let written = name.get_ref().as_str();
        let clash = |(other, its): &&(&str, &str)| *other == written || (*its != id && alike(other, written));
        if let Some((other, its)) = self.0.iter().find(clash) {
            let what = match *other == written {
                true => format!("{kind} `{id}` has the name `{written}`, which another has: `{its}`"),
                false => format!("{kind} `{id}` has the name `{written}`, which reads as `{other}` of `{its}`"),
            };
            report.wrong(file, name, what);
        }
        self.0.push((written, id));
    }
}
