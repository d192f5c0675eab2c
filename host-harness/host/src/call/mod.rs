//! One call: a function of a guest in a store of its own, with its limits, its deadline and its report.
//!
//! A call flows: `what` (whom it acts for, and about what) → `run` (its turn, then the function) → `store` (what the guest
//! touches: `memory`, `network`, `output`, `texts`) under the `meter` → a `reply`, or a failure that `verdict` has looked at, each
//! with the report. `record` is written all the way and outlives the store, so that a `running` call that is given up
//! has a report as well. Nothing of one call is there in the next.

mod memory;
mod meter;
mod network;
mod output;
mod record;
mod reply;
mod run;
mod running;
mod store;
mod texts;
mod verdict;
mod what;

pub use reply::Reply;
pub(crate) use run::{Answer, Runner};
pub use running::{Running, Sight};
pub(crate) use store::State;
pub(crate) use texts::bound_texts;
pub(crate) use what::What;
