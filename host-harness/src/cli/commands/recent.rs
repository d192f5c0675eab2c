//! `recent`: real events of a trigger, for trying a workflow out on what has happened.

use host::contract::TriggerUse;

use super::lines::{Line, event_line};
use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::values::trigger_use;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    /// The trigger's id or an alias; TRIGGER=JSON with filters
    #[arg(value_parser = trigger_use)]
    trigger: TriggerUse,
    /// How many at most, 1 to 100
    #[arg(long, default_value_t = 10)]
    limit: u32,
}

/// Prints a line an event, the newest first.
pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let call = link.fresh_call()?;
    let found = watch("Looking", connector.recent(&call, arguments.trigger.clone(), arguments.limit)).await?.value;
    if found.events.is_empty() && !terminal.json {
        terminal.note("none; `harness sample` makes one of the right shape");
    }
    Ok(found.events.iter().try_for_each(|event| match terminal.json {
        true => terminal.json_line(&Line::Event { event }),
        false => terminal.line(event_line(event)),
    })?)
}
