//! Runs that are due are handed out.

use tokio_postgres::Row;

use crate::error::Error;
use crate::key::RunKey;
use crate::lanes::{ABREAST, HELD};
use crate::model::{Claim, EventKey, Lease, Via};
use crate::moment::{Moment, millis};
use crate::postgres::line::Session;

/// One decides at a time: it ends with its transaction, also where the process does not. The number is any, as long as it stays.
pub const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(115936906246914)";

/// What says that it becomes due much later than whoever wrote it can have meant is due now.
const MISDATED: &str = "\
UPDATE inbox_runs SET due = $1 WHERE seq IN
    (SELECT seq FROM inbox_runs WHERE state < 2 AND due > $1 AND due > $1 + 2 * span FOR UPDATE SKIP LOCKED)";

/// Of what is due and nobody else has in hand: each is claimed, or held while another of its lane goes first.
const CLAIM: &str = "\
WITH ripe AS MATERIALIZED (
    SELECT seq, lane, occurred_at, due, state FROM inbox_runs
    WHERE state < 2 AND due <= $1 AND ($5::text[] IS NULL OR source = ANY ($5))
    ORDER BY due, state, seq LIMIT $2 FOR UPDATE SKIP LOCKED
), judged AS MATERIALIZED (
    SELECT seq, due, state, lane IS NOT NULL AND (
        EXISTS (SELECT 1 FROM inbox_runs AS other WHERE other.lane = ripe.lane AND other.state < 2
            AND (other.occurred_at, other.seq) < (ripe.occurred_at, ripe.seq))
        OR EXISTS (SELECT 1 FROM inbox_runs AS other WHERE other.lane = ripe.lane AND other.state = 1
            AND other.due > $1 AND other.seq <> ripe.seq)
    ) AS waits
    FROM ripe
)
UPDATE inbox_runs AS run SET
    state = CASE WHEN waits THEN 0 ELSE 1 END,
    held = waits,
    due = $1 + CASE WHEN waits THEN $6::int8 ELSE $3::int8 END,
    span = CASE WHEN waits THEN $6::int8 ELSE $3::int8 END,
    attempt = run.attempt + CASE WHEN waits THEN 0 ELSE 1 END,
    fence = run.fence + CASE WHEN waits THEN 0 ELSE 1 END,
    worker = CASE WHEN waits THEN run.worker ELSE $4 END
FROM judged, inbox_events AS event
WHERE run.seq = judged.seq AND event.seq = run.event
RETURNING run.seq, judged.due, judged.state, waits, run.key, run.trigger, run.replay, run.attempt, run.fence, run.reason,
    event.source, event.id, event.type, event.occurred_at, event.taken_at, event.object, event.via,
    CASE WHEN waits THEN NULL ELSE event.body END";

/// What was held because of a run that has ended since it was looked at is due again. Whoever ends one from now on waits for these rows,
/// and finds them held.
const NOT_HELD: &str = "\
UPDATE inbox_runs AS run SET held = false, due = $1, span = 0
WHERE seq = ANY ($2) AND held
    AND NOT EXISTS (SELECT 1 FROM inbox_runs AS other WHERE other.lane = run.lane AND other.state < 2
        AND (other.occurred_at, other.seq) < (run.occurred_at, run.seq))
    AND NOT EXISTS (SELECT 1 FROM inbox_runs AS other WHERE other.lane = run.lane AND other.state = 1
        AND other.due > $1 AND other.seq <> run.seq)";

pub async fn claim(
    session: &mut Session,
    look: bool,
    lease: &Lease,
    most: usize,
    now: Moment,
) -> Result<Vec<Claim>, Error> {
    let (claim, not_held, misdated) =
        (session.prepared(CLAIM).await?, session.prepared(NOT_HELD).await?, session.prepared(MISDATED).await?);
    let (at, held, length) = (now.unix_millis(), millis(HELD), millis(lease.length).max(1));
    let sources = (!lease.sources.is_empty()).then_some(&lease.sources);
    let tx = session.client.transaction().await?;
    tx.batch_execute(ONE_AT_A_TIME).await?;
    if look {
        tx.execute(&misdated, &[&at]).await?;
    }
    let mut rows = Vec::new();
    let mut looked_at = 0;
    while rows.len() < most && looked_at < ABREAST {
        let room = (most - rows.len()).min(ABREAST);
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let found = tx.query(&claim, &[&at, &limit, &length, &lease.worker, &sources, &held]).await?;
        looked_at += found.len();
        let all = found.len() < room;
        let (waiting, ours): (Vec<Row>, Vec<Row>) = found.into_iter().partition(|row| row.get(3));
        rows.extend(ours);
        let mut freed = 0;
        if !waiting.is_empty() {
            let waiting: Vec<i64> = waiting.iter().map(|row| row.get(0)).collect();
            freed = tx.execute(&not_held, &[&at, &waiting]).await?;
        }
        if all && freed == 0 {
            break;
        }
    }
    tx.commit().await?;
    rows.sort_by_key(|row| (row.get::<_, i64>(1), row.get::<_, i16>(2), row.get::<_, i64>(0)));
    Ok(rows.iter().map(read).collect())
}

fn read(row: &Row) -> Claim {
    Claim {
        key: RunKey::from_text(row.get::<_, String>(4)),
        trigger: row.get(5),
        replay: u32::try_from(row.get::<_, i32>(6)).unwrap_or(0),
        attempt: u32::try_from(row.get::<_, i32>(7)).unwrap_or(0),
        fence: row.get(8),
        last_reason: row.get(9),
        event: EventKey { source: row.get(10), id: row.get(11) },
        event_type: row.get(12),
        occurred_at: Moment::from_unix_millis(row.get(13)),
        taken_at: Moment::from_unix_millis(row.get(14)),
        object: row.get(15),
        via: Via::from_code(row.get(16)),
        body: row.get::<_, Option<String>>(17).unwrap_or_default(),
    }
}
