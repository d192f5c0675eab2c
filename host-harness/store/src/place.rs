//! Where a store is, as people write it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Error;
#[cfg(feature = "postgres")]
use crate::postgres::{Postgres, Server};
use crate::sqlite::Sqlite;
use crate::store::Store;

/// Where a store is. Shown, it has no password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Place {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Box<Server>),
}

impl Place {
    /// Reads `postgres://…`, `sqlite:FILE` or the name of a file.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] when it is no address of a database that is known here. What was written is not repeated: a password
    /// may be in it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let denied = |said: &str| Err(Error::Denied(said.to_owned()));
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            #[cfg(feature = "postgres")]
            return Ok(Self::Postgres(Box::new(Server::parse(text)?)));
            #[cfg(not(feature = "postgres"))]
            return denied(
                "this program was built without PostgreSQL: name a file, or build it with the feature `postgres`",
            );
        }
        let file = match text.strip_prefix("sqlite:") {
            Some(file) => file.strip_prefix("//").unwrap_or(file),
            None if text.contains("://") => {
                return denied(
                    "its address is none that is known: write postgres://…, sqlite:FILE or the name of a file",
                );
            }
            None => text,
        };
        match file {
            "" => denied("its address names no file"),
            // Such a database ends with its connection, and everything that was taken with it.
            ":memory:" => denied("what is kept in memory is not kept: name a file"),
            file => Ok(Self::Sqlite(PathBuf::from(file))),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

/// Opens the store at a place, makes its tables where there are none, and brings them up to date.
///
/// # Errors
///
/// As [`Error`] says.
pub async fn open(place: &Place) -> Result<Arc<dyn Store>, Error> {
    match place {
        Place::Sqlite(path) => Ok(Arc::new(Sqlite::open(path).await?)),
        #[cfg(feature = "postgres")]
        Place::Postgres(server) => Ok(Arc::new(Postgres::open(server).await?)),
    }
}
