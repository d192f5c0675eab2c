//! What an operation takes and answers under a name with fields of its own.

use super::degree::{DIALECT, Degree};
use super::input::{Schema, description};
use super::object::{Objects, fields_of};
use super::plan::{Narrowing, Plan};
use crate::alias::{head, member_shape};
use crate::catalogue::{Alias, Operation, Shape};
use crate::json::Doc;

/// The schema of an alias's input: its own fields, then those of the operation that none of them stands for. Where it has
/// names of its own, the short schema tells these alone.
pub fn renamed_input(operation: Operation, alias: Alias<'static>, degree: Degree) -> String {
    let mut schema = Schema::new(operation, degree);
    let defaults = Doc::scan_str(operation.defaults()).ok();
    let defaults = defaults.as_ref().map(Doc::root);
    let mut plan = Plan::new(operation, degree, &Narrowing::default(), defaults);
    let stands_for = |name: &str| alias.inputs().iter().any(|(_, target)| head(target) == name);
    let told_alone = degree == Degree::Shown && !alias.inputs().is_empty();
    plan.is_whole &= !told_alone;
    plan.told.retain(|name| !stands_for(name) && (!told_alone || plan.required.contains(name)));
    plan.required.retain(|name| !stands_for(name));
    let own_name =
        |name: &'static str| alias.inputs().iter().find(|(_, target)| *target == name).map_or(name, |(own, _)| own);
    plan.alternatives.retain(|group| !group.iter().any(|name| alias.required().contains(own_name(name))));
    for group in &mut plan.alternatives {
        group.iter_mut().for_each(|name| *name = own_name(name));
    }

    schema.json.begin_object().key("$schema").string(DIALECT).key("title").string(&operation.title());
    schema.json.key("type").string("object").key("description").string(&description(operation, &plan));
    schema.json.key("properties").begin_object();
    let own_defaults = Doc::scan_str(alias.defaults()).ok();
    for (order, (name, target)) in alias.inputs().iter().enumerate() {
        schema.json.key(name).begin_object();
        schema.go_to(target.replace(".0.", "."));
        match shape_at(operation, target) {
            Some(shape) => schema.members(shape),
            None => schema.path_field(),
        }
        schema.said();
        if let Some(value) = own_defaults.as_ref().and_then(|d| d.root().get(name)) {
            schema.json.key("default").raw(value.raw());
        }
        schema.json.key("x-order").integer(order as i64).end_object();
    }
    for (name, member) in alias.filters() {
        schema.json.key(name).begin_object().key("description").string(FILTER);
        match member_shape(operation, member) {
            Some(Shape::Map(_)) => {
                schema.json.key("type").string("object").key("additionalProperties").raw(r#"{"type":"string"}"#);
            }
            Some(Shape::Enum(values)) => {
                schema.json.key("type").string("string").key("enum").strings(values);
            }
            _ => {
                schema.json.key("type").string("string");
            }
        }
        schema.json.end_object();
    }
    if !alias.key().is_empty() {
        schema.json.key(alias.key()).begin_object().key("type").string("string").key("minLength").integer(1);
        schema.json.key("title").string("Idempotency key").key("description").string(KEY).end_object();
    }
    schema.properties(&plan, defaults);
    let has_default = |name: &str| own_defaults.as_ref().is_some_and(|d| d.root().get(name).is_some());
    let own = alias.required().iter().filter(|name| !has_default(name));
    schema.json.end_object().key("required").strings(own.chain(plan.required.iter().copied()));
    if plan.is_whole {
        schema.json.key("additionalProperties").boolean(false);
    }
    schema.groups(&plan);
    schema.json.end_object();
    schema.json.finish()
}

const FILTER: &str = "Only those of the page that have it: a page may hold fewer than were asked for.";
const KEY: &str = "A key of your own: with the same key it is done once.";

/// The schema of an alias's output: its members, each as the answer has it, or null.
pub fn renamed_output(operation: Operation, alias: Alias<'static>, degree: Degree) -> String {
    let mut objects = Objects::of_degree(degree);
    objects.json.begin_object().key("$schema").string(DIALECT).key("type").string("object");
    objects.json.key("properties").begin_object();
    for (name, path) in alias.outputs() {
        objects.json.key(name);
        objects.schema(answered(operation.request().response(), path), true);
    }
    objects.json.end_object().key("required").strings(alias.outputs().iter().map(|(name, _)| name));
    objects.definitions();
    objects.json.end_object();
    objects.json.finish()
}

/// The shape of what an input goes into; none for a placeholder of the path.
fn shape_at(operation: Operation, target: &str) -> Option<Shape<'static>> {
    let field = head(target);
    let extra = operation.extra().and_then(|extra| extra.get(field));
    let shape = operation.parameters().get(field).or(extra)?.shape();
    let mut parts = target.split('.').skip(1).filter(|part| *part != "0");
    parts.try_fold(shape, member)
}

/// A member of an object, or of the objects in a list.
fn member(shape: Shape<'static>, name: &str) -> Option<Shape<'static>> {
    match shape {
        Shape::Object(fields) => fields.get(name).map(|f| f.shape()),
        Shape::Array(item) => member(item.get(), name),
        Shape::Union(parts) => parts.iter().find_map(|part| member(part, name)),
        _ => None,
    }
}

/// The shape at a path of an answer.
fn answered(answer: Shape<'static>, path: &str) -> Shape<'static> {
    path.split('.').fold(answer, |shape, part| match shape {
        Shape::Ref(name) => fields_of(name).and_then(|f| f.get(part)).map_or(Shape::Any, |f| f.shape()),
        Shape::Object(fields) => fields.get(part).map_or(Shape::Any, |f| f.shape()),
        Shape::List(_) if part == "data" => shape,
        Shape::List(item) | Shape::Array(item) => item.get(),
        _ => Shape::Any,
    })
}
