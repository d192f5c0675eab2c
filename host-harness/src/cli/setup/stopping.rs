//! Ctrl-C and a polite kill: who wants the process to end is obeyed, and told what is known.
//!
//! A thread of its own listens, so that a process that computes, or writes to a pipe which nobody reads, still hears. It
//! starts with the first call: until then a signal ends the process by itself. Whoever waits for one ([`wanted`]) may
//! first bring to an end what it began; without such, or when a signal comes for the third time, the process ends at
//! once, with the [`LastWords`] of what is under way.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// So many signals end the process, whatever it is doing.
const PATIENCE: u32 = 3;

/// So long the last words have to be taken by whoever reads standard error.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The statuses that shells give to a process that Ctrl-C or a kill ended.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// How often somebody wanted the process to end, and the exit status that says how.
#[derive(Clone, Copy, Default)]
struct Asked {
    times: u32,
    status: u8,
}

static ASKED: OnceLock<watch::Sender<Asked>> = OnceLock::new();
/// How many of them somebody has obeyed.
static HEEDED: AtomicU32 = AtomicU32::new(0);
static WORDS: Mutex<Option<(String, Option<u8>)>> = Mutex::new(None);

/// Begins to listen. What comes from now on is heard by [`wanted`].
fn listen() -> &'static watch::Sender<Asked> {
    ASKED.get_or_init(|| {
        let (ready, listening) = std::sync::mpsc::channel();
        // Where no thread can be had, signals end the process as they always do.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || hear(&ready));
        // It is over in any case: when the thread listens, or when it ended.
        let _ = listening.recv();
        watch::Sender::new(Asked::default())
    })
}

/// Ends when somebody wants the process to end, and says with which status. It listens from the call on and not only when
/// it is awaited: call it before telling anyone that the process is up. A signal that came while somebody else waited, who
/// then had another end and did not obey it, is heard by the next.
pub fn wanted() -> impl Future<Output = u8> + Send + 'static {
    let mut asked = listen().subscribe();
    let before = HEEDED.load(Ordering::SeqCst);
    async move {
        let heard = asked.wait_for(|asked| asked.times > before).await.map(|asked| *asked);
        match heard {
            Ok(Asked { times, status }) => {
                HEEDED.fetch_max(times, Ordering::SeqCst);
                status
            }
            // The sender is never dropped.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What is said on standard error, with the exit status, should the process end while this lives. Without a status, it is
/// the one that says how the process was ended.
pub struct LastWords(());

impl LastWords {
    pub fn new(text: String, status: Option<u8>) -> Self {
        listen();
        let words = Self(());
        words.are(text, status);
        words
    }

    /// Others, now that more is known.
    pub fn are(&self, text: String, status: Option<u8>) {
        *words() = Some((text, status));
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        *words() = None;
    }
}

fn words() -> MutexGuard<'static, Option<(String, Option<u8>)>> {
    WORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A signal came.
fn ask(status: u8) {
    let Some(asked) = ASKED.get() else { std::process::exit(status.into()) };
    // Counted before they hear of it, since whoever has heard waits no more.
    let waiting = asked.receiver_count() > 0;
    let mut times = 0;
    asked.send_modify(|asked| {
        asked.times += 1;
        asked.status = status;
        times = asked.times;
    });
    if waiting && times < PATIENCE {
        return;
    }
    let status = match words().take() {
        Some((text, of_words)) => {
            say(text);
            of_words.unwrap_or(status)
        }
        None => status,
    };
    std::process::exit(status.into());
}

/// Says it on standard error, and waits only a moment for a reader of it: the process is to end.
fn say(text: String) {
    let (sender, said) = std::sync::mpsc::channel();
    let saying = std::thread::Builder::new().spawn(move || {
        let _ = writeln!(std::io::stderr(), "{text}");
        let _ = sender.send(());
    });
    if saying.is_ok() {
        let _ = said.recv_timeout(LAST_MOMENT);
    }
}

#[cfg(unix)]
fn hear(ready: &std::sync::mpsc::Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        let _ = ready.send(());
        loop {
            tokio::select! {
                Some(()) = interrupt.recv() => ask(INTERRUPTED),
                Some(()) = terminate.recv() => ask(TERMINATED),
                else => return,
            }
        }
    });
}

#[cfg(not(unix))]
fn hear(ready: &std::sync::mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let _ = ready.send(());
        while tokio::signal::ctrl_c().await.is_ok() {
            ask(INTERRUPTED);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_signal_that_nobody_obeyed_is_heard_by_the_next_and_only_by_that() {
        let mut context = Context::from_waker(Waker::noop());
        let had_another_end = wanted();
        ask(INTERRUPTED);
        drop(had_another_end);
        assert_eq!(pin!(wanted()).poll(&mut context), Poll::Ready(INTERRUPTED));
        assert_eq!(pin!(wanted()).poll(&mut context), Poll::Pending);
    }
}
