//! How what happens looks: a line each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use host::contract::{Embedded, Error, Event, IgnoredEvent};
use inbox::{News, Observer, Run, Via};
use serde::Serialize;

use crate::cli::commands::serve::screen::{Said, Screen};
use crate::cli::live::{Happening, Live, Run as Seen};
use crate::cli::terminal::Form;

/// What is printed, a line of JSON each.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    /// An event, printed for one of its triggers.
    Event { event: &'a Event, source: &'a str, trigger: &'a str, run: &'a str, attempt: u32 },
    /// A run that was done elsewhere.
    Done {
        id: &'a str,
        event_type: &'a str,
        source: &'a str,
        trigger: &'a str,
        run: &'a str,
        attempt: u32,
        milliseconds: u64,
    },
    /// A run that failed and waits.
    Again {
        id: &'a str,
        source: &'a str,
        trigger: &'a str,
        run: &'a str,
        attempt: u32,
        reason: &'a str,
        milliseconds: u64,
    },
    /// A run that was given up.
    Dead { id: &'a str, source: &'a str, trigger: &'a str, run: &'a str, attempt: u32, reason: &'a str },
    /// An event that was taken before.
    Duplicate { id: &'a str, triggers: &'a [String], source: &'a str },
    /// A genuine event of no trigger.
    Ignored { event: &'a IgnoredEvent, source: &'a str },
    /// A thin event that turned out not to pass the filters.
    Filtered { id: &'a str, source: &'a str, trigger: &'a str },
    /// A request that was no event and got this answer.
    Answered { status: u16, source: &'a str },
    /// A request that is not genuine or not readable.
    Refused { status: u16, reason: &'a str, error: Option<&'a Error>, source: &'a str },
    /// A request that could not be decided or kept.
    Failed { message: &'a str, source: &'a str },
    /// What may have been missed was fetched, and something was.
    CaughtUp { new: u64, known: u64, source: &'a str },
    /// Something was missed for good.
    Gap { missed: Embedded<'a>, source: &'a str },
}

/// Where the runs of each source go, as it is shown; nowhere but here, where they are printed.
pub type Places = HashMap<String, Option<String>>;

/// Shows what happens, and counts events.
pub struct Shown {
    screen: Screen,
    form: Form,
    /// Whether a source is named on its lines: where there are several.
    named: bool,
    places: Places,
    live: Mutex<Live>,
    pub taken: AtomicU64,
}

impl Shown {
    pub fn new(screen: Screen, form: Form, live: Live, places: Places) -> Self {
        let named = places.len() > 1;
        Self { screen, form, named, places, live: Mutex::new(live), taken: AtomicU64::new(0) }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written: the line of JSON, or what somebody sees.
    fn written(&self, line: &Line<'_>, source: &str, what: &Happening<'_>) -> String {
        if self.form.is_json() {
            return self.form.rendered(line, String::new);
        }
        self.live().happened(self.named.then_some(source), what, SystemTime::now())
    }

    fn say(&self, line: &Line<'_>, source: &str, what: &Happening<'_>) {
        self.screen.say(Said::Line(self.written(line, source, what)));
    }

    /// An event as its handler prints it.
    pub fn event(&self, run: &Run) -> String {
        let Run { key, source, trigger, attempt, event, .. } = run;
        let line = Line::Event { event, source, trigger, run: key, attempt: *attempt };
        self.written(&line, source, &Happening::Dispatched { event, run: seen(run), to: None, took: None })
    }

    /// Something about all of it, as what is to be written; nothing where that belongs to standard error.
    pub fn told(&self, text: &str, care: bool) -> Option<String> {
        let mut live = self.live();
        live.is_on().then(|| live.happened(None, &Happening::Told { text, care }, SystemTime::now()))
    }

    /// Whether what is seen changes by itself, and what is to be written when it did.
    pub fn moves(&self) -> bool {
        !self.form.is_json() && self.live().moves()
    }

    pub fn later(&self) -> String {
        self.live().later(SystemTime::now())
    }

    /// What is to be written before somebody else writes.
    pub fn hidden(&self) -> String {
        self.live().hide()
    }

    /// What is to be written at the end.
    pub fn ended(&self) -> String {
        self.live().end()
    }
}

/// A run, as far as it is seen.
fn seen(run: &Run) -> Seen<'_> {
    Seen { event: &run.event.id, trigger: &run.trigger, attempt: run.attempt }
}

fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

impl Observer for Shown {
    fn news(&self, source: &str, news: &News<'_>) {
        match *news {
            News::Taken { event, runs, .. } => {
                self.taken.fetch_add(1, Ordering::Relaxed);
                if !self.form.is_json() {
                    let arrived = Happening::Arrived { id: &event.id, runs };
                    let text = self.live().happened(None, &arrived, SystemTime::now());
                    self.screen.say(Said::Line(text));
                }
            }
            News::Known { via: Via::CatchUp, .. } | News::Began { .. } => {}
            News::Known { event, .. } => {
                let line = Line::Duplicate { id: &event.id, triggers: &event.triggers, source };
                self.say(&line, source, &Happening::Known { event_type: &event.event_type, id: &event.id });
            }
            News::Ignored { event } => {
                let IgnoredEvent { event_type, id, reason, .. } = event;
                self.say(&Line::Ignored { event, source }, source, &Happening::Ignored { event_type, id, reason });
            }
            News::Answered { status } => {
                self.say(&Line::Answered { status, source }, source, &Happening::Answered { status });
            }
            News::Refused { status, reason, error } => {
                self.say(&Line::Refused { status, reason, error, source }, source, &Happening::Refused { reason });
            }
            News::Failed { reason } => {
                self.say(&Line::Failed { message: reason, source }, source, &Happening::Failed { reason });
            }
            News::Filtered { event, trigger } => {
                let (line, id) = (Line::Filtered { id: &event.id, source, trigger }, &event.id);
                self.say(&line, source, &Happening::Filtered { event_type: &event.event_type, id, trigger });
            }
            News::Done { run, took } => {
                // What is printed was shown by whoever printed it.
                let Some(Some(place)) = self.places.get(source) else { return };
                let Run { key, trigger, attempt, event, .. } = run;
                let Event { id, event_type, .. } = event;
                let milliseconds = milliseconds(took);
                let line = Line::Done { id, event_type, source, trigger, run: key, attempt: *attempt, milliseconds };
                let done = Happening::Dispatched { event, run: seen(run), to: Some(place), took: Some(took) };
                self.say(&line, source, &done);
            }
            News::Again { key, event, trigger, attempt, reason, wait } => {
                let milliseconds = milliseconds(wait);
                let line = Line::Again { id: event, source, trigger, run: key, attempt, reason, milliseconds };
                self.say(&line, source, &Happening::Retried { run: Seen { event, trigger, attempt }, reason, wait });
            }
            News::Dead { key, event, trigger, attempt, reason } => {
                let line = Line::Dead { id: event, source, trigger, run: key, attempt, reason };
                self.say(&line, source, &Happening::Dead { run: Seen { event, trigger, attempt }, reason });
            }
            News::CaughtUp { new: 0, .. } => {}
            News::CaughtUp { new, known } => {
                let text = format!("caught up: {new} events that no delivery brought");
                self.say(&Line::CaughtUp { new, known, source }, source, &Happening::Told { text: &text, care: false });
            }
            News::Gap { missed } => {
                let text = format!("missed for good, the service does not remember any more: {missed}");
                let line = Line::Gap { missed: Embedded(missed), source };
                self.say(&line, source, &Happening::Told { text: &text, care: true });
            }
            News::NotCaughtUp { reason } => {
                self.screen
                    .say(Said::Warning(format!("{source}: what may have been missed was not fetched: {reason}")));
            }
            News::StoreAway { reason } => self.screen.say(Said::Warning(reason.to_owned())),
            News::StoreBack => self.screen.say(Said::Note("the store can be used again".to_owned())),
            _ => {}
        }
    }
}
