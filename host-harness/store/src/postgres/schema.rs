//! The tables, brought up to date when the database is opened; as for SQLite, under a lock, so that of several processes one does it.

use tokio_postgres::Client;

use crate::error::Error;
use crate::postgres::line::Session;

/// In order, the first is version 1.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1_events_and_runs.sql")];

/// The newest version that this program knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The lock's number: any, as long as it stays.
const LOCK: i64 = 0x696e_626f_7801;

pub async fn migrate(client: &mut Client) -> Result<(), Error> {
    let tx = client.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    // An account that may not make tables can work with those that are there.
    let made = tx.query_one("SELECT to_regclass('inbox_migrations') IS NOT NULL", &[]).await?;
    if !made.get::<_, bool>(0) {
        tx.batch_execute("CREATE TABLE inbox_migrations (version int8 PRIMARY KEY)").await?;
    }
    let found = tx.query_one("SELECT max(version) FROM inbox_migrations", &[]).await?;
    let found = not_newer(found.get(0))?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version > found {
            tx.batch_execute(migration).await?;
            tx.execute("INSERT INTO inbox_migrations (version) VALUES ($1)", &[&version]).await?;
        }
    }
    Ok(tx.commit().await?)
}

fn not_newer(found: Option<i64>) -> Result<i64, Error> {
    match found.unwrap_or(0) {
        found if found > KNOWN => Err(Error::Newer { found, known: KNOWN }),
        found => Ok(found),
    }
}

/// Whether the tables are there and not newer than this program, and the server takes writes: one that became a standby does not.
pub async fn check(session: &mut Session) -> Result<(), Error> {
    const CHECK: &str = "SELECT max(version), current_setting('transaction_read_only') FROM inbox_migrations";
    let check = session.prepared(CHECK).await?;
    let found = session.client.query_one(&check, &[]).await?;
    not_newer(found.get(0))?;
    match found.get::<_, &str>(1) {
        "off" => Ok(()),
        _ => Err(Error::Unavailable("the server takes no writes now".to_owned())),
    }
}
