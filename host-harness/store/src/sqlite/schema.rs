//! The tables, brought up to date when the file is opened.
//!
//! Each migration is a file of its own that is never changed once it was released. They are applied in one transaction that locks
//! the file, so that of two processes which open it at a time one does, and the other finds it done. (The migration libraries would need
//! a lock around them and the question "is it newer than I am?" before them, and that is all there is to it.)

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::error::Error;

/// In order, the first is version 1.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1_events_and_runs.sql")];

/// The newest version that this program knows.
pub const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Applies what is missing.
pub fn migrate(db: &mut Connection) -> Result<(), Error> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch("CREATE TABLE IF NOT EXISTS inbox_migrations (version INTEGER PRIMARY KEY) STRICT")?;
    let found = check_version(&tx)?;
    for (version, migration) in (1..).zip(MIGRATIONS) {
        if version > found {
            tx.execute_batch(migration)?;
            tx.execute("INSERT INTO inbox_migrations (version) VALUES (?1)", [version])?;
        }
    }
    Ok(tx.commit()?)
}

/// Whether the tables are there and not newer than this program: another process may have brought them up to date since.
pub fn check(db: &Connection) -> Result<(), Error> {
    check_version(db).map(drop)
}

fn check_version(db: &Connection) -> Result<i64, Error> {
    let found =
        db.prepare_cached("SELECT max(version) FROM inbox_migrations")?.query_row([], |row| row.get(0)).optional()?;
    match found.flatten().unwrap_or(0) {
        found if found > KNOWN => Err(Error::Newer { found, known: KNOWN }),
        found => Ok(found),
    }
}
