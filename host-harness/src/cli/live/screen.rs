//! Which letters keep the status line below the last line.
//!
//! It is written without an end, and overwritten by whatever comes next: back to the beginning of the line, erased, the
//! line, the status again. While it is written the terminal does not wrap, so it is one line however narrow the window is.

use anstream::adapter::strip_str;

use crate::cli::terminal::styled;

/// To the beginning of the line, which is erased from there on.
const ERASE: &str = "\r\u{1b}[K";

/// What is longer than the window is cut, and is wrapped again.
const CUT: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";

/// What the reader can show.
#[derive(Clone, Copy)]
pub struct Look {
    /// A status line that changes: it is a terminal, and no dumb one.
    pub screen: bool,
    pub color: bool,
}

/// What is on the last line.
pub struct Screen {
    look: Look,
    status: String,
    ended: bool,
}

impl Screen {
    pub fn new(look: Look) -> Self {
        Self { look, status: String::new(), ended: false }
    }

    pub fn is_on(&self) -> bool {
        self.look.screen && !self.ended
    }

    /// What is to be written so that this line is there, and this status below it.
    pub fn shows(&mut self, line: Option<&str>, status: impl FnOnce() -> String) -> String {
        let line = line.map(|line| self.dressed(line) + "\n");
        if !self.is_on() {
            return line.unwrap_or_default();
        }
        let status = status();
        if line.is_none() && status == self.status {
            return String::new();
        }
        let shown = self.dressed(&status);
        self.status = status;
        format!("{ERASE}{}{CUT}{shown}{WRAP}", line.unwrap_or_default())
    }

    /// What is to be written so that the status is gone, and others can write.
    pub fn hides(&mut self) -> String {
        let shown = self.is_on() && !self.status.is_empty();
        self.status.clear();
        if shown { ERASE.to_owned() } else { String::new() }
    }

    /// The same, for good.
    pub fn ends(&mut self) -> String {
        let erased = self.hides();
        self.ended = true;
        erased
    }

    /// Harmless, and without colour where nobody wants it.
    fn dressed(&self, text: &str) -> String {
        let text = styled(text);
        if self.look.color { text } else { strip_str(&text).to_string() }
    }
}
