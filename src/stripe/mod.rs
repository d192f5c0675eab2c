//! Speaks Stripe: keys, request bodies, idempotency, retries, errors, signatures, money.
//!
//! This layer knows HTTP and Stripe's conventions and no operation: a [`call::Call`] comes in, a [`client::Answer`] or an
//! [`crate::error::Error`] goes out. Requests leave through [`transport::Transport`], which the component implements on
//! `wasi:http` (in `wasi`) and the tests as they need it. The rules are Stripe's own, from its documentation and its
//! official SDKs.
//!
//! ```text
//! call (form, multipart, file) ─▶ client ─▶ transport ─▶ Stripe
//!                                   │                      │
//!     error ◀─ failure ◀─ standing ◀┴─ exchange (proof) ◀──┘
//!            (advice)
//! ```
//!
//! The question that all of it serves, did it charge?, is answered in [`standing`].

mod advice;
pub mod call;
pub mod client;
pub mod exchange;
pub mod failure;
pub mod file;
pub mod form;
pub mod idempotency;
pub mod key;
pub mod metadata;
pub mod money;
mod multipart;
pub mod namespace;
pub mod proof;
pub mod received;
pub mod retry;
pub mod signature;
pub mod standing;
pub mod transport;
#[cfg(target_family = "wasm")]
pub mod wasi;

#[cfg(test)]
pub(crate) mod tests;
