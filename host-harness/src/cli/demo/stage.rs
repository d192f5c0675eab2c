//! How the demo looks: a line a step, what to notice beneath it, and the summary at the end. With `--json`, one document.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::terminal::{BAD, DIM, GOOD, STRONG, Terminal, Tone, Unwritten, one_line, paint};
use crate::cli::wording;

/// Columns: a step's name, and what it gave. With the mark and the time a line fits 100 columns.
const NAME: usize = 29;
const TEXT: usize = 54;
/// What is beneath a step has the room of the time as well.
const ASIDE: usize = 66;

const NEXT: [&str; 2] = [
    "harness call customer.create --input '{\"email\": \"jenny.rosen@example.com\"}'",
    "STRIPE_SECRET_KEY=sk_test_… harness demo",
];

/// What is told, and what is kept of it.
pub struct Stage<'terminal> {
    terminal: &'terminal mut Terminal,
    began: Instant,
    step: Option<(String, Instant)>,
    steps: Vec<Step>,
}

struct Step {
    what: String,
    result: String,
    time: Duration,
    detail: Vec<(String, String)>,
}

impl<'terminal> Stage<'terminal> {
    pub fn new(terminal: &'terminal mut Terminal) -> Self {
        Self { terminal, began: Instant::now(), step: None, steps: Vec::new() }
    }

    pub fn terminal(&mut self) -> &mut Terminal {
        self.terminal
    }

    pub fn title(&mut self, title: &str, beside: &str) -> Result<(), Unwritten> {
        self.say(format_args!("\n{}  {}", paint(STRONG, one_line(title)), paint(DIM, one_line(beside))))
    }

    pub fn heading(&mut self, heading: &str) -> Result<(), Unwritten> {
        self.say(format_args!("\n{}", paint(STRONG, heading)))
    }

    /// A step begins: its name, should it fail, and its time.
    pub fn begin(&mut self, name: &str) {
        self.step = Some((name.to_owned(), Instant::now()));
    }

    /// The step that began gave what it should. `what` and `result` are for the summary, `text` for now.
    pub fn done(&mut self, what: &str, result: &str, text: &str) -> Result<(), Unwritten> {
        let (name, began) = self.step.take().unwrap_or_else(|| (what.to_owned(), Instant::now()));
        let time = began.elapsed();
        let took = wording::duration(time);
        let (name, text) = (cut(&name, NAME), cut(text, TEXT));
        self.say(format_args!(
            "  {} {name:<NAME$} {text:<TEXT$} {}",
            paint(GOOD, "✓"),
            paint(DIM, format!("{took:>8}"))
        ))?;
        self.steps.push(Step { what: what.to_owned(), result: one_line(result), time, detail: Vec::new() });
        Ok(())
    }

    /// What to notice about the step before.
    pub fn aside(&mut self, rows: &[(&str, String)]) -> Result<(), Unwritten> {
        for (name, text) in rows {
            for (index, line) in wrapped(text, ASIDE).into_iter().enumerate() {
                let name = if index == 0 { cut(name, NAME) } else { String::new() };
                self.say(format_args!("    {} {line}", paint(DIM, format!("{name:<NAME$}"))))?;
            }
        }
        if let Some(step) = self.steps.last_mut() {
            step.detail.extend(rows.iter().map(|(name, text)| ((*name).to_owned(), one_line(text))));
        }
        Ok(())
    }

    /// The end: the summary, or the step that failed.
    pub fn close(mut self, told: Result<(), Failure>) -> Result<(), Failure> {
        let total = self.began.elapsed();
        if let Err(failure) = told {
            // Where nothing can be shown any more, the failure itself is still the reason.
            let _ = self.show_failure(&failure, total);
            return Err(failure);
        }
        if self.terminal.json {
            let document = self.document(None, total);
            return Ok(self.terminal.document(&document)?);
        }
        self.heading("Summary")?;
        let rows = self.steps.iter().map(|step| {
            let took = Tone::Figure(wording::duration(step.time));
            vec![Tone::Plain(step.what.clone()), Tone::Good(step.result.clone()), took]
        });
        let rows = rows.collect();
        self.terminal.table(&["what", "result", "time"], rows)?;
        let (count, took) = (self.steps.len(), wording::duration(total));
        self.say(format_args!("\n{} {count} of {count} steps as they should be, in {took}.", paint(GOOD, "✓")))?;
        for (index, next) in NEXT.iter().enumerate() {
            let label = if index == 0 { "Try next" } else { "" };
            self.say(format_args!("{}  {next}", paint(DIM, format!("{label:<8}"))))?;
        }
        Ok(())
    }

    fn show_failure(&mut self, failure: &Failure, total: Duration) -> Result<(), Unwritten> {
        if matches!(failure, Failure::NobodyReads) {
            return Ok(());
        }
        if self.terminal.json {
            let document = self.document(Some(failure), total);
            return self.terminal.document(&document);
        }
        match self.step.take() {
            Some((name, _)) => self.say(format_args!("  {} {}", paint(BAD, "✗"), cut(&name, NAME))),
            None => Ok(()),
        }
    }

    fn document(&self, failure: Option<&Failure>, total: Duration) -> Value {
        let milliseconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let steps = self.steps.iter().map(|step| {
            let detail: serde_json::Map<String, Value> =
                step.detail.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect();
            json!({ "what": step.what, "result": step.result, "ms": milliseconds(step.time), "detail": detail })
        });
        json!({
            "ok": failure.is_none(),
            "steps": steps.collect::<Value>(),
            "failed_step": failure.and(self.step.as_ref()).map(|(name, _)| name),
            "total_ms": milliseconds(total),
        })
    }

    fn say(&mut self, text: impl std::fmt::Display) -> Result<(), Unwritten> {
        if self.terminal.json { Ok(()) } else { self.terminal.line(text) }
    }
}

/// At most so many characters, as one harmless line.
fn cut(text: &str, most: usize) -> String {
    let text = one_line(text);
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Lines of at most so many characters, broken between words. A word that is longer has a line of its own.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let text = one_line(text);
    if text.chars().count() <= most {
        return vec![text];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("äö\nüß", 5), "äö\\n…");
    }

    #[test]
    fn a_long_text_is_broken_between_words() {
        assert_eq!(wrapped("a  short one", 20), ["a  short one"]);
        assert_eq!(wrapped("ask the customer for another card", 16), ["ask the customer", "for another card"]);
        assert_eq!(wrapped("a verylongword b", 6), ["a", "verylongword", "b"]);
    }
}
