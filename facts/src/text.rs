//! The facts as text: what is kept in the repository and reviewed in a diff.
//!
//! One block an entry, two spaces of indentation a level, blocks in a fixed order:
//!
//! ```text
//! api 2026-10-28.endive            the API version, first
//! event charge.failed              an event type
//! enum tax_id_type                 a long list of values, named once; one value a line
//! object customer                  an object schema; one member a line
//! POST /v1/customers form CustomerService.create -> &customer
//! ```
//!
//! A member is `NAME[*][?] TYPE`: `*` required, `?` nullable. A type is
//! `string integer number decimal boolean true any`, `""` (the empty string that unsets), `enum(a b)` or
//! `@name` (a named list), `[T]` an array, `{T}` a map, `object` (members follow, indented), `&name` an object
//! schema, `~(a b)` an id that can be expanded to one of these, `list(T)`, `search(T)`, `pages(T)`, and `T|T`
//! for a choice. Where a type has several `object`s, the members of each follow a line `+`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use crate::model::{Encoding, Facts, Field, Method, Operation, Shape};

/// The files that the facts are kept in, in order, and their contents.
pub const FILES: [(&str, &str); 4] = [
    ("events.facts", include_str!("../events.facts")),
    ("enums.facts", include_str!("../enums.facts")),
    ("objects.facts", include_str!("../objects.facts")),
    ("operations.facts", include_str!("../operations.facts")),
];

/// The bundled files, one after the other.
pub(crate) static BUNDLED: LazyLock<String> = LazyLock::new(|| FILES.map(|(_, text)| text).concat());

/// Lists longer than this are named and written once, a value a line.
const INLINE_ENUM_VALUES: usize = 8;

/// Why a facts text could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("facts line {line}: {problem}")]
pub struct ParseError {
    /// The line, counted from 1 over all files together.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

struct Line<'a> {
    number: usize,
    depth: usize,
    text: &'a str,
}

/// Reads a facts text.
///
/// # Errors
/// The first line that is not of the form that the module describes.
pub fn parse(text: &str) -> Result<Facts, ParseError> {
    let lines: Vec<Line<'_>> = text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'))
        .map(|(index, l)| {
            let body = l.trim_start_matches(' ');
            Line { number: index + 1, depth: (l.len() - body.len()) / 2, text: body }
        })
        .collect();
    let mut parser = Parser { lines: &lines, at: 0, enums: HashMap::new() };
    let mut facts =
        Facts { api_version: String::new(), operations: Vec::new(), objects: BTreeMap::new(), event_types: Vec::new() };
    while let Some(line) = parser.next_at(0) {
        let (word, rest) = line.text.split_once(' ').ok_or_else(|| line.wrong("a block needs a name"))?;
        match word {
            "api" => facts.api_version = rest.to_owned(),
            "event" => facts.event_types.push(rest.to_owned()),
            "enum" => {
                let mut values = Vec::new();
                while let Some(value) = parser.next_at(1) {
                    values.push(value.text.to_owned());
                }
                parser.enums.insert(rest.to_owned(), values.into());
            }
            "object" => {
                let fields = parser.fields(1)?;
                facts.objects.insert(rest.to_owned(), Shape::Object(fields));
            }
            _ => {
                let operation = parser.operation(line, word, rest)?;
                facts.operations.push(operation);
            }
        }
    }
    if let Some(line) = lines.get(parser.at) {
        return Err(line.wrong("indented too far"));
    }
    if facts.api_version.is_empty() {
        return Err(ParseError { line: 1, problem: "no `api VERSION` line".into() });
    }
    Ok(facts)
}

impl Line<'_> {
    fn wrong(&self, problem: impl Into<String>) -> ParseError {
        ParseError { line: self.number, problem: problem.into() }
    }
}

struct Parser<'a> {
    lines: &'a [Line<'a>],
    at: usize,
    enums: HashMap<String, Arc<[String]>>,
}

impl<'a> Parser<'a> {
    fn next_at(&mut self, depth: usize) -> Option<&'a Line<'a>> {
        let line = self.lines.get(self.at).filter(|l| l.depth == depth)?;
        self.at += 1;
        Some(line)
    }

    fn operation(&mut self, line: &Line<'_>, method: &str, rest: &str) -> Result<Operation, ParseError> {
        let method = Method::parse(method).ok_or_else(|| line.wrong(format!("`{method}` begins no block")))?;
        let (head, response) = rest.split_once(" -> ").ok_or_else(|| line.wrong("an operation needs `-> TYPE`"))?;
        let mut words = head.split(' ');
        let mut word = |what: &str| words.next().ok_or_else(|| line.wrong(format!("an operation needs its {what}")));
        let path = word("path")?.to_owned();
        let encoding = match word("encoding")? {
            "form" => Encoding::Form,
            "json" => Encoding::Json,
            "multipart" => Encoding::Multipart,
            other => return Err(line.wrong(format!("`{other}` is no encoding"))),
        };
        let name = word("name")?.to_owned();
        let base = words.next().and_then(|w| w.strip_prefix("base=")).map(str::to_owned);
        let parameters = self.fields(1)?;
        // An inline object in the response would have its members after the parameters; none needs it.
        let response = self.shape(line, response, usize::MAX)?;
        Ok(Operation { method, path, encoding, name, base, parameters, response })
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<Field>, ParseError> {
        let mut fields = Vec::new();
        while let Some(line) = self.lines.get(self.at).filter(|l| l.depth == depth && l.text != "+") {
            self.at += 1;
            let (name, shape) = line.text.split_once(' ').ok_or_else(|| line.wrong("a member needs a type"))?;
            let (name, nullable) = name.strip_suffix('?').map_or((name, false), |n| (n, true));
            let (name, required) = name.strip_suffix('*').map_or((name, false), |n| (n, true));
            let shape = self.shape(line, shape, depth + 1)?;
            fields.push(Field { name: name.to_owned(), required, nullable, shape });
        }
        Ok(fields)
    }

    fn shape(&mut self, line: &Line<'_>, text: &str, children: usize) -> Result<Shape, ParseError> {
        let mut rest = text;
        let shape = self.union(line, &mut rest, children)?;
        if rest.is_empty() { Ok(shape) } else { Err(line.wrong(format!("`{rest}` after the type"))) }
    }

    fn union(&mut self, line: &Line<'_>, rest: &mut &str, children: usize) -> Result<Shape, ParseError> {
        let first = self.atom(line, rest, children)?;
        let mut parts = vec![first];
        while let Some(after) = rest.strip_prefix('|') {
            *rest = after;
            parts.push(self.atom(line, rest, children)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Shape::Union(parts) })
    }

    fn atom(&mut self, line: &Line<'_>, rest: &mut &str, children: usize) -> Result<Shape, ParseError> {
        for (open, close, wrap) in WRAPPERS {
            if let Some(after) = rest.strip_prefix(open) {
                *rest = after;
                let inner = self.union(line, rest, children)?;
                *rest = rest.strip_prefix(close).ok_or_else(|| line.wrong(format!("`{open}` without `{close}`")))?;
                return Ok(wrap(Box::new(inner)));
            }
        }
        for (open, values) in [("enum(", true), ("~(", false)] {
            if let Some(after) = rest.strip_prefix(open) {
                let (list, after) = after.split_once(')').ok_or_else(|| line.wrong(format!("`{open}` without `)`")))?;
                *rest = after;
                let names = list.split(' ').map(str::to_owned);
                return Ok(if values { Shape::Enum(names.collect()) } else { Shape::Expandable(names.collect()) });
            }
        }
        if let Some(after) = rest.strip_prefix("\"\"") {
            *rest = after;
            return Ok(Shape::empty_string());
        }
        let end = rest.find(['|', ']', '}', ')']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        *rest = after;
        if let Some(name) = word.strip_prefix('@') {
            let values = self.enums.get(name).ok_or_else(|| line.wrong(format!("no enum `{name}` above this line")))?;
            return Ok(Shape::Enum(Arc::clone(values)));
        }
        if let Some(name) = word.strip_prefix('&') {
            return Ok(Shape::Ref(name.to_owned()));
        }
        Ok(match word {
            "any" => Shape::Any,
            "boolean" => Shape::Boolean,
            "true" => Shape::True,
            "integer" => Shape::Integer,
            "number" => Shape::Number,
            "decimal" => Shape::Decimal,
            "string" => Shape::String,
            "object" => {
                if self.lines.get(self.at).is_some_and(|l| l.depth == children && l.text == "+") {
                    self.at += 1;
                }
                Shape::Object(self.fields(children)?)
            }
            other => return Err(line.wrong(format!("`{other}` is no type"))),
        })
    }
}

type Wrap = fn(Box<Shape>) -> Shape;
const WRAPPERS: [(&str, char, Wrap); 5] = [
    ("[", ']', Shape::Array),
    ("{", '}', Shape::Map),
    ("list(", ')', Shape::List),
    ("search(", ')', Shape::Search),
    ("pages(", ')', Shape::Pages),
];

/// Writes facts as the files that [`parse`] reads: names and contents.
pub fn write(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut writer = Writer { enums: Vec::new(), names: HashMap::new() };
    let objects = writer.objects(facts);
    let operations = writer.operations(facts);
    let mut events = format!("api {}\n\n", facts.api_version);
    for event in &facts.event_types {
        put(&mut events, 0, &format!("event {event}"));
    }
    let mut enums = String::new();
    for (name, values) in &writer.enums {
        enums.push('\n');
        put(&mut enums, 0, &format!("enum {name}"));
        values.iter().for_each(|v| put(&mut enums, 1, v));
    }
    let head = "# Written by `cargo xtask facts` from an OpenAPI document; not edited by hand.\n";
    [("events.facts", events), ("enums.facts", enums), ("objects.facts", objects), ("operations.facts", operations)]
        .map(|(name, body)| (name, format!("{head}{body}")))
        .into()
}

fn put(out: &mut String, depth: usize, text: &str) {
    let _ = writeln!(out, "{:indent$}{text}", "", indent = depth * 2);
}

struct Writer {
    enums: Vec<(String, Arc<[String]>)>,
    names: HashMap<Arc<[String]>, String>,
}

impl Writer {
    fn objects(&mut self, facts: &Facts) -> String {
        let mut out = String::new();
        for (name, shape) in &facts.objects {
            out.push('\n');
            put(&mut out, 0, &format!("object {name}"));
            if let Shape::Object(fields) = shape {
                self.fields(&mut out, 1, name, fields);
            }
        }
        out
    }

    fn operations(&mut self, facts: &Facts) -> String {
        let mut out = String::new();
        for operation in &facts.operations {
            let encoding = match operation.encoding {
                Encoding::Form => "form",
                Encoding::Json => "json",
                Encoding::Multipart => "multipart",
            };
            let base = operation.base.as_ref().map(|b| format!(" base={b}")).unwrap_or_default();
            let response = self.shape("", &operation.response);
            out.push('\n');
            let (method, path, name) = (operation.method.as_str(), &operation.path, &operation.name);
            put(&mut out, 0, &format!("{method} {path} {encoding} {name}{base} -> {response}"));
            self.fields(&mut out, 1, "", &operation.parameters);
        }
        out
    }

    fn fields(&mut self, out: &mut String, depth: usize, parent: &str, fields: &[Field]) {
        for field in fields {
            let required = if field.required { "*" } else { "" };
            let nullable = if field.nullable { "?" } else { "" };
            let context = if parent.is_empty() { field.name.clone() } else { format!("{parent}.{}", field.name) };
            let shape = self.shape(&context, &field.shape);
            put(out, depth, &format!("{}{required}{nullable} {shape}", field.name));
            let mut objects = Vec::new();
            inner_objects(&field.shape, &mut objects);
            let marked = objects.len() > 1;
            for members in objects {
                if marked {
                    put(out, depth + 1, "+");
                }
                self.fields(out, depth + 1, &field.name, members);
            }
        }
    }

    fn shape(&mut self, context: &str, shape: &Shape) -> String {
        match shape {
            Shape::Any => "any".into(),
            Shape::Boolean => "boolean".into(),
            Shape::True => "true".into(),
            Shape::Integer => "integer".into(),
            Shape::Number => "number".into(),
            Shape::Decimal => "decimal".into(),
            Shape::String => "string".into(),
            _ if shape.is_empty_string() => "\"\"".into(),
            Shape::Enum(values) if values.len() > INLINE_ENUM_VALUES => format!("@{}", self.enum_name(context, values)),
            Shape::Enum(values) => format!("enum({})", values.join(" ")),
            Shape::Array(inner) => format!("[{}]", self.shape(context, inner)),
            Shape::Map(inner) => format!("{{{}}}", self.shape(context, inner)),
            Shape::Object(_) => "object".into(),
            Shape::Union(parts) => parts.iter().map(|p| self.shape(context, p)).collect::<Vec<_>>().join("|"),
            Shape::Ref(name) => format!("&{name}"),
            Shape::Expandable(names) => format!("~({})", names.join(" ")),
            Shape::List(inner) => format!("list({})", self.shape(context, inner)),
            Shape::Search(inner) => format!("search({})", self.shape(context, inner)),
            Shape::Pages(inner) => format!("pages({})", self.shape(context, inner)),
        }
    }

    fn enum_name(&mut self, context: &str, values: &Arc<[String]>) -> String {
        if let Some(name) = self.names.get(values) {
            return name.clone();
        }
        let taken = |name: &str, enums: &[(String, _)]| enums.iter().any(|(n, _)| n == name);
        let mut name = context.to_owned();
        let mut count = 1;
        while taken(&name, &self.enums) {
            count += 1;
            name = format!("{context}.{count}");
        }
        self.enums.push((name.clone(), Arc::clone(values)));
        self.names.insert(Arc::clone(values), name.clone());
        name
    }
}

fn inner_objects<'s>(shape: &'s Shape, found: &mut Vec<&'s [Field]>) {
    match shape {
        Shape::Object(fields) => found.push(fields),
        Shape::Array(inner) | Shape::Map(inner) | Shape::List(inner) | Shape::Search(inner) | Shape::Pages(inner) => {
            inner_objects(inner, found);
        }
        Shape::Union(parts) => parts.iter().for_each(|p| inner_objects(p, found)),
        _ => {}
    }
}
