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

/// Until somebody wants the process to end: Ctrl-C, or a polite kill.
pub async fn asked_to_stop() {
    let interrupt = async {
        // Without a handler Ctrl-C ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
