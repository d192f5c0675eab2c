//! What restricted keys may be allowed, and what they are tried with.

use std::collections::BTreeSet;

use crate::catalogue::PERMISSIONS;
use crate::problem::Report;

use super::references;
use super::subject::Subject;

/// Each is there once; a probe reads something that needs just this permission, and needs no input for it.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    let mut names = BTreeSet::new();
    for permission in &subject.catalogue.permissions.permissions {
        let name = permission.name.get_ref();
        if !names.insert(name) {
            report.wrong(PERMISSIONS, &permission.name, format!("there is a permission `{name}` already"));
        }
        let Some(probe) = &permission.probe else { continue };
        let owner = format!("the probe of permission `{name}`");
        let Some(request) = references::request(subject, PERMISSIONS, &owner, probe, report) else { continue };
        let needs = request.path.contains('{') || request.parameters.iter().any(|p| p.required);
        if needs || !request.read_only {
            let what = format!("{owner} sends `{}`: a probe reads, and needs no input", probe.get_ref());
            report.wrong(PERMISSIONS, probe, what);
        } else if request.permission != *name {
            let what = format!("{owner} sends `{}`, which needs `{}`", probe.get_ref(), request.permission);
            report.wrong(PERMISSIONS, probe, what);
        }
    }
}
