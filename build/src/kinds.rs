//! What a whole number is: a point in time, an amount of money or a plain number, by the lists of `kinds.toml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{KINDS, Kinds as Lists};
use crate::nearest::nearest;
use crate::problem::Report;

/// What a whole number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Timestamp,
    Amount,
    Plain,
}

/// A range's members are of the kind of what the range is of.
const RANGE: [&str; 4] = ["gt", "gte", "lt", "lte"];

/// The lists, and what was asked of them.
pub struct Kinds<'c> {
    entries: BTreeMap<&'c str, (Kind, usize)>,
    used: BTreeSet<&'c str>,
    /// Names that are in no list, with the first place of each.
    unknown: BTreeMap<String, String>,
    plain_at: usize,
}

impl<'c> Kinds<'c> {
    /// Reads the lists; an entry that stands twice is a problem.
    pub fn new(lists: &'c Lists, report: &mut Report<'_>) -> Self {
        let mut entries = BTreeMap::new();
        let all =
            [(Kind::Timestamp, &lists.timestamp), (Kind::Amount, &lists.amount), (Kind::Plain, lists.plain.get_ref())];
        for (kind, list) in all {
            for entry in list {
                let said = (kind, entry.span().start);
                if *entries.entry(entry.get_ref().as_str()).or_insert(said) != said {
                    report.wrong(KINDS, entry, format!("`{}` stands in the lists twice", entry.get_ref()));
                }
            }
        }
        Self { entries, used: BTreeSet::new(), unknown: BTreeMap::new(), plain_at: lists.plain.span().start }
    }

    /// What the number at `owner.path` is; plain, and remembered as a problem, where no list has it.
    pub fn of(&mut self, path: &str) -> Kind {
        if let Some(kind) = self.find(path) {
            return kind;
        }
        let name = path.rsplit('.').next().unwrap_or(path);
        self.unknown.entry(name.to_owned()).or_insert_with(|| path.to_owned());
        Kind::Plain
    }

    fn find(&mut self, path: &str) -> Option<Kind> {
        let mut end = path;
        loop {
            if let Some((entry, (kind, _))) = self.entries.get_key_value(end) {
                self.used.insert(entry);
                return Some(*kind);
            }
            let Some((_, shorter)) = end.split_once('.') else { break };
            end = shorter;
        }
        let (range, name) = path.rsplit_once('.')?;
        if RANGE.contains(&name) { self.find(range) } else { None }
    }

    /// Reports the numbers that are in no list, and the entries that no number needed.
    pub fn finish(self, report: &mut Report<'_>) {
        for (name, path) in &self.unknown {
            let hint = nearest(name, self.entries.keys().copied());
            let what = format!(
                "the API has a number `{path}`, and `{name}` is in none of the lists timestamp, amount and plain{hint}"
            );
            report.wrong_at(KINDS, self.plain_at, what);
        }
        for (entry, (_, at)) in self.entries.iter().filter(|(e, _)| !self.used.contains(*e)) {
            report.wrong_at(KINDS, *at, format!("the API has no number `{entry}`, or a longer entry has all of them"));
        }
    }
}
