//! Lists: of records ([`Items`]) and of texts ([`Texts`]).

use std::fmt;
use std::marker::PhantomData;

use super::heap::Heap;
use crate::layout::{Section, WORD, tag};

/// What a list can hold; nobody else implements it.
pub trait Item<'t>: Copy {
    /// The item that this word means.
    #[doc(hidden)]
    fn of(heap: Heap<'t>, word: u32) -> Self;
}

/// A list that knows its length and reads any entry at once.
pub struct Items<'t, T> {
    heap: Heap<'t>,
    at: usize,
    len: usize,
    of: PhantomData<T>,
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<'_, T> {}

/// Two are equal when they are the same list of one table.
impl<T> PartialEq for Items<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.heap == other.heap && (self.len == other.len) && (self.at == other.at || self.len == 0)
    }
}

impl<T> Eq for Items<'_, T> {}

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", self.len)
    }
}

impl<'t, T: Item<'t>> Items<'t, T> {
    /// The words at a place, as far as there is room for them.
    fn new(heap: Heap<'t>, at: usize, len: usize) -> Self {
        let len = if len <= heap.left(at) / WORD { len } else { 0 };
        Self { heap, at, len, of: PhantomData }
    }

    pub(super) fn section(heap: Heap<'t>, section: Section) -> Self {
        let (at, len) = heap.section(section);
        Self::new(heap, at, len)
    }

    /// The list with this reference.
    pub(super) fn cell(heap: Heap<'t>, reference: u32) -> Self {
        if reference == 0 {
            return Self::new(heap, 0, 0);
        }
        let (len, at) = heap.number(heap.cell(reference)).unwrap_or_default();
        Self::new(heap, at, len as usize)
    }

    /// The list whose count, after `shift` bits of something else, stands at this place.
    pub(super) fn counted(heap: Heap<'t>, at: usize, shift: u32) -> Self {
        let (head, at) = heap.number(at).unwrap_or_default();
        Self::new(heap, at, (head >> shift) as usize)
    }

    /// How many entries it has.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The entry at a position.
    pub fn get(self, position: usize) -> Option<T> {
        self.word(position).map(|word| T::of(self.heap, word))
    }

    /// The first entry.
    pub fn first(self) -> Option<T> {
        self.get(0)
    }

    /// The entries, in order.
    pub fn iter(self) -> ItemsIter<'t, T> {
        ItemsIter { items: self, front: 0, back: self.len }
    }

    fn word(self, position: usize) -> Option<u32> {
        if position < self.len { self.heap.word(self.at + position * WORD) } else { None }
    }

    /// What its entries are in the bytes.
    pub(super) fn words(self) -> impl Iterator<Item = u32> {
        (0..self.len).map_while(move |position| self.word(position))
    }

    /// Whether one of its entries is this in the bytes, where they ascend.
    pub(super) fn has_word(self, word: u32) -> bool {
        let at = self.first_not(|position| self.word(position).is_some_and(|w| w < word));
        self.word(at) == Some(word)
    }

    /// The entries from one position to before another.
    pub(super) fn range(self, from: usize, to: usize) -> Self {
        let to = to.min(self.len);
        let from = from.min(to);
        Self { at: self.at + from * WORD, len: to - from, ..self }
    }

    /// The first position whose entry is not `before`, where all that are stand first.
    pub(super) fn partition_point(self, before: impl Fn(T) -> bool) -> usize {
        self.first_not(|position| self.get(position).is_some_and(&before))
    }

    fn first_not(self, before: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The entries with this key, where the list is sorted by it.
    pub(super) fn with_key(self, key: &str, of: impl Fn(T) -> &'t str) -> Self {
        let (from, to) = self.positions_of(key, of);
        self.range(from, to)
    }

    /// Where the entries with this key begin and end, where the list is sorted by it. There are few of one key, so
    /// only their begin is searched.
    pub(super) fn positions_of(self, key: &str, of: impl Fn(T) -> &'t str) -> (usize, usize) {
        let from = self.partition_point(|item| of(item) < key);
        let alike = self.range(from, self.len).iter().take_while(|item| of(*item) == key).count();
        (from, from + alike)
    }
}

impl<'t, T: Item<'t>> IntoIterator for Items<'t, T> {
    type Item = T;
    type IntoIter = ItemsIter<'t, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Goes through [`Items`].
#[derive(Debug, Clone)]
pub struct ItemsIter<'t, T> {
    items: Items<'t, T>,
    front: usize,
    back: usize,
}

impl<'t, T: Item<'t>> Iterator for ItemsIter<'t, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.front >= self.back {
            return None;
        }
        let item = self.items.get(self.front)?;
        self.front += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back.saturating_sub(self.front);
        (left, Some(left))
    }

    fn nth(&mut self, skip: usize) -> Option<T> {
        self.front = self.front.saturating_add(skip).min(self.back);
        self.next()
    }
}

impl<'t, T: Item<'t>> DoubleEndedIterator for ItemsIter<'t, T> {
    fn next_back(&mut self) -> Option<T> {
        if self.front >= self.back {
            return None;
        }
        self.back -= 1;
        self.items.get(self.back)
    }
}

impl<'t, T: Item<'t>> ExactSizeIterator for ItemsIter<'t, T> {}

impl<'t> Item<'t> for &'t str {
    fn of(heap: Heap<'t>, word: u32) -> Self {
        heap.text(word).unwrap_or_default()
    }
}

/// A list of texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Texts<'t> {
    heap: Heap<'t>,
    /// The place of its cell; 0 for the empty list.
    at: usize,
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.len())
    }
}

impl<'t> Texts<'t> {
    pub(super) fn cell(heap: Heap<'t>, reference: u32) -> Self {
        Self { heap, at: if reference == 0 { 0 } else { heap.cell(reference) } }
    }

    /// How many there are, and the place of the first.
    fn head(self) -> (usize, usize) {
        if self.at == 0 {
            return (0, 0);
        }
        let (head, at) = self.heap.number(self.at).unwrap_or_default();
        let len = (head >> tag::BITS) as usize;
        // Each takes at least a byte, so more than that is damage.
        if len <= self.heap.left(at) { (len, at) } else { (0, at) }
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.head().0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The texts, in order.
    pub fn iter(self) -> TextsIter<'t> {
        let (left, at) = self.head();
        TextsIter { heap: self.heap, at, before: 0, left }
    }

    /// The text at a position; reads those before it.
    pub fn get(self, position: usize) -> Option<&'t str> {
        self.iter().nth(position)
    }

    /// The first text.
    pub fn first(self) -> Option<&'t str> {
        self.get(0)
    }

    /// Whether it has this text.
    pub fn contains(self, text: &str) -> bool {
        self.iter().any(|t| t == text)
    }
}

impl<'t> IntoIterator for Texts<'t> {
    type Item = &'t str;
    type IntoIter = TextsIter<'t>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Goes through [`Texts`].
#[derive(Debug, Clone)]
pub struct TextsIter<'t> {
    heap: Heap<'t>,
    at: usize,
    /// The reference of the text before.
    before: u32,
    left: usize,
}

impl<'t> Iterator for TextsIter<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        self.left = self.left.checked_sub(1)?;
        let found = self.heap.listed_text(self.at, self.before).and_then(|(reference, next)| {
            self.at = next;
            self.before = reference;
            self.heap.text(reference)
        });
        if found.is_none() {
            self.left = 0;
        }
        found
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for TextsIter<'_> {}
