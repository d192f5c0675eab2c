//! Hands runs out: so many at once, each for as long as it takes, and none begun once the end has begun.
//!
//! The store says what is due. It is asked when something changed, when a run is due by the clock, and when a place
//! became free. What one run goes through is in `run`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{Lease, Moment};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::run;
use crate::settings::Dispatch;
use crate::shared::Shared;

/// A store that failed is asked again after so long.
const AFTER_A_FAILURE: Duration = Duration::from_millis(500);

/// What is due and cannot be claimed (an earlier one of its object is under way elsewhere) is looked at this often.
const SHORTEST: Duration = Duration::from_millis(200);

/// A process that shares the store may not have told us of something: nobody waits longer for that.
const LONGEST: Duration = Duration::from_secs(30);

/// Hands runs out until the end, and finishes what was begun. How many were not finished.
pub(crate) async fn dispatch(shared: Arc<Shared>, settings: Dispatch, mut stop: watch::Receiver<bool>) -> usize {
    let lease = Lease {
        worker: settings.worker.clone(),
        length: settings.lease,
        sources: shared.sources.keys().cloned().collect(),
    };
    let (give_up, given_up) = watch::channel(false);
    let settings = Arc::new(settings);
    let mut changes = shared.store.changes();
    let mut running: JoinSet<()> = JoinSet::new();
    while !*stop.borrow() {
        while running.try_join_next().is_some() {}
        let free = settings.at_once.saturating_sub(running.len());
        let wait = match claim(&shared, &lease, free).await {
            Ok(Claimed::Some(claims)) => {
                for claim in claims {
                    running.spawn(run::run(Arc::clone(&shared), Arc::clone(&settings), claim, given_up.clone()));
                }
                continue;
            }
            Ok(Claimed::None(wait)) => wait,
            Err(_) => AFTER_A_FAILURE,
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = changes.next(), if free > 0 => {}
            Some(_) = running.join_next() => {}
            () = sleep(wait), if free > 0 => {}
        }
    }
    shared.draining.store(true, Ordering::Relaxed);
    let finish = async { while running.join_next().await.is_some() {} };
    if timeout(settings.finish, finish).await.is_ok() {
        return 0;
    }
    let left = running.len();
    give_up.send_replace(true);
    // Each is put back; a store that is away just then gives it back when its lease is over.
    let put_back = async { while running.join_next().await.is_some() {} };
    let _ = timeout(AFTER_A_FAILURE * 4, put_back).await;
    left
}

/// What the store had.
enum Claimed {
    Some(Vec<store::Claim>),
    /// Nothing, and for how long it may be left alone.
    None(Duration),
}

async fn claim(shared: &Shared, lease: &Lease, free: usize) -> Result<Claimed, store::Error> {
    if free == 0 {
        return Ok(Claimed::None(LONGEST));
    }
    let claims = shared.answered(shared.store.claim(lease, free, Moment::now()).await)?;
    if !claims.is_empty() {
        return Ok(Claimed::Some(claims));
    }
    let due = shared.answered(shared.store.next_due(&lease.sources).await)?;
    let wait = due.map_or(LONGEST, |due| due.since(Moment::now()));
    Ok(Claimed::None(wait.clamp(SHORTEST, LONGEST)))
}
