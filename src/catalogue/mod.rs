//! What the connector can do, as data: operations, triggers, resources, and the shapes of their values.
//!
//! The build writes it as one block of bytes, which [`table`] opens where it lies: nothing is parsed and nothing
//! allocated before a call asks for something. Here entries are found ([`entry`], [`fn@list`], [`fn@nearest`]) and a request
//! of the API and an entry that people made of one become the same thing to the engine ([`Operation`]), also under a name
//! with fields of its own. Four operations are no one request ([`OWN`]). Nothing else here knows an operation by name,
//! checks a value or speaks to anybody. Readers: `operation` runs entries, `schema` and `sample` describe them, `input`
//! checks values against them.

mod embedded;
mod find;
mod list;
mod nearest;
mod operation;
mod own;
mod shape;
mod trigger;

pub use embedded::{
    API_VERSION, BETWEEN_BYTES_TIMEOUT_MS, CALL_TIMEOUT_MS, FILE_BYTES, FIRST_BYTE_TIMEOUT_MS, INPUT_BYTES,
    RESPONSE_BYTES, TITLE, VERSION, table,
};
pub use find::{Entry, entry, of_event, operation, trigger, unknown};
pub use list::{Filter, Page, list};
pub use nearest::{did_you_mean, nearest};
pub use operation::Operation;
pub use own::{OWN, Own, own};
pub use shape::unsets;
pub use stripe_table::{
    About, Alias, AuthMethod, Base, ConnectionField, Encoding, EventType, Field, FieldKind, Fields, Mapping, Meaning,
    Method, OperationKind, Permission, Request, Resource, Rule, Safety, Shape, Texts, ValueKind,
};
pub use trigger::{Trigger, is_thin};
