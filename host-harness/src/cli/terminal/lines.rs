//! Lines of the result for who cannot wait for a reader: a thread of its own writes them, one after the other.

use std::io::{Write, stdout};
use std::thread;

use anstream::{AutoStream, ColorChoice};
use tokio::sync::{mpsc, oneshot};

use crate::cli::terminal::unwritten::Unwritten;

/// Standard output, written beside everything else. A reader that stops reading holds up lines, and nothing else.
#[derive(Clone)]
pub struct Lines {
    sender: mpsc::Sender<Piece>,
}

struct Piece {
    text: String,
    written: oneshot::Sender<Result<(), Unwritten>>,
}

impl Lines {
    /// Starts the thread.
    pub fn start(choice: ColorChoice) -> std::io::Result<Self> {
        let (sender, mut pieces) = mpsc::channel::<Piece>(1);
        thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut out = AutoStream::new(stdout(), choice);
            while let Some(Piece { text, written }) = pieces.blocking_recv() {
                let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                // Whoever no longer waits has given it up.
                let _ = written.send(done.map_err(Unwritten::from));
            }
        })?;
        Ok(Self { sender })
    }

    /// Writes whole lines. It ends when they are with the reader.
    pub fn write(&self, text: String) -> impl Future<Output = Result<(), Unwritten>> + Send + 'static {
        let sender = self.sender.clone();
        async move {
            let (written, done) = oneshot::channel();
            if sender.send(Piece { text, written }).await.is_err() {
                return Err(Unwritten::NobodyReads);
            }
            done.await.unwrap_or(Err(Unwritten::NobodyReads))
        }
    }
}
