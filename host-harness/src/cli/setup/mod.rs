//! What a command stands on before it asks anything: a runtime, a connection, a loaded connector and its guard, a subscription's
//! state, a store, and an ear for who wants it to end.
//!
//! What lives here: from options, environment variables and files to these. What does not: any call of the connector.

pub mod connecting;
pub mod connection_file;
pub mod guarding;
pub mod loading;
pub mod runtime;
pub mod state_file;
pub mod stopping;
pub mod storing;
