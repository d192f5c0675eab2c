//! What people and metrics read.

use crate::key::RunKey;
use crate::model::{EventKey, Via};
use crate::moment::Moment;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Nobody works on it: it is due, waits for its moment, or for an earlier one of its object.
    Waiting,
    /// Somebody claimed it.
    Running,
    /// It was done.
    Done,
    /// It was given up, and can be replayed.
    Dead,
}

impl RunState {
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Waiting => 0,
            Self::Running => 1,
            Self::Done => 2,
            Self::Dead => 3,
        }
    }

    pub(crate) const fn from_code(code: i16) -> Self {
        match code {
            0 => Self::Waiting,
            1 => Self::Running,
            2 => Self::Done,
            _ => Self::Dead,
        }
    }

    pub(crate) const fn unfinished(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// Which events to list: those for which everything holds that is given.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this source.
    pub source: Option<String>,
    /// With this id.
    pub id: Option<String>,
    /// Of this type.
    pub event_type: Option<String>,
    /// With at least one run in this state.
    pub state: Option<RunState>,
}

/// Where a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) i64);

impl Cursor {
    /// As text, for a command line or URL.
    #[must_use]
    pub fn to_text(self) -> String {
        self.0.to_string()
    }

    /// From [`Cursor::to_text`].
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Events, the newest taken first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The events, without bodies.
    pub events: Vec<KeptEvent>,
    /// Where it goes on; nothing at the end.
    pub next: Option<Cursor>,
}

/// An event that was taken, and its runs.
#[derive(Clone, Debug)]
pub struct KeptEvent {
    /// Which.
    pub key: EventKey,
    /// Its type.
    pub event_type: String,
    /// When it happened, by the service's clock.
    pub occurred_at: Moment,
    /// When it was taken, by ours.
    pub taken_at: Moment,
    /// What its runs are ordered by.
    pub object: Option<String>,
    /// How it came first.
    pub via: Via,
    /// The event as text: of a single event, not in lists.
    pub body: Option<String>,
    /// Its runs, the oldest first.
    pub runs: Vec<KeptRun>,
}

/// A run of an event.
#[derive(Clone, Debug)]
pub struct KeptRun {
    /// Its key.
    pub key: RunKey,
    /// The trigger that started it.
    pub trigger: String,
    /// Which replay it is, 0 for the run that the event started.
    pub replay: u32,
    /// Where it is.
    pub state: RunState,
    /// How often it was begun since it last waited anew.
    pub attempts: u32,
    /// When it may be claimed: waiting, or running and abandoned. Nothing when it is over.
    pub due: Option<Moment>,
    /// Who works on it, or did last.
    pub worker: Option<String>,
    /// Why it failed last.
    pub reason: Option<String>,
    /// When its last claim was settled.
    pub settled_at: Option<Moment>,
}

/// How many runs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that are kept.
    pub events: u64,
    /// Runs that nobody works on yet.
    pub waiting: u64,
    /// Runs that somebody claimed.
    pub running: u64,
    /// Runs that were done and are still kept.
    pub done: u64,
    /// Runs that were given up.
    pub dead: u64,
    /// When the event of the longest waiting run was taken.
    pub oldest_waiting: Option<Moment>,
}

/// How far a source's list of events was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The connector's own words for it.
    pub cursor: String,
    /// When it was written.
    pub at: Moment,
}

/// The event of a source that happened last, of those that were taken and are still kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// Its id.
    pub event_id: String,
    /// When it happened.
    pub occurred_at: Moment,
    /// When it was taken.
    pub taken_at: Moment,
}
