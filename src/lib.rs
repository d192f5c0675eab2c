//! Stripe as one WebAssembly component: triggers, actions, queries, connection and resource mapping.
//!
//! The component exports the world `automation:connector/connector` (see `wit/`); its glue is in `exports` and is
//! only compiled for WebAssembly. Everything else is plain Rust, tested natively. Data flows one way:
//!
//! ```text
//! WIT ─ exports ─▶ operation, triggers, choices ─▶ input ─▶ stripe (form, client, transport) ─▶ Stripe
//!                        │                                                                       │
//!                        └─ catalogue (catalogue/ + facts, written by the build)      mapping ◀─────┘
//! ```
//!
//! | to find | look in |
//! |---|---|
//! | what operations there are | `catalogue/`, and [`mod@catalogue`] where they are found |
//! | what other tools call it | [`alias`] |
//! | how an input is checked | [`input`] |
//! | how a request is sent, retried and told of | [`stripe::client`], [`stripe::failure`] |
//! | did it charge? | [`stripe::standing`] |
//! | how an answer is read | [`json`] |
//! | what a platform gets back | [`mapping`], [`mod@describe`], [`schema`] |
//! | what Stripe's schema does not say | [`operation::hooks`] |

pub mod alias;
pub mod catalogue;
pub mod choices;
pub mod connection;
pub mod connection_test;
pub mod describe;
pub mod error;
mod hex;
pub mod input;
pub mod mapping;
pub mod operation;
pub mod permission;
pub mod sample;
pub mod schema;
pub mod stripe;
pub mod timestamp;
pub mod triggers;

pub use stripe_json as json;

#[cfg(target_family = "wasm")]
mod exports;
