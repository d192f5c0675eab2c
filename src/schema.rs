//! The JSON Schemas (2020-12) of an operation's input and output, from the same shapes that check and map them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::catalog::{self, Field, FieldText, Method, Operation, Resource, Rule, Shape, Trigger};
use crate::json::Members;

/// The dialect of every schema.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What an operation takes.
pub fn input(operation: &Operation) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = operation.path_fields().collect();
    for name in operation.path_fields() {
        properties.insert(name.into(), json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,255}$"}));
    }
    for field in operation.parameters {
        let text = operation.text_of(field.name);
        properties.insert(field.name.into(), parameter(field.name, field.shape, text.rule));
        if field.required {
            required.push(field.name);
        }
    }
    for name in operation.extra {
        properties.insert((*name).into(), json!({"type": "boolean"}));
    }
    let mut choices = Vec::new();
    for (major, minor) in operation.major_units {
        properties.insert((*major).into(), major_units(minor));
        if required.contains(minor) {
            required.retain(|name| name != minor);
            choices.push(exactly_one(&[minor, major]));
        } else {
            choices.push(json!({"not": {"required": [minor, major]}}));
        }
    }
    if !operation.one_of.is_empty() {
        choices.push(exactly_one(operation.one_of));
    }
    for (name, schema) in &mut properties {
        describe(schema, &operation.text_of(name));
        if let Some(order) = operation.shown.iter().position(|shown| shown == name) {
            schema["x-order"] = json!(order);
        }
    }
    let defaults: Option<Map<String, Value>> = operation.defaults.and_then(|d| serde_json::from_str(d).ok());
    for (name, value) in defaults.into_iter().flatten() {
        required.retain(|r| *r != name);
        if let Some(schema) = properties.get_mut(&name) {
            schema.put("default", value);
        }
    }
    let mut schema = json!({
        "$schema": DIALECT,
        "title": operation.title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if !choices.is_empty() {
        schema.put("allOf", Value::Array(choices));
    }
    schema
}

fn exactly_one(names: &[&str]) -> Value {
    json!({"oneOf": names.iter().map(|n| json!({"required": [n]})).collect::<Vec<_>>()})
}

fn major_units(minor: &str) -> Value {
    json!({
        "type": "string",
        "pattern": "^[0-9]+(\\.[0-9]+)?$",
        "title": "Amount in major units",
        "description": format!("As people write it: \"10.99\" where `{minor}` is 1099. Give one of the two."),
    })
}

fn describe(schema: &mut Value, text: &FieldText) {
    for (key, value) in [("title", text.title), ("description", text.help)] {
        if !value.is_empty() && schema.get(key).is_none() {
            schema[key] = Value::from(value);
        }
    }
    if let Some(picks) = text.picks {
        schema["x-choices"] = Value::from(picks);
    }
}

/// What a parameter may be: closed, as the check is.
fn parameter(name: &str, shape: &Shape, rule: Option<Rule>) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::True => json!({"const": true}),
        Shape::Integer => match rule {
            Some(Rule::Amount) => json!({"type": "integer", "minimum": 0}),
            Some(Rule::PositiveAmount) => json!({"type": "integer", "minimum": 1}),
            _ => json!({"type": "integer"}),
        },
        Shape::Number => json!({"type": "number"}),
        Shape::Decimal => json!({"type": ["string", "integer"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        Shape::String if rule == Some(Rule::Currency) => json!({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
        Shape::String | Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => {
            json!({"type": "string"})
        }
        Shape::Enum([""]) => json!({"enum": ["", null]}),
        Shape::Enum(values) => json!({"type": "string", "enum": values}),
        Shape::Array(item) => json!({"type": "array", "items": parameter(name, item, None)}),
        Shape::Map(_) if name == "metadata" => json!({
            "type": "object",
            "maxProperties": 50,
            "propertyNames": {"minLength": 1, "maxLength": 40, "pattern": "^[^\\[\\]]*$"},
            "additionalProperties": {"type": "string", "maxLength": 500},
        }),
        Shape::Map(item) => json!({"type": "object", "additionalProperties": parameter("", item, None)}),
        Shape::Object(fields) => {
            let mut properties = Map::new();
            for field in *fields {
                let text = catalog::field_text(field.name);
                let mut schema = parameter(field.name, field.shape, text.rule);
                describe(&mut schema, &text);
                properties.insert(field.name.to_owned(), schema);
            }
            json!({"type": "object", "properties": properties, "required": required(fields), "additionalProperties": false})
        }
        Shape::Union(parts) => json!({"anyOf": parts.iter().map(|p| parameter(name, p, rule)).collect::<Vec<_>>()}),
    }
}

fn required(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().filter(|f| f.required).map(|f| f.name).collect()
}

/// What an operation answers with.
pub fn output(operation: &Operation) -> Value {
    let mut definitions = Definitions::default();
    let mut schema = definitions.answer(operation.response);
    schema.put("$schema", Value::from(DIALECT));
    if operation.method == Method::Delete {
        schema.put("description", Value::from("The object as it is after the operation."));
    }
    definitions.attach(schema)
}

/// What a trigger's event looks like: Stripe's envelope around the resource.
pub fn event(trigger: &Trigger, resource: &Resource) -> Value {
    let mut definitions = Definitions::default();
    let object = definitions.reference(resource.object);
    definitions.attach(json!({
        "$schema": DIALECT,
        "title": trigger.title,
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "object": {"const": "event"},
            "type": {"const": trigger.event},
            "created": {"type": "integer", "description": "Unix time in seconds."},
            "api_version": {"type": ["string", "null"]},
            "livemode": {"type": "boolean"},
            "account": {"type": "string"},
            "data": {
                "type": "object",
                "properties": {"object": object, "previous_attributes": {"type": "object"}},
                "required": ["object"],
            },
        },
        "required": ["id", "object", "type", "created", "livemode", "data"],
    }))
}

/// The object schemas that a schema refers to, each once.
#[derive(Default)]
struct Definitions {
    wanted: BTreeSet<&'static str>,
}

impl Definitions {
    fn reference(&mut self, name: &'static str) -> Value {
        if catalog::object(name).is_none() {
            return json!({"type": "object"});
        }
        self.wanted.insert(name);
        json!({"$ref": format!("#/$defs/{name}")})
    }

    fn attach(mut self, mut schema: Value) -> Value {
        let mut written: Map<String, Value> = Map::new();
        while let Some(name) = self.wanted.iter().copied().find(|n| !written.contains_key(*n)) {
            let fields = catalog::object(name).unwrap_or_default();
            let definition = self.object(fields);
            written.insert(name.to_owned(), definition);
        }
        if !written.is_empty() {
            schema.put("$defs", Value::Object(written));
        }
        schema
    }

    fn object(&mut self, fields: &'static [Field]) -> Value {
        let mut properties = Map::new();
        for field in fields {
            let schema = self.answer(field.shape);
            properties.insert(field.name.to_owned(), if field.nullable { nullable(schema) } else { schema });
        }
        // What remains of a deleted object is its id.
        let deletable = fields.iter().any(|f| f.name == "deleted");
        let required: Vec<&str> =
            required(fields).into_iter().filter(|name| !deletable || matches!(*name, "id" | "object")).collect();
        json!({"type": "object", "properties": properties, "required": required})
    }

    /// Open where Stripe may know more than the facts: members may be added, and lists of values may grow.
    fn answer(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Any => json!({}),
            Shape::Boolean => json!({"type": "boolean"}),
            Shape::True => json!({"const": true}),
            Shape::Integer => json!({"type": "integer"}),
            Shape::Number => json!({"type": "number"}),
            Shape::Decimal | Shape::String => json!({"type": "string"}),
            Shape::Enum([only]) => json!({"const": only}),
            Shape::Enum(values) => json!({"type": "string", "x-known-values": values}),
            Shape::Array(item) => json!({"type": "array", "items": self.answer(item)}),
            Shape::Map(item) => json!({"type": "object", "additionalProperties": self.answer(item)}),
            Shape::Object(fields) => self.object(fields),
            Shape::Union(parts) => json!({"anyOf": parts.iter().map(|p| self.answer(p)).collect::<Vec<_>>()}),
            Shape::Ref(name) => self.reference(name),
            Shape::Expandable(names) => json!({"type": ["string", "object"], "x-expands-to": names}),
            Shape::List(item) => self.page("list", item),
            Shape::Search(item) => self.page("search_result", item),
            Shape::Pages(item) => {
                let item = self.answer(item);
                json!({"type": "object", "properties": {"data": {"type": "array", "items": item}}, "required": ["data"]})
            }
        }
    }

    fn page(&mut self, object: &str, item: &'static Shape) -> Value {
        let item = self.answer(item);
        json!({
            "type": "object",
            "properties": {
                "object": {"const": object},
                "data": {"type": "array", "items": item},
                "has_more": {"type": "boolean"},
                "url": {"type": "string"},
            },
            "required": ["object", "data", "has_more"],
        })
    }
}

fn nullable(mut schema: Value) -> Value {
    let kinds = match schema.get("type") {
        Some(Value::String(kind)) => json!([kind, "null"]),
        Some(Value::Array(kinds)) => kinds.iter().cloned().chain([Value::from("null")]).collect(),
        // Anything at all includes null.
        _ if schema.as_object().is_some_and(Map::is_empty) => return schema,
        _ => return json!({"anyOf": [schema, {"type": "null"}]}),
    };
    schema.put("type", kinds);
    schema
}
