//! `serve`: webhooks as they come in, one line each, until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use host::contract::{Event, Subscription, SubscriptionState, TriggerUse};
use host::{Connector, Manifest};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::events::{Line, event_line, triggers};
use super::subscribe::subscribe;
use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::receiver::{Delivery, Expected, PATH, Receiver};
use crate::cli::runtime::asked_to_stop;
use crate::cli::state_file::StateFile;
use crate::cli::terminal::{BAD, CARE, DIM, STRONG, Terminal, one_line, paint};
use crate::cli::values::trigger_use;

/// The field that deliveries are checked with which no subscription of ours signs.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

/// A subscription that ends by itself is renewed so long before.
const BEFORE_THE_END: Duration = Duration::from_secs(300);

/// One that could not be renewed is tried again after so long.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(60);

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
    let address = receiver.address();
    let mut renewal = Renewal::default();
    let (mut url, mut expected) = (None, Expected::default());
    if arguments.subscribe {
        let own = arguments.url.clone().unwrap_or_else(|| receiver.url(&manifest.id));
        let triggers = triggers(&connector, &arguments.triggers).await?;
        let made = subscribe(terminal, &connector, &link, &own, triggers, file.as_ref()).await?;
        renewal.due(&made);
        expected = Expected::of(made.state, arguments.triggers.clone());
        url = Some(own);
    } else if let Some(kept) = kept {
        expected = Expected::of(kept.state, Vec::new());
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let connection = link.connection.clone();
    let (mut inbox, serving) = receiver.serve(connector.clone(), connection, expected.clone(), async {
        let _ = stopped.await;
    });
    let mut stopping = std::pin::pin!(asked_to_stop());
    announce(terminal, address, url.as_deref())?;

    let mut taken = 0_u64;
    let mut loading = Loading { connector: &connector, link: &link, loads: JoinSet::new() };
    let ended = loop {
        let arrival = tokio::select! {
            () = &mut stopping => break Ok(()),
            arrival = inbox.next() => arrival,
            loaded = loading.next() => match show_loaded(terminal, &loaded) {
                Ok(()) => continue,
                Err(failure) => break Err(failure),
            },
            () = renewal.time() => {
                renew(terminal, &connector, &link, &expected, file.as_ref().zip(url.as_deref()), &mut renewal).await;
                continue;
            }
        };
        let Some(arrival) = arrival else { break Ok(()) };
        // What cannot be printed is not taken: the sender gets no 200 and sends it again.
        if let Err(failure) = arrival.deliveries.iter().try_for_each(|delivery| show(terminal, delivery)) {
            break Err(failure);
        }
        for delivery in &arrival.deliveries {
            if let Delivery::Event(event) = delivery {
                taken += 1;
                loading.begin(event);
            }
        }
        arrival.taken();
    };
    let _ = stop.send(());
    drop(inbox);
    if let (true, None, Some(state)) = (arguments.subscribe, &file, expected.state()) {
        end(&connector, &link, arguments, &state).await?;
    }
    // Every answer that is due has been given, or its sender has gone.
    let _ = serving.await;
    if !terminal.json {
        terminal.note(format_args!("stopped; {taken} {} taken", if taken == 1 { "event" } else { "events" }));
        if let Some(file) = file.filter(|_| arguments.subscribe) {
            let path = file.path();
            terminal.note(format_args!("it stays: harness unsubscribe --state-file {} ends it", path.display()));
        }
    }
    ended
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
    connector: &Connector,
    link: &Link,
    arguments: &Arguments,
    state: &SubscriptionState,
) -> Result<(), Failure> {
    let named: Vec<String> = arguments.triggers.iter().map(|named| named.trigger.clone()).collect();
    let named = (!named.is_empty()).then_some(named);
    let call = link.fresh_call()?;
    watch("Removing the webhook endpoint", connector.unsubscribe(&call, state, named)).await?;
    Ok(())
}

/// When the subscription is to be renewed.
#[derive(Default)]
struct Renewal {
    at: Option<tokio::time::Instant>,
}

impl Renewal {
    /// In time before this one ends, where it does.
    fn due(&mut self, made: &Subscription) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.at = made.expires_at.map(|end| {
            let left = Duration::from_secs(end).saturating_sub(now).saturating_sub(BEFORE_THE_END);
            // One that has always just ended is not renewed without pause.
            let left = left.clamp(BETWEEN_RENEWALS, Duration::from_secs(366 * 24 * 3600));
            tokio::time::Instant::now() + left
        });
    }

    /// Is over when it is time.
    async fn time(&self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// Prolongs the subscription. What goes wrong is told, and tried again.
async fn renew(
    terminal: &mut Terminal,
    connector: &Connector,
    link: &Link,
    expected: &Expected,
    file: Option<(&StateFile<'_>, &str)>,
    renewal: &mut Renewal,
) {
    renewal.at = Some(tokio::time::Instant::now() + BETWEEN_RENEWALS);
    let Some(state) = expected.state() else { return };
    let renewed = async {
        let renewed = connector.renew(&link.fresh_call()?, &state).await?.value;
        expected.replace(renewed.state.clone());
        if let Some((file, url)) = file {
            file.write(url, &renewed.state)?;
        }
        Ok::<_, Failure>(renewed)
    };
    match renewed.await {
        Ok(renewed) => renewal.due(&renewed),
        Err(failure) => {
            terminal.warn(format_args!("the subscription was not renewed: {}", one_line(&failure.to_string())));
        }
    }
}

/// Thin events of which the rest is on its way.
struct Loading<'a> {
    connector: &'a Connector,
    link: &'a Link,
    loads: JoinSet<Loaded>,
}

/// An event that was thin, complete or still thin, with the reason.
struct Loaded {
    id: String,
    result: Result<Event, Failure>,
}

impl Loading<'_> {
    /// Fetches the rest of an event that is thin.
    fn begin(&mut self, event: &Event) {
        if event.complete {
            return;
        }
        let (connector, event) = (self.connector.clone(), event.clone());
        let call = self.link.fresh_call();
        self.loads.spawn(async move {
            let load = async { Ok(connector.load(&call?, &event.payload).await?.value) };
            Loaded { result: load.await, id: event.id }
        });
    }

    /// The next that came to an end.
    async fn next(&mut self) -> Loaded {
        loop {
            match self.loads.join_next().await {
                Some(Ok(loaded)) => return loaded,
                // It was given up, which only the end of the process does.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

fn show_loaded(terminal: &mut Terminal, loaded: &Loaded) -> Result<(), Failure> {
    match &loaded.result {
        Ok(event) if terminal.json => terminal.json_line(&Line::Loaded { event }),
        Ok(event) => terminal.line(event_line(event)),
        Err(failure) => {
            let reason = one_line(&failure.to_string());
            terminal.warn(format_args!("{} stays thin: {reason}", one_line(&loaded.id)));
            Ok(())
        }
    }
}

fn announce(terminal: &mut Terminal, address: SocketAddr, subscribed: Option<&str>) -> Result<(), Failure> {
    if terminal.json {
        let url = format!("http://{address}");
        return terminal.json_line(&json!({ "type": "listening", "url": url, "subscribed": subscribed }));
    }
    terminal
        .line(format_args!("Listening on {}; POST webhooks to {PATH}/…", paint(STRONG, format!("http://{address}"))))?;
    match subscribed {
        Some(url) => terminal.line(paint(DIM, format!("The service delivers to {}. Ctrl-C ends it.", one_line(url)))),
        None => terminal.line(paint(DIM, "Ctrl-C ends it.")),
    }
}

fn show(terminal: &mut Terminal, delivery: &Delivery) -> Result<(), Failure> {
    if terminal.json {
        return terminal.json_line(&match delivery {
            Delivery::Event(event) => Line::Event { event },
            Delivery::Duplicate(event) => Line::Duplicate { id: &event.id, triggers: &event.triggers },
            Delivery::Ignored(event) => Line::Ignored { event },
            Delivery::Answered(status) => Line::Answered { status: *status },
            Delivery::Refused(error) => Line::Refused { error },
            Delivery::Failed(reason) => Line::Failed { message: reason },
        });
    }
    let line = |style, word: &str, text: &str| {
        let word = one_line(word);
        format!("{}  {}", paint(style, format!("{word:<30}")), one_line(text))
    };
    terminal.line(match delivery {
        Delivery::Event(event) => event_line(event),
        Delivery::Duplicate(event) => line(DIM, &event.event_type, &format!("{} was taken before, dropped", event.id)),
        Delivery::Ignored(event) => line(DIM, &event.event_type, &format!("{} ignored: {}", event.id, event.reason)),
        Delivery::Answered(status) => line(DIM, "answered", &status.to_string()),
        Delivery::Refused(error) => line(BAD, "refused", &error.message),
        Delivery::Failed(reason) => line(CARE, "failed, will be sent again", reason),
    })
}
