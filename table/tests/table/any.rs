//! Any small model, as the build could make one.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use stripe_table::model::{
    Advice, Alias, AuthMethod, ConnectionField, EventType, Field, Mapping, Meaning, Model, Operation, Permission,
    Request, Resource, Shape, Trigger,
};
use stripe_table::{About, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};

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
    (codes, (text(), text()), any::<bool>(), any::<bool>(), fields(), shape()).prop_map(
        move |((method, encoding, base), (path, permission), read_only, binary, parameters, response)| Request {
            id: id.clone(),
            method,
            path,
            encoding,
            base,
            read_only,
            binary,
            permission,
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
    let said = (text(), text(), text(), text(), text(), text(), text(), text(), text());
    let lists = (texts(), texts(), texts(), texts());
    let codes = (select(OperationKind::ALL), select(Safety::ALL), select(requests));
    (said, lists, codes, fields(), vec((text(), text()), 0..3), meanings()).prop_map(
        |(
            (id, title, description, resource, sample, defaults, fixed, hook, inverse),
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
            fixed,
            hook,
            extra,
            major_units,
            one_of,
            inverse,
            meanings,
        },
    )
}

fn alias() -> impl Strategy<Value = Alias> {
    let pairs = || vec((text(), text()), 0..3);
    let said = (text(), text(), text(), text());
    (text(), said, select(OperationKind::ALL), texts(), (pairs(), pairs(), pairs())).prop_map(
        |(name, (operation, defaults, key, sample), kind, required, (inputs, filters, outputs))| Alias {
            name,
            operation,
            kind,
            inputs,
            required,
            defaults,
            filters,
            key,
            outputs,
            sample,
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

fn connection(
    requests: Vec<String>,
) -> impl Strategy<Value = (Vec<AuthMethod>, Vec<ConnectionField>, Vec<Permission>)> {
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
    let permission = (text(), text(), select(requests), text()).prop_map(|(name, title, probe, triggers)| Permission {
        name,
        title,
        probe,
        triggers,
    });
    (vec(auth_method, 0..3), vec(field, 0..3), vec(permission, 0..3))
}

fn advice() -> impl Strategy<Value = Advice> {
    (select(About::ALL), texts(), text()).prop_map(|(about, of, hint)| Advice { about, of, hint })
}

/// Any small model: requests, events and meanings sorted and each there once.
pub fn model() -> impl Strategy<Value = Model> {
    btree_set(text(), 0..5).prop_flat_map(|ids| {
        let requests: Vec<_> = ids.iter().cloned().map(request).collect();
        let named: Vec<String> = ids.into_iter().chain([String::new()]).collect();
        let events = btree_map(text(), proptest::option::of(text()), 0..4);
        let operations = (vec(operation(named.clone()), 0..5), btree_map(text(), alias(), 0..3));
        let resources = vec(resource(named.clone()), 0..5);
        let objects = btree_map(text(), fields(), 0..4);
        let listed = (operations, vec(trigger(), 0..5), resources);
        (requests, btree_map(text(), text(), 0..4), objects, events, listed, connection(named), vec(advice(), 0..3))
            .prop_map(
                |(requests, constants, objects, events, (operations, triggers, resources), connection, advice)| {
                    let (auth_methods, connection_fields, permissions) = connection;
                    let (operations, aliases) = operations;
                    let aliases = aliases.into_iter().map(|(name, alias)| Alias { name, ..alias }).collect();
                    let events: BTreeMap<String, Option<String>> = events;
                    Model {
                        constants,
                        auth_methods,
                        connection_fields,
                        permissions,
                        advice,
                        requests,
                        objects,
                        events: events.into_iter().map(|(name, object)| EventType { name, object }).collect(),
                        operations,
                        aliases,
                        triggers,
                        resources,
                    }
                },
            )
    })
}
