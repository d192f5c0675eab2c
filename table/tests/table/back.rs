//! From a table back to the model that it was written from.

use stripe_table::model::{self, Model};
use stripe_table::{Field, Fields, Shape, Table, Texts};

/// Everything that a table says, through its cursors.
pub fn model(table: Table<'_>) -> Model {
    Model {
        constants: table.constants().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        auth_methods: table
            .auth_methods()
            .iter()
            .map(|it| model::AuthMethod {
                name: it.name().into(),
                title: it.title().into(),
                kind: it.kind().into(),
                fields: texts(it.fields()),
                authorize_url: it.authorize_url().into(),
                token_url: it.token_url().into(),
                scopes: texts(it.scopes()),
                pkce: it.pkce(),
            })
            .collect(),
        connection_fields: table
            .connection_fields()
            .iter()
            .map(|it| model::ConnectionField {
                name: it.name().into(),
                kind: it.kind(),
                title: it.title().into(),
                help: it.help(),
                required: it.required(),
                placeholder: it.placeholder().into(),
                link: it.link().into(),
                default: it.default().into(),
            })
            .collect(),
        permissions: table
            .permissions()
            .iter()
            .map(|it| model::Permission {
                name: it.name().into(),
                title: it.title().into(),
                probe: request_id(it.probe()),
                triggers: it.triggers().into(),
            })
            .collect(),
        advice: table
            .advice()
            .iter()
            .map(|it| model::Advice { about: it.about(), of: texts(it.of()), hint: it.hint() })
            .collect(),
        requests: table
            .requests()
            .iter()
            .map(|it| model::Request {
                id: it.id().into(),
                method: it.method(),
                path: it.path().into(),
                encoding: it.encoding(),
                base: it.base(),
                read_only: it.read_only(),
                binary: it.binary(),
                permission: it.permission().into(),
                parameters: fields(it.parameters()),
                response: shape(it.response()),
            })
            .collect(),
        objects: table.objects().iter().map(|it| (it.name().to_owned(), fields(it.fields()))).collect(),
        events: table
            .events()
            .iter()
            .map(|it| model::EventType { name: it.name().into(), object: it.object().map(str::to_owned) })
            .collect(),
        operations: table.operations().iter().map(operation).collect(),
        aliases: table.aliases().iter().map(alias).collect(),
        triggers: table
            .triggers()
            .iter()
            .map(|it| model::Trigger {
                id: it.id().into(),
                title: it.title(),
                description: it.description(),
                resource: it.resource().into(),
                event: it.event().into(),
                aliases: texts(it.aliases()),
            })
            .collect(),
        resources: table.resources().iter().map(resource).collect(),
    }
}

fn alias(it: stripe_table::Alias<'_>) -> model::Alias {
    model::Alias {
        name: it.name().into(),
        operation: it.operation().into(),
        kind: it.kind(),
        inputs: pairs(it.inputs()),
        required: texts(it.required()),
        defaults: it.defaults().into(),
        filters: pairs(it.filters()),
        key: it.key().into(),
        outputs: pairs(it.outputs()),
        sample: it.sample(),
    }
}

fn pairs(pairs: stripe_table::Items<'_, (&str, &str)>) -> Vec<(String, String)> {
    pairs.iter().map(|(left, right)| (left.to_owned(), right.to_owned())).collect()
}

fn operation(it: stripe_table::Operation<'_>) -> model::Operation {
    model::Operation {
        id: it.id().into(),
        kind: it.kind(),
        title: it.title(),
        description: it.description(),
        resource: it.resource().into(),
        aliases: texts(it.aliases()),
        safety: it.safety(),
        request: request_id(it.request()),
        path_fields: texts(it.path_fields()),
        shown: texts(it.shown()),
        sample: it.sample(),
        defaults: it.defaults().into(),
        fixed: it.fixed().into(),
        hook: it.hook().into(),
        extra: fields(it.extra()),
        major_units: pairs(it.major_units()),
        one_of: texts(it.one_of()),
        inverse: it.inverse().into(),
        meanings: it
            .meanings()
            .iter()
            .map(|m| model::Meaning {
                path: m.path().into(),
                title: m.title(),
                help: m.help(),
                rule: m.rule(),
                picks: m.picks().into(),
            })
            .collect(),
    }
}

fn resource(it: stripe_table::Resource<'_>) -> model::Resource {
    model::Resource {
        name: it.name().into(),
        title: it.title().into(),
        internal: it.internal().into(),
        object: it.object().into(),
        id_prefixes: texts(it.id_prefixes()),
        dashboard: it.dashboard().into(),
        label: texts(it.label()),
        detail: texts(it.detail()),
        choices: request_id(it.choices()),
        choices_need: texts(it.choices_need()),
        search: request_id(it.search()),
        search_fields: texts(it.search_fields()),
        retrieve: request_id(it.retrieve()),
        mapping: it
            .mapping()
            .iter()
            .map(|m| model::Mapping { internal: m.internal().into(), kind: m.kind(), paths: texts(m.paths()) })
            .collect(),
    }
}

fn request_id(request: Option<stripe_table::Request<'_>>) -> String {
    request.map(|r| r.id().to_owned()).unwrap_or_default()
}

fn texts(of: Texts<'_>) -> Vec<String> {
    of.iter().map(str::to_owned).collect()
}

fn fields(of: Fields<'_>) -> Vec<model::Field> {
    of.iter().map(field).collect()
}

fn field(of: Field<'_>) -> model::Field {
    model::Field { name: of.name().into(), required: of.required(), nullable: of.nullable(), shape: shape(of.shape()) }
}

fn shape(of: Shape<'_>) -> model::Shape {
    match of {
        Shape::Any => model::Shape::Any,
        Shape::Boolean => model::Shape::Boolean,
        Shape::True => model::Shape::True,
        Shape::Integer => model::Shape::Integer,
        Shape::Timestamp => model::Shape::Timestamp,
        Shape::Amount => model::Shape::Amount,
        Shape::Number => model::Shape::Number,
        Shape::Decimal => model::Shape::Decimal,
        Shape::String => model::Shape::String,
        Shape::File => model::Shape::File,
        Shape::Enum(values) => model::Shape::Enum(texts(values)),
        Shape::Array(inner) => model::Shape::Array(Box::new(shape(inner.get()))),
        Shape::Map(inner) => model::Shape::Map(Box::new(shape(inner.get()))),
        Shape::Object(members) => model::Shape::Object(fields(members)),
        Shape::Union(parts) => model::Shape::Union(parts.iter().map(shape).collect()),
        Shape::Ref(name) => model::Shape::Ref(name.into()),
        Shape::Expandable(names) => model::Shape::Expandable(texts(names)),
        Shape::List(inner) => model::Shape::List(Box::new(shape(inner.get()))),
        Shape::Search(inner) => model::Shape::Search(Box::new(shape(inner.get()))),
        Shape::Pages(inner) => model::Shape::Pages(Box::new(shape(inner.get()))),
    }
}
