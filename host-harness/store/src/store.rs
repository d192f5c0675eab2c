//! The trait that every database here fulfils.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::changes::Changes;
use crate::error::Error;
use crate::listing::{Counts, Cursor, Filter, KeptEvent, LastSeen, Page, Position};
use crate::model::{Arrival, Claim, Ending, EventKey, Lease, Replay, Replayed, Taken};
use crate::moment::Moment;

/// What a method of a store answers, when it is there.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Events and their runs, on a disk. Each method is one transaction: done and durable when it answers, or not done at all. Where the
/// answer is lost with its process, doing it again is harmless. Dropping an answer before it came does not undo anything.
///
/// Several handles, in one process or many, may be open on one database at a time.
///
/// `now` is the caller's clock. One that was set back holds no run for ever: a claim ends after twice its length at the latest,
/// and so does waiting for another attempt.
pub trait Store: fmt::Debug + Send + Sync {
    /// Keeps the events that are new, and starts one run for each source, event and trigger that has none. The answers are in the
    /// order of the arrivals.
    fn take(&self, arrivals: Vec<Arrival>, now: Moment) -> Answer<'_, Vec<Taken>>;

    /// Claims runs that are due, at most so many, those first that have been due for longest: waiting ones, and ones whose claim
    /// was abandoned. Of the runs with the same source, trigger and object one is claimed at a time, in the order in which
    /// the events happened, as far as they were taken; while one waits for another attempt, later ones wait too.
    fn claim(&self, lease: &Lease, most: usize, now: Moment) -> Answer<'_, Vec<Claim>>;

    /// Ends a claim. Whether it was still ours: if not, the run was claimed again since, and nothing was changed.
    fn settle(&self, claim: &Claim, ending: Ending, now: Moment) -> Answer<'_, bool>;

    /// Makes a claim last for `length` from now. Whether it was still ours.
    fn extend(&self, claim: &Claim, length: Duration, now: Moment) -> Answer<'_, bool>;

    /// When the next run of these sources, or of any, may be claimed: in the past where one is due. Nothing when none waits or runs.
    fn next_due(&self, sources: &[String]) -> Answer<'_, Option<Moment>>;

    /// Is woken from now on when there may be something to claim. Besides it, look at [`Store::next_due`].
    fn changes(&self) -> Changes;

    /// Events, the newest taken first, after a page's end.
    fn events(&self, filter: &Filter, after: Option<Cursor>, most: usize) -> Answer<'_, Page>;

    /// One event, with its body.
    fn event(&self, key: &EventKey) -> Answer<'_, Option<KeptEvent>>;

    /// Runs something again: a dead run waits again under its key, of a finished one a further run is started. Empty when there is
    /// no such run, event, or dead run.
    fn replay(&self, what: &Replay, now: Moment) -> Answer<'_, Vec<Replayed>>;

    /// How many runs there are, of a source or in all, and since when the oldest waits.
    fn counts(&self, source: Option<&str>) -> Answer<'_, Counts>;

    /// Forgets events that were taken before a moment and whose runs are all done, at most so many, and says how many. A
    /// forgotten event would be new again: keep what a service may still deliver or list.
    fn forget(&self, before: Moment, most: usize) -> Answer<'_, usize>;

    /// How far a source's list of events was read.
    fn position(&self, source: &str) -> Answer<'_, Option<Position>>;

    /// Writes how far a source's list of events was read.
    fn set_position(&self, source: &str, cursor: &str, now: Moment) -> Answer<'_, ()>;

    /// The event of a source that happened last.
    fn last_seen(&self, source: &str) -> Answer<'_, Option<LastSeen>>;

    /// Whether the database can be reached and written to now.
    fn ready(&self) -> Answer<'_, ()>;
}
