//! `simulate`: a Stripe on this machine, for as long as one likes.

use std::net::SocketAddr;

use serde_json::json;
use stripe_simulator::{Options as SimulatorOptions, Simulator};

use crate::cli::failure::Failure;
use crate::cli::runtime::asked_to_stop;
use crate::cli::terminal::{DIM, STRONG, Terminal, paint};

#[derive(clap::Args)]
pub struct Arguments {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// Let other machines reach it: it accepts any key and posts to any URL that it is told
    #[arg(long)]
    allow_remote: bool,
    /// The API version of requests that name none
    #[arg(long, value_name = "VERSION")]
    account_version: Option<String>,
}

pub async fn run(terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { listen, allow_remote, account_version } = arguments;
    if !listen.ip().is_loopback() && !allow_remote {
        return Err(Failure::usage(format!(
            "{listen} can be reached by other machines, and the simulator accepts any key"
        ))
        .hint("Listen on 127.0.0.1, or say --allow-remote."));
    }
    let simulator = Simulator::start_with(SimulatorOptions {
        listen: *listen,
        allow_remote: *allow_remote,
        account_version: account_version.clone(),
        ..SimulatorOptions::default()
    });
    let simulator = simulator.await.map_err(|error| Failure::Machine(format!("cannot listen on {listen}: {error}")))?;
    let base = simulator.base_url();
    let stopping = asked_to_stop();
    if terminal.json {
        terminal.json_line(&json!({ "type": "listening", "base_url": base }))?;
    } else {
        terminal.line(format_args!("Stripe simulator on {}", paint(STRONG, &base)))?;
        terminal.line(paint(DIM, "Any test key is accepted; Ctrl-C ends it, and its data with it. Use it with"))?;
        terminal.line(format_args!("  export STRIPE_API_BASE={base} STRIPE_SECRET_KEY=sk_test_anything"))?;
    }
    stopping.await;
    simulator.stop().await;
    Ok(())
}
