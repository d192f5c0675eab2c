//! The kinds of object.

use std::collections::HashSet;

use crate::report::{Check, Findings};
use crate::subject::Subject;

/// Kinds of object can be told apart, and an id of no kind is of none. Their names.
pub(crate) async fn list(subject: &Subject) -> (Check, HashSet<String>) {
    let mut findings = Findings::default();
    let mut names = HashSet::new();
    let what = "resources.list";
    match subject.heard(what, subject.connector.list_resources().await) {
        Ok((resources, _)) => {
            for resource in resources {
                let complete = !resource.title.trim().is_empty() && !resource.internal.trim().is_empty();
                findings.that(complete, || format!("{}: it has no title or no internal name", resource.name));
                findings.that(names.insert(resource.name.clone()), || format!("{}: there are two", resource.name));
            }
        }
        Err(refused) => findings.broken(refused.said(what)),
    }
    let what = "resources.resolve";
    match subject.heard(what, subject.connector.resolve_resource("\u{1}no-such-id").await) {
        Ok((found, _)) => findings.that(found.is_none(), || format!("{what}: an id of no kind is of {found:?}")),
        Err(refused) => findings.broken(refused.said(what)),
    }
    (findings.named("resources", "kinds of object can be told apart, and an id of none is of none"), names)
}
