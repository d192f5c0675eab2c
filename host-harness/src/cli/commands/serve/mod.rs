//! `serve`: takes webhooks, keeps them, and hands each on, until Ctrl-C.
//!
//! Here: the flags, and what is made before the first delivery and ended after the last. `spec` is what is to be served,
//! `sources` makes it, `taking` serves it, `shown` says how what happens looks and `screen` carries that to the terminal,
//! `renewal` prolongs a subscription that ends by itself, `forwarded` has deliveries brought by `stripe listen`. What a delivery goes through is the crate `inbox`'s.

mod forwarded;
mod renewal;
mod screen;
mod shown;
mod sources;
mod spec;
mod taking;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use host::Manifest;
use host::contract::TriggerUse;
use inbox::{Backoff, Dispatch};
use tokio::net::TcpListener;

pub use self::forwarded::WEBHOOK_SECRET;
use self::sources::Served;
use self::spec::{File, ForwardSpec, Listen, Spec};
use self::taking::{Stand, Taking};
use crate::cli::failure::Failure;
use crate::cli::listen::Skipped;
use crate::cli::options::Options;
use crate::cli::options::values::{Every, duration, every, trigger_use};
use crate::cli::setup::loading::{self, Loader};
use crate::cli::setup::storing::StoreOption;
use crate::cli::terminal::{Terminal, notes};
use crate::cli::wording;

const AFTER: &str = "\
A request is answered 200 when its event is in the store and not before; 400, 408, 413 or 415 when its sender did something
wrong; 503 when it must be sent again; and as the service expects it, where the connector says how. From then on each event
is handed on once for each trigger: printed, or posted to --forward. What fails is tried again with growing waits, and is a
dead letter in the end: `harness events` lists, shows and replays. With a key, events that no delivery brought are fetched.

--forward posts the event as JSON with the headers Idempotency-Key (the same for every try), Event-Id, Event-Type,
Event-Trigger, Event-Source and Event-Attempt. 2xx takes it; 400, 410, 413, 415 and 422 give it up at once; everything else
is tried again. It must be https:// or on this machine.

/healthz says whether the process lives, /readyz whether it can take deliveries, /metrics has figures for Prometheus.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:4242]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    store: StoreOption,
    /// Serve what this file says: several connections, each at a path of its own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subscribe", "url", "triggers", "state_file", "forward", "ordered", "catch_up"])]
    config: Option<PathBuf>,
    /// Make the service deliver here while this runs: it makes a webhook endpoint, keeps its secret, and removes it at the end
    #[arg(long)]
    subscribe: bool,
    /// The URL under which the service reaches this process; without it the address of `--listen`
    #[arg(long, value_name = "URL", requires = "subscribe")]
    url: Option<String>,
    /// Only these triggers, TRIGGER=JSON with filters; can be given again. All of them without it
    #[arg(long = "trigger", value_name = "TRIGGER", value_parser = trigger_use)]
    triggers: Vec<TriggerUse>,
    /// Keep the subscription's state here, so that it stays when this ends; without it, it is kept in memory alone
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,
    /// Do not start `stripe listen`, which otherwise delivers here when there is a test key, no webhook secret, and the
    /// Stripe command line on PATH
    #[arg(long, conflicts_with = "subscribe")]
    no_listen: bool,
    /// Take what `stripe listen` delivers, and nothing else
    #[arg(skip)]
    listens: bool,
    /// Post each event to this URL and not to standard output
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// The variable whose value is posted as the header Authorization
    #[arg(long, value_name = "VARIABLE", requires = "forward")]
    forward_authorization: Option<String>,
    /// Allow http:// to another machine: what customers told the shop is sent as it is
    #[arg(long, requires = "forward")]
    forward_unencrypted: bool,
    /// Hand on the events of one object one after the other, in the order in which they happened
    #[arg(long)]
    ordered: bool,
    /// Between one look for events that no delivery brought and the next; `off` for never. Needs a key
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = every)]
    catch_up: Every,
    /// So many are handed on at once
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    at_once: u16,
    /// So many tries, after which an event is a dead letter: 20 take about a day and a half
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// The longest wait before the second try; each further one is twice the one before, up to six hours
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    first_wait: Duration,
    /// What a process that died was doing is begun again by another after so long
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    lease: Duration,
}

/// As without flags.
#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    arguments: Arguments,
}

impl Arguments {
    /// What `stripe listen` delivers, and nothing else: printed here, and over when this ends.
    pub fn listening(listen: SocketAddr) -> Result<Self, Failure> {
        let flags = Flags::try_parse_from(["serve", "--store", "memory", "--catch-up", "off"]);
        let Flags { arguments } = flags.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self { listen: Some(listen), listens: true, ..arguments })
    }

    /// What is to be served, and at which address.
    fn plan(&self, manifest: &Manifest) -> Result<(SocketAddr, StoreOption, Vec<Spec>), Failure> {
        const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4242);
        let Some(path) = &self.config else {
            return Ok((self.listen.unwrap_or(LISTEN), self.store.or(None), vec![self.spec(manifest)]));
        };
        let file = File::read(path)?;
        Ok((self.listen.or(file.listen).unwrap_or(LISTEN), self.store.or(file.store.as_deref()), file.specs))
    }

    /// The one source of the flags.
    fn spec(&self, manifest: &Manifest) -> Spec {
        let forward = self.forward.clone().map(|url| ForwardSpec {
            url,
            authorization: self.forward_authorization.clone(),
            unencrypted: self.forward_unencrypted,
        });
        Spec {
            name: manifest.id.clone(),
            connection: None,
            production: false,
            subscribe: self.subscribe,
            url: self.url.clone(),
            state_file: self.state_file.clone(),
            listen: match (self.listens, self.no_listen) {
                (true, _) => Listen::Only,
                (false, true) => Listen::Never(Skipped::Unwanted),
                (false, false) => Listen::WithoutSecret,
            },
            triggers: self.triggers.clone(),
            forward,
            ordered: self.ordered,
            catch_up: self.catch_up.0,
        }
    }

    fn dispatch(&self) -> Dispatch {
        let backoff = Backoff { tries: self.tries, first: self.first_wait, ..Backoff::default() };
        Dispatch { at_once: self.at_once.into(), lease: self.lease, backoff, ..Dispatch::default() }
    }
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let (listen, store, specs) = arguments.plan(&manifest)?;
    let loader = Loader::new(options, &manifest)?;
    let failed = |error: std::io::Error| Failure::Machine(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Whoever delivers must not wait for whoever reads the log.
    notes::begin().map_err(|error| Failure::Machine(format!("no thread can be had: {error}")))?;
    let mut served: Vec<Served> = Vec::new();
    let mut words = None;
    let taken = async {
        for spec in specs {
            let one = Served::begin(spec, options, terminal, &manifest, &loader, address).await?;
            // From here on there may be a subscription, which does not stay when something goes wrong. An end without any
            // delay leaves it, and says so.
            words = one.last_words(terminal).or(words.take());
            served.push(one);
        }
        let opened = store.open(terminal, &manifest.id).await?;
        let (store, kept) = (opened.store.clone(), opened.shown.clone());
        let stand = Stand { listener, address, store, kept, dispatch: arguments.dispatch() };
        taking::take(terminal, stand, &manifest, &mut served).await
    };
    let taken = taken.await;
    for one in &mut served {
        one.end(terminal).await?;
    }
    drop(words);
    let Taking { shown, unfinished } = taken?;
    if unfinished > 0 {
        let many = if unfinished == 1 { "run was" } else { "runs were" };
        terminal.warn(format_args!("{unfinished} {many} under way and not finished: done at the next start"));
    }
    if terminal.json {
        return Ok(());
    }
    let taken = shown.taken.load(Ordering::Relaxed);
    terminal.note(format_args!("stopped; {taken} {} taken", if taken == 1 { "event" } else { "events" }));
    for path in served.iter().filter(|one| one.url.is_some()).filter_map(|one| one.spec.state_file.as_deref()) {
        let path = wording::shell_word(&path.to_string_lossy());
        terminal.note(format_args!("it stays: harness unsubscribe --state-file {path} ends it"));
    }
    Ok(())
}
