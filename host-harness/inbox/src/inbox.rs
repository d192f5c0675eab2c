//! The whole: sources over a store, behind one address.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::Store;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::catch_up::keep_up;
use crate::delivery::Desk;
use crate::dispatch::dispatch;
use crate::listen::listen;
use crate::news::Observer;
use crate::retention::forget;
use crate::server::Server;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::source::Source;

/// Why there is no inbox.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InboxError {
    /// Two sources of one name: nobody could tell their events apart.
    #[error("two sources are called {0:?}: give each a name of its own")]
    Twice(String),
    /// A name that is no part of a path.
    #[error("{0:?} cannot be a source's name: use letters, digits, - and _")]
    Name(String),
    /// Nothing to take.
    #[error("there is no source")]
    None,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// So many runs were under way and were not finished in time. They wait for the next start.
    pub unfinished: usize,
}

/// Sources, and the store that they share.
pub struct Inbox {
    shared: Arc<Shared>,
    settings: Settings,
}

impl Inbox {
    /// An inbox of these sources, with nobody answering yet.
    ///
    /// # Errors
    /// Sources whose names are not right.
    pub fn new(
        store: Arc<dyn Store>,
        sources: Vec<Source>,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, InboxError> {
        let mut names = HashSet::new();
        for Source { name, .. } in &sources {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            if name.is_empty() || name.len() > 100 || !name.chars().all(plain) {
                return Err(InboxError::Name(name.clone()));
            }
            if !names.insert(name) {
                return Err(InboxError::Twice(name.clone()));
            }
        }
        if sources.is_empty() {
            return Err(InboxError::None);
        }
        Ok(Self { shared: Arc::new(Shared::new(store, sources, observer)), settings })
    }

    /// Takes what comes and hands it on, until `stop`. Then no connection is taken any more, requests that are being
    /// answered are answered, and runs that are under way are finished, for as long as the settings say.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> Ended {
        let Self { shared, settings } = self;
        let (stopping, stopped) = watch::channel(false);
        let mut beside = JoinSet::new();
        for source in shared.sources.values() {
            if let Some(how) = source.catch_up.clone() {
                beside.spawn(keep_up(Arc::clone(&shared), Arc::clone(source), how, stopped.clone()));
            }
        }
        beside.spawn(forget(Arc::clone(&shared), settings.dispatch.keep, stopped.clone()));
        let mut dispatching = JoinSet::new();
        dispatching.spawn(dispatch(Arc::clone(&shared), settings.dispatch, stopped));
        let server = Arc::new(Server { shared: Arc::clone(&shared), desk: Desk::default() });
        let answer = move |request| {
            let server = Arc::clone(&server);
            async move { server.answer(request).await }
        };
        let stop = async {
            stop.await;
            shared.draining.store(true, Ordering::Relaxed);
            stopping.send_replace(true);
        };
        listen(listener, settings.bounds, answer, stop).await;
        while beside.join_next().await.is_some() {}
        let unfinished = match dispatching.join_next().await {
            Some(Ok(unfinished)) => unfinished,
            _ => 0,
        };
        Ended { unfinished }
    }
}
