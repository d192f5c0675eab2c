//! The simulator over real sockets, a file a topic: one program, because linking one is what building tests costs.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod anything;
mod billing;
mod cards;
mod checkout;
mod clocks;
mod conformance;
mod connect;
mod deliveries;
mod expansion;
mod faults;
mod files;
mod invoices;
mod later;
mod listen;
mod lists;
mod pages;
mod payments;
mod protocol;
mod recorded;
mod setup;
mod shape;
mod shop;
mod stripe;
mod subscriptions;
mod tax_ids;
mod tokens;
mod treasury;
mod v2;
mod versions;

/// A file that this one does not name would be no test at all, and nobody would miss it.
#[test]
fn every_file_here_is_a_part_of_this_program() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let named: Vec<&str> = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("mod ")).collect();
    for entry in std::fs::read_dir(here).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(name == "main" || named.contains(&format!("{name};").as_str()), "tests/main.rs does not name {name}");
    }
}
