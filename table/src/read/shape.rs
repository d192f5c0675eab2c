//! Shapes of values, and the fields of objects.

use std::fmt;

use super::heap::Heap;
use super::items::{Item, Items, Texts};
use crate::layout::{FIELD_FLAGS, FIRST_CELL, NULLABLE, REQUIRED, code, tag};

/// What a value looks like; see [`crate::model::Shape`] for each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the model")]
pub enum Shape<'t> {
    Any,
    Boolean,
    True,
    Integer,
    Timestamp,
    Amount,
    Number,
    Decimal,
    String,
    File,
    Enum(Texts<'t>),
    Array(ShapeAt<'t>),
    Map(ShapeAt<'t>),
    Object(Fields<'t>),
    Union(Items<'t, Shape<'t>>),
    Ref(&'t str),
    Expandable(Texts<'t>),
    List(ShapeAt<'t>),
    Search(ShapeAt<'t>),
    Pages(ShapeAt<'t>),
}

impl<'t> Shape<'t> {
    /// Whether it is the empty string that unsets a value.
    pub fn is_empty_string(self) -> bool {
        match self {
            Self::Enum(values) => values.len() == 1 && values.first() == Some(""),
            _ => false,
        }
    }

    /// The shape of this code; anything, where the code is damaged.
    pub(super) fn of_code(heap: Heap<'t>, shape: u32) -> Self {
        Self::read(heap, shape).unwrap_or(Self::Any)
    }

    /// The shape of this code. Shapes inside another lie before it; that one which does not is damaged, and so
    /// no walk goes in circles.
    pub(super) fn read(heap: Heap<'t>, shape: u32) -> Option<Self> {
        let Some(cell) = shape.checked_sub(FIRST_CELL) else {
            return Some(match shape {
                code::BOOLEAN => Self::Boolean,
                code::TRUE => Self::True,
                code::INTEGER => Self::Integer,
                code::TIMESTAMP => Self::Timestamp,
                code::AMOUNT => Self::Amount,
                code::NUMBER => Self::Number,
                code::DECIMAL => Self::Decimal,
                code::STRING => Self::String,
                code::FILE => Self::File,
                _ => Self::Any,
            });
        };
        let at = heap.cell(cell);
        let (head, _) = heap.number(at)?;
        let rest = head >> tag::BITS;
        let inner = || (rest < shape).then_some(ShapeAt { heap, shape: rest });
        Some(match head & tag::MASK {
            tag::ENUM => Self::Enum(Texts::cell(heap, cell)),
            tag::ARRAY => Self::Array(inner()?),
            tag::MAP => Self::Map(inner()?),
            tag::OBJECT => Self::Object(Fields { heap, cell }),
            tag::UNION => {
                let parts = Items::counted(heap, at, tag::BITS);
                if !parts.words().all(|part| part < shape) {
                    return None;
                }
                Self::Union(parts)
            }
            tag::REF => Self::Ref(heap.text(rest)?),
            tag::EXPANDABLE => Self::Expandable(Texts::cell(heap, cell)),
            tag::LIST => Self::List(inner()?),
            tag::SEARCH => Self::Search(inner()?),
            tag::PAGES => Self::Pages(inner()?),
            _ => return None,
        })
    }
}

impl<'t> Item<'t> for Shape<'t> {
    fn of(heap: Heap<'t>, word: u32) -> Self {
        Self::of_code(heap, word)
    }
}

/// Where a shape is that lies in another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShapeAt<'t> {
    heap: Heap<'t>,
    shape: u32,
}

impl<'t> ShapeAt<'t> {
    /// The shape.
    pub fn get(self) -> Shape<'t> {
        Shape::of_code(self.heap, self.shape)
    }
}

impl fmt::Debug for ShapeAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The members of an object, or the parameters of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fields<'t> {
    heap: Heap<'t>,
    /// The reference of the object's cell; 0 where there is none.
    cell: u32,
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.len())
    }
}

impl<'t> Fields<'t> {
    pub(super) fn cell(heap: Heap<'t>, cell: u32) -> Self {
        Self { heap, cell }
    }

    /// How many there are, and the place of the first.
    fn head(self) -> (usize, usize) {
        if self.cell == 0 {
            return (0, 0);
        }
        let (head, at) = self.heap.number(self.heap.cell(self.cell)).unwrap_or_default();
        let len = (head >> tag::BITS) as usize;
        // Each takes at least two bytes, so more than that is damage.
        if len <= self.heap.left(at) / 2 { (len, at) } else { (0, at) }
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.head().0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The fields, in order.
    pub fn iter(self) -> FieldsIter<'t> {
        let (left, at) = self.head();
        FieldsIter { heap: self.heap, cell: self.cell, at, before: 0, left }
    }

    /// The field of this name.
    pub fn get(self, name: &str) -> Option<Field<'t>> {
        self.iter().find(|f| f.is_named(name))
    }
}

impl<'t> IntoIterator for Fields<'t> {
    type Item = Field<'t>;
    type IntoIter = FieldsIter<'t>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Goes through [`Fields`].
#[derive(Debug, Clone)]
pub struct FieldsIter<'t> {
    heap: Heap<'t>,
    cell: u32,
    at: usize,
    /// The reference of the name before.
    before: u32,
    left: usize,
}

impl<'t> Iterator for FieldsIter<'t> {
    type Item = Field<'t>;

    fn next(&mut self) -> Option<Field<'t>> {
        self.left = self.left.checked_sub(1)?;
        let Self { heap, cell, before, .. } = *self;
        let read = |at| {
            let (name, at) = heap.listed_text(at, before)?;
            let (kind, at) = heap.number(at)?;
            // What lies inside lies before; see `Shape::read`.
            let field = Field { heap, name, kind };
            ((kind >> FIELD_FLAGS) < cell.saturating_add(FIRST_CELL)).then_some((field, at))
        };
        let Some((field, next)) = read(self.at) else {
            self.left = 0;
            return None;
        };
        self.at = next;
        self.before = field.name;
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for FieldsIter<'_> {}

/// A named member of an object, or a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'t> {
    heap: Heap<'t>,
    name: u32,
    /// Its shape's code and its flags.
    kind: u32,
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name())
    }
}

impl<'t> Field<'t> {
    /// Its name on the wire.
    pub fn name(self) -> &'t str {
        self.heap.text(self.name).unwrap_or_default()
    }

    /// Whether this is its name; does without checking that the table's is UTF-8.
    fn is_named(self, name: &str) -> bool {
        self.heap.text_bytes(self.name).is_some_and(|(bytes, _)| bytes == name.as_bytes())
    }

    /// Whether it must be sent, or is always there.
    pub fn required(self) -> bool {
        self.kind & REQUIRED != 0
    }

    /// Whether it may be `null` in an answer.
    pub fn nullable(self) -> bool {
        self.kind & NULLABLE != 0
    }

    /// What its value looks like.
    pub fn shape(self) -> Shape<'t> {
        Shape::of_code(self.heap, self.kind >> FIELD_FLAGS)
    }
}
