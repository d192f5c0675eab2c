//! What can be wrong with a table, and with a model that shall become one.

use std::fmt;

/// The bytes are no table, or a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged {
    /// What is wrong.
    pub what: &'static str,
    /// Where, counted in bytes from the first.
    pub at: usize,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the table is damaged at byte {}: {}; build it anew", self.at, self.what)
    }
}

impl std::error::Error for Damaged {}

/// The model does not fit a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// What there is too much of.
    pub what: &'static str,
    /// How much of it fits.
    pub most: u32,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model has too many {} for a table, which takes {}; leave some out", self.what, self.most)
    }
}

impl std::error::Error for TooLarge {}
