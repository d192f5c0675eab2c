//! What is said of fields is said of fields that there are, and what it demands and offers can be had.

use std::collections::{BTreeMap, BTreeSet};

use stripe_table::model::{Field, Shape};
use toml::Spanned;

use crate::catalogue::{COMMON, FieldText, Operation, Resource, Table, in_order};
use crate::inputs::{inputs, paths};
use crate::meanings::{Entries, Entry, fits};
use crate::nearest::nearest;
use crate::problem::Report;
use crate::shapes::describe;

use super::references;
use super::subject::Subject;

/// Every entry of every `[fields]`.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    let catalogue = subject.catalogue;
    let mut all = Seen::default();
    for resource in &catalogue.resources {
        let mut seen = Seen::default();
        let operations = in_order(&resource.entry.actions).into_iter().chain(in_order(&resource.entry.queries));
        for (id, operation) in operations {
            let owner = format!("operation `{}`", id.get_ref());
            picks(subject, &resource.file, &operation.fields, report);
            let Some(request) = subject.api.find(operation.request.get_ref()) else {
                seen.missing = true;
                continue;
            };
            let inputs = inputs(operation, request);
            let own = one(subject, (resource, operation, &owner), &inputs, report);
            let line = operation.request.get_ref();
            own.unused(
                &resource.file,
                &operation.fields,
                |name, hint| format!("{owner} speaks of field `{name}`, which `{line}` does not have{hint}"),
                report,
            );
            seen.add(own);
        }
        let name = &resource.name;
        picks(subject, &resource.file, &resource.entry.fields, report);
        seen.unused(
            &resource.file,
            &resource.entry.fields,
            |field, hint| format!("no operation of `{name}` has a field `{field}`{hint}"),
            report,
        );
        all.add(seen);
    }
    picks(subject, COMMON, &catalogue.common.fields, report);
    all.unused(
        COMMON,
        &catalogue.common.fields,
        |field, hint| format!("no operation that inherits this has a field `{field}`{hint}"),
        report,
    );
}

/// Which entries were of use.
#[derive(Default)]
struct Seen {
    /// Files and places of the entries that spoke of a field.
    used: BTreeSet<(String, usize)>,
    /// Those whose rule could be held against one.
    ruled: BTreeSet<(String, usize)>,
    /// What there is to speak of.
    paths: BTreeSet<String>,
    /// Whether an operation is not there, so that nothing can be said of what is not used.
    missing: bool,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.used.extend(other.used);
        self.ruled.extend(other.ruled);
        self.paths.extend(other.paths);
        self.missing |= other.missing;
    }

    fn unused(
        &self,
        file: &str,
        table: &Table<FieldText>,
        what: impl Fn(&str, &str) -> String,
        report: &mut Report<'_>,
    ) {
        if self.missing {
            return;
        }
        for (name, text) in table {
            let place = (file.to_owned(), name.span().start);
            if !self.used.contains(&place) {
                let end = name.get_ref().strip_prefix("*.").unwrap_or(name.get_ref());
                let hint = nearest(end, self.paths.iter().map(String::as_str));
                report.wrong(file, name, what(name.get_ref(), &hint));
            } else if let Some(rule) = text.rule.as_ref().filter(|_| !self.ruled.contains(&place)) {
                wrong_rule(file, name.get_ref(), rule, "another type everywhere", report);
            }
        }
    }
}

fn wrong_rule<T>(file: &str, name: &str, rule: &Spanned<T>, found: &str, report: &mut Report<'_>) {
    report.wrong(file, rule, format!("`{name}` has a rule for another type; the facts say {found}"));
}

fn one(
    subject: Subject<'_>,
    (resource, operation, owner): (&Resource, &Operation, &str),
    inputs: &[Field],
    report: &mut Report<'_>,
) -> Seen {
    let entries = Entries::new(subject.catalogue, resource, operation);
    let places: BTreeMap<String, Vec<&Shape>> = paths(inputs);
    let mut seen = Seen::default();
    for (path, shapes) in &places {
        let found = entries.of(path);
        for Entry { file, name, text, anywhere } in &found {
            let place = ((*file).to_owned(), name.span().start);
            match &text.rule {
                Some(rule) if fits(rule.get_ref().0, shapes) => {
                    seen.ruled.insert(place.clone());
                }
                Some(rule) if !anywhere => {
                    let says = shapes.iter().map(|s| describe(s)).collect::<Vec<_>>().join(" or ");
                    wrong_rule(file, name.get_ref(), rule, &says, report);
                    seen.ruled.insert(place.clone());
                }
                _ => {}
            }
            seen.used.insert(place);
        }
        if let Some((entry, picks)) = found.iter().find_map(|e| Some((e, e.text.picks.as_ref()?))) {
            can_list(subject, (owner, path), (entry.file, picks), inputs, report);
        }
    }
    seen.paths.extend(places.into_keys());
    seen
}

/// A drop-down lists something: the resource is there and has choices.
fn picks(subject: Subject<'_>, file: &str, table: &Table<FieldText>, report: &mut Report<'_>) {
    for (name, text) in table {
        let Some(picks) = &text.picks else { continue };
        references::resource(subject, file, &format!("field `{}`", name.get_ref()), picks, report);
        let found = subject.catalogue.resource(picks.get_ref());
        if let Some(resource) = found.filter(|r| r.entry.choices.is_none()) {
            let what = format!(
                "field `{}` picks a `{}`, and {} has no choices",
                name.get_ref(),
                picks.get_ref(),
                resource.file
            );
            report.wrong(file, picks, what);
        }
    }
}

/// What the list needs to be known first is an input of the operation.
fn can_list(
    subject: Subject<'_>,
    (owner, path): (&str, &str),
    (file, picks): (&str, &Spanned<String>),
    inputs: &[Field],
    report: &mut Report<'_>,
) {
    let needs =
        subject.catalogue.resource(picks.get_ref()).map(|r| r.entry.choices_need.as_slice()).unwrap_or_default();
    for need in needs.iter().filter(|n| !inputs.iter().any(|f| f.name == *n.get_ref())) {
        let what = format!(
            "`{path}` of {owner} picks a `{}`, whose choices need `{}`, and the operation has no such input",
            picks.get_ref(),
            need.get_ref()
        );
        report.wrong(file, picks, what);
    }
}
