//! What the connector knows, as one block of bytes: the operations of the API with their parameters, answers and
//! encodings, its objects and events, and what people read of them.
//!
//! The build fills a [`model::Model`] and writes it; the component carries the bytes and reads them in place through
//! [`Table`] and its cursors, which are `Copy`, allocate nothing and touch only the pages that a call needs. The types
//! that both sides speak of ([`Method`], [`Safety`], [`Rule`], …) exist once, here. Nothing in this crate knows Stripe:
//! what the names mean is its users' business.
//!
//! ```text
//! model (owned) ─ write ─▶ bytes ─ read ─▶ Table ─▶ Operation, Request, Fields, Shape, … (cursors)
//! ```
//!
//! Damage is an error where the table is opened ([`Table::open`] checks the frame and is `const`, [`Table::verify`]
//! checks every cell); a cursor on damaged bytes ends early or is empty, and never panics. Shapes are never circular,
//! whatever the bytes are, but only in a table that was verified are they known to be less than 64 deep.
//!
//! ```
//! use stripe_table::model::{Field, Model, Request, Shape as Written};
//! use stripe_table::{Base, Encoding, Method, Shape, Table};
//!
//! // What the build does.
//! let metadata = Written::Map(Box::new(Written::String));
//! let create = Request {
//!     id: "v1.customers.create".into(),
//!     method: Method::Post,
//!     path: "/v1/customers".into(),
//!     encoding: Encoding::Form,
//!     base: Base::Api,
//!     read_only: false,
//!     binary: false,
//!     permission: "customer".into(),
//!     parameters: vec![Field { name: "metadata".into(), required: false, nullable: false, shape: metadata }],
//!     response: Written::Ref("customer".into()),
//! };
//! let bytes = stripe_table::write(&Model { requests: vec![create], ..Model::default() })?;
//! Table::open(&bytes)?.verify()?;
//!
//! // What a call does.
//! let table = Table::open(&bytes)?;
//! let request = table.request("v1.customers.create").ok_or("no such request")?;
//! assert_eq!((request.method(), request.path()), (Method::Post, "/v1/customers"));
//! let Some(Shape::Map(values)) = request.parameters().get("metadata").map(|f| f.shape()) else { return Err("?".into()) };
//! assert_eq!(values.get(), Shape::String);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod alike;
mod failure;
mod layout;
pub mod model;
mod names;
mod read;
mod write;

pub use alike::alike;
pub use failure::{Damaged, TooLarge};
pub use names::{About, BadName, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};
pub use read::*;
pub use write::write;
