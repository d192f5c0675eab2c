//! What was given up or done is run again because somebody wants it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Error;
use crate::key::RunKey;
use crate::listing::RunState;
use crate::model::{Replay, Replayed};
use crate::moment::Moment;

/// The newest of each trigger of the event that a run belongs to; it stands for those before it.
const OF_EVENT: &str = "\
SELECT run.seq, run.key, run.state, run.trigger, run.replay, run.event, run.lane, run.occurred_at, event.source, event.id
FROM inbox_runs AS run JOIN inbox_events AS event ON event.seq = run.event
WHERE event.source = ?1 AND event.id = ?2
    AND run.replay = (SELECT max(replay) FROM inbox_runs WHERE event = run.event AND trigger = run.trigger)
ORDER BY run.seq";

const DEAD: &str = "\
SELECT seq, key FROM inbox_runs WHERE state = 3 AND (?1 IS NULL OR source = ?1) ORDER BY event, seq";

const WHOSE: &str = "\
SELECT event.source, event.id, run.trigger, run.state, run.seq FROM inbox_runs AS run JOIN inbox_events AS event ON event.seq = run.event
WHERE run.key = ?1";

const REVIVE: &str =
    "UPDATE inbox_runs SET state = 0, due = ?2, span = 0, held = 0, attempt = 0 WHERE seq = ?1 AND state = 3";

const FURTHER: &str = "\
INSERT INTO inbox_runs (key, event, source, trigger, replay, lane, occurred_at, state, due, span, held, attempt, fence)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, 0, 0, 0, 0)";

pub fn replay(tx: &Connection, what: &Replay, now: Moment) -> Result<Vec<Replayed>, Error> {
    match what {
        Replay::Run(key) => run(tx, key, now),
        Replay::Event(event) => {
            newest(tx, &event.source, &event.id)?.into_iter().map(|newest| newest.again(tx, now)).collect()
        }
        Replay::Dead { source } => {
            let mut dead = tx.prepare_cached(DEAD)?;
            let dead = dead.query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?;
            dead.map(|dead| {
                let (seq, key): (i64, String) = dead?;
                revive(tx, seq, RunKey::from_text(key), now)
            })
            .collect()
        }
    }
}

fn run(tx: &Connection, key: &RunKey, now: Moment) -> Result<Vec<Replayed>, Error> {
    type Whose = (String, String, String, i16, i64);
    let whose = tx
        .prepare_cached(WHOSE)?
        .query_row([key.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((source, id, trigger, state, seq)): Option<Whose> = whose else { return Ok(Vec::new()) };
    if RunState::from_code(state) == RunState::Dead {
        return Ok(vec![revive(tx, seq, key.clone(), now)?]);
    }
    let newest = newest(tx, &source, &id)?;
    newest.into_iter().filter(|newest| newest.trigger == trigger).map(|newest| newest.again(tx, now)).collect()
}

fn revive(tx: &Connection, seq: i64, key: RunKey, now: Moment) -> Result<Replayed, Error> {
    tx.prepare_cached(REVIVE)?.execute([seq, now.unix_millis()])?;
    Ok(Replayed::Revived(key))
}

/// The newest run of an event for a trigger.
struct Newest {
    seq: i64,
    key: RunKey,
    state: RunState,
    trigger: String,
    replay: u32,
    event: i64,
    lane: Option<i64>,
    occurred_at: i64,
    source: String,
    id: String,
}

fn newest(tx: &Connection, source: &str, id: &str) -> Result<Vec<Newest>, Error> {
    let mut newest = tx.prepare_cached(OF_EVENT)?;
    Ok(newest.query_map([source, id], Newest::read)?.collect::<Result<_, _>>()?)
}

impl Newest {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            key: RunKey::from_text(row.get::<_, String>(1)?),
            state: RunState::from_code(row.get(2)?),
            trigger: row.get(3)?,
            replay: row.get(4)?,
            event: row.get(5)?,
            lane: row.get(6)?,
            occurred_at: row.get(7)?,
            source: row.get(8)?,
            id: row.get(9)?,
        })
    }

    fn again(self, tx: &Connection, now: Moment) -> Result<Replayed, Error> {
        match self.state {
            RunState::Waiting | RunState::Running => Ok(Replayed::Unfinished(self.key)),
            RunState::Dead => revive(tx, self.seq, self.key, now),
            RunState::Done => {
                let replay = self.replay.saturating_add(1);
                let key = RunKey::of(&self.source, &self.id, &self.trigger, replay);
                let Self { event, source, trigger, lane, occurred_at, .. } = &self;
                let row = params![key.as_str(), event, source, trigger, replay, lane, occurred_at, now.unix_millis()];
                tx.prepare_cached(FURTHER)?.execute(row)?;
                Ok(Replayed::Further { of: self.key, key })
            }
        }
    }
}
