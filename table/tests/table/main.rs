//! The table from outside: what is written is read, what is searched is found, what is damaged is refused.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod any;
mod back;
mod damage;
mod facts;
mod look_up;
mod round_trip;
mod sample;
mod walk;
