//! The events and runs in a database of PostgreSQL, which several machines share.
//!
//! A process has five connections: one that takes and one that settles, each putting what waits into one transaction (`together`); one
//! for everything that decides (claims, replays); one that reads; and one that listens for what others did. Each is made again when it is
//! lost (`line`): until the server is back, calls fail as unavailable, and nothing that was answered is lost.
//!
//! Claims exclude each other by a lock that ends with their transaction, so that of an object's runs never two are handed out; they
//! pass over what others have locked, and so wait for nobody else.
//!
//! Arrows: `failure`, `tls` → `server` → `line` → `schema`, `together`, `listening` → what the methods do (`taking`, `claiming`,
//! `settling`, `replaying`, `reading`) → here.

mod claiming;
mod failure;
mod line;
mod listening;
mod reading;
mod replaying;
mod schema;
mod server;
mod settling;
mod taking;
mod tls;
mod together;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use self::line::{Line, Plans, on};
use self::listening::Listening;
pub use self::server::Server;
use self::settling::{Settle, Settling};
use self::taking::{Take, Taking};
use self::together::Together;
use crate::changes::{Bell, Changes};
use crate::error::Error;
use crate::lanes::{Look, Settlement};
use crate::listing::{Counts, Cursor, Filter, KeptEvent, LastSeen, Page, Position};
use crate::model::{Arrival, Claim, Ending, EventKey, Lease, Replay, Replayed, Taken, storable};
use crate::moment::{Moment, millis};
use crate::store::{Answer, Store};

/// A store in a database that others may share.
#[derive(Debug)]
pub struct Postgres {
    takes: Together<Taking>,
    settles: Together<Settling>,
    desk: Arc<Mutex<Desk>>,
    readings: Arc<Mutex<Line>>,
    bell: Arc<Bell>,
    _listening: Listening,
}

/// Where it is decided who does what.
#[derive(Debug)]
struct Desk {
    line: Line,
    look: Look,
}

impl Postgres {
    /// Connects, makes the tables where there are none, and brings them up to date.
    ///
    /// # Errors
    ///
    /// As [`Error`] says: the server cannot be reached, the account may not, or the tables are newer than this program.
    pub async fn open(server: &Server) -> Result<Self, Error> {
        let server = Arc::new(server.clone());
        let bell = Arc::new(Bell::default());
        let mut line = Line::new(Arc::clone(&server), Plans::ByIndex);
        line::in_time(async { schema::migrate(&mut line.session().await?.client).await }).await?;
        Ok(Self {
            takes: Together::start(Taking::new(Line::new(Arc::clone(&server), Plans::ByIndex))),
            settles: Together::start(Settling::new(Line::new(Arc::clone(&server), Plans::ByIndex))),
            desk: Arc::new(Mutex::new(Desk { line, look: Look::default() })),
            readings: Arc::new(Mutex::new(Line::new(Arc::clone(&server), Plans::AsItSees))),
            _listening: Listening::start(server, Arc::clone(&bell)),
            bell,
        })
    }

    async fn settled(&self, settlement: Settle) -> Result<bool, Error> {
        let settled = self.settles.ask(settlement).await?;
        if settled.woke {
            self.bell.ring();
        }
        Ok(settled.ours)
    }
}

/// Work of its own task: a caller that no longer waits does not leave a transaction open.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(line::closed()))
}

impl Store for Postgres {
    fn take(&self, arrivals: Vec<Arrival>, now: Moment) -> Answer<'_, Vec<Taken>> {
        Box::pin(async move {
            arrivals.iter().try_for_each(Arrival::check)?;
            let taken = self.takes.ask(Take { arrivals, now }).await?;
            if taken.iter().any(|taken: &Taken| !taken.started.is_empty()) {
                self.bell.ring();
            }
            Ok(taken)
        })
    }

    fn claim(&self, lease: &Lease, most: usize, now: Moment) -> Answer<'_, Vec<Claim>> {
        let (desk, lease) = (Arc::clone(&self.desk), lease.clone());
        Box::pin(to_the_end(async move {
            let mut desk = desk.lock().await;
            let Desk { line, look } = &mut *desk;
            let looks = look.is_due(now);
            on!(line, session => claiming::claim(session, looks, &lease, most, now))
        }))
    }

    fn settle(&self, claim: &Claim, ending: Ending, now: Moment) -> Answer<'_, bool> {
        let claim = claim.clone();
        Box::pin(async move {
            let Settlement { state, due, span, undone, reason } = Settlement::of(&ending, now);
            // A reason comes from anywhere, and a character that cannot be kept is no reason to keep none.
            let reason = reason.map(|reason| reason.replace('\0', "\u{fffd}"));
            let (key, fence) = (claim.key.as_str().to_owned(), claim.fence);
            let settle = Settle { key, fence, state, due, span, undone, reason, now, extends: false };
            self.settled(settle).await
        })
    }

    fn extend(&self, claim: &Claim, length: Duration, now: Moment) -> Answer<'_, bool> {
        let claim = claim.clone();
        Box::pin(async move {
            let span = millis(length).max(1);
            let (key, fence) = (claim.key.as_str().to_owned(), claim.fence);
            let due = now.unix_millis() + span;
            let settle = Settle { key, fence, state: 1, due, span, undone: 0, reason: None, now, extends: true };
            self.settled(settle).await
        })
    }

    fn next_due(&self, sources: &[String]) -> Answer<'_, Option<Moment>> {
        let (desk, sources) = (Arc::clone(&self.desk), sources.to_vec());
        Box::pin(to_the_end(async move {
            let line = &mut desk.lock().await.line;
            on!(line, session => reading::next_due(session, &sources))
        }))
    }

    fn changes(&self) -> Changes {
        self.bell.changes()
    }

    fn events(&self, filter: &Filter, after: Option<Cursor>, most: usize) -> Answer<'_, Page> {
        let (readings, filter) = (Arc::clone(&self.readings), filter.clone());
        Box::pin(to_the_end(async move {
            let mut line = readings.lock().await;
            on!(line, session => reading::events(session, &filter, after, most))
        }))
    }

    fn event(&self, key: &EventKey) -> Answer<'_, Option<KeptEvent>> {
        let (readings, key) = (Arc::clone(&self.readings), key.clone());
        Box::pin(to_the_end(async move {
            let mut line = readings.lock().await;
            on!(line, session => reading::event(session, &key))
        }))
    }

    fn replay(&self, what: &Replay, now: Moment) -> Answer<'_, Vec<Replayed>> {
        let (desk, bell, what) = (Arc::clone(&self.desk), Arc::clone(&self.bell), what.clone());
        Box::pin(to_the_end(async move {
            let line = &mut desk.lock().await.line;
            let replayed = async { on!(line, session => replaying::replay(session, &what, now)) }.await;
            bell.ring();
            replayed
        }))
    }

    fn counts(&self, source: Option<&str>) -> Answer<'_, Counts> {
        let (readings, source) = (Arc::clone(&self.readings), source.map(str::to_owned));
        Box::pin(to_the_end(async move {
            let mut line = readings.lock().await;
            on!(line, session => reading::counts(session, source.as_deref()))
        }))
    }

    fn forget(&self, before: Moment, most: usize) -> Answer<'_, usize> {
        let desk = Arc::clone(&self.desk);
        Box::pin(to_the_end(async move {
            let line = &mut desk.lock().await.line;
            on!(line, session => replaying::forget(session, before, most))
        }))
    }

    fn position(&self, source: &str) -> Answer<'_, Option<Position>> {
        let (readings, source) = (Arc::clone(&self.readings), source.to_owned());
        Box::pin(to_the_end(async move {
            let mut line = readings.lock().await;
            on!(line, session => reading::position(session, &source))
        }))
    }

    fn set_position(&self, source: &str, cursor: &str, now: Moment) -> Answer<'_, ()> {
        let (desk, source, cursor) = (Arc::clone(&self.desk), source.to_owned(), cursor.to_owned());
        Box::pin(to_the_end(async move {
            storable("a source", &source)?;
            storable("a cursor", &cursor)?;
            let line = &mut desk.lock().await.line;
            on!(line, session => replaying::set_position(session, &source, &cursor, now))
        }))
    }

    fn last_seen(&self, source: &str) -> Answer<'_, Option<LastSeen>> {
        let (readings, source) = (Arc::clone(&self.readings), source.to_owned());
        Box::pin(to_the_end(async move {
            let mut line = readings.lock().await;
            on!(line, session => reading::last_seen(session, &source))
        }))
    }

    fn ready(&self) -> Answer<'_, ()> {
        let desk = Arc::clone(&self.desk);
        Box::pin(to_the_end(async move {
            let line = &mut desk.lock().await.line;
            on!(line, session => schema::check(session))
        }))
    }
}
