//! Targets: each takes any bytes and panics when a promise is broken. What they are run with is not said here: the bounded
//! run in `tests/bounded.rs` changes what is in a target's corpus at random, and any fuzzer that wants a function of bytes can
//! take them as they are.
//!
//! | target | promise |
//! |---|---|
//! | [`table`] | damaged bytes are an error, or cursors that end; what was checked is found |
//! | [`json`] | the scanner takes what `serde_json` takes, and reads the same from it |
//! | [`form`] | what is encoded is what a reader gets, and nothing more |
//! | [`signature`] | a header is genuine exactly when it says so by the rules, and never by chance |
//! | [`input`] | any text is an input, or an error that says why; nothing is sent for it |
//! | [`state`] | a cursor or state is read as it was written, or refused without its secret, and asks for a bounded number of pages |
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target may stop"
)]

pub mod form;
pub mod input;
pub mod json;
pub mod signature;
pub mod state;
pub mod table;

/// What is run, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Good bytes, to be changed.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Pieces that mean something to it.
    pub words: &'static [&'static str],
}

/// All of them.
pub const TARGETS: &[Target] =
    &[table::TARGET, json::TARGET, form::TARGET, signature::TARGET, input::TARGET, state::TARGET];
