//! What the connector knows, as one block of bytes: the operations of the API with their parameters, answers and
//! encodings, its objects and events, and what people read of them.
//!
//! The build fills a [`model::Model`] and writes it; the component carries the bytes and reads them in place through
//! `Table` and its cursors, which are `Copy`, allocate nothing and touch only the pages that a call needs. The types
//! that both sides speak of ([`Method`], [`Safety`], [`Rule`], …) exist once, here. Nothing in this crate knows Stripe:
//! what the names mean is its users' business.
//!
//! ```text
//! model (owned) ─ write ─▶ bytes ─ read ─▶ Table ─▶ Operation, Request, Fields, Shape, … (cursors)
//! ```
//!
//! Damage is an error where the table is opened (`Table::open` checks the frame, `Table::verify` every cell); a
//! cursor on damaged bytes ends early or is empty, and never panics.

pub mod model;
mod names;

pub use names::{BadName, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};
