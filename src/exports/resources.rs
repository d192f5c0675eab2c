//! `resources`.

use super::exported::resources::{Choice, ChoicePage, ChoiceRequest, FieldMapping, Guest, ResourceType, ValueKind};
use super::{Component, types, wit};
use crate::{catalogue, choices};

impl Guest for Component {
    fn list() -> Vec<ResourceType> {
        let resources = catalogue::table().map(|t| t.resources().iter().map(resource_type).collect());
        resources.unwrap_or_default()
    }

    fn resolve(id: String) -> Option<String> {
        let resource = catalogue::table().ok()?.resource_of_id(&id)?;
        // A prefix alone is the id of nothing.
        (!resource.id_prefixes().contains(&id)).then(|| resource.name().into())
    }

    fn choices(context: wit::CallContext, request: ChoiceRequest) -> Result<ChoicePage, wit::Error> {
        let wanted = choices::Wanted {
            resource: &request.resource,
            for_field: request.for_field.as_ref().map(|f| choices::ForField {
                operation: &f.operation,
                field: &f.field,
                input: &f.input,
            }),
            search: request.search.as_deref(),
            cursor: request.cursor.as_deref(),
            limit: request.limit,
        };
        let page = choices::choices(&types::session(context)?, wanted)?;
        let choices = page.choices.into_iter().map(|c| Choice { value: c.value, label: c.label, detail: c.detail });
        Ok(ChoicePage { choices: choices.collect(), next_cursor: page.next_cursor, metadata: page.metadata.into() })
    }
}

fn resource_type(resource: catalogue::Resource<'static>) -> ResourceType {
    let filter = catalogue::Filter { resource: Some(resource.name()), limit: Some(1000), ..Default::default() };
    let operations = catalogue::list(&filter).map_or_else(|_| Vec::new(), |page| page.entries);
    ResourceType {
        name: resource.name().into(),
        internal: resource.internal().into(),
        title: resource.title().into(),
        id_prefixes: resource.id_prefixes().iter().map(Into::into).collect(),
        mapping: resource.mapping().iter().map(mapping).collect(),
        has_choices: resource.choices().is_some(),
        choices_need: resource.choices_need().iter().map(Into::into).collect(),
        operations: operations.into_iter().map(|e| e.id().into()).collect(),
    }
}

fn mapping(mapping: catalogue::Mapping<'static>) -> FieldMapping {
    FieldMapping {
        internal: mapping.internal().into(),
        external: mapping.paths().first().unwrap_or_default().into(),
        kind: match mapping.kind() {
            catalogue::ValueKind::Text => ValueKind::Text,
            catalogue::ValueKind::Integer => ValueKind::Integer,
            catalogue::ValueKind::Number => ValueKind::Other("number".to_owned()),
            catalogue::ValueKind::Boolean => ValueKind::Boolean,
            catalogue::ValueKind::Timestamp => ValueKind::Timestamp,
            catalogue::ValueKind::Money => ValueKind::Money,
            catalogue::ValueKind::Reference => ValueKind::Reference,
            catalogue::ValueKind::Labels => ValueKind::Labels,
        },
    }
}
