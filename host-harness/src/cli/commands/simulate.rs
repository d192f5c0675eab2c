//! `simulate`: a Stripe on this machine, for as long as one likes.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;
use stripe_simulator::{Fault, Options as SimulatorOptions, Simulator};

use crate::cli::failure::Failure;
use crate::cli::options::values::duration;
use crate::cli::setup::stopping;
use crate::cli::terminal::{DIM, STRONG, Terminal, paint};

const AFTER: &str = "\
A fault is KIND or KIND:MEMBER=VALUE,… with percent, times, method, path (its beginning), milliseconds and seconds:

  --fault error_after:percent=20,path=/v1/payment_intents    a fifth of the payments answer 500 after they were made
  --fault latency:milliseconds=300                           everything takes longer
  --fault reset_after:times=1,method=POST                    the answer of the next write is lost
  --fault clock_skew:seconds=3600                            the clock is an hour ahead

Kinds: latency, rate_limit, error_before, error_after, reset_before, reset_after, truncated_body, early_answer,
slow_drip, duplicate_delivery, shuffled_deliveries, clock_skew. While it runs, /_simulator/faults takes and drops them.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
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
    /// Start with data
    #[arg(long, value_name = "DATA")]
    seed: Option<Seed>,
    /// Make ids and chances from this number: the same requests then get the same ids and meet the same faults
    #[arg(long, value_name = "NUMBER")]
    random: Option<u64>,
    /// Let something go wrong; may be given several times
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Refuse requests beyond the rates that Stripe publishes
    #[arg(long)]
    rate_limits: bool,
    /// Limit what a restricted key may do; may be given several times
    #[arg(long = "restricted-key", value_name = "KEY=PERMISSION,…", value_parser = restricted_key)]
    restricted_keys: Vec<(String, Vec<String>)>,
    /// The wait before a failed webhook delivery is tried again; the second wait is ten times as long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    webhook_retry: Duration,
    /// How long a banking day lasts: funds settle after two, payouts arrive after two, holds expire after seven; left
    /// out, real days that begin at midnight UTC and leave weekends out
    #[arg(long, value_name = "TIME", value_parser = duration)]
    banking_day: Option<Duration>,
    /// Hold every answer against the description of the API; what is wrong is shown at /_simulator/violations
    #[arg(long)]
    check_answers: bool,
}

/// What a simulator can start with.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Seed {
    /// A shop with a year of customers, subscriptions, invoices and payments in several currencies
    Demo,
}

/// `rk_test_…=customer_read,webhook_write`.
fn restricted_key(text: &str) -> Result<(String, Vec<String>), String> {
    let (key, permissions) = text.split_once('=').ok_or("write KEY=PERMISSION,… as in rk_test_a=customer_read")?;
    if !key.starts_with("rk_") {
        return Err("a restricted key begins with rk_test_ or rk_live_".to_owned());
    }
    let permissions: Vec<String> = permissions.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    match permissions.iter().find(|p| !p.ends_with("_read") && !p.ends_with("_write")) {
        Some(wrong) => Err(format!("{wrong:?} is no permission: they end with _read or _write, as customer_read")),
        None => Ok((key.to_owned(), permissions)),
    }
}

pub async fn run(terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { listen, allow_remote, .. } = arguments;
    if !listen.ip().is_loopback() && !allow_remote {
        return Err(Failure::usage(format!(
            "{listen} can be reached by other machines, and the simulator accepts any key"
        ))
        .hint("Listen on 127.0.0.1, or say --allow-remote."));
    }
    let defaults = SimulatorOptions::default();
    let simulator = Simulator::start_with(SimulatorOptions {
        listen: *listen,
        allow_remote: *allow_remote,
        account_version: arguments.account_version.clone(),
        demo: arguments.seed == Some(Seed::Demo),
        seed: arguments.random,
        faults: arguments.faults.clone(),
        rate_limits: arguments.rate_limits,
        restricted_keys: arguments.restricted_keys.clone(),
        webhook_retry_unit: arguments.webhook_retry,
        banking_day: arguments.banking_day.unwrap_or(defaults.banking_day),
        check_answers: arguments.check_answers,
        ..defaults
    });
    let simulator = simulator.await.map_err(|error| Failure::Machine(format!("cannot listen on {listen}: {error}")))?;
    let base = simulator.base_url();
    let stopping = stopping::wanted();
    if terminal.json {
        terminal.json_line(&json!({ "type": "listening", "base_url": base }))?;
    } else {
        terminal.line(format_args!("Stripe simulator on {}", paint(STRONG, &base)))?;
        terminal.line(paint(DIM, "Any test key is accepted; Ctrl-C ends it, and its data with it. Use it with"))?;
        terminal.line(format_args!("  export STRIPE_API_BASE={base} STRIPE_SECRET_KEY=sk_test_anything"))?;
        terminal.line(paint(DIM, "Open it in a browser to see its objects, events, deliveries and requests."))?;
    }
    stopping.await;
    simulator.stop().await;
    Ok(())
}
