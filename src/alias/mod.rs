//! Names that other tools have for operations, with fields of their own: what comes in under their names is put under
//! the operation's, and what goes out is put under theirs.
//!
//! ```text
//! the alias's input ─ input.rs ─▶ the operation's input ─▶ (operation) ─▶ answer ─ output.rs ─▶ the alias's output
//!                                                                         error ─ refusal.rs ─▶ in the alias's names
//! ```
//!
//! What each is called stands in `catalogue/aliases.toml`. Nothing here sends or checks a value: an alias and its
//! operation are the same request, with the same checks and the same idempotency key.

mod filter;
mod input;
mod output;
mod refusal;

pub use filter::{Filter, shape as member_shape};
pub use input::{Translated, head, translate, translate_so_far};
pub use output::{chosen, named};

#[cfg(test)]
mod tests;
