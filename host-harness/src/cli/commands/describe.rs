//! `describe`: one operation, its input as a form would show it.

use host_harness::contract::{OperationKind, ToJson};

use super::operations::{hints, kind};
use crate::cli::arguments::Options;
use crate::cli::failure::Failure;
use crate::cli::json::Json;
use crate::cli::loading;
use crate::cli::terminal::{DIM, STRONG, Terminal, Tone, one_line, paint};

#[derive(clap::Args)]
pub struct Arguments {
    /// Its id or an alias
    operation: String,
    /// Which is meant, where an action, a query and a trigger share the id
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<OperationKind>,
    /// Show every field of the input, not only the ones to show first
    #[arg(long)]
    all: bool,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let operation = connector.describe_operation(&arguments.operation, arguments.kind).await?.value;
    if terminal.json {
        return terminal.document(&operation.to_json());
    }
    let summary = &operation.summary;
    terminal.line(format_args!("{}  {}", paint(STRONG, one_line(&summary.id)), one_line(&summary.title)))?;
    terminal.line(one_line(&summary.description))?;
    terminal.line("")?;
    let mut row = |name: &str, text: &str| terminal.line(format_args!("{}  {text}", paint(DIM, format!("{name:<8}"))));
    row("kind", summary.kind.name())?;
    row("resource", &summary.resource)?;
    if let Tone::Bad(text) | Tone::Care(text) | Tone::Dim(text) = hints(&summary.hints) {
        row("know", &text)?;
    }
    if !operation.aliases.is_empty() {
        row("aliases", &operation.aliases.join(", "))?;
    }
    let schema = Json::of(&operation.input_schema);
    let (fields, more) = fields(&schema, arguments.all);
    if !fields.is_empty() {
        terminal.line("")?;
        terminal.table(&["field", "type", "", "what"], fields)?;
    }
    if more > 0 {
        terminal.note(format_args!("and {more} more: --all"));
    }
    if summary.kind != OperationKind::Trigger {
        let sample = serde_json::to_string(&Json::of(&operation.sample_input)).unwrap_or_default();
        let sample = sample.replace('\'', r"'\''");
        terminal.line(format_args!("\nharness call {} --input '{sample}'", one_line(&summary.id)))?;
    }
    Ok(())
}

/// The rows of the fields, those to show first in their order, and how many are left out.
fn fields(schema: &Json, all: bool) -> (Vec<Vec<Tone>>, usize) {
    let Some(Json::Object(properties)) = schema.get("properties") else { return (Vec::new(), 0) };
    let required = |name: &str| {
        let names = schema.get("required").and_then(Json::list).unwrap_or_default();
        names.iter().any(|required| required.text() == Some(name))
    };
    let order = |field: &Json| match field.get("x-order") {
        Some(Json::Number(order)) => order.as_u64(),
        _ => None,
    };
    let mut shown: Vec<(&String, &Json)> = properties.iter().collect();
    if !all {
        shown.retain(|(name, field)| order(field).is_some() || required(name));
    }
    shown.sort_by_key(|(_, field)| order(field).unwrap_or(u64::MAX));
    let rows = shown.iter().map(|(name, field)| {
        let text = |key: &str| field.get(key).and_then(Json::text);
        let need = if required(name) { Tone::Care("required".to_owned()) } else { Tone::Plain(String::new()) };
        let what = match (text("title"), text("description")) {
            (Some(title), Some(help)) => format!("{title}. {help}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => String::new(),
        };
        vec![Tone::Strong((*name).clone()), Tone::Plain(kind_of(field)), need, Tone::Dim(what)]
    });
    (rows.collect(), properties.len() - shown.len())
}

/// A schema's type in a word or two.
fn kind_of(field: &Json) -> String {
    if let Some(resource) = field.get("x-choices").and_then(Json::text) {
        return format!("{resource} id");
    }
    if let Some(values) = field.get("enum").and_then(Json::list) {
        let values: Vec<&str> = values.iter().filter_map(Json::text).filter(|value| !value.is_empty()).collect();
        return if values.len() > 4 { "choice".to_owned() } else { values.join(" | ") };
    }
    match (field.get("type"), field.get("anyOf").or_else(|| field.get("oneOf"))) {
        (Some(Json::Text(kind)), _) => kind.clone(),
        (Some(Json::List(kinds)), _) => kinds.iter().filter_map(Json::text).collect::<Vec<_>>().join(" | "),
        (None, Some(Json::List(ways))) => {
            let mut kinds: Vec<String> = ways.iter().map(kind_of).filter(|kind| !kind.is_empty()).collect();
            kinds.dedup();
            kinds.join(" | ")
        }
        _ => String::new(),
    }
}
