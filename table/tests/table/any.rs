//! Any small model, as the build could make one.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use stripe_table::model::{
    AuthMethod, ConnectionField, EventType, Field, Mapping, Meaning, Model, Operation, Probe, Request, Resource, Shape,
    Trigger,
};
use stripe_table::{Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};

/// Texts of which many are alike, some are strange and some longer than one byte can say.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab_.]{0,3}",
        2 => "\\PC{0,12}",
        1 => "[a-z]{100,300}",
    ]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..4)
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        select(vec![
            Shape::Any,
            Shape::Boolean,
            Shape::True,
            Shape::Integer,
            Shape::Timestamp,
            Shape::Amount,
            Shape::Number,
            Shape::Decimal,
            Shape::String,
            Shape::File,
        ]),
        texts().prop_map(Shape::Enum),
        texts().prop_map(Shape::Expandable),
        text().prop_map(Shape::Ref),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Shape::Array),
            boxed.clone().prop_map(Shape::Map),
            boxed.clone().prop_map(Shape::List),
            boxed.clone().prop_map(Shape::Search),
            boxed.prop_map(Shape::Pages),
            vec(inner.clone(), 0..4).prop_map(Shape::Union),
            vec(field_of(inner), 0..4).prop_map(Shape::Object),
        ]
    })
}

fn field_of(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Field> {
    (text(), any::<bool>(), any::<bool>(), shape).prop_map(|(name, required, nullable, shape)| Field {
        name,
        required,
        nullable,
        shape,
    })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    vec(field_of(shape()), 0..4)
}

fn request(id: String) -> impl Strategy<Value = Request> {
    let codes = (select(Method::ALL), select(Encoding::ALL), select(Base::ALL));
    (codes, text(), any::<bool>(), any::<bool>(), fields(), shape()).prop_map(
        move |((method, encoding, base), path, read_only, binary, parameters, response)| Request {
            id: id.clone(),
            method,
            path,
            encoding,
            base,
            read_only,
            binary,
            parameters,
            response,
        },
    )
}

fn meanings() -> impl Strategy<Value = Vec<Meaning>> {
    let meaning = (text(), text(), proptest::option::of(select(Rule::ALL)), text());
    btree_map(text(), meaning, 0..4).prop_map(|by_path| {
        by_path
            .into_iter()
            .map(|(path, (title, help, rule, picks))| Meaning { path, title, help, rule, picks })
            .collect()
    })
}

fn operation(requests: Vec<String>) -> impl Strategy<Value = Operation> {
    let said = (text(), text(), text(), text(), text(), text(), text());
    let lists = (texts(), texts(), texts(), texts());
    let codes = (select(OperationKind::ALL), select(Safety::ALL), select(requests));
    (said, lists, codes, fields(), vec((text(), text()), 0..3), meanings()).prop_map(
        |(
            (id, title, description, resource, sample, defaults, hook),
            (aliases, path_fields, shown, one_of),
            (kind, safety, request),
            extra,
            major_units,
            meanings,
        )| Operation {
            id,
            kind,
            title,
            description,
            resource,
            aliases,
            safety,
            request,
            path_fields,
            shown,
            sample,
            defaults,
            hook,
            extra,
            major_units,
            one_of,
            meanings,
        },
    )
}

fn trigger() -> impl Strategy<Value = Trigger> {
    (text(), text(), text(), text(), text(), texts()).prop_map(|(id, title, description, resource, event, aliases)| {
        Trigger { id, title, description, resource, event, aliases }
    })
}

fn resource(requests: Vec<String>) -> impl Strategy<Value = Resource> {
    let said = (text(), text(), text(), text(), text());
    let lists = (texts(), texts(), texts(), texts(), texts());
    let request = select(requests);
    let mapping =
        (text(), select(ValueKind::ALL), texts()).prop_map(|(internal, kind, paths)| Mapping { internal, kind, paths });
    (said, lists, (request.clone(), request.clone(), request), vec(mapping, 0..3)).prop_map(
        |(
            (name, title, internal, object, dashboard),
            (id_prefixes, label, detail, choices_need, search_fields),
            (choices, search, retrieve),
            mapping,
        )| Resource {
            name,
            title,
            internal,
            object,
            id_prefixes,
            dashboard,
            label,
            detail,
            choices,
            choices_need,
            search,
            search_fields,
            retrieve,
            mapping,
        },
    )
}

fn connection(requests: Vec<String>) -> impl Strategy<Value = (Vec<AuthMethod>, Vec<ConnectionField>, Vec<Probe>)> {
    let auth_method = (text(), text(), text(), texts(), text(), text(), texts(), any::<bool>()).prop_map(
        |(name, title, kind, fields, authorize_url, token_url, scopes, pkce)| AuthMethod {
            name,
            title,
            kind,
            fields,
            authorize_url,
            token_url,
            scopes,
            pkce,
        },
    );
    let field = (text(), select(FieldKind::ALL), text(), text(), any::<bool>(), text(), text(), text()).prop_map(
        |(name, kind, title, help, required, placeholder, link, default)| ConnectionField {
            name,
            kind,
            title,
            help,
            required,
            placeholder,
            link,
            default,
        },
    );
    let probe = (text(), select(requests), texts()).prop_map(|(title, request, operations)| Probe {
        title,
        request,
        operations,
    });
    (vec(auth_method, 0..3), vec(field, 0..3), vec(probe, 0..3))
}

/// Any small model: requests, events and meanings sorted and each there once.
pub fn model() -> impl Strategy<Value = Model> {
    btree_set(text(), 0..5).prop_flat_map(|ids| {
        let requests: Vec<_> = ids.iter().cloned().map(request).collect();
        let named: Vec<String> = ids.into_iter().chain([String::new()]).collect();
        let events = btree_map(text(), proptest::option::of(text()), 0..4);
        let operations = vec(operation(named.clone()), 0..5);
        let resources = vec(resource(named.clone()), 0..5);
        let objects = btree_map(text(), fields(), 0..4);
        let listed = (operations, vec(trigger(), 0..5), resources);
        (requests, btree_map(text(), text(), 0..4), objects, events, listed, connection(named)).prop_map(
            |(requests, constants, objects, events, (operations, triggers, resources), connection)| {
                let (auth_methods, connection_fields, probes) = connection;
                let events: BTreeMap<String, Option<String>> = events;
                Model {
                    constants,
                    auth_methods,
                    connection_fields,
                    probes,
                    requests,
                    objects,
                    events: events.into_iter().map(|(name, object)| EventType { name, object }).collect(),
                    operations,
                    triggers,
                    resources,
                }
            },
        )
    })
}
