//! The file: private to its owner, opened as what was said "taken" for demands, and still the one that was opened.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::Error;

/// Another process that writes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long between two looks whether it has finished: its transaction is one `fsync` long.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Opens the file for writing, and makes it where there is none.
pub fn writable(path: &Path) -> Result<Connection, Error> {
    private(path)?;
    let db = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What is committed has reached the disk, on systems with a lying `fsync` too.
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "fullfsync", "on")?;
    db.pragma_update(None, "foreign_keys", "on")?;
    db.pragma_update(None, "temp_store", "memory")?;
    // Negative: KiB.
    db.pragma_update(None, "cache_size", -32_768)?;
    // The journal grows with a long read beside it; afterwards it is cut to this.
    db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(db)
}

/// Opens the file for reading beside the writer.
pub fn readable(path: &Path) -> Result<Connection, Error> {
    let db = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "query_only", "on")?;
    Ok(db)
}

fn opened(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_handler(Some(|looks| {
        std::thread::sleep(BETWEEN_LOOKS);
        Duration::from_millis(u64::try_from(looks).unwrap_or(0)) < PATIENCE
    }))?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Events are customers' data: the file is made readable for its owner alone, and its journal follows it.
fn private(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| refused(&error))
}

fn refused(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Error::Full(error.to_string()),
        _ => Error::Denied(error.to_string()),
    }
}

/// With the file's name.
pub fn at(path: &Path, error: Error) -> Error {
    let named = |said: String| format!("{}: {said}", path.display());
    match error {
        Error::Unavailable(said) => Error::Unavailable(named(said)),
        Error::Full(said) => Error::Full(named(said)),
        Error::Damaged(said) => Error::Damaged(named(said)),
        Error::Denied(said) => Error::Denied(named(said)),
        same @ (Error::Newer { .. } | Error::Unfit(_)) => same,
    }
}

/// Which file it is that was opened: one that was deleted or replaced since takes what is written to it into the grave.
#[derive(Debug)]
pub struct Identity {
    path: PathBuf,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Identity {
    pub fn of(path: PathBuf) -> Result<Self, Error> {
        #[cfg(unix)]
        let file = number(&path).map_err(|error| at(&path, refused(&error)))?;
        Ok(Self {
            path,
            #[cfg(unix)]
            file,
        })
    }

    /// Whether it is still the one.
    pub fn check(&self) -> Result<(), Error> {
        #[cfg(unix)]
        if !number(&self.path).is_ok_and(|now| now == self.file) {
            let said = "the file was removed or replaced while it was in use: start again".to_owned();
            return Err(at(&self.path, Error::Denied(said)));
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
fn number(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}
