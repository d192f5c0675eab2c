//! One value of a scanned text: what it is, what is within it, and how it is written.

use std::borrow::Cow;

use super::escape::Unescaped;
use super::plain::end_of_plain;
use super::tape::Place;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "JSON's own kinds")]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// One value. Texts that it gives live as long as the scanned text, `'a`; further nodes as long as its places, `'d`.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d, 'a> {
    text: &'a str,
    places: &'d [Place],
    start: u32,
    end: u32,
    /// The places within it.
    first: u32,
    after: u32,
}

impl<'d, 'a> Node<'d, 'a> {
    /// The value of a whole text, whose place is the first.
    pub(super) fn root(text: &'a str, places: &'d [Place]) -> Self {
        let nothing = Node { text: "null", places, start: 0, end: 4, first: 0, after: 0 };
        nothing.placed(0).map_or(nothing, |root| Node { text, ..root })
    }

    fn placed(self, index: usize) -> Option<Self> {
        let place = self.places.get(index)?;
        Some(Node { start: place.start, end: place.end, first: index as u32 + 1, after: place.next() as u32, ..self })
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        match self.text.as_bytes().get(self.start as usize) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// How it is written, without white space around it. It is JSON itself.
    pub fn raw(self) -> &'a str {
        self.text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// A member of an object; the first where several have this name.
    pub fn get(self, name: &str) -> Option<Self> {
        if !self.is_object() {
            return None;
        }
        let mut index = self.first as usize;
        while index < self.after as usize {
            let place = self.places.get(index)?;
            if is_named(self.text, place, name) {
                return self.placed(index);
            }
            index = place.next();
        }
        None
    }

    /// The value at `a.b.0.c`: members and, in arrays, places from 0.
    pub fn at(self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self, |node, part| match node.kind() {
            Kind::Array => node.items().nth(part.parse().ok()?),
            _ => node.get(part),
        })
    }

    /// The entries of an array; none of anything else.
    pub fn items(self) -> Items<'d, 'a> {
        let at = if self.is_array() { self.start as usize + 1 } else { self.end as usize };
        Items { array: self, at, next: self.first as usize }
    }

    /// The members of an object, in order; none of anything else.
    pub fn members(self) -> Members<'d, 'a> {
        let next = if self.is_object() { self.first } else { self.after };
        Members { object: self, next: next as usize }
    }

    /// A string as it reads.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        self.within_quotes().map(unescaped)
    }

    /// Whether it is this string.
    pub fn str_eq(self, text: &str) -> bool {
        self.within_quotes().is_some_and(|written| reads_as(written, text))
    }

    /// A string as it is written, between its quotes.
    fn within_quotes(self) -> Option<&'a str> {
        self.raw().strip_prefix('"')?.strip_suffix('"')
    }

    /// A whole number, written without fraction and exponent.
    pub fn as_i64(self) -> Option<i64> {
        (self.kind() == Kind::Number).then(|| self.raw().parse().ok())?
    }

    /// A whole number that is not negative, written without fraction and exponent.
    pub fn as_u64(self) -> Option<u64> {
        (self.kind() == Kind::Number).then(|| self.raw().parse().ok())?
    }

    /// True or false.
    pub fn as_bool(self) -> Option<bool> {
        match self.raw() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }
}

fn is_named(text: &str, place: &Place, name: &str) -> bool {
    match place.name_length() {
        Some(length) => {
            let start = place.name as usize;
            text.as_bytes().get(start..start + length) == Some(name.as_bytes())
        }
        None => reads_as(written_name(text, place), name),
    }
}

/// A name as it is written, between its quotes.
fn written_name<'a>(text: &'a str, place: &Place) -> &'a str {
    let start = place.name as usize;
    let end = match place.name_length() {
        Some(length) => start + length,
        None => end_of_string(text.as_bytes(), start),
    };
    text.get(start..end).unwrap_or_default()
}

/// Where the quote is that ends a string, from behind the one that begins it.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = end_of_plain(bytes, start);
    while bytes.get(at) == Some(&b'\\') {
        at = end_of_plain(bytes, at + 2);
    }
    at
}

fn unescaped(written: &str) -> Cow<'_, str> {
    if written.as_bytes().contains(&b'\\') {
        Cow::Owned(Unescaped::new(written).read())
    } else {
        Cow::Borrowed(written)
    }
}

fn reads_as(written: &str, text: &str) -> bool {
    // An escape is always longer than what it stands for, so that of equal lengths only plain text can be equal.
    match written.len() == text.len() {
        true => written == text && !written.as_bytes().contains(&b'\\'),
        false => written.len() > text.len() && Unescaped::new(written).is(text),
    }
}

/// See [`Node::items`].
#[derive(Debug, Clone)]
pub struct Items<'d, 'a> {
    array: Node<'d, 'a>,
    /// Where in the text it stands.
    at: usize,
    /// The place of the next object or array.
    next: usize,
}

impl<'d, 'a> Iterator for Items<'d, 'a> {
    type Item = Node<'d, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.array.text.as_bytes();
        let end = self.array.end as usize;
        let mut start = self.at;
        // The comma before it, too.
        while matches!(bytes.get(start), Some(b' ' | b'\n' | b'\r' | b'\t' | b',')) {
            start += 1;
        }
        let item = match bytes.get(start) {
            _ if start >= end => return None,
            Some(b']') | None => return None,
            Some(b'{' | b'[') => {
                let item = self.array.placed(self.next)?;
                self.next = item.after as usize;
                item
            }
            Some(b'"') => self.scalar(start, end_of_string(bytes, start + 1) + 1),
            Some(_) => {
                let rest = bytes.get(start..end).unwrap_or_default();
                let length = rest.iter().position(|b| matches!(b, b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
                self.scalar(start, start + length.unwrap_or(rest.len()))
            }
        };
        self.at = item.end as usize;
        Some(item)
    }
}

impl<'d, 'a> Items<'d, 'a> {
    /// An entry that has no place of its own.
    fn scalar(&self, start: usize, end: usize) -> Node<'d, 'a> {
        Node { start: start as u32, end: end as u32, first: 0, after: 0, ..self.array }
    }
}

/// See [`Node::members`].
#[derive(Debug, Clone)]
pub struct Members<'d, 'a> {
    object: Node<'d, 'a>,
    next: usize,
}

impl<'d, 'a> Iterator for Members<'d, 'a> {
    type Item = (Cow<'a, str>, Node<'d, 'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.object.after as usize {
            return None;
        }
        let place = self.object.places.get(self.next)?;
        let value = self.object.placed(self.next)?;
        self.next = place.next();
        Some((unescaped(written_name(self.object.text, place)), value))
    }
}
