//! Speaks Stripe: keys, form bodies, idempotency, retries, errors, signatures, money.
//!
//! This layer knows HTTP and Stripe's conventions and no operation: a [`client::Call`] comes in, an
//! [`client::Answer`] or an [`crate::error::Error`] goes out. Requests leave through [`transport::Transport`],
//! which the component implements on `wasi:http` (in `wasi`) and the tests as they need it. The rules are
//! Stripe's own, from its documentation and its official SDKs.

pub mod client;
pub mod failure;
pub mod form;
pub mod idempotency;
pub mod key;
pub mod metadata;
pub mod money;
pub mod retry;
pub mod signature;
pub mod transport;
#[cfg(target_family = "wasm")]
pub mod wasi;
