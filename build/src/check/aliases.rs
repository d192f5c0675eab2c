//! Names under which an operation's input and output have names of their own: each name leads somewhere, and what leads
//! there can be taken apart again.

use stripe_table::model::{Field, Request, Shape};
use toml::{Spanned, Value};

use crate::catalogue::{ALIASES, Alias, Operation, Resource, in_order};
use crate::inputs::inputs;
use crate::nearest::nearest;
use crate::problem::Report;

use super::paths::Ids;
use super::subject::Subject;
use super::{paths, values};

/// Every alias.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    for (name, alias) in in_order(&subject.catalogue.aliases) {
        let owner = format!("alias `{}`", name.get_ref());
        let meant = alias.operation.get_ref();
        let Some((operation, is_query)) = subject.catalogue.operation(meant) else {
            let all = |r: &'_ Resource| {
                r.entry.actions.keys().chain(r.entry.queries.keys()).map(|id| id.get_ref().clone()).collect::<Vec<_>>()
            };
            let ids: Vec<String> = subject.catalogue.resources.iter().flat_map(all).collect();
            let hint = nearest(meant, ids.iter().map(String::as_str));
            report.wrong(
                ALIASES,
                &alias.operation,
                format!("{owner} means `{meant}`, which is no action and no query{hint}"),
            );
            continue;
        };
        // That it has a request is checked with the operation.
        if let Some(request) = subject.api.find(operation.request.get_ref()) {
            One { subject, owner, alias, report }.check((operation, is_query), request);
        }
    }
}

struct One<'a, 'r, 's> {
    subject: Subject<'a>,
    owner: String,
    alias: &'a Alias,
    report: &'r mut Report<'s>,
}

impl One<'_, '_, '_> {
    fn check(&mut self, (operation, is_query): (&Operation, bool), request: &Request) {
        let inputs = inputs(operation, request);
        let Some(mut fields) = self.inputs(&inputs) else { return };
        if !self.filters(request, &mut fields) {
            return;
        }
        if let Some(key) = &self.alias.idempotency_key {
            if is_query {
                self.wrong(key, "takes an idempotency key, and only reads".to_owned());
            }
            fields.push(field(key.get_ref(), false, Shape::String));
        }
        for name in self.alias.required.iter().filter(|n| !self.alias.input.contains_key(n.get_ref().as_str())) {
            self.wrong(name, format!("requires `{}`, which is none of its inputs", name.get_ref()));
        }
        self.samples(&fields);
        self.outputs(request);
    }

    fn wrong<T>(&mut self, place: &Spanned<T>, what: String) {
        self.report.wrong(ALIASES, place, format!("{} {what}", self.owner));
    }

    /// What it takes: its own inputs, then those of the operation that none of them leads into. None where one of them leads
    /// nowhere, which is reported.
    fn inputs(&mut self, inputs: &[Field]) -> Option<Vec<Field>> {
        let alias = self.alias;
        let mut fields: Vec<Field> = Vec::new();
        let mut taken: Vec<&str> = Vec::new();
        let mut sound = true;
        for (name, target) in in_order(&alias.input) {
            let target_path = target.get_ref().as_str();
            let head = target_path.split('.').next().unwrap_or_default();
            let Some(shape) = inputs.iter().find(|f| f.name == head).and_then(|f| within(f, target_path)) else {
                let hint = nearest(head, inputs.iter().map(|f| f.name.as_str()));
                self.wrong(target, format!("puts `{}` into `{target_path}`, which there is not{hint}", name.get_ref()));
                sound = false;
                continue;
            };
            let overlaps = |other: &&str| {
                let (short, long) =
                    if other.len() < target_path.len() { (*other, target_path) } else { (target_path, *other) };
                long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if taken.iter().any(overlaps) {
                self.wrong(target, format!("puts two inputs into `{target_path}`"));
                sound = false;
            }
            taken.push(target_path);
            if name.get_ref() != target_path && inputs.iter().any(|f| f.name == *name.get_ref()) {
                self.wrong(name, format!("hides the operation's own `{}`", name.get_ref()));
                sound = false;
            }
            let required = alias.required.iter().any(|r| r.get_ref() == name.get_ref());
            fields.push(field(name.get_ref(), required, shape.clone()));
        }
        let leads = |into: &str| taken.iter().any(|t| t.split('.').next() == Some(into));
        fields.extend(inputs.iter().filter(|f| !leads(&f.name)).cloned());
        sound.then_some(fields)
    }

    /// Adds what chooses among the objects of a page; whether all of it can is said.
    fn filters(&mut self, request: &Request, fields: &mut Vec<Field>) -> bool {
        let mut sound = true;
        for (name, member) in in_order(&self.alias.filter) {
            let Shape::List(item) = &request.response else {
                self.wrong(name, format!("chooses by `{}`, and the operation is no list", name.get_ref()));
                sound = false;
                continue;
            };
            let found = self.subject.api.members(item).iter().find(|f| f.name == *member.get_ref());
            match found.map(|f| &f.shape) {
                Some(shape @ (Shape::String | Shape::Enum(_) | Shape::Map(_))) => {
                    fields.retain(|f| f.name != *name.get_ref());
                    fields.push(field(name.get_ref(), false, shape.clone()));
                }
                _ => {
                    self.wrong(
                        member,
                        format!("chooses by `{}`, which is neither text nor metadata", member.get_ref()),
                    );
                    sound = false;
                }
            }
        }
        sound
    }

    fn samples(&mut self, fields: &[Field]) {
        let alias = self.alias;
        let sample = Value::Table(alias.sample.get_ref().clone());
        let optional: Vec<Field> = fields
            .iter()
            .map(|f| {
                let has_default = alias.defaults.as_ref().is_some_and(|d| d.get_ref().contains_key(&f.name));
                Field { required: f.required && !has_default, ..f.clone() }
            })
            .collect();
        if let Err(problem) = values::check(&sample, &optional, "sample", true) {
            self.wrong(&alias.sample, problem);
        }
        if let Some(defaults) = &alias.defaults {
            let own: Vec<Field> =
                fields.iter().filter(|f| alias.input.contains_key(f.name.as_str())).cloned().collect();
            if let Err(problem) = values::check(&Value::Table(defaults.get_ref().clone()), &own, "defaults", false) {
                self.wrong(defaults, problem);
            }
        }
    }

    fn outputs(&mut self, request: &Request) {
        for (name, path) in in_order(&self.alias.output) {
            let Shape::Ref(object) = &request.response else {
                self.wrong(
                    name,
                    format!("answers with `{}`, and the operation answers with no object", name.get_ref()),
                );
                return;
            };
            let from = (object.as_str(), path.get_ref().as_str());
            paths::shape(self.subject, (ALIASES, &self.owner), from, Ids::AsTheyAre, path, self.report);
        }
    }
}

fn field(name: &str, required: bool, shape: Shape) -> Field {
    Field { name: name.to_owned(), required, nullable: false, shape }
}

/// The shape at a path that begins with a field: itself, a member of it, or a member of the first in its list.
fn within<'f>(field: &'f Field, path: &str) -> Option<&'f Shape> {
    let mut parts = path.split('.').skip(1);
    let mut shapes = vec![&field.shape];
    let (first, second) = (parts.next(), parts.next());
    let Some(first) = first else { return Some(&field.shape) };
    let name = match second {
        Some(name) if first == "0" => {
            shapes = shapes.iter().flat_map(|s| parts_of(s)).filter_map(item).collect();
            name
        }
        None if first != "0" => first,
        _ => return None,
    };
    let member = |shape: &'f Shape| match shape {
        Shape::Object(fields) => fields.iter().find(|f| f.name == name).map(|f| &f.shape),
        _ => None,
    };
    let found = shapes.iter().flat_map(|s| parts_of(s)).find_map(member);
    found.filter(|_| parts.next().is_none())
}

fn parts_of(shape: &Shape) -> &[Shape] {
    match shape {
        Shape::Union(parts) => parts,
        other => std::slice::from_ref(other),
    }
}

fn item(shape: &Shape) -> Option<&Shape> {
    match shape {
        Shape::Array(item) => Some(item),
        _ => None,
    }
}
