//! Prints each event as a line: the run is done when the line is with the reader.

use std::time::Duration;

use inbox::{Handler, Handling, Run, Verdict};
use tokio::sync::mpsc::Sender;

use crate::cli::terminal::{Lines, Unwritten};

/// How an event looks.
type Look = Box<dyn Fn(&Run) -> String + Send + Sync>;

/// A printer of events.
pub struct Print {
    lines: Lines,
    look: Look,
    /// Is told why, when nothing can be printed any more.
    over: Sender<Unwritten>,
}

impl Print {
    pub fn new(lines: Lines, look: Look, over: Sender<Unwritten>) -> Self {
        Self { lines, look, over }
    }
}

impl Handler for Print {
    fn handle<'a>(&'a self, run: &'a Run) -> Handling<'a> {
        Box::pin(async {
            match self.lines.write((self.look)(run)).await {
                Ok(()) => Verdict::Done,
                // It waits for whoever serves next. Nothing was tried: there was nobody to print for.
                Err(unwritten) => {
                    let _ = self.over.try_send(unwritten);
                    Verdict::Back
                }
            }
        })
    }

    /// A reader that has stopped reading holds up what it would read, for as long as it likes.
    fn longest(&self) -> Option<Duration> {
        None
    }
}
