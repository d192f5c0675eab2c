//! One file a command: what it takes, what it asks the platform, what it shows.

pub mod call;
pub mod choices;
pub mod describe;
pub mod inspect;
pub mod operations;
pub mod poll;
pub mod resources;
pub mod sample;
pub mod serve;
pub mod simulate;
pub mod test_connection;
