//! What was found: a check for each promise, and of each that does not hold, where and why.

use std::fmt;

use serde::Serialize;

/// So many broken cases of one promise are told; what is broken in one way is broken in many places.
const MOST: usize = 10;

/// Longer texts are cut: they come from the component.
const LONGEST: usize = 400;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The connector and its version, as its manifest says.
    pub title: String,
    /// Each promise.
    pub checks: Vec<Check>,
}

/// One promise of the contract.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name: `samples`.
    pub name: &'static str,
    /// The promise in words.
    pub promise: &'static str,
    /// Whether it holds.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a promise holds.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// In every case that was tried.
    Held {
        /// How many that were.
        cases: usize,
    },
    /// Not always.
    Broken {
        /// In so many cases.
        cases: usize,
        /// Where and why, the first of them.
        reasons: Vec<String>,
    },
    /// It could not be tried.
    Untried {
        /// Why.
        reason: String,
    },
}

impl Report {
    /// Whether no promise is broken.
    #[must_use]
    pub fn conforms(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict, Verdict::Broken { .. }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.title)?;
        for Check { name, promise, verdict } in &self.checks {
            match verdict {
                Verdict::Held { cases } => writeln!(formatter, "  held     {name:<11} {promise} ({cases})")?,
                Verdict::Untried { reason } => writeln!(formatter, "  untried  {name:<11} {promise}: {reason}")?,
                Verdict::Broken { cases, reasons } => {
                    writeln!(formatter, "  BROKEN   {name:<11} {promise} ({cases})")?;
                    for reason in reasons {
                        writeln!(formatter, "             - {reason}")?;
                    }
                    if *cases > reasons.len() {
                        writeln!(formatter, "             - and {} more", cases - reasons.len())?;
                    }
                }
            }
        }
        let broken = self.checks.iter().filter(|check| matches!(check.verdict, Verdict::Broken { .. })).count();
        match broken {
            0 => write!(formatter, "It conforms."),
            1 => write!(formatter, "It does not conform: 1 promise is broken."),
            _ => write!(formatter, "It does not conform: {broken} promises are broken."),
        }
    }
}

/// What one check finds on its way.
#[derive(Default)]
pub(crate) struct Findings {
    held: usize,
    broken: usize,
    reasons: Vec<String>,
}

impl Findings {
    /// One more case in which the promise holds.
    pub(crate) fn held(&mut self) {
        self.held += 1;
    }

    /// One in which it does not.
    pub(crate) fn broken(&mut self, reason: impl fmt::Display) {
        self.broken += 1;
        if self.reasons.len() < MOST {
            self.reasons.push(clipped(&reason.to_string()));
        }
    }

    /// One or the other.
    pub(crate) fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if holds { self.held() } else { self.broken(otherwise()) }
    }

    pub(crate) fn named(self, name: &'static str, promise: &'static str) -> Check {
        let verdict = match (self.held, self.broken) {
            (0, 0) => Verdict::Untried { reason: "there is nothing of the kind".to_owned() },
            (cases, 0) => Verdict::Held { cases },
            (_, cases) => Verdict::Broken { cases, reasons: self.reasons },
        };
        Check { name, promise, verdict }
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_promise_is_enough_not_to_conform() {
        let mut findings = Findings::default();
        findings.held();
        let held = findings.named("a", "it is so");
        let untried = Findings::default().named("b", "it is so too");
        let mut report = Report { title: "notes 1.0.0".to_owned(), checks: vec![held, untried] };
        assert!(report.conforms() && report.to_string().ends_with("It conforms."), "{report}");
        let mut findings = Findings::default();
        for number in 0..12 {
            findings.broken(format!("case {number}: {}", "x".repeat(1000)));
        }
        report.checks.push(findings.named("c", "it is never so"));
        let text = report.to_string();
        assert!(!report.conforms() && text.contains("BROKEN   c") && text.contains("and 2 more"), "{text}");
        assert!(text.len() < 6000, "{} bytes", text.len());
    }
}
