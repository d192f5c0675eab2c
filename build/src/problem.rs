//! What there is to mend, and where.

use std::fmt;

use toml::Spanned;

use crate::sources::Sources;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, from the repository's root.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: usize,
    /// What is wrong there, and what would be right where that is known.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// The problems that are found on the way.
pub struct Report<'s> {
    sources: &'s Sources,
    problems: Vec<Problem>,
}

impl<'s> Report<'s> {
    /// An empty report on these texts.
    pub fn new(sources: &'s Sources) -> Self {
        Self { sources, problems: Vec::new() }
    }

    /// Adds a problem at a value's place.
    pub fn wrong<T>(&mut self, file: &str, place: &Spanned<T>, what: String) {
        self.wrong_at(file, place.span().start, what);
    }

    /// Adds a problem at a place in bytes.
    pub fn wrong_at(&mut self, file: &str, at: usize, what: String) {
        let text = self.sources.text(file).as_bytes();
        let line = text.iter().take(at).filter(|b| **b == b'\n').count() + 1;
        self.problems.push(Problem { file: file.to_owned(), line, what });
    }

    /// All of them, by file and line, each once.
    pub fn problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }
}
