//! JSON text in and out.
//!
//! | text | is read by | because |
//! |---|---|---|
//! | an answer, an event: up to 16 MiB, from outside | [`Doc`], [`Scanned`] | it is checked once, looked into in a few places and handed on as it came: a tree of it would take four times its size, and writing it again would change it |
//! | the caller's input: at most 1 MiB | `serde_json`, after [`repeated_member`] | it is taken apart whole |
//!
//! What the connector writes itself ([`Writer`]) goes straight into text.
//!
//! Nothing here knows Stripe, and nothing here panics on any text. Data flows `scan` ─▶ `tape` ◀─ `node`: the scanner
//! writes places down, nodes read them.

mod escape;
mod node;
mod number;
mod plain;
mod repeat;
mod scan;
mod tape;
mod write;

pub use node::{Kind, Node};
pub use repeat::repeated_member;
pub use scan::{Doc, ScanError, ScanErrorKind, Scanned, Unscanned};
pub use write::{Writer, quoted, whole};

#[cfg(test)]
mod tests;
