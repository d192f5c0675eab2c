//! What calls come to, told by scripted servers.
//!
//! `scripted` is the world they run in: a list of answers, and a clock that nobody waits for. One topic a file;
//! `model` is a server that keeps Stripe's rules of idempotency, against which random runs of runs are held.

mod across_runs;
mod errors;
mod model;
mod requests;
pub(crate) mod scripted;
mod within_a_call;
