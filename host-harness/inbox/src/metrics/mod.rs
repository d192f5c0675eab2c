//! Figures for Prometheus: counted here as things happen, and written as text when somebody asks.
//!
//! Labels are the operator's own words (names of sources) and this program's; nothing that a request or an event says
//! becomes one, so their number is bounded.

mod histogram;

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use indexmap::IndexMap;

pub(crate) use self::histogram::Histogram;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivered {
    Taken,
    Known,
    Ignored,
    Answered,
    Refused,
    Failed,
}

/// The results, in the order of the enumeration.
const RESULTS: [&str; 6] = ["taken", "known", "ignored", "answered", "refused", "failed"];

/// How a try of a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tried {
    Done,
    Again,
    Dead,
}

const ENDS: [&str; 3] = ["done", "again", "dead"];

/// The figures of one source.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    deliveries: [AtomicU64; RESULTS.len()],
    tries: [AtomicU64; ENDS.len()],
    pub(crate) delivery: Histogram,
    pub(crate) run: Histogram,
    /// Events that only a catch-up brought.
    pub(crate) missed: AtomicU64,
    pub(crate) catch_ups: AtomicU64,
    pub(crate) catch_ups_failed: AtomicU64,
}

impl Figures {
    pub(crate) fn delivered(&self, what: Delivered) {
        if let Some(counter) = self.deliveries.get(what as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn tried(&self, how: Tried) {
        if let Some(counter) = self.tries.get(how as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What waits at a source, as the store tells it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) waiting: u64,
    pub(crate) running: u64,
    pub(crate) done: u64,
    pub(crate) dead: u64,
    /// For how long the oldest has waited, in seconds.
    pub(crate) lag: f64,
}

/// All figures.
#[derive(Debug)]
pub(crate) struct Metrics {
    sources: IndexMap<String, Figures>,
    pub(crate) store_failures: AtomicU64,
}

impl Metrics {
    pub(crate) fn of<'a>(sources: impl Iterator<Item = &'a str>) -> Self {
        let sources = sources.map(|name| (name.to_owned(), Figures::default())).collect();
        Self { sources, store_failures: AtomicU64::new(0) }
    }

    pub(crate) fn source(&self, name: &str) -> Option<&Figures> {
        self.sources.get(name)
    }

    /// The text. What waits is not known where the store cannot be asked.
    pub(crate) fn text(&self, waiting: &[(String, Waiting)], store_is_there: bool) -> String {
        let mut out = String::with_capacity(4096);
        heading(&mut out, "inbox_deliveries_total", "counter", "Requests to a source, by what became of them.");
        for (name, figures) in &self.sources {
            for (result, counter) in RESULTS.iter().zip(&figures.deliveries) {
                let count = counter.load(Ordering::Relaxed);
                let source = label(name);
                let _ = writeln!(out, "inbox_deliveries_total{{source=\"{source}\",result=\"{result}\"}} {count}");
            }
        }
        heading(&mut out, "inbox_delivery_seconds", "histogram", "From a request to its answer.");
        for (name, figures) in &self.sources {
            figures.delivery.write(&mut out, "inbox_delivery_seconds", &format!("source=\"{}\"", label(name)));
        }
        heading(&mut out, "inbox_tries_total", "counter", "Tries of runs, by how they ended.");
        for (name, figures) in &self.sources {
            for (end, counter) in ENDS.iter().zip(&figures.tries) {
                let count = counter.load(Ordering::Relaxed);
                let _ = writeln!(out, "inbox_tries_total{{source=\"{}\",result=\"{end}\"}} {count}", label(name));
            }
        }
        heading(&mut out, "inbox_run_seconds", "histogram", "How long tries of runs took.");
        for (name, figures) in &self.sources {
            figures.run.write(&mut out, "inbox_run_seconds", &format!("source=\"{}\"", label(name)));
        }
        heading(&mut out, "inbox_missed_events_total", "counter", "Events that came by no delivery and were fetched.");
        for (name, figures) in &self.sources {
            let count = figures.missed.load(Ordering::Relaxed);
            let _ = writeln!(out, "inbox_missed_events_total{{source=\"{}\"}} {count}", label(name));
        }
        heading(&mut out, "inbox_catch_ups_total", "counter", "Looks for missed events that came to an end.");
        for (name, figures) in &self.sources {
            let count = figures.catch_ups.load(Ordering::Relaxed);
            let _ = writeln!(out, "inbox_catch_ups_total{{source=\"{}\"}} {count}", label(name));
        }
        heading(&mut out, "inbox_catch_up_failures_total", "counter", "Looks for missed events that failed.");
        for (name, figures) in &self.sources {
            let count = figures.catch_ups_failed.load(Ordering::Relaxed);
            let _ = writeln!(out, "inbox_catch_up_failures_total{{source=\"{}\"}} {count}", label(name));
        }
        if store_is_there {
            heading(&mut out, "inbox_runs", "gauge", "Runs in the store, by state.");
            for (name, found) in waiting {
                let source = label(name);
                let states = [
                    ("waiting", found.waiting),
                    ("running", found.running),
                    ("done", found.done),
                    ("dead", found.dead),
                ];
                for (state, count) in states {
                    let _ = writeln!(out, "inbox_runs{{source=\"{source}\",state=\"{state}\"}} {count}");
                }
            }
            heading(&mut out, "inbox_lag_seconds", "gauge", "How long the oldest run has waited.");
            for (name, found) in waiting {
                let _ = writeln!(out, "inbox_lag_seconds{{source=\"{}\"}} {}", label(name), found.lag);
            }
        }
        heading(&mut out, "inbox_store_up", "gauge", "Whether the store answers.");
        let _ = writeln!(out, "inbox_store_up {}", u8::from(store_is_there));
        heading(&mut out, "inbox_store_failures_total", "counter", "Uses of the store that failed.");
        let _ = writeln!(out, "inbox_store_failures_total {}", self.store_failures.load(Ordering::Relaxed));
        out
    }
}

fn heading(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A label's value, with what would end it escaped.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_happened_is_counted_by_source_and_result() {
        let metrics = Metrics::of(["acme", "a\"b"].into_iter());
        let acme = metrics.source("acme").unwrap();
        acme.delivered(Delivered::Taken);
        acme.delivered(Delivered::Failed);
        acme.delivered(Delivered::Failed);
        acme.tried(Tried::Dead);
        acme.run.add(Duration::from_millis(3));
        let waiting = Waiting { waiting: 4, lag: 1.5, ..Waiting::default() };
        let text = metrics.text(&[("acme".to_owned(), waiting)], true);
        for line in [
            "# TYPE inbox_deliveries_total counter",
            "inbox_deliveries_total{source=\"acme\",result=\"taken\"} 1",
            "inbox_deliveries_total{source=\"acme\",result=\"failed\"} 2",
            "inbox_deliveries_total{source=\"a\\\"b\",result=\"taken\"} 0",
            "inbox_tries_total{source=\"acme\",result=\"dead\"} 1",
            "inbox_run_seconds_count{source=\"acme\"} 1",
            "inbox_runs{source=\"acme\",state=\"waiting\"} 4",
            "inbox_lag_seconds{source=\"acme\"} 1.5",
            "inbox_store_up 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn every_line_is_a_comment_or_a_name_and_a_figure() {
        let metrics = Metrics::of(["acme"].into_iter());
        for line in metrics.text(&[("acme".to_owned(), Waiting::default())], true).lines() {
            let figure = line.rsplit(' ').next().unwrap();
            assert!(line.starts_with("# ") || figure.parse::<f64>().is_ok(), "{line}");
        }
    }

    #[test]
    fn what_the_store_does_not_tell_is_not_made_up() {
        let text = Metrics::of(["acme"].into_iter()).text(&[], false);
        assert!(!text.contains("inbox_runs") && text.contains("inbox_store_up 0"), "{text}");
    }
}
