//! The real connector behind a guard, against the simulator.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod guarded_calls;
mod guarded_customer;
mod guarded_money;
mod shop;
