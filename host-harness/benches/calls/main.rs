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

mod figures;
mod memory;
mod node;
mod platform;
mod servers;
mod share;
mod subjects;
mod turn;

use std::time::Duration;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--bench") && arguments.next().is_none() {
        figures::print();
    }
    divan::Divan::default().max_time(Duration::from_secs(2)).config_with_args().main();
}
