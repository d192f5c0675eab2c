//! `schema`: the JSON Schema of one kind of object, by the name that an operation's schema gives it.

use host::contract::Embedded;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    /// The kind of object, as `x-object` names it: customer
    object: String,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let schema = connector.object_schema(&arguments.object).await?.value;
    Ok(terminal.document(&Embedded(&schema))?)
}
