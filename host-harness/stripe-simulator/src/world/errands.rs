//! Errands: what a change in one account causes in another one.
//!
//! Every account has its lock, and two are never held at once: an account notes what is to be done elsewhere, and
//! once its lock is free [`World::run_errands`] has it done, before the request that caused it is answered. Ids are
//! given out by the account that sends the errand, so that its own objects can name what will be there. What is done
//! is `resources`' business, as it is for what happens [later](super::later).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Account, Cause, Object, Scope, World, lock};

/// What an account does for another one, and the object that says how.
pub(crate) type Work = fn(&mut Account, &Object);

#[derive(Debug)]
struct Errand {
    to: Scope,
    cause: Cause,
    work: Work,
    about: Object,
}

/// Errands that are still to be run, in the order that they were noted.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    queue: Mutex<VecDeque<Errand>>,
    unfinished: AtomicUsize,
    /// Held while they are run: whoever comes second returns once those of the first are done.
    running: Mutex<()>,
}

impl Errands {
    pub(super) fn note(&self, to: Scope, cause: Cause, work: Work, about: Object) {
        self.unfinished.fetch_add(1, Ordering::AcqRel);
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(Errand { to, cause, work, about });
    }

    fn next(&self) -> Option<Errand> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl World {
    /// Runs every errand there is, and those that follow from them. No account may be locked by the caller.
    pub(crate) fn run_errands(&self) {
        let errands = &self.settings().errands;
        if errands.unfinished.load(Ordering::Acquire) == 0 {
            return;
        }
        let _running = errands.running.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Errand { to, cause, work, about }) = errands.next() {
            let account = self.account(&to);
            let mut account = lock(&account);
            account.begin(cause);
            work(&mut account, &about);
            account.commit();
            errands.unfinished.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
