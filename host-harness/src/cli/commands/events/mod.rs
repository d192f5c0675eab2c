//! `events`: what was taken, what became of it, and doing it once more. It works on the store, beside `serve` or without it.

mod list;
mod replay;
mod show;
mod words;

use clap::Subcommand;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::setup::storing::StoreOption;
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    store: StoreOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List events, the newest taken first, with what became of them
    List(list::Arguments),
    /// Show one event, whole, with its runs
    Show(show::Arguments),
    /// Hand an event on once more: a dead letter under its own key, a finished run as a further one
    Replay(replay::Arguments),
    /// List dead letters, with the reason of each
    Dead(list::DeadArguments),
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let connector = loading::manifest(options)?.id;
    let opened = arguments.store.existing(terminal, &connector).await?;
    let store = &*opened.store;
    match &arguments.command {
        Command::List(arguments) => list::run(terminal, store, arguments).await,
        Command::Show(arguments) => show::run(terminal, store, arguments).await,
        Command::Replay(arguments) => replay::run(terminal, store, arguments).await,
        Command::Dead(arguments) => list::dead(terminal, store, arguments).await,
    }
}
