//! What a call did over the network, shared by the call and its requests. Bounded, however much a component asks for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::denial::Denial;
use crate::report::EgressRecord;

/// One call may make so many requests. The longest legitimate call pages and retries; hundreds of requests are a loop.
pub(super) const MOST_REQUESTS: usize = 500;

/// So many denials are kept: whoever reads more of one call learns nothing more. All are counted.
const MOST_DENIALS: usize = 20;

/// Is told what goes over the network while it does.
pub(crate) trait Watch: Send + Sync {
    /// A request was answered, or no answer came.
    fn request(&self, request: &EgressRecord);
    /// A request was not let out. Of many, the first are told.
    fn denied(&self, denial: &Denial);
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct EgressLog {
    entries: Arc<Mutex<Entries>>,
    watch: Option<Arc<dyn Watch>>,
}

#[derive(Default)]
struct Entries {
    requests: Vec<(Instant, EgressRecord)>,
    denials: Vec<Denial>,
    denied: u64,
    /// The call is over: its report is written, and nothing may leave any more.
    closed: bool,
}

/// Why a request is not let out although the policy allows it.
pub(super) enum NotBegun {
    TooMany,
    Closed,
}

/// What was recorded.
pub(crate) struct Recorded {
    pub(crate) requests: Vec<EgressRecord>,
    /// The first denials.
    pub(crate) denials: Vec<Denial>,
    /// How many there were.
    pub(crate) denied: u64,
}

impl EgressLog {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One whose entries are also told.
    pub(crate) fn watched_by(watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch), ..Self::default() }
    }

    /// What was recorded so far. What has no answer yet is given up with the call.
    pub(crate) fn so_far(&self) -> Recorded {
        let entries = self.lock();
        let requests = entries.requests.iter().map(|(began, record)| {
            let mut record = record.clone();
            if record.status.is_none() && record.error.is_none() {
                record.error = Some("given up before an answer came".to_owned());
                record.duration = began.elapsed();
            }
            record
        });
        Recorded { requests: requests.collect(), denials: entries.denials.clone(), denied: entries.denied }
    }

    /// No request of the call leaves from now on.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn deny(&self, denial: Denial) {
        let mut entries = self.lock();
        entries.denied = entries.denied.saturating_add(1);
        if entries.denials.len() >= MOST_DENIALS || entries.closed {
            return;
        }
        entries.denials.push(denial.clone());
        drop(entries);
        if let Some(watch) = &self.watch {
            watch.denied(&denial);
        }
    }

    /// Writes a request down before it leaves.
    pub(super) fn begin(&self, record: EgressRecord) -> Result<usize, NotBegun> {
        let mut entries = self.lock();
        if entries.closed {
            return Err(NotBegun::Closed);
        }
        if entries.requests.len() >= MOST_REQUESTS {
            return Err(NotBegun::TooMany);
        }
        entries.requests.push((Instant::now(), record));
        Ok(entries.requests.len() - 1)
    }

    /// Completes a request's record. It may be gone: a request can outlive its call for a moment.
    pub(super) fn complete(&self, index: usize, change: impl FnOnce(&mut EgressRecord)) {
        let mut entries = self.lock();
        let Some((began, record)) = entries.requests.get_mut(index) else { return };
        record.duration = began.elapsed();
        change(record);
        if let Some(watch) = &self.watch {
            let record = record.clone();
            drop(entries);
            watch.request(&record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::DenialReason;

    #[test]
    fn the_first_denials_are_kept_and_all_are_counted() {
        let log = EgressLog::default();
        for index in 0..1_000_000 {
            log.deny(Denial::new("GET", "https://a.example", &format!("/{index}"), DenialReason::NotGranted, None));
        }
        let recorded = log.so_far();
        assert_eq!((recorded.denials.len(), recorded.denied), (MOST_DENIALS, 1_000_000));
        assert_eq!(recorded.denials[0].path, "/0");
    }
}
