//! `serve`: webhooks as they come in, one line each, until Ctrl-C.

use std::net::SocketAddr;

use host_harness::contract::{SubscriptionRequest, ToJson};
use host_harness::{Connection, Connector, Manifest};
use serde_json::json;
use tokio::sync::oneshot;

use super::poll::{event_line, event_record, triggers};
use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::receiver::{Delivery, PATH, Receiver};
use crate::cli::runtime::asked_to_stop;
use crate::cli::terminal::{BAD, CARE, DIM, STRONG, Terminal, one_line, paint};

/// The field that deliveries are checked with.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

const AFTER: &str = "\
A request is answered 200 when its event was taken, which here is: printed; 400 when it is not genuine; 503 when it must
be sent again. An event that was taken before is dropped, as long as this process remembers: the newest 10,000.";

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
    /// Only these triggers; can be given again. All of them without it
    #[arg(long = "trigger", value_name = "TRIGGER", requires = "subscribe")]
    triggers: Vec<String>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = match arguments.subscribe {
        true => Link::open(options, terminal, &manifest).await?,
        // To check a signature needs no key.
        false => Link::given(options, terminal, &manifest)?,
    };
    if !arguments.subscribe && !link.connection.has(WEBHOOK_SECRET) {
        let variable = manifest.field(WEBHOOK_SECRET).and_then(|field| field.env.as_deref());
        let message = "there is no webhook signing secret, so no delivery can be checked";
        let hint = format!("Set {}, or let --subscribe get one.", variable.unwrap_or(WEBHOOK_SECRET));
        return Err(Failure::usage(message).hint(hint));
    }
    let connector = loading::load(options, &manifest, &link.grants)?;
    let receiver = Receiver::bind(arguments.listen).await?;
    let address = receiver.address();
    let subscribed = match arguments.subscribe {
        true => Some(subscribe(&connector, &link, &manifest, arguments, receiver.url(&manifest.id)).await?),
        false => None,
    };
    let connection = subscribed.as_ref().map_or(&link.connection, |(_, connection)| connection).clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let (mut inbox, serving) = receiver.serve(connector.clone(), connection, async {
        let _ = stopped.await;
    });
    let mut stopping = std::pin::pin!(asked_to_stop());
    announce(terminal, address, subscribed.as_ref().map(|(url, _)| url.as_str()))?;

    let mut taken = 0_u64;
    let ended = loop {
        let arrival = tokio::select! {
            () = &mut stopping => break Ok(()),
            arrival = inbox.next() => arrival,
        };
        let Some(arrival) = arrival else { break Ok(()) };
        // What cannot be printed is not taken: the sender gets no 200 and sends it again.
        if let Err(failure) = arrival.deliveries.iter().try_for_each(|delivery| show(terminal, delivery)) {
            break Err(failure);
        }
        taken += arrival.deliveries.iter().filter(|delivery| matches!(delivery, Delivery::Event(_))).count() as u64;
        arrival.taken();
    };
    let _ = stop.send(());
    drop(inbox);
    if let Some((url, _)) = &subscribed {
        let named = (!arguments.triggers.is_empty()).then(|| arguments.triggers.clone());
        let call = link.fresh_call()?;
        watch("Removing the webhook endpoint", connector.unsubscribe(&call, url, named)).await?;
    }
    // Every answer that is due has been given, or its sender has gone.
    let _ = serving.await;
    if !terminal.json {
        terminal.note(format_args!("stopped; {taken} {} taken", if taken == 1 { "event" } else { "events" }));
    }
    ended
}

/// The URL that the service delivers to, and the connection with the secret that it signs with.
async fn subscribe(
    connector: &Connector,
    link: &Link,
    manifest: &Manifest,
    arguments: &Arguments,
    own: String,
) -> Result<(String, Connection), Failure> {
    let url = arguments.url.clone().unwrap_or(own);
    let triggers = triggers(connector, &arguments.triggers).await?;
    let request = SubscriptionRequest { callback_url: url.clone(), triggers };
    let made = watch("Making the webhook endpoint", connector.subscribe(&link.fresh_call()?, request)).await?.value;
    let connection = match made.secret {
        Some(secret) => link.with(manifest, WEBHOOK_SECRET, secret)?,
        None if link.connection.has(WEBHOOK_SECRET) => link.connection.clone(),
        None => {
            let message = format!("the service delivers to {url} already, and told the secret when that began");
            return Err(Failure::usage(message).hint("Set the webhook secret, or remove that endpoint and try again."));
        }
    };
    Ok((url, connection))
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
            Delivery::Event(event) => event_record(event),
            Delivery::Duplicate(event) => json!({ "type": "duplicate", "id": event.id, "trigger": event.trigger }),
            Delivery::Ignored(event) => json!({ "type": "ignored", "event": event.to_json() }),
            Delivery::Refused(error) => json!({ "type": "refused", "error": error.to_json() }),
            Delivery::Failed(reason) => json!({ "type": "failed", "message": reason }),
        });
    }
    let line = |style, word: &str, text: &str| format!("{}  {}", paint(style, format!("{word:<30}")), one_line(text));
    terminal.line(match delivery {
        Delivery::Event(event) => event_line(event),
        Delivery::Duplicate(event) => line(DIM, &event.trigger, &format!("{} was taken before, dropped", event.id)),
        Delivery::Ignored(event) => line(DIM, &event.event_type, &format!("{} ignored: {}", event.id, event.reason)),
        Delivery::Refused(error) => line(BAD, "refused", &error.message),
        Delivery::Failed(reason) => line(CARE, "failed, will be sent again", reason),
    })
}
