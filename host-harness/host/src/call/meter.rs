//! How long a guest computes, and the end of one that computes for too long.
//!
//! A guest runs only while its future is polled, so the thread's CPU time spent inside `poll` is the guest's computation
//! together with the host functions that it called: waiting for the network or for a busy machine does not count. Within
//! one poll, the engine's epoch comes by every few milliseconds; there the budget is looked at, and the guest
//! yields so that other calls get their turn.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

/// The computing time of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: Duration,
    /// Of the polls that have ended, in nanoseconds.
    used: AtomicU64,
    /// The thread's CPU time when the present poll began.
    since: AtomicU64,
    exceeded: AtomicBool,
}

impl Meter {
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0), since: AtomicU64::new(0), exceeded: AtomicBool::new(false) })
    }

    /// The time of the polls that have ended.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }

    /// Whether the guest was stopped.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// Makes the store look at this meter with every tick.
    pub(crate) fn watch<T: 'static>(self: &Arc<Self>, store: &mut Store<T>) {
        let meter = Arc::clone(self);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            let now = thread_time().saturating_sub(meter.since.load(Ordering::Relaxed));
            if meter.used() + Duration::from_nanos(now) > meter.limit {
                meter.exceeded.store(true, Ordering::Relaxed);
                return Ok(UpdateDeadline::Interrupt);
            }
            Ok(UpdateDeadline::Yield(1))
        });
    }

    /// Runs a guest's future on this meter.
    pub(crate) fn run<F: Future>(self: &Arc<Self>, guest: F) -> Metered<F> {
        Metered { meter: Arc::clone(self), guest: Box::pin(guest) }
    }
}

/// A guest's future whose polls are timed.
pub(crate) struct Metered<F> {
    meter: Arc<Meter>,
    guest: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_time();
        self.meter.since.store(began, Ordering::Relaxed);
        let result = self.guest.as_mut().poll(context);
        self.meter.used.fetch_add(thread_time().saturating_sub(began), Ordering::Relaxed);
        result
    }
}

/// The CPU time of this thread, in nanoseconds.
#[cfg(unix)]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + nanoseconds.unwrap_or(0)
}

/// Without a clock for a thread, the time that passes: the same on a machine with a free core.
#[cfg(not(unix))]
fn thread_time() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
