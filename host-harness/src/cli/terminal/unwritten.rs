//! Why a result reached nobody.

use std::io;

use thiserror::Error;

/// Standard output did not take a result.
#[derive(Debug, Error)]
pub enum Unwritten {
    /// Nobody reads it any more.
    #[error("standard output is closed")]
    NobodyReads,
    /// It cannot be written.
    #[error("standard output cannot be written: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Failed(error),
        }
    }
}
