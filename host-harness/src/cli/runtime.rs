//! What the process runs on: one thread, which is enough for every command and starts in no time.

use std::future::Future;
use std::io;

use super::failure::Failure;

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
        tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    }
}

/// Ends when somebody wants the process to end: Ctrl-C, or a polite kill.
///
/// It listens from the call on and not only when it is awaited: call it before telling anyone that the process is up.
#[cfg(unix)]
pub fn asked_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn received(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => {
                signal.recv().await;
            }
            // Without a handler the signal ends the process by itself.
            None => std::future::pending().await,
        }
    }

    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    async move {
        tokio::select! {
            () = received(interrupt) => {}
            () = received(terminate) => {}
        }
    }
}

/// Ends when somebody wants the process to end: Ctrl-C.
#[cfg(not(unix))]
pub async fn asked_to_stop() {
    // Without a handler Ctrl-C ends the process by itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
