//! The events and runs in one file of SQLite: what a single machine needs, with nothing to install.
//!
//! All writes of a process go through one thread (`writer`), which puts everything that waits into one transaction, so that one
//! `fsync` serves all of them; reads go through another, and see what is committed. Several processes may have the file open: SQLite
//! lets one of them write at a time, and the others come to know of it by its change counter.
//!
//! Arrows: `failure` → `file`, `schema` → `writer`, `reader` → what the methods do (`taking`, `claiming`, `settling`, `replaying`,
//! `reading`) → here.

mod claiming;
mod failure;
mod file;
mod reader;
mod reading;
mod replaying;
mod schema;
mod settling;
mod taking;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::reader::Reader;
use self::writer::Writer;
use crate::changes::{Bell, Changes};
use crate::error::Error;
use crate::lanes::Look;
use crate::listing::{Counts, Cursor, Filter, KeptEvent, LastSeen, Page, Position};
use crate::model::{Arrival, Claim, Ending, EventKey, Lease, Replay, Replayed, Taken};
use crate::moment::Moment;
use crate::store::{Answer, Store};

/// A store in a file.
#[derive(Debug)]
pub struct Sqlite {
    writer: Writer,
    reader: Reader,
    bell: Arc<Bell>,
    look: Arc<Mutex<Look>>,
}

impl Sqlite {
    /// Opens a file, or makes it, so that only its owner can read it. Needs no runtime of its own: its threads end with it.
    ///
    /// # Errors
    ///
    /// As [`Error`] says: the place does not allow it, the file is damaged, none of ours, or newer than this program.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let bell = Arc::new(Bell::default());
        let writer = Writer::start(path.to_owned()).await?;
        // After the writer, which makes the file and brings its tables up to date.
        let reader = Reader::start(path.to_owned(), Arc::clone(&bell)).await?;
        Ok(Self { writer, reader, bell, look: Arc::default() })
    }
}

impl Store for Sqlite {
    fn take(&self, arrivals: Vec<Arrival>, now: Moment) -> Answer<'_, Vec<Taken>> {
        Box::pin(async move {
            arrivals.iter().try_for_each(Arrival::check)?;
            let taken = self.writer.write(move |tx| taking::take(tx, &arrivals, now)).await?;
            if taken.iter().any(|taken: &Taken| !taken.started.is_empty()) {
                self.bell.ring();
            }
            Ok(taken)
        })
    }

    fn claim(&self, lease: &Lease, most: usize, now: Moment) -> Answer<'_, Vec<Claim>> {
        let (lease, look) = (lease.clone(), Arc::clone(&self.look));
        Box::pin(self.writer.write(move |tx| claiming::claim(tx, &look, &lease, most, now)))
    }

    fn settle(&self, claim: &Claim, ending: Ending, now: Moment) -> Answer<'_, bool> {
        let (key, fence) = (claim.key.clone(), claim.fence);
        Box::pin(async move {
            let settled = self.writer.write(move |tx| settling::settle(tx, &key, fence, &ending, now)).await?;
            if settled.woke {
                self.bell.ring();
            }
            Ok(settled.ours)
        })
    }

    fn extend(&self, claim: &Claim, length: Duration, now: Moment) -> Answer<'_, bool> {
        let (key, fence) = (claim.key.clone(), claim.fence);
        Box::pin(self.writer.write(move |tx| settling::extend(tx, &key, fence, length, now)))
    }

    fn next_due(&self, sources: &[String]) -> Answer<'_, Option<Moment>> {
        let sources = sources.to_vec();
        Box::pin(self.reader.read(move |db| reading::next_due(db, &sources)))
    }

    fn changes(&self) -> Changes {
        self.bell.changes()
    }

    fn events(&self, filter: &Filter, after: Option<Cursor>, most: usize) -> Answer<'_, Page> {
        let filter = filter.clone();
        Box::pin(self.reader.read(move |db| reading::events(db, &filter, after, most)))
    }

    fn event(&self, key: &EventKey) -> Answer<'_, Option<KeptEvent>> {
        let key = key.clone();
        Box::pin(self.reader.read(move |db| reading::event(db, &key)))
    }

    fn replay(&self, what: &Replay, now: Moment) -> Answer<'_, Vec<Replayed>> {
        let what = what.clone();
        Box::pin(async move {
            let replayed = self.writer.write(move |tx| replaying::replay(tx, &what, now)).await?;
            self.bell.ring();
            Ok(replayed)
        })
    }

    fn counts(&self, source: Option<&str>) -> Answer<'_, Counts> {
        let source = source.map(str::to_owned);
        Box::pin(self.reader.read(move |db| reading::counts(db, source.as_deref())))
    }

    fn forget(&self, before: Moment, most: usize) -> Answer<'_, usize> {
        Box::pin(self.writer.write(move |tx| taking::forget(tx, before, most)))
    }

    fn position(&self, source: &str) -> Answer<'_, Option<Position>> {
        let source = source.to_owned();
        Box::pin(self.reader.read(move |db| reading::position(db, &source)))
    }

    fn set_position(&self, source: &str, cursor: &str, now: Moment) -> Answer<'_, ()> {
        let (source, cursor) = (source.to_owned(), cursor.to_owned());
        Box::pin(async move {
            crate::model::storable("a source", &source)?;
            crate::model::storable("a cursor", &cursor)?;
            self.writer.write(move |tx| taking::set_position(tx, &source, &cursor, now)).await
        })
    }

    fn last_seen(&self, source: &str) -> Answer<'_, Option<LastSeen>> {
        let source = source.to_owned();
        Box::pin(self.reader.read(move |db| reading::last_seen(db, &source)))
    }

    fn ready(&self) -> Answer<'_, ()> {
        Box::pin(self.writer.write(schema::check))
    }
}
