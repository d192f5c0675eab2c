//! What happens, told to whoever looks: a line on a terminal, a log, a test.

use std::time::Duration;

use host::contract::{Error, Event, IgnoredEvent};

use crate::handler::Run;

/// How an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Delivered by the service.
    Webhook,
    /// Fetched, since it may have been missed.
    CatchUp,
}

/// One thing that happened at a source.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'a> {
    /// An event is durable, and its runs wait.
    Taken {
        /// The event, as it came.
        event: &'a Event,
        /// How.
        via: Via,
        /// How many runs of it wait now.
        runs: usize,
    },
    /// An event that was taken before; nothing more is done for it.
    Known {
        /// The event, as it came.
        event: &'a Event,
        /// How.
        via: Via,
    },
    /// A genuine event of no trigger that is in use.
    Ignored {
        /// What is known of it.
        event: &'a IgnoredEvent,
    },
    /// A request that was no event, and got the answer that its service expects.
    Answered {
        /// The status of the answer.
        status: u16,
    },
    /// A request that is not genuine, or not readable: its sender's fault.
    Refused {
        /// The status of the answer.
        status: u16,
        /// Why, without anything of the request.
        reason: &'a str,
        /// The connector's own error, where it looked.
        error: Option<&'a Error>,
    },
    /// A request that could not be decided or kept: it must be sent again.
    Failed {
        /// Why.
        reason: &'a str,
    },
    /// A thin event turned out not to pass the filters of a trigger. Its run is done.
    Filtered {
        /// The event, complete.
        event: &'a Event,
        /// The trigger.
        trigger: &'a str,
    },
    /// A try of a run began.
    Began {
        /// The run.
        run: &'a Run,
    },
    /// A run is done.
    Done {
        /// The run.
        run: &'a Run,
        /// How long the handler took.
        took: Duration,
    },
    /// A try failed, and the run waits.
    Again {
        /// The run's key.
        key: &'a str,
        /// The event's id.
        event: &'a str,
        /// The trigger.
        trigger: &'a str,
        /// Which try it was.
        attempt: u32,
        /// Why.
        reason: &'a str,
        /// How long it waits.
        wait: Duration,
    },
    /// A run was given up and is a dead letter.
    Dead {
        /// The run's key.
        key: &'a str,
        /// The event's id.
        event: &'a str,
        /// The trigger.
        trigger: &'a str,
        /// Which try it was.
        attempt: u32,
        /// Why.
        reason: &'a str,
    },
    /// What may have been missed was fetched.
    CaughtUp {
        /// How many events were new.
        new: u64,
        /// How many were known.
        known: u64,
    },
    /// Something was missed that the service does not remember any more.
    Gap {
        /// What the connector says of it, as JSON.
        missed: &'a str,
    },
    /// What may have been missed could not be fetched; it is tried again.
    NotCaughtUp {
        /// Why.
        reason: &'a str,
    },
    /// The store cannot be used now.
    StoreAway {
        /// Why.
        reason: &'a str,
    },
    /// The store can be used again.
    StoreBack,
}

/// Is told what happens. It must not take long: whatever is slow belongs on a channel of its own.
pub trait Observer: Send + Sync {
    /// Something happened at the source of this name.
    fn news(&self, source: &str, news: &News<'_>);
}

/// Nobody looks.
impl Observer for () {
    fn news(&self, _: &str, _: &News<'_>) {}
}
