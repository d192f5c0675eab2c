//! Writes the catalogue as Rust: statics that need no parsing when a call comes, shared where they are equal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use stripe_facts::{Facts, Field, Method, Shape};
use toml::Spanned;

use super::check::find_request;
use super::manifest::{ConnectionFieldKind, FieldText, Hook, Manifest, Operation, Rule, Safety, in_order};

struct Generator<'a> {
    facts: &'a Facts,
    out: String,
    /// Shapes and member lists that are written already, by their text.
    statics: HashMap<String, String>,
    /// Object schemas that something written refers to.
    objects: BTreeSet<String>,
}

/// The catalogue's source text.
pub fn generate(manifest: &Manifest, facts: &Facts) -> String {
    let mut generator = Generator { facts, out: String::new(), statics: HashMap::new(), objects: BTreeSet::new() };
    generator.head(manifest);
    generator.connection(manifest);
    generator.operations(manifest);
    generator.triggers(manifest);
    generator.resources(manifest);
    generator.field_texts(manifest);
    generator.objects();
    generator.out
}

fn text(value: &str) -> String {
    format!("{value:?}")
}

fn optional(value: Option<&String>) -> String {
    format!("{value:?}")
}

fn texts<'t>(values: impl IntoIterator<Item = &'t Spanned<String>>) -> String {
    let values: Vec<&String> = values.into_iter().map(Spanned::get_ref).collect();
    format!("&{values:?}")
}

fn json(table: &toml::Table) -> String {
    fn put(value: &toml::Value, out: &mut String) {
        match value {
            toml::Value::String(text) => out.push_str(&quoted(text)),
            toml::Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    put(item, out);
                }
                out.push(']');
            }
            toml::Value::Table(table) => {
                out.push('{');
                for (index, (name, item)) in table.iter().enumerate() {
                    let _ = write!(out, "{}{}:", if index > 0 { "," } else { "" }, quoted(name));
                    put(item, out);
                }
                out.push('}');
            }
            other => {
                let _ = write!(out, "{other}");
            }
        }
    }
    fn quoted(text: &str) -> String {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out + "\""
    }
    let mut out = String::new();
    put(&toml::Value::Table(table.clone()), &mut out);
    out
}

impl Generator<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn head(&mut self, manifest: &Manifest) {
        let c = &manifest.connector;
        self.line(&format!("pub static ID: &str = {};", text(&c.id)));
        self.line(&format!("pub static TITLE: &str = {};", text(&c.title)));
        self.line(&format!("pub static VERSION: &str = {};", text(c.version.get_ref())));
        self.line(&format!("pub static API_VERSION: &str = {};", text(c.api_version.get_ref())));
        let l = &manifest.limits;
        self.line(&format!("pub const CALL_TIMEOUT_MS: u64 = {};", l.call_timeout_ms));
        self.line(&format!("pub const FIRST_BYTE_TIMEOUT_MS: u64 = {};", l.first_byte_timeout_ms));
        self.line(&format!("pub const BETWEEN_BYTES_TIMEOUT_MS: u64 = {};", l.between_bytes_timeout_ms));
        self.line(&format!("pub const RESPONSE_BYTES: usize = {};", l.response_mib * 1024 * 1024));
        self.line(&format!("pub const INPUT_BYTES: usize = {};", l.input_kib * 1024));
    }

    fn connection(&mut self, manifest: &Manifest) {
        let mut fields = String::new();
        for f in &manifest.connection.fields {
            let kind = match f.kind {
                ConnectionFieldKind::Secret => "Secret",
                ConnectionFieldKind::Text => "Text",
                ConnectionFieldKind::Url => "Url",
            };
            let _ = write!(
                fields,
                "ConnectionField {{ name: {:?}, kind: ConnectionFieldKind::{kind}, title: {:?}, help: {:?}, required: {}, placeholder: {:?}, link: {:?}, default: {:?} }}, ",
                f.name, f.title, f.help, f.required, f.placeholder, f.link, f.default
            );
        }
        self.line(&format!("pub static CONNECTION_FIELDS: &[ConnectionField] = &[{fields}];"));
        let mut probes = String::new();
        for p in &manifest.connection.probes {
            let path = p.request.get_ref().split_once(' ').map(|(_, path)| path).unwrap_or_default();
            let limited = find_request(self.facts, p.request.get_ref()).is_some_and(|o| o.parameter("limit").is_some());
            let query = if limited { "limit=1" } else { "" };
            let _ = write!(
                probes,
                "Probe {{ title: {:?}, path: {path:?}, query: {query:?}, operations: {} }}, ",
                p.title,
                texts(&p.operations)
            );
        }
        self.line(&format!("pub static PROBES: &[Probe] = &[{probes}];"));
    }

    fn operations(&mut self, manifest: &Manifest) {
        let mut entries = String::new();
        for (kind, table) in [("Action", &manifest.actions), ("Query", &manifest.queries)] {
            for (id, operation) in in_order(table) {
                entries.push_str(&self.operation(kind, id.get_ref(), operation));
            }
        }
        self.line(&format!("pub static OPERATIONS: &[Operation] = &[{entries}];"));
    }

    fn operation(&mut self, kind: &str, id: &str, operation: &Operation) -> String {
        let Some(fact) = find_request(self.facts, operation.request.get_ref()) else { return String::new() };
        let method = match fact.method {
            Method::Get => "Get",
            Method::Post => "Post",
            Method::Delete => "Delete",
        };
        let path = operation.request.get_ref().split_once(' ').map(|(_, path)| path).unwrap_or_default();
        let parameters = self.fields(&fact.parameters);
        let response = self.shape(&fact.response);
        let safety = match operation.safety.get_ref() {
            Safety::Read => "Read",
            Safety::Create => "Create",
            Safety::Change => "Change",
            Safety::MoveMoney => "MoveMoney",
            Safety::Destroy => "Destroy",
        };
        let hook = match operation.hook {
            None => "None",
            Some(Hook::CancelSubscription) => "Some(Hook::CancelSubscription)",
            Some(Hook::CheckoutUrls) => "Some(Hook::CheckoutUrls)",
        };
        let extra: Vec<&str> = operation.hook.iter().flat_map(|h| h.extra_fields()).copied().collect();
        let major: Vec<(&String, &String)> =
            in_order(&operation.major_units).into_iter().map(|(a, b)| (a.get_ref(), b.get_ref())).collect();
        let overrides: String =
            in_order(&operation.fields).into_iter().map(|(name, t)| field_text(name.get_ref(), t)).collect();
        let defaults = operation.defaults.as_ref().map(|d| json(d.get_ref()));
        format!(
            "Operation {{ id: {id:?}, kind: OperationKind::{kind}, title: {:?}, description: {:?}, resource: {:?}, \
             aliases: {}, safety: Safety::{safety}, method: Method::{method}, path: {path:?}, parameters: {parameters}, \
             shown: {}, response: {response}, sample: {:?}, defaults: {defaults:?}, hook: {hook}, extra: &{extra:?}, \
             major_units: &{major:?}, one_of: {}, texts: &[{overrides}] }},\n",
            operation.title,
            operation.description,
            operation.resource.get_ref(),
            texts(&operation.aliases),
            texts(&operation.show),
            json(operation.sample.get_ref()),
            texts(&operation.one_of),
        )
    }

    fn triggers(&mut self, manifest: &Manifest) {
        let mut entries = String::new();
        for (id, t) in in_order(&manifest.triggers) {
            let _ = write!(
                entries,
                "Trigger {{ id: {:?}, title: {:?}, description: {:?}, resource: {:?}, event: {:?}, aliases: {} }}, ",
                id.get_ref(),
                t.title,
                t.description,
                t.resource.get_ref(),
                t.event.get_ref(),
                texts(&t.aliases)
            );
        }
        self.line(&format!("pub static TRIGGERS: &[Trigger] = &[{entries}];"));
    }

    fn resources(&mut self, manifest: &Manifest) {
        let mut entries = String::new();
        for (name, r) in in_order(&manifest.resources) {
            self.objects.insert(r.object.get_ref().clone());
            let mut mapping = String::new();
            for (internal, m) in in_order(&r.mapping) {
                let Some((kind, paths)) = m.get_ref().split_once(' ') else { continue };
                let kind = match kind {
                    "integer" => "Integer",
                    "boolean" => "Boolean",
                    "timestamp" => "Timestamp",
                    "money" => "Money",
                    "reference" => "Reference",
                    "labels" => "Labels",
                    _ => "Text",
                };
                let paths: Vec<&str> = paths.split(" | ").collect();
                let _ = write!(
                    mapping,
                    "Mapping {{ internal: {:?}, kind: ValueKind::{kind}, paths: &{paths:?} }}, ",
                    internal.get_ref()
                );
            }
            let path = |request: Option<&Spanned<String>>| {
                let path = request.and_then(|r| r.get_ref().split_once(' ')).map(|(_, path)| path);
                format!("{path:?}")
            };
            let _ = writeln!(
                entries,
                "Resource {{ name: {:?}, title: {:?}, internal: {:?}, object: {:?}, id_prefixes: &{:?}, dashboard: {}, label: {}, \
                 detail: {}, choices: {}, search: {}, search_fields: {}, mapping: &[{mapping}] }},",
                name.get_ref(),
                r.title,
                r.internal,
                r.object.get_ref(),
                r.id_prefixes,
                optional(r.dashboard.as_ref()),
                texts(&r.label),
                texts(&r.detail),
                path(r.choices.as_ref()),
                path(r.search.as_ref()),
                texts(&r.search_fields),
            );
        }
        self.line(&format!("pub static RESOURCES: &[Resource] = &[{entries}];"));
    }

    fn field_texts(&mut self, manifest: &Manifest) {
        // A BTreeMap: sorted by name, as the look-up needs it.
        let sorted: BTreeMap<&str, &FieldText> =
            manifest.fields.iter().map(|(n, t)| (n.get_ref().as_str(), t)).collect();
        let entries: String = sorted.into_iter().map(|(name, t)| field_text(name, t)).collect();
        self.line(&format!("pub static FIELD_TEXTS: &[FieldText] = &[{entries}];"));
    }

    /// Object schemas, and those that they refer to, until no new one turns up.
    fn objects(&mut self) {
        let mut written: BTreeMap<String, String> = BTreeMap::new();
        while let Some(name) = self.objects.iter().find(|n| !written.contains_key(*n)).cloned() {
            let fields = self.facts.object(&name).unwrap_or_default();
            let fields = self.fields(fields);
            written.insert(name, fields);
        }
        let entries: String = written
            .iter()
            .map(|(name, fields)| format!("ObjectType {{ name: {name:?}, fields: {fields} }}, "))
            .collect();
        self.line(&format!("pub static OBJECTS: &[ObjectType] = &[{entries}];"));
    }

    /// An expression for a member list.
    fn fields(&mut self, fields: &[Field]) -> String {
        if fields.is_empty() {
            return "&[]".into();
        }
        let mut members = String::new();
        for f in fields {
            let shape = self.shape(&f.shape);
            let _ = write!(
                members,
                "Field {{ name: {:?}, required: {}, nullable: {}, shape: {shape} }}, ",
                f.name, f.required, f.nullable
            );
        }
        self.shared("[Field]", &format!("&[{members}]"))
    }

    /// An expression of type `&'static Shape`.
    fn shape(&mut self, shape: &Shape) -> String {
        let value = self.shape_value(shape);
        match shape {
            Shape::Any
            | Shape::Boolean
            | Shape::True
            | Shape::Integer
            | Shape::Number
            | Shape::Decimal
            | Shape::String => {
                format!("&{value}")
            }
            _ => self.shared("Shape", &format!("&{value}")),
        }
    }

    fn shape_value(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "Shape::Any".into(),
            Shape::Boolean => "Shape::Boolean".into(),
            Shape::True => "Shape::True".into(),
            Shape::Integer => "Shape::Integer".into(),
            Shape::Number => "Shape::Number".into(),
            Shape::Decimal => "Shape::Decimal".into(),
            Shape::String => "Shape::String".into(),
            Shape::Enum(values) => {
                let values = self.shared("[&str]", &format!("&{values:?}"));
                format!("Shape::Enum({values})")
            }
            Shape::Array(inner) => format!("Shape::Array({})", self.shape(inner)),
            Shape::Map(inner) => format!("Shape::Map({})", self.shape(inner)),
            Shape::Object(fields) => format!("Shape::Object({})", self.fields(fields)),
            Shape::Union(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.shape(p)).collect();
                format!("Shape::Union(&[{}])", parts.join(", "))
            }
            Shape::Ref(name) => {
                self.objects.insert(name.clone());
                format!("Shape::Ref({name:?})")
            }
            Shape::Expandable(names) => format!("Shape::Expandable(&{names:?})"),
            Shape::List(inner) => format!("Shape::List({})", self.shape(inner)),
            Shape::Search(inner) => format!("Shape::Search({})", self.shape(inner)),
            Shape::Pages(inner) => format!("Shape::Pages({})", self.shape(inner)),
        }
    }

    fn shared(&mut self, kind: &str, value: &str) -> String {
        if let Some(name) = self.statics.get(value) {
            return name.clone();
        }
        let name = format!("S{}", self.statics.len());
        self.line(&format!("static {name}: &{kind} = {value};"));
        self.statics.insert(value.to_owned(), name.clone());
        name
    }
}

fn field_text(name: &str, t: &FieldText) -> String {
    let rule = match t.rule.as_ref().map(Spanned::get_ref) {
        None => "None",
        Some(Rule::Amount) => "Some(Rule::Amount)",
        Some(Rule::PositiveAmount) => "Some(Rule::PositiveAmount)",
        Some(Rule::Currency) => "Some(Rule::Currency)",
    };
    let picks = t.picks.as_ref().map(Spanned::get_ref);
    format!(
        "FieldText {{ name: {name:?}, title: {:?}, help: {:?}, rule: {rule}, picks: {picks:?} }}, ",
        t.title.as_deref().unwrap_or_default(),
        t.help.as_deref().unwrap_or_default()
    )
}
