//! One call: a function of a guest in a store of its own, with its limits, its deadline and its report.
//!
//! A call flows: `what` (the function, whom it acts for) → `run` → `store` (what the guest touches; placeholders for
//! secrets) under the `meter` → a `reply`, or a failure, each with the report. Nothing of one call is there in the next.

mod meter;
mod reply;
mod run;
mod store;
mod what;

pub use reply::Reply;
pub(crate) use run::Runner;
pub(crate) use store::State;
pub(crate) use what::What;
