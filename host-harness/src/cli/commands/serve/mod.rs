//! `serve`: webhooks as they come in, one line each, until Ctrl-C.
//!
//! Here: what is needed before the first delivery, and what is ended after the last. `taking` takes them, `shown` says how
//! they look, `thin` fetches what thin events point at, `renewal` prolongs a subscription that ends by itself.

mod renewal;
mod shown;
mod taking;
mod thin;

use std::net::SocketAddr;
use std::path::PathBuf;

use host::contract::{Outcome, SubscriptionState, TriggerUse};
use host::{Connector, Manifest};

use self::renewal::Renewal;
use self::taking::Served;
use crate::cli::commands::events::triggers;
use crate::cli::commands::subscribe::{self, subscribe};
use crate::cli::failure::{Failure, Untold};
use crate::cli::options::Options;
use crate::cli::options::values::trigger_use;
use crate::cli::receiver::http::{Expected, Receiver, try_out};
use crate::cli::setup::connecting::Link;
use crate::cli::setup::loading;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::stopping::LastWords;
use crate::cli::terminal::{Terminal, notes};
use crate::cli::wording;

/// The field that deliveries are checked with which no subscription of ours signs.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

const AFTER: &str = "\
A request is answered 200 when its event was taken, which here is: printed; 400 when it is not genuine; 503 when it must
be sent again; and as the service expects it, where the connector says how. An event that was taken before is dropped, as
long as this process remembers: the newest 10,000. Of a thin event, which only points at what happened, the rest is fetched
after it was taken.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4242")]
    listen: SocketAddr,
    /// Make the service deliver here while this runs: it makes a webhook endpoint, keeps its secret, and removes it at the end
    #[arg(long)]
    subscribe: bool,
    /// The URL under which the service reaches this process; without it the address of `--listen`
    #[arg(long, value_name = "URL", requires = "subscribe")]
    url: Option<String>,
    /// Only these triggers, TRIGGER=JSON with filters; can be given again. All of them without it
    #[arg(long = "trigger", value_name = "TRIGGER", requires = "subscribe", value_parser = trigger_use)]
    triggers: Vec<TriggerUse>,
    /// Keep the subscription's state here, so that it stays when this ends; without it, it is kept in memory alone
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let file = arguments.state_file.as_deref().map(|path| StateFile::new(path, &manifest.id));
    let kept = match &file {
        Some(file) if !arguments.subscribe => Some(file.existing(terminal)?),
        _ => None,
    };
    let link = match arguments.subscribe {
        true => Link::open(options, terminal, &manifest).await?,
        // To check a signature needs no key.
        false => Link::given(options, terminal, &manifest)?,
    };
    check(arguments, kept.is_some(), &link, &manifest)?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    let receiver = Receiver::bind(arguments.listen).await?;
    // Whoever delivers must not wait for whoever reads the log.
    notes::begin().map_err(|error| Failure::Machine(format!("no thread can be had: {error}")))?;
    let mut renewal = Renewal::default();
    let (mut url, mut expected) = (None, Expected::default());
    if arguments.subscribe {
        let own = arguments.url.clone().unwrap_or_else(|| receiver.url(&manifest.id));
        let triggers = triggers(&connector, &arguments.triggers).await?;
        let (made, _) = subscribe(terminal, &connector, &link, &own, triggers, file.as_ref()).await?;
        renewal.due(&made);
        expected = Expected::of(made.state, arguments.triggers.clone());
        url = Some(own);
    } else if let Some(kept) = kept {
        expected = Expected::of(kept.state, Vec::new());
    }
    // From here on there may be a subscription, which does not stay when something goes wrong. An end without any delay
    // leaves it, and says so.
    let _words = url.as_deref().filter(|_| file.is_none()).map(|url| {
        let hint = "Subscribe to the URL with --state-file, and unsubscribe, to end it.";
        let left =
            Untold::new(format!("stopped at once: the service still delivers to {url}"), Outcome::Committed).hint(hint);
        let left = Failure::from(left);
        LastWords::new(left.text(terminal.json), Some(left.status()))
    });
    let taken = match try_out(&connector, &link.connection, &expected).await {
        Ok(()) => {
            let kept = file.as_ref().zip(url.as_deref());
            let served = Served { connector: &connector, link: &link, expected: &expected, kept };
            taking::take(terminal, receiver, served, url.as_deref(), renewal).await
        }
        Err(failure) => Err(failure),
    };
    if let (true, None, Some(state)) = (arguments.subscribe, &file, expected.state()) {
        end(terminal, &connector, &link, arguments, &state).await?;
    }
    let taken = taken?;
    if !terminal.json {
        terminal.note(format_args!("stopped; {taken} {} taken", if taken == 1 { "event" } else { "events" }));
        if let Some(file) = file.filter(|_| arguments.subscribe) {
            let path = file.path();
            let path = wording::shell_word(&path.to_string_lossy());
            terminal.note(format_args!("it stays: harness unsubscribe --state-file {path} ends it"));
        }
    }
    Ok(())
}

/// Whether there is anything that deliveries can be checked with.
fn check(arguments: &Arguments, kept: bool, link: &Link, manifest: &Manifest) -> Result<(), Failure> {
    if arguments.subscribe || kept || link.connection.has(WEBHOOK_SECRET) {
        return Ok(());
    }
    let variable = manifest.field(WEBHOOK_SECRET).and_then(|field| field.env.as_deref());
    let message = "there is no webhook signing secret, so no delivery can be checked";
    let hint = format!("Set {}, or let --subscribe get one.", variable.unwrap_or(WEBHOOK_SECRET));
    Err(Failure::usage(message).hint(hint))
}

/// Ends the subscription: of the triggers that were named, since the URL may have had others before.
async fn end(
    terminal: &mut Terminal,
    connector: &Connector,
    link: &Link,
    arguments: &Arguments,
    state: &SubscriptionState,
) -> Result<(), Failure> {
    let named: Vec<String> = arguments.triggers.iter().map(|named| named.trigger.clone()).collect();
    let named = (!named.is_empty()).then_some(named);
    subscribe::end(terminal, connector, link, state, named).await.map(drop)
}
