//! Reading in place: cursors that are `Copy`, each a view of the table's bytes and a place in them.
//!
//! `heap` reads a place and answers `None` for what is not there; lists, shapes and records stand on it, and
//! [`Table`] on all of them. Nothing here allocates, and nothing panics, whatever the bytes are: a cursor on damage
//! is empty, a list on damage ends. The arrows point one way:
//!
//! ```text
//! table ─▶ verify ─▶ operation, resource, connection, advice ─▶ request ─▶ record ─▶ shape ─▶ items ─▶ heap
//! ```

mod advice;
mod connection;
mod heap;
mod index;
mod items;
mod operation;
mod record;
mod request;
mod resource;
mod shape;
mod table;
mod verify;

pub use advice::Advice;
pub use connection::{AuthMethod, ConnectionField, Permission};
pub use items::{Item, Items, ItemsIter, Texts, TextsIter};
pub use operation::{Alias, Meaning, Operation, Trigger};
pub use request::{EventType, Object, Request};
pub use resource::{Mapping, Resource};
pub use shape::{Field, Fields, FieldsIter, Shape, ShapeAt};
pub use table::Table;
