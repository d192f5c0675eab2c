//! What can happen to an event, as far as somebody who looks wants to know.

use std::time::Duration;

use host::contract::Event;

/// One try of what is done for an event and a trigger.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The event's id.
    pub event: &'a str,
    pub trigger: &'a str,
    /// Which try it is; the first is 1.
    pub attempt: u32,
}

/// One thing that happened.
pub enum Happening<'a> {
    /// An event was taken, and so many runs of it wait.
    Arrived { id: &'a str, runs: usize },
    /// An event that was taken before.
    Known { event_type: &'a str, id: &'a str },
    /// A genuine event of no trigger.
    Ignored { event_type: &'a str, id: &'a str, reason: &'a str },
    /// A run that is not done: only when the event was complete did it turn out not to pass the filters of its trigger.
    Filtered { event_type: &'a str, id: &'a str, trigger: &'a str },
    /// A request that was no event, and got this answer.
    Answered { status: u16 },
    /// A request that is not genuine.
    Refused { reason: &'a str },
    /// A request that could not be decided or kept.
    Failed { reason: &'a str },
    /// A run is done.
    Dispatched {
        event: &'a Event,
        run: Run<'a>,
        /// Where it went; nowhere but here, where its line is all that is done.
        to: Option<&'a str>,
        /// How long that took; since it was taken, where its line is all that is done.
        took: Option<Duration>,
    },
    /// A try failed, and the run waits.
    Retried { run: Run<'a>, reason: &'a str, wait: Duration },
    /// A run was given up.
    Dead { run: Run<'a>, reason: &'a str },
    /// Something about all of it.
    Told {
        text: &'a str,
        /// Whether there is something to mend.
        care: bool,
    },
}
