//! A small model in which nothing is left out, as the tests that need one share it.

use stripe_table::model::{
    Advice, Alias, AuthMethod, ConnectionField, EventType, Field, Mapping, Meaning, Model, Operation, Permission,
    Request, Resource, Shape, Trigger,
};
use stripe_table::{About, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};

/// The texts of a list.
pub fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|t| (*t).to_owned()).collect()
}

/// A field that need not be sent and is not `null`.
pub fn field(name: &str, shape: Shape) -> Field {
    Field { name: name.into(), required: false, nullable: false, shape }
}

/// A request with nothing but an id.
pub fn request(id: &str) -> Request {
    Request {
        id: id.into(),
        method: Method::Get,
        path: String::new(),
        encoding: Encoding::Form,
        base: Base::Api,
        read_only: false,
        binary: false,
        permission: String::new(),
        parameters: Vec::new(),
        response: Shape::Any,
    }
}

/// An operation with nothing but an id and aliases.
pub fn operation(id: &str, aliases: &[&str]) -> Operation {
    Operation {
        id: id.into(),
        kind: OperationKind::Query,
        title: String::new(),
        description: String::new(),
        resource: String::new(),
        aliases: texts(aliases),
        safety: Safety::Read,
        request: String::new(),
        path_fields: Vec::new(),
        shown: Vec::new(),
        sample: String::new(),
        defaults: String::new(),
        fixed: String::new(),
        hook: String::new(),
        extra: Vec::new(),
        major_units: Vec::new(),
        one_of: Vec::new(),
        inverse: String::new(),
        meanings: Vec::new(),
    }
}

/// A trigger with nothing but an id, an event and aliases.
pub fn trigger(id: &str, event: &str, aliases: &[&str]) -> Trigger {
    Trigger {
        id: id.into(),
        title: String::new(),
        description: String::new(),
        resource: String::new(),
        event: event.into(),
        aliases: texts(aliases),
    }
}

/// A resource with nothing but a name, an object and prefixes.
pub fn resource(name: &str, object: &str, id_prefixes: &[&str]) -> Resource {
    Resource {
        name: name.into(),
        title: String::new(),
        internal: String::new(),
        object: object.into(),
        id_prefixes: texts(id_prefixes),
        dashboard: String::new(),
        label: Vec::new(),
        detail: Vec::new(),
        choices: String::new(),
        choices_need: Vec::new(),
        search: String::new(),
        search_fields: Vec::new(),
        retrieve: String::new(),
        mapping: Vec::new(),
    }
}

/// A model with something of everything.
pub fn model() -> Model {
    let boxed = |shape| Box::new(shape);
    let address = Shape::Object(vec![field("city", Shape::String), field("line1", Shape::String)]);
    Model {
        constants: [("api_version", "2026-10-28"), ("response_bytes", "16777216")]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        auth_methods: vec![AuthMethod {
            name: "oauth".into(),
            title: "Sign in".into(),
            kind: "oauth".into(),
            fields: texts(&["secret_key"]),
            authorize_url: "https://connect.example/authorize".into(),
            token_url: "https://connect.example/token".into(),
            scopes: texts(&["read_write"]),
            pkce: true,
        }],
        connection_fields: vec![ConnectionField {
            name: "secret_key".into(),
            kind: FieldKind::Text,
            title: "Key".into(),
            help: "From the dashboard".into(),
            required: true,
            placeholder: "sk_test_".into(),
            link: "https://dashboard.example".into(),
            default: "none".into(),
        }],
        permissions: vec![Permission {
            name: "customer".into(),
            title: "Customers".into(),
            probe: "v1.customers.list".into(),
            triggers: "read".into(),
        }],
        advice: vec![
            Advice { about: About::Error, of: texts(&["rate_limit", "lock_timeout"]), hint: "Wait.".into() },
            Advice { about: About::Message, of: texts(&["No such"]), hint: "Look.".into() },
        ],
        requests: vec![
            Request {
                method: Method::Post,
                path: "/v1/customers".into(),
                encoding: Encoding::Multipart,
                base: Base::Files,
                binary: true,
                permission: "customer".into(),
                parameters: vec![
                    field("address", Shape::Union(vec![address.clone(), Shape::Enum(texts(&[""]))])),
                    Field { required: true, ..field("amount", Shape::Amount) },
                    field("at", Shape::Timestamp),
                    field("expand", Shape::Array(boxed(Shape::String))),
                    field("file", Shape::File),
                    field("metadata", Shape::Map(boxed(Shape::String))),
                    field("rate", Shape::Decimal),
                    field("share", Shape::Number),
                ],
                response: Shape::Ref("customer".into()),
                ..request("v1.customers.create")
            },
            Request {
                path: "/v1/customers".into(),
                read_only: true,
                parameters: vec![field("limit", Shape::Integer)],
                response: Shape::List(boxed(Shape::Ref("customer".into()))),
                ..request("v1.customers.list")
            },
            Request {
                path: "/v1/customers/{customer}/sources/{id}".into(),
                response: Shape::Search(boxed(Shape::Pages(boxed(Shape::Any)))),
                ..request("v1.customers.sources.retrieve")
            },
        ],
        objects: [(
            "customer".to_owned(),
            vec![
                Field { nullable: true, ..field("address", address) },
                Field { required: true, ..field("deleted", Shape::True) },
                field("livemode", Shape::Boolean),
                field("owner", Shape::Expandable(texts(&["account", "customer"]))),
                field("status", Shape::Enum(texts(&["active", "inactive", "pending"]))),
            ],
        )]
        .into(),
        events: vec![
            EventType { name: "account.updated".into(), object: None },
            EventType { name: "customer.created".into(), object: Some("customer".into()) },
        ],
        operations: vec![
            Operation {
                title: "Create a customer".into(),
                description: "Adds a customer.".into(),
                resource: "customer".into(),
                kind: OperationKind::Action,
                safety: Safety::Create,
                request: "v1.customers.create".into(),
                path_fields: texts(&["customer", "source"]),
                shown: texts(&["amount", "address"]),
                sample: r#"{"amount":500}"#.into(),
                defaults: r#"{"at":0}"#.into(),
                fixed: r#"{"active":false}"#.into(),
                hook: "checkout-urls".into(),
                extra: vec![field("now", Shape::Boolean)],
                major_units: vec![("total".into(), "amount".into()), ("fee".into(), "fee_amount".into())],
                one_of: texts(&["total", "amount"]),
                inverse: "customer.delete".into(),
                meanings: vec![
                    Meaning {
                        path: "address.city".into(),
                        title: "City".into(),
                        help: "Where it is".into(),
                        rule: None,
                        picks: String::new(),
                    },
                    Meaning { path: "amount".into(), rule: Some(Rule::PositiveAmount), ..Meaning::default() },
                    Meaning { path: "customer".into(), picks: "customer".into(), ..Meaning::default() },
                ],
                ..operation("customer.create", &["create_customer"])
            },
            operation("customer.list", &["customers", "create_customer"]),
        ],
        aliases: vec![Alias {
            name: "new-customer".into(),
            operation: "customer.create".into(),
            kind: OperationKind::Action,
            inputs: vec![("town".into(), "address.city".into()), ("sum".into(), "amount".into())],
            required: texts(&["sum"]),
            defaults: r#"{"sum":5}"#.into(),
            filters: vec![("state".into(), "status".into())],
            key: "own".into(),
            outputs: vec![("customerId".into(), "id".into())],
            sample: "{}".into(),
        }],
        triggers: vec![
            Trigger {
                title: "New customer".into(),
                description: "When a customer is added.".into(),
                resource: "customer".into(),
                ..trigger("customer.created", "customer.created", &["new_customer"])
            },
            trigger("account.updated", "account.updated", &[]),
        ],
        resources: vec![
            Resource {
                title: "Customer".into(),
                internal: "contact".into(),
                dashboard: "customers".into(),
                label: texts(&["name", "email"]),
                detail: texts(&["id"]),
                choices: "v1.customers.list".into(),
                choices_need: texts(&["account"]),
                search: "v1.customers.list".into(),
                search_fields: texts(&["email"]),
                retrieve: "v1.customers.sources.retrieve".into(),
                mapping: vec![Mapping {
                    internal: "balance".into(),
                    kind: ValueKind::Money,
                    paths: texts(&["balance", "account_balance"]),
                }],
                ..resource("customer", "customer", &["cus_", "gcus_"])
            },
            resource("account", "account", &["acct_"]),
        ],
    }
}
