//! How kept events and their runs are said.

use host::contract::Embedded;
use serde::Serialize;
use store::{KeptEvent, KeptRun, Moment, RunState, Via};

use crate::cli::failure::Failure;
use crate::cli::terminal::{BAD, CARE, DIM, GOOD, STRONG, one_line, paint};
use crate::cli::wording;

/// An event as JSON.
#[derive(Serialize)]
pub struct EventForm<'a> {
    source: &'a str,
    id: &'a str,
    event_type: &'a str,
    occurred_at: String,
    taken_at: String,
    via: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    runs: Vec<RunForm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Embedded<'a>>,
}

#[derive(Serialize)]
struct RunForm<'a> {
    run: &'a str,
    trigger: &'a str,
    replay: u32,
    state: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> EventForm<'a> {
    pub fn of(event: &'a KeptEvent) -> Self {
        Self {
            source: &event.key.source,
            id: &event.key.id,
            event_type: &event.event_type,
            occurred_at: moment(event.occurred_at),
            taken_at: moment(event.taken_at),
            via: via(event.via),
            object: event.object.as_deref(),
            runs: event.runs.iter().map(RunForm::of).collect(),
            event: event.body.as_deref().map(Embedded),
        }
    }
}

impl<'a> RunForm<'a> {
    fn of(run: &'a KeptRun) -> Self {
        Self {
            run: run.key.as_str(),
            trigger: &run.trigger,
            replay: run.replay,
            state: state(run.state),
            attempts: run.attempts,
            due: run.due.map(moment),
            settled_at: run.settled_at.map(moment),
            worker: run.worker.as_deref(),
            reason: run.reason.as_deref(),
        }
    }
}

pub fn moment(moment: Moment) -> String {
    wording::unix_seconds(u64::try_from(moment.unix_millis() / 1000).unwrap_or_default())
}

pub fn via(via: Via) -> &'static str {
    match via {
        Via::Webhook => "webhook",
        Via::Poll => "catch-up",
    }
}

pub fn state(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "waiting",
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Dead => "dead",
    }
}

/// A state as people write it.
pub fn read_state(text: &str) -> Result<RunState, String> {
    [RunState::Waiting, RunState::Running, RunState::Done, RunState::Dead]
        .into_iter()
        .find(|known| state(*known) == text)
        .ok_or_else(|| "it is waiting, running, done or dead".to_owned())
}

fn shown_state(found: RunState) -> String {
    let style = match found {
        RunState::Waiting => CARE,
        RunState::Running => STRONG,
        RunState::Done => GOOD,
        RunState::Dead => BAD,
    };
    paint(style, format!("{:<7}", state(found)))
}

/// An event as a line.
pub fn event_line(event: &KeptEvent) -> String {
    let runs: Vec<String> = event.runs.iter().map(|run| shown_state(run.state).trim_end().to_owned()).collect();
    let runs = if runs.is_empty() { paint(DIM, "no run") } else { runs.join(" ") };
    let (taken, source) = (paint(DIM, moment(event.taken_at)), paint(DIM, &event.key.source));
    let kind = paint(STRONG, format!("{:<30}", one_line(&event.event_type)));
    format!("{taken}  {kind}  {}  {source}  {runs}", one_line(&event.key.id))
}

/// A run as a line.
pub fn run_line(run: &KeptRun) -> String {
    let mut line = format!("{}  {}  {}", shown_state(run.state), one_line(run.key.as_str()), one_line(&run.trigger));
    let tries = if run.attempts == 1 { "try" } else { "tries" };
    line.push_str(&format!("  {}", paint(DIM, format!("{} {tries}", run.attempts))));
    if run.replay > 0 {
        line.push_str(&paint(DIM, format!("  replay {}", run.replay)));
    }
    if let Some(due) = run.due.filter(|_| run.state == RunState::Waiting) {
        line.push_str(&paint(DIM, format!("  due {}", moment(due))));
    }
    if let Some(reason) = run.reason.as_deref().filter(|_| run.state != RunState::Done) {
        line.push_str(&format!("  {}", one_line(reason)));
    }
    line
}

/// The events of an id; most often one, and of several sources where the id is.
pub async fn events_of(store: &dyn store::Store, id: &str, source: Option<&str>) -> Result<Vec<KeptEvent>, Failure> {
    let filter =
        store::Filter { id: Some(id.to_owned()), source: source.map(str::to_owned), ..store::Filter::default() };
    let found = store.events(&filter, None, 100).await?.events;
    if found.is_empty() {
        let of = source.map(|source| format!(" of {}", one_line(source))).unwrap_or_default();
        return Err(Failure::usage(format!("the store has no event {}{of}", one_line(id)))
            .hint("`harness events list` shows what it has."));
    }
    Ok(found)
}
