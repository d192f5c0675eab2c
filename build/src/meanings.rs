//! What is said of an operation's input fields, and by which entry.
//!
//! An entry's name is a field at the top of the input (`amount`), a path (`items.price`, list indices left out, `*`
//! where the caller names the member), or with `*.` before it the end of a path at any depth (`*.metadata`). The
//! operation's own entries go before the resource's, those before what the resource inherits; within each, a path goes
//! before an end of one, a longer end before a shorter. What an entry leaves open, the next one says.

use std::collections::BTreeMap;

use stripe_table::Rule;
use stripe_table::model::{Meaning, Shape};
use toml::Spanned;

use crate::catalogue::{Catalogue, FieldText, HookInput, Operation, Resource, Table};
use crate::shapes::offers;

/// An entry that says something of a field.
#[derive(Clone, Copy)]
pub struct Entry<'c> {
    /// The file that it stands in.
    pub file: &'c str,
    pub name: &'c Spanned<String>,
    pub text: &'c FieldText,
    /// Whether its name is the end of a path.
    pub anywhere: bool,
}

/// The entries that may speak of an operation's fields, the first to be asked first.
pub struct Entries<'c> {
    layers: Vec<Layer<'c>>,
    /// What the operation adds for its hook; nothing else speaks of these.
    added: &'c Table<HookInput>,
}

struct Layer<'c> {
    file: &'c str,
    table: &'c Table<FieldText>,
    /// Ends of paths, the longest first.
    ends: Vec<(&'c str, Entry<'c>)>,
}

impl<'c> Entries<'c> {
    /// Those of an operation, of its resource, and of what that inherits.
    pub fn new(catalogue: &'c Catalogue, resource: &'c Resource, operation: &'c Operation) -> Self {
        let own = (resource.file.as_str(), &operation.fields);
        let layers = std::iter::once(own).chain(resource.fields(catalogue));
        Self { layers: layers.map(|(file, table)| Layer::new(file, table)).collect(), added: &operation.inputs }
    }

    /// Those that speak of the field at a path, the first to be asked first.
    pub fn of(&self, path: &str) -> Vec<Entry<'c>> {
        let mut found = Vec::new();
        for layer in &self.layers {
            if let Some((name, text)) = layer.table.get_key_value(path) {
                found.push(Entry { file: layer.file, name, text, anywhere: false });
            }
            let fits = |end: &str| path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            found.extend(layer.ends.iter().filter(|(end, _)| fits(end)).map(|(_, entry)| *entry));
        }
        found
    }

    /// What is said of each of the fields, sorted by path; a field that nothing is said of is not there.
    pub fn resolve(&self, paths: &BTreeMap<String, Vec<&Shape>>) -> Vec<Meaning> {
        let meaning = |(path, shapes): (&String, &Vec<&Shape>)| {
            if let Some(HookInput { title, help, .. }) = self.added.get(path.as_str()) {
                let (path, title, help) = (path.clone(), title.clone(), help.clone());
                return Some(Meaning { path, title, help, ..Meaning::default() });
            }
            let entries = self.of(path);
            let said = |what: fn(&FieldText) -> Option<&str>| {
                entries.iter().find_map(|e| what(e.text)).unwrap_or_default().to_owned()
            };
            let meaning = Meaning {
                path: path.clone(),
                title: said(|t| t.title.as_deref()),
                help: said(|t| t.help.as_deref()),
                rule: entries.iter().find_map(|e| e.text.rule().filter(|r| fits(*r, shapes))),
                picks: said(|t| t.picks.as_ref().map(|p| p.get_ref().as_str())),
            };
            let empty = Meaning { path: path.clone(), ..Meaning::default() };
            (meaning != empty).then_some(meaning)
        };
        paths.iter().filter_map(meaning).collect()
    }
}

impl<'c> Layer<'c> {
    fn new(file: &'c str, table: &'c Table<FieldText>) -> Self {
        let end = |(name, text): (&'c Spanned<String>, &'c FieldText)| {
            let end = name.get_ref().strip_prefix("*.")?;
            Some((end, Entry { file, name, text, anywhere: true }))
        };
        let mut ends: Vec<_> = table.iter().filter_map(end).collect();
        ends.sort_by_key(|(end, _)| std::cmp::Reverse(end.len()));
        Self { file, table, ends }
    }
}

/// Whether a rule can be held against any of the shapes at a place.
pub fn fits(rule: Rule, shapes: &[&Shape]) -> bool {
    let fits = |shape: &Shape| match rule {
        Rule::Amount | Rule::PositiveAmount | Rule::PayoutAmount => matches!(shape, Shape::Amount),
        Rule::Currency => matches!(shape, Shape::String),
    };
    shapes.iter().any(|s| offers(s, &fits))
}
