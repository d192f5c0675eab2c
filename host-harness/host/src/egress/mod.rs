//! Where a connector's requests may go, and how they get there.
//!
//! Deciding and doing are apart: `origin`, `address` and `policy` decide and touch no network, so that tables can test
//! them; `client`, `stream` and `hooks` do what was decided. A request flows one way: guest → `hooks` (collect the whole
//! body, decide, put secrets in) → `client` (pooled connections, checked addresses, clamped timeouts) → network, and its
//! answer back through the size cap.

mod address;
mod client;
mod hooks;
mod origin;
mod policy;
mod stream;

pub use origin::{HostName, Origin, OriginError, Scheme};
pub use policy::{Denial, DenialReason, Grants, Methods, Policy, Rule};

pub(crate) use client::{Client, Timeouts};
pub(crate) use hooks::{EgressLog, Hooks};

/// Whether an address is the public internet's, so that reaching it needs no grant of its own.
#[must_use]
pub fn is_public_address(address: std::net::IpAddr) -> bool {
    address::is_public(address)
}
