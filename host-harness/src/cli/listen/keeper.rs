//! The process between us and the program: it ends the program when we are gone.
//!
//! Its standard input is a pipe of which we hold the other end and write nothing: it closes when we want an end, and when
//! we were killed without a chance to want anything. Then everything in the keeper's process group is asked to end, and
//! killed when it does not. (Linux can signal a child whose parent died, but only that child: installed by npm, `stripe` is
//! a script whose own child does the listening.)

use std::ffi::OsString;
use std::io::{copy, sink, stdin};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::cli::failure::Failure;
use crate::cli::setup::stopping;

/// Between being asked to end and being killed.
const POLITE: Duration = Duration::from_secs(2);

/// How often the program is looked at. It ends once in its life, and nobody waits for that moment.
const LOOKS: Duration = Duration::from_millis(100);

/// Runs a program for as long as our standard input is open. Its exit status.
pub async fn keep(program: &OsString, arguments: &[OsString]) -> Result<u8, Failure> {
    // The signal that asks the group to end asks us as well: we are the last to go.
    let mut wanted = std::pin::pin!(stopping::wanted());
    let failed = |error: std::io::Error| Failure::Machine(format!("{} cannot run: {error}", program.display()));
    let mut child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn().map_err(failed)?;
    let (gone, closed) = oneshot::channel();
    let watching = thread::Builder::new().name("pipe".to_owned()).spawn(move || {
        // Whatever is in it means nothing.
        let _ = copy(&mut stdin().lock(), &mut sink());
        let _ = gone.send(());
    });
    if watching.is_err() {
        end(&mut child).await;
    }
    tokio::select! {
        ended = ended(&mut child) => {
            group(Signal::Terminate);
            Ok(ended.and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        _ = closed => {
            end(&mut child).await;
            Ok(0)
        }
        status = &mut wanted => {
            end(&mut child).await;
            Ok(status)
        }
    }
}

/// Ends when the program has.
async fn ended(child: &mut Child) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) => sleep(LOOKS).await,
            Ok(Some(status)) => return Some(status),
            Err(_) => return None,
        }
    }
}

/// Ends the program and what it started, and this process with them where that is the only way to be sure.
async fn end(child: &mut Child) {
    group(Signal::Terminate);
    let _ = timeout(POLITE, ended(child)).await;
    let _ = child.kill();
    group(Signal::Kill);
}

#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

/// Signals the process group that is ours; nothing where we lead none.
#[cfg(unix)]
fn group(signal: Signal) {
    use rustix::process::{Signal as Real, getpgrp, getpid, kill_process_group};
    let own = getpid();
    if getpgrp() == own {
        let signal = match signal {
            Signal::Terminate => Real::TERM,
            Signal::Kill => Real::KILL,
        };
        let _ = kill_process_group(own, signal);
    }
}

/// Elsewhere the program alone is killed.
#[cfg(not(unix))]
fn group(_: Signal) {}
