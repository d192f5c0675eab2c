//! A claim ends, or is prolonged.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Error;
use crate::key::RunKey;
use crate::lanes::{Settled, Settlement};
use crate::model::Ending;
use crate::moment::{Moment, millis};

const SETTLE: &str = "\
UPDATE inbox_runs
SET state = ?3, due = ?4, span = ?5, held = 0, attempt = attempt - ?6, reason = ifnull(?7, reason), settled_at = ?8
WHERE key = ?1 AND fence = ?2 AND state = 1 RETURNING lane";

/// The first that waits in a lane, when it waits for nothing else.
const RELEASE: &str = "\
UPDATE inbox_runs SET due = ?2, span = 0, held = 0
WHERE held = 1 AND seq =
    (SELECT seq FROM inbox_runs WHERE lane = ?1 AND lane IS NOT NULL AND state < 2 ORDER BY occurred_at, seq LIMIT 1)";

pub fn settle(tx: &Connection, key: &RunKey, fence: i64, ending: &Ending, now: Moment) -> Result<Settled, Error> {
    let Settlement { state, due, span, undone, reason } = Settlement::of(ending, now);
    let row = params![key.as_str(), fence, state, due, span, undone, reason, now.unix_millis()];
    let lane: Option<Option<i64>> = tx.prepare_cached(SETTLE)?.query_row(row, |row| row.get(0)).optional()?;
    let Some(lane) = lane else {
        // The same claim, settled the same way: an answer was lost, and the caller asks again.
        let mut same = tx.prepare_cached("SELECT 1 FROM inbox_runs WHERE key = ?1 AND fence = ?2 AND state = ?3")?;
        let same = same.query_row(params![key.as_str(), fence, state], |row| row.get::<_, i64>(0)).optional()?;
        return Ok(Settled { ours: same.is_some(), woke: false });
    };
    if let Some(lane) = lane {
        tx.prepare_cached(RELEASE)?.execute([lane, now.unix_millis()])?;
    }
    Ok(Settled { ours: true, woke: lane.is_some() || state == 0 })
}

pub fn extend(tx: &Connection, key: &RunKey, fence: i64, length: Duration, now: Moment) -> Result<bool, Error> {
    const EXTEND: &str = "UPDATE inbox_runs SET due = ?3, span = ?4 WHERE key = ?1 AND fence = ?2 AND state = 1";
    let length = millis(length).max(1);
    let row = params![key.as_str(), fence, now.unix_millis() + length, length];
    Ok(tx.prepare_cached(EXTEND)?.execute(row)? > 0)
}
