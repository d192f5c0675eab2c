//! Tables: columns as wide as what is in them, and within the terminal's width on a terminal.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle};

use crate::cli::terminal::harmless::one_line;

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
            Self::Good(text) => cell(&text).fg(Color::DarkGreen),
            Self::Care(text) => cell(&text).fg(Color::DarkYellow),
            Self::Bad(text) => cell(&text).fg(Color::DarkRed),
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
