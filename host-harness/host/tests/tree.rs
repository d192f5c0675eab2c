//! What an embedder's build gets with this crate: exactly what `tests/tree.txt` lists.

use std::collections::BTreeSet;
use std::process::Command;

const BLESSED: &str = include_str!("tree.txt");

/// One platform's, so that it is the same list on all.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

#[test]
fn the_crate_brings_what_is_listed_and_nothing_else() {
    let arguments =
        ["tree", "-p", "host", "-e", "normal", "--prefix", "none", "--format", "{p}", "--locked", "--offline"];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).args(["--target", PLATFORM]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let found: BTreeSet<&str> = printed.lines().filter_map(|line| line.split(' ').next()).collect();
    let blessed: BTreeSet<&str> = BLESSED.lines().collect();
    let (more, fewer): (Vec<_>, Vec<_>) = (found.difference(&blessed).collect(), blessed.difference(&found).collect());
    assert!(more.is_empty() && fewer.is_empty(), "not in tests/tree.txt: {more:?}; no longer needed: {fewer:?}");
}

#[test]
fn no_command_line_no_server_and_no_simulator_comes_with_it() {
    for name in
        ["axum", "clap", "comfy-table", "indicatif", "stripe-simulator", "bundled-connector", "stripe-connector"]
    {
        assert!(!BLESSED.lines().any(|line| line == name), "{name}");
    }
}
