//! A call that runs: a future of its result, which can be asked what it did so far and cancelled at any moment.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::record::Record;
use super::reply::Reply;
use crate::failure::CallError;
use crate::report::{CallOutcome, CallReport};

/// The call's future, which owns everything that the call runs in.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Result<Reply<T>, CallError>> + Send>>;

/// A call of a connector. It runs while it is awaited.
///
/// Dropping it before its end cancels it, as [`cancel`](Self::cancel) does: the guest is gone at once and nothing of the
/// call leaves any more. What had left before may have been done; the host's observer and log get the report of that.
#[must_use = "a call runs while it is awaited"]
pub struct Running<T> {
    record: Arc<Record>,
    work: Option<Work<T>>,
}

/// What a call does, seen from aside: by somebody who does not hold the call itself.
#[derive(Clone)]
pub struct Sight {
    record: Arc<Record>,
}

impl Sight {
    /// What the call did so far, or in all, once it has ended.
    #[must_use]
    pub fn report(&self) -> CallReport {
        self.record.so_far()
    }
}

impl<T> Running<T> {
    pub(super) fn new(record: Arc<Record>, work: Work<T>) -> Self {
        Self { record, work: Some(work) }
    }

    /// What the call did so far. Until it has ended, its outcome reads `cancelled`: what it would be if it were now.
    #[must_use]
    pub fn report(&self) -> CallReport {
        self.record.so_far()
    }

    /// A look at the call that stays when the call itself is handed on, or gone.
    #[must_use]
    pub fn sight(&self) -> Sight {
        Sight { record: Arc::clone(&self.record) }
    }

    /// Ends the call, and says what it did. [`CallReport::outcome_of_run`] says whether it may have changed something.
    pub fn cancel(mut self) -> CallReport {
        self.end()
    }

    fn end(&mut self) -> CallReport {
        // The guest, its memory and its requests first: then nothing more happens that the report would not know.
        self.work = None;
        self.record.finish(CallOutcome::Cancelled)
    }
}

impl<T> Future for Running<T> {
    type Output = Result<Reply<T>, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let result = work.as_mut().poll(context);
        if result.is_ready() {
            self.work = None;
        }
        result
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        if self.work.is_some() {
            self.end();
        }
    }
}
