//! The whole system: the real component in the real host against a server over real sockets.
//!
//! One topic a module. `platform` is what every test stands on: a host, a connector and a connection. Servers are
//! the simulator, or, where a server has to misbehave, the few lines in `scripted`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod across_runs;
mod aliases;
mod bad_input;
mod billing;
mod component;
mod egress;
mod every_entry;
mod every_operation;
mod idempotency;
mod lost_answers;
mod operations;
mod other_hosts;
mod platform;
mod relay;
mod resources;
mod samples;
mod schemas;
mod scripted;
mod subscriptions;
mod trial;
mod triggers;
mod ways_out;
mod whole_api;
