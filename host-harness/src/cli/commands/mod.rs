//! One file a command: what it takes, what it asks the platform, what it shows. `lines`, `pages` and `seen` are what some of
//! them share.

pub mod audit;
pub mod call;
pub mod choices;
pub mod conformance;
pub mod describe;
pub mod events;
pub mod guard;
pub mod inspect;
pub mod lines;
pub mod operations;
pub mod pages;
pub mod permissions;
pub mod poll;
pub mod recent;
pub mod renew;
pub mod resources;
pub mod sample;
pub mod schema;
pub mod seen;
pub mod serve;
pub mod simulate;
pub mod subscribe;
pub mod test_connection;
pub mod unsubscribe;
pub mod webhook;
