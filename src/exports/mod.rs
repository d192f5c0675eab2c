//! The component's exports: the contract's types on one side, the connector's own on the other, no decisions.
//!
//! One file a topic of the contract; `types` has what they share. A call comes in here, is turned into the connector's own
//! types, and its result is turned back: nothing else happens. `stderr` is what the standard library needs of C's.
#![expect(unsafe_code, reason = "the generated glue of the component model, and what C's library is asked for")]

mod actions;
mod connection;
mod operations;
mod queries;
mod resources;
mod stderr;
mod triggers;
mod types;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "connector", pub_export_macro: true });
}

use bindings::automation::connector::types as wit;
use bindings::exports::automation::connector as exported;

struct Component;

bindings::export!(Component with_types_in bindings);
