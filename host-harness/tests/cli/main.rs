//! What a user sees: the real binary, with the real component in it, against a real simulator over loopback.

mod bad_input;
mod call;
mod catalogue;
mod connection;
mod demo;
mod output;
mod servers;
mod support;
