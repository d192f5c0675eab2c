//! What ships: its imports, its size, and that it carries nothing of the machine that built it.

use bundled_connector::{COMPONENT, MANIFEST};
use host::Manifest;

use crate::platform::Platform;

/// Everything that the component may ask of a host. A change here is a change of what users have to trust.
const BLESSED: &[&str] = &[
    "wasi:cli/stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

#[test]
fn imports_equal_the_blessed_list_and_the_manifest_declares_them() {
    let platform = Platform::new("http://127.0.0.1:1");
    let imports = platform.connector.facts().imports.iter().map(|i| unversioned(i));
    // The contract's shared types are an import without a function.
    let mut imports: Vec<String> = imports.filter(|i| i != "automation:connector/types").collect();
    imports.sort();
    imports.dedup();
    assert_eq!(imports, BLESSED);
    let manifest = Manifest::parse(MANIFEST).expect("the manifest");
    let mut declared = manifest.imports.clone();
    declared.sort();
    assert_eq!(declared, BLESSED);
}

fn unversioned(name: &str) -> String {
    name.split('@').next().unwrap_or(name).to_owned()
}

#[test]
fn the_component_fits_its_budget() {
    let kilobytes = COMPONENT.len() / 1024;
    println!("component: {kilobytes} KB");
    assert!(kilobytes < 1024, "{kilobytes} KB");
}

#[test]
fn the_component_names_no_folder_of_the_machine_that_built_it() {
    for folder in
        [env!("CARGO_MANIFEST_DIR").trim_end_matches("/tests"), "/root/", "/home/", "/Users/", ".cargo/registry"]
    {
        let found = COMPONENT.windows(folder.len()).any(|w| w == folder.as_bytes());
        assert!(!found, "{folder}");
    }
}
