//! A component that makes its host hold as much as it can: the host stays small. Each attack runs in a process of its own,
//! of which the system says how much memory it had at most.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use host::contract::{Embedded, OperationFilter};
use host::{Busy, CacheFolder, Grants, Host, HostConfig, PlatformError};
use support::{Guest, NONE, manifest};

/// What a host may have at most while it runs one of these, with all that it has anyhow.
const MOST_MIB: u64 = 256;

/// Set where an attack is to be run in this process.
const ATTACK: &str = "HOST_TEST_ATTACK";

/// Runs an attack in a process of its own, which is this test once more.
fn stays_small(test: &str, attack: impl Future<Output = ()>) {
    if env::var(ATTACK).as_deref() == Ok(test) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(attack);
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        println!("peak {}", peak.trim().strip_suffix(" kB").unwrap());
        return;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.args(["--exact", test, "--nocapture"]).env(ATTACK, test).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    let peak = said.lines().find_map(|line| line.split_once("peak ")).unwrap_or_else(|| panic!("{said}"));
    let mebibytes = peak.1.parse::<u64>().unwrap() >> 10;
    assert!(mebibytes < MOST_MIB, "the host had {mebibytes} MiB");
}

/// The parts of WASI that requests under construction need.
const HTTP: &str = "
package test:root;
package wasi:io@0.2.0 {
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            check-write: func() -> result<u64, stream-error>;
            write: func(contents: list<u8>) -> result<_, stream-error>;
            write-zeroes: func(len: u64) -> result<_, stream-error>;
        }
    }
}
package wasi:http@0.2.0 {
    interface types {
        use wasi:io/streams@0.2.0.{output-stream};
        variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
        variant header-error { invalid-syntax, forbidden, immutable }
        resource fields {
            constructor();
            append: func(name: string, value: list<u8>) -> result<_, header-error>;
        }
        resource outgoing-request {
            constructor(headers: fields);
            set-method: func(method: method) -> result;
            set-authority: func(authority: option<string>) -> result;
            set-path-with-query: func(path: option<string>) -> result;
            body: func() -> result<outgoing-body>;
        }
        resource outgoing-body { write: func() -> result<output-stream>; }
    }
}
";

const IMPORTS: &str = r#"
    (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check-write (param i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes" (func $write-zeroes (param i32 i64 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.0" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-method" (func $method (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query" (func $path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $body-write (param i32 i32)))
"#;

/// Does this so many times, after its whole memory but the first two pages was filled with `a`, and answers with nothing.
fn hoarding(times: u32, pages: u32, instructions: &str) -> Guest {
    let fill = format!("(memory.fill (i32.const 131072) (i32.const 97) (i32.const {}))", (pages - 2) << 16);
    Guest::new()
        .wasi(HTTP)
        .memory(pages)
        .import("wasi:io/streams@0.2.0", "")
        .import("wasi:http/types@0.2.0", IMPORTS)
        .resolve(&format!(
            "(local $h i32) (local $r i32) (local $times i32) {fill} (local.set $times (i32.const {times}))
             (loop $again {instructions}
                (local.set $times (i32.sub (local.get $times) (i32.const 1))) (br_if $again (local.get $times)))
             (i32.const 1024)"
        ))
}

#[test]
fn headers_without_end() {
    stays_small("headers_without_end", async {
        // 90,000 sections, each almost as large as one may be.
        let guest = hoarding(
            90_000,
            8,
            "(local.set $h (call $fields))
             (call $append (local.get $h) (i32.const 131072) (i32.const 1) (i32.const 131072) (i32.const 30000) (i32.const 4096))",
        );
        let failure = guest.load().resolve_resource("x").await.unwrap_err().to_string();
        assert!(failure.contains("handle limit exceeded"), "{failure}");
    });
}

#[test]
fn requests_with_long_texts() {
    stays_small("requests_with_long_texts", async {
        // 12 requests, whose methods, authorities and paths have 30 MiB each.
        let guest = hoarding(
            12,
            500,
            "(local.set $r (call $request (call $fields)))
             (drop (call $method (local.get $r) (i32.const 9) (i32.const 131072) (i32.const 30000000)))
             (drop (call $authority (local.get $r) (i32.const 1) (i32.const 131072) (i32.const 30000000)))
             (drop (call $path (local.get $r) (i32.const 1) (i32.const 131072) (i32.const 30000000)))",
        );
        let reply = guest.load().resolve_resource("x").await;
        assert!(reply.is_ok(), "{reply:?}");
    });
}

#[test]
fn bodies_that_nobody_sends() {
    stays_small("bodies_that_nobody_sends", async {
        // 160 bodies, each written to until there is no more room.
        let guest = hoarding(
            160,
            40,
            "(local.set $r (call $request (call $fields)))
             (call $body (local.get $r) (i32.const 4096))
             (call $body-write (i32.load (i32.const 4100)) (i32.const 4096))
             (local.set $h (i32.load (i32.const 4100)))
             (block $full (loop $more
                (call $check-write (local.get $h) (i32.const 4096))
                (br_if $full (i32.or (i32.load8_u (i32.const 4096)) (i64.eqz (i64.load (i32.const 4104)))))
                (call $write (local.get $h) (i32.const 131072) (i32.wrap_i64 (i64.load (i32.const 4104))) (i32.const 4096))
                (br $more)))",
        );
        let reply = guest.load().resolve_resource("x").await;
        assert!(reply.is_ok(), "{reply:?}");
    });
}

#[test]
fn zeroes_without_end() {
    stays_small("zeroes_without_end", async {
        let guest = hoarding(
            1,
            8,
            "(local.set $r (call $request (call $fields)))
             (call $body (local.get $r) (i32.const 4096))
             (call $body-write (i32.load (i32.const 4100)) (i32.const 4096))
             (call $write-zeroes (i32.load (i32.const 4100)) (i64.const 1099511627776) (i32.const 4096))",
        );
        assert!(guest.load().resolve_resource("x").await.is_err());
    });
}

#[test]
fn a_result_that_has_the_same_text_over_and_over() {
    stays_small("a_result_that_has_the_same_text_over_and_over", async {
        // A list of 60 resources, each with the same 40 MiB as its name.
        let many = "(local $at i32) (local.set $at (i32.const 4096))
            (memory.fill (i32.const 65536) (i32.const 97) (i32.const 41943040))
            (loop $next
                (i32.store (local.get $at) (i32.const 65536)) (i32.store offset=4 (local.get $at) (i32.const 41943040))
                (local.set $at (i32.add (local.get $at) (i32.const 4)))
                (local.set $at (i32.add (local.get $at) (i32.const 56)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 7696))))
            (i32.store (i32.const 1024) (i32.const 4096)) (i32.store (i32.const 1028) (i32.const 60)) (i32.const 1024)";
        let mut manifest = manifest();
        manifest.limits.response = 1 << 30;
        let connector = Guest::new().memory(700).function("resources", "list", many).try_load(&manifest).unwrap();
        let failure = connector.list_resources().await.unwrap_err().to_string();
        assert!(failure.contains("too much data"), "{failure}");
    });
}

#[test]
fn a_result_of_numbers() {
    stays_small("a_result_of_numbers", async {
        // [1,1,1, … 1]: 55 MiB of it.
        let numbers = "(local $at i32) (local.set $at (i32.const 65536))
            (i32.store8 (local.get $at) (i32.const 91))
            (loop $next
                (i32.store16 offset=1 (local.get $at) (i32.const 11313))
                (local.set $at (i32.add (local.get $at) (i32.const 2)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 57671680))))
            (i32.store16 offset=1 (local.get $at) (i32.const 23857))
            (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1032) (i32.const 65536))
            (i32.store (i32.const 1036) (i32.sub (local.get $at) (i32.const 65533))) (i32.const 1024)";
        let connector = Guest::new().memory(900).function("operations", "object-schema", numbers).load();
        let text = connector.object_schema("x").await.unwrap().value;
        assert!(host::contract::is_json(&text) && text.len() > 57_000_000, "{}", text.len());
        serde_json::to_writer(io::sink(), &Embedded(&text)).unwrap();
    });
}

#[test]
fn a_list_in_large_pages() {
    stays_small("a_list_in_large_pages", async {
        // Pages of one operation whose id has 20 MiB, each with a cursor of one letter more.
        let page = "(memory.fill (i32.const 262144) (i32.const 97) (i32.const 20971520))
            (i32.store (i32.const 1032) (i32.const 2048)) (i32.store (i32.const 1036) (i32.const 1))
            (i32.store8 (i32.const 1040) (i32.const 1)) (i32.store (i32.const 1044) (i32.const 262144))
            (i32.store (i32.const 1048) (i32.add (local.get 11) (i32.const 1)))
            (i32.store (i32.const 2048) (i32.const 262144)) (i32.store (i32.const 2052) (i32.const 20971520))
            (i32.const 1024)";
        let connector = Guest::new().memory(400).function("operations", "list", page).load();
        let error = connector.all_operations(OperationFilter::default()).await.unwrap_err();
        assert_eq!(error.platform().unwrap().error, PlatformError::Oversized { most: 64 << 20 });
    });
}

const WAIT: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;

#[test]
fn calls_that_sleep_on_all_the_memory_they_may_have() {
    stays_small("calls_that_sleep_on_all_the_memory_they_may_have", async {
        let sleeping =
            "(drop (memory.grow (i32.const 1000))) (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65000000))
            (call $block (call $after (i64.const 3600000000000))) (i32.const 1024)";
        let guest = Guest::new()
            .import("wasi:io/poll@0.2.0", "")
            .import("wasi:clocks/monotonic-clock@0.2.0", WAIT)
            .resolve(sleeping);
        let mut manifest = manifest();
        manifest.limits.call_timeout = Duration::from_secs(3);
        let config =
            HostConfig { cache: CacheFolder::Off, calls: 64, memory_in_all: 64 << 20, ..HostConfig::default() };
        let host = Host::with(config).unwrap();
        let connector = host.load(&guest.build(), &manifest, &Grants::default()).unwrap();
        let calls: Vec<_> = (0..40).map(|_| tokio::spawn(connector.resolve_resource("x"))).collect();
        for call in calls {
            let failure = call.await.unwrap().unwrap_err();
            let error = &failure.platform().unwrap().error;
            let in_vain = matches!(error, PlatformError::Timeout { .. } | PlatformError::Busy(Busy::Memory { .. }));
            assert!(in_vain, "{error:?}");
        }
        assert_eq!(host.stats().memory, 0, "all of it was given back");
    });
}

#[test]
fn a_call_that_waits_for_memory_goes_on_when_others_end() {
    stays_small("a_call_that_waits_for_memory_goes_on_when_others_end", async {
        let large = "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable))
            (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65000000))
            (call $block (call $after (i64.const 1000000))) (i32.const 1024)";
        let guest = Guest::new()
            .import("wasi:io/poll@0.2.0", "")
            .import("wasi:clocks/monotonic-clock@0.2.0", WAIT)
            .resolve(large);
        let config =
            HostConfig { cache: CacheFolder::Off, calls: 64, memory_in_all: 64 << 20, ..HostConfig::default() };
        let connector = Host::with(config).unwrap().load(&guest.build(), &manifest(), &Grants::default()).unwrap();
        let calls: Vec<_> = (0..16).map(|_| tokio::spawn(connector.resolve_resource("x"))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().value, None);
        }
    });
}

#[test]
fn timers_without_end() {
    stays_small("timers_without_end", async {
        let guest = Guest::new()
            .import("wasi:io/poll@0.2.0", "")
            .import("wasi:clocks/monotonic-clock@0.2.0", WAIT)
            .resolve("(loop $more (drop (call $after (i64.const 3600000000000))) (br $more)) (i32.const 1024)");
        let failure = guest.load().resolve_resource("x").await.unwrap_err().to_string();
        assert!(failure.contains("no free keys"), "{failure}");
    });
}

#[test]
fn many_random_bytes_at_once() {
    stays_small("many_random_bytes_at_once", async {
        let guest = Guest::new()
            .import(
                "wasi:random/insecure@0.2.0",
                r#"(import "wasi:random/insecure@0.2.0" "get-insecure-random-bytes" (func $random (param i64 i32)))"#,
            )
            .resolve(&format!("(call $random (i64.const 60000000) (i32.const 4096)) {NONE}"));
        let mut manifest = manifest();
        manifest.imports.push("wasi:random/insecure".to_owned());
        let failure = guest.memory(1000).try_load(&manifest).unwrap().resolve_resource("x").await.unwrap_err();
        assert!(failure.to_string().contains("exceeds limit"), "{failure}");
    });
}
