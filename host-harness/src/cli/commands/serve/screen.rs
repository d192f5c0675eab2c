//! What serving says, on its way to the terminal. It comes from many tasks, and none of them waits for a reader.

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// So much waits to be shown. When a reader has stopped reading, what comes after it is not shown; every run is in the store.
const WAITING: usize = 1024;

/// Something to be shown.
pub enum Said {
    /// A whole line of the result.
    Line(String),
    /// Something to know.
    Note(String),
    /// Something to mend.
    Warning(String),
}

/// Where it is put.
#[derive(Clone)]
pub struct Screen {
    sender: Sender<Said>,
}

impl Screen {
    pub fn new() -> (Self, Receiver<Said>) {
        let (sender, receiver) = channel(WAITING);
        (Self { sender }, receiver)
    }

    /// Shows it, if there is room.
    pub fn say(&self, said: Said) {
        let _ = self.sender.try_send(said);
    }
}
