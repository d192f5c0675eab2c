//! The one thread that writes: what waits is written together.
//!
//! While one transaction is on its way to the disk, the next one's work gathers; so the busier it is, the more is done by one `fsync`,
//! and nobody waits for anything but the disk.

use std::fmt;
use std::path::PathBuf;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::sqlite::file::{self, Identity};
use crate::sqlite::schema;

/// So much waits before callers are held up.
const WAITING: usize = 4096;

/// So much goes into one transaction: a thousandth of a second's work or a few, so that the first in it is not answered late.
const TOGETHER: usize = 256;

/// Where work is put.
pub struct Writer {
    work: mpsc::Sender<Box<dyn Work>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Something to be done in a transaction, perhaps more than once: when another's work undid the first.
trait Work: Send {
    fn run(&mut self, tx: &Connection) -> Result<(), Error>;
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Asked<T, F> {
    ask: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, Error> + Send> Work for Asked<T, F> {
    fn run(&mut self, tx: &Connection) -> Result<(), Error> {
        self.value = Some((self.ask)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let Self { value, reply, .. } = *self;
        // Who no longer waits does not need it.
        let _ = reply.send(committed.and_then(|()| value.ok_or_else(closed)));
    }
}

fn closed() -> Error {
    Error::Unavailable("it was closed".to_owned())
}

impl Writer {
    /// Opens the file on a thread of its own, and brings its tables up to date.
    pub async fn start(path: PathBuf) -> Result<Self, Error> {
        let (work, waiting) = mpsc::channel(WAITING);
        let (opened, answer) = oneshot::channel();
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let ready = file::writable(&path).and_then(|mut db| schema::migrate(&mut db).map(|()| db));
                let ready = ready.map_err(|error| file::at(&path, error)).and_then(|db| Ok((db, Identity::of(path)?)));
                match ready {
                    Ok((db, identity)) => {
                        let _ = opened.send(Ok(()));
                        serve(&db, &identity, waiting);
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            })
            .map_err(|error| Error::Unavailable(format!("no thread can be had: {error}")))?;
        answer.await.unwrap_or_else(|_| Err(closed()))?;
        Ok(Self { work })
    }

    /// Does something in a transaction, and answers when it is on the disk.
    pub async fn write<T, F>(&self, ask: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.work.send(Box::new(Asked { ask, value: None, reply })).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// Until nobody can ask for anything more.
fn serve(db: &Connection, identity: &Identity, mut waiting: mpsc::Receiver<Box<dyn Work>>) {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.blocking_recv_many(&mut together, TOGETHER) > 0 {
        let done = identity.check().and_then(|()| commit(db, &mut together));
        match done {
            // One of them went wrong, and the others are not to suffer for it.
            Err(error) if !error.is_passing() && together.len() > 1 => {
                for mut work in together.drain(..) {
                    let done = commit(db, std::slice::from_mut(&mut work));
                    work.answer(done.map_err(|error| file::at(identity.path(), error)));
                }
            }
            done => {
                let done = done.map_err(|error| file::at(identity.path(), error));
                for work in together.drain(..) {
                    work.answer(done.clone());
                }
            }
        }
    }
}

fn commit(db: &Connection, together: &mut [Box<dyn Work>]) -> Result<(), Error> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = together.iter_mut().try_for_each(|work| work.run(db)).and_then(|()| {
        db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    });
    // Where the disk is full, SQLite may have ended it already.
    if done.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    done
}
