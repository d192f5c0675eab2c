//! Thin events that were taken: what they point at is fetched, each beside everything else.

use host::Connector;
use host::contract::Event;
use tokio::task::JoinSet;

use crate::cli::failure::Failure;
use crate::cli::setup::connecting::Link;

/// Thin events of which the rest is on its way.
pub struct Loading<'a> {
    connector: &'a Connector,
    link: &'a Link,
    loads: JoinSet<Loaded>,
}

/// An event that was thin, complete or still thin, with the reason.
pub struct Loaded {
    pub id: String,
    pub result: Result<Event, Failure>,
}

impl<'a> Loading<'a> {
    pub fn new(connector: &'a Connector, link: &'a Link) -> Self {
        Self { connector, link, loads: JoinSet::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    /// Fetches the rest of an event that is thin.
    pub fn begin(&mut self, event: &Event) {
        if event.complete {
            return;
        }
        let (connector, event) = (self.connector.clone(), event.clone());
        let call = self.link.fresh_call();
        self.loads.spawn(async move {
            let load = async { Ok(connector.load(&call?, &event.payload).await?.value) };
            Loaded { result: load.await, id: event.id }
        });
    }

    /// The next that came to an end.
    pub async fn next(&mut self) -> Loaded {
        loop {
            match self.loads.join_next().await {
                Some(Ok(loaded)) => return loaded,
                // It was given up, which only the end of the process does.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}
