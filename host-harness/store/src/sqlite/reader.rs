//! The thread that reads, beside the writer and without waiting for it; it also notices what other processes write.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::changes::Bell;
use crate::error::Error;
use crate::sqlite::file;

/// So many questions wait before callers are held up.
const WAITING: usize = 256;

/// How late the work of another process is noticed.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// Where questions are put.
pub struct Reader {
    questions: mpsc::Sender<Question>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

fn closed() -> Error {
    Error::Unavailable("it was closed".to_owned())
}

impl Reader {
    /// Opens the file on a thread of its own.
    pub async fn start(path: PathBuf, bell: Arc<Bell>) -> Result<Self, Error> {
        let (questions, mut waiting) = mpsc::channel::<Question>(WAITING);
        let (opened, answer) = oneshot::channel();
        std::thread::Builder::new()
            .name("store-reader".to_owned())
            .spawn(move || match file::readable(&path).map_err(|error| file::at(&path, error)) {
                Ok(db) => {
                    let _ = opened.send(Ok(()));
                    while let Some(question) = waiting.blocking_recv() {
                        question(&db);
                    }
                }
                Err(error) => drop(opened.send(Err(error))),
            })
            .map_err(|error| Error::Unavailable(format!("no thread can be had: {error}")))?;
        answer.await.unwrap_or_else(|_| Err(closed()))?;
        tokio::spawn(watch(questions.downgrade(), bell));
        Ok(Self { questions })
    }

    /// Answers a question about what is committed.
    pub async fn read<T, F>(&self, ask: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |db| drop(reply.send(ask(db))));
        self.questions.send(question).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// Rings when the file changed, as long as anybody listens and the reader is there.
async fn watch(questions: mpsc::WeakSender<Question>, bell: Arc<Bell>) {
    let mut last = None;
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let Some(sender) = questions.upgrade() else { return };
        if !bell.heard() {
            last = None;
            continue;
        }
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |db| {
            // It moves when another connection has committed, and costs no look at the disk.
            drop(reply.send(db.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))));
        });
        if sender.send(question).await.is_err() {
            return;
        }
        drop(sender);
        if let Ok(Ok(version)) = answer.await {
            if last.is_some_and(|last| last != version) {
                bell.ring();
            }
            last = Some(version);
        }
    }
}
