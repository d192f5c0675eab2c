//! What was decided, and by which rule.

use std::fmt;

use crate::amount::Amount;
use crate::flow::Flow;

/// A rule of the guard's file, by its name and its line. What holds in any case has no line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// Its line, from 1 on; 0 where it is in no file.
    pub line: usize,
}

impl Rule {
    pub(crate) fn always(name: &str) -> Self {
        Self { name: name.to_owned(), line: 0 }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => formatter.write_str(&self.name),
            line => write!(formatter, "{} (line {line})", self.name),
        }
    }
}

/// Whether a call may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// When somebody agrees.
    Ask {
        /// Why.
        reason: String,
    },
    /// It may not.
    Deny {
        /// Why.
        reason: String,
        /// What to do about it.
        fix: String,
    },
    /// It is checked and shown, and not sent.
    DryRun,
}

impl Verdict {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask { .. } => "ask",
            Self::Deny { .. } => "deny",
            Self::DryRun => "dry-run",
        }
    }
}

/// A verdict, the rule that decided, and the money that it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule.
    pub rule: Rule,
    /// What the call moves, as far as it is known.
    pub spends: Vec<Spend>,
}

impl Ruling {
    pub(crate) fn allow() -> Self {
        Self { verdict: Verdict::Allow, rule: Rule::always("no rule is against it"), spends: Vec::new() }
    }

    pub(crate) fn deny(rule: &Rule, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        let verdict = Verdict::Deny { reason: reason.into(), fix: fix.into() };
        Self { verdict, rule: rule.clone(), spends: Vec::new() }
    }

    pub(crate) fn ask(rule: &Rule, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ask { reason: reason.into() }, rule: rule.clone(), spends: Vec::new() }
    }

    pub(crate) fn spending(self, spends: Vec<Spend>) -> Self {
        Self { spends, ..self }
    }
}

/// Money that a call moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// Which way.
    pub flow: Flow,
    /// How much.
    pub amount: Amount,
}

impl fmt::Display for Spend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.amount, self.flow.name())
    }
}
