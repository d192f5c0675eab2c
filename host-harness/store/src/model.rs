//! What goes in, what is handed out to be done, and how that ends.

use std::time::Duration;

use crate::error::Error;
use crate::key::RunKey;
use crate::moment::Moment;

/// An event, and where it came from. Two sources (accounts, modes) may use the same ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The connection or path that it came by.
    pub source: String,
    /// The service's id of the event.
    pub id: String,
}

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// The service delivered it.
    Webhook,
    /// It was fetched from the service's list of events.
    Poll,
}

impl Via {
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Webhook => 0,
            Self::Poll => 1,
        }
    }

    pub(crate) const fn from_code(code: i16) -> Self {
        match code {
            0 => Self::Webhook,
            _ => Self::Poll,
        }
    }
}

/// An event that came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The connection or path that it came by.
    pub source: String,
    /// The service's id of the event.
    pub event_id: String,
    /// Its type in the service's own words.
    pub event_type: String,
    /// When it happened, by the service's clock.
    pub occurred_at: Moment,
    /// The object whose events are to be worked off one after the other, in the order in which they happened. Nothing where the order
    /// does not matter.
    pub object: Option<String>,
    /// How it came.
    pub via: Via,
    /// The event as text, handed back with every claim.
    pub body: String,
    /// The triggers that it matches: each starts one run. None: the event is kept and known again, and nothing is run.
    pub triggers: Vec<String>,
}

impl Arrival {
    /// Whether every database can keep it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        storable("an event's source", &self.source)?;
        storable("an event's id", &self.event_id)?;
        storable("an event's type", &self.event_type)?;
        storable("an event's object", self.object.as_deref().unwrap_or_default())?;
        storable("an event's body", &self.body)?;
        self.triggers.iter().try_for_each(|trigger| storable("a trigger", trigger))
    }
}

/// PostgreSQL keeps no text with a NUL character, and JSON has none.
pub(crate) fn storable(what: &'static str, text: &str) -> Result<(), Error> {
    match text.contains('\0') {
        true => Err(Error::Unfit(what)),
        false => Ok(()),
    }
}

/// What became of an arrival. All of it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it was the first of its event.
    pub first: bool,
    /// The runs that it started: for an event that was known, of triggers that had none.
    pub started: Vec<RunKey>,
}

/// Who claims runs, and for how long.
#[derive(Clone, Debug)]
pub struct Lease {
    /// A name of the process, for people who look.
    pub worker: String,
    /// A claim that is neither settled nor extended for so long may be claimed by another.
    pub length: Duration,
    /// Only runs of these sources, which the process can do; of all where there is none.
    pub sources: Vec<String>,
}

/// A run that is ours to do, for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The run's key: the same for every attempt.
    pub key: RunKey,
    /// Which attempt this is, from 1; a replay counts from 1 again. One that ended with its process counts.
    pub attempt: u32,
    /// Which replay of the event's run for this trigger it is: 0 for the run that the event started.
    pub replay: u32,
    /// The event.
    pub event: EventKey,
    /// Its type.
    pub event_type: String,
    /// The trigger that started the run.
    pub trigger: String,
    /// What the run is ordered by.
    pub object: Option<String>,
    /// When the event happened.
    pub occurred_at: Moment,
    /// When it was taken.
    pub taken_at: Moment,
    /// How it came.
    pub via: Via,
    /// The event as text.
    pub body: String,
    /// Why the last attempt failed, where one did and said so.
    pub last_reason: Option<String>,
    /// The how manieth claim of the run: an older one settles nothing.
    pub(crate) fence: i64,
}

/// How a claim ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was done.
    Done,
    /// It failed and is tried again, not before a moment.
    Again {
        /// When.
        at: Moment,
        /// Why it failed; shown to people, so without bodies and secrets.
        reason: String,
    },
    /// It failed and is given up until somebody replays it.
    Dead {
        /// Why.
        reason: String,
    },
    /// It was not begun: it waits as if it had never been claimed.
    Returned,
}

/// What is to be run again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// One run.
    Run(RunKey),
    /// The newest run of each trigger of an event.
    Event(EventKey),
    /// All dead runs, of one source or of all.
    Dead {
        /// The source.
        source: Option<String>,
    },
}

/// What became of a run that was to be run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// It was dead and waits again, under the same key.
    Revived(RunKey),
    /// It was done: a further run was started, with a key of its own.
    Further {
        /// The run that was done.
        of: RunKey,
        /// The run that waits now.
        key: RunKey,
    },
    /// It, or a further run of it, still waits or runs: nothing was changed.
    Unfinished(RunKey),
}
