//! The JSON Schemas (2020-12) of inputs, outputs and events, written from the same shapes that check and sample them.
//!
//! What holds of every schema here: its root is an object and has no `oneOf`, `anyOf`, `allOf` or `not`, and no `type`
//! is a list (agent APIs refuse the whole request for one of them); it is valid alone. A [`Degree`] says how much it
//! tells. An input's schema is closed where it tells every field, as the check is; an output's is open, because Stripe
//! may know more than the facts.

mod degree;
mod event;
mod input;
mod object;
mod output;
mod plan;
mod renamed;
mod weight;

pub use degree::{DIALECT, Degree};
pub use event::event;
pub use input::input;
pub use object::object_schema;
pub use output::output;
pub use plan::Narrowing;
pub use renamed::{renamed_input, renamed_output};

#[cfg(test)]
mod tests;
