//! The objects of one kind in one account, in the order that they were created.
//!
//! An object is kept as the JSON text that is sent: a read costs a reference count, and a million objects
//! cost little more than their text.

use std::collections::HashMap;
use std::hash::Hasher;

use bytes::Bytes;

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
    entries: Vec<Entry>,
    positions: HashMap<Box<str>, u32>,
}

impl Shelf {
    pub(crate) fn get(&self, id: &str) -> Option<&Bytes> {
        self.entry(id).map(|e| &e.text)
    }

    /// Whether the id belongs to an object that is not deleted.
    pub(crate) fn lists(&self, id: &str) -> bool {
        self.entry(id).is_some_and(|e| e.listed)
    }

    /// How many objects are not deleted.
    pub(crate) fn count(&self) -> usize {
        self.entries.iter().filter(|e| e.listed).count()
    }

    /// Feeds everything that is kept to a hash.
    pub(crate) fn hash(&self, into: &mut impl Hasher) {
        for entry in &self.entries {
            into.write(&entry.text);
            into.write_u8(u8::from(entry.listed));
        }
    }

    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).map(|p| *p as usize)
    }

    fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(self.position(id)?)
    }

    /// Puts an object in its place, or at the end when the id is new.
    pub(crate) fn put(&mut self, id: &str, created: i64, text: Bytes) {
        let position = self.position(id);
        if let Some(entry) = position.and_then(|p| self.entries.get_mut(p)) {
            *entry = Entry { text, created, listed: true };
            return;
        }
        // Past four thousand million objects of a kind memory ended long ago.
        let position = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.positions.insert(id.into(), position);
        self.entries.push(Entry { text, created, listed: true });
    }

    /// Takes an object out of lists. With a text, that is what its id answers from now on.
    pub(crate) fn remove(&mut self, id: &str, left: Option<Bytes>) {
        let Some(position) = self.position(id) else { return };
        if left.is_none() {
            self.positions.remove(id);
        }
        if let Some(entry) = self.entries.get_mut(position) {
            entry.listed = false;
            entry.text = left.unwrap_or_default();
        }
    }

    /// The objects that are not deleted and stand before a position, newest first.
    pub(crate) fn before(&self, position: usize) -> impl Iterator<Item = Kept<'_>> {
        let before = self.entries.get(..position).unwrap_or(&self.entries);
        before.iter().enumerate().rev().filter_map(kept)
    }

    /// The objects that are not deleted and stand after a position, oldest first.
    pub(crate) fn after(&self, position: usize) -> impl Iterator<Item = Kept<'_>> {
        self.entries.iter().enumerate().skip(position.saturating_add(1)).filter_map(kept)
    }

    /// Every object that is not deleted, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Kept<'_>> {
        self.before(usize::MAX)
    }
}

fn kept((position, entry): (usize, &Entry)) -> Option<Kept<'_>> {
    entry.listed.then_some(Kept { position, text: &entry.text, created: entry.created })
}
