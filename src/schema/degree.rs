//! What every schema has in common: its dialect, and how much it says.

/// The dialect of every schema.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// How much a schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Degree {
    /// The fields that a form shows first and those that are required; an object within an answer is named. What is too
    /// large for that has `x-more`: the full schema tells it.
    Shown,
    /// Every field, with everything that it refers to.
    Full,
}
