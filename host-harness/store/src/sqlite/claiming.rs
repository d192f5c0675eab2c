//! Runs that are due are handed out.

use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Error;
use crate::key::RunKey;
use crate::lanes::{ABREAST, HELD, Look};
use crate::model::{Claim, EventKey, Lease, Via};
use crate::moment::{Moment, millis};
use crate::sqlite::reading::listed;

/// What says that it becomes due much later than whoever wrote it can have meant is due now.
const MISDATED: &str = "UPDATE inbox_runs SET due = ?1 WHERE state < 2 AND due > ?1 AND due > ?1 + 2 * span";

const DUE: &str = "\
SELECT seq, lane, occurred_at FROM inbox_runs
WHERE state < 2 AND due <= ?1 AND (?3 IS NULL OR source IN (SELECT value FROM json_each(?3)))
ORDER BY due, state, seq LIMIT ?2";

/// An earlier one that is not over, or any that somebody works on.
const EARLIER: &str = "\
SELECT 1 FROM inbox_runs
WHERE lane = ?1 AND lane IS NOT NULL AND state < 2 AND (occurred_at, seq) < (?2, ?3) ORDER BY occurred_at LIMIT 1";
const BUSY: &str = "\
SELECT 1 FROM inbox_runs WHERE lane = ?1 AND lane IS NOT NULL AND state = 1 AND due > ?2 AND seq <> ?3 LIMIT 1";

const HOLD: &str = "UPDATE inbox_runs SET state = 0, held = 1, due = ?2, span = ?3 WHERE seq = ?1";

const CLAIM: &str = "\
UPDATE inbox_runs SET state = 1, held = 0, due = ?2, span = ?3, attempt = attempt + 1, fence = fence + 1, worker = ?4
WHERE seq = ?1";

const CLAIMED: &str = "\
SELECT run.key, run.trigger, run.replay, run.attempt, run.fence, run.reason,
    event.source, event.id, event.type, event.occurred_at, event.taken_at, event.object, event.via, event.body
FROM inbox_runs AS run JOIN inbox_events AS event ON event.seq = run.event WHERE run.seq = ?1";

pub fn claim(
    tx: &Connection,
    look: &Mutex<Look>,
    lease: &Lease,
    most: usize,
    now: Moment,
) -> Result<Vec<Claim>, Error> {
    let at = now.unix_millis();
    if look.lock().unwrap_or_else(PoisonError::into_inner).is_due(now) {
        tx.prepare_cached(MISDATED)?.execute([at])?;
    }
    let (mut due, mut hold) = (tx.prepare_cached(DUE)?, tx.prepare_cached(HOLD)?);
    let (mut claim, mut claimed) = (tx.prepare_cached(CLAIM)?, tx.prepare_cached(CLAIMED)?);
    let sources = listed(&lease.sources);
    let length = millis(lease.length).max(1);
    let mut claims = Vec::with_capacity(most.min(ABREAST));
    let mut looked_at = 0;
    while claims.len() < most && looked_at < ABREAST {
        let room = i64::try_from(most - claims.len()).unwrap_or(i64::MAX).min(ABREAST as i64);
        let candidates: Vec<Candidate> =
            due.query_map(params![at, room, sources], Candidate::read)?.collect::<Result<_, _>>()?;
        if candidates.is_empty() {
            break;
        }
        looked_at += candidates.len();
        for candidate in candidates {
            if candidate.must_wait(tx, at)? {
                hold.execute([candidate.seq, at + millis(HELD), millis(HELD)])?;
                continue;
            }
            claim.execute(params![candidate.seq, at + length, length, lease.worker])?;
            claims.push(claimed.query_row([candidate.seq], read)?);
        }
    }
    Ok(claims)
}

/// A run that is due.
struct Candidate {
    seq: i64,
    lane: Option<i64>,
    occurred_at: i64,
}

impl Candidate {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { seq: row.get(0)?, lane: row.get(1)?, occurred_at: row.get(2)? })
    }

    /// Whether another of its lane goes first.
    fn must_wait(&self, tx: &Connection, now: i64) -> Result<bool, Error> {
        let Some(lane) = self.lane else { return Ok(false) };
        let found = |found: rusqlite::Result<i64>| found.optional().map(|found| found.is_some());
        let mut earlier = tx.prepare_cached(EARLIER)?;
        let mut busy = tx.prepare_cached(BUSY)?;
        Ok(found(earlier.query_row([lane, self.occurred_at, self.seq], |row| row.get(0)))?
            || found(busy.query_row([lane, now, self.seq], |row| row.get(0)))?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Claim> {
    Ok(Claim {
        key: RunKey::from_text(row.get::<_, String>(0)?),
        trigger: row.get(1)?,
        replay: row.get(2)?,
        attempt: row.get(3)?,
        fence: row.get(4)?,
        last_reason: row.get(5)?,
        event: EventKey { source: row.get(6)?, id: row.get(7)? },
        event_type: row.get(8)?,
        occurred_at: Moment::from_unix_millis(row.get(9)?),
        taken_at: Moment::from_unix_millis(row.get(10)?),
        object: row.get(11)?,
        via: Via::from_code(row.get(12)?),
        body: row.get(13)?,
    })
}
