//! Whether requests and answers are what the pinned API version says, strictly.
//!
//! The checks read the facts and nothing of the simulator's state, so a test can hold anybody's requests and
//! anybody's answers against them. Answers: unknown members, wrong types and values outside closed lists are
//! wrong, at any depth; what is checked to be *complete* has every member of its object as well, `null` or not,
//! but for those that Stripe leaves out. Requests: unknown, missing or malformed parameters, and keys that come
//! twice.

mod answer;
mod request;

pub(crate) use answer::{check_answer, fits};
pub use answer::{check_complete, check_error, check_object, check_response};
pub use request::check_request;
