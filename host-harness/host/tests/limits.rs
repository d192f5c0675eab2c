//! A component that misbehaves is stopped, and what stopped it is said.

use std::time::{Duration, Instant};

use crate::support::{Guest, NONE, call, manifest};
use host::contract::OperationFilter;
use host::{Busy, CacheFolder, CallError, CallOutcome, Grants, Host, HostConfig, Invocation, PlatformError, Reply};

type Answer = Result<Reply<Option<String>>, CallError>;

fn failure(answer: Answer) -> (PlatformError, host::CallReport) {
    match answer {
        Err(CallError::Platform(failure)) => (failure.error, failure.report),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_has_a_report() {
    let reply = Guest::new().resolve(NONE).load().resolve_resource("cus_1").await.unwrap();
    assert_eq!(reply.value, None);
    assert_eq!(reply.report.function, "resources.resolve");
    assert_eq!(reply.report.outcome, CallOutcome::Ok);
    assert_eq!(reply.report.memory_peak, 2 << 16);
    assert!(reply.report.duration > Duration::ZERO && reply.report.requests.is_empty());
}

#[tokio::test]
async fn every_call_gets_a_fresh_memory() {
    // Returns `some("")` when it finds what an earlier call left.
    let connector = Guest::new().resolve("(i32.store8 (i32.const 1024) (i32.load8_u (i32.const 2048))) (i32.store8 (i32.const 2048) (i32.const 1)) (i32.const 1024)").load();
    for _ in 0..50 {
        assert_eq!(connector.resolve_resource("x").await.unwrap().value, None);
    }
}

#[tokio::test]
async fn a_trap_is_a_platform_failure() {
    let (error, report) = failure(Guest::new().load().resolve_resource("x").await);
    assert!(matches!(&error, PlatformError::Trap(text) if text.contains("unreachable")), "{error:?}");
    assert_eq!(report.outcome, CallOutcome::PlatformFailure);
}

#[tokio::test]
async fn endless_recursion_is_stopped() {
    let guest = Guest::new().resolve("(call $deep) (i32.const 1024)").import(
        "wasi:cli/exit@0.2.0",
        r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32))) (func $deep (call $deep))"#,
    );
    let (error, _) = failure(guest.load().resolve_resource("x").await);
    assert!(matches!(&error, PlatformError::Trap(text) if text.contains("stack")), "{error:?}");
}

#[tokio::test]
async fn an_exit_is_a_platform_failure() {
    let guest =
        Guest::new().import("wasi:cli/exit@0.2.0", r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#);
    let (error, _) =
        failure(guest.resolve("(call $exit (i32.const 1)) (i32.const 1024)").load().resolve_resource("x").await);
    assert_eq!(error, PlatformError::Exit(1));
}

#[tokio::test]
async fn a_guest_that_computes_for_ever_is_stopped() {
    let mut manifest = manifest();
    manifest.limits.cpu = Duration::from_millis(60);
    let connector =
        Guest::new().resolve("(loop $for_ever (br $for_ever)) (i32.const 1024)").try_load(&manifest).unwrap();
    let (error, report) = failure(connector.resolve_resource("x").await);
    assert_eq!(error, PlatformError::Cpu { limit: Duration::from_millis(60) });
    assert!(report.cpu >= Duration::from_millis(60), "{:?}", report.cpu);
}

#[tokio::test]
async fn a_guest_that_computes_lets_others_run() {
    // One thread: unless the endless loop yields, the other call never gets its turn.
    let mut manifest = manifest();
    manifest.limits.cpu = Duration::from_secs(600);
    let endless = Guest::new().resolve("(loop $for_ever (br $for_ever)) (i32.const 1024)").try_load(&manifest).unwrap();
    let quick = Guest::new().resolve(NONE).load();
    let background = tokio::spawn(async move { endless.resolve_resource("x").await.map(drop) });
    tokio::task::yield_now().await;
    assert!(quick.resolve_resource("x").await.is_ok());
    background.abort();
    assert!(background.await.unwrap_err().is_cancelled());
}

const WAIT: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;

fn clock() -> Guest {
    Guest::new().import("wasi:io/poll@0.2.0", "").import("wasi:clocks/monotonic-clock@0.2.0", WAIT)
}

fn waiting(nanoseconds: u64) -> Guest {
    clock().resolve(&format!("(call $block (call $after (i64.const {nanoseconds}))) (i32.const 1024)"))
}

#[tokio::test]
async fn waiting_is_not_computing() {
    let mut manifest = manifest();
    manifest.limits.cpu = Duration::from_millis(20);
    let connector = waiting(200_000_000).try_load(&manifest).unwrap();
    let reply = connector.resolve_resource("x").await.unwrap();
    assert!(reply.report.duration >= Duration::from_millis(200));
    assert!(reply.report.cpu < Duration::from_millis(20), "{:?}", reply.report.cpu);
}

#[tokio::test]
async fn a_guest_that_waits_for_ever_is_stopped() {
    let mut manifest = manifest();
    manifest.limits.call_timeout = Duration::from_millis(80);
    let began = Instant::now();
    let (error, _) = failure(waiting(3_600_000_000_000).try_load(&manifest).unwrap().resolve_resource("x").await);
    assert_eq!(error, PlatformError::Timeout { limit: Duration::from_millis(80) });
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_guest_has_a_moment_to_say_that_its_time_is_over() {
    // It was told 50 ms, and takes 150 for an answer of its own.
    let late = "(call $block (call $after (i64.const 150000000))) (i32.const 1024)";
    let connector = clock().function("actions", "run", late).load();
    let call = call(Invocation::new("run_1").with_timeout(Duration::from_millis(50)));
    let reply = connector.run_action(&call, "a", "{}").await;
    assert!(reply.is_ok(), "{reply:?}");
}

#[tokio::test]
async fn a_guest_that_overruns_its_time_is_stopped() {
    let never = "(call $block (call $after (i64.const 3600000000000))) (i32.const 1024)";
    let connector = clock().function("actions", "run", never).load();
    let call = call(Invocation::new("run_1").with_timeout(Duration::from_millis(50)));
    let error = connector.run_action(&call, "a", "{}").await.unwrap_err();
    let limit = match error.platform().unwrap().error {
        PlatformError::Timeout { limit } => limit,
        ref other => panic!("{other:?}"),
    };
    assert!(limit > Duration::from_millis(50) && limit < Duration::from_secs(2), "{limit:?}");
}

#[tokio::test]
async fn a_call_that_finds_no_room_in_time_says_so() {
    let host = Host::with(HostConfig { cache: CacheFolder::Off, calls: 1, ..HostConfig::default() }).unwrap();
    let load = |call_timeout| {
        let mut manifest = manifest();
        manifest.limits.call_timeout = call_timeout;
        host.load(&waiting(3_600_000_000_000).build(), &manifest, &Grants::default()).unwrap()
    };
    let (patient, hurried) = (load(Duration::from_secs(60)), load(Duration::from_millis(100)));
    let first = tokio::spawn(async move { patient.resolve_resource("x").await.map(drop) });
    tokio::task::yield_now().await;
    assert_eq!(failure(hurried.resolve_resource("x").await).0, PlatformError::Busy(Busy::Room { most: 1 }));
    first.abort();
}

#[tokio::test]
async fn a_thousand_calls_share_the_room_there_is() {
    let host = Host::with(HostConfig { cache: CacheFolder::Off, calls: 8, ..HostConfig::default() }).unwrap();
    let connector = host.load(&waiting(1_000).build(), &manifest(), &Grants::default()).unwrap();
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            tokio::spawn({
                let connector = connector.clone();
                async move { connector.resolve_resource("x").await.is_ok() }
            })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_memory_bomb_is_stopped() {
    let bomb = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let (error, report) = failure(Guest::new().resolve(bomb).load().resolve_resource("x").await);
    assert_eq!(error, PlatformError::Memory { limit: 64 << 20 });
    assert!(report.memory_peak <= 64 << 20 && report.memory_peak > 62 << 20, "{}", report.memory_peak);
}

#[tokio::test]
async fn a_component_that_begins_over_its_memory_is_stopped() {
    let (error, _) = failure(Guest::new().memory(1025).resolve(NONE).load().resolve_resource("x").await);
    assert_eq!(error, PlatformError::Memory { limit: 64 << 20 });
}

#[tokio::test]
async fn a_refused_growth_that_the_guest_lives_with_is_no_failure() {
    let guest = Guest::new().resolve("(drop (memory.grow (i32.const 60000))) (i32.const 1024)");
    assert!(guest.load().resolve_resource("x").await.is_ok());
}

#[tokio::test]
async fn output_is_counted_and_cut_short_and_never_breaks_the_guest() {
    // Writes 4096 bytes, a thousand times, and traps when one write fails.
    let guest = Guest::new()
        .import("wasi:io/streams@0.2.0", "")
        .import(
            "wasi:cli/stdout@0.2.0",
            r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
               (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))"#,
        )
        .resolve(
            "(local $to i32) (local $left i32) (local.set $to (call $stdout)) (local.set $left (i32.const 1000))
             (loop $again
                (call $write (local.get $to) (i32.const 8192) (i32.const 4096) (i32.const 1040))
                (if (i32.load8_u (i32.const 1040)) (then unreachable))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $again (local.get $left)))
             (i32.const 1024)",
        );
    let reply = guest.load().resolve_resource("x").await.unwrap();
    assert_eq!(reply.report.stdout_bytes, 4_096_000);
}

#[tokio::test]
async fn a_list_without_an_end_is_not_read_for_ever() {
    // Its next cursor is one letter longer than the last.
    let longer = "(i32.store8 (i32.const 1040) (i32.const 1)) (i32.store (i32.const 1044) (i32.const 2048))
         (i32.store (i32.const 1048) (i32.add (local.get 11) (i32.const 1))) (i32.const 1024)";
    let connector = Guest::new().function("operations", "list", longer).load();
    let page = connector.list_operations(OperationFilter::default(), Some("abc"), None).await.unwrap().value;
    assert_eq!(page.next_cursor.map(|cursor| cursor.len()), Some(4));
    let error = connector.all_operations(OperationFilter::default()).await.unwrap_err();
    assert_eq!(error.platform().unwrap().error, PlatformError::Endless { pages: 50 });

    // Its next cursor is the same for ever.
    let same = longer.replace("(i32.add (local.get 11) (i32.const 1))", "(i32.const 1)");
    let connector = Guest::new().function("operations", "list", &same).load();
    let error = connector.all_operations(OperationFilter::default()).await.unwrap_err();
    assert_eq!(error.platform().unwrap().error, PlatformError::Endless { pages: 2 });
}
