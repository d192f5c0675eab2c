//! What was done long ago is forgotten.

use std::sync::Arc;
use std::time::Duration;

use store::Moment;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::shared::Shared;

/// Between one look and the next.
const EVERY: Duration = Duration::from_secs(3600);

/// So many are forgotten at once: nobody waits long for it.
const AT_ONCE: usize = 500;

/// Forgets events that were taken longer ago than `keep` and are done, until the end.
pub(crate) async fn forget(shared: Arc<Shared>, keep: Duration, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let now = Moment::now();
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = Moment::from_unix_millis(now.unix_millis().saturating_sub(keep));
        let forgotten = shared.answered(shared.store.forget(before, AT_ONCE).await).unwrap_or(0);
        let wait = if forgotten == AT_ONCE { Duration::from_millis(100) } else { EVERY };
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}
