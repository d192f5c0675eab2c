//! A run is longer than a call: what is known of its earlier tries goes in, and what is known after this one comes out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Guest, call};
use host::contract::Outcome;
use host::{History, Invocation};

/// When the first try began.
const FIRST: Duration = Duration::from_secs(1_700_000_000);

fn in_doubt() -> History {
    History { tries: 2, ..History::in_doubt_since(UNIX_EPOCH + FIRST) }
}

/// Traps unless this holds of the arguments, whose address it gets, and answers with nothing otherwise.
fn unless(holds: &str) -> String {
    format!("(if (i32.eqz {holds}) (then unreachable)) (i32.const 1024)")
}

#[tokio::test]
async fn the_guest_is_told_of_earlier_tries() {
    // Where the contract has them in the arguments: the option's case, the first try, the tries, the doubt.
    let told = "(i32.and (i32.eq (i32.load8_u offset=64 (local.get 0)) (i32.const 1))
        (i32.and (i64.eq (i64.load offset=72 (local.get 0)) (i64.const 1700000000))
        (i32.and (i32.eq (i32.load offset=80 (local.get 0)) (i32.const 2))
                 (i32.eq (i32.load8_u offset=84 (local.get 0)) (i32.const 1)))))";
    let connector = Guest::new().function("actions", "run", &unless(told)).load();
    let run = Invocation::new("run_1");
    let reply = connector.run_action(&call(run.clone().with_history(in_doubt())), "a", "{}").await;
    assert!(reply.is_ok(), "{reply:?}");
    assert_eq!(reply.unwrap().report.history, Some(in_doubt()));
    assert!(connector.run_action(&call(run), "a", "{}").await.is_err(), "a first try has no history");
}

#[tokio::test]
async fn the_guest_is_always_told_how_long_it_may_take() {
    let told = "(i32.and (i32.eq (i32.load8_u offset=48 (local.get 0)) (i32.const 1))
        (i32.and (i64.gt_u (i64.load offset=56 (local.get 0)) (i64.const 0))
                 (i64.le_u (i64.load offset=56 (local.get 0)) (i64.const 240000))))";
    let connector = Guest::new().function("actions", "run", &unless(told)).load();
    for run in [Invocation::new("run_1"), Invocation::new("run_1").with_timeout(Duration::from_secs(100_000))] {
        let reply = connector.run_action(&call(run), "a", "{}").await;
        assert!(reply.is_ok(), "{reply:?}");
    }
}

#[tokio::test]
async fn a_platform_failure_settles_nothing_of_an_earlier_try() {
    let connector = Guest::new().load();
    let run = Invocation::new("run_1");

    let first = connector.run_action(&call(run.clone()), "a", "{}").await.unwrap_err();
    assert_eq!(first.outcome(), Outcome::NotSent);
    assert_eq!((first.history().tries, first.history().in_doubt), (1, false));
    assert!(first.history().first_try <= SystemTime::now() && first.history().first_try > UNIX_EPOCH + FIRST);

    let later = connector.run_action(&call(run.clone().with_history(in_doubt())), "a", "{}").await.unwrap_err();
    assert_eq!(later.outcome(), Outcome::Unknown, "{later}");
    assert_eq!(later.history(), History { tries: 3, ..in_doubt() });
    assert_eq!(run.again_after(&later).history, Some(History { tries: 3, ..in_doubt() }));

    let read = connector.run_query(&call(run.with_history(in_doubt())), "q", "{}", None).await.unwrap_err();
    assert_eq!(read.outcome(), Outcome::NotSent, "reading changes nothing");
}
