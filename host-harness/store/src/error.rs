//! What can go wrong with a store.

use thiserror::Error as ThisError;

/// Why a store did not do what it was asked. What failed was not done, or the answer was lost on the way: doing it again is harmless
/// for every method.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The database cannot be reached or does not answer now.
    #[error("the store is unavailable: {0}; it is tried again with the next request")]
    Unavailable(String),
    /// There is no room left where the database writes.
    #[error("the store has no room left: {0}; free some, nothing that was taken is lost")]
    Full(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the store has schema version {found}, and this program knows versions up to {known}: use the newer program, or another \
         store"
    )]
    Newer {
        /// The version that the database has.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database is not what it was, or never was one of ours.
    #[error("the store is damaged: {0}; restore a backup, or give another file")]
    Damaged(String),
    /// The address, the file or the account does not allow it, and will not until somebody changes something.
    #[error("the store cannot be used: {0}")]
    Denied(String),
    /// Something that was to be kept is nothing that every store can keep.
    #[error("{0} cannot be stored: it has a NUL character")]
    Unfit(&'static str),
}

impl Error {
    /// Whether the same call may do later what it did not do now.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }
}
