//! What the host promises, a file a topic: one program, because linking one is what building tests costs. What measures
//! time or memory is in programs of its own, `fairness` and `memory`, beside which nothing else runs.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod examples;
mod files;
mod history;
#[path = "support/http.rs"]
mod http;
mod limits;
mod loading;
mod network;
mod requests;
mod running;
mod secrets;
mod support;
mod tree;

/// A file that no program names would be no test at all, and nobody would miss it.
#[test]
fn every_file_here_is_a_part_of_a_program() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let programs = ["fairness", "main", "memory"];
    let named: Vec<&str> = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("mod ")).collect();
    for entry in std::fs::read_dir(here).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let part = programs.contains(&name) || named.contains(&format!("{name};").as_str());
        assert!(part, "tests/main.rs does not name {name}");
    }
}
