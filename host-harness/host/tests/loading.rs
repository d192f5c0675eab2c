//! What is loaded, and what is refused with which reason.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use host::{CacheFolder, CompiledFrom, Grants, Host, HostConfig, LoadError, Manifest};
use support::{Guest, NONE, host, manifest};

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

#[test]
fn a_limit_over_the_hosts_is_refused() {
    let mut manifest = manifest();
    manifest.limits.memory = 4 << 30;
    let error = Guest::new().try_load(&manifest).err().unwrap();
    assert!(matches!(error, LoadError::Limit { key: "limits.memory_mib", asked: 4096, .. }), "{error:?}");
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
