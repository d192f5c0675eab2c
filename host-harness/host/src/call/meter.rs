//! How long a guest computes, its turns at it, and the end of one that computes for too long.
//!
//! A guest runs only while its future is polled, so the thread's CPU time spent inside `poll` is the guest's computation
//! together with the host functions that it called: waiting for the network or for a busy machine does not count. What the
//! host does for its requests beside it is counted in. Within one poll, the engine's epoch comes by every few
//! milliseconds; there the budget is looked at, and the guest gives its thread up.
//!
//! A guest that has computed for longer than most calls do goes on in turns: a few at a time, tenants one after the other,
//! and each only after the runtime has looked at its timers and sockets. So everybody else is served in between, however
//! many of them there are.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::turns::{Turn, Turns};

/// Nearly all calls need less than this, and never wait for a turn. A hundredth of the time that a call has taken comes on
/// top: reading an answer that drips in is no long computation.
const BEFORE_TURNS: Duration = Duration::from_millis(5);

/// The longest wait for a turn. It may belong to a guest on another runtime, whose thread does something else just now.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// The computing time of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: Duration,
    began: Instant,
    /// Of the polls that have ended, in nanoseconds.
    used: AtomicU64,
    /// The thread's CPU time when the present poll began.
    since: AtomicU64,
    exceeded: AtomicBool,
}

impl Meter {
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        let (began, used, since) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { limit, began, used, since, exceeded: AtomicBool::new(false) })
    }

    /// The time of the polls that have ended.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }

    /// Whether the guest was stopped.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// Whether it has computed for so long that it goes on in turns.
    fn takes_turns(&self) -> bool {
        let used = self.used();
        used > BEFORE_TURNS && used > BEFORE_TURNS + self.began.elapsed() / 100
    }

    fn add(&self, began: u64) {
        self.used.fetch_add(thread_time().saturating_sub(began), Ordering::Relaxed);
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

    /// Runs a guest's future on this meter, in turns with the others once it takes long.
    pub(crate) fn run<F: Future>(self: &Arc<Self>, guest: F, turns: &Arc<Turns>, tenant: &Arc<str>) -> Metered<F> {
        let (meter, turns, tenant) = (Arc::clone(self), Arc::clone(turns), Arc::clone(tenant));
        Metered { meter, turns, tenant, waiting: None, guest: Box::pin(guest) }
    }

    /// Counts what is computed for the guest beside it. None comes out when that is over the limit.
    pub(crate) fn count<F: Future + Unpin>(self: &Arc<Self>, work: F) -> Counted<F> {
        Counted { meter: Arc::clone(self), work }
    }
}

/// A guest's future whose polls are timed.
pub(crate) struct Metered<F> {
    meter: Arc<Meter>,
    turns: Arc<Turns>,
    tenant: Arc<str>,
    waiting: Option<Pin<Box<dyn Future<Output = Option<Turn>> + Send>>>,
    guest: Pin<Box<F>>,
}

impl<F> Metered<F> {
    /// Waits for a turn, and then until the runtime has looked at everything else.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Option<Turn>> {
        let (turns, tenant) = (&self.turns, &self.tenant);
        let waiting = self.waiting.get_or_insert_with(|| {
            let (turns, tenant) = (Arc::clone(turns), Arc::clone(tenant));
            Box::pin(async move {
                let turn = tokio::time::timeout(LONGEST_WAIT, turns.enter(&tenant)).await;
                let turn = turn.ok().and_then(Result::ok);
                tokio::task::yield_now().await;
                turn
            })
        });
        let turn = ready!(waiting.as_mut().poll(context));
        self.waiting = None;
        Poll::Ready(turn)
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Held until this poll ends.
        let _turn = match self.meter.takes_turns() {
            true => ready!(self.poll_turn(context)),
            false => None,
        };
        let began = thread_time();
        self.meter.since.store(began, Ordering::Relaxed);
        let result = self.guest.as_mut().poll(context);
        self.meter.add(began);
        result
    }
}

/// Work for a guest that counts as its own computing.
pub(crate) struct Counted<F> {
    meter: Arc<Meter>,
    work: F,
}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.meter.used() > self.meter.limit {
            self.meter.exceeded.store(true, Ordering::Relaxed);
            return Poll::Ready(None);
        }
        let began = thread_time();
        let result = Pin::new(&mut self.work).poll(context);
        self.meter.add(began);
        result.map(Some)
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

    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
