//! `webhook listen`: events of a test account on this machine, in the foreground; and the process that it runs under.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

use crate::cli::commands::serve;
use crate::cli::failure::Failure;
use crate::cli::listen;
use crate::cli::options::Options;
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run `stripe listen` and show the events that it brings, until Ctrl-C
    ///
    /// It needs a test key and the Stripe command line on PATH, and nothing else: no public address, no webhook endpoint.
    Listen,
    /// Run a program for as long as standard input is open
    #[command(hide = true)]
    Keep {
        program: OsString,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Listen => {
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            serve::run(options, terminal, &serve::Arguments::listening(anywhere)?).await
        }
        Command::Keep { program, arguments } => {
            let status = listen::keep(program, arguments).await?;
            // The status is the program's, and there is nothing to say about it.
            std::process::exit(status.into());
        }
    }
}
