//! One file a command: what it takes, what it asks the platform, what it shows. `events`
//! and `pages` are what some of them share.

pub mod call;
pub mod choices;
pub mod conformance;
pub mod describe;
pub mod events;
pub mod inspect;
pub mod operations;
pub mod pages;
pub mod permissions;
pub mod poll;
pub mod recent;
pub mod renew;
pub mod resources;
pub mod sample;
pub mod schema;
pub mod serve;
pub mod simulate;
pub mod subscribe;
pub mod test_connection;
pub mod unsubscribe;
