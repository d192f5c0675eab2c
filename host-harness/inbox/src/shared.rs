//! What deliveries, runs and catch-ups have in common: the store, the sources, and who is told what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use host::contract::Event;
use indexmap::IndexMap;
use store::{Arrival, Moment, Store, Taken};

use crate::metrics::{Figures, Metrics};
use crate::news::{News, Observer, Via};
use crate::source::Source;

/// See the module.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sources: IndexMap<String, Arc<Source>>,
    pub(crate) metrics: Metrics,
    pub(crate) observer: Arc<dyn Observer>,
    store_is_away: AtomicBool,
    /// Whether the end has begun.
    pub(crate) draining: AtomicBool,
}

impl Shared {
    pub(crate) fn new(store: Arc<dyn Store>, sources: Vec<Source>, observer: Arc<dyn Observer>) -> Self {
        let sources: IndexMap<_, _> =
            sources.into_iter().map(|source| (source.name.clone(), Arc::new(source))).collect();
        let metrics = Metrics::of(sources.keys().map(String::as_str));
        let (store_is_away, draining) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { store, sources, metrics, observer, store_is_away, draining }
    }

    pub(crate) fn tell(&self, source: &Source, news: &News<'_>) {
        self.observer.news(&source.name, news);
    }

    pub(crate) fn figures(&self, source: &Source) -> Option<&Figures> {
        self.metrics.source(&source.name)
    }

    /// What the store answered. That it cannot be used, or can again, is told once.
    pub(crate) fn answered<T>(&self, answer: Result<T, store::Error>) -> Result<T, store::Error> {
        match &answer {
            Ok(_) => {
                if self.store_is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store can be used again");
                    self.observer.news("", &News::StoreBack);
                }
            }
            // One event that cannot be kept says nothing about the store.
            Err(store::Error::Unfit(_)) => {}
            Err(error) => {
                self.metrics.store_failures.fetch_add(1, Ordering::Relaxed);
                if !self.store_is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the store cannot be used");
                    self.observer.news("", &News::StoreAway { reason: &error.to_string() });
                }
            }
        }
        answer
    }

    /// Keeps events of a source: durable when this ends well.
    pub(crate) async fn keep(&self, source: &Source, events: &[Event], via: Via) -> Result<Vec<Taken>, store::Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let arrivals = events.iter().map(|event| arrival(source, event, via)).collect();
        let taken = self.answered(self.store.take(arrivals, Moment::now()).await)?;
        for (event, taken) in events.iter().zip(&taken) {
            let runs = taken.started.len();
            let news = match taken.first || runs > 0 {
                true => News::Taken { event, via, runs },
                false => News::Known { event, via },
            };
            self.tell(source, &news);
        }
        Ok(taken)
    }
}

/// An event as it is kept.
fn arrival(source: &Source, event: &Event, via: Via) -> Arrival {
    let triggers = match source.expected.uses().is_empty() || event.triggers.is_empty() {
        // Where no trigger is named, everything is wanted, once: its type stands for whatever would report it.
        true => vec![event.event_type.clone()],
        false => event.triggers.clone(),
    };
    let object = event.record.as_ref().filter(|_| source.ordered);
    Arrival {
        source: source.name.clone(),
        event_id: event.id.clone(),
        event_type: event.event_type.clone(),
        occurred_at: Moment::from_unix_seconds(event.occurred_at),
        object: object.map(|record| format!("{}/{}", record.resource, record.id)),
        via: match via {
            Via::Webhook => store::Via::Webhook,
            Via::CatchUp => store::Via::Poll,
        },
        // The form has no value that JSON could not say.
        body: serde_json::to_string(event).unwrap_or_default(),
        triggers,
    }
}
