//! What the process runs on: one thread, which is enough for a command that makes a few calls and starts in no time; as many
//! as the machine has cores for one that serves.

use std::future::Future;

use crate::cli::failure::Failure;
use crate::cli::terminal::notes::Errors;

/// Runs a command to its end; one that `serves` beside others.
pub fn block_on(serves: bool, command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let mut builder = match serves {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build();
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
