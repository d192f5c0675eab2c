//! Long random histories, compared with a store that is simple enough to be believed.
//!
//! What the model cannot know is which of the runs that may be claimed are claimed first; so everything is asked for. Runs that are held
//! for a while may come late, never early, and never not at all.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use store::{Arrival, Claim, Ending, EventKey, Lease, Moment, Replay, RunKey, RunState, Store};

use crate::database::{Database, at, event};

/// Repeatable, and another history for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Run {
    seq: usize,
    event: String,
    trigger: String,
    object: Option<String>,
    occurred: u64,
    replay: u32,
    state: RunState,
    due: u64,
    attempt: u32,
    fence: u32,
}

#[derive(Default)]
struct Model {
    events: HashMap<String, (Option<String>, u64)>,
    runs: BTreeMap<RunKey, Run>,
}

impl Model {
    fn start(&mut self, event: &str, trigger: &str, replay: u32, now: u64) -> Option<RunKey> {
        let key = RunKey::of("/shop", event, trigger, replay);
        if self.runs.contains_key(&key) {
            return None;
        }
        let (object, occurred) = self.events[event].clone();
        let (seq, event, trigger) = (self.runs.len(), event.to_owned(), trigger.to_owned());
        let run = Run {
            seq,
            event,
            trigger,
            object,
            occurred,
            replay,
            state: RunState::Waiting,
            due: now,
            attempt: 0,
            fence: 0,
        };
        self.runs.insert(key.clone(), run);
        Some(key)
    }

    /// Whether it may be claimed now: surely, perhaps later, or not.
    fn claimable(&self, key: &RunKey, now: u64) -> bool {
        let run = &self.runs[key];
        let open = |run: &Run| matches!(run.state, RunState::Waiting | RunState::Running);
        if !open(run) || run.due > now {
            return false;
        }
        run.object.is_none()
            || !self.runs.values().any(|other| {
                let lane = other.object == run.object && other.trigger == run.trigger && other.seq != run.seq;
                let earlier = (other.occurred, other.seq) < (run.occurred, run.seq);
                lane && open(other) && (earlier || other.state == RunState::Running && other.due > now)
            })
    }
}

const LEASE: u64 = 10;

async fn walk(store: &dyn Store, seed: u64, steps: usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut model = Model::default();
    let mut claims: Vec<(Claim, u32)> = Vec::new();
    let mut now = 1000;
    for step in 0..steps {
        now += [0, 0, 0, 1, 3, 12][dice.roll(6) as usize];
        let context = format!("seed {seed}, step {step}, at {now}");
        match dice.roll(10) {
            0..3 => take(store, &mut dice, &mut model, now, &context).await,
            3..5 => {
                let lease = Lease {
                    worker: "w".to_owned(),
                    length: Duration::from_secs(LEASE),
                    sources: vec!["/shop".to_owned()],
                };
                let got = store.claim(&lease, 1000, at(now)).await.unwrap();
                // One at a time, since each claim is a reason for others to wait.
                for claim in got {
                    assert!(model.claimable(&claim.key, now), "{context}: {claim:?} was not to be claimed");
                    let run = model.runs.get_mut(&claim.key).unwrap();
                    (run.state, run.due) = (RunState::Running, now + LEASE);
                    run.attempt += 1;
                    run.fence += 1;
                    assert_eq!((claim.attempt, claim.replay), (run.attempt, run.replay), "{context}");
                    assert_eq!((&claim.event.id, &claim.trigger), (&run.event, &run.trigger), "{context}");
                    claims.push((claim, run.fence));
                }
                let left: Vec<_> = model.runs.iter().filter(|(key, _)| model.claimable(key, now)).collect();
                let free: Vec<_> =
                    left.into_iter().filter(|(_, run)| run.object.is_none()).map(|(key, _)| key).collect();
                assert!(free.is_empty(), "{context}: {free:?} were not claimed");
            }
            5..8 if !claims.is_empty() => {
                let (claim, fence) = claims.swap_remove(dice.roll(claims.len() as u64) as usize);
                let run = model.runs.get_mut(&claim.key).unwrap();
                let ours = run.state == RunState::Running && run.fence == fence;
                // An abandoned one may have been put back behind an earlier one meanwhile.
                let put_back = ours && run.object.is_some() && run.due <= now;
                let settled = settle(store, &mut dice, &claim, run, now).await;
                assert!(settled == ours || put_back && !settled, "{context}: {claim:?} {settled} {ours}");
            }
            8 => replay(store, &mut dice, &mut model, now, &context).await,
            _ => look(store, &model, now, &context).await,
        }
    }
    drain(store, now).await;
    for run in model.runs.values_mut() {
        if run.state != RunState::Dead {
            run.state = RunState::Done;
        }
    }
    look(store, &model, now, &format!("seed {seed}, in the end")).await;
}

async fn take(store: &dyn Store, dice: &mut Dice, model: &mut Model, now: u64, context: &str) {
    let mut arrivals = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..=dice.roll(3) {
        let id = format!("evt_{}", dice.roll(40));
        let first = !model.events.contains_key(&id);
        let (object, occurred) = model
            .events
            .entry(id.clone())
            .or_insert_with(|| {
                (
                    [None, Some("cus_1".to_owned()), Some("cus_2".to_owned())][dice.roll(3) as usize].clone(),
                    dice.roll(1000),
                )
            })
            .clone();
        let triggers: &[&str] = [&["a"] as &[_], &["a", "b"], &["b"], &[]][dice.roll(4) as usize];
        arrivals.push(Arrival { object, occurred_at: at(occurred), ..event(&id, triggers) });
        let started = triggers.iter().filter_map(|trigger| model.start(&id, trigger, 0, now)).collect::<Vec<_>>();
        expected.push((first, started));
    }
    let taken = store.take(arrivals, at(now)).await.unwrap();
    let taken: Vec<_> = taken.into_iter().map(|taken| (taken.first, taken.started)).collect();
    assert_eq!(taken, expected, "{context}");
}

/// Ends a claim in some way, and writes it down where it was ours.
async fn settle(store: &dyn Store, dice: &mut Dice, claim: &Claim, run: &mut Run, now: u64) -> bool {
    let reason = "no luck".to_owned();
    let due = now + dice.roll(20);
    let (ending, state) = match dice.roll(6) {
        0 => (Ending::Dead { reason }, RunState::Dead),
        1 => (Ending::Again { at: at(due), reason }, RunState::Waiting),
        2 => (Ending::Returned, RunState::Waiting),
        3 => {
            let extended = store.extend(claim, Duration::from_secs(LEASE), at(now)).await.unwrap();
            if extended {
                run.due = now + LEASE;
            }
            return extended;
        }
        _ => (Ending::Done, RunState::Done),
    };
    let settled = store.settle(claim, ending.clone(), at(now)).await.unwrap();
    if settled {
        run.state = state;
        run.due = if matches!(ending, Ending::Again { .. }) { due } else { now };
        run.attempt -= u32::from(ending == Ending::Returned);
    }
    settled
}

async fn replay(store: &dyn Store, dice: &mut Dice, model: &mut Model, now: u64, context: &str) {
    let id = format!("evt_{}", dice.roll(40));
    let key = EventKey { source: "/shop".to_owned(), id: id.clone() };
    let replayed = store.replay(&Replay::Event(key), at(now)).await.unwrap();
    let mut newest: BTreeMap<String, (u32, RunState)> = BTreeMap::new();
    for run in model.runs.values().filter(|run| run.event == id) {
        let newest = newest.entry(run.trigger.clone()).or_insert((run.replay, run.state));
        if run.replay >= newest.0 {
            *newest = (run.replay, run.state);
        }
    }
    assert_eq!(replayed.len(), newest.len(), "{context}");
    for (trigger, (replay, state)) in newest {
        let key = RunKey::of("/shop", &id, &trigger, replay);
        let expected = match state {
            RunState::Dead => {
                let run = model.runs.get_mut(&key).unwrap();
                (run.state, run.due, run.attempt) = (RunState::Waiting, now, 0);
                store::Replayed::Revived(key)
            }
            RunState::Done => {
                let further = model.start(&id, &trigger, replay + 1, now).unwrap();
                store::Replayed::Further { of: key, key: further }
            }
            RunState::Waiting | RunState::Running => store::Replayed::Unfinished(key),
        };
        assert!(replayed.contains(&expected), "{context}: {replayed:?} without {expected:?}");
    }
}

async fn look(store: &dyn Store, model: &Model, now: u64, context: &str) {
    let counts = store.counts(None).await.unwrap();
    let count = |state| model.runs.values().filter(|run| run.state == state).count() as u64;
    assert_eq!(counts.events, model.events.len() as u64, "{context}");
    assert_eq!((counts.done, counts.dead), (count(RunState::Done), count(RunState::Dead)), "{context}");
    // One that was abandoned may have been put back.
    let open = count(RunState::Waiting) + count(RunState::Running);
    assert_eq!(counts.waiting + counts.running, open, "{context}");
    assert_eq!(store.next_due(&[]).await.unwrap().is_some(), open > 0, "{context}");
    assert!(counts.oldest_waiting.is_none_or(|oldest: Moment| oldest <= at(now)), "{context}");
}

/// Everything comes to its end, however it was held.
async fn drain(store: &dyn Store, mut now: u64) {
    let lease = Lease { worker: "w".to_owned(), length: Duration::from_secs(LEASE), sources: Vec::new() };
    for _ in 0..10_000 {
        if store.next_due(&[]).await.unwrap().is_none() {
            return;
        }
        let claims = store.claim(&lease, 1000, at(now)).await.unwrap();
        if claims.is_empty() {
            now += 1;
        }
        for claim in claims {
            assert!(store.settle(&claim, Ending::Done, at(now)).await.unwrap());
        }
    }
    panic!("something is never claimed");
}

/// Another history with `STORE_SEED=…`.
pub async fn long_random_histories_agree_with_the_model(database: Database) {
    let seed = std::env::var("STORE_SEED").map_or(2026, |seed| seed.parse().expect("STORE_SEED is a number"));
    walk(&*database.open().await, seed, 1200).await;
}
