//! `sample`: an event of the right shape, for building a workflow before anything has happened. Real ones: `recent`.

use host::contract::Embedded;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    /// The trigger's id or an alias
    trigger: String,
}

/// Prints the event as the service would send it; with `--json`, as the platform gets it.
pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let event = connector.sample(&arguments.trigger).await?.value;
    let shown = if terminal.json { terminal.document(&event) } else { terminal.document(&Embedded(&event.payload)) };
    Ok(shown?)
}
