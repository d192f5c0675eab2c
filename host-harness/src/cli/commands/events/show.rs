//! `events show`.

use host::contract::Event;
use store::Store;

use super::words::{EventForm, events_of, moment, run_line, via};
use crate::cli::commands::lines;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    /// The event's id
    id: String,
    /// Of this source, where several have an event of this id
    #[arg(long)]
    source: Option<String>,
}

pub async fn run(terminal: &mut Terminal, store: &dyn Store, arguments: &Arguments) -> Result<(), Failure> {
    for found in events_of(store, &arguments.id, arguments.source.as_deref()).await? {
        // It may have been forgotten in between.
        let Some(event) = store.event(&found.key).await? else { continue };
        if terminal.json {
            terminal.json_line(&EventForm::of(&event))?;
            continue;
        }
        let read = event.body.as_deref().map(serde_json::from_str::<Event>);
        match &read {
            Some(Ok(read)) => terminal.line(lines::event_line(read))?,
            _ => terminal.line(super::words::event_line(&event))?,
        }
        let mut row = |name: &str, text: &str| terminal.row(8, name, text);
        row("source", &event.key.source)?;
        row("happened", &moment(event.occurred_at))?;
        row("taken", &format!("{}, by {}", moment(event.taken_at), via(event.via)))?;
        for run in &event.runs {
            terminal.line(run_line(run))?;
        }
        if let Some(Ok(read)) = &read {
            terminal.document(&host::contract::Embedded(&read.payload))?;
        }
    }
    Ok(())
}
