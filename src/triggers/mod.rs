//! Events of Stripe that start workflows: pushed by webhook ([`receive`](mod@receive)), fetched ([`poll`](mod@poll)), and
//! the webhook endpoint that pushes them ([`subscription`]).
//!
//! An event is passed on as Stripe sent it, with its object mapped beside it, where it passes the `filter` of a trigger
//! in use. What a catalogue has to say about triggers is looked up in [`directory`] alone; what an operation does is not
//! known here.
//!
//! ```text
//! a delivery ─▶ receive ─┐
//! Stripe's list ─▶ poll, recent (listing) ─┼─▶ event (uses, filter, directory) ─▶ what the contract calls an event
//! a thin event ─▶ load ──┘
//! ```

pub mod directory;
pub mod event;
mod extra;
mod filter;
mod fingerprint;
mod listing;
pub mod load;
mod moment;
pub mod poll;
pub mod receive;
pub mod recent;
pub mod sample;
pub mod subscription;
pub mod uses;

#[cfg(test)]
mod model;

pub use event::Event;
pub use filter::input_schema;
pub use load::load;
pub use poll::{Polled, poll};
pub use receive::{Receipt, receive};
pub use recent::{Recent, recent};
pub use sample::sample;
pub use subscription::{Subscription, Unsubscribed, renew, subscribe, unsubscribe};
pub use uses::Use;
