//! A result, and what the call did.

use crate::report::CallReport;

/// A result, and what the call did.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The result.
    pub value: T,
    /// What the call did.
    pub report: CallReport,
}
