//! Input for any operation of the API, made from the facts: right, or wrong on purpose. For tests only.
//!
//! What is made looks random and is the same for a seed ([`Dice`]). An [`Author`] writes the parameters and the path of an
//! operation; ids come from what answers have told so far ([`Known`]), so that one request works on what another made.
//! How a value travels (form, JSON) is not said here, and nothing is sent.
//!
//! ```text
//! facts ─┐
//! Dice ──┼─▶ Author ─▶ parameters, path ─▶ whoever sends them ─▶ answers
//! Known ─┘◀────────────────────────────────────────────────────────┘
//! ```
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod author;
mod dice;
mod known;

pub use author::Author;
pub use dice::Dice;
pub use known::Known;
