//! What is done with events that were taken: printed, or posted to a URL of the user's.
//!
//! What lives here: the two handlers of `serve`, and where a forwarded event may go (`target`). What does not: when a run is
//! tried, how often, and what is kept of it, which is the inbox's business.

pub mod forward;
pub mod print;
pub mod target;
