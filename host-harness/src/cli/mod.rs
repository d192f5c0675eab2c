//! The command line: everything of the binary `harness` that is not the platform itself.
//!
//! What lives here: reading arguments and connections, one file a command, and how results and failures look. What does
//! not: any decision of the platform or of the connector; those are in the library and in the component, and a command
//! only asks them. Data flows one way: `arguments` → `connecting` and `loading` → a command → `terminal`.

pub mod arguments;
pub mod commands;
pub mod connecting;
pub mod connection_file;
pub mod demo;
pub mod download;
pub mod failure;
pub mod input;
pub mod json;
pub mod loading;
pub mod progress;
pub mod receiver;
pub mod runtime;
pub mod seen;
pub mod state_file;
pub mod terminal;
pub mod upload;
pub mod values;
pub mod wording;
