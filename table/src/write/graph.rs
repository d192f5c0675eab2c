//! What a table says, each thing once: texts, and the shapes, lists and records that refer to them and to each other.

use std::collections::HashMap;
use std::hash::Hash;

use crate::failure::TooLarge;
use crate::layout::{LONGEST_PROSE, STEPS};

/// A text of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub usize);

/// A cell of the graph. One refers only to those that were there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A shape: simple, with its code, or a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShapeRef {
    Simple(u32),
    Cell(NodeId),
}

/// A field of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    pub name: TextId,
    pub flags: u32,
    pub shape: ShapeRef,
}

/// What a cell is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// A tag and texts.
    Texts(u32, Vec<TextId>),
    /// The members of an object.
    Fields(Vec<Entry>),
    /// A tag and the shape inside.
    Inside(u32, ShapeRef),
    /// The parts of a union.
    Union(Vec<ShapeRef>),
    /// The name of an object schema.
    Ref(TextId),
    /// Columns that are not 0, in their order.
    Record(Vec<(u32, Value)>),
    /// Records.
    List(Vec<NodeId>),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    Number(u32),
    Text(TextId),
    /// A text that is packed.
    Prose(TextId),
    /// A text that is told from none even where it is empty.
    MaybeText(TextId),
    Node(NodeId),
    Shape(ShapeRef),
}

/// An entry of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Text(TextId),
    Node(NodeId),
    Number(u32),
}

/// Things that are there once, in the order in which they came, and how often each is referred to.
#[derive(Debug)]
struct Distinct<T> {
    all: Vec<T>,
    ids: HashMap<T, usize>,
    uses: Vec<u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { all: Vec::new(), ids: HashMap::new(), uses: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    /// The thing's position, and whether it is new.
    fn add(&mut self, thing: T) -> (usize, bool) {
        if let Some(id) = self.ids.get(&thing) {
            return (*id, false);
        }
        let id = self.push(thing.clone());
        self.ids.insert(thing, id);
        (id, true)
    }

    fn push(&mut self, thing: T) -> usize {
        self.all.push(thing);
        self.uses.push(0);
        self.all.len() - 1
    }

    fn used(&mut self, id: usize) {
        if let Some(uses) = self.uses.get_mut(id) {
            *uses += 1;
        }
    }
}

/// What a table says.
#[derive(Debug)]
pub struct Graph<'m> {
    texts: Distinct<&'m str>,
    prose: Distinct<&'m str>,
    nodes: Distinct<Node>,
    steps: u32,
}

impl Default for Graph<'_> {
    /// A graph with nothing but the empty text.
    fn default() -> Self {
        let mut graph =
            Self { texts: Distinct::default(), prose: Distinct::default(), nodes: Distinct::default(), steps: 0 };
        graph.texts.add("");
        graph.prose.add("");
        graph
    }
}

impl<'m> Graph<'m> {
    /// The empty text.
    pub const EMPTY: TextId = TextId(0);

    /// Every text, in order of its id, and how often it is referred to.
    pub fn texts(&self) -> impl Iterator<Item = (&'m str, u32)> {
        self.texts.all.iter().copied().zip(self.texts.uses.iter().copied())
    }

    /// Every text that is packed, in order of its id.
    pub fn prose(&self) -> &[&'m str] {
        &self.prose.all
    }

    /// Every cell, likewise.
    pub fn nodes(&self) -> impl Iterator<Item = (&Node, u32)> {
        self.nodes.all.iter().zip(self.nodes.uses.iter().copied())
    }

    /// A cell.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.all.get(id.0)
    }

    /// Counts what the reader's check counts.
    pub fn step(&mut self) -> Result<(), TooLarge> {
        self.steps += 1;
        if self.steps > STEPS { Err(TooLarge { what: "texts, fields and records", most: STEPS }) } else { Ok(()) }
    }

    /// The id of a text.
    pub fn text(&mut self, text: &'m str) -> Result<TextId, TooLarge> {
        self.step()?;
        Ok(TextId(self.texts.add(text).0))
    }

    /// The id of a text that is packed.
    pub fn packed_text(&mut self, text: &'m str) -> Result<TextId, TooLarge> {
        self.step()?;
        if text.len() > LONGEST_PROSE {
            return Err(TooLarge { what: "bytes of prose", most: LONGEST_PROSE as u32 });
        }
        Ok(TextId(self.prose.add(text).0))
    }

    /// The ids of texts.
    pub fn all_texts(&mut self, texts: &'m [String]) -> Result<Vec<TextId>, TooLarge> {
        texts.iter().map(|t| self.text(t)).collect()
    }

    /// The id of a cell.
    pub fn add(&mut self, node: Node) -> Result<NodeId, TooLarge> {
        self.step()?;
        let (id, new) = self.nodes.add(node.clone());
        if new {
            self.count(&node);
        }
        Ok(NodeId(id))
    }

    /// The id of a cell that a section lists: one of its own, even where another says the same.
    pub fn add_listed(&mut self, node: Node) -> Result<NodeId, TooLarge> {
        self.step()?;
        self.count(&node);
        Ok(NodeId(self.nodes.push(node)))
    }

    /// Counts what a cell refers to.
    fn count(&mut self, node: &Node) {
        match node {
            Node::Texts(_, texts) => texts.iter().for_each(|t| self.texts.used(t.0)),
            Node::Fields(entries) => {
                for entry in entries {
                    self.texts.used(entry.name.0);
                    self.count_shape(entry.shape);
                }
            }
            Node::Inside(_, shape) => self.count_shape(*shape),
            Node::Union(parts) => parts.iter().for_each(|shape| self.count_shape(*shape)),
            Node::List(records) => records.iter().for_each(|record| self.nodes.used(record.0)),
            Node::Ref(name) => self.texts.used(name.0),
            Node::Record(columns) => {
                for (_, value) in columns {
                    match value {
                        Value::Number(_) | Value::Prose(_) => {}
                        Value::Text(text) | Value::MaybeText(text) => self.texts.used(text.0),
                        Value::Node(node) => self.nodes.used(node.0),
                        Value::Shape(shape) => self.count_shape(*shape),
                    }
                }
            }
        }
    }

    fn count_shape(&mut self, shape: ShapeRef) {
        if let ShapeRef::Cell(node) = shape {
            self.nodes.used(node.0);
        }
    }
}

/// A record in the making: what is empty or 0 is left out.
#[derive(Debug, Default)]
pub struct Row(Vec<(u32, Value)>);

impl Row {
    /// A column with this value.
    pub fn with(mut self, column: u32, value: Value) -> Self {
        let nothing = matches!(
            value,
            Value::Number(0)
                | Value::Text(Graph::EMPTY)
                | Value::Prose(Graph::EMPTY)
                | Value::Shape(ShapeRef::Simple(0))
        );
        if !nothing {
            self.0.push((column, value));
        }
        self
    }

    /// A column with a list, where it has any entry.
    pub fn maybe(self, column: u32, node: Option<NodeId>) -> Self {
        match node {
            Some(node) => self.with(column, Value::Node(node)),
            None => self,
        }
    }

    /// The cell, its columns sorted.
    pub fn node(mut self) -> Node {
        self.0.sort_by_key(|(column, _)| *column);
        Node::Record(self.0)
    }
}
