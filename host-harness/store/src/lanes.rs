//! What both databases do about runs that are ordered, about clocks, and about the end of a claim.

use std::time::Duration;

use crate::listing::RunState;
use crate::model::Ending;
use crate::moment::{Moment, millis};

/// A run that is due while an earlier one of its lane is not over is put off for so long, and is not looked at again before; the end of the
/// earlier one makes it due at once.
pub(crate) const HELD: Duration = Duration::from_secs(10);

/// So many runs one claim looks at, at most: so many events of one object may be in front of everything else.
pub(crate) const ABREAST: usize = 1024;

/// It is looked again after so long whether something waits for a moment that nobody can have meant.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);

/// When it was last looked for what was written by a clock that was set back since.
#[derive(Debug, Default)]
pub(crate) struct Look {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    claim: Moment,
    look: Moment,
}

impl Look {
    /// Whether to look now: at first, whenever the clock has gone back, and once in a while for other machines' clocks.
    pub(crate) fn is_due(&mut self, now: Moment) -> bool {
        let due = match &self.last {
            None => true,
            Some(last) => now < last.claim || now.since(last.look) >= BETWEEN_LOOKS,
        };
        let look = match &self.last {
            Some(last) if !due => last.look,
            _ => now,
        };
        self.last = Some(Last { claim: now, look });
        due
    }
}

/// What an ending writes.
pub(crate) struct Settlement<'a> {
    pub(crate) state: i16,
    pub(crate) due: i64,
    pub(crate) span: i64,
    /// How many attempts are taken back.
    pub(crate) undone: i32,
    pub(crate) reason: Option<&'a str>,
}

impl<'a> Settlement<'a> {
    pub(crate) fn of(ending: &'a Ending, now: Moment) -> Self {
        let at = |state: RunState, due: Moment, undone, reason| Settlement {
            state: state.code(),
            due: due.unix_millis(),
            span: millis(due.since(now)),
            undone,
            reason,
        };
        match ending {
            Ending::Done => at(RunState::Done, now, 0, None),
            Ending::Again { at: due, reason } => at(RunState::Waiting, *due, 0, Some(reason.as_str())),
            Ending::Dead { reason } => at(RunState::Dead, now, 0, Some(reason.as_str())),
            Ending::Returned => at(RunState::Waiting, now, 1, None),
        }
    }
}

/// What settling did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whether the claim was still the caller's.
    pub ours: bool,
    /// Whether there may be something to claim since.
    pub woke: bool,
}
