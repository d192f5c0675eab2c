//! The command line as types. What each command does is said here once, for `--help` and for the reader.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;

use super::commands::{
    call, choices, describe, operations, poll, recent, renew, sample, schema, serve, simulate, subscribe, unsubscribe,
};
use super::demo;
use super::failure::USAGE;

const AFTER: &str = "\
Connection: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_ACCOUNT and STRIPE_API_BASE, or --connection FILE.
Without a key, commands use a Stripe simulator inside this process, and say so.

Exit status: 0 done; 1 the connector's error (declined, bad input, no such object, …) or a demo step that failed;
2 usage error; 3 platform failure (the component was refused, trapped or hit a limit, or this machine did not cooperate).";

/// Loads the Stripe connector, a WebAssembly component, and runs, shows and serves it.
///
/// Without a command it runs the demo.
#[derive(Parser)]
#[command(name = "harness", version, after_help = AFTER, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Every command")]
pub struct Options {
    /// Print JSON: one document, or one line for each thing that happens
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Take the connection from this file (TOML or JSON: its fields, and `environment`) and not from the environment
    #[arg(long, global = true, value_name = "FILE")]
    pub connection: Option<PathBuf>,
    /// Allow a live key: real money moves
    #[arg(long, global = true)]
    pub production: bool,
    /// Load this component in place of the one that is built in
    #[arg(long, global = true, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// Load the component with this manifest in place of the one that is built in
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Log a line for each call of the component on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show the whole road: connect, sell, be declined, refund, run twice, receive webhooks (the default)
    Demo(demo::Arguments),
    /// Show what the component is, what it imports and what it may reach; runs nothing of it
    Inspect,
    /// Try the connection; changes nothing
    TestConnection,
    /// List operations, all or those with these words
    Operations(operations::Arguments),
    /// Show an operation: its input, its output and what to know before running it
    Describe(describe::Arguments),
    /// Print the JSON Schema of one kind of object
    Schema(schema::Arguments),
    /// Run an action or a query
    Call(call::Arguments),
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
    /// Receive webhooks: POST /webhooks/…
    Serve(serve::Arguments),
    /// Make the service deliver events to a URL
    Subscribe(subscribe::Arguments),
    /// Look whether a subscription is still as it was made, and prolong it
    Renew(renew::Arguments),
    /// Stop deliveries, of some triggers or all
    Unsubscribe(unsubscribe::Arguments),
    /// Run the Stripe simulator until Ctrl-C
    Simulate(simulate::Arguments),
}

impl Default for Command {
    fn default() -> Self {
        Self::Demo(demo::Arguments::default())
    }
}

/// Reads the command line. What is not to be run has been answered: help, the version, or what is wrong with it.
pub fn read() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if !asked && std::env::args().any(|argument| argument == "--json") {
            use std::io::Write;
            let message = error.render().to_string();
            let message = message.strip_prefix("error: ").unwrap_or(&message).trim();
            let _ = writeln!(std::io::stderr(), "{}", json!({ "kind": "usage", "message": message }));
        } else {
            // Standard output may be closed already; there is nobody left to tell.
            let _ = error.print();
        }
        if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
    })
}
