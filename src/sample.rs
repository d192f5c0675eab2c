//! Objects of the right shape for building a workflow before anything has happened.
//!
//! Values are plausible, fixed and recognisably made up. What the sample input says, and what the operation always sends,
//! is repeated in the output.

use crate::alias;
use crate::catalogue::{self, Field, Fields, Method, Operation, Resource, Shape, Trigger};
use crate::input::resource_in_path;
use crate::json::{Doc, Kind, Node, Writer};

/// 2026-01-01T00:00:00Z.
const MOMENT: i64 = 1_767_225_600;
const MOMENT_TEXT: &str = "2026-01-01T00:00:00Z";
const SUFFIX: &str = "Sample0123456789";
/// How deep objects within objects are filled in; deeper ones are left out where they may be.
const DEPTH: u32 = 3;

/// An input of an operation: what people have written, or what a plain request needs.
pub fn input(operation: Operation) -> String {
    if let Some(alias) = operation.alias() {
        return alias.sample();
    }
    if let Some(entry) = operation.entry() {
        return entry.sample();
    }
    let mut sample = Sample::new();
    sample.json.begin_object();
    for name in operation.path_fields() {
        let own = operation.answers_with().filter(|_| name == "id").unwrap_or(name);
        let id = resource_in_path(operation, name).map_or_else(|| id_of(own), id_in);
        sample.json.key(name).string(&id);
    }
    for field in operation.parameters().iter().filter(|f| f.required() && f.shape() != Shape::File) {
        sample.json.key(field.name());
        sample.parameter(field.name(), field.shape());
    }
    sample.json.end_object();
    sample.json.finish()
}

/// An output of an operation, in the names of its alias where it has one.
pub fn output(operation: Operation) -> String {
    let whole = answer(operation);
    match (operation.alias().filter(|alias| !alias.outputs().is_empty()), Doc::scan_str(&whole)) {
        (Some(alias), Ok(doc)) => alias::named(alias, doc.root()),
        _ => whole,
    }
}

fn answer(operation: Operation) -> String {
    let mut sample = Sample::new();
    let request = operation.request();
    if request.binary() {
        return r#"{"field":"file","name":"sample.pdf","content_type":"application/pdf","size":12345}"#.to_owned();
    }
    let input = operation.entry().map_or_else(|| input(operation), |entry| entry.sample());
    let (given, fixed) = (Doc::scan_str(&input).ok(), Doc::scan_str(operation.fixed()).ok());
    let sent: Vec<Node<'_, '_>> = given.iter().chain(&fixed).map(Doc::root).collect();
    match request.response() {
        Shape::Ref(name) => sample.object(name, &sent, DEPTH),
        Shape::List(item) => sample.page("list", item.get(), DEPTH, request.path()),
        Shape::Search(item) => sample.page("search_result", item.get(), DEPTH, request.path()),
        // What is removed in v2 leaves its id.
        Shape::Any if request.method() == Method::Delete => {
            let own = sent.first().and_then(|g| g.get(operation.path_fields().last().copied()?));
            sample.json.begin_object().key("id").raw(own.map_or("\"\"", Node::raw)).end_object();
        }
        other => sample.value("", other, DEPTH),
    }
    sample.json.finish()
}

/// An event of a trigger.
pub fn event(trigger: Trigger) -> String {
    let mut sample = Sample::new();
    let event =
        trigger.events().into_iter().find(|event| event.object().is_some()).or(trigger.events().first().copied());
    let (event_type, object) = event.map_or(("", None), |event| (event.name(), event.object()));
    sample.json.begin_object().key("id").string(&["evt_", SUFFIX].concat());
    if trigger.is_thin() {
        sample.json.key("object").string("v2.core.event").key("type").string(event_type);
        sample.json.key("created").string(MOMENT_TEXT).key("livemode").boolean(false);
        sample.json.key("context").null().key("related_object").null().end_object();
        return sample.json.finish();
    }
    sample.json.key("object").string("event").key("type").string(event_type).key("created").integer(MOMENT);
    sample.json.key("api_version").string(catalogue::API_VERSION).key("livemode").boolean(false);
    sample.json.key("pending_webhooks").integer(1).key("request").begin_object();
    sample.json.key("id").string(&["req_", SUFFIX].concat()).key("idempotency_key").null().end_object();
    sample.json.key("data").begin_object().key("object");
    if let Some(object) = object {
        sample.object(object, &[], DEPTH);
    } else {
        sample.json.begin_object().key("id").string(SUFFIX).end_object();
    }
    if event_type.ends_with(".updated") {
        sample.json.key("previous_attributes").raw(r#"{"description":null}"#);
    }
    sample.json.end_object().end_object();
    sample.json.finish()
}

/// The id of an object, or of what a field of this name names.
fn id_of(name: &str) -> String {
    let table = catalogue::table().ok();
    let resource = table.and_then(|table| table.resource_of_object(name).or_else(|| table.resource(name)));
    resource.map_or_else(|| SUFFIX.to_owned(), id_in)
}

/// An id of a resource's objects.
fn id_in(resource: Resource<'_>) -> String {
    [resource.id_prefixes().first().unwrap_or_default(), SUFFIX].concat()
}

struct Sample {
    json: Writer,
}

impl Sample {
    fn new() -> Self {
        Self { json: Writer::with_capacity(2048) }
    }

    fn page(&mut self, kind: &str, item: Shape<'static>, depth: u32, url: &str) {
        self.json.begin_object().key("object").string(kind).key("data").begin_array();
        if depth > 0 {
            self.value("", item, depth - 1);
        }
        self.json.end_array().key("has_more").boolean(false).key("url").string(url).end_object();
    }

    fn object(&mut self, name: &str, sent: &[Node<'_, '_>], depth: u32) {
        let Some(fields) = catalogue::table().ok().and_then(|t| t.object(name)) else {
            self.json.begin_object().key("object").string(name).end_object();
            return;
        };
        self.json.begin_object();
        for field in fields.iter().filter(|f| f.name() != "deleted") {
            let repeated = sent.iter().find_map(|s| s.get(field.name())).filter(|value| fits(field.shape(), *value));
            if let Some(value) = repeated {
                self.json.key(field.name()).raw(value.raw());
            } else if field.name() == "id" && field.required() {
                self.json.key("id").string(&id_of(name));
            } else {
                self.member(field, depth);
            }
        }
        self.json.end_object();
    }

    fn members(&mut self, fields: Fields<'static>, depth: u32) {
        self.json.begin_object();
        for field in fields.iter().filter(|f| f.name() != "deleted") {
            self.member(field, depth);
        }
        self.json.end_object();
    }

    /// What an object must have it has at any depth; what it may lack is left out, or null.
    fn member(&mut self, field: Field<'static>, depth: u32) {
        if !field.required() && !field.nullable() {
            return;
        }
        let worth_showing =
            matches!(field.name(), "customer" | "email" | "name" | "currency" | "latest_charge" | "payment_intent");
        self.json.key(field.name());
        if field.nullable() && !(worth_showing && depth == DEPTH) {
            self.json.null();
        } else {
            self.value(field.name(), field.shape(), depth);
        }
    }

    fn value(&mut self, name: &str, shape: Shape<'static>, depth: u32) {
        match shape {
            Shape::Any => {
                self.json.begin_object().end_object();
            }
            Shape::Boolean => {
                self.json.boolean(matches!(name, "active" | "paid" | "captured"));
            }
            Shape::True => {
                self.json.boolean(true);
            }
            Shape::Integer => {
                self.json.integer(i64::from(matches!(name, "quantity" | "interval_count")));
            }
            Shape::Timestamp => {
                self.json.integer(MOMENT);
            }
            Shape::Amount => {
                self.json.integer(1099);
            }
            Shape::Number => {
                self.json.integer(1);
            }
            Shape::Decimal => {
                self.json.string("1099");
            }
            Shape::String | Shape::File => {
                self.json.string(text(name, ""));
            }
            Shape::Enum(values) => {
                self.json.string(values.first().unwrap_or_default());
            }
            Shape::Array(item) => {
                self.json.begin_array();
                if depth > 0 && matches!(item.get(), Shape::Object(_) | Shape::Ref(_)) {
                    self.value(name, item.get(), depth - 1);
                }
                self.json.end_array();
            }
            Shape::Map(_) => {
                self.json.begin_object().end_object();
            }
            Shape::Object(fields) => self.members(fields, depth.saturating_sub(1)),
            Shape::Union(parts) => match parts.first() {
                Some(part) => self.value(name, part, depth),
                None => {
                    self.json.null();
                }
            },
            Shape::Ref(name) => self.object(name, &[], depth.saturating_sub(1)),
            Shape::Expandable(names) => {
                self.json.string(&id_of(names.first().unwrap_or_default()));
            }
            Shape::List(item) => self.page("list", item.get(), depth, "/v1"),
            Shape::Search(item) => self.page("search_result", item.get(), depth, "/v1"),
            Shape::Pages(item) => {
                self.json.begin_object().key("data").begin_array();
                if depth > 0 {
                    self.value(name, item.get(), depth - 1);
                }
                self.json.end_array().key("next_page_url").null().key("previous_page_url").null().end_object();
            }
        }
    }

    /// A value that a plain request needs.
    fn parameter(&mut self, name: &str, shape: Shape<'static>) {
        match shape {
            Shape::Integer => {
                self.json.integer(1);
            }
            Shape::Boolean => {
                self.json.boolean(true);
            }
            Shape::Decimal => {
                self.json.string("1");
            }
            Shape::String if matches!(name, "timestamp" | "date") => {
                self.json.string(MOMENT_TEXT);
            }
            Shape::String | Shape::Ref(_) | Shape::Expandable(_) => match text(name, "") {
                "" => {
                    let known = catalogue::table().is_ok_and(|table| table.resource(name).is_some());
                    let id = if known { id_of(name) } else { "sample".to_owned() };
                    self.json.string(&id);
                }
                said => {
                    self.json.string(said);
                }
            },
            Shape::Array(item) => {
                self.json.begin_array();
                self.parameter(name, item.get());
                self.json.end_array();
            }
            Shape::Map(item) => {
                self.json.begin_object().key("name");
                self.parameter("", item.get());
                self.json.end_object();
            }
            Shape::Object(fields) => {
                self.json.begin_object();
                for field in fields.iter().filter(|f| f.required()) {
                    self.json.key(field.name());
                    self.parameter(field.name(), field.shape());
                }
                self.json.end_object();
            }
            Shape::Union(parts) => match parts.iter().find(|p| !p.is_empty_string()) {
                Some(part) => self.parameter(name, part),
                None => {
                    self.json.string("");
                }
            },
            Shape::Enum(values) => {
                self.json.string(values.iter().find(|v| !v.is_empty()).unwrap_or_default());
            }
            other => self.value(name, other, 0),
        }
    }
}

/// Whether a value of the input may stand in an output's place.
fn fits(shape: Shape<'_>, value: Node<'_, '_>) -> bool {
    match (shape, value.kind()) {
        (Shape::String | Shape::Expandable(_), Kind::String) | (Shape::Boolean, Kind::Boolean) => true,
        (Shape::Enum(values), Kind::String) => value.as_str().is_some_and(|v| values.contains(&v)),
        (Shape::Integer | Shape::Amount | Shape::Timestamp, Kind::Number) => value.as_i64().is_some(),
        _ => false,
    }
}

fn text(name: &str, otherwise: &'static str) -> &'static str {
    match name {
        "currency" => "usd",
        "email" => "jenny.rosen@example.com",
        "name" => "Jenny Rosen",
        "url" => "https://example.com/",
        "country" => "US",
        "id" => SUFFIX,
        "created" => MOMENT_TEXT,
        name if name.ends_with("_url") => "https://example.com/",
        _ => otherwise,
    }
}
