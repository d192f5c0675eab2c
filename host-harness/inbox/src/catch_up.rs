//! What deliveries missed: an outage of ours, an endpoint that was disabled, a delivery that the service gave up.
//!
//! The service's own list of events is read from where it was read to last, at the start and every few minutes. Events that are
//! known start nothing again, since the store knows them by their id. The position moves on only when the events
//! before it are durable. It belongs to the account and mode that the connection turns out to be of, so that another key of
//! the same account goes on where the first stopped, and another account begins anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guard::Stopped;
use host::CallError;
use host::contract::{ErrorKind, Mode, PollResult};
use store::Moment;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::news::{News, Via};
use crate::shared::Shared;
use crate::source::{CatchUp, Source};

/// What failed is tried again after so long, where the next look is not sooner.
const AFTER_A_FAILURE: Duration = Duration::from_secs(20);

/// Every event that a service remembers of a busy month, in pages of a hundred.
const MOST_PAGES: u32 = 100_000;

/// Extras by which a connector says that something was missed for good.
const GAPS: [&str; 2] = ["missed-before", "possible-gap"];

/// Looks for what was missed until the end.
pub(crate) async fn keep_up(shared: Arc<Shared>, source: Arc<Source>, how: CatchUp, mut stop: watch::Receiver<bool>) {
    let mut position = None;
    loop {
        let wait = tokio::select! {
            found = look(&shared, &source, &how, &mut position) => match found {
                Ok(Found { new, known }) => {
                    if let Some(figures) = shared.figures(&source) {
                        figures.catch_ups.fetch_add(1, Ordering::Relaxed);
                    }
                    shared.tell(&source, &News::CaughtUp { new, known });
                    how.every
                }
                Err(reason) => {
                    if let Some(figures) = shared.figures(&source) {
                        figures.catch_ups_failed.fetch_add(1, Ordering::Relaxed);
                    }
                    tracing::warn!(source = %source.name, %reason, "what may have been missed was not fetched");
                    shared.tell(&source, &News::NotCaughtUp { reason: &reason });
                    AFTER_A_FAILURE.min(how.every)
                }
            },
            _ = stop.wait_for(|stop| *stop) => return,
        };
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// What one look brought.
#[derive(Default)]
struct Found {
    new: u64,
    known: u64,
}

async fn look(shared: &Shared, source: &Source, how: &CatchUp, known: &mut Option<String>) -> Result<Found, String> {
    let away = |error: store::Error| error.to_string();
    let name = match known {
        Some(name) => &*name,
        None => known.insert(position_of(source).await?),
    };
    let position = shared.answered(shared.store.position(name).await).map_err(away)?;
    let mut cursor = position.map(|position| position.cursor);
    let mut found = Found::default();
    for _ in 0..MOST_PAGES {
        let page = match page(source, how, cursor.as_deref()).await {
            Ok(page) => page,
            Err(Unread::Position(reason)) if cursor.is_some() => {
                gap(shared, source, &serde_json::Value::from(reason).to_string());
                cursor = None;
                continue;
            }
            Err(Unread::Position(reason) | Unread::Failed(reason)) => return Err(reason),
        };
        if let Some(missed) = page.metadata.extras.iter().find(|extra| GAPS.contains(&extra.name.as_str())) {
            gap(shared, source, &missed.value);
        }
        let taken = shared.keep(source, &page.events, Via::CatchUp).await.map_err(away)?;
        let new = taken.iter().filter(|taken| taken.first).count() as u64;
        found.new += new;
        found.known += taken.len() as u64 - new;
        if let Some(figures) = shared.figures(source) {
            figures.missed.fetch_add(new, Ordering::Relaxed);
        }
        let set = shared.store.set_position(name, &page.cursor, Moment::now()).await;
        shared.answered(set).map_err(away)?;
        if !page.has_more {
            return Ok(found);
        }
        if cursor.as_deref() == Some(&*page.cursor) {
            return Err("the list of events does not move on".to_owned());
        }
        cursor = Some(page.cursor);
    }
    Err("the list of events has no end".to_owned())
}

/// What the position is kept under.
async fn position_of(source: &Source) -> Result<String, String> {
    let call = source.call().map_err(|error| error.to_string())?;
    let report = source.connector.test_connection(&call).await.map_err(|error| error.to_string())?.value;
    let mode = match report.mode {
        Mode::Test => "test",
        Mode::Live => "live",
    };
    Ok(format!("{}/{mode}/{}", source.name, report.account_id.as_deref().unwrap_or_default()))
}

/// Why a page was not read.
enum Unread {
    /// The position is of no use any more.
    Position(String),
    Failed(String),
}

async fn page(source: &Source, how: &CatchUp, cursor: Option<&str>) -> Result<PollResult, Unread> {
    let call = source.call().map_err(|error| Unread::Failed(error.to_string()))?;
    match source.connector.poll(&call, how.uses.clone(), cursor).await {
        Ok(reply) => Ok(reply.value),
        Err(Stopped::Failed(CallError::Connector(failure)))
            if failure.error.kind == ErrorKind::InvalidInput && failure.error.field.as_deref() == Some("cursor") =>
        {
            Err(Unread::Position(failure.error.message.clone()))
        }
        Err(error) => Err(Unread::Failed(error.to_string())),
    }
}

fn gap(shared: &Shared, source: &Source, missed: &str) {
    tracing::warn!(source = %source.name, missed, "events were missed that the service does not remember any more");
    shared.tell(source, &News::Gap { missed });
}
