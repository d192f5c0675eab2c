//! Resources and their internal mapping.

use super::items::{Items, Texts};
use super::record::cursors;
use super::request::Request;
use crate::layout::{mapping, resource};
use crate::names::ValueKind;

cursors! {
    /// A resource and its internal mapping.
    Resource, named by name {
        /// Its name, `customer`.
        name: text(resource::NAME) -> &'t str,
        /// Its title.
        title: text(resource::TITLE) -> &'t str,
        /// What the platform calls it.
        internal: text(resource::INTERNAL) -> &'t str,
        /// The name of its object schema, which is the value of `object` in its objects.
        object: text(resource::OBJECT) -> &'t str,
        /// How its ids begin.
        id_prefixes: texts(resource::ID_PREFIXES) -> Texts<'t>,
        /// The folder of its pages in the service's dashboard; empty for none.
        dashboard: text(resource::DASHBOARD) -> &'t str,
        /// Paths of which the first with a value is its label.
        label: texts(resource::LABEL) -> Texts<'t>,
        /// Paths of which the first with a value stands beside the label.
        detail: texts(resource::DETAIL) -> Texts<'t>,
        /// The parameters of the list of choices which must be known first, each an input field of the operation.
        choices_need: texts(resource::CHOICES_NEED) -> Texts<'t>,
        /// The fields that are searched.
        search_fields: texts(resource::SEARCH_FIELDS) -> Texts<'t>,
        /// How internal fields are filled.
        mapping: list(resource::MAPPING) -> Items<'t, Mapping<'t>>,
    }
    /// How one internal field is filled.
    Mapping, named by internal {
        /// The platform's name of it.
        internal: text(mapping::INTERNAL) -> &'t str,
        /// What it is.
        kind: case(mapping::KIND, ValueKind::from_code, ValueKind::Text) -> ValueKind,
        /// Where the value is: this API version's place first, then those of older versions.
        paths: texts(mapping::PATHS) -> Texts<'t>,
    }
}

impl<'t> Resource<'t> {
    /// The request that lists its choices.
    pub fn choices(self) -> Option<Request<'t>> {
        Request::named_in(self.0, resource::CHOICES)
    }

    /// The request that searches.
    pub fn search(self) -> Option<Request<'t>> {
        Request::named_in(self.0, resource::SEARCH)
    }

    /// The request that reads one by its id.
    pub fn retrieve(self) -> Option<Request<'t>> {
        Request::named_in(self.0, resource::RETRIEVE)
    }
}
