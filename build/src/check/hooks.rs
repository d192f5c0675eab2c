//! Hooks stand on the requests that they know, and the inputs that they add are declared with their types.

use crate::catalogue::{HOOKS, Operation};
use crate::nearest::nearest;
use crate::problem::Report;
use crate::requests::form;

use super::references;
use super::subject::{Sent, Subject};

/// The hooks that there are.
pub fn declared(subject: Subject<'_>, report: &mut Report<'_>) {
    for (name, hook) in &subject.catalogue.hooks {
        let owner = format!("hook `{}`", name.get_ref());
        for line in &hook.requests {
            references::request(subject, HOOKS, &owner, line, report);
        }
        let used = |o: &Operation| o.hook.as_ref().is_some_and(|h| h.get_ref() == name.get_ref());
        let mut operations =
            subject.catalogue.resources.iter().flat_map(|r| r.entry.actions.values().chain(r.entry.queries.values()));
        if !operations.any(used) {
            report.wrong(HOOKS, name, format!("no operation has the {owner}"));
        }
    }
}

/// The hook of one operation.
pub fn used(subject: Subject<'_>, sent: Sent<'_>, report: &mut Report<'_>) {
    let Sent { file, owner, operation, request, .. } = sent;
    let hooks = &subject.catalogue.hooks;
    let Some(name) = &operation.hook else {
        if let Some(input) = operation.inputs.keys().next() {
            report.wrong(
                file,
                input,
                format!("{owner} adds the input `{}`, and has no hook that reads it", input.get_ref()),
            );
        }
        return;
    };
    let Some(hook) = hooks.get(name.get_ref().as_str()) else {
        let hint = nearest(name.get_ref(), hooks.keys().map(|h| h.get_ref().as_str()));
        return report.wrong(
            file,
            name,
            format!("{owner} has the hook `{}`, which is not in {HOOKS}{hint}", name.get_ref()),
        );
    };
    if !hook.requests.iter().any(|line| form(line.get_ref()) == form(operation.request.get_ref())) {
        let known = hook.requests.iter().map(|l| l.get_ref().as_str()).collect::<Vec<_>>().join(", ");
        let what =
            format!("{owner}: the hook `{}` knows {known}, and not `{}`", name.get_ref(), operation.request.get_ref());
        report.wrong(file, name, what);
    }
    for (input, entry) in &operation.inputs {
        match hook.inputs.get(input.get_ref()) {
            Some(kind) if kind == entry.kind.get_ref() => {}
            Some(kind) => {
                let what =
                    format!("{owner}: the hook `{}` takes `{}` as {}", name.get_ref(), input.get_ref(), kind.name());
                report.wrong(file, &entry.kind, what);
            }
            None => {
                let hint = nearest(input.get_ref(), hook.inputs.keys().map(String::as_str));
                let what = format!("{owner}: the hook `{}` takes no `{}`{hint}", name.get_ref(), input.get_ref());
                report.wrong(file, input, what);
            }
        }
        if request.parameters.iter().any(|p| p.name == *input.get_ref()) {
            let what = format!("{owner} adds the input `{}`, which is a parameter already", input.get_ref());
            report.wrong(file, input, what);
        }
        if let Some((field, _)) = operation.fields.get_key_value(input.get_ref().as_str()) {
            report.wrong(file, field, format!("{owner}: what is said of `{}` stands in its inputs", input.get_ref()));
        }
    }
    for (missing, kind) in hook.inputs.iter().filter(|(n, _)| !operation.inputs.contains_key(n.as_str())) {
        let what = format!(
            "{owner}: the hook `{}` takes `{missing}`: add it to the inputs, with type `{}`, title and help",
            name.get_ref(),
            kind.name()
        );
        report.wrong(file, name, what);
    }
}
