//! What a user sees: the real binary, with the real component in it, against a real simulator over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, in its helpers too"
)]

mod bad_input;
mod call;
mod catalogue;
mod connection;
mod demo;
mod endings;
mod guard;
mod inbox;
mod listening;
mod output;
mod receiving;
mod servers;
mod support;
