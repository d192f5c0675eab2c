//! What a call costs, and what of it is ours: `cargo bench`.
//!
//! Without a filter it first prints a table of ratios ([`figures`]): each figure beside its goal and beside the same work
//! without what we add, both measured in turns in one run, so that a busy machine slows both. Then divan shows how each
//! subject's times are spread; `cargo bench -p host-harness -- NAME` shows those with this name alone. Nothing leaves this
//! machine, and nothing is asserted: a figure that misses its goal is for a person to judge.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run stops"
)]

mod crowd;
mod figures;
mod lists;
mod memory;
mod node;
mod platform;
#[path = "../../host/tests/support/http.rs"]
mod requests;
mod servers;
mod subjects;
#[path = "../../host/tests/support/mod.rs"]
mod support;
mod turn;

use std::time::Duration;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some(crowd::CROWD), None) => return crowd::be(),
        (Some("--bench"), None) => figures::print(),
        _ => {}
    }
    divan::Divan::default().max_time(Duration::from_secs(2)).config_with_args().main();
}
