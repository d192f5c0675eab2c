//! The tables that the build writes.
#![expect(missing_docs, reason = "each table is a list of a documented type")]

use super::{
    ConnectionField, ConnectionFieldKind, Field, FieldText, Hook, Mapping, Method, ObjectType, Operation,
    OperationKind, Probe, Resource, Rule, Safety, Shape, Trigger, ValueKind,
};

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
