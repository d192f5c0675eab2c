//! Fills the table's model from a catalogue that was checked. What a check would have refused is left out here.
//!
//! Constants of the model, by name: `id`, `title`, `version`, `api_version`; `call_timeout_ms`,
//! `first_byte_timeout_ms`, `between_bytes_timeout_ms`, `response_bytes`, `input_bytes`, `file_bytes`; `base.api`, `base.files`,
//! `base.meter_events`, the addresses of the API's hosts.

use std::collections::BTreeMap;

use stripe_table::model::{
    Advice, Alias, AuthMethod, ConnectionField, Mapping, Model, Operation, Permission, Resource, Trigger,
};
use stripe_table::{About, OperationKind, ValueKind};
use toml::Spanned;

use crate::api::Api;
use crate::catalogue::{self, Catalogue, Level, in_order};
use crate::inputs::{extra, inputs, paths};
use crate::json;
use crate::manifest::Connection;
use crate::meanings::Entries;
use crate::requests::placeholders;

/// The model of a catalogue and an API.
pub fn compile(catalogue: &Catalogue, api: Api) -> Model {
    let operations = operations(catalogue, &api);
    let aliases = aliases(catalogue);
    let resources = catalogue.resources.iter().map(|r| resource(r, &api)).collect();
    let permissions = catalogue.permissions.permissions.iter().map(|p| permission(p, &api)).collect();
    let Api { mut requests, objects, events, .. } = api;
    requests.sort_by(|a, b| a.id.cmp(&b.id));
    let connection = &catalogue.manifest.connection;
    Model {
        constants: constants(catalogue),
        auth_methods: auth_methods(connection),
        connection_fields: connection_fields(connection),
        permissions,
        advice: advice(&catalogue.errors),
        requests,
        objects,
        events,
        operations,
        aliases,
        triggers: catalogue.resources.iter().flat_map(triggers).collect(),
        resources,
    }
}

fn constants(catalogue: &Catalogue) -> BTreeMap<String, String> {
    let (connector, limits) = (&catalogue.manifest.connector, &catalogue.manifest.limits);
    let own = [
        ("id", connector.id.clone()),
        ("title", connector.title.clone()),
        ("version", connector.version.get_ref().clone()),
        ("api_version", connector.api_version.get_ref().clone()),
        ("call_timeout_ms", limits.call_timeout_ms.to_string()),
        ("first_byte_timeout_ms", limits.first_byte_timeout_ms.to_string()),
        ("between_bytes_timeout_ms", limits.between_bytes_timeout_ms.to_string()),
        ("response_bytes", (limits.response_mib * 1024 * 1024).to_string()),
        ("input_bytes", (limits.input_kib * 1024).to_string()),
        ("file_bytes", (limits.file_mib << 20).to_string()),
    ];
    let bases = catalogue.requests.bases.iter();
    let bases = bases.map(|(name, url)| (format!("base.{}", name.get_ref()), url.get_ref().clone()));
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(bases).collect()
}

fn auth_methods(connection: &Connection) -> Vec<AuthMethod> {
    let url = |url: &Option<Spanned<String>>| url.as_ref().map(|u| u.get_ref().clone()).unwrap_or_default();
    let method = |m: &crate::manifest::AuthMethod| AuthMethod {
        name: m.name.get_ref().clone(),
        title: m.title.clone(),
        kind: m.kind.get_ref().clone(),
        fields: texts(&m.fields),
        authorize_url: url(&m.authorize_url),
        token_url: url(&m.token_url),
        scopes: m.scopes.clone(),
        pkce: m.pkce,
    };
    connection.methods.iter().map(method).collect()
}

fn connection_fields(connection: &Connection) -> Vec<ConnectionField> {
    let field = |f: &crate::manifest::ConnectionField| ConnectionField {
        name: f.name.clone(),
        kind: f.kind.0,
        title: f.title.clone(),
        help: f.help.clone(),
        required: f.required,
        placeholder: f.placeholder.clone().unwrap_or_default(),
        link: f.link.clone().unwrap_or_default(),
        default: f.default.clone().unwrap_or_default(),
    };
    connection.fields.iter().map(field).collect()
}

fn permission(permission: &catalogue::Permission, api: &Api) -> Permission {
    Permission {
        name: permission.name.get_ref().clone(),
        title: permission.title.clone(),
        probe: request_id(permission.probe.as_ref(), api),
        triggers: match permission.triggers {
            Some(Level::Read) => "read".to_owned(),
            Some(Level::Write) => "write".to_owned(),
            None => String::new(),
        },
    }
}

/// What a message says goes first: it is the most exact.
fn advice(errors: &catalogue::Errors) -> Vec<Advice> {
    let hint = |about| {
        move |hint: &catalogue::Hint| Advice { about, of: texts(&hint.codes), hint: hint.hint.get_ref().clone() }
    };
    let message = |message: &catalogue::Message| Advice {
        about: About::Message,
        of: vec![message.has.get_ref().clone()],
        hint: message.hint.get_ref().clone(),
    };
    let declines = errors.declines.iter().map(hint(About::Decline));
    let codes = errors.errors.get_ref().iter().map(hint(About::Error));
    let exclusive = |it: &catalogue::Exclusive| Advice {
        about: About::Exclusive,
        of: it.fields.get_ref().clone(),
        hint: it.hint.get_ref().clone(),
    };
    let exclusives = errors.exclusives.iter().map(exclusive);
    exclusives.chain(errors.messages.iter().map(message)).chain(declines).chain(codes).collect()
}

/// Actions first, then queries, each in the order of the resources.
fn operations(catalogue: &Catalogue, api: &Api) -> Vec<Operation> {
    let mut all = Vec::new();
    for kind in [OperationKind::Action, OperationKind::Query] {
        for resource in &catalogue.resources {
            let table = if kind == OperationKind::Query { &resource.entry.queries } else { &resource.entry.actions };
            for (id, entry) in in_order(table) {
                all.extend(operation(catalogue, resource, (id.get_ref(), kind, entry), api));
            }
        }
    }
    all
}

fn operation(
    catalogue: &Catalogue,
    resource: &catalogue::Resource,
    (id, kind, entry): (&str, OperationKind, &catalogue::Operation),
    api: &Api,
) -> Option<Operation> {
    let request = api.find(entry.request.get_ref())?;
    let inputs = inputs(entry, request);
    let meanings = Entries::new(catalogue, resource, entry).resolve(&paths(&inputs));
    let plain = |name: &str| entry.aliases.iter().any(|a| a.get_ref() == name);
    let renaming = in_order(&catalogue.aliases).into_iter().filter(|(name, alias)| {
        let meant = catalogue.operation(alias.operation.get_ref()).map(|(operation, _)| operation);
        meant.is_some_and(|operation| std::ptr::eq(operation, entry)) && !plain(name.get_ref())
    });
    Some(Operation {
        id: id.to_owned(),
        kind,
        title: entry.title.clone(),
        description: entry.description.clone(),
        resource: resource.name.clone(),
        aliases: texts(&entry.aliases).into_iter().chain(renaming.map(|(name, _)| name.get_ref().clone())).collect(),
        safety: entry.safety.get_ref().0,
        request: request.id.clone(),
        path_fields: placeholders(entry.request.get_ref()).map(str::to_owned).collect(),
        shown: texts(&entry.show),
        sample: json::object(entry.sample.get_ref()),
        defaults: entry.defaults.as_ref().map(|d| json::object(d.get_ref())).unwrap_or_default(),
        fixed: entry.fixed.as_ref().map(|f| json::object(f.get_ref())).unwrap_or_default(),
        hook: entry.hook.as_ref().map(|h| h.get_ref().clone()).unwrap_or_default(),
        extra: extra(entry),
        major_units: pairs(&entry.major_units),
        one_of: texts(&entry.one_of),
        inverse: entry.inverse.as_ref().map(|i| i.get_ref().clone()).unwrap_or_default(),
        meanings,
    })
}

fn aliases(catalogue: &Catalogue) -> Vec<Alias> {
    let alias = |(name, entry): (&Spanned<String>, &catalogue::Alias)| {
        let (_, is_query) = catalogue.operation(entry.operation.get_ref())?;
        Some(Alias {
            name: name.get_ref().clone(),
            operation: entry.operation.get_ref().clone(),
            kind: if is_query { OperationKind::Query } else { OperationKind::Action },
            inputs: pairs(&entry.input),
            required: texts(&entry.required),
            defaults: entry.defaults.as_ref().map(|d| json::object(d.get_ref())).unwrap_or_default(),
            filters: pairs(&entry.filter),
            key: entry.idempotency_key.as_ref().map(|k| k.get_ref().clone()).unwrap_or_default(),
            outputs: pairs(&entry.output),
            sample: json::object(entry.sample.get_ref()),
        })
    };
    in_order(&catalogue.aliases).into_iter().filter_map(alias).collect()
}

fn pairs(table: &catalogue::Table<Spanned<String>>) -> Vec<(String, String)> {
    in_order(table).into_iter().map(|(name, value)| (name.get_ref().clone(), value.get_ref().clone())).collect()
}

fn triggers(resource: &catalogue::Resource) -> Vec<Trigger> {
    let trigger = |(id, entry): (&Spanned<String>, &catalogue::Trigger)| Trigger {
        id: id.get_ref().clone(),
        title: entry.title.clone(),
        description: entry.description.clone(),
        resource: resource.name.clone(),
        event: entry.event.get_ref().clone(),
        aliases: texts(&entry.aliases),
    };
    in_order(&resource.entry.triggers).into_iter().map(trigger).collect()
}

fn resource(resource: &catalogue::Resource, api: &Api) -> Resource {
    let entry = &resource.entry;
    let mapping = |(internal, mapping): (&Spanned<String>, &Spanned<String>)| {
        let (kind, places) = mapping.get_ref().split_once(' ')?;
        Some(Mapping {
            internal: internal.get_ref().clone(),
            kind: ValueKind::parse(kind).ok()?,
            paths: places.split(" | ").map(str::to_owned).collect(),
        })
    };
    Resource {
        name: resource.name.clone(),
        title: entry.title.clone(),
        internal: entry.internal.clone(),
        object: entry.object.get_ref().clone(),
        id_prefixes: texts(&entry.id_prefixes),
        dashboard: entry.dashboard.clone().unwrap_or_default(),
        label: texts(&entry.label),
        detail: texts(&entry.detail),
        choices: request_id(entry.choices.as_ref(), api),
        choices_need: texts(&entry.choices_need),
        search: request_id(entry.search.as_ref(), api),
        search_fields: texts(&entry.search_fields),
        retrieve: request_id(entry.retrieve.as_ref(), api),
        mapping: in_order(&entry.mapping).into_iter().filter_map(mapping).collect(),
    }
}

fn request_id(line: Option<&Spanned<String>>, api: &Api) -> String {
    line.and_then(|l| api.find(l.get_ref())).map(|r| r.id.clone()).unwrap_or_default()
}

fn texts(values: &[Spanned<String>]) -> Vec<String> {
    values.iter().map(|v| v.get_ref().clone()).collect()
}
