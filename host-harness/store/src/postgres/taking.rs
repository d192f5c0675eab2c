//! Events are kept with the runs that they start.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::error::Error;
use crate::key::{RunKey, lane};
use crate::model::{Arrival, Taken};
use crate::moment::Moment;
use crate::postgres::line::{Line, Session, on};
use crate::postgres::listening::NOTIFY;
use crate::postgres::together::Batch;

/// Events that came together.
pub struct Take {
    pub arrivals: Vec<Arrival>,
    pub now: Moment,
}

/// Takes what came from many callers.
pub struct Taking {
    line: Line,
}

impl Taking {
    pub fn new(line: Line) -> Self {
        Self { line }
    }
}

impl Batch for Taking {
    type Ask = Take;
    type Answer = Vec<Taken>;

    fn bytes(take: &Take) -> usize {
        take.arrivals.iter().map(|arrival| arrival.body.len()).sum()
    }

    async fn run(&mut self, takes: &[Take]) -> Result<Vec<Vec<Taken>>, Error> {
        let line = &mut self.line;
        on!(line, session => take(session, takes))
    }
}

const EVENTS: &str = "\
INSERT INTO inbox_events (source, id, type, occurred_at, taken_at, object, via, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::text[], $7::int2[], $8::text[])
ON CONFLICT (source, id) DO NOTHING RETURNING seq, source, id";

/// Held until the end of the transaction, so that nobody forgets it in between.
const KNOWN: &str = "\
SELECT event.seq, event.source, event.id, event.occurred_at
FROM unnest($1::text[], $2::text[]) AS asked (source, id)
JOIN inbox_events AS event ON event.source = asked.source AND event.id = asked.id
FOR KEY SHARE OF event";

const RUNS: &str = "\
INSERT INTO inbox_runs
    (key, event, source, trigger, lane, occurred_at, due, replay, state, span, held, attempt, fence)
SELECT *, 0, 0, 0, false, 0, 0
FROM unnest($1::text[], $2::int8[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[])
ON CONFLICT (key) DO NOTHING RETURNING key";

/// An event's row.
#[derive(Clone, Copy)]
struct Kept {
    seq: i64,
    occurred_at: i64,
}

async fn take(session: &mut Session, takes: &[Take]) -> Result<Vec<Vec<Taken>>, Error> {
    let (events, known, runs) =
        (session.prepared(EVENTS).await?, session.prepared(KNOWN).await?, session.prepared(RUNS).await?);
    // Each event once, and sorted: two processes that take the same events lock them in the same order.
    let mut given: BTreeMap<(&str, &str), (&Arrival, Moment)> = BTreeMap::new();
    for take in takes {
        for arrival in &take.arrivals {
            given.entry((&arrival.source, &arrival.event_id)).or_insert((arrival, take.now));
        }
    }
    let tx = session.client.transaction().await?;
    let column = |of: fn(&Arrival) -> &str| given.values().map(|(arrival, _)| of(arrival)).collect::<Vec<_>>();
    let (sources, ids) = (column(|arrival| &arrival.source), column(|arrival| &arrival.event_id));
    let (types, bodies) = (column(|arrival| &arrival.event_type), column(|arrival| &arrival.body));
    let occurred: Vec<i64> = given.values().map(|(arrival, _)| arrival.occurred_at.unix_millis()).collect();
    let taken_at: Vec<i64> = given.values().map(|(_, now)| now.unix_millis()).collect();
    let objects: Vec<Option<&str>> = given.values().map(|(arrival, _)| arrival.object.as_deref()).collect();
    let via: Vec<i16> = given.values().map(|(arrival, _)| arrival.via.code()).collect();
    let fresh = tx.query(&events, &[&sources, &ids, &types, &occurred, &taken_at, &objects, &via, &bodies]).await?;

    let mut kept: HashMap<(&str, &str), Kept> = HashMap::with_capacity(given.len());
    let mut first: HashSet<(&str, &str)> = HashSet::with_capacity(fresh.len());
    for row in &fresh {
        let event = (row.get(1), row.get(2));
        first.insert(event);
        if let Some((arrival, _)) = given.get(&event) {
            kept.insert(event, Kept { seq: row.get(0), occurred_at: arrival.occurred_at.unix_millis() });
        }
    }
    let older;
    if first.len() < given.len() {
        let (sources, ids): (Vec<&str>, Vec<&str>) =
            given.keys().copied().filter(|event| !first.contains(event)).unzip();
        older = tx.query(&known, &[&sources, &ids]).await?;
        for row in &older {
            kept.insert((row.get(1), row.get(2)), Kept { seq: row.get(0), occurred_at: row.get(3) });
        }
    }

    let mut wanted: BTreeMap<RunKey, (&Arrival, &str, Kept, Moment)> = BTreeMap::new();
    for take in takes {
        for arrival in &take.arrivals {
            let Some(kept) = kept.get(&(arrival.source.as_str(), arrival.event_id.as_str())) else {
                // It was known, and is forgotten: the next attempt keeps it anew.
                return Err(Error::Unavailable("an event was forgotten while it came again".to_owned()));
            };
            for trigger in &arrival.triggers {
                let key = RunKey::of(&arrival.source, &arrival.event_id, trigger, 0);
                wanted.entry(key).or_insert((arrival, trigger, *kept, take.now));
            }
        }
    }
    let mut started: HashSet<String> = HashSet::new();
    if !wanted.is_empty() {
        let keys: Vec<&str> = wanted.keys().map(RunKey::as_str).collect();
        let events: Vec<i64> = wanted.values().map(|(_, _, kept, _)| kept.seq).collect();
        let sources: Vec<&str> = wanted.values().map(|(arrival, ..)| arrival.source.as_str()).collect();
        let triggers: Vec<&str> = wanted.values().map(|(_, trigger, ..)| *trigger).collect();
        let lanes: Vec<Option<i64>> = wanted
            .values()
            .map(|(arrival, trigger, ..)| lane(&arrival.source, trigger, arrival.object.as_deref()))
            .collect();
        let occurred: Vec<i64> = wanted.values().map(|(_, _, kept, _)| kept.occurred_at).collect();
        let due: Vec<i64> = wanted.values().map(|(.., now)| now.unix_millis()).collect();
        let rows = tx.query(&runs, &[&keys, &events, &sources, &triggers, &lanes, &occurred, &due]).await?;
        started.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        if !started.is_empty() {
            tx.batch_execute(NOTIFY).await?;
        }
    }
    tx.commit().await?;

    // The first that brought it gets what is new.
    let mut answers = Vec::with_capacity(takes.len());
    for take in takes {
        let mut taken = Vec::with_capacity(take.arrivals.len());
        for arrival in &take.arrivals {
            let Arrival { source, event_id, triggers, .. } = arrival;
            let keys = triggers.iter().map(|trigger| RunKey::of(source, event_id, trigger, 0));
            let started = keys.filter(|key| started.remove(key.as_str())).collect();
            taken.push(Taken { first: first.remove(&(source.as_str(), event_id.as_str())), started });
        }
        answers.push(taken);
    }
    Ok(answers)
}
