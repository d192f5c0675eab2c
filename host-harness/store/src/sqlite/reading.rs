//! What people and metrics read, and where polling goes on.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::error::Error;
use crate::key::RunKey;
use crate::listing::{Counts, Cursor, Filter, KeptEvent, KeptRun, LastSeen, Page, Position, RunState};
use crate::model::{EventKey, Via};
use crate::moment::Moment;

/// Sources, as a statement takes them: a JSON array, or nothing for all.
pub fn listed(sources: &[String]) -> Option<String> {
    let quoted = |source: &String| {
        let escaped = source.chars().flat_map(|letter| {
            let plain = letter != '"' && letter != '\\' && !letter.is_control();
            let escaped = (!plain).then(|| format!("\\u{:04x}", u32::from(letter)));
            plain
                .then_some(letter)
                .into_iter()
                .chain(escaped.into_iter().flat_map(|code| code.chars().collect::<Vec<_>>()))
        });
        format!("\"{}\"", escaped.collect::<String>())
    };
    (!sources.is_empty()).then(|| format!("[{}]", sources.iter().map(quoted).collect::<Vec<_>>().join(",")))
}

const NEXT: &str = "\
SELECT due FROM inbox_runs WHERE state < 2 AND (?1 IS NULL OR source IN (SELECT value FROM json_each(?1)))
ORDER BY due LIMIT 1";

pub fn next_due(db: &Connection, sources: &[String]) -> Result<Option<Moment>, Error> {
    let due: Option<i64> = db.prepare_cached(NEXT)?.query_row([listed(sources)], |row| row.get(0)).optional()?;
    Ok(due.map(Moment::from_unix_millis))
}

const COLUMNS: &str = "seq, source, id, type, occurred_at, taken_at, object, via";

pub fn events(db: &Connection, filter: &Filter, after: Option<Cursor>, most: usize) -> Result<Page, Error> {
    let mut sql = format!("SELECT {COLUMNS} FROM inbox_events AS event WHERE seq < ?");
    let mut values = vec![Value::from(after.map_or(i64::MAX, |cursor| cursor.0))];
    for (column, value) in [("source", &filter.source), ("id", &filter.id), ("type", &filter.event_type)] {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(column);
            sql.push_str(" = ?");
            values.push(Value::from(value.clone()));
        }
    }
    sql.push_str(match filter.state {
        None => "",
        // Few of many, and the index of exactly these says which.
        Some(RunState::Waiting) => " AND seq IN (SELECT event FROM inbox_runs WHERE state < 2 AND state = 0)",
        Some(RunState::Running) => " AND seq IN (SELECT event FROM inbox_runs WHERE state < 2 AND state = 1)",
        Some(RunState::Dead) => " AND seq IN (SELECT event FROM inbox_runs WHERE state = 3)",
        Some(RunState::Done) => {
            " AND EXISTS (SELECT 1 FROM inbox_runs WHERE inbox_runs.event = event.seq AND state = 2)"
        }
    });
    sql.push_str(" ORDER BY seq DESC LIMIT ?");
    // One more than asked for says whether there are more.
    values.push(Value::from(i64::try_from(most).unwrap_or(i64::MAX - 1).saturating_add(1)));

    // Events and runs of one moment: between two statements a run may change.
    let tx = db.unchecked_transaction()?;
    let mut found =
        tx.prepare_cached(&sql)?.query_map(params_from_iter(values), kept)?.collect::<Result<Vec<_>, _>>()?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|(seq, _)| Cursor(*seq));
    let events = found.into_iter().map(|(seq, event)| with_runs(&tx, seq, event)).collect::<Result<_, _>>()?;
    Ok(Page { events, next })
}

pub fn event(db: &Connection, key: &EventKey) -> Result<Option<KeptEvent>, Error> {
    let tx = db.unchecked_transaction()?;
    let sql = format!("SELECT {COLUMNS}, body FROM inbox_events WHERE source = ?1 AND id = ?2");
    let found = tx
        .prepare_cached(&sql)?
        .query_row([&key.source, &key.id], |row| {
            let (seq, event) = kept(row)?;
            Ok((seq, KeptEvent { body: Some(row.get(8)?), ..event }))
        })
        .optional()?;
    found.map(|(seq, event)| with_runs(&tx, seq, event)).transpose()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<(i64, KeptEvent)> {
    let event = KeptEvent {
        key: EventKey { source: row.get(1)?, id: row.get(2)? },
        event_type: row.get(3)?,
        occurred_at: Moment::from_unix_millis(row.get(4)?),
        taken_at: Moment::from_unix_millis(row.get(5)?),
        object: row.get(6)?,
        via: Via::from_code(row.get(7)?),
        body: None,
        runs: Vec::new(),
    };
    Ok((row.get(0)?, event))
}

const RUNS: &str = "\
SELECT key, trigger, replay, state, attempt, due, worker, reason, settled_at
FROM inbox_runs WHERE event = ?1 ORDER BY seq";

fn with_runs(tx: &Connection, seq: i64, event: KeptEvent) -> Result<KeptEvent, Error> {
    let mut runs = tx.prepare_cached(RUNS)?;
    let runs = runs.query_map([seq], |row| {
        let state = RunState::from_code(row.get(3)?);
        Ok(KeptRun {
            key: RunKey::from_text(row.get::<_, String>(0)?),
            trigger: row.get(1)?,
            replay: row.get(2)?,
            state,
            attempts: row.get(4)?,
            due: state.unfinished().then_some(Moment::from_unix_millis(row.get(5)?)),
            worker: row.get(6)?,
            reason: row.get(7)?,
            settled_at: row.get::<_, Option<i64>>(8)?.map(Moment::from_unix_millis),
        })
    })?;
    Ok(KeptEvent { runs: runs.collect::<Result<_, _>>()?, ..event })
}

/// The oldest of those that wait: events are numbered as they are taken.
const OLDEST: &str = "\
SELECT taken_at FROM inbox_events
WHERE seq = (SELECT min(event) FROM inbox_runs WHERE state < 2 AND state = 0 AND (?1 IS NULL OR source = ?1))";

pub fn counts(db: &Connection, source: Option<&str>) -> Result<Counts, Error> {
    let tx = db.unchecked_transaction()?;
    let count = |of: &str| -> Result<u64, Error> {
        // Without a condition on the source, which would have every row looked at, the whole is counted by the index.
        let sql = match source {
            None => format!("SELECT count(*) FROM {of} AND ?1 IS NULL"),
            Some(_) => format!("SELECT count(*) FROM {of} AND source = ?1"),
        };
        let count: i64 = tx.prepare_cached(&sql)?.query_row([source], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let all = count("inbox_runs WHERE true")?;
    let waiting = count("inbox_runs WHERE state < 2 AND state = 0")?;
    let running = count("inbox_runs WHERE state < 2 AND state = 1")?;
    let dead = count("inbox_runs WHERE state = 3")?;
    let oldest: Option<i64> = tx.prepare_cached(OLDEST)?.query_row([source], |row| row.get(0)).optional()?;
    Ok(Counts {
        events: count("inbox_events WHERE true")?,
        waiting,
        running,
        done: all.saturating_sub(waiting + running + dead),
        dead,
        oldest_waiting: oldest.map(Moment::from_unix_millis),
    })
}

pub fn position(db: &Connection, source: &str) -> Result<Option<Position>, Error> {
    let mut found = db.prepare_cached("SELECT cursor, at FROM inbox_positions WHERE source = ?1")?;
    let read = |row: &Row<'_>| Ok(Position { cursor: row.get(0)?, at: Moment::from_unix_millis(row.get(1)?) });
    Ok(found.query_row([source], read).optional()?)
}

const LAST: &str = "\
SELECT id, occurred_at, taken_at FROM inbox_events WHERE source = ?1 ORDER BY occurred_at DESC, seq DESC LIMIT 1";

pub fn last_seen(db: &Connection, source: &str) -> Result<Option<LastSeen>, Error> {
    let read = |row: &Row<'_>| {
        Ok(LastSeen {
            event_id: row.get(0)?,
            occurred_at: Moment::from_unix_millis(row.get(1)?),
            taken_at: Moment::from_unix_millis(row.get(2)?),
        })
    };
    Ok(db.prepare_cached(LAST)?.query_row([source], read).optional()?)
}
