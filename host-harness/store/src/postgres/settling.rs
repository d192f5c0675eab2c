//! Claims end, or are prolonged: many at a time.

use std::collections::HashMap;

use crate::error::Error;
use crate::lanes::Settled;
use crate::moment::Moment;
use crate::postgres::line::{Line, Session, on};
use crate::postgres::listening::NOTIFY;
use crate::postgres::together::Batch;

/// What a claim becomes.
pub struct Settle {
    pub key: String,
    pub fence: i64,
    pub state: i16,
    pub due: i64,
    pub span: i64,
    pub undone: i32,
    pub reason: Option<String>,
    pub now: Moment,
    /// It goes on, and is not settled yet.
    pub extends: bool,
}

/// Settles what many callers did.
pub struct Settling {
    line: Line,
}

impl Settling {
    pub fn new(line: Line) -> Self {
        Self { line }
    }
}

impl Batch for Settling {
    type Ask = Settle;
    type Answer = Settled;

    fn bytes(settle: &Settle) -> usize {
        settle.reason.as_ref().map_or(0, String::len)
    }

    /// A second one for the same run is not for this transaction: it sees what the first has made of the run.
    fn together(asks: &[Settle], ask: &Settle) -> bool {
        asks.iter().all(|other| other.key != ask.key)
    }

    async fn run(&mut self, settles: &[Settle]) -> Result<Vec<Settled>, Error> {
        let line = &mut self.line;
        on!(line, session => settle(session, settles))
    }
}

const SETTLE: &str = "\
UPDATE inbox_runs AS run SET
    state = given.state, due = given.due, span = given.span, held = false, attempt = run.attempt - given.undone,
    reason = coalesce(given.reason, run.reason), settled_at = coalesce(given.settled_at, run.settled_at)
FROM unnest($1::text[], $2::int8[], $3::int2[], $4::int8[], $5::int8[], $6::int4[], $7::text[], $8::int8[])
    AS given (key, fence, state, due, span, undone, reason, settled_at)
WHERE run.key = given.key AND run.fence = given.fence AND run.state = 1
RETURNING run.key, run.lane";

/// The same claim, settled the same way: an answer was lost, and the caller asks again.
const SAME: &str = "\
SELECT run.key FROM unnest($1::text[], $2::int8[], $3::int2[]) AS given (key, fence, state)
JOIN inbox_runs AS run ON run.key = given.key AND run.fence = given.fence AND run.state = given.state";

/// The first that waits in each lane, when it waits for nothing else. It is locked before it is looked at: a claim that is about to hold
/// it is waited for.
const RELEASE: &str = "\
UPDATE inbox_runs AS run SET due = $2, span = 0, held = false
FROM (
    SELECT first.seq, first.held FROM unnest($1::int8[]) AS ended (lane)
    CROSS JOIN LATERAL (
        SELECT seq, held FROM inbox_runs WHERE lane = ended.lane AND state < 2 ORDER BY occurred_at, seq LIMIT 1 FOR UPDATE
    ) AS first
) AS first
WHERE run.seq = first.seq AND first.held";

async fn settle(session: &mut Session, settles: &[Settle]) -> Result<Vec<Settled>, Error> {
    let (settle, same, release) =
        (session.prepared(SETTLE).await?, session.prepared(SAME).await?, session.prepared(RELEASE).await?);
    let mut sorted: Vec<&Settle> = settles.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let keys: Vec<&str> = sorted.iter().map(|settle| settle.key.as_str()).collect();
    let fences: Vec<i64> = sorted.iter().map(|settle| settle.fence).collect();
    let states: Vec<i16> = sorted.iter().map(|settle| settle.state).collect();
    let due: Vec<i64> = sorted.iter().map(|settle| settle.due).collect();
    let spans: Vec<i64> = sorted.iter().map(|settle| settle.span).collect();
    let undone: Vec<i32> = sorted.iter().map(|settle| settle.undone).collect();
    let reasons: Vec<Option<&str>> = sorted.iter().map(|settle| settle.reason.as_deref()).collect();
    let at: Vec<Option<i64>> =
        sorted.iter().map(|settle| (!settle.extends).then_some(settle.now.unix_millis())).collect();

    let tx = session.client.transaction().await?;
    let done = tx.query(&settle, &[&keys, &fences, &states, &due, &spans, &undone, &reasons, &at]).await?;
    let ours: HashMap<&str, Option<i64>> = done.iter().map(|row| (row.get(0), row.get(1))).collect();
    let extends: HashMap<&str, bool> = sorted.iter().map(|settle| (settle.key.as_str(), settle.extends)).collect();
    let mut lanes: Vec<i64> = ours
        .iter()
        .filter(|(key, _)| !extends.get(*key).copied().unwrap_or(false))
        .filter_map(|(_, lane)| *lane)
        .collect();
    lanes.sort_unstable();
    lanes.dedup();
    let mut notify = settles.iter().any(|settle| settle.state == 0);
    if !lanes.is_empty() {
        let now = settles.iter().map(|settle| settle.now).max().unwrap_or_default();
        notify |= tx.execute(&release, &[&lanes, &now.unix_millis()]).await? > 0;
    }
    if notify {
        tx.batch_execute(NOTIFY).await?;
    }
    let repeated = match ours.len() < settles.len() {
        true => tx.query(&same, &[&keys, &fences, &states]).await?,
        false => Vec::new(),
    };
    tx.commit().await?;
    let repeated: Vec<&str> = repeated.iter().map(|row| row.get(0)).collect();
    let settled = |settle: &Settle| match ours.get(settle.key.as_str()) {
        Some(lane) => Settled { ours: true, woke: !settle.extends && (lane.is_some() || settle.state == 0) },
        None => Settled { ours: !settle.extends && repeated.contains(&settle.key.as_str()), woke: false },
    };
    Ok(settles.iter().map(settled).collect())
}
