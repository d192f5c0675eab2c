//! `operations`: the catalogue, all of it or what a search finds.

use host::contract::{Hints, OperationFilter, OperationKind, OperationPage, OperationSummary};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::{Terminal, Tone, Unwritten};
use crate::cli::wording;

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
    /// Also the operations of the service's API that the catalogue has no entry of its own for
    #[arg(long)]
    all: bool,
    /// Only so many of them, and where the next page begins: 1 to 1000
    #[arg(long)]
    limit: Option<u32>,
    /// Where the page begins: the cursor of the page before
    #[arg(long)]
    cursor: Option<String>,
}

/// An operation's kind on the command line.
pub fn kind(text: &str) -> Result<OperationKind, String> {
    OperationKind::from_name(text).ok_or_else(|| "it is `action`, `query` or `trigger`".to_owned())
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let search = Some(arguments.words.join(" ")).filter(|words| !words.is_empty());
    let (kind, resource, all) = (arguments.kind, arguments.resource.clone(), arguments.all);
    let filter = OperationFilter { kind, resource, search, all };
    if arguments.limit.is_none() && arguments.cursor.is_none() {
        let found = connector.all_operations(filter).await?;
        let shown = if terminal.json { terminal.document(&found) } else { show(terminal, &found) };
        return Ok(shown?);
    }
    let listed = connector.list_operations(filter, arguments.cursor.as_deref(), arguments.limit).await?;
    let page: OperationPage = listed.value;
    if terminal.json {
        return Ok(terminal.document(&page)?);
    }
    show(terminal, &page.operations)?;
    if let Some(cursor) = page.next_cursor {
        terminal.note(format_args!("next page: --cursor {}", wording::shell_word(&cursor)));
    }
    Ok(())
}

fn show(terminal: &mut Terminal, operations: &[OperationSummary]) -> Result<(), Unwritten> {
    if operations.is_empty() {
        terminal.note("none; without words it lists all");
        return Ok(());
    }
    terminal.table(&["operation", "kind", "title", "know before"], operations.iter().map(row).collect())
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
