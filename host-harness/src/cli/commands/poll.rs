//! `poll`: events since a cursor, where no webhook can reach.

use guard::Guarded;
use host::contract::{Event, TriggerUse};

use super::lines::{Line, complete, event_line, triggers};
use super::pages::Pages;
use super::seen::Seen;
use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::values::trigger_use;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::Terminal;
use crate::cli::wording;

/// Every event that a service remembers of a busy month, in pages of a hundred.
const MOST_PAGES: u32 = 10_000;

#[derive(clap::Args)]
pub struct Arguments {
    /// The triggers, TRIGGER=JSON with filters; all of the connector's without any
    #[arg(value_parser = trigger_use)]
    triggers: Vec<TriggerUse>,
    /// Where to begin: the cursor of the poll before. Without it there are no events, only the cursor of now
    #[arg(long)]
    cursor: Option<String>,
    /// So many pages at most
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_PAGES)]
    most_pages: u32,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let triggers = triggers(&connector, &arguments.triggers).await?;
    let mut reached = arguments.cursor.clone();
    let done = pages(&connector, &link, terminal, &triggers, &mut reached, Pages::new(arguments.most_pages)).await;
    // Whatever ended it: the events so far were shown, and need not be fetched again.
    let moved = reached != arguments.cursor && !matches!(done, Err(Failure::NobodyReads));
    let Some(cursor) = reached.filter(|_| moved || done.is_ok()) else { return done };
    if !terminal.json {
        terminal.note(format_args!("from here on: --cursor {}", wording::shell_word(&cursor)));
    } else if let Err(failure) = terminal.json_line(&Line::Cursor { cursor: &cursor }) {
        return done.and(Err(failure.into()));
    }
    done
}

/// Shows the events of all pages. `reached` is where the page after the last that was shown begins.
async fn pages(
    connector: &Guarded,
    link: &Link,
    terminal: &mut Terminal,
    triggers: &[TriggerUse],
    reached: &mut Option<String>,
    mut pages: Pages,
) -> Result<(), Failure> {
    let mut seen = Seen::default();
    loop {
        let call = link.fresh_call()?;
        let page = watch("Polling", connector.poll(&call, triggers.to_vec(), reached.as_deref())).await?.value;
        // Pages overlap, so that none is lost between them.
        for event in page.events.iter().filter(|event| seen.insert(&event.id)) {
            show((connector, link, triggers), terminal, event).await?;
        }
        let began = reached.replace(page.cursor.clone());
        if !page.has_more {
            return Ok(());
        }
        pages.after(began.as_deref(), page.cursor)?;
    }
}

/// An event, complete where that can be had.
async fn show(
    (connector, link, uses): (&Guarded, &Link, &[TriggerUse]),
    terminal: &mut Terminal,
    event: &Event,
) -> Result<(), Failure> {
    let loaded = match event.complete {
        true => None,
        false => match watch("Loading the event", complete(connector, link, uses, event)).await {
            // A filter does not let it pass, which only its object could tell.
            Ok(loaded) if loaded.triggers.is_empty() => return Ok(()),
            Ok(loaded) => Some(loaded),
            Err(Failure::Stopped(status)) => return Err(Failure::Stopped(status)),
            Err(failure) => {
                terminal.warn(format_args!("{} stays thin: {failure}", event.id));
                None
            }
        },
    };
    let event = loaded.as_ref().unwrap_or(event);
    let shown =
        if terminal.json { terminal.json_line(&Line::Event { event }) } else { terminal.line(event_line(event)) };
    Ok(shown?)
}
