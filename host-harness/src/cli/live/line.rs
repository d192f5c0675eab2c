//! What happened, as a line.

use std::time::{Duration, SystemTime};

use crate::cli::live::happening::{Happening, Run};
use crate::cli::terminal::{BAD, CARE, DIM, GOOD, STRONG, one_line, paint};
use crate::cli::wording;

/// So wide is the column that says what it was: most event types fit.
const WIDTH: usize = 30;

/// So wide is the column of the source.
const SOURCE: usize = 12;

/// The line, styled, without its end; nothing for what only counts. The event was taken so long ago, if that is known.
pub fn line(source: Option<&str>, what: &Happening<'_>, at: SystemTime, ago: Option<Duration>) -> Option<String> {
    let said = |style, word: &str, text: &str| {
        let word = one_line(word);
        format!("{}  {}", paint(style, format!("{word:<WIDTH$}")), one_line(text))
    };
    let about = |run: &Run<'_>| format!("{} {}", run.trigger, run.event);
    let text = match what {
        Happening::Arrived { .. } => return None,
        Happening::Known { event_type, id } => said(DIM, event_type, &format!("{id} was taken before, dropped")),
        Happening::Ignored { event_type, id, reason } => said(DIM, event_type, &format!("{id} ignored: {reason}")),
        Happening::Filtered { event_type, id, trigger } => {
            said(DIM, event_type, &format!("{id} does not pass the filters of {trigger}"))
        }
        Happening::Answered { status } => said(DIM, "answered", &status.to_string()),
        Happening::Refused { reason } => said(BAD, "refused", reason),
        Happening::Failed { reason } => said(CARE, "failed, will be sent again", reason),
        Happening::Dispatched { event, run, to, took } => {
            let record = match &event.record {
                Some(record) => wording::record(record),
                None if !event.complete => "(thin: it only points at what happened)".to_owned(),
                None => String::new(),
            };
            let went = match to {
                Some(to) => format!("{} at {to}", run.trigger),
                None => run.trigger.to_owned(),
            };
            let mut parts = vec![said(STRONG, &event.event_type, &record)];
            parts.push(format!("{} {}", paint(GOOD, "→"), one_line(&went)));
            parts.extend((run.attempt > 1).then(|| paint(CARE, format!("try {}", run.attempt))));
            parts.extend(took.or(ago).map(|took| paint(DIM, wording::duration(took))));
            parts.push(paint(DIM, run.event));
            parts.join("  ")
        }
        Happening::Retried { run, reason, wait } => said(
            CARE,
            &format!("again in {}", wording::duration(*wait)),
            &format!("{}, try {}: {reason}", about(run), run.attempt),
        ),
        Happening::Dead { run, reason } => {
            let tries = if run.attempt == 1 { "try" } else { "tries" };
            said(BAD, "dead", &format!("{}, after {} {tries}: {reason}", about(run), run.attempt))
        }
        Happening::Told { text, care: false } => one_line(text),
        Happening::Told { text, care: true } => format!("{} {}", paint(CARE, "warning:"), one_line(text)),
    };
    // Of the day there is no need.
    let moment = wording::moment(at);
    let time = moment.split_once('T').map_or(moment.as_str(), |(_, time)| time);
    let source = source.map(|source| paint(DIM, format!("{:<SOURCE$}  ", one_line(source)))).unwrap_or_default();
    Some(format!("{}  {source}{text}", paint(DIM, time)))
}
