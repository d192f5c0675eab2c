//! The command line: everything of the binary `harness` that is not the platform itself.
//!
//! What lives here: reading options and connections, one file a command, and how results and failures look. What does
//! not: any decision of the platform or of the connector; those are in the host and in the component, and a command only
//! asks them. Nor the list of the commands, which is `main`'s. Arrows between the rooms point one way: `wording`,
//! `terminal` → `failure` → `options` → `setup` → `calling`, `handlers`, `listen`, `live` → `commands` → `demo` → `main`.

pub mod calling;
pub mod commands;
pub mod demo;
pub mod failure;
pub mod handlers;
pub mod listen;
pub mod live;
pub mod options;
pub mod setup;
pub mod terminal;
pub mod wording;
