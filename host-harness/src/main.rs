//! `harness`: runs, shows and serves a connector from the command line.
//!
//! This page is the table of contents: the commands, what each is for, and where its work is done. A command writes to the
//! `Terminal`; what went wrong comes back as a `Failure`, which knows how it reads and its exit status.

mod cli;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use cli::commands::{
    audit, call, choices, conformance, describe, events, guard, inspect, operations, permissions, poll, recent, renew,
    resources, sample, schema, serve, simulate, subscribe, test_connection, unsubscribe, webhook,
};
use cli::demo;
use cli::failure::{Failure, USAGE};
use cli::options::Options;
use cli::setup::runtime;
use cli::terminal::{Color, Terminal, notes};

const AFTER: &str = "\
Connection: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_ACCOUNT and STRIPE_API_BASE, or --connection FILE.
Without a key, commands use a Stripe simulator inside this process, and say so.

Exit status: 0 done; 1 the connector's error (declined, bad input, no such object, …), a demo step that failed, or a
component that does not conform; 2 usage error; 3 platform failure (the component was refused, trapped or hit a limit, or this machine did not cooperate);
4 something was done, or may have been, and its result was not shown: standard error says which, and how to run it again;
5 the guard refused it;
130, 143 stopped by Ctrl-C or a kill before anything was changed.";

/// Loads the Stripe connector, a WebAssembly component, and runs, shows and serves it.
///
/// Without a command it runs the demo.
#[derive(Parser)]
#[command(name = "harness", version, after_help = AFTER, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Show the whole road: connect, sell, be declined, refund, run twice, receive webhooks (the default)
    Demo(demo::Arguments),
    /// Show what the component is, what it imports and what it may reach; runs nothing of it
    Inspect,
    /// Try the connection; changes nothing
    TestConnection,
    /// Show what to tick when a restricted key is made for some operations
    Permissions(permissions::Arguments),
    /// List operations, all or those with these words
    Operations(operations::Arguments),
    /// Show an operation: its input, its output and what to know before running it
    Describe(describe::Arguments),
    /// Print the JSON Schema of one kind of object
    Schema(schema::Arguments),
    /// Run an action or a query
    Call(call::Arguments),
    /// What the guard allows, asks about and refuses
    Guard(guard::Arguments),
    /// Check the log of the guard's verdicts
    Audit(audit::Arguments),
    /// List the kinds of object, and what they are in the platform's terms
    Resources,
    /// List objects of a kind to choose from, all or those that match
    Choices(choices::Arguments),
    /// Print an event of the right shape
    Sample(sample::Arguments),
    /// Show the newest real events of a trigger
    Recent(recent::Arguments),
    /// Fetch events since a cursor
    Poll(poll::Arguments),
    /// Receive webhooks, keep them, and hand each on: POST /webhooks/…
    Serve(serve::Arguments),
    /// Look at events that were taken, and hand them on once more
    Events(events::Arguments),
    /// Have the events of a test account brought to this machine by the Stripe command line
    Webhook(webhook::Arguments),
    /// Make the service deliver events to a URL
    Subscribe(subscribe::Arguments),
    /// Look whether a subscription is still as it was made, and prolong it
    Renew(renew::Arguments),
    /// Stop deliveries, of some triggers or all
    Unsubscribe(unsubscribe::Arguments),
    /// Check a component against the contract: which of its promises hold
    Conformance(conformance::Arguments),
    /// Run the Stripe simulator until Ctrl-C
    Simulate(simulate::Arguments),
}

impl Default for Command {
    fn default() -> Self {
        Self::Demo(demo::Arguments::default())
    }
}

fn main() -> ExitCode {
    let arguments = match read() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let mut terminal = Terminal::new(arguments.options.color, arguments.options.json);
    let serves = matches!(arguments.command, Some(Command::Serve(_)));
    let done = runtime::block_on(serves, run(arguments, &mut terminal));
    let status = done.map_or_else(|failure| failure.report(&mut terminal), |()| ExitCode::SUCCESS);
    notes::end();
    status
}

async fn run(arguments: Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let options = &arguments.options;
    runtime::log_calls(options.verbose);
    match arguments.command.unwrap_or_default() {
        Command::Demo(arguments) => demo::run(options, terminal, &arguments).await,
        Command::Inspect => inspect::run(options, terminal),
        Command::TestConnection => test_connection::run(options, terminal).await,
        Command::Permissions(arguments) => permissions::run(options, terminal, &arguments).await,
        Command::Operations(arguments) => operations::run(options, terminal, &arguments).await,
        Command::Describe(arguments) => describe::run(options, terminal, &arguments).await,
        Command::Schema(arguments) => schema::run(options, terminal, &arguments).await,
        Command::Call(arguments) => call::run(options, terminal, &arguments).await,
        Command::Guard(arguments) => guard::run(options, terminal, &arguments).await,
        Command::Audit(arguments) => audit::run(terminal, &arguments),
        Command::Resources => resources::run(options, terminal).await,
        Command::Choices(arguments) => choices::run(options, terminal, &arguments).await,
        Command::Sample(arguments) => sample::run(options, terminal, &arguments).await,
        Command::Recent(arguments) => recent::run(options, terminal, &arguments).await,
        Command::Poll(arguments) => poll::run(options, terminal, &arguments).await,
        Command::Serve(arguments) => serve::run(options, terminal, &arguments).await,
        Command::Events(arguments) => events::run(options, terminal, &arguments).await,
        Command::Webhook(arguments) => webhook::run(options, terminal, &arguments).await,
        Command::Subscribe(arguments) => subscribe::run(options, terminal, &arguments).await,
        Command::Renew(arguments) => renew::run(options, terminal, &arguments).await,
        Command::Unsubscribe(arguments) => unsubscribe::run(options, terminal, &arguments).await,
        Command::Conformance(arguments) => conformance::run(options, terminal, &arguments).await,
        Command::Simulate(arguments) => simulate::run(terminal, &arguments).await,
    }
}

/// Reads the command line. What is not to be run has been answered: help, the version, or what is wrong with it.
fn read() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if asked {
            // Standard output may be closed already; there is nobody left to tell.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // The arguments may be anything: no text, or a text that steers a terminal.
        let as_json = std::env::args_os().any(|argument| argument == "--json");
        let mut terminal = Terminal::new(Color::Auto, as_json);
        if as_json {
            let message = error.render().to_string();
            let message = message.strip_prefix("error: ").unwrap_or(&message).trim();
            return Failure::usage(message).report(&mut terminal);
        }
        terminal.error_block(error.render().ansi().to_string().trim_end());
        ExitCode::from(USAGE)
    })
}
