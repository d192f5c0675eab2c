//! Why pages cannot be written.

use std::path::PathBuf;

use stripe_connector::error::Error;

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The list of tasks does not read.
    #[error("docs/tasks.toml: {0}")]
    Tasks(#[from] toml::de::Error),
    /// A task is not as it should be.
    #[error("docs/tasks.toml:{line}: {what}")]
    Task {
        /// Its line.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The connector does not describe something.
    #[error("the catalogue: {0}")]
    Catalogue(String),
    /// What the connector says of an operation is no JSON.
    #[error("what `{id}` says of itself is not JSON: {source}")]
    NotJson {
        /// The operation's id.
        id: String,
        /// Where it ends to be.
        source: serde_json::Error,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<Box<Error>> for Problem {
    fn from(error: Box<Error>) -> Self {
        Self::Catalogue(error.message)
    }
}
