//! `poll`: events since a cursor, where no webhook can reach.

use host::Connector;
use host::contract::{Event, TriggerUse};

use super::events::{Line, complete, event_line, triggers};
use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::seen::Seen;
use crate::cli::terminal::{Terminal, one_line};
use crate::cli::values::trigger_use;

#[derive(clap::Args)]
pub struct Arguments {
    /// The triggers, TRIGGER=JSON with filters; all of the connector's without any
    #[arg(value_parser = trigger_use)]
    triggers: Vec<TriggerUse>,
    /// Where to begin: the cursor of the poll before. Without it there are no events, only the cursor of now
    #[arg(long)]
    cursor: Option<String>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    let triggers = triggers(&connector, &arguments.triggers).await?;
    let mut reached = arguments.cursor.clone();
    let done = pages(&connector, &link, terminal, &triggers, &mut reached).await;
    // Whatever ended it: the events so far were shown, and need not be fetched again.
    let moved = reached != arguments.cursor && !matches!(done, Err(Failure::NobodyReads));
    let Some(cursor) = reached.filter(|_| moved || done.is_ok()) else { return done };
    if !terminal.json {
        terminal.note(format_args!("from here on: --cursor {}", one_line(&cursor)));
    } else if let Err(failure) = terminal.json_line(&Line::Cursor { cursor: &cursor }) {
        return done.and(Err(failure));
    }
    done
}

/// Shows the events of all pages. `reached` is where the page after the last that was shown begins.
async fn pages(
    connector: &Connector,
    link: &Link,
    terminal: &mut Terminal,
    triggers: &[TriggerUse],
    reached: &mut Option<String>,
) -> Result<(), Failure> {
    let mut seen = Seen::default();
    loop {
        let call = link.fresh_call()?;
        let page = watch("Polling", connector.poll(&call, triggers.to_vec(), reached.as_deref())).await?.value;
        // Pages overlap, so that none is lost between them.
        for event in page.events.iter().filter(|event| seen.insert(&event.id)) {
            show(connector, link, terminal, event).await?;
        }
        // A service that says "more" and moves nothing would never end.
        let moved = reached.as_deref() != Some(&page.cursor);
        *reached = Some(page.cursor);
        if !page.has_more || !moved {
            return Ok(());
        }
    }
}

/// An event, complete where that can be had.
async fn show(connector: &Connector, link: &Link, terminal: &mut Terminal, event: &Event) -> Result<(), Failure> {
    let loaded = match event.complete {
        true => None,
        false => match watch("Loading the event", complete(connector, link, event)).await {
            Ok(loaded) => Some(loaded),
            Err(failure) => {
                terminal.warn(format_args!("{} stays thin: {}", one_line(&event.id), one_line(&failure.to_string())));
                None
            }
        },
    };
    let event = loaded.as_ref().unwrap_or(event);
    if terminal.json { terminal.json_line(&Line::Event { event }) } else { terminal.line(event_line(event)) }
}
