//! Gives every text and cell of the graph its place, and writes them out.

use std::cmp::Reverse;

use super::graph::{Graph, Node, NodeId, ShapeRef, TextId, Value, Word};
use super::sharing::{self, Part};
use crate::failure::TooLarge;
use crate::layout::{FIELD_FLAGS, FIRST_CELL, FORMAT, MAGIC, Section, WORD, WORD_END, checksum, header, tag};

/// The bytes of a table with these sections.
pub fn bytes(graph: &Graph<'_>, prose: &[Vec<u8>], sections: &[Vec<Word>]) -> Result<Vec<u8>, TooLarge> {
    let mut places = Places::default();
    places.put_texts(graph)?;
    places.put_prose(prose)?;
    places.put_cells(graph)?;

    let cells_at = header::SIZE + places.texts.len();
    let mut at = cells_at + places.cells.len();
    let mut head = Vec::from(MAGIC);
    let mut starts = vec![cells_at];
    let mut words = Vec::new();
    for section in sections {
        starts.push(at);
        let before = words.len();
        for word in section {
            let reference = match word {
                Word::Text(text) => places.text(*text),
                Word::Node(node) => places.cell(*node),
                Word::Number(number) => *number,
            };
            put_word(&mut words, reference);
        }
        at += words.len() - before;
    }
    debug_assert_eq!(starts.len(), 1 + Section::COUNT);
    head.extend(FORMAT.to_le_bytes());
    head.extend(fits(at)?.to_le_bytes());
    let mut summed = Vec::new();
    for start in starts {
        summed.extend(fits(start)?.to_le_bytes());
    }
    summed.extend([places.texts, places.cells, words].concat());
    head.extend(checksum(&summed).to_le_bytes());
    head.extend(summed);
    Ok(head)
}

/// What is written so far, and where each text and cell is.
#[derive(Default)]
struct Places {
    texts: Vec<u8>,
    text_at: Vec<u32>,
    prose_at: Vec<u32>,
    /// Where the text behind each begins.
    text_end: Vec<u32>,
    cells: Vec<u8>,
    /// 0 for a cell that is not written yet.
    cell_at: Vec<u32>,
}

impl Places {
    /// Texts that are used most come first, those that are used alike as they came: what is in one list only lies
    /// side by side. The empty text is the very first. Of a text that is part of a longer one there is only the place.
    fn put_texts(&mut self, graph: &Graph<'_>) -> Result<(), TooLarge> {
        let mut order: Vec<_> = graph.texts().enumerate().collect();
        order.sort_by_key(|(_, (text, uses))| (!text.is_empty(), Reverse(*uses)));
        self.text_at = vec![0; order.len()];
        self.text_end = vec![0; order.len()];
        let all: Vec<&str> = graph.texts().map(|(text, _)| text).collect();
        let parts = sharing::parts(&all);
        let part = |id: usize| parts.get(id).copied().flatten();
        // Where the bytes of each lie is known before they are written: a place takes a word, wherever it is.
        let mut bytes_at = vec![0; order.len()];
        let mut next = 0;
        for (id, (text, _)) in &order {
            let mut head = Vec::new();
            put_number(&mut head, length(text.len(), false)?);
            if let Some(place) = bytes_at.get_mut(*id) {
                *place = next + head.len();
            }
            next += head.len() + if part(*id).is_some() { WORD } else { text.len() };
        }
        for (id, (text, _)) in order {
            let at = reference(self.texts.len(), "bytes of text")?;
            let part = part(id);
            put_number(&mut self.texts, length(text.len(), part.is_some())?);
            match part {
                Some(Part { whole, from }) => {
                    let place = bytes_at.get(whole).map_or(0, |whole| whole + from);
                    put_word(&mut self.texts, reference(place, "bytes of text")?);
                }
                None => self.texts.extend(text.as_bytes()),
            }
            let end = reference(self.texts.len(), "bytes of text")?;
            if let (Some(place), Some(place_end)) = (self.text_at.get_mut(id), self.text_end.get_mut(id)) {
                (*place, *place_end) = (at, end);
            }
        }
        Ok(())
    }

    /// What is packed stands behind all that is not; the empty text, which comes first, is the one of those.
    fn put_prose(&mut self, prose: &[Vec<u8>]) -> Result<(), TooLarge> {
        self.prose_at.push(0);
        for text in prose.iter().skip(1) {
            self.prose_at.push(reference(self.texts.len(), "bytes of text")?);
            put_number(&mut self.texts, length(text.len(), false)?);
            self.texts.extend(text);
        }
        Ok(())
    }

    /// Cells that are used most come first, each behind those that it refers to; what nothing refers to but a
    /// section keeps its order. Reference 0 is none.
    fn put_cells(&mut self, graph: &Graph<'_>) -> Result<(), TooLarge> {
        let mut order: Vec<_> = graph.nodes().map(|(_, uses)| uses).enumerate().collect();
        order.sort_by_key(|(_, uses)| Reverse(*uses));
        self.cell_at = vec![0; order.len()];
        self.cells.push(0);
        for (id, _) in order {
            self.put_cell(graph, NodeId(id))?;
        }
        Ok(())
    }

    /// Writes a cell and before it what it refers to. Cells refer to older ones only and shapes are not deeper than
    /// the graph's maker let them be.
    fn put_cell(&mut self, graph: &Graph<'_>, id: NodeId) -> Result<(), TooLarge> {
        let Some(node) = graph.node(id) else { return Ok(()) };
        if self.cell(id) != 0 {
            return Ok(());
        }
        for inner in inner(node) {
            self.put_cell(graph, inner)?;
        }
        let at = reference(self.cells.len() + FIRST_CELL as usize, "bytes of cells")? - FIRST_CELL;
        if let Some(place) = self.cell_at.get_mut(id.0) {
            *place = at;
        }
        match node {
            Node::Texts(tag, texts) => {
                self.put_head(*tag, count(texts.len())?);
                let mut before = None;
                for text in texts {
                    let name = self.text_behind(before, *text);
                    put_number(&mut self.cells, name);
                    before = Some(*text);
                }
            }
            Node::Fields(entries) => {
                self.put_head(tag::OBJECT, count(entries.len())?);
                let mut before = None;
                for entry in entries {
                    let (name, shape) = (self.text_behind(before, entry.name), self.shape(entry.shape));
                    before = Some(entry.name);
                    put_number(&mut self.cells, name);
                    put_number(&mut self.cells, shape << FIELD_FLAGS | entry.flags);
                }
            }
            Node::Inside(tag, shape) => self.put_head(*tag, self.shape(*shape)),
            Node::Union(parts) => {
                self.put_head(tag::UNION, count(parts.len())?);
                for part in parts {
                    let shape = self.shape(*part);
                    put_word(&mut self.cells, shape);
                }
            }
            Node::Ref(name) => self.put_head(tag::REF, self.text(*name)),
            Node::Record(columns) => {
                put_number(&mut self.cells, columns.iter().fold(0, |present, (column, _)| present | 1 << column));
                for (_, value) in columns {
                    let number = match value {
                        Value::Number(number) => *number,
                        Value::Text(text) => self.text(*text),
                        Value::Prose(text) => self.prose_at.get(text.0).copied().unwrap_or_default(),
                        Value::MaybeText(text) => self.text(*text) + 1,
                        Value::Node(node) => self.cell(*node),
                        Value::Shape(shape) => self.shape(*shape),
                    };
                    put_number(&mut self.cells, number);
                }
            }
            Node::List(records) => {
                put_number(&mut self.cells, count(records.len())?);
                for record in records {
                    let at = self.cell(*record);
                    put_word(&mut self.cells, at);
                }
            }
        }
        Ok(())
    }

    fn put_head(&mut self, tag: u32, rest: u32) {
        put_number(&mut self.cells, rest << tag::BITS | tag);
    }

    fn text(&self, id: TextId) -> u32 {
        self.text_at.get(id.0).copied().unwrap_or_default()
    }

    /// How a list names a text: 0 for the one that lies behind the list's text before it.
    fn text_behind(&self, before: Option<TextId>, id: TextId) -> u32 {
        let end = before.and_then(|before| self.text_end.get(before.0));
        if end == Some(&self.text(id)) { 0 } else { self.text(id) + 1 }
    }

    fn cell(&self, id: NodeId) -> u32 {
        self.cell_at.get(id.0).copied().unwrap_or_default()
    }

    fn shape(&self, shape: ShapeRef) -> u32 {
        match shape {
            ShapeRef::Simple(code) => code,
            ShapeRef::Cell(id) => self.cell(id) + FIRST_CELL,
        }
    }
}

fn fits(bytes: usize) -> Result<u32, TooLarge> {
    u32::try_from(bytes).map_err(|_| TooLarge { what: "bytes", most: u32::MAX })
}

/// The cells that a cell refers to.
fn inner(node: &Node) -> Vec<NodeId> {
    let shape = |shape: &ShapeRef| match shape {
        ShapeRef::Cell(id) => Some(*id),
        ShapeRef::Simple(_) => None,
    };
    match node {
        Node::Texts(..) | Node::Ref(_) => Vec::new(),
        Node::Fields(entries) => entries.iter().filter_map(|e| shape(&e.shape)).collect(),
        Node::Inside(_, inside) => shape(inside).into_iter().collect(),
        Node::Union(parts) => parts.iter().filter_map(shape).collect(),
        Node::Record(columns) => columns
            .iter()
            .filter_map(|(_, value)| match value {
                Value::Node(id) => Some(*id),
                Value::Shape(inside) => shape(inside),
                Value::Number(_) | Value::Text(_) | Value::Prose(_) | Value::MaybeText(_) => None,
            })
            .collect(),
        Node::List(records) => records.clone(),
    }
}

fn reference(at: usize, what: &'static str) -> Result<u32, TooLarge> {
    u32::try_from(at).ok().filter(|at| *at < WORD_END).ok_or(TooLarge { what, most: WORD_END })
}

/// What a text begins with.
fn length(of: usize, is_part: bool) -> Result<u32, TooLarge> {
    Ok(reference(of, "bytes of text")? << 1 | u32::from(is_part))
}

fn count(of: usize) -> Result<u32, TooLarge> {
    reference(of, "entries in a list")
}

fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_word(out: &mut Vec<u8>, word: u32) {
    let [low, middle, high, _] = word.to_le_bytes();
    out.extend([low, middle, high]);
}
