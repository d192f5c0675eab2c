//! How an inbox works.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::listen::Bounds;

/// How an inbox works.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Connections.
    pub bounds: Bounds,
    /// Runs.
    pub dispatch: Dispatch,
}

/// How runs are done.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// So many runs at once.
    pub at_once: usize,
    /// A run whose process died may be begun by another after so long. While a run is being done, this is extended.
    pub lease: Duration,
    /// When what failed is tried again.
    pub backoff: Backoff,
    /// What is being done when the end comes has so long to be finished; then it waits for the next start.
    pub finish: Duration,
    /// Events whose runs are all done are forgotten after so long. It must be longer than the service delivers and lists an
    /// event: a forgotten one would be new again.
    pub keep: Duration,
    /// The name of this process, for people who look into the store.
    pub worker: String,
}

impl Default for Dispatch {
    fn default() -> Self {
        Self {
            at_once: 16,
            lease: Duration::from_secs(15),
            backoff: Backoff::default(),
            finish: Duration::from_secs(5),
            // Stripe lists events for 30 days.
            keep: Duration::from_secs(35 * 24 * 3600),
            worker: format!("process {}", std::process::id()),
        }
    }
}
