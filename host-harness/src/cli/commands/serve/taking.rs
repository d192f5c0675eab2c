//! Taking deliveries: printed first, answered then, and known again from then on.
//!
//! Lines are written beside everything else, so that a reader which has stopped reading holds up what it would read, and
//! neither the end nor the answers of others: their senders are told to come again.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use host::Connector;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cli::commands::serve::renewal::{Renewal, renew};
use crate::cli::commands::serve::shown;
use crate::cli::commands::serve::thin::Loading;
use crate::cli::failure::Failure;
use crate::cli::receiver::files;
use crate::cli::receiver::http::{Expected, PATH, Receiver};
use crate::cli::receiver::inbox::{Arrival, Delivery, Inbox};
use crate::cli::receiver::listen::Bounds;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::stopping;
use crate::cli::terminal::{DIM, Lines, STRONG, Terminal, Unwritten, one_line, paint};

/// What is under way when somebody wants an end has so long.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// What deliveries are taken for.
pub struct Served<'a> {
    pub connector: &'a Connector,
    pub link: &'a Link,
    pub expected: &'a Expected,
    /// Where the subscription's state is kept, and its URL.
    pub kept: Option<(&'a StateFile<'a>, &'a str)>,
}

/// Lines on their way to the reader, and what is taken when they are there.
struct Printing {
    written: Pin<Box<dyn Future<Output = Result<(), Unwritten>>>>,
    arrival: Option<Arrival>,
}

impl Printing {
    fn of(lines: &Lines, text: String, arrival: Option<Arrival>) -> Self {
        Self { written: Box::pin(lines.write(text)), arrival }
    }
}

/// Ends when what is being printed is with the reader; never, when nothing is.
async fn printed(printing: &mut Option<Printing>) -> Result<(), Unwritten> {
    match printing {
        Some(printing) => printing.written.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Takes what comes until somebody wants an end, and says how many events that were.
pub async fn take(
    terminal: &mut Terminal,
    receiver: Receiver,
    served: Served<'_>,
    subscribed: Option<&str>,
    mut renewal: Renewal,
) -> Result<u64, Failure> {
    let Served { connector, link, expected, kept } = served;
    let mut bounds = Bounds::default();
    if let Some(few) = files::fit(&mut bounds) {
        terminal.warn(few);
    }
    let mut stopping = pin!(stopping::wanted());
    let (stop, stopped) = oneshot::channel::<()>();
    let address = receiver.address();
    let (mut inbox, serving) =
        receiver.serve(connector.clone(), link.connection.clone(), expected.clone(), bounds, async {
            let _ = stopped.await;
        });
    announce(terminal, address, subscribed)?;
    let lines = terminal.lines().map_err(|error| Failure::Machine(format!("no thread can be had: {error}")))?;

    let mut taken = 0;
    let mut loading = Loading::new(connector, link);
    let mut printing: Option<Printing> = None;
    let ended = loop {
        let free = printing.is_none();
        tokio::select! {
            _ = &mut stopping => break Ok(()),
            written = printed(&mut printing) => match (written, printing.take()) {
                (Ok(()), Some(printed)) => taken += settle(&mut inbox, &mut loading, printed),
                // What cannot be printed is not taken: the sender gets no 200 and sends it again.
                (written, _) => break written,
            },
            arrival = inbox.next(), if free => {
                let Some(arrival) = arrival else { break Ok(()) };
                let text = arrival.deliveries.iter().map(|delivery| shown::delivery(terminal, delivery)).collect();
                printing = Some(Printing::of(&lines, text, Some(arrival)));
            }
            loaded = loading.next(), if free => {
                printing = shown::loaded(terminal, &loaded).map(|text| Printing::of(&lines, text, None));
            }
            () = renewal.time() => tokio::select! {
                () = renew(terminal, connector, link, expected, kept, &mut renewal) => {}
                _ = &mut stopping => break Ok(()),
            },
        }
    };
    let _ = stop.send(());
    let finish = async {
        if let Some(mut last) = printing.take()
            && last.written.as_mut().await.is_ok()
        {
            taken += settle(&mut inbox, &mut loading, last);
        }
        // Whoever still waits is told to come again.
        drop(inbox);
        while !loading.is_empty() {
            let loaded = loading.next().await;
            if let Some(text) = shown::loaded(terminal, &loaded) {
                lines.write(text).await?;
            }
        }
        Ok::<_, Unwritten>(())
    };
    if ended.is_ok() {
        match timeout(AFTERWARDS, finish).await {
            Ok(done) => done?,
            Err(_) => terminal.warn("what was still to be printed or fetched was given up"),
        }
    } else {
        drop(finish);
    }
    // Every answer that is due has been given, or its sender has gone.
    let _ = serving.await;
    Ok(ended.map(|()| taken)?)
}

/// What was printed was taken. How many events that were.
fn settle(inbox: &mut Inbox, loading: &mut Loading<'_>, printed: Printing) -> u64 {
    let Some(arrival) = printed.arrival else { return 0 };
    let mut events = 0;
    for delivery in &arrival.deliveries {
        if let Delivery::Event(event) = delivery {
            events += 1;
            loading.begin(event);
        }
    }
    inbox.taken(arrival);
    events
}

fn announce(terminal: &mut Terminal, address: SocketAddr, subscribed: Option<&str>) -> Result<(), Unwritten> {
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
