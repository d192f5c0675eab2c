//! Nobody keeps the others from their turn, whatever a component does with its own.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use host::{Busy, CacheFolder, Call, CallId, CallReport, Connector, Grants, Host, HostConfig, Invocation, Observer};
use host::{PlatformError, Running};
use support::{Guest, NONE, call, manifest};

const WAIT: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;

/// A connector whose action and `resolve` take so long, in nanoseconds.
fn waiting(host: &Host, nanoseconds: u64) -> Connector {
    let wait = format!("(call $block (call $after (i64.const {nanoseconds}))) (i32.const 1024)");
    let guest = Guest::new().import("wasi:io/poll@0.2.0", "").import("wasi:clocks/monotonic-clock@0.2.0", WAIT);
    let bytes = guest.resolve(&wait).function("actions", "run", &wait).build();
    host.load(&bytes, &manifest(), &Grants::default()).unwrap()
}

fn host_of(calls: u32, waiting: u32) -> Host {
    Host::with(HostConfig { cache: CacheFolder::Off, calls, waiting, ..HostConfig::default() }).unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<host::Reply<T>, host::CallError>) -> PlatformError {
    answer.unwrap_err().platform().unwrap().error.clone()
}

/// 64 guests that compute for ever, on the one thread that there is.
async fn beside(body: &str, imports: Option<(&str, &str)>) {
    let host = host_of(128, 0);
    let mut guest = Guest::new().memory(8).resolve(body);
    let mut manifest = manifest();
    if let Some((interface, core)) = imports {
        guest = guest.import(interface, core);
        manifest.imports.push(interface.split('@').next().unwrap().to_owned());
    }
    manifest.limits.cpu = Duration::from_secs(600);
    let mut config = HostConfig { cache: CacheFolder::Off, calls: 128, ..HostConfig::default() };
    config.limits.cpu = Duration::from_secs(600);
    let loud = Host::with(config).unwrap().load(&guest.build(), &manifest, &Grants::default()).unwrap();
    let quick = waiting(&host, 1_000_000);
    let loops: Vec<_> = (0..64).map(|_| tokio::spawn(loud.resolve_resource("x"))).collect();
    // Everybody's first moments are free.
    for _ in 0..20 {
        quick.resolve_resource("x").await.unwrap();
    }
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..40 {
        let began = Instant::now();
        quick.resolve_resource("x").await.unwrap();
        times.push(began.elapsed());
    }
    times.sort();
    // Rather slack, for a machine that does other things too: without turns it is a second and more.
    assert!(times[20] < Duration::from_millis(50), "{times:?}");
    assert!(loops.iter().all(|call| !call.is_finished()), "they still compute");
    loops.iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn a_call_beside_sixty_four_loops_is_served() {
    beside("(loop $for_ever (br $for_ever)) (i32.const 1024)", None).await;
}

#[tokio::test]
async fn a_call_beside_sixty_four_loops_for_random_bytes_is_served() {
    let import = r#"(import "wasi:random/insecure@0.2.0" "get-insecure-random-bytes" (func $random (param i64 i32)))
        (func $again (loop $for_ever (global.set $next (i32.const 131072)) (call $random (i64.const 16000) (i32.const 4096)) (br $for_ever)))"#;
    beside("(call $again) (i32.const 1024)", Some(("wasi:random/insecure@0.2.0", import))).await;
}

#[tokio::test]
async fn a_full_queue_refuses_with_the_setting_that_allows_more() {
    let host = host_of(1, 1);
    let connector = waiting(&host, 3_600_000_000_000);
    let mut calls: Vec<_> = (0..2).map(|_| Box::pin(connector.resolve_resource("x"))).collect();
    for call in &mut calls {
        tokio::select! { biased; answer = call => panic!("{answer:?}"), () = tokio::task::yield_now() => {} }
    }
    assert_eq!((host.stats().running, host.stats().waiting), (1, 1));
    let error = refusal(connector.resolve_resource("x").await);
    assert_eq!(error, PlatformError::Busy(Busy::Queue { longest: 1 }));
    assert!(error.to_string().contains("HostConfig::waiting"), "{error}");
}

/// Keeps whose calls began to run: what a call asks of the host at its end, in order.
#[derive(Default)]
struct Ends(Mutex<Vec<String>>);

impl Observer for Ends {
    fn finished(&self, call: &CallId<'_>, _: &CallReport) {
        self.0.lock().unwrap().push(call.tenant.unwrap_or_default().to_owned());
    }
}

#[tokio::test]
async fn tenants_take_turns_for_room() {
    let ends = Arc::new(Ends::default());
    let config = HostConfig { cache: CacheFolder::Off, calls: 1, ..HostConfig::default() };
    let host = Host::observed(config, ends.clone()).unwrap();
    let connector = waiting(&host, 1_000);
    let of = |tenant: &str| -> Call { call(Invocation::new("run_1")).for_tenant(tenant) };
    let start = |tenant: &str| tokio::spawn(connector.run_action(&of(tenant), "a", "{}"));
    let mut calls: Vec<_> = (0..6).map(|_| start("greedy")).collect();
    calls.extend((0..2).map(|_| start("modest")));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let ends = ends.0.lock().unwrap().clone();
    let last = ends.iter().rposition(|tenant| tenant == "modest").unwrap();
    assert!(last <= 4, "the second of the modest one waits for two or three of the other's: {ends:?}");
}

#[tokio::test]
async fn a_host_that_is_drained_finishes_what_runs_and_takes_no_more() {
    let host = host_of(1, 10);
    let connector = waiting(&host, 20_000_000);
    let mut running: Running<_> = connector.resolve_resource("x");
    let mut queued = connector.resolve_resource("x");
    for call in [&mut running, &mut queued] {
        tokio::select! { biased; answer = call => panic!("{answer:?}"), () = tokio::task::yield_now() => {} }
    }
    let (drained, first, second) = tokio::join!(host.drain(), running, queued);
    let () = drained;
    assert_eq!(first.unwrap().value, None);
    assert_eq!(refusal(second), PlatformError::Busy(Busy::Draining));
    assert_eq!(refusal(connector.resolve_resource("x").await), PlatformError::Busy(Busy::Draining));
    let stats = host.stats();
    assert_eq!((stats.running, stats.ok, stats.platform_failures), (0, 1, 2));
}

#[tokio::test]
async fn ending_calls_are_counted_by_how_they_end() {
    let host = host_of(4, 4);
    let load = |guest: Guest| host.load(&guest.build(), &manifest(), &Grants::default()).unwrap();
    load(Guest::new().resolve(NONE)).resolve_resource("x").await.unwrap();
    load(Guest::new()).resolve_resource("x").await.unwrap_err();
    load(Guest::new().function(
        "operations",
        "object-schema",
        "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.const 1024)",
    ))
    .object_schema("x")
    .await
    .unwrap_err();
    drop(load(Guest::new()).resolve_resource("x"));
    let stats = host.stats();
    assert_eq!((stats.ok, stats.connector_errors, stats.platform_failures, stats.cancelled), (1, 1, 1, 1));
}
