//! The table as its readers see it: what it lists, and what it finds.

use std::fmt;

use super::advice::Advice;
use super::connection::{AuthMethod, ConnectionField, Permission};
use super::heap::Heap;
use super::items::Items;
use super::operation::{Alias, Operation, Trigger};
use super::record::Record;
use super::request::{EventType, Object, Request};
use super::resource::Resource;
use super::shape::Fields;
use super::{index, verify};
use crate::failure::Damaged;
use crate::layout::{Section, WORD, pair};

/// Whether two texts are the same, for the compiler, which cannot compare them otherwise.
const fn same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, rest_of_one @ ..], [b, rest_of_other @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (rest_of_one, rest_of_other);
    }
    one.is_empty() && other.is_empty()
}

/// A table over its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Table<'t> {
    heap: Heap<'t>,
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({:?})", self.heap)
    }
}

impl<'t> Table<'t> {
    /// Opens a table: checks magic, format, length and the bounds of its sections, whatever its size.
    ///
    /// # Errors
    /// What is wrong with the frame.
    pub const fn open(bytes: &'t [u8]) -> Result<Self, Damaged> {
        match Heap::open(bytes) {
            Ok(heap) => Ok(Self { heap }),
            Err(damaged) => Err(damaged),
        }
    }

    /// Checks every cell: that references are in bounds, texts are UTF-8, what is searched is sorted and shapes are
    /// neither circular nor endless.
    ///
    /// # Errors
    /// The first cell that is damaged.
    pub fn verify(self) -> Result<(), Damaged> {
        verify::verify(self.heap)
    }

    /// A single text or number by its name; none where there is none. The compiler can look it up: they are few, so
    /// they are gone through.
    pub const fn constant(self, name: &str) -> Option<&'t str> {
        let (at, count) = self.heap.section(Section::Constants);
        let mut position = 0;
        while position < count {
            let Some(word) = self.heap.word(at + position * WORD) else { return None };
            let entry = Record::new(self.heap, word);
            if same(entry.text(pair::LEFT), name) {
                return Some(entry.text(pair::RIGHT));
            }
            position += 1;
        }
        None
    }

    /// Every single text and number with its name, sorted.
    pub fn constants(self) -> Items<'t, (&'t str, &'t str)> {
        Items::section(self.heap, Section::Constants)
    }

    /// The actions and queries, as they shall be listed.
    pub fn operations(self) -> Items<'t, Operation<'t>> {
        Items::section(self.heap, Section::Operations)
    }

    /// The operations whose id or alias this is: an action and a query may share one.
    pub fn operation(self, id_or_alias: &str) -> Items<'t, Operation<'t>> {
        index::named(self.heap, Section::OperationNames, Section::NamedOperations, id_or_alias)
    }

    /// The names of operations with fields of their own, sorted.
    pub fn aliases(self) -> Items<'t, Alias<'t>> {
        Items::section(self.heap, Section::Aliases)
    }

    /// The same by its name.
    pub fn alias(self, name: &str) -> Option<Alias<'t>> {
        self.aliases().with_key(name, Alias::name).first()
    }

    /// The triggers, as they shall be listed.
    pub fn triggers(self) -> Items<'t, Trigger<'t>> {
        Items::section(self.heap, Section::Triggers)
    }

    /// The trigger whose id or alias this is.
    pub fn trigger(self, id_or_alias: &str) -> Option<Trigger<'t>> {
        index::named(self.heap, Section::TriggerNames, Section::NamedTriggers, id_or_alias).first()
    }

    /// The triggers that fire at this event type, as they shall be listed.
    pub fn triggers_of_event(self, event: &str) -> Items<'t, Trigger<'t>> {
        Items::section(self.heap, Section::TriggersByEvent).with_key(event, Trigger::event)
    }

    /// The requests of the API, sorted by id.
    pub fn requests(self) -> Items<'t, Request<'t>> {
        Items::section(self.heap, Section::Requests)
    }

    /// A request by its id.
    pub fn request(self, id: &str) -> Option<Request<'t>> {
        self.requests().with_key(id, Request::id).first()
    }

    /// The object schemas, sorted by name.
    pub fn objects(self) -> Items<'t, Object<'t>> {
        Items::section(self.heap, Section::Objects)
    }

    /// The members of an object schema.
    pub fn object(self, name: &str) -> Option<Fields<'t>> {
        self.objects().with_key(name, Object::name).first().map(Object::fields)
    }

    /// The event types, sorted by name.
    pub fn events(self) -> Items<'t, EventType<'t>> {
        Items::section(self.heap, Section::Events)
    }

    /// An event type by its name.
    pub fn event(self, name: &str) -> Option<EventType<'t>> {
        self.events().with_key(name, EventType::name).first()
    }

    /// The resources, as they shall be listed.
    pub fn resources(self) -> Items<'t, Resource<'t>> {
        Items::section(self.heap, Section::Resources)
    }

    /// A resource by its name.
    pub fn resource(self, name: &str) -> Option<Resource<'t>> {
        Items::section(self.heap, Section::ResourcesByName).with_key(name, Resource::name).first()
    }

    /// The resource that has this object schema.
    pub fn resource_of_object(self, object: &str) -> Option<Resource<'t>> {
        Items::section(self.heap, Section::ResourcesByObject).with_key(object, Resource::object).first()
    }

    /// The resource whose ids begin as this one does: by the longest prefix that fits. An empty prefix fits nothing.
    pub fn resource_of_id(self, id: &str) -> Option<Resource<'t>> {
        let prefixes = Items::<&str>::section(self.heap, Section::IdPrefixes);
        // What an id begins with sorts before it, the longer the later.
        let before = prefixes.range(0, prefixes.partition_point(|p| p <= id));
        let begins_alike = |prefix: &&str| prefix.as_bytes().first() == id.as_bytes().first();
        let longest = before.iter().rev().take_while(begins_alike).find(|prefix| id.starts_with(prefix))?;
        index::named(self.heap, Section::IdPrefixes, Section::PrefixedResources, longest).first()
    }

    /// The ways to authenticate.
    pub fn auth_methods(self) -> Items<'t, AuthMethod<'t>> {
        Items::section(self.heap, Section::AuthMethods)
    }

    /// The connection form.
    pub fn connection_fields(self) -> Items<'t, ConnectionField<'t>> {
        Items::section(self.heap, Section::ConnectionFields)
    }

    /// What a restricted key may be allowed, in the order in which keys are shown.
    pub fn permissions(self) -> Items<'t, Permission<'t>> {
        Items::section(self.heap, Section::Permissions)
    }

    /// What to do about errors.
    pub fn advice(self) -> Items<'t, Advice<'t>> {
        Items::section(self.heap, Section::Advice)
    }
}
