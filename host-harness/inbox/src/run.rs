//! One try of a run: the event is read and, where it is thin, fetched; the handler does it; how that ended is written down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::Stopped;
use host::CallError;
use host::contract::{ErrorKind, Event};
use store::{Claim, Ending, Moment};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::handler::{Run, Verdict};
use crate::metrics::Tried;
use crate::news::News;
use crate::settings::Dispatch;
use crate::shared::Shared;
use crate::source::Source;

/// How a try that did not come to its end is put down.
const STOPPED: &str = "the process was stopped before it ended";

/// Does a claimed run, and settles it. Where the claim is lost, somebody else has the run, and it is dropped.
pub(crate) async fn run(
    shared: Arc<Shared>,
    settings: Arc<Dispatch>,
    claim: Claim,
    mut given_up: watch::Receiver<bool>,
) {
    let Some(source) = shared.sources.get(&claim.event.source).cloned() else { return };
    let began = Instant::now();
    let verdict = tokio::select! {
        verdict = tried(&shared, &source, &settings, &claim) => verdict,
        () = lost(&shared, &settings, &claim) => {
            tracing::warn!(run = %claim.key, "somebody else has the run: its lease was over");
            return;
        }
        _ = given_up.wait_for(|given_up| *given_up) => Verdict::again(STOPPED),
    };
    let stopped = *given_up.borrow();
    let ending = ending(&shared, &source, &settings, &claim, verdict, stopped, began.elapsed());
    settle(&shared, &claim, ending, given_up).await;
}

async fn tried(shared: &Shared, source: &Source, settings: &Dispatch, claim: &Claim) -> Verdict {
    // An end of the process in the middle is a try as well: what ends it every time must not do so for ever.
    if claim.attempt > settings.backoff.tries {
        let before = claim.last_reason.as_deref().unwrap_or("its process ended");
        return Verdict::dead(format!("it was begun {} times without an end; {before}", claim.attempt - 1));
    }
    let event = match serde_json::from_str::<Event>(&claim.body) {
        Ok(event) => event,
        Err(_) => return Verdict::dead("the stored event cannot be read"),
    };
    let event = match event.complete {
        true => event,
        false => match fetched(source, event).await {
            // A filter on what a thin event only points at can be held against it now.
            Ok(event) if !source.expected.uses().is_empty() && !event.triggers.contains(&claim.trigger) => {
                shared.tell(source, &News::Filtered { event: &event, trigger: &claim.trigger });
                return Verdict::Done;
            }
            Ok(event) => event,
            Err(verdict) => return verdict,
        },
    };
    let run = Run {
        key: claim.key.as_str().to_owned(),
        source: source.name.clone(),
        trigger: claim.trigger.clone(),
        attempt: claim.attempt,
        replay: claim.replay > 0,
        event,
    };
    shared.tell(source, &News::Began { run: &run });
    let began = Instant::now();
    let verdict = match source.handler.longest() {
        None => source.handler.handle(&run).await,
        Some(longest) => timeout(longest, source.handler.handle(&run))
            .await
            .unwrap_or_else(|_| Verdict::again(format!("it took longer than {} s", longest.as_secs()))),
    };
    if verdict == Verdict::Done {
        shared.tell(source, &News::Done { run: &run, took: began.elapsed() });
    }
    verdict
}

/// The same event, with what it points at.
async fn fetched(source: &Source, thin: Event) -> Result<Event, Verdict> {
    let failed =
        |error: &dyn std::fmt::Display| format!("the event is thin, and what it points at was not fetched: {error}");
    let call = source.call().map_err(|error| Verdict::again(failed(&error)))?;
    match source.connector.load(&call, source.expected.uses().to_vec(), &thin.payload).await {
        Ok(reply) => Ok(reply.value),
        Err(Stopped::Failed(CallError::Connector(failure))) if failure.error.kind == ErrorKind::NotFound => {
            Err(Verdict::dead(failed(&failure.error.message)))
        }
        Err(error) => Err(Verdict::again(failed(&error))),
    }
}

/// Extends the claim for as long as it is polled, and ends when it is lost.
async fn lost(shared: &Shared, settings: &Dispatch, claim: &Claim) {
    loop {
        sleep(settings.lease / 3).await;
        // Where the store is away, nobody else can claim it either.
        if let Ok(false) = shared.answered(shared.store.extend(claim, settings.lease, Moment::now()).await) {
            return;
        }
    }
}

/// What a verdict means for the run.
fn ending(
    shared: &Shared,
    source: &Source,
    settings: &Dispatch,
    claim: &Claim,
    verdict: Verdict,
    stopped: bool,
    took: Duration,
) -> Ending {
    let figures = shared.figures(source);
    let count = |how| {
        if let Some(figures) = figures {
            figures.tried(how);
            figures.run.add(took);
        }
    };
    let (key, event, trigger, attempt) = (claim.key.as_str(), &*claim.event.id, &*claim.trigger, claim.attempt);
    let dead = |reason: String| {
        count(Tried::Dead);
        tracing::warn!(source = %source.name, run = key, event, trigger, attempt, %reason, "a run was given up");
        shared.tell(source, &News::Dead { key, event, trigger, attempt, reason: &reason });
        Ending::Dead { reason }
    };
    match verdict {
        Verdict::Done => {
            count(Tried::Done);
            Ending::Done
        }
        Verdict::Back => Ending::Returned,
        // Nobody's failure: it is not held against the run, and waits for nothing.
        Verdict::Again { reason, .. } if stopped => Ending::Again { at: Moment::now(), reason },
        Verdict::Again { reason, after } => match settings.backoff.after(attempt, after) {
            None => dead(format!("{reason} (try {attempt} of {})", settings.backoff.tries)),
            Some(wait) => {
                count(Tried::Again);
                tracing::info!(source = %source.name, run = key, event, trigger, attempt, %reason, ?wait, "a run failed");
                shared.tell(source, &News::Again { key, event, trigger, attempt, reason: &reason, wait });
                Ending::Again { at: Moment::now() + wait, reason }
            }
        },
        Verdict::Dead { reason } => dead(reason),
    }
}

/// Writes down how it ended. Where the store is away, it is asked until it is back, or nothing more is waited for: then
/// the run is tried once more, under the same key.
async fn settle(shared: &Shared, claim: &Claim, ending: Ending, mut given_up: watch::Receiver<bool>) {
    const LONGEST: Duration = Duration::from_secs(5);
    let mut wait = Duration::from_millis(50);
    loop {
        match shared.answered(shared.store.settle(claim, ending.clone(), Moment::now()).await) {
            Ok(true) => return,
            Ok(false) => {
                tracing::warn!(run = %claim.key, "somebody else has the run: its lease was over before it was settled");
                return;
            }
            Err(error) if !error.is_passing() => return,
            Err(_) if *given_up.borrow() => return,
            Err(_) => {}
        }
        tokio::select! {
            () = sleep(wait) => {}
            _ = given_up.wait_for(|given_up| *given_up) => {}
        }
        wait = (wait * 2).min(LONGEST);
    }
}
