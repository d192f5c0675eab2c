//! What the process runs on: one thread, which is enough for every command and starts in no time.

use std::future::Future;

use crate::cli::failure::Failure;
use crate::cli::terminal::notes::Errors;

/// Runs a command to its end.
pub fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Machine(format!("the runtime cannot start: {error}")))?;
    let done = runtime.block_on(command);
    // A name that is just being resolved must not hold up the end.
    runtime.shutdown_background();
    done
}

/// Sends the platform's log to standard error.
pub fn log_calls(wanted: bool) {
    if wanted {
        tracing_subscriber::fmt().with_writer(|| Errors).with_ansi(false).init();
    }
}
