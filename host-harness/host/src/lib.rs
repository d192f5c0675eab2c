//! The platform side of a connector: loads a component, grants and limits it, runs its operations and says what happened.
//!
//! A [`Host`] is the engine of a process. It loads a component with its [`Manifest`] and the operator's [`Grants`] into a
//! [`Connector`], whose methods are the functions of the contract ([`contract`]). Every call runs in a fresh store with
//! limits on memory, computation, time, output and network, and returns its value together with a [`CallReport`].
//!
//! ```no_run
//! use host::contract::Environment;
//! use host::{Call, Connection, Grants, Host, Invocation, Manifest, Variables};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let manifest = Manifest::parse(&std::fs::read_to_string("manifest.toml")?)?;
//! let connector = Host::new()?.load(&std::fs::read("connector.wasm")?, &manifest, &Grants::default())?;
//!
//! // The key from STRIPE_SECRET_KEY stays on this side: the component gets a placeholder.
//! let none: [(&str, &str); 0] = [];
//! let connection = Connection::from_environment(&manifest, &Variables::own(), Environment::Development, none)?;
//! let call = Call::new(connection, Invocation::fresh()?);
//! let reply = connector.run_action(&call, "customer.create", r#"{"email": "jenny.rosen@example.com"}"#).await?;
//! println!("{} in {:?}", reply.value.output, reply.report.duration);
//! # Ok(())
//! # }
//! ```
//!
//! A call that failed may have been done all the same: its outcome says so ([`CallError::outcome`]). The same step is then run
//! again as the same run, with what is known of its earlier tries:
//!
//! ```no_run
//! # use host::{Call, CallError, Connector, contract::ActionResult, contract::Outcome, Reply};
//! # async fn example(connector: &Connector, call: Call, input: &str) -> Result<Reply<ActionResult>, CallError> {
//! let first = connector.run_action(&call, "payment_intent.create", input).await;
//! match first {
//!     Err(lost) if lost.outcome() == Outcome::Unknown => {
//!         let again = Call::new(call.connection, call.invocation.again_after(&lost));
//!         connector.run_action(&again, "payment_intent.create", input).await
//!     }
//!     known => known,
//! }
//! # }
//! ```
//!
//! What can go wrong comes in three groups that never mix: [`LoadError`] before anything runs, [`CallError::Connector`]
//! for the connector's own, expected errors, and [`CallError::Platform`] for traps and limits.
//!
//! Every function of a connector gives a [`Running`] call: await it, ask it what it did so far, or cancel it. Dropping it
//! cancels it as well, and an [`Observer`] of the host is told all the same.
//!
//! What lives here: everything that an embedder needs, and no more. What does not: the command line, a server, a simulator,
//! or any one connector. Arrows between the files point one way: `secret`, `trace`, `error` → `manifest` → `caps`, `contract`,
//! `package` → `report`, `egress` → `failure`, `observer`, `stats`, `variables`, `connection` → `turns`, `budget`, `lanes`, `engine` → `call` →
//! `linker` → `component`, `catalogue` → `connector` → `host`.

mod budget;
mod cache;
mod call;
mod caps;
mod catalogue;
mod component;
mod connection;
mod connector;
pub mod contract;
pub mod egress;
mod engine;
mod error;
mod failure;
mod history;
mod host;
mod invocation;
mod lanes;
mod linker;
mod machine;
pub mod manifest;
mod observer;
mod package;
mod report;
mod secret;
mod stats;
mod trace;
mod turns;
mod variables;

pub use cache::CacheFolder;
pub use call::{Reply, Running, Sight};
pub use caps::Cap;
pub use catalogue::Catalogue;
pub use component::{CompiledFrom, ComponentFacts};
pub use connection::{Call, Connection, ConnectionError};
pub use connector::Connector;
pub use egress::{Denial, DenialReason, Departure, Gate, Grants, NetworkConfig, NetworkError, OriginError, Proxy};
pub use engine::HostConfig;
pub use error::{HostError, LoadError};
pub use failure::{Busy, CallError, ConnectorFailure, PlatformError, PlatformFailure};
pub use history::History;
pub use host::Host;
pub use invocation::{Invocation, NoRandomness};
pub use linker::OFFERED;
pub use manifest::{Manifest, ManifestError};
pub use observer::{CallId, Observer};
pub use package::{Package, PackageError};
pub use report::{CallOutcome, CallReport, EgressRecord};
pub use secret::{Secret, Unhidable};
pub use stats::Stats;
pub use trace::{NoTraceParent, TraceParent};
pub use variables::Variables;
