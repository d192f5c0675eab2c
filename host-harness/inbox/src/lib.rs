//! The inbox: a webhook comes in, is checked, is durable, is answered, and is handed to a handler: once for each event and trigger.
//!
//! A sender hears 2xx only when its event is in the store, and hears 503 where that cannot be had, so that it sends it
//! again. From then on the event is ours: a run of it waits for each trigger that it matches, is done at least once under
//! a key that stays the same ([`Run::key`]), is tried again with growing waits where it fails, and becomes a dead letter
//! with the reason where it is given up. What deliveries missed is fetched from the service's own list ([`CatchUp`]), and
//! a thin event is completed before it is handed on.
//!
//! ```text
//! request ─▶ listen ─▶ server ─▶ body ─▶ delivery ─▶ connector.receive ─▶ store.take ─▶ answer
//! the service's list ─▶ catch_up ─▶ connector.poll ────────────────────▶ store.take
//!                                          store.claim ─▶ dispatch ─▶ run ─▶ (load) ─▶ handler ─▶ store.settle
//! ```
//!
//! What lives here: all of that, for any connector and any store. What does not: what is done with an event (a [`Handler`],
//! which the embedder writes), where connections and stores come from, and how anything looks: who wants to see what
//! happens is an [`Observer`]. Nothing of a request's body is ever logged.
//!
//! Arrows between the files point one way: `backoff`, `handler`, `answer`, `listen`, `metrics` → `files`, `body`, `settings`, `news`,
//! `source` → `shared` → `delivery`, `catch_up`, `retention`, `run` → `dispatch`, `server` → `inbox`.

mod answer;
mod backoff;
mod body;
mod catch_up;
mod delivery;
mod dispatch;
mod files;
mod handler;
mod inbox;
mod listen;
mod metrics;
mod news;
mod retention;
mod run;
mod server;
mod settings;
mod shared;
mod source;

pub use backoff::Backoff;
pub use files::fit;
pub use handler::{Handler, Handling, Run, Verdict};
pub use inbox::{Ended, Inbox, InboxError};
pub use listen::Bounds;
pub use news::{News, Observer, Via};
pub use settings::{Dispatch, Settings};
pub use source::{CatchUp, Expected, PATH, Source};
