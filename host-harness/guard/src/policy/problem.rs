//! What is wrong with a guard's file: where, and what to write instead.

use std::ops::Range;

use thiserror::Error;

/// A guard's file that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {message}; {fix}")]
pub struct PolicyError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The letter of the line, from 1 on.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// A file while it is checked.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The line and the letter of a place.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    pub(super) fn wrong(&self, at: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> PolicyError {
        let (line, column) = self.position(at.start);
        PolicyError { file: self.file.to_owned(), line, column, message: message.into(), fix: fix.into() }
    }
}
