//! The check of every cell, for whoever does not trust the bytes (the build, a test): no cursor of a table that
//! passed finds anything damaged, and no walk through one takes longer than [`STEPS`] allows.

use super::heap::Heap;
use super::index;
use super::items::{Item, Items, Texts};
use super::operation::{Alias, Meaning, Operation, Trigger};
use super::request::{EventType, Object, Request};
use super::resource::Resource;
use crate::failure::Damaged;
use crate::layout::{
    Column, DEPTH, FIELD_FLAGS, FIRST_CELL, STEPS, Section, WORD, advice, alias, auth_method, checksum, code,
    connection_field, event, header, object, operation, pair, permission, request, resource, tag, trigger,
};

/// The sections that hold records, and what these are.
const RECORDS: [(Section, &[Column]); 12] = [
    (Section::Constants, pair::COLUMNS),
    (Section::AuthMethods, auth_method::COLUMNS),
    (Section::ConnectionFields, connection_field::COLUMNS),
    (Section::Permissions, permission::COLUMNS),
    (Section::Advice, advice::COLUMNS),
    (Section::Requests, request::COLUMNS),
    (Section::Objects, object::COLUMNS),
    (Section::Events, event::COLUMNS),
    (Section::Operations, operation::COLUMNS),
    (Section::Aliases, alias::COLUMNS),
    (Section::Triggers, trigger::COLUMNS),
    (Section::Resources, resource::COLUMNS),
];

/// Checks the checksum, every record and what it refers to, and every index.
pub fn verify(heap: Heap<'_>) -> Result<(), Damaged> {
    if checksum(heap.after(header::SUMMED)) != heap.checksum() {
        return Err(Damaged { what: "its bytes are not those that were written", at: header::CHECKSUM });
    }
    let mut check = Check { heap, steps: 0 };
    for (section, columns) in RECORDS {
        for word in Items::<&str>::section(heap, section).words() {
            check.record(word, columns)?;
        }
    }
    check.orders()?;
    check.indexes()
}

struct Check<'t> {
    heap: Heap<'t>,
    /// How much was looked at, counted wherever it is used.
    steps: u32,
}

fn damaged<T>(what: &'static str, at: usize) -> Result<T, Damaged> {
    Err(Damaged { what, at })
}

impl<'t> Check<'t> {
    fn step(&mut self, at: usize) -> Result<(), Damaged> {
        self.steps += 1;
        if self.steps > STEPS { damaged("it spells out more than it may", at) } else { Ok(()) }
    }

    fn number(&self, at: usize) -> Result<(u32, usize), Damaged> {
        self.heap.number(at).ok_or(Damaged { what: "a number does not end", at })
    }

    fn word(&self, at: usize) -> Result<u32, Damaged> {
        self.heap.word(at).ok_or(Damaged { what: "a list does not end", at })
    }

    fn text(&mut self, reference: u32, at: usize) -> Result<(), Damaged> {
        self.step(at)?;
        if self.heap.text(reference).is_none() { damaged("there is no such text", at) } else { Ok(()) }
    }

    /// A text in a list, and the place behind it there.
    fn listed_text(&mut self, at: usize, before: u32) -> Result<(u32, usize), Damaged> {
        let found = self.heap.listed_text(at, before).ok_or(Damaged { what: "a list of texts does not end", at })?;
        self.text(found.0, at)?;
        Ok(found)
    }

    fn record(&mut self, cell: u32, columns: &[Column]) -> Result<(), Damaged> {
        let start = self.heap.cell(cell);
        self.step(start)?;
        let (mut present, mut at) = self.number(start)?;
        for column in columns {
            if present & 1 == 1 {
                let (value, next) = self.number(at)?;
                self.column(*column, value, at)?;
                at = next;
            }
            present >>= 1;
        }
        if present == 0 { Ok(()) } else { damaged("a record has columns that its kind has not", start) }
    }

    fn column(&mut self, column: Column, value: u32, at: usize) -> Result<(), Damaged> {
        if value == 0 {
            return damaged("a record keeps a column that is empty", at);
        }
        match column {
            Column::Text => self.text(value, at),
            Column::Prose => {
                self.step(at)?;
                if self.heap.prose(value).is_none() { damaged("there is no such prose", at) } else { Ok(()) }
            }
            Column::MaybeText => self.text(value - 1, at),
            Column::Code(end) if value >= end => damaged("a code is none of its list", at),
            Column::Code(_) => Ok(()),
            Column::Texts => self.texts(self.heap.cell(value), tag::TEXTS),
            Column::Fields => match self.number(self.heap.cell(value))? {
                (head, _) if head & tag::MASK == tag::OBJECT => self.shape(value.saturating_add(FIRST_CELL), at, 0),
                _ => damaged("a list of fields is something else", at),
            },
            Column::Shape => self.shape(value, at, 0),
            Column::Request if value as usize > Items::<Request<'_>>::section(self.heap, Section::Requests).len() => {
                damaged("there is no such request", at)
            }
            Column::Request => Ok(()),
            Column::List(columns) => {
                let (count, mut at) = self.number(self.heap.cell(value))?;
                for _ in 0..count {
                    self.record(self.word(at)?, columns)?;
                    at += WORD;
                }
                Ok(())
            }
        }
    }

    fn texts(&mut self, start: usize, tag: u32) -> Result<(), Damaged> {
        let (head, mut at) = self.number(start)?;
        if head & tag::MASK != tag {
            return damaged("a list of texts is something else", start);
        }
        let mut before = 0;
        for _ in 0..head >> tag::BITS {
            (before, at) = self.listed_text(at, before)?;
        }
        Ok(())
    }

    /// A shape that a place refers to and that lies in so many others.
    fn shape(&mut self, shape: u32, from: usize, depth: u32) -> Result<(), Damaged> {
        self.step(from)?;
        if depth >= DEPTH {
            return damaged("shapes lie too deep in each other", from);
        }
        let Some(cell) = shape.checked_sub(FIRST_CELL) else {
            return if shape <= code::LAST { Ok(()) } else { damaged("there is no such shape", from) };
        };
        let start = self.heap.cell(cell);
        let (head, mut at) = self.number(start)?;
        let rest = head >> tag::BITS;
        match head & tag::MASK {
            kind @ (tag::ENUM | tag::EXPANDABLE) => self.texts(start, kind),
            tag::ARRAY | tag::MAP | tag::LIST | tag::SEARCH | tag::PAGES => self.inner(rest, shape, start, depth),
            tag::OBJECT => {
                let mut before = 0;
                for _ in 0..rest {
                    (before, at) = self.listed_text(at, before)?;
                    let (kind, next) = self.number(at)?;
                    self.inner(kind >> FIELD_FLAGS, shape, at, depth)?;
                    at = next;
                }
                Ok(())
            }
            tag::UNION => {
                for _ in 0..rest {
                    self.inner(self.word(at)?, shape, at, depth)?;
                    at += WORD;
                }
                Ok(())
            }
            tag::REF => self.text(rest, start),
            _ => damaged("there is no such kind of shape", start),
        }
    }

    /// A shape in another one, which must lie behind it.
    fn inner(&mut self, shape: u32, outer: u32, from: usize, depth: u32) -> Result<(), Damaged> {
        if shape < outer { self.shape(shape, from, depth + 1) } else { damaged("a shape lies in itself", from) }
    }

    /// What is listed lies in the order in which it is listed, and what is searched in its own order is sorted.
    fn orders(&self) -> Result<(), Damaged> {
        for (section, _) in RECORDS {
            if !Items::<&str>::section(self.heap, section).words().is_sorted_by(|a, b| a < b) {
                return damaged("records are not in their order", self.heap.section(section).0);
            }
        }
        self.sorted(Section::Constants, |(name, _): (&str, &str)| name)?;
        self.sorted(Section::Requests, Request::id)?;
        self.sorted(Section::Objects, Object::name)?;
        self.sorted(Section::Events, EventType::name)?;
        self.sorted(Section::Aliases, Alias::name)?;
        for operation in Items::<Operation<'_>>::section(self.heap, Section::Operations) {
            if !operation.meanings().iter().map(Meaning::path).is_sorted() {
                return damaged("meanings are not sorted", self.heap.section(Section::Operations).0);
            }
        }
        Ok(())
    }

    fn sorted<T: Item<'t>>(&self, section: Section, key: impl Fn(T) -> &'t str) -> Result<(), Damaged> {
        let sorted = Items::<T>::section(self.heap, section).iter().map(key).is_sorted();
        if sorted { Ok(()) } else { damaged("a section is not sorted", self.heap.section(section).0) }
    }

    /// Each index finds everything that it shall find, and nothing else.
    fn indexes(&self) -> Result<(), Damaged> {
        let names = |it: Operation<'t>| (Some(it.id()), it.aliases());
        self.index(Section::Operations, (Section::OperationNames, Section::NamedOperations), names)?;
        let names = |it: Trigger<'t>| (Some(it.id()), it.aliases());
        self.index(Section::Triggers, (Section::TriggerNames, Section::NamedTriggers), names)?;
        let prefixes = |it: Resource<'t>| (None, it.id_prefixes());
        self.index(Section::Resources, (Section::IdPrefixes, Section::PrefixedResources), prefixes)?;
        self.by_key(Section::Triggers, Section::TriggersByEvent, Trigger::event)?;
        self.by_key(Section::Resources, Section::ResourcesByName, Resource::name)?;
        self.by_key(Section::Resources, Section::ResourcesByObject, Resource::object)
    }

    /// An index of names, and of the things that they mean: things of one name stand as they are listed.
    fn index<T: Item<'t>>(
        &self,
        listed: Section,
        (names, targets): (Section, Section),
        names_of: impl Fn(T) -> (Option<&'t str>, Texts<'t>),
    ) -> Result<(), Damaged> {
        let at = self.heap.section(names).0;
        let listed = Items::<T>::section(self.heap, listed);
        let keys = Items::<&str>::section(self.heap, names);
        let found = Items::<T>::section(self.heap, targets);
        if keys.len() != found.len() || keys.words().any(|word| self.heap.text(word).is_none()) {
            return damaged("an index has names that are none, or of nothing", at);
        }
        if !keys.iter().zip(found.words()).is_sorted_by(|a, b| a < b) {
            return damaged("an index is not sorted", at);
        }
        for (name, word) in keys.iter().zip(found.words()) {
            let (id, others) = names_of(T::of(self.heap, word));
            if !listed.has_word(word) || (id != Some(name) && !others.contains(name)) {
                return damaged("an index finds a thing by a name that it has not", at);
            }
        }
        for word in listed.words() {
            let (id, others) = names_of(T::of(self.heap, word));
            // Only a prefix can be empty and stand in no index.
            for name in id.into_iter().chain(others.iter().filter(|name| id.is_some() || !name.is_empty())) {
                if !index::named::<T>(self.heap, names, targets, name).has_word(word) {
                    return damaged("an index does not find a thing by its name", at);
                }
            }
        }
        Ok(())
    }

    /// A section that has the things of another, sorted by a key.
    fn by_key<T: Item<'t>>(&self, listed: Section, sorted: Section, key: impl Fn(T) -> &'t str) -> Result<(), Damaged> {
        let at = self.heap.section(sorted).0;
        let listed = Items::<T>::section(self.heap, listed);
        let sorted = Items::<T>::section(self.heap, sorted);
        let keyed = sorted.words().map(|word| (key(T::of(self.heap, word)), word));
        // As many, each once, and each of them listed: so they are the same.
        let same = sorted.len() == listed.len() && sorted.words().all(|word| listed.has_word(word));
        if same && keyed.is_sorted_by(|a, b| a < b) {
            Ok(())
        } else {
            damaged("an index is not what is listed, sorted", at)
        }
    }
}
