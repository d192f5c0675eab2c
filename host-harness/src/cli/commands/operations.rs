//! `operations`: the catalogue, all of it or what a search finds.

use host_harness::contract::{Hints, OperationFilter, OperationKind, OperationSummary, ToJson};

use crate::cli::arguments::Options;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::terminal::{Terminal, Tone};

#[derive(clap::Args)]
pub struct Arguments {
    /// Only those that have each of these words in their id, alias, title or description; best match first
    words: Vec<String>,
    /// Only of this kind
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<OperationKind>,
    /// Only about this resource
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
}

/// An operation's kind on the command line.
pub fn kind(text: &str) -> Result<OperationKind, String> {
    OperationKind::from_name(text).ok_or_else(|| "it is `action`, `query` or `trigger`".to_owned())
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let search = Some(arguments.words.join(" ")).filter(|words| !words.is_empty());
    let filter = OperationFilter { kind: arguments.kind, resource: arguments.resource.clone(), search };
    let found = connector.list_operations(filter).await?.value;
    if terminal.json {
        return terminal.document(&found.to_json());
    }
    if found.is_empty() {
        terminal.note("none; without words it lists all");
        return Ok(());
    }
    let rows = found.iter().map(row).collect();
    terminal.table(&["operation", "kind", "title", "know before"], rows)
}

fn row(operation: &OperationSummary) -> Vec<Tone> {
    vec![
        Tone::Strong(operation.id.clone()),
        Tone::Plain(operation.kind.name().to_owned()),
        Tone::Plain(operation.title.clone()),
        hints(&operation.hints),
    ]
}

/// What to know before running it, the gravest thing alone.
pub fn hints(hints: &Hints) -> Tone {
    match hints {
        Hints { destructive: true, .. } => Tone::Bad("cannot be undone".to_owned()),
        Hints { moves_money: true, .. } => Tone::Care("moves money".to_owned()),
        Hints { read_only: true, .. } => Tone::Dim("only reads".to_owned()),
        _ => Tone::Plain(String::new()),
    }
}
