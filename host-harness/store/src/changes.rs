//! Being woken when there may be work.

use tokio::sync::watch;

/// Says when there may be something to claim that was not there before, by this process or another. It never misses anything
/// that came after it was made: make it first, then claim, then wait. It may wake for nothing.
#[derive(Clone, Debug)]
pub struct Changes {
    versions: watch::Receiver<u64>,
}

impl Changes {
    /// Ends when something changed since it was made or last ended.
    pub async fn next(&mut self) {
        if self.versions.changed().await.is_err() {
            // The store is gone: nothing will change any more.
            std::future::pending().await
        }
    }
}

/// Where changes are told.
#[derive(Debug)]
pub(crate) struct Bell {
    versions: watch::Sender<u64>,
}

impl Default for Bell {
    fn default() -> Self {
        Self { versions: watch::Sender::new(0) }
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.versions.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Whether anybody would hear it.
    pub(crate) fn heard(&self) -> bool {
        self.versions.receiver_count() > 0
    }

    pub(crate) fn changes(&self) -> Changes {
        Changes { versions: self.versions.subscribe() }
    }
}
