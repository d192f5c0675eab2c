//! Standard output and standard error: results on the one, everything else on the other.
//!
//! Colour, tables as wide as the terminal and the like are for terminals; what is piped is plain. A text that comes from
//! outside is made harmless first: it must not steer the terminal.

use std::fmt::Display;
use std::io::{BufWriter, IsTerminal, Write, stderr, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, CellAlignment, Color as CellColor, ContentArrangement, Table};
use comfy_table::{LineStyle, TableStyle};
use serde::Serialize;

use super::arguments::Color;
use super::failure::Failure;
use super::json;

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

/// A text in a style. Where colour is not wanted, the stream takes the style out again.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A text of somebody else's as one harmless line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Both streams of the process.
pub struct Terminal {
    out: AutoStream<std::io::Stdout>,
    err: AutoStream<std::io::Stderr>,
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
        Self { out: AutoStream::new(stdout(), choice), err: AutoStream::new(stderr(), choice), json }
    }

    /// A line of the result.
    pub fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        let text = format!("{text}\n");
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// A table of the result. The first column is what one looks for.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<Tone>>) -> Result<(), Failure> {
        let text = table(header, rows, stdout().is_terminal());
        self.line(text)
    }

    /// The whole result as one JSON document.
    pub fn document(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut writer = BufWriter::with_capacity(BUFFER, &mut self.out);
        json::write_document(&mut writer, value)?;
        Ok(writer.flush()?)
    }

    /// One of many results as a line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut writer = BufWriter::with_capacity(BUFFER, &mut self.out);
        json::write_line(&mut writer, value)?;
        Ok(writer.flush()?)
    }

    /// Something to know that is not the result.
    pub fn note(&mut self, text: impl Display) {
        // A closed standard error is no reason to give up the result.
        let _ = writeln!(self.err, "{}", paint(DIM, text));
    }

    /// Something to mend that is no failure.
    pub fn warn(&mut self, text: impl Display) {
        let _ = writeln!(self.err, "{} {text}", paint(CARE, "warning:"));
    }

    pub fn error_block(&mut self, block: &str) {
        let _ = writeln!(self.err, "{block}");
    }

    pub fn error_record(&mut self, record: &impl Serialize) {
        let mut writer = BufWriter::with_capacity(BUFFER, &mut self.err);
        let _ = json::write_line(&mut writer, record);
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub enum Tone {
    Plain(String),
    Strong(String),
    Dim(String),
    Good(String),
    Care(String),
    Bad(String),
    /// A figure: on the right.
    Figure(String),
}

impl Tone {
    fn cell(self) -> Cell {
        let cell = |text: &str| Cell::new(one_line(text));
        match self {
            Self::Plain(text) => cell(&text),
            Self::Strong(text) => cell(&text).add_attribute(Attribute::Bold),
            Self::Dim(text) => cell(&text).add_attribute(Attribute::Dim),
            Self::Good(text) => cell(&text).fg(CellColor::DarkGreen),
            Self::Care(text) => cell(&text).fg(CellColor::DarkYellow),
            Self::Bad(text) => cell(&text).fg(CellColor::DarkRed),
            Self::Figure(text) => cell(&text).set_alignment(CellAlignment::Right),
        }
    }
}

/// A table with one thin line below its header. It fits the terminal, and is as wide as it likes elsewhere.
pub fn table(header: &[&str], rows: Vec<Vec<Tone>>, fits_terminal: bool) -> String {
    const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    let mut table = Table::new();
    table.load_style(STYLE);
    if fits_terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    // Whether the stream shows colour is the stream's to decide.
    table.enforce_styling();
    // Blanks at the end of a line stay without a style, and so can be taken off.
    table.style_text_only();
    if !header.is_empty() {
        table.set_header(header.iter().map(|title| Cell::new(title).add_attribute(Attribute::Dim)));
    }
    for row in rows {
        table.add_row(row.into_iter().map(Tone::cell));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 1 }, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
