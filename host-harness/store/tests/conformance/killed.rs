//! A process that is killed in the middle of its work loses nothing that it answered for.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use store::{Ending, EventKey, Lease, Moment, Place, RunKey, RunState};
use tokio::task::JoinSet;

use crate::database::{Database, event};

/// Where the child finds the database, and from which number on it takes events.
const PLACE: &str = "STORE_KILLED_PLACE";
const FIRST: &str = "STORE_KILLED_FIRST";

const ROUNDS: usize = 4;

fn key(id: &str, trigger: &str) -> RunKey {
    RunKey::of("/shop", id, trigger, 0)
}

/// The child: takes events and does runs, and says so when it was told that it is durable. It never ends by itself.
#[test]
#[ignore = "it is what the other test kills"]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        let store = store::open(&Place::parse(&place).unwrap()).await.unwrap();
        let mut tasks = JoinSet::new();
        for lane in 0..6 {
            let store = store.clone();
            tasks.spawn(async move {
                for n in 0.. {
                    let id = format!("evt_{}", first + n * 6 + lane);
                    store.take(vec![event(&id, &["a", "b"])], Moment::now()).await.unwrap();
                    println!("\ntaken {id}");
                }
            });
        }
        for worker in 0..2 {
            let store = store.clone();
            tasks.spawn(async move {
                // Long enough that nobody claims it a second time while the test runs.
                let (worker, length) = (format!("worker {worker}"), std::time::Duration::from_secs(600));
                let lease = Lease { worker, length, sources: Vec::new() };
                let mut changes = store.changes();
                loop {
                    let claims = store.claim(&lease, 5, Moment::now()).await.unwrap();
                    if claims.is_empty() {
                        changes.next().await;
                    }
                    for claim in claims {
                        println!("\nclaimed {}", claim.key);
                        assert!(store.settle(&claim, Ending::Done, Moment::now()).await.unwrap());
                        println!("\ndone {}", claim.key);
                    }
                }
            });
        }
        tasks.join_all().await;
    });
}

pub async fn a_process_that_is_killed_loses_nothing_that_it_answered(database: Database) {
    let (mut taken, mut claimed, mut done) = (Vec::new(), Vec::new(), HashSet::new());
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "killed::child", "--nocapture", "--test-threads=1"])
            .env(PLACE, database.address())
            .env(FIRST, (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for (n, line) in lines.enumerate() {
            // Another moment in each round; what it still says after that counts too.
            if n == 600 + 377 * round {
                child.kill().unwrap();
            }
            let Ok(line) = line else { break };
            match line.split_once(' ') {
                Some(("taken", id)) => taken.push(id.to_owned()),
                Some(("claimed", key)) => claimed.push(RunKey::from_text(key)),
                // The last line may be half there, which is half an answer.
                Some(("done", key)) if key.len() == 36 => drop(done.insert(RunKey::from_text(key))),
                _ => {}
            }
        }
        assert!(!child.wait().unwrap().success());
    }
    assert!(taken.len() > 100 && !done.is_empty(), "{} taken, {} done", taken.len(), done.len());
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), claimed.len(), "no run was handed out twice");

    let store = database.open().await;
    for id in &taken {
        // The last line may be half there: then it is an event that was not taken, or another one that was.
        let event = EventKey { source: "/shop".to_owned(), id: id.clone() };
        let event = store.event(&event).await.unwrap().unwrap_or_else(|| panic!("{id} is lost"));
        let keys: HashSet<_> = event.runs.iter().map(|run| run.key.clone()).collect();
        assert_eq!(keys, HashSet::from([key(id, "a"), key(id, "b")]), "{id}");
        for run in event.runs {
            assert!(run.state == RunState::Done || !done.contains(&run.key), "{} was done", run.key);
        }
    }
    let counts = store.counts(None).await.unwrap();
    assert_eq!(counts.waiting + counts.running + counts.done, 2 * counts.events);
    // What was under way is done by the next, once its claim is over.
    let lease = Lease { worker: "next".to_owned(), length: std::time::Duration::from_secs(600), sources: Vec::new() };
    let later = Moment::now() + std::time::Duration::from_secs(3600);
    loop {
        let claims = store.claim(&lease, 1000, later).await.unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            assert!(!done.contains(&claim.key), "{} is done twice", claim.key);
            assert!(store.settle(&claim, Ending::Done, later).await.unwrap());
        }
    }
    assert_eq!(store.counts(None).await.unwrap().done, 2 * counts.events);
}
