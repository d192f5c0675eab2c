//! `events list` and `events dead`.

use serde_json::json;
use store::{Cursor, Filter, RunState, Store};

use super::words::{EventForm, event_line, read_state, run_line};
use crate::cli::failure::Failure;
use crate::cli::terminal::{DIM, Terminal, paint};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    filter: Of,
    /// Only events with a run in this state: waiting, running, done or dead
    #[arg(long, value_parser = read_state)]
    state: Option<RunState>,
}

#[derive(clap::Args)]
pub struct DeadArguments {
    #[command(flatten)]
    filter: Of,
}

#[derive(clap::Args)]
struct Of {
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this type: customer.created
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// So many at most, 1 to 1000
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Where the page begins: what the page before said
    #[arg(long, value_name = "CURSOR", value_parser = read_cursor)]
    after: Option<Cursor>,
}

fn read_cursor(text: &str) -> Result<Cursor, String> {
    Cursor::from_text(text).ok_or_else(|| "it is what the page before said".to_owned())
}

pub async fn run(terminal: &mut Terminal, store: &dyn Store, arguments: &Arguments) -> Result<(), Failure> {
    page(terminal, store, &arguments.filter, arguments.state, arguments.state.is_some()).await
}

pub async fn dead(terminal: &mut Terminal, store: &dyn Store, arguments: &DeadArguments) -> Result<(), Failure> {
    page(terminal, store, &arguments.filter, Some(RunState::Dead), true).await
}

/// A page of events, with those of their runs that are in the state where `runs` are wanted.
async fn page(
    terminal: &mut Terminal,
    store: &dyn Store,
    of: &Of,
    state: Option<RunState>,
    runs: bool,
) -> Result<(), Failure> {
    let filter = Filter { source: of.source.clone(), id: None, event_type: of.event_type.clone(), state };
    let page = store.events(&filter, of.after, of.limit.into()).await?;
    for event in &page.events {
        if terminal.json {
            terminal.json_line(&EventForm::of(event))?;
            continue;
        }
        terminal.line(event_line(event))?;
        for run in event.runs.iter().filter(|run| runs && state.is_none_or(|state| run.state == state)) {
            terminal.line(format_args!("  {}", run_line(run)))?;
        }
    }
    match page.next.map(Cursor::to_text) {
        Some(next) if terminal.json => terminal.json_line(&json!({ "next": next }))?,
        Some(next) => terminal.note(format_args!("more: --after {next}")),
        None if page.events.is_empty() && !terminal.json => terminal.line(paint(DIM, "none"))?,
        None => {}
    }
    Ok(())
}
