//! The memory that the guests of a host may have together.
//!
//! Each call has a little for itself, which nearly every call lives in. What goes over it comes out of one budget, and a
//! guest that finds it used up waits until others give theirs back: refusing would make a guest trap in the middle of what
//! it does, perhaps after its request has left. Were all of those who wait to hold something that the others need, nobody
//! would go on; so one at a time may go over the budget, up to the limit of its call.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What each call has for itself: what the memory of a component begins with, and some growth.
pub(crate) const FREE: usize = 2 << 20;

/// A page of WebAssembly, in which memory grows.
const PAGE: usize = 64 << 10;

/// See the module.
pub(crate) struct Budget {
    pages: Arc<Semaphore>,
    beyond: Arc<Semaphore>,
    most: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        let most = (bytes / PAGE).min(Semaphore::MAX_PERMITS);
        Arc::new(Self { pages: Arc::new(Semaphore::new(most)), beyond: Arc::new(Semaphore::new(1)), most })
    }

    /// What is in use of it, in bytes.
    pub(crate) fn used(&self) -> usize {
        self.most.saturating_sub(self.pages.available_permits()) * PAGE
    }
}

/// What one call has of the budget. Given back when it is dropped.
pub(crate) struct Share {
    budget: Arc<Budget>,
    pages: Option<OwnedSemaphorePermit>,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Share {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), pages: None, beyond: None }
    }

    /// Whether memory of so many bytes in all needs more than this has.
    fn lacks(&self, bytes: usize) -> Option<u32> {
        let needed = bytes.saturating_sub(FREE).div_ceil(PAGE);
        let has = self.pages.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let lacks = needed.checked_sub(has).filter(|lacks| *lacks > 0)?;
        (self.beyond.is_none()).then_some(u32::try_from(lacks).unwrap_or(u32::MAX))
    }

    /// Waits until the call may have so many bytes in all.
    pub(crate) async fn grow(&mut self, bytes: usize) {
        let Some(lacks) = self.lacks(bytes) else { return };
        let (pages, beyond) = (Arc::clone(&self.budget.pages), Arc::clone(&self.budget.beyond));
        tokio::select! {
            biased;
            Ok(more) = pages.acquire_many_owned(lacks) => match &mut self.pages {
                Some(pages) => pages.merge(more),
                None => self.pages = Some(more),
            },
            Ok(leave) = beyond.acquire_owned() => self.beyond = Some(leave),
            // Neither is ever closed.
            else => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn grows(share: &mut Share, bytes: usize) -> bool {
        std::pin::pin!(share.grow(bytes)).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn what_each_call_has_for_itself_costs_nothing() {
        let budget = Budget::new(0);
        let mut shares: Vec<Share> = (0..100).map(|_| Share::new(&budget)).collect();
        assert!(shares.iter_mut().all(|share| grows(share, FREE)));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn one_goes_over_the_budget_and_the_others_wait_for_it() {
        let budget = Budget::new(2 * PAGE);
        let (mut first, mut second, mut third) = (Share::new(&budget), Share::new(&budget), Share::new(&budget));
        assert!(grows(&mut first, FREE + PAGE) && grows(&mut second, FREE + PAGE));
        assert_eq!(budget.used(), 2 * PAGE);
        assert!(grows(&mut third, FREE + 50 * PAGE), "one may go over");
        assert!(grows(&mut third, FREE + 60 * PAGE), "and further");
        assert!(!grows(&mut first, FREE + 2 * PAGE));
        drop(third);
        assert!(grows(&mut first, FREE + 2 * PAGE), "the next one may");
        assert!(!grows(&mut second, FREE + 2 * PAGE));
        drop(first);
        assert!(grows(&mut second, FREE + 2 * PAGE));
        assert_eq!(budget.used(), 2 * PAGE);
    }

    #[test]
    fn a_share_is_given_back() {
        let budget = Budget::new(4 * PAGE);
        let mut share = Share::new(&budget);
        assert!(grows(&mut share, FREE + 3 * PAGE) && grows(&mut share, FREE + 4 * PAGE));
        assert_eq!(budget.used(), 4 * PAGE);
        drop(share);
        assert_eq!(budget.used(), 0);
    }
}
