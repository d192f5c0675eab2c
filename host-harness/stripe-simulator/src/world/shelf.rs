//! The objects of one kind in one account, in the order that they were created.
//!
//! An object is kept as the JSON text that is sent: a read costs a reference count, and a million objects
//! cost little more than their text.

use std::hash::Hasher;

use bytes::Bytes;
use indexmap::IndexMap;

#[derive(Debug, Clone)]
struct Entry {
    text: Bytes,
    created: i64,
    listed: bool,
}

/// One object on a shelf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Where it stands in the order of creation.
    pub(crate) position: usize,
    /// The object as JSON.
    pub(crate) text: &'a Bytes,
    /// When it was created, in Unix seconds.
    pub(crate) created: i64,
}

/// Objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    entries: IndexMap<Box<str>, Entry>,
    listed: usize,
}

impl Shelf {
    pub(crate) fn get(&self, id: &str) -> Option<&Bytes> {
        self.entries.get(id).map(|e| &e.text).filter(|text| !text.is_empty())
    }

    /// Whether the id belongs to an object that is not deleted.
    pub(crate) fn lists(&self, id: &str) -> bool {
        self.entries.get(id).is_some_and(|e| e.listed)
    }

    /// How many objects are not deleted.
    pub(crate) fn count(&self) -> usize {
        self.listed
    }

    /// Feeds everything that is kept to a hash.
    pub(crate) fn hash(&self, into: &mut impl Hasher) {
        for entry in self.entries.values() {
            into.write(&entry.text);
            into.write_u8(u8::from(entry.listed));
        }
    }

    /// Where an object stands, deleted or not, as long as its id answers something.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.entries.get_full(id).filter(|(_, _, entry)| !entry.text.is_empty()).map(|(position, ..)| position)
    }

    /// Puts an object in its place, or at the end when the id is new.
    pub(crate) fn put(&mut self, id: &str, created: i64, text: Bytes) {
        let entry = Entry { text, created, listed: true };
        match self.entries.get_mut(id) {
            Some(kept) if kept.listed => *kept = entry,
            gone => {
                if gone.is_some() {
                    // An id that is given again is that of a new object.
                    self.entries.shift_remove(id);
                }
                self.entries.insert(id.into(), entry);
                self.listed += 1;
            }
        }
    }

    /// Takes an object out of lists. With a text, that is what its id answers from now on.
    pub(crate) fn remove(&mut self, id: &str, left: Option<Bytes>) {
        if let Some(entry) = self.entries.get_mut(id) {
            self.listed -= usize::from(entry.listed);
            entry.listed = false;
            entry.text = left.unwrap_or_default();
        }
    }

    /// The objects that are not deleted and stand before a position, newest first.
    pub(crate) fn before(&self, position: usize) -> impl Iterator<Item = Kept<'_>> {
        let end = position.min(self.entries.len());
        let before = self.entries.get_range(..end).map(|slice| slice.values()).unwrap_or_default();
        before.enumerate().rev().filter_map(kept)
    }

    /// The objects that are not deleted and stand after a position, oldest first.
    pub(crate) fn after(&self, position: usize) -> impl Iterator<Item = Kept<'_>> {
        self.entries.values().enumerate().skip(position.saturating_add(1)).filter_map(kept)
    }

    /// Every object that is not deleted, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Kept<'_>> {
        self.before(usize::MAX)
    }
}

fn kept((position, entry): (usize, &Entry)) -> Option<Kept<'_>> {
    entry.listed.then_some(Kept { position, text: &entry.text, created: entry.created })
}
