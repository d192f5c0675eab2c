//! A call that may change something, behind the guard: a future of its result, which can be asked what has left so far.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use host::{CallReport, Reply, Running, Sight};

use crate::stopped::Stopped;

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<Reply<T>, Stopped>> + Send + 'a>>;

/// A call that may change something. It runs while it is awaited; dropping it cancels it.
#[must_use = "a call runs while it is awaited"]
pub struct Acting<'a, T> {
    work: Work<'a, T>,
    seen: Seen,
}

/// Where the call itself is seen, once it has begun.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<OnceLock<Sight>>);

impl Seen {
    /// The call begins.
    pub(crate) fn see<T>(&self, running: Running<T>) -> Running<T> {
        // A call is made once.
        let _ = self.0.set(running.sight());
        running
    }

    fn report(&self) -> Option<CallReport> {
        self.0.get().map(Sight::report)
    }
}

impl<'a, T> Acting<'a, T> {
    pub(crate) fn of<W>(work: impl FnOnce(Seen) -> W) -> Self
    where
        W: Future<Output = Result<Reply<T>, Stopped>> + Send + 'a,
    {
        let seen = Seen::default();
        Self { work: Box::pin(work(seen.clone())), seen }
    }

    /// What the call did so far. Nothing as long as the guard has not let it begin.
    #[must_use]
    pub fn report(&self) -> Option<CallReport> {
        self.seen.report()
    }

    /// Ends it, and says what it did. Nothing where it had not begun.
    pub fn cancel(self) -> Option<CallReport> {
        let Self { work, seen } = self;
        // The call first: then nothing more happens that the report would not know.
        drop(work);
        seen.report()
    }
}

impl<T> Future for Acting<'_, T> {
    type Output = Result<Reply<T>, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.work.as_mut().poll(context)
    }
}
