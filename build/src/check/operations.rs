//! Actions and queries: what they send, show and say.

use toml::Value;

use crate::catalogue::{Operation, Resource, in_order};
use crate::inputs::inputs;
use crate::problem::Report;

use super::subject::{Sent, Subject};
use super::{encoding, hooks, inverse, money, references, safety, values};

/// Every action and query.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    for resource in &subject.catalogue.resources {
        for (kind, table) in [("action", &resource.entry.actions), ("query", &resource.entry.queries)] {
            for (id, operation) in in_order(table) {
                let owner = format!("{kind} `{}`", id.get_ref());
                one(subject, resource, &owner, (operation, kind == "query"), report);
            }
        }
    }
}

fn one(
    subject: Subject<'_>,
    resource: &Resource,
    owner: &str,
    (operation, is_query): (&Operation, bool),
    report: &mut Report<'_>,
) {
    let file = resource.file.as_str();
    let Some(request) = references::request(subject, file, owner, &operation.request, report) else { return };
    let inputs = inputs(operation, request);
    let sent = Sent { file, owner, operation, request, inputs: &inputs, is_query };
    safety::check(sent, report);
    hooks::used(subject, sent, report);
    money::check(sent, report);
    encoding::check(sent, report);
    inverse::check(subject, resource, sent, report);
    for name in operation.show.iter().chain(&operation.one_of) {
        if !inputs.iter().any(|f| f.name == *name.get_ref()) {
            sent.no_parameter("shows", name, report);
        }
    }
    let sample = Value::Table(operation.sample.get_ref().clone());
    if let Err(problem) = values::check(&sample, &inputs, "sample", true) {
        report.wrong(file, &operation.sample, format!("{owner}: {problem}"));
    }
    if let Some(defaults) = &operation.defaults {
        let values = Value::Table(defaults.get_ref().clone());
        if let Err(problem) = values::check(&values, &inputs, "defaults", false) {
            report.wrong(file, defaults, format!("{owner}: {problem}"));
        }
    }
    if let Some(fixed) = &operation.fixed {
        let values = Value::Table(fixed.get_ref().clone());
        if let Err(problem) = values::check(&values, &request.parameters, "fixed", false) {
            report.wrong(file, fixed, format!("{owner}: {problem}"));
        }
    }
}
