//! A stateful Stripe in one process, over real HTTP, for tests and demonstrations.
//!
//! A request flows one way through the rooms of this crate: [`server`] accepts it, `protocol` decides what it
//! means (key, version, operation, parameters, idempotency) from the facts of the pinned API version,
//! `resources` carries it out on the state in `world`, and the answer goes back out. Events that the change
//! caused leave through `webhooks`; `pages` are what a person sees in a browser. No room reaches back.
//!
//! Nothing here knows of the connector that is tested against it, and no test of the connector reaches into
//! the state: both talk HTTP.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use stripe_simulator::{Simulator, TEST_SECRET_KEY};
//!
//! let simulator = Simulator::start().await?;
//! assert!(simulator.base_url().starts_with("http://127.0.0.1:"));
//! assert!(TEST_SECRET_KEY.starts_with("sk_test_"));
//! simulator.stop().await;
//! # Ok(()) }
//! ```

// A request must not be able to end a connection, whatever it says.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::string_slice))]
// Objects of the API have up to eighty fields, each a step of `json!`.
#![recursion_limit = "512"]

pub mod conformance;
mod demo;
mod faults;
mod journal;
mod listen;
mod older;
mod pages;
mod paper;
mod presence;
mod protocol;
mod resources;
pub mod server;
mod violations;
mod webhooks;
mod wire;
mod world;

pub use faults::{Fault, FaultError, FaultKind};
pub use journal::RecordedRequest;
pub use server::{Options, Simulator};
pub use violations::Violation;

/// A secret key that the simulator accepts.
///
/// It accepts any other key of the right form too; the data of test keys and of live keys are apart. Keys whose
/// part after the mode begins with `invalid` or `expired` are refused as Stripe refuses such keys.
pub const TEST_SECRET_KEY: &str = "sk_test_51Simulator";
