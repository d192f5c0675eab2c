//! What was given up or done is run again because somebody wants it; what is over is forgotten; where polling goes on is written.

use tokio_postgres::{Row, Transaction};

use crate::error::Error;
use crate::key::RunKey;
use crate::listing::RunState;
use crate::model::{Replay, Replayed};
use crate::moment::Moment;
use crate::postgres::claiming::ONE_AT_A_TIME;
use crate::postgres::line::Session;
use crate::postgres::listening::NOTIFY;

/// The newest of each trigger of an event; it stands for those before it.
const OF_EVENT: &str = "\
SELECT run.seq, run.key, run.state, run.trigger, run.replay, event.source, event.id
FROM inbox_runs AS run JOIN inbox_events AS event ON event.seq = run.event
WHERE event.source = $1 AND event.id = $2
    AND run.replay = (SELECT max(replay) FROM inbox_runs WHERE event = run.event AND trigger = run.trigger)
ORDER BY run.seq";

const WHOSE: &str = "\
SELECT event.source, event.id, run.trigger, run.state FROM inbox_runs AS run
JOIN inbox_events AS event ON event.seq = run.event WHERE run.key = $1";

const REVIVE: &str = "\
UPDATE inbox_runs SET state = 0, due = $2, span = 0, held = false, attempt = 0 WHERE key = $1 AND state = 3";

const REVIVE_ALL: &str = "\
UPDATE inbox_runs SET state = 0, due = $2, span = 0, held = false, attempt = 0
WHERE state = 3 AND ($1::text IS NULL OR source = $1) RETURNING key";

const FURTHER: &str = "\
INSERT INTO inbox_runs (key, event, source, trigger, replay, lane, occurred_at, state, due, span, held, attempt, fence)
SELECT $2, event, source, trigger, $3, lane, occurred_at, 0, $4, 0, false, 0, 0 FROM inbox_runs WHERE seq = $1";

pub async fn replay(session: &mut Session, what: &Replay, now: Moment) -> Result<Vec<Replayed>, Error> {
    let tx = session.client.transaction().await?;
    // Two who want the same at a time get one further run.
    tx.batch_execute(ONE_AT_A_TIME).await?;
    let replayed = match what {
        Replay::Run(key) => run(&tx, key, now).await?,
        Replay::Event(event) => newest(&tx, &event.source, &event.id, None, now).await?,
        Replay::Dead { source } => {
            let dead = tx.query(REVIVE_ALL, &[source, &now.unix_millis()]).await?;
            dead.iter().map(|row| Replayed::Revived(RunKey::from_text(row.get::<_, String>(0)))).collect()
        }
    };
    tx.batch_execute(NOTIFY).await?;
    tx.commit().await?;
    Ok(replayed)
}

async fn run(tx: &Transaction<'_>, key: &RunKey, now: Moment) -> Result<Vec<Replayed>, Error> {
    let Some(whose) = tx.query_opt(WHOSE, &[&key.as_str()]).await? else { return Ok(Vec::new()) };
    if RunState::from_code(whose.get(3)) == RunState::Dead {
        return Ok(vec![revive(tx, key.clone(), now).await?]);
    }
    newest(tx, whose.get(0), whose.get(1), Some(whose.get(2)), now).await
}

async fn revive(tx: &Transaction<'_>, key: RunKey, now: Moment) -> Result<Replayed, Error> {
    tx.execute(REVIVE, &[&key.as_str(), &now.unix_millis()]).await?;
    Ok(Replayed::Revived(key))
}

/// The newest run of each trigger of an event, or of one of them.
async fn newest(
    tx: &Transaction<'_>,
    source: &str,
    id: &str,
    trigger: Option<&str>,
    now: Moment,
) -> Result<Vec<Replayed>, Error> {
    let mut replayed = Vec::new();
    for row in tx.query(OF_EVENT, &[&source, &id]).await? {
        if trigger.is_none_or(|trigger| trigger == row.get::<_, &str>(3)) {
            replayed.push(again(tx, &row, now).await?);
        }
    }
    Ok(replayed)
}

async fn again(tx: &Transaction<'_>, row: &Row, now: Moment) -> Result<Replayed, Error> {
    let of = RunKey::from_text(row.get::<_, String>(1));
    match RunState::from_code(row.get(2)) {
        RunState::Waiting | RunState::Running => Ok(Replayed::Unfinished(of)),
        RunState::Dead => revive(tx, of, now).await,
        RunState::Done => {
            let replay: i32 = row.get::<_, i32>(4).saturating_add(1);
            let key = RunKey::of(row.get(5), row.get(6), row.get(3), u32::try_from(replay).unwrap_or(0));
            tx.execute(FURTHER, &[&row.get::<_, i64>(0), &key.as_str(), &replay, &now.unix_millis()]).await?;
            Ok(Replayed::Further { of, key })
        }
    }
}

/// Locked first, so that nobody takes one of them again in between.
const FORGET: &str = "\
WITH over AS MATERIALIZED (
    SELECT seq FROM inbox_events AS event
    WHERE taken_at < $1 AND NOT EXISTS (SELECT 1 FROM inbox_runs WHERE inbox_runs.event = event.seq AND state <> 2)
    ORDER BY taken_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT seq FROM over";

pub async fn forget(session: &mut Session, before: Moment, most: usize) -> Result<usize, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let tx = session.client.transaction().await?;
    tx.batch_execute(ONE_AT_A_TIME).await?;
    let over: Vec<i64> =
        tx.query(FORGET, &[&before.unix_millis(), &most]).await?.iter().map(|row| row.get(0)).collect();
    // A run that was started before the lock was there keeps its event.
    let kept = "SELECT DISTINCT event FROM inbox_runs WHERE event = ANY ($1) AND state <> 2";
    let kept: Vec<i64> = tx.query(kept, &[&over]).await?.iter().map(|row| row.get(0)).collect();
    let over: Vec<i64> = over.into_iter().filter(|seq| !kept.contains(seq)).collect();
    tx.execute("DELETE FROM inbox_runs WHERE event = ANY ($1)", &[&over]).await?;
    tx.execute("DELETE FROM inbox_events WHERE seq = ANY ($1)", &[&over]).await?;
    tx.commit().await?;
    Ok(over.len())
}

const POSITION: &str = "\
INSERT INTO inbox_positions (source, cursor, at) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, at = excluded.at";

pub async fn set_position(session: &mut Session, source: &str, cursor: &str, now: Moment) -> Result<(), Error> {
    let position = session.prepared(POSITION).await?;
    session.client.execute(&position, &[&source, &cursor, &now.unix_millis()]).await?;
    Ok(())
}
