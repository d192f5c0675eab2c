//! Short ways to make the records that a caller fills in.

use super::bindings::exports::automation::connector::operations::{
    DescribeRequest, OperationFilter, OperationKind, SchemaDegree,
};
use super::bindings::exports::automation::connector::resources::ChoiceRequest;
use super::bindings::exports::automation::connector::triggers::{TriggerUse, WebhookRequest};

/// Every operation of the catalogue.
impl Default for OperationFilter {
    fn default() -> Self {
        Self { kind: None, resource: None, search: None, all: false }
    }
}

impl DescribeRequest {
    /// The operation of this id or alias, with the fields that a form shows first.
    #[must_use]
    pub fn shown(id: impl Into<String>) -> Self {
        Self { id: id.into(), kind: None, degree: SchemaDegree::Shown, input: None }
    }

    /// The operation of this id or alias, with every field.
    #[must_use]
    pub fn full(id: impl Into<String>) -> Self {
        Self { degree: SchemaDegree::Full, ..Self::shown(id) }
    }

    /// The one of this kind, where operations share the id.
    #[must_use]
    pub fn of_kind(mut self, kind: impl Into<Option<OperationKind>>) -> Self {
        self.kind = kind.into();
        self
    }

    /// As it is with this input so far, which is JSON text.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<String>) -> Self {
        self.input = Some(input.into());
        self
    }
}

impl ChoiceRequest {
    /// The first page of a resource, for no field in particular.
    #[must_use]
    pub fn of(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), for_field: None, search: None, cursor: None, limit: None }
    }
}

impl TriggerUse {
    /// Every event of a trigger.
    #[must_use]
    pub fn every(trigger: impl Into<String>) -> Self {
        Self::of(trigger, "{}")
    }

    /// The events of a trigger that pass a filter: its input, which is JSON text.
    #[must_use]
    pub fn of(trigger: impl Into<String>, input: impl Into<String>) -> Self {
        Self { trigger: trigger.into(), input: input.into() }
    }
}

impl WebhookRequest {
    /// A POST with this body, as services deliver events.
    #[must_use]
    pub fn post(path: impl Into<String>, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { method: "POST".to_owned(), path: path.into(), query: None, headers, body }
    }
}
