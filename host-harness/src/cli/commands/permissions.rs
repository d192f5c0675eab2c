//! `permissions`: what to tick when a restricted key is made for a workflow.

use host::contract::OperationFilter;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::{Terminal, Tone};
use crate::cli::wording;

const AFTER: &str = "\
Writing includes reading. With --json the whole list is printed as the component gives it.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// Operations and triggers, by id or alias
    #[arg(value_name = "OPERATION", required_unless_present = "all")]
    operations: Vec<String>,
    /// All that `harness operations` lists
    #[arg(long, conflicts_with = "operations")]
    all: bool,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let chosen = if arguments.all {
        let all = connector.all_operations(OperationFilter::default()).await?;
        all.into_iter().map(|summary| summary.id).collect()
    } else {
        arguments.operations.clone()
    };
    let permissions = connector.permissions(&chosen).await?.value;
    if terminal.json {
        return Ok(terminal.document(&permissions)?);
    }
    let rows = permissions.into_iter().map(|permission| {
        let operations = Tone::Dim(wording::some(&permission.operations));
        vec![Tone::Plain(permission.title), Tone::Plain(permission.grant.unwrap_or_default()), operations]
    });
    Ok(terminal.table(&["permission", "grant", "needed by"], rows.collect())?)
}
