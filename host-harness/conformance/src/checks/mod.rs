//! The promises, a file for each part of the contract. Each function tries one and says what it found; none needs another's
//! result but the list and the descriptions of the operations.

pub(crate) mod connection;
pub(crate) mod deadlines;
pub(crate) mod inputs;
pub(crate) mod operations;
pub(crate) mod resources;
pub(crate) mod schemas;
pub(crate) mod triggers;
