//! A new database of either kind for a case, and the events that are put in.

use std::sync::Arc;
use std::time::Duration;

use store::{Arrival, Claim, Lease, Moment, Place, Store, Via};
use tempfile::TempDir;

/// A database of its own for one case.
pub struct Database {
    address: String,
    /// The folder of its file.
    folder: Option<TempDir>,
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { address: format!("sqlite:{}", folder.path().join("events.db").display()), folder: Some(folder) }
    }

    /// None where there is no PostgreSQL on this machine, which is said loudly.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Option<Self> {
        let server = store_testing::shared()?;
        Some(Self { address: server.database(), folder: None })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn place(&self) -> Place {
        Place::parse(&self.address).unwrap()
    }

    /// A handle on it; there can be several.
    pub async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.place()).await.unwrap()
    }

    /// Runs a statement past the store.
    pub fn execute(&self, sql: &str) {
        match &self.folder {
            Some(folder) => {
                rusqlite::Connection::open(folder.path().join("events.db")).unwrap().execute_batch(sql).unwrap();
            }
            None => store_testing::shared().unwrap().execute(&self.address, sql),
        }
    }
}

/// A moment for cases: so many seconds after a fixed one.
pub fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(1_900_000_000 + seconds)
}

/// An event of the source `/shop` that is unordered and happened at 0.
pub fn event(id: &str, triggers: &[&str]) -> Arrival {
    Arrival {
        source: "/shop".to_owned(),
        event_id: id.to_owned(),
        event_type: "customer.created".to_owned(),
        occurred_at: at(0),
        object: None,
        via: Via::Webhook,
        body: format!(r#"{{"id": "{id}", "text": "Ünï\u0000"}}"#),
        triggers: triggers.iter().map(|trigger| (*trigger).to_owned()).collect(),
    }
}

/// An event about an object, so that its runs are ordered.
pub fn about(object: &str, id: &str, occurred: u64) -> Arrival {
    Arrival { object: Some(object.to_owned()), occurred_at: at(occurred), ..event(id, &["t"]) }
}

/// Ten seconds.
pub fn lease() -> Lease {
    Lease { worker: "worker 1".to_owned(), length: Duration::from_secs(10), sources: Vec::new() }
}

/// Claims everything that is due.
pub async fn claim(store: &Arc<dyn Store>, now: Moment) -> Vec<Claim> {
    store.claim(&lease(), 100_000, now).await.unwrap()
}

/// The events of claims.
pub fn ids(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.event.id.as_str()).collect()
}
