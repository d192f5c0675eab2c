//! What has been counted, and how far behind we are.

use std::time::{Duration, SystemTime};

use indexmap::IndexMap;

use crate::cli::live::happening::Happening;
use crate::cli::terminal::{BAD, CARE, DIM, STRONG, paint};
use crate::cli::wording;

/// Of so many events it is known since when they wait. Whoever is further behind sees that.
const WAITING: usize = 10_000;

/// So many runs are remembered that were over before their event was told of.
const EARLY: usize = 1_000;

/// Numbers since the start.
#[derive(Default)]
pub struct Counts {
    taken: u64,
    done: u64,
    again: u64,
    dead: u64,
    known: u64,
    ignored: u64,
    refused: u64,
    failed: u64,
    /// Events of which something is still to be done: since when, and how many runs.
    waiting: IndexMap<String, (SystemTime, usize)>,
    /// Runs that were over before anybody had told of their event: it is told by another task. Or an earlier process took it.
    early: IndexMap<String, usize>,
}

impl Counts {
    pub fn happened(&mut self, what: &Happening<'_>, at: SystemTime) {
        match what {
            Happening::Arrived { id, runs } => {
                self.taken += 1;
                let left = runs.saturating_sub(self.early.swap_remove(*id).unwrap_or_default());
                if left > 0 && self.waiting.len() < WAITING {
                    self.waiting.insert((*id).to_owned(), (at, left));
                }
            }
            Happening::Known { .. } => self.known += 1,
            Happening::Ignored { .. } => self.ignored += 1,
            Happening::Filtered { id, .. } => {
                self.ignored += 1;
                self.over(id);
            }
            Happening::Refused { .. } => self.refused += 1,
            Happening::Failed { .. } => self.failed += 1,
            Happening::Retried { .. } => self.again += 1,
            Happening::Dispatched { run, .. } => {
                self.done += 1;
                self.over(run.event);
            }
            Happening::Dead { run, .. } => {
                self.dead += 1;
                self.over(run.event);
            }
            Happening::Answered { .. } | Happening::Told { .. } => {}
        }
    }

    /// A run of this event is no longer waited for.
    fn over(&mut self, event: &str) {
        let Some((_, runs)) = self.waiting.get_mut(event) else {
            if self.early.len() >= EARLY {
                self.early.shift_remove_index(0);
            }
            *self.early.entry(event.to_owned()).or_default() += 1;
            return;
        };
        *runs -= 1;
        if *runs == 0 {
            self.waiting.swap_remove(event);
        }
    }

    /// How long ago an event was taken, as long as something of it is still to be done.
    pub fn ago(&self, event: &str, now: SystemTime) -> Option<Duration> {
        self.waiting.get(event).map(|(since, _)| now.duration_since(*since).unwrap_or_default())
    }

    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// All of it as one line, styled.
    pub fn status(&self, now: SystemTime) -> String {
        let many = |count: u64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let mut parts = vec![paint(STRONG, format!("{} taken", self.taken))];
        if self.done > 0 {
            parts.push(paint(DIM, many(self.done, "run done", "runs done")));
        }
        for (count, word, style) in [
            (self.dead, "dead", BAD),
            (self.again, "tried again", CARE),
            (self.failed, "failed", CARE),
            (self.refused, "refused", BAD),
            (self.known, "known", DIM),
            (self.ignored, "ignored", DIM),
        ] {
            if count > 0 {
                parts.push(paint(style, format!("{count} {word}")));
            }
        }
        let runs: usize = self.waiting.values().map(|(_, runs)| runs).sum();
        let more = if self.waiting.len() < WAITING { "" } else { "more than " };
        match self.waiting.values().map(|(since, _)| *since).min() {
            None => parts.push(paint(DIM, "nothing waits")),
            Some(oldest) => {
                let behind = Duration::from_secs(now.duration_since(oldest).unwrap_or_default().as_secs());
                let wait = if runs == 1 { "run waits" } else { "runs wait" };
                parts.push(paint(CARE, format!("{more}{runs} {wait}")));
                if !behind.is_zero() {
                    parts.push(paint(CARE, format!("{} behind", wording::duration(behind))));
                }
            }
        }
        parts.join(" · ")
    }
}
