//! Standard output and standard error: results on the one, everything else on the other.
//!
//! Colour, tables as wide as the terminal and the like are for terminals; what is piped is plain. A text that comes from
//! outside is made harmless first: it must not steer the terminal.

mod harmless;
pub mod json;
mod lines;
pub mod notes;
pub mod progress;
mod table;
mod unwritten;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write, stderr, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

pub use self::harmless::{one_line, plain, styled};
pub use self::lines::Lines;
use self::notes::Errors;
pub use self::table::Tone;
pub use self::unwritten::Unwritten;

/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What did not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What needs attention.
pub const CARE: Style = AnsiColor::Yellow.on_default();
/// What is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// What to read first.
pub const STRONG: Style = Style::new().bold();

/// So much is written at once.
const BUFFER: usize = 64 << 10;

/// A text in a style, as one harmless line. Where colour is not wanted, the stream takes the style out again.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{}{style:#}", one_line(&text.to_string()))
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    Always,
    Never,
}

/// The form that results have: JSON, or a text.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    json: bool,
}

impl Form {
    pub fn is_json(self) -> bool {
        self.json
    }

    /// One of many results as the line that it will be: JSON, or a text that is styled by [`paint`].
    pub fn rendered(self, value: &impl Serialize, text: impl FnOnce() -> String) -> String {
        let line = if self.json { json::line(value) } else { styled(&text()) };
        format!("{line}\n")
    }
}

/// Both streams of the process.
pub struct Terminal {
    out: AutoStream<Stdout>,
    /// Whether standard error shows styles.
    colored: bool,
    choice: ColorChoice,
    /// Whether JSON is wanted.
    pub json: bool,
}

impl Terminal {
    pub fn new(color: Color, json: bool) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let colored = AutoStream::new(stderr(), choice).current_choice() != ColorChoice::Never;
        Self { out: AutoStream::new(stdout(), choice), colored, choice, json }
    }

    /// Standard output for who cannot wait for a reader.
    pub fn lines(&self) -> io::Result<Lines> {
        // What steers a status line is no colour, and is let through where nobody wants colour.
        Lines::start(if self.is_screen() { ColorChoice::AlwaysAnsi } else { self.choice })
    }

    /// Whether standard output is a terminal that can write a line anew.
    pub fn is_screen(&self) -> bool {
        let dumb = || std::env::var_os("TERM").is_none_or(|kind| kind.is_empty() || kind == "dumb");
        cfg!(unix) && !self.json && stdout().is_terminal() && !dumb()
    }

    /// Whether standard output shows colour.
    pub fn has_color(&self) -> bool {
        self.out.current_choice() != ColorChoice::Never
    }

    /// The form of results, for who makes lines elsewhere.
    pub fn form(&self) -> Form {
        Form { json: self.json }
    }

    /// A line of the result, styled by [`paint`]. What others wrote is made one line first; whatever else steers a terminal
    /// is taken out here.
    pub fn line(&mut self, text: impl Display) -> Result<(), Unwritten> {
        let text = styled(&format!("{text}\n"));
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// A line of the result that says one thing by its name: `account   acme`.
    pub fn row(&mut self, width: usize, name: &str, text: impl Display) -> Result<(), Unwritten> {
        self.line(format_args!("{}  {}", paint(DIM, format!("{name:<width$}")), one_line(&text.to_string())))
    }

    /// A table of the result. The first column is what one looks for.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<Tone>>) -> Result<(), Unwritten> {
        let text = table::table(header, rows, stdout().is_terminal());
        self.line(text)
    }

    /// The whole result as one JSON document.
    pub fn document(&mut self, value: &impl Serialize) -> Result<(), Unwritten> {
        let mut writer = BufWriter::with_capacity(BUFFER, &mut self.out);
        json::write_document(&mut writer, value)?;
        Ok(writer.flush()?)
    }

    /// One of many results as a line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) -> Result<(), Unwritten> {
        let mut writer = BufWriter::with_capacity(BUFFER, &mut self.out);
        json::write_line(&mut writer, value)?;
        Ok(writer.flush()?)
    }

    /// Something to know that is not the result.
    pub fn note(&mut self, text: impl Display) {
        self.say(&paint(DIM, text));
    }

    /// Something to mend that is no failure.
    pub fn warn(&mut self, text: impl Display) {
        self.say(&format!("{} {}", paint(CARE, "warning:"), one_line(&text.to_string())));
    }

    pub fn error_block(&mut self, block: &str) {
        self.say(block);
    }

    pub fn error_record(&mut self, record: &impl Serialize) {
        // A closed standard error is no reason to give up the result.
        let _ = Errors.write_all(format!("{}\n", json::line(record)).as_bytes());
    }

    /// Lines of standard error.
    fn say(&self, text: &str) {
        let text = if self.colored { styled(text) } else { plain(text) };
        let _ = Errors.write_all(format!("{text}\n").as_bytes());
    }
}
