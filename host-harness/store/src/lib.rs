//! What must survive the process: the events that were taken, and the runs that they start.
//!
//! A sender is told "taken" only when its event is on the disk, and from then on it is ours to lose. So one transaction keeps
//! an event and starts one run for each trigger that it matches ([`Store::take`]): there is no moment at which an event is
//! acknowledged and nothing waits to be done about it. A run is claimed for a while ([`Store::claim`]), and either settled by
//! whoever claimed it ([`Store::settle`]) or claimed again when that while is over. So a run is *begun* at least once, under a
//! key that never changes ([`RunKey`]); who does something for it hands that key on, and it is done once.
//!
//! What lives here: one trait ([`Store`]), its types, and the two databases behind it. What does not: what an event
//! means, when a failed run is tried again, and when it is given up: the caller says so, and says what time it is.
//!
//! The tables of this room begin with `inbox_`, and so does the list of migrations that were applied to them. Other rooms that
//! keep something in the same database (the journal of workflow runs, what was spent, connections) bring tables and migrations
//! of their own under a prefix of their own, and neither side waits for the other's version.
//!
//! SQLite through `rusqlite` on threads of its own and PostgreSQL through `tokio-postgres`, rather than both through `sqlx`: group
//! commit wants the transaction in one hand, the two dialects have no statement of weight in common, and the two clients build in a
//! fraction of the time.
//!
//! Arrows between the files point one way: `moment`, `error` → `key` → `model`, `listing`, `changes` → `lanes`, `store` → `sqlite`,
//! `postgres` → `place`.

mod changes;
mod error;
mod key;
mod lanes;
mod listing;
mod model;
mod moment;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod store;

pub use changes::Changes;
pub use error::Error;
pub use key::RunKey;
pub use listing::{Counts, Cursor, Filter, KeptEvent, KeptRun, LastSeen, Page, Position, RunState};
pub use model::{Arrival, Claim, Ending, EventKey, Lease, Replay, Replayed, Taken, Via};
pub use moment::Moment;
pub use place::{Place, open};
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, Server};
pub use sqlite::Sqlite;
pub use store::{Answer, Store};
