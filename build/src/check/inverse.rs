//! What takes an operation back: an action that can be told what it was.

use crate::catalogue::{Operation, Resource};
use crate::inputs::inputs;
use crate::nearest::nearest;
use crate::problem::Report;

use super::subject::{Sent, Subject};

/// The inverse of one operation: another action, and one that is about the same resource or takes it as an input, for
/// else nobody could say what to take back.
pub fn check(subject: Subject<'_>, resource: &Resource, sent: Sent<'_>, report: &mut Report<'_>) {
    let Sent { file, owner, operation, is_query, .. } = sent;
    let Some(wanted) = &operation.inverse else { return };
    let name = wanted.get_ref().as_str();
    if is_query {
        return report.wrong(file, wanted, format!("{owner} changes nothing, so nothing takes it back"));
    }
    let resources = &subject.catalogue.resources;
    let found = resources.iter().find_map(|r| r.entry.actions.get_key_value(name).map(|(_, action)| (r, action)));
    let Some((its, action)) = found else {
        let what = match resources.iter().any(|r| r.entry.queries.contains_key(name)) {
            true => format!("{owner} is taken back by `{name}`, which only reads"),
            false => {
                let ids = resources.iter().flat_map(|r| r.entry.actions.keys());
                let hint = nearest(name, ids.map(|id| id.get_ref().as_str()));
                format!("{owner} is taken back by `{name}`, which is the id of no action{hint}")
            }
        };
        return report.wrong(file, wanted, what);
    };
    if std::ptr::eq(action, operation) {
        report.wrong(file, wanted, format!("{owner} cannot take itself back"));
    } else if its.name != resource.name && !takes(subject, action, resource) {
        let what = format!(
            "{owner} is taken back by `{name}`, which is about `{}` and takes no `{}`",
            its.name,
            resource.entry.object.get_ref()
        );
        report.wrong(file, wanted, what);
    }
}

/// Whether an action has an input that is a resource by its name. That its request exists is checked with the action.
fn takes(subject: Subject<'_>, action: &Operation, resource: &Resource) -> bool {
    let Some(request) = subject.api.find(action.request.get_ref()) else { return true };
    inputs(action, request).iter().any(|f| f.name == resource.name || f.name == *resource.entry.object.get_ref())
}
