//! What people and metrics read, and where polling goes on.

use std::collections::HashMap;

use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row, Transaction};

use crate::error::Error;
use crate::key::RunKey;
use crate::listing::{Counts, Cursor, Filter, KeptEvent, KeptRun, LastSeen, Page, Position, RunState};
use crate::model::{EventKey, Via};
use crate::moment::Moment;
use crate::postgres::line::Session;

const NEXT: &str = "\
SELECT due FROM inbox_runs WHERE state < 2 AND ($1::text[] IS NULL OR source = ANY ($1)) ORDER BY due LIMIT 1";

pub async fn next_due(session: &mut Session, sources: &[String]) -> Result<Option<Moment>, Error> {
    let next = session.prepared(NEXT).await?;
    let sources = (!sources.is_empty()).then_some(sources);
    let row = session.client.query_opt(&next, &[&sources]).await?;
    Ok(row.map(|row| Moment::from_unix_millis(row.get(0))))
}

/// Events and runs of one moment: between two statements a run may change.
async fn one_moment(session: &mut Session) -> Result<Transaction<'_>, Error> {
    let transaction = session.client.build_transaction();
    Ok(transaction.isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?)
}

const COLUMNS: &str = "seq, source, id, type, occurred_at, taken_at, object, via";

pub async fn events(session: &mut Session, filter: &Filter, after: Option<Cursor>, most: usize) -> Result<Page, Error> {
    let after = after.map_or(i64::MAX, |cursor| cursor.0);
    // One more than asked for says whether there are more.
    let limit = i64::try_from(most).unwrap_or(i64::MAX - 1).saturating_add(1);
    let mut sql = format!("SELECT {COLUMNS} FROM inbox_events AS event WHERE seq < $1");
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&after, &limit];
    for (column, value) in [("source", &filter.source), ("id", &filter.id), ("type", &filter.event_type)] {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    sql.push_str(match filter.state {
        None => "",
        // Few of many, and the index of exactly these says which.
        Some(RunState::Waiting) => {
            " AND seq IN (SELECT run.event FROM inbox_runs AS run WHERE state < 2 AND state = 0)"
        }
        Some(RunState::Running) => {
            " AND seq IN (SELECT run.event FROM inbox_runs AS run WHERE state < 2 AND state = 1)"
        }
        Some(RunState::Dead) => " AND seq IN (SELECT run.event FROM inbox_runs AS run WHERE state = 3)",
        Some(RunState::Done) => {
            " AND EXISTS (SELECT 1 FROM inbox_runs AS run WHERE run.event = event.seq AND run.state = 2)"
        }
    });
    sql.push_str(" ORDER BY seq DESC LIMIT $2");

    let tx = one_moment(session).await?;
    let mut rows = tx.query(&sql, &values).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| Cursor(row.get(0)));
    let events = rows.iter().map(|row| (row.get(0), kept(row, None))).collect();
    Ok(Page { events: with_runs(&tx, events).await?, next })
}

pub async fn event(session: &mut Session, key: &EventKey) -> Result<Option<KeptEvent>, Error> {
    let sql = format!("SELECT {COLUMNS}, body FROM inbox_events WHERE source = $1 AND id = $2");
    let tx = one_moment(session).await?;
    let Some(row) = tx.query_opt(&sql, &[&key.source, &key.id]).await? else { return Ok(None) };
    let event = kept(&row, Some(row.get(8)));
    Ok(with_runs(&tx, vec![(row.get(0), event)]).await?.pop())
}

fn kept(row: &Row, body: Option<String>) -> KeptEvent {
    KeptEvent {
        key: EventKey { source: row.get(1), id: row.get(2) },
        event_type: row.get(3),
        occurred_at: Moment::from_unix_millis(row.get(4)),
        taken_at: Moment::from_unix_millis(row.get(5)),
        object: row.get(6),
        via: Via::from_code(row.get(7)),
        body,
        runs: Vec::new(),
    }
}

const RUNS: &str = "\
SELECT event, key, trigger, replay, state, attempt, due, worker, reason, settled_at
FROM inbox_runs WHERE event = ANY ($1) ORDER BY seq";

async fn with_runs(tx: &Transaction<'_>, events: Vec<(i64, KeptEvent)>) -> Result<Vec<KeptEvent>, Error> {
    let numbers: Vec<i64> = events.iter().map(|(seq, _)| *seq).collect();
    let mut runs: HashMap<i64, Vec<KeptRun>> = HashMap::with_capacity(numbers.len());
    for row in tx.query(RUNS, &[&numbers]).await? {
        let state = RunState::from_code(row.get(4));
        runs.entry(row.get(0)).or_default().push(KeptRun {
            key: RunKey::from_text(row.get::<_, String>(1)),
            trigger: row.get(2),
            replay: u32::try_from(row.get::<_, i32>(3)).unwrap_or(0),
            state,
            attempts: u32::try_from(row.get::<_, i32>(5)).unwrap_or(0),
            due: state.unfinished().then_some(Moment::from_unix_millis(row.get(6))),
            worker: row.get(7),
            reason: row.get(8),
            settled_at: row.get::<_, Option<i64>>(9).map(Moment::from_unix_millis),
        });
    }
    let with = |(seq, event)| KeptEvent { runs: runs.remove(&seq).unwrap_or_default(), ..event };
    Ok(events.into_iter().map(with).collect())
}

/// The oldest of those that wait: events are numbered about as they are taken.
const COUNTS: &str = "\
SELECT
    (SELECT count(*) FROM inbox_events WHERE $1::text IS NULL OR source = $1),
    (SELECT count(*) FROM inbox_runs WHERE $1::text IS NULL OR source = $1),
    (SELECT count(*) FROM inbox_runs WHERE state < 2 AND state = 0 AND ($1::text IS NULL OR source = $1)),
    (SELECT count(*) FROM inbox_runs WHERE state < 2 AND state = 1 AND ($1::text IS NULL OR source = $1)),
    (SELECT count(*) FROM inbox_runs WHERE state = 3 AND ($1::text IS NULL OR source = $1)),
    (SELECT taken_at FROM inbox_events WHERE seq =
        (SELECT min(event) FROM inbox_runs WHERE state < 2 AND state = 0 AND ($1::text IS NULL OR source = $1)))";

pub async fn counts(session: &mut Session, source: Option<&str>) -> Result<Counts, Error> {
    let row = session.client.query_one(COUNTS, &[&source]).await?;
    let count = |column| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
    let (waiting, running, dead) = (count(2), count(3), count(4));
    Ok(Counts {
        events: count(0),
        waiting,
        running,
        done: count(1).saturating_sub(waiting + running + dead),
        dead,
        oldest_waiting: row.get::<_, Option<i64>>(5).map(Moment::from_unix_millis),
    })
}

pub async fn position(session: &mut Session, source: &str) -> Result<Option<Position>, Error> {
    let position = session.prepared("SELECT cursor, at FROM inbox_positions WHERE source = $1").await?;
    let row = session.client.query_opt(&position, &[&source]).await?;
    Ok(row.map(|row| Position { cursor: row.get(0), at: Moment::from_unix_millis(row.get(1)) }))
}

const LAST: &str = "\
SELECT id, occurred_at, taken_at FROM inbox_events WHERE source = $1 ORDER BY occurred_at DESC, seq DESC LIMIT 1";

pub async fn last_seen(session: &mut Session, source: &str) -> Result<Option<LastSeen>, Error> {
    let last = session.prepared(LAST).await?;
    let row = session.client.query_opt(&last, &[&source]).await?;
    Ok(row.map(|row| LastSeen {
        event_id: row.get(0),
        occurred_at: Moment::from_unix_millis(row.get(1)),
        taken_at: Moment::from_unix_millis(row.get(2)),
    }))
}
