//! Where a connector's requests may go, and how they get there.
//!
//! Deciding and doing are apart: `origin`, `address`, `policy` and `credential` decide and touch no network, so that tables
//! can test them; `client`, `stream` and `hooks` do what was decided. A request flows one way: guest → `hooks` (decide by
//! the head, put the secret in, collect the body within `flight`, show it to the caller's `gate`, write it down in `log`) → `client` (the host's pooled
//! connections, set up by `network`, through a `proxy` where there is one; checked addresses, clamped timeouts) → network, and its answer back through the size cap and `scrubbed`,
//! which takes the connection's secrets out.

mod address;
mod client;
mod credential;
mod denial;
mod flight;
mod gate;
mod hooks;
mod log;
mod network;
mod origin;
mod policy;
mod proxy;
mod scrubbed;
mod stream;

pub use denial::{Denial, DenialReason};
pub use gate::{Departure, Gate};
pub use network::{NetworkConfig, NetworkError};
pub use origin::{HostName, Origin, OriginError, Scheme};
pub use policy::{Allowed, Grants, KNOWN, Methods, Policy, Rule};
pub use proxy::Proxy;

pub(crate) use client::{Client, Network, Timeouts};
pub(crate) use credential::Injection;
pub(crate) use hooks::Hooks;
pub(crate) use log::{EgressLog, Recorded, Watch};

/// Whether an address is the public internet's, so that reaching it needs no grant of its own.
#[must_use]
pub fn is_public_address(address: std::net::IpAddr) -> bool {
    address::is_public(address)
}
