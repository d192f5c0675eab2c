//! `harness`: runs, shows and serves a connector from the command line.
//!
//! This page is the table of contents. `cli::arguments` reads the command line; a command of [`run`] does the work and
//! writes to the `Terminal`; what went wrong comes back as a `Failure`, which knows how it reads and its exit status.

mod cli;

use std::process::ExitCode;

use cli::arguments::{self, Arguments, Command};
use cli::commands::{
    call, choices, describe, inspect, operations, poll, recent, renew, resources, sample, schema, serve, simulate,
    subscribe, test_connection, unsubscribe,
};
use cli::failure::Failure;
use cli::terminal::Terminal;
use cli::{demo, runtime};

fn main() -> ExitCode {
    let arguments = match arguments::read() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let mut terminal = Terminal::new(arguments.options.color, arguments.options.json);
    let done = runtime::block_on(run(arguments, &mut terminal));
    done.map_or_else(|failure| failure.report(&mut terminal), |()| ExitCode::SUCCESS)
}

async fn run(arguments: Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let options = &arguments.options;
    runtime::log_calls(options.verbose);
    match arguments.command.unwrap_or_default() {
        Command::Demo(arguments) => demo::run(options, terminal, &arguments).await,
        Command::Inspect => inspect::run(options, terminal),
        Command::TestConnection => test_connection::run(options, terminal).await,
        Command::Operations(arguments) => operations::run(options, terminal, &arguments).await,
        Command::Describe(arguments) => describe::run(options, terminal, &arguments).await,
        Command::Schema(arguments) => schema::run(options, terminal, &arguments).await,
        Command::Call(arguments) => call::run(options, terminal, &arguments).await,
        Command::Resources => resources::run(options, terminal).await,
        Command::Choices(arguments) => choices::run(options, terminal, &arguments).await,
        Command::Sample(arguments) => sample::run(options, terminal, &arguments).await,
        Command::Recent(arguments) => recent::run(options, terminal, &arguments).await,
        Command::Poll(arguments) => poll::run(options, terminal, &arguments).await,
        Command::Serve(arguments) => serve::run(options, terminal, &arguments).await,
        Command::Subscribe(arguments) => subscribe::run(options, terminal, &arguments).await,
        Command::Renew(arguments) => renew::run(options, terminal, &arguments).await,
        Command::Unsubscribe(arguments) => unsubscribe::run(options, terminal, &arguments).await,
        Command::Simulate(arguments) => simulate::run(terminal, &arguments).await,
    }
}
