//! Where webhooks come in: `listen` keeps connections in bounds, `http` asks the connector what a request is and answers it,
//! `inbox` hands it on and hears when it was taken, `seen` knows what was taken before, `files` how many connections this
//! process may have. What is done with an event is a command's.

pub mod files;
pub mod http;
pub mod inbox;
pub mod listen;
pub mod seen;
