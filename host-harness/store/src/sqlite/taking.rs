//! Events are kept with the runs that they start, and forgotten when both are over.

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::key::{RunKey, lane};
use crate::model::{Arrival, Taken};
use crate::moment::Moment;

const EVENT: &str = "\
INSERT INTO inbox_events (source, id, type, occurred_at, taken_at, object, via, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (source, id) DO NOTHING";

const RUN: &str = "\
INSERT INTO inbox_runs (key, event, source, trigger, replay, lane, occurred_at, state, due, span, held, attempt, fence)
VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, 0, ?7, 0, 0, 0, 0) ON CONFLICT (key) DO NOTHING";

pub fn take(tx: &Connection, arrivals: &[Arrival], now: Moment) -> Result<Vec<Taken>, Error> {
    let mut keep = tx.prepare_cached(EVENT)?;
    let mut known = tx.prepare_cached("SELECT seq, occurred_at FROM inbox_events WHERE source = ?1 AND id = ?2")?;
    let mut start = tx.prepare_cached(RUN)?;
    let mut taken = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let Arrival { source, event_id, event_type, occurred_at, object, via, body, triggers } = arrival;
        let occurred = occurred_at.unix_millis();
        let row = params![source, event_id, event_type, occurred, now.unix_millis(), object, via.code(), body];
        let first = keep.execute(row)? > 0;
        let (event, occurred): (i64, i64) = match first {
            true => (tx.last_insert_rowid(), occurred),
            false => known.query_row([source, event_id], |row| Ok((row.get(0)?, row.get(1)?)))?,
        };
        let mut started = Vec::with_capacity(triggers.len());
        for trigger in triggers {
            let key = RunKey::of(source, event_id, trigger, 0);
            let lane = lane(source, trigger, object.as_deref());
            let row = params![key.as_str(), event, source, trigger, lane, occurred, now.unix_millis()];
            if start.execute(row)? > 0 {
                started.push(key);
            }
        }
        taken.push(Taken { first, started });
    }
    Ok(taken)
}

const OVER: &str = "\
SELECT seq FROM inbox_events AS event
WHERE taken_at < ?1 AND NOT EXISTS (SELECT 1 FROM inbox_runs WHERE inbox_runs.event = event.seq AND state <> 2)
ORDER BY taken_at LIMIT ?2";

pub fn forget(tx: &Connection, before: Moment, most: usize) -> Result<usize, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut over = tx.prepare_cached(OVER)?;
    let over = over.query_map([before.unix_millis(), most], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut runs = tx.prepare_cached("DELETE FROM inbox_runs WHERE event = ?1")?;
    let mut event = tx.prepare_cached("DELETE FROM inbox_events WHERE seq = ?1")?;
    for seq in &over {
        runs.execute([seq])?;
        event.execute([seq])?;
    }
    Ok(over.len())
}

const POSITION: &str = "\
INSERT INTO inbox_positions (source, cursor, at) VALUES (?1, ?2, ?3)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, at = excluded.at";

pub fn set_position(tx: &Connection, source: &str, cursor: &str, now: Moment) -> Result<(), Error> {
    tx.prepare_cached(POSITION)?.execute(params![source, cursor, now.unix_millis()])?;
    Ok(())
}
