//! What an operation takes.

use super::degree::{DIALECT, Degree};
use super::plan::{Narrowing, Plan};
use super::weight::{FEW_VALUES, is_plain, is_small};
use crate::catalogue::{self, Fields, Meaning, Operation, Rule, Shape, unsets};
use crate::json::{Doc, Node, Writer};

/// The schema of an operation's input.
pub fn input(operation: Operation, degree: Degree, narrowing: &Narrowing) -> String {
    let mut schema = Schema::new(operation, degree);
    schema.root(narrowing);
    schema.json.finish()
}

/// Writes what an operation takes.
pub(super) struct Schema {
    pub(super) json: Writer,
    operation: Operation,
    degree: Degree,
    /// Where it is, as the catalogue names it.
    path: String,
    /// What the catalogue says of that place.
    meaning: Option<Meaning<'static>>,
}

impl Schema {
    pub(super) fn new(operation: Operation, degree: Degree) -> Self {
        Self { json: Writer::with_capacity(4096), operation, degree, path: String::new(), meaning: None }
    }

    /// Goes to the field at a path, as the catalogue names it.
    pub(super) fn go_to(&mut self, path: String) {
        self.meaning = self.operation.meaning(&path);
        self.path = path;
    }

    fn root(&mut self, narrowing: &Narrowing) {
        let operation = self.operation;
        let defaults = Doc::scan_str(operation.defaults()).ok();
        let defaults = defaults.as_ref().map(Doc::root);
        let plan = Plan::new(operation, self.degree, narrowing, defaults);
        self.json.begin_object().key("$schema").string(DIALECT).key("title").string(&operation.title());
        self.json.key("type").string("object").key("description").string(&description(operation, &plan));
        self.json.key("properties").begin_object();
        self.properties(&plan, defaults);
        self.json.end_object().key("required").strings(plan.required.iter().copied());
        if plan.is_whole {
            self.json.key("additionalProperties").boolean(false);
        }
        self.groups(&plan);
        self.json.end_object();
    }

    /// The fields that a plan tells.
    pub(super) fn properties(&mut self, plan: &Plan, defaults: Option<Node<'_, '_>>) {
        let operation = self.operation;
        for name in operation.path_fields() {
            self.property(name, plan, &mut Self::path_field);
        }
        for field in operation.parameters().into_iter().chain(operation.extra().into_iter().flatten()) {
            self.property(field.name(), plan, &mut |schema| {
                schema.members(field.shape());
                if let Some(value) = defaults.and_then(|d| d.get(field.name())) {
                    schema.json.key("default").raw(value.raw());
                }
            });
        }
        for (major, minor) in plan.major_units.iter().copied() {
            self.property(major, plan, &mut |schema| schema.major_units(minor));
        }
    }

    /// What a path's placeholder takes.
    pub(super) fn path_field(&mut self) {
        self.json.key("type").string("string").key("minLength").integer(1).key("maxLength").integer(255);
    }

    /// Groups of which exactly one must be given, and the files that come beside the input.
    pub(super) fn groups(&mut self, plan: &Plan) {
        if !plan.alternatives.is_empty() {
            self.json.key("x-one-of").begin_array();
            for names in &plan.alternatives {
                self.json.strings(names.iter().copied());
            }
            self.json.end_array();
        }
        if !plan.files.is_empty() {
            self.json.key("x-files").begin_array();
            for file in &plan.files {
                self.json.begin_object().key("field").string(file.name());
                self.json.key("required").boolean(file.required()).end_object();
            }
            self.json.end_array();
        }
    }

    /// A field of the input.
    fn property(&mut self, name: &str, plan: &Plan, members: &mut dyn FnMut(&mut Self)) {
        if !plan.told.contains(&name) {
            return;
        }
        self.path.clear();
        self.path.push_str(name);
        self.meaning = self.operation.meaning(name);
        self.json.key(name).begin_object();
        members(self);
        self.said();
        if let Some(order) = plan.shown.iter().position(|shown| *shown == name) {
            self.json.key("x-order").integer(order as i64);
        }
        self.json.end_object();
    }

    fn rule(&self) -> Option<Rule> {
        self.meaning.and_then(|m| m.rule())
    }

    /// What people have said of the place.
    pub(super) fn said(&mut self) {
        let Some(meaning) = self.meaning else { return };
        let (title, help) = (meaning.title(), meaning.help());
        for (key, text) in [("title", &*title), ("description", &*help), ("x-choices", meaning.picks())] {
            if !text.is_empty() {
                self.json.key(key).string(text);
            }
        }
        let need = catalogue::table().ok().and_then(|t| t.resource(meaning.picks())).map(|r| r.choices_need());
        if let Some(need) = need.filter(|n| !n.is_empty()) {
            self.json.key("x-choices-need").strings(need);
        }
    }

    fn major_units(&mut self, minor: &str) {
        self.json.key("type").string("string").key("pattern").string(r"^-?[0-9]+(\.[0-9]+)?$");
        if self.meaning.is_none_or(|m| m.title().is_empty()) {
            self.json.key("title").string("Amount in major units");
        }
        if self.meaning.is_none_or(|m| m.help().is_empty()) {
            let text = ["As people write it: \"10.99\" where `", minor, "` is 1099. Give one of the two."].concat();
            self.json.key("description").string(&text);
        }
    }

    /// A schema of its own.
    fn schema(&mut self, shape: Shape<'static>) {
        self.json.begin_object();
        self.members(shape);
        self.json.end_object();
    }

    /// What a schema says of a shape: closed, as the check is.
    pub(super) fn members(&mut self, shape: Shape<'static>) {
        match shape {
            Shape::Any | Shape::File => {}
            Shape::Boolean => self.type_of("boolean"),
            Shape::True => {
                self.json.key("const").boolean(true);
            }
            Shape::Integer
                if !matches!(self.rule(), Some(Rule::Amount | Rule::PositiveAmount | Rule::PayoutAmount)) =>
            {
                self.type_of("integer");
            }
            Shape::Number => self.type_of("number"),
            Shape::String if self.rule() == Some(Rule::Currency) => {
                self.type_of("string");
                self.json.key("pattern").string("^[A-Za-z]{3}$");
            }
            Shape::Enum(values) if !shape.is_empty_string() => {
                self.type_of("string");
                if self.degree == Degree::Full || values.len() <= FEW_VALUES {
                    self.json.key("enum").strings(values);
                } else {
                    self.json.key("x-more").boolean(true);
                }
            }
            Shape::Array(item) => {
                self.type_of("array");
                self.json.key("items");
                self.schema(item.get());
            }
            Shape::Map(item) => self.map(item.get()),
            Shape::Object(fields) => self.object(fields),
            Shape::String if self.operation.is_time_in_text(&self.path) => self.any_of(shape),
            Shape::String
            | Shape::Ref(_)
            | Shape::Expandable(_)
            | Shape::List(_)
            | Shape::Search(_)
            | Shape::Pages(_) => {
                self.type_of("string");
            }
            Shape::Union(_) | Shape::Amount | Shape::Integer | Shape::Timestamp | Shape::Decimal | Shape::Enum(_) => {
                self.any_of(shape);
            }
        }
    }

    fn type_of(&mut self, name: &str) {
        self.json.key("type").string(name);
    }

    fn any_of(&mut self, shape: Shape<'static>) {
        self.json.key("anyOf").begin_array();
        self.alternatives(shape);
        if unsets(shape) {
            self.json.begin_object().key("type").string("string").key("enum").strings([""]).end_object();
            self.json.begin_object().key("type").string("null").end_object();
        }
        self.json.end_array();
    }

    /// The schemas that one of has to hold.
    fn alternatives(&mut self, shape: Shape<'static>) {
        match shape {
            Shape::Union(parts) => parts.iter().for_each(|part| self.alternatives(part)),
            Shape::Enum(_) if shape.is_empty_string() => {}
            Shape::Amount | Shape::Integer if shape == Shape::Amount || self.rule().is_some() => self.amounts(),
            Shape::Timestamp => self.times(),
            Shape::String if self.operation.is_time_in_text(&self.path) => self.times(),
            Shape::Decimal => {
                self.json.begin_object().key("type").string("string");
                self.json.key("pattern").string(r"^-?[0-9]+(\.[0-9]+)?$").end_object();
                self.json.begin_object().key("type").string("number").end_object();
            }
            other => self.schema(other),
        }
    }

    fn amounts(&mut self) {
        self.json.begin_object().key("type").string("integer");
        match self.rule() {
            Some(Rule::Amount) => {
                self.json.key("minimum").integer(0);
            }
            Some(Rule::PositiveAmount | Rule::PayoutAmount) => {
                self.json.key("minimum").integer(1);
            }
            _ => {}
        }
        self.json.end_object();
        self.json.raw(
            r#"{"type":"object","properties":{"decimal":{"type":"string"},"currency":{"type":"string"}},"required":["decimal","currency"],"additionalProperties":false}"#,
        );
    }

    fn times(&mut self) {
        self.json.raw(r#"{"type":"integer"}"#).raw(r#"{"type":"string","format":"date-time"}"#);
    }

    fn map(&mut self, item: Shape<'static>) {
        self.type_of("object");
        let name = self.path.rsplit('.').next().unwrap_or_default();
        if name == "metadata" {
            self.json
                .key("maxProperties")
                .integer(50)
                .key("propertyNames")
                .raw(r#"{"minLength":1,"maxLength":40,"pattern":"^[^\\[\\]]*$"}"#);
        }
        self.json.key("additionalProperties");
        if matches!(item, Shape::String) {
            self.json.begin_object().key("anyOf").begin_array().begin_object().key("type").string("string");
            if name == "metadata" {
                self.json.key("maxLength").integer(500);
            }
            self.json.end_object().raw(r#"{"type":"null"}"#).end_array().end_object();
        } else {
            self.schema(item);
        }
    }

    fn object(&mut self, fields: Fields<'static>) {
        let whole = self.degree == Degree::Full || is_small(Shape::Object(fields));
        let mut left_out = false;
        self.type_of("object");
        self.json.key("properties").begin_object();
        let (length, around) = (self.path.len(), self.meaning);
        for field in fields {
            self.path.push('.');
            self.path.push_str(field.name());
            self.meaning = self.operation.meaning(&self.path);
            if whole || field.required() || is_plain(field.shape()) || self.meaning.is_some() {
                self.json.key(field.name()).begin_object();
                self.members(field.shape());
                self.said();
                self.json.end_object();
            } else {
                left_out = true;
            }
            self.path.truncate(length);
        }
        self.meaning = around;
        self.json.end_object();
        self.json.key("required").strings(fields.iter().filter(|f| f.required()).map(|f| f.name()));
        if !left_out {
            self.json.key("additionalProperties").boolean(false);
        }
    }
}

pub(super) fn description(operation: Operation, plan: &Plan) -> String {
    let mut text = operation.description();
    for names in &plan.alternatives {
        text.push_str(&[" Give exactly one of `", &names.join("` and `"), "`."].concat());
    }
    for (major, minor) in &plan.major_units {
        if !plan.alternatives.iter().any(|names| names.contains(minor)) {
            text.push_str(&[" Give at most one of `", minor, "` and `", major, "`."].concat());
        }
    }
    if !plan.files.is_empty() {
        text.push_str(" Its file comes beside the input.");
    }
    if !plan.is_whole {
        text.push_str(" It takes further fields, which the full schema has.");
    }
    text
}
