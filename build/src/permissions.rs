//! The permission that a restricted key needs for each request, by the paths of `permissions.toml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{PERMISSIONS, Permissions};
use crate::problem::Report;
use crate::requests::form;

/// The paths, and which of them a request had.
pub struct Paths<'c> {
    /// The name of the permission, none where it is unknown, and where the path stands.
    entries: BTreeMap<String, (Option<&'c str>, usize)>,
    used: BTreeSet<usize>,
}

impl<'c> Paths<'c> {
    /// Reads the lists; a path that stands twice is a problem.
    pub fn new(listed: &'c Permissions, report: &mut Report<'_>) -> Self {
        let unknown = listed.unknown.iter().map(|path| (path, None));
        let known =
            |p: &'c crate::catalogue::Permission| p.paths.iter().map(|path| (path, Some(p.name.get_ref().as_str())));
        let mut entries = BTreeMap::new();
        for (path, name) in unknown.chain(listed.permissions.iter().flat_map(known)) {
            let said = (name, path.span().start);
            if *entries.entry(form(path.get_ref())).or_insert(said) != said {
                report.wrong(PERMISSIONS, path, format!("`{}` stands in the lists twice", path.get_ref()));
            }
        }
        Self { entries, used: BTreeSet::new() }
    }

    /// The name of the permission for a path: that of the longest entry that it begins with, empty where that is
    /// unknown. That there is no entry is reported.
    pub fn of(&mut self, path: &str, report: &mut Report<'_>) -> &'c str {
        let path = form(path);
        let mut part = path.as_str();
        loop {
            if let Some((name, at)) = self.entries.get(part) {
                self.used.insert(*at);
                return name.unwrap_or_default();
            }
            match part.rsplit_once('/') {
                Some((shorter, _)) if !shorter.is_empty() => part = shorter,
                _ => break,
            }
        }
        let what = format!("no entry has `{path}`: say which permission it needs, or list it under `unknown`");
        report.wrong_at(PERMISSIONS, 0, what);
        ""
    }

    /// Reports the entries that no request needed.
    pub fn finish(self, report: &mut Report<'_>) {
        for (path, (_, at)) in self.entries.iter().filter(|(_, (_, at))| !self.used.contains(at)) {
            report.wrong_at(
                PERMISSIONS,
                *at,
                format!("no request begins with `{path}`, or longer entries have all of them"),
            );
        }
    }
}
