//! What Stripe's API accepts and returns, as data.
//!
//! A machine writes the facts from an OpenAPI document ([`import`]); nobody edits them. They are kept
//! beside this crate in a line-oriented text of our own ([`text`]) so that a new API version is a diff
//! that a person can review: one line a parameter, no prose. This crate holds the model and the two
//! translations and nothing else: what to *show* of the API is the connector manifest's business, how to
//! *check* a request is its readers' (the connector's build, the simulator, the tests).
//!
//! ```
//! use stripe_facts::{Facts, Method};
//!
//! let facts = Facts::bundled();
//! let found = facts.find(Method::Post, "/v1/customers/cus_123").expect("an operation of the API");
//! assert_eq!(found.operation.path, "/v1/customers/{customer}");
//! assert_eq!(found.path_values, [("customer", "cus_123")]);
//! assert!(found.operation.parameter("email").is_some());
//! ```

pub mod import;
pub mod model;
pub mod text;

pub use model::{Encoding, Facts, Field, Found, Method, Operation, Shape};
