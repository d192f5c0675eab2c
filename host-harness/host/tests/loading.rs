//! What is loaded, and what is refused with which reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Guest, NONE, host, manifest};
use host::contract::DescribeRequest;
use host::{CacheFolder, CompiledFrom, Grants, Host, HostConfig, LoadError, Manifest, PlatformError};

fn refusal(bytes: &[u8]) -> String {
    host().load(bytes, &manifest(), &Grants::default()).err().unwrap().to_string()
}

#[test]
fn what_is_no_component_is_refused_by_what_it_is() {
    assert!(refusal(b"").contains("0 bytes"));
    assert!(refusal(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
    assert!(refusal(b"  (component)").contains("text"));
    assert!(refusal(b"#!/bin/sh").contains("23 21 2f 62"));
    assert!(refusal(b"\0").contains("begins with 00"));
    assert!(refusal(b"\0asm\x0d\0\x01\0garbage").contains("cannot be compiled"));
}

#[test]
fn a_cut_off_component_is_refused() {
    let bytes = Guest::new().build();
    for length in [9, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(refusal(&bytes[..length]).contains("cannot be compiled"), "{length} of {}", bytes.len());
    }
}

#[test]
fn a_component_of_the_world_is_loaded_and_described() {
    let bytes = Guest::new().build();
    let connector = host().load(&bytes, &manifest(), &Grants::default()).unwrap();
    let facts = connector.facts();
    assert_eq!(facts.size, bytes.len());
    assert_eq!(facts.sha256.len(), 64);
    assert_eq!(facts.compiled, CompiledFrom::Fresh);
    assert!(facts.exports.contains(&"automation:connector/actions@0.1.0".to_owned()), "{:?}", facts.exports);
}

#[test]
fn an_import_that_the_host_does_not_have_is_refused_by_name() {
    let guest = Guest::new()
        .import(
            "wasi:filesystem/preopens@0.2.0",
            r#"(import "wasi:filesystem/preopens@0.2.0" "count" (func (result i32)))"#,
        )
        .import("other:thing/door@1.2.3", r#"(import "other:thing/door@1.2.3" "open" (func))"#);
    let error = guest.try_load(&manifest()).err().unwrap();
    assert!(matches!(&error, LoadError::UngrantedImports(names) if names.len() == 2), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("wasi:filesystem/preopens@0.2.0") && text.contains("other:thing/door@1.2.3"), "{text}");
}

#[test]
fn an_import_that_the_manifest_does_not_declare_is_refused_by_name() {
    let guest = Guest::new().import(
        "wasi:random/insecure@0.2.0",
        r#"(import "wasi:random/insecure@0.2.0" "get-insecure-random-u64" (func (result i64)))"#,
    );
    let mut manifest = manifest();
    manifest.imports.retain(|name| name != "wasi:random/insecure");
    let error = guest.try_load(&manifest).err().unwrap();
    assert!(
        matches!(&error, LoadError::UndeclaredImports(names) if names == &["wasi:random/insecure@0.2.0"]),
        "{error:?}"
    );
    manifest.imports.push("wasi:random/insecure".to_owned());
    assert!(guest.try_load(&manifest).is_ok());
}

#[test]
fn a_missing_export_is_named() {
    let guest =
        Guest::exporting("export automation:connector/connection@0.1.0; export automation:connector/resources@0.1.0;");
    let text = guest.try_load(&manifest()).err().unwrap().to_string();
    for name in ["operations", "actions", "queries", "triggers"] {
        assert!(text.contains(&format!("automation:connector/{name}@0.1.0")), "{text}");
    }
    assert!(!text.contains("automation:connector/connection@"), "{text}");
}

#[test]
fn another_version_of_the_contract_is_named() {
    let text = Guest::of_version("0.2.0").try_load(&manifest()).err().unwrap().to_string();
    assert!(text.contains("0.2.0") && text.contains("0.1.0"), "{text}");
}

#[test]
fn a_manifest_of_another_world_is_refused() {
    let text = include_str!("../../../manifest.toml").replace("connector/connector@0.1.0", "connector/connector@9.0.0");
    let error = Guest::new().try_load(&Manifest::parse(&text).unwrap()).err().unwrap();
    assert!(matches!(error, LoadError::World { .. }), "{error:?}");
}

#[tokio::test]
async fn of_each_limit_the_smaller_one_holds_and_the_report_says_which() {
    let hour = Duration::from_secs(3_600);
    let mut manifest = manifest();
    manifest.limits.cpu = hour;
    manifest.limits.call_timeout = hour;
    manifest.limits.memory = 4 << 30;
    let connector = Guest::new().resolve(NONE).try_load(&manifest).unwrap();
    assert_eq!(connector.limits().cpu, Duration::from_secs(10));
    assert_eq!(connector.limits().memory, 512 << 20);
    let report = connector.resolve_resource("x").await.unwrap().report;
    let capped: Vec<_> = report.capped.iter().map(|cap| (cap.limit, cap.asked, cap.given)).collect();
    let expected = [
        ("limits.memory_mib", 4096, 512),
        ("limits.cpu_ms", 3_600_000, 10_000),
        ("limits.call_timeout_ms", 3_600_000, 900_000),
    ];
    assert_eq!(capped, expected);
    assert_eq!(connector.capped(), report.capped);
}

#[tokio::test]
async fn a_manifest_that_asks_for_an_hour_of_computing_gets_what_the_operator_gives() {
    let mut manifest = manifest();
    manifest.limits.cpu = Duration::from_secs(3_600);
    let mut config = HostConfig { cache: CacheFolder::Off, calls: 4, ..HostConfig::default() };
    config.limits.cpu = Duration::from_millis(50);
    let endless = Guest::new().resolve("(loop $for_ever (br $for_ever)) (i32.const 1024)").build();
    let connector = Host::with(config).unwrap().load(&endless, &manifest, &Grants::default()).unwrap();
    let failure = connector.resolve_resource("x").await.unwrap_err();
    assert_eq!(failure.platform().unwrap().error, PlatformError::Cpu { limit: Duration::from_millis(50) });
}

#[test]
fn a_component_over_the_hosts_size_is_refused() {
    let bytes = Guest::new().build();
    let config = HostConfig { cache: CacheFolder::Off, calls: 4, component: bytes.len() - 1, ..HostConfig::default() };
    let error = Host::with(config).unwrap().load(&bytes, &manifest(), &Grants::default()).err().unwrap();
    assert!(matches!(error, LoadError::Size { size, most } if size == bytes.len() && most == size - 1), "{error:?}");
    assert!(error.to_string().contains("HostConfig::component"), "{error}");
}

#[test]
fn a_component_that_takes_too_long_to_compile_is_refused() {
    let config =
        HostConfig { cache: CacheFolder::Off, calls: 4, compile_time: Duration::ZERO, ..HostConfig::default() };
    let host = Host::with(config).unwrap();
    let error = host.load(&Guest::new().build(), &manifest(), &Grants::default()).err().unwrap();
    assert!(matches!(error, LoadError::CompileTime { most: Duration::ZERO }), "{error:?}");
    assert!(error.to_string().contains("HostConfig::compile_time"), "{error}");
}

#[test]
fn a_function_of_another_type_is_refused_when_it_is_loaded() {
    let guest = Guest::new().with_contract("resolve: func(id: string)", "resolve: func(id: u32)");
    let error = guest.try_load(&manifest()).err().unwrap();
    assert!(matches!(&error, LoadError::ExportTypes { functions, .. } if functions.len() == 1), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("resources@0.1.0#resolve") && text.contains("u32"), "{text}");
}

#[test]
fn a_record_with_another_field_is_another_type() {
    let guest = Guest::new().with_contract("decline-code: option<string>", "decline-code: option<u32>");
    let error = guest.try_load(&manifest()).err().unwrap();
    // Every function that may fail has it.
    assert!(matches!(&error, LoadError::ExportTypes { functions, .. } if functions.len() == 16), "{error:?}");
}

#[tokio::test]
async fn a_component_is_loaded_while_others_run() {
    let connector = host().load_async(Guest::new().resolve(NONE).build(), &manifest(), &Grants::default()).await;
    assert_eq!(connector.unwrap().resolve_resource("cus_1").await.unwrap().value, None);
}

#[tokio::test]
async fn what_a_component_offers_is_asked_for_once_however_often_it_is_loaded() {
    // Each of these answers with zeros: nothing in it.
    let (functions, none) =
        ([("connection", "describe"), ("operations", "list"), ("operations", "describe"), ("resources", "list")], NONE);
    let guest = functions.iter().fold(Guest::new(), |guest, (interface, name)| guest.function(interface, name, none));
    let (bytes, host) = (guest.build(), host());
    let load = || host.load(&bytes, &manifest(), &Grants::default()).unwrap();
    let first = load().catalogue().await.unwrap();
    assert_eq!((first.operations.len(), host.stats().ok), (0, 3));
    assert!(Arc::ptr_eq(&first, &load().catalogue().await.unwrap()));
    assert_eq!(host.stats().ok, 3);

    let (shown, full) = (DescribeRequest::shown("a"), DescribeRequest::full("a"));
    let described = load().description(shown.clone()).await.unwrap();
    assert!(Arc::ptr_eq(&described, &load().description(shown.clone()).await.unwrap()));
    assert!(!Arc::ptr_eq(&described, &load().description(full).await.unwrap()), "another degree");
    let so_far = load().description(shown.with_input("{}")).await.unwrap();
    assert!(!Arc::ptr_eq(&described, &so_far), "it may depend on the input");
    assert_eq!(host.stats().ok, 6);
}

#[tokio::test]
async fn compiled_code_is_kept_and_damaged_code_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let config = || HostConfig { cache: CacheFolder::At(folder.path().to_owned()), calls: 4, ..HostConfig::default() };
    let bytes = Guest::new().resolve(NONE).build();
    let load = || Host::with(config()).unwrap().load(&bytes, &manifest(), &Grants::default()).unwrap();
    let entry = || {
        let paths: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(paths.len(), 1, "{paths:?}");
        paths[0].clone()
    };

    assert_eq!(load().facts().compiled, CompiledFrom::Fresh);
    let cached = load();
    assert_eq!(cached.facts().compiled, CompiledFrom::Cache);
    assert_eq!(cached.resolve_resource("cus_1").await.unwrap().value, None);

    let whole = fs::read(entry()).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for damaged in [Vec::new(), whole[..20].to_vec(), whole[..whole.len() - 1].to_vec(), changed] {
        fs::write(entry(), damaged).unwrap();
        assert_eq!(load().facts().compiled, CompiledFrom::Fresh);
        assert_eq!(load().facts().compiled, CompiledFrom::Cache, "it was mended");
    }

    fs::set_permissions(entry(), fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(load().facts().compiled, CompiledFrom::Fresh, "others could have written it");
}

#[tokio::test]
async fn a_host_without_pooling_works_as_well() {
    let host = Host::with(HostConfig { cache: CacheFolder::Off, pooling: false, ..HostConfig::default() }).unwrap();
    assert!(!host.pooled());
    let connector = host.load(&Guest::new().resolve(NONE).build(), &manifest(), &Grants::default()).unwrap();
    assert_eq!(connector.resolve_resource("cus_1").await.unwrap().value, None);
}
