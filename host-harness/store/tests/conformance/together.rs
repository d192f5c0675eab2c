//! Several handles on one database, as several processes have them.

use std::collections::HashSet;
use std::time::Duration;

use store::Ending;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::database::{Database, about, at, claim, event, lease};

const SOON: Duration = Duration::from_secs(20);

pub async fn of_many_that_take_the_same_event_one_is_first(database: Database) {
    let handles = [database.open().await, database.open().await];
    let mut tasks = JoinSet::new();
    for n in 0..200 {
        let store = handles[n % 2].clone();
        // Each event eight times, and in another order each time.
        let id = format!("evt_{}", (n * 7) % 25);
        tasks.spawn(async move { store.take(vec![event(&id, &["a", "b"])], at(0)).await.unwrap().remove(0) });
    }
    let taken = tasks.join_all().await;
    assert_eq!(taken.iter().filter(|taken| taken.first).count(), 25);
    assert_eq!(taken.iter().map(|taken| taken.started.len()).sum::<usize>(), 50);
    assert_eq!(claim(&handles[0], at(0)).await.len(), 50);
}

pub async fn of_many_that_claim_each_run_goes_to_one(database: Database) {
    let handles = [database.open().await, database.open().await];
    let arrivals = (0..150).map(|n| event(&format!("evt_{n}"), &["a", "b"])).collect();
    handles[0].take(arrivals, at(0)).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..6 {
        let store = handles[n % 2].clone();
        tasks.spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let claims = store.claim(&lease(), 7, at(0)).await.unwrap();
                if claims.is_empty() {
                    return claimed;
                }
                for claim in claims {
                    assert!(store.settle(&claim, Ending::Done, at(1)).await.unwrap());
                    claimed.push(claim.key);
                }
            }
        });
    }
    let mut claimed: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    // Who passed over what another had in hand leaves nothing behind.
    claimed.extend(claim(&handles[1], at(0)).await.into_iter().map(|claim| claim.key));
    assert_eq!(claimed.len(), 300);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 300);
}

pub async fn of_many_that_claim_an_object_goes_to_one(database: Database) {
    const OBJECTS: u64 = 4;
    const EACH: u64 = 12;
    let handles = [database.open().await, database.open().await];
    let mut arrivals = Vec::new();
    for n in 0..EACH {
        arrivals.extend((0..OBJECTS).map(|o| about(&format!("cus_{o}"), &format!("evt_{o}_{n:02}"), n)));
    }
    handles[0].take(arrivals, at(100)).await.unwrap();
    let busy = std::sync::Arc::new(std::sync::Mutex::new((HashSet::new(), Vec::new())));
    let mut tasks = JoinSet::new();
    for n in 0..6 {
        let (store, busy) = (handles[n % 2].clone(), busy.clone());
        tasks.spawn(async move {
            let mut changes = store.changes();
            while busy.lock().unwrap().1.len() < (OBJECTS * EACH) as usize {
                let claims = store.claim(&lease(), 3, at(100)).await.unwrap();
                if claims.is_empty() {
                    // Nothing waits for a moment here, so nobody may be needed but the ones that have something in hand.
                    let _ = timeout(Duration::from_millis(100), changes.next()).await;
                }
                for claim in claims {
                    let object = claim.object.clone().unwrap();
                    assert!(busy.lock().unwrap().0.insert(object.clone()), "two at a time of {object}");
                    tokio::task::yield_now().await;
                    {
                        let mut busy = busy.lock().unwrap();
                        busy.0.remove(&object);
                        busy.1.push(claim.event.id.clone());
                    }
                    assert!(store.settle(&claim, Ending::Done, at(100)).await.unwrap());
                }
            }
        });
    }
    timeout(SOON * 3, tasks.join_all()).await.expect("no run is forgotten");
    let order = &busy.lock().unwrap().1;
    for object in 0..OBJECTS {
        let own: Vec<_> = order.iter().filter(|id| id.starts_with(&format!("evt_{object}_"))).collect();
        assert!(own.is_sorted(), "{own:?}");
        assert_eq!(own.len(), EACH as usize);
    }
}

pub async fn a_change_wakes_in_the_same_process(database: Database) {
    let store = database.open().await;
    let mut changes = store.changes();
    // What comes between looking and waiting is not missed.
    assert!(claim(&store, at(0)).await.is_empty());
    store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    timeout(SOON, changes.next()).await.expect("woken");
}

pub async fn a_change_wakes_by_another_handle(database: Database) {
    let (here, there) = (database.open().await, database.open().await);
    let mut changes = here.changes();
    assert!(claim(&here, at(0)).await.is_empty());
    there.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap();
    while claim(&here, at(0)).await.is_empty() {
        timeout(SOON, changes.next()).await.expect("woken");
    }
}

pub async fn many_handles_can_open_a_new_database_at_once(database: Database) {
    let opened: Vec<_> = (0..6).map(|_| database.place()).collect();
    let mut tasks = JoinSet::new();
    for place in opened {
        tasks.spawn(async move { store::open(&place).await.unwrap() });
    }
    let handles = tasks.join_all().await;
    for (n, store) in handles.iter().enumerate() {
        let first = store.take(vec![event("evt_1", &["a"])], at(0)).await.unwrap()[0].first;
        assert_eq!(first, n == 0);
    }
}
