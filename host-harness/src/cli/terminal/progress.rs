//! A sign of life for what takes more than a second: a spinner on standard error, on a terminal only.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::cli::terminal::harmless::one_line;

/// What is done sooner needs no sign of life.
const PATIENCE: Duration = Duration::from_secs(1);

/// Turns until it is dropped.
#[must_use]
pub struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to turn after a second.
    pub fn of(message: &str) -> Self {
        if !stderr().is_terminal() {
            return Self { running: None };
        }
        let message = one_line(message);
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().spawn(move || {
            if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let spinner = ProgressBar::new_spinner().with_message(message);
                spinner.enable_steady_tick(Duration::from_millis(100));
                let _ = receiver.recv();
                spinner.finish_and_clear();
            }
        });
        Self { running: thread.ok().map(|thread| (sender, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
