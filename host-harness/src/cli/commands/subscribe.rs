//! `subscribe`: makes the service deliver to a URL, and keeps what that subscription has to remember.

use std::path::PathBuf;

use guard::Guarded;
use host::contract::{Subscription, SubscriptionRequest, SubscriptionState, TriggerUse, Unsubscribed};

use super::lines::triggers;
use crate::cli::calling::{Done, Try};
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::values::trigger_use;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{STRONG, Terminal, Unwritten, one_line, paint};
use crate::cli::wording;

const AFTER: &str = "\
The state file holds the key that deliveries are signed with: it is made readable for you alone. `harness serve
--state-file` receives with it, `harness renew` looks after it and `harness unsubscribe` ends it.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// Where the service shall deliver
    url: String,
    /// The triggers; all of the connector's without any. Those that the URL has already stay
    #[arg(value_parser = trigger_use)]
    triggers: Vec<TriggerUse>,
    /// Where the subscription's state is kept; it is read first where it is there
    #[arg(long, value_name = "FILE")]
    state_file: PathBuf,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let file = StateFile::new(&arguments.state_file, &manifest.id);
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let triggers = triggers(&connector, &arguments.triggers).await?;
    let (made, known) = subscribe(terminal, &connector, &link, &arguments.url, triggers, Some(&file)).await?;
    known.shown(show(terminal, &made))
}

/// Makes the subscription, and keeps its state where there is a file for it. A state that cannot be kept is of no use to
/// anybody, so its subscription does not stay either.
pub async fn subscribe(
    terminal: &mut Terminal,
    connector: &Guarded,
    link: &Link,
    url: &str,
    triggers: Vec<TriggerUse>,
    file: Option<&StateFile<'_>>,
) -> Result<(Subscription, Done), Failure> {
    let mut earlier = None;
    if let Some(file) = file {
        earlier = file.read(terminal)?;
        file.check()?;
    }
    if let Some(kept) = earlier.as_ref().filter(|kept| kept.url != url) {
        let path = file.map(StateFile::path).unwrap_or_default();
        let message = format!("{} is of a subscription that delivers to {}", path.display(), one_line(&kept.url));
        return Err(Failure::usage(message).hint("Name another file, or end that one with `harness unsubscribe`."));
    }
    let earlier = earlier.map(|kept| kept.state);
    let existed = earlier.is_some();
    let request = SubscriptionRequest::new(url, triggers).with_state(earlier);
    let attempt = Try::of(
        terminal,
        "subscribing",
        "Subscribe again: what was made for this URL is used, and nothing is made twice.",
    );
    let call = link.fresh_call()?;
    let made = attempt.watch(terminal, "Making the webhook endpoint", connector.subscribe(&call, request)).await?.value;
    let stands = match file {
        Some(file) => format!("It stands, and its state is in {}.", file.path().display()),
        None => "It stands.".to_owned(),
    };
    let known = attempt.done(&made.metadata, None).hint(stands);
    let Some(Err(failure)) = file.map(|file| file.write(url, &made.state)) else { return Ok((made, known)) };
    if !existed {
        end(terminal, connector, link, &made.state, None).await?;
    }
    Err(failure)
}

/// Ends a subscription, of these triggers or all.
pub async fn end(
    terminal: &mut Terminal,
    connector: &Guarded,
    link: &Link,
    state: &SubscriptionState,
    triggers: Option<Vec<String>>,
) -> Result<(Unsubscribed, Done), Failure> {
    let attempt = Try::of(terminal, "unsubscribing", "Unsubscribe again: it is no error when nothing is left.");
    let call = link.fresh_call()?;
    let ending = connector.unsubscribe(&call, state, triggers);
    let done = attempt.watch(terminal, "Removing the webhook endpoint", ending).await?.value;
    let known = attempt.done(&done.metadata, None);
    Ok((done, known))
}

pub fn show(terminal: &mut Terminal, made: &Subscription) -> Result<(), Unwritten> {
    if terminal.json {
        return terminal.document(made);
    }
    terminal.line(paint(STRONG, one_line(&made.id)))?;
    let mut row = |name: &str, text: &str| terminal.row(8, name, text);
    row("delivers", &made.event_types.join(", "))?;
    if let Some(end) = made.expires_at {
        row("until", &format!("{}; `harness renew` prolongs it", wording::unix_seconds(end)))?;
    }
    Ok(())
}
