//! The whole API through four operations: `api.search` and `api.describe` tell what there is, `api.read` and `api.write` run
//! any of it.
//!
//! What they run is the operation that it would be under its own id: the same checks before anything is sent, the same
//! idempotency key, the same answer. Here is only found out which operation is meant ([`fn@target`]) and told what there
//! is ([`fn@search`], [`fn@describe`]); nothing here sends anything.

mod describe;
mod search;
mod target;
mod told;

pub use describe::describe;
pub use search::search;
pub use target::target;
pub use told::Told;

#[cfg(test)]
mod tests;
