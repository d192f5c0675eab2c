//! `describe`: one operation, its input as a form would show it.

use host::contract::{DescribeRequest, Embedded, OperationKind};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::operations::{hints, kind};
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::input;
use crate::cli::setup::loading;
use crate::cli::terminal::json;
use crate::cli::terminal::{STRONG, Terminal, Tone, one_line, paint};
use crate::cli::wording;

#[derive(clap::Args)]
pub struct Arguments {
    /// Its id or an alias
    operation: String,
    /// Which is meant, where an action, a query and a trigger share the id
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<OperationKind>,
    /// Show every field of the input, not only the ones to show first; with --json, everything that the schemas refer to
    #[arg(long, visible_alias = "full")]
    all: bool,
    /// The input so far, where the fields depend on it: JSON, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON")]
    input: Option<String>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let mut request = match arguments.all {
        true => DescribeRequest::full(&arguments.operation),
        false => DescribeRequest::shown(&arguments.operation),
    };
    request.kind = arguments.kind;
    let limit = connector.manifest().limits.input;
    request.input = arguments.input.as_deref().map(|given| input::read(given, limit)).transpose()?;
    let operation = connector.describe_operation(request).await?.value;
    if terminal.json {
        return Ok(terminal.document(&operation)?);
    }
    let summary = &operation.summary;
    terminal.line(format_args!("{}  {}", paint(STRONG, one_line(&summary.id)), one_line(&summary.title)))?;
    terminal.line(one_line(&summary.description))?;
    terminal.line("")?;
    let mut row = |name: &str, text: &str| terminal.row(8, name, text);
    row("kind", summary.kind.name())?;
    if !summary.resource.is_empty() {
        row("resource", &summary.resource)?;
    }
    row("tool", &summary.tool_name)?;
    if let Tone::Bad(text) | Tone::Care(text) | Tone::Dim(text) = hints(&summary.hints) {
        row("know", &text)?;
    }
    if let Some(inverse) = &summary.inverse {
        row("undo", &one_line(inverse))?;
    }
    if !operation.aliases.is_empty() {
        row("aliases", &operation.aliases.join(", "))?;
    }
    let Fields { rows, more, objects } = fields(&operation.input_schema, arguments.all);
    if !rows.is_empty() {
        terminal.line("")?;
        terminal.table(&["field", "type", "", "what"], rows)?;
    }
    if more > 0 {
        terminal.note(format_args!("and {more} more: --all"));
    } else if !arguments.all {
        terminal.note("every field: --all");
    }
    if let Some(object) = objects.first() {
        terminal.note(format_args!("what an object has: harness schema {}", wording::shell_word(object)));
    }
    if summary.kind != OperationKind::Trigger {
        let sample = wording::shell_word(&json::line(&Embedded(&operation.sample_input)));
        terminal
            .line(format_args!("\nharness call {} --input {sample}", one_line(&wording::shell_word(&summary.id))))?;
    }
    Ok(())
}

/// The fields of an input, as they are shown.
struct Fields {
    rows: Vec<Vec<Tone>>,
    /// How many are left out.
    more: usize,
    /// The kinds of object that they name.
    objects: Vec<String>,
}

/// What is read of a schema. The members of a field are looked at one by one, so that one which is not as expected hides
/// no other.
#[derive(Default, Deserialize)]
struct Schema<'a> {
    #[serde(borrow, default)]
    properties: IndexMap<String, &'a RawValue>,
    #[serde(default)]
    required: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Field<'a> {
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, rename = "enum")]
    values: Option<&'a RawValue>,
    #[serde(borrow, rename = "anyOf", alias = "oneOf")]
    ways: Option<&'a RawValue>,
    #[serde(borrow, rename = "x-order")]
    order: Option<&'a RawValue>,
    #[serde(borrow, rename = "x-choices")]
    choices: Option<&'a RawValue>,
    #[serde(borrow, rename = "x-object")]
    object: Option<&'a RawValue>,
}

impl<'a> Field<'a> {
    fn of(schema: &'a RawValue) -> Self {
        serde_json::from_str(schema.get()).unwrap_or_default()
    }
}

fn read<'a, T: Deserialize<'a>>(member: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(member?.get()).ok()
}

/// The fields, those to show first in their order.
fn fields(schema: &str, all: bool) -> Fields {
    let Schema { properties, required } = serde_json::from_str(schema).unwrap_or_default();
    let required = |name: &str| required.iter().any(|required| required == name);
    let count = properties.len();
    let mut shown: Vec<(String, Option<u64>, Field<'_>)> = properties
        .into_iter()
        .map(|(name, schema)| (name, Field::of(schema)))
        .map(|(name, field)| (name, read(field.order), field))
        .filter(|(name, order, _)| all || order.is_some() || required(name))
        .collect();
    shown.sort_by_key(|(_, order, _)| order.unwrap_or(u64::MAX));
    let objects = shown.iter().filter_map(|(.., field)| read(field.object)).collect();
    let more = count - shown.len();
    let rows = shown.into_iter().map(|(name, _, field)| {
        let need = if required(&name) { Tone::Care("required".to_owned()) } else { Tone::Plain(String::new()) };
        let what = match (read::<String>(field.title), read::<String>(field.description)) {
            (Some(title), Some(help)) => format!("{title}. {help}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => String::new(),
        };
        vec![Tone::Strong(name), Tone::Plain(kind_of(&field, MOST_WAYS)), need, Tone::Dim(what)]
    });
    Fields { rows: rows.collect(), more, objects }
}

/// Ways of ways are told so far down.
const MOST_WAYS: usize = 3;

/// A schema's type in a word or two.
fn kind_of(field: &Field<'_>, depth: usize) -> String {
    if let Some(resource) = read::<String>(field.choices) {
        return format!("{resource} id");
    }
    if let Some(values) = read::<Vec<&RawValue>>(field.values) {
        let values: Vec<String> = values.into_iter().filter_map(|value| read(Some(value))).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
        return if values.len() > 4 { "choice".to_owned() } else { values.join(" | ") };
    }
    if let Some(object) = read::<String>(field.object) {
        return format!("object {object}");
    }
    if let Some(kind) = read::<String>(field.kind) {
        return kind;
    }
    if let Some(kinds) = read::<Vec<String>>(field.kind) {
        return kinds.join(" | ");
    }
    let ways = read::<Vec<&RawValue>>(field.ways).filter(|_| depth > 0).unwrap_or_default();
    let mut kinds: Vec<String> = ways.into_iter().map(|way| kind_of(&Field::of(way), depth - 1)).collect();
    kinds.retain(|kind| !kind.is_empty());
    kinds.dedup();
    kinds.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(schema: &str, all: bool) -> Vec<(String, String)> {
        let text = |tone: &Tone| match tone {
            Tone::Strong(text) | Tone::Plain(text) => text.clone(),
            _ => String::new(),
        };
        fields(schema, all).rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
    }

    #[test]
    fn fields_to_show_come_in_their_order_and_with_a_type() {
        let schema = r#"{"type":"object","required":["c"],"properties":{
            "z":{"type":"string"},
            "b":{"x-order":2,"x-choices":"customer","type":"string"},
            "a":{"x-order":1,"anyOf":[{"type":"integer"},{"enum":["","now"]},{"enum":["b","c","d","e","f"]}]},
            "d":{"x-order":4,"x-object":"address","type":"object"},
            "c":{"type":["string","null"]}}}"#;
        let expected =
            [("a", "integer | now | choice"), ("b", "customer id"), ("d", "object address"), ("c", "string | null")];
        assert_eq!(shown(schema, false), expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
        assert_eq!(shown(schema, true).len(), 5);
        let Fields { more, objects, .. } = fields(schema, false);
        assert_eq!((more, objects), (1, vec!["address".to_owned()]));
    }

    #[test]
    fn a_schema_that_is_none_shows_what_there_is() {
        assert_eq!(shown("[", true), []);
        assert_eq!(shown(r#"{"properties":[]}"#, true), []);
        let odd = r#"{"properties":{"a":true,"b":{"type":5,"x-order":"first","title":"B"}}}"#;
        assert_eq!(shown(odd, true).len(), 2);
        let deep = format!("{{\"properties\":{{\"a\":{}1{}}}}}", "{\"anyOf\":[".repeat(50_000), "]}".repeat(50_000));
        assert_eq!(shown(&deep, true), [("a".to_owned(), String::new())]);
    }
}
