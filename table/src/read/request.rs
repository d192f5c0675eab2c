//! What the API has: its requests, the objects that they answer with, and its events.

use super::items::Items;
use super::record::{Record, cursors};
use super::shape::{Fields, Shape};
use crate::layout::{Section, event, object, request};
use crate::names::{Base, Encoding, Method};

cursors! {
    /// One HTTP operation of the API.
    Request, named by id {
        /// Its id, `v1.customers.create`; unique.
        id: text(request::ID) -> &'t str,
        /// The HTTP method.
        method: case(request::METHOD, Method::from_code, Method::Get) -> Method,
        /// The path with its placeholders.
        path: text(request::PATH) -> &'t str,
        /// How its parameters travel.
        encoding: case(request::ENCODING, Encoding::from_code, Encoding::Form) -> Encoding,
        /// Which host serves it.
        base: case(request::BASE, Base::from_code, Base::Api) -> Base,
        /// Whether it changes nothing, whatever its method.
        read_only: flag(request::READ_ONLY) -> bool,
        /// Whether its answer is a file and not JSON.
        binary: flag(request::BINARY) -> bool,
        /// The name of the permission that a restricted key needs for it; empty where none is known.
        permission: text(request::PERMISSION) -> &'t str,
        /// Its parameters other than those of the path.
        parameters: fields(request::PARAMETERS) -> Fields<'t>,
        /// What a success answers.
        response: shape(request::RESPONSE) -> Shape<'t>,
    }
    /// An object schema.
    Object, named by name {
        /// Its name.
        name: text(object::NAME) -> &'t str,
        /// Its members.
        fields: fields(object::FIELDS) -> Fields<'t>,
    }
    /// An event type of the API.
    EventType, named by name {
        /// `customer.created`.
        name: text(event::NAME) -> &'t str,
        /// The object schema that it is about, where that is known.
        object: maybe_text(event::OBJECT) -> Option<&'t str>,
    }
}

impl<'t> Request<'t> {
    /// The placeholders of the path, left to right.
    pub fn path_names(self) -> impl Iterator<Item = &'t str> + Clone + use<'t> {
        self.path().split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The request whose position, plus 1, is in a record's column.
    pub(super) fn named_in(record: Record<'t>, column: u32) -> Option<Self> {
        let position = record.number(column).checked_sub(1)?;
        Items::section(record.heap, Section::Requests).get(position as usize)
    }
}
