//! Serving: the inbox beside the terminal, until somebody wants an end.
//!
//! Lines are written beside everything else, so that a reader which has stopped reading holds up what it would read, and
//! neither the end nor the answers of senders: what was taken is in the store.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use host::Manifest;
use inbox::{Bounds, Dispatch, Inbox, PATH, Settings};
use serde_json::json;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, sleep_until, timeout};

use crate::cli::commands::serve::forwarded;
use crate::cli::commands::serve::renewal::renew;
use crate::cli::commands::serve::screen::{Said, Screen};
use crate::cli::commands::serve::shown::{Places, Shown};
use crate::cli::commands::serve::sources::Served;
use crate::cli::failure::Failure;
use crate::cli::handlers::print::Print;
use crate::cli::listen::{Listening, News};
use crate::cli::live::{Live, Look};
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::stopping;
use crate::cli::terminal::{DIM, STRONG, Terminal, Unwritten, one_line, paint};

/// How far behind we are is looked at so often.
const GLANCE: Duration = Duration::from_secs(1);

/// What is still to be said at the end has so long for each line.
const LAST_LINE: Duration = Duration::from_millis(500);

/// Where is served, and how.
pub struct Stand {
    pub listener: TcpListener,
    pub address: SocketAddr,
    pub store: Arc<dyn Store>,
    /// Where the store is, without a password.
    pub kept: String,
    pub dispatch: Dispatch,
}

/// How it went.
pub struct Taking {
    pub shown: Arc<Shown>,
    /// So many runs were begun and not finished.
    pub unfinished: usize,
}

/// A line on its way to the reader.
type Writing = Pin<Box<dyn Future<Output = Result<(), Unwritten>> + Send>>;

/// Ends when what is being written is with the reader; never, when nothing is.
async fn written(writing: &mut Option<Writing>) -> Result<(), Unwritten> {
    match writing {
        Some(writing) => writing.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Ends when the next subscription is to be renewed, and says which; never, when none is.
async fn renewal_due(served: &[Served]) -> usize {
    let next = served.iter().enumerate().filter_map(|(index, one)| Some((one.renewal.at()?, index))).min();
    match next {
        Some((at, index)) => {
            sleep_until(at).await;
            index
        }
        None => std::future::pending().await,
    }
}

/// What is new of what brings deliveries; it never ends where nothing does.
async fn brought(listening: &mut Option<(usize, Listening)>) -> News {
    match listening {
        Some((_, listening)) => listening.news().await,
        None => std::future::pending().await,
    }
}

/// Takes what comes until somebody wants an end.
pub async fn take(
    terminal: &mut Terminal,
    stand: Stand,
    manifest: &Manifest,
    served: &mut [Served],
) -> Result<Taking, Failure> {
    let mut bounds = Bounds::default();
    if let Some(few) = inbox::fit(&mut bounds) {
        terminal.warn(few);
    }
    let lines = terminal.lines().map_err(|error| Failure::Machine(format!("no thread can be had: {error}")))?;
    let mut places = Places::new();
    for one in served.iter() {
        places.insert(one.spec.name.clone(), one.place()?);
    }
    let (screen, mut said) = Screen::new();
    let live = Live::new(Look { screen: terminal.is_screen(), color: terminal.has_color() });
    let shown = Arc::new(Shown::new(screen, terminal.form(), live, places));
    let (over, mut is_over) = mpsc::channel(1);
    let look = Arc::clone(&shown);
    let print = Arc::new(Print::new(lines.clone(), Box::new(move |run| look.event(run)), over));
    let mut sources = Vec::with_capacity(served.len());
    for one in served.iter() {
        let source = one.source(manifest, print.clone()).await?;
        source.try_out().await?;
        sources.push(source);
    }
    let settings = Settings { bounds, dispatch: stand.dispatch };
    let inbox = Inbox::new(stand.store, sources, settings, shown.clone())?;

    let mut stopping = pin!(stopping::wanted());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = inbox.serve(stand.listener, async {
        let _ = stopped.await;
    });
    let mut serving = tokio::spawn(serving);
    announce(terminal, stand.address, &stand.kept, served)?;
    let mut writing: Option<Writing> = None;
    let mut listening = served.iter_mut().enumerate().find_map(|(index, one)| Some((index, one.listening.take()?)));
    let ended = loop {
        let free = writing.is_none();
        tokio::select! {
            _ = &mut stopping => break Ok(()),
            why = is_over.recv() => break why.map_or(Ok(()), Err),
            done = written(&mut writing) => {
                writing = None;
                if let Err(unwritten) = done {
                    break Err(unwritten);
                }
            }
            Some(said) = said.recv(), if free => {
                writing = line(terminal, &shown, said).map(|text| Box::pin(lines.write(text)) as Writing);
            }
            () = sleep(GLANCE), if free && shown.moves() => writing = Some(Box::pin(lines.write(shown.later()))),
            news = brought(&mut listening), if free => match forwarded::told(news) {
                Ok(secret) => {
                    if let Some(one) = listening.as_ref().and_then(|(index, _)| served.get(*index)) {
                        one.check_with(manifest, &secret)?;
                    }
                }
                Err(text) => {
                    let said = line(terminal, &shown, Said::Warning(text));
                    writing = said.map(|text| Box::pin(lines.write(text)) as Writing);
                }
            },
            index = renewal_due(served) => tokio::select! {
                () = async {
                    // It may have something to say on standard error, where the status line is.
                    let hidden = shown.hidden();
                    if !hidden.is_empty() {
                        let _ = timeout(LAST_LINE, lines.write(hidden)).await;
                    }
                    prolong(terminal, manifest, served, index).await;
                } => {}
                _ = &mut stopping => break Ok(()),
            },
        }
    };
    if let Some((_, listening)) = listening {
        listening.stop().await;
    }
    let _ = stop.send(());
    let unfinished = (&mut serving).await.map_or(0, |ended| ended.unfinished);
    // What is not with its reader by now was shown to nobody; every event of it is in the store.
    let mut last = Vec::new();
    while let (Ok(()), Ok(said)) = (&ended, said.try_recv()) {
        last.extend(line(terminal, &shown, said));
    }
    last.extend(Some(shown.ended()).filter(|text| !text.is_empty()));
    for text in last {
        match timeout(LAST_LINE, lines.write(text)).await {
            Ok(done) if ended.is_ok() => done?,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    ended?;
    Ok(Taking { shown, unfinished })
}

/// What is to be written to standard output, if that is where it belongs. Below a status line nothing else may write.
fn line(terminal: &mut Terminal, shown: &Shown, said: Said) -> Option<String> {
    match said {
        Said::Line(text) => (!text.is_empty()).then_some(text),
        Said::Note(text) => shown.told(&text, false).or_else(|| {
            terminal.note(&text);
            None
        }),
        Said::Warning(text) => shown.told(&text, true).or_else(|| {
            terminal.warn(&text);
            None
        }),
    }
}

async fn prolong(terminal: &mut Terminal, manifest: &Manifest, served: &mut [Served], index: usize) {
    let Some(Served { spec, link, connector, expected, renewal, url, .. }) = served.get_mut(index) else { return };
    let file = spec.state_file.as_deref().map(|path| StateFile::new(path, &manifest.id));
    renew(terminal, connector, link, expected, file.as_ref().zip(url.as_deref()), renewal).await;
}

fn announce(terminal: &mut Terminal, address: SocketAddr, kept: &str, served: &[Served]) -> Result<(), Unwritten> {
    let subscribed = served.iter().find_map(|one| one.url.as_deref());
    let names: Vec<&str> = served.iter().map(|one| one.spec.name.as_str()).collect();
    if terminal.json {
        let url = format!("http://{address}");
        return terminal.json_line(&json!({
            "type": "listening", "url": url, "subscribed": subscribed, "sources": names, "store": kept,
        }));
    }
    let below = match &names[..] {
        [_] => "…".to_owned(),
        names => names.join(", "),
    };
    let url = paint(STRONG, format!("http://{address}"));
    terminal.line(format_args!("Listening on {url}; POST webhooks to {PATH}/{below}"))?;
    let delivers = subscribed.map(|url| format!("The service delivers to {}. ", one_line(url))).unwrap_or_default();
    terminal.line(paint(DIM, format!("{delivers}Events are kept in {}. Ctrl-C ends it.", one_line(kept))))
}
