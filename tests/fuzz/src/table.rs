//! The table's reader on damaged bytes.

use std::collections::BTreeMap;

use stripe_table::model::{
    Advice, AuthMethod, ConnectionField, EventType, Field, Mapping, Meaning, Model, Operation, Permission, Request,
    Resource, Shape, Trigger,
};
use stripe_table::{
    About, Base, Encoding, FieldKind, Fields, Method, OperationKind, Rule, Safety, Table, Texts, ValueKind, write,
};

use crate::Target;

/// The table's reader.
pub const TARGET: Target =
    Target { name: "table", run, corpus, words: &["ApiT", "\0\0\0", "\u{7f}\u{7f}", "\0\0\u{1}"] };

/// Where a header keeps its checksum, and where begins what it is of.
const CHECKSUM: usize = 12;
const SUMMED: usize = 16;

fn run(bytes: &[u8]) {
    read(bytes);
    // The checksum finds most damage; behind it, everything else has to stand by itself.
    if let Some(summed) = bytes.get(SUMMED..) {
        let sum = summed.iter().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        let mut mended = bytes.to_vec();
        mended[CHECKSUM..SUMMED].copy_from_slice(&sum.to_le_bytes());
        read(&mended);
    }
}

fn read(bytes: &[u8]) {
    let Ok(table) = Table::open(bytes) else { return };
    let sound = table.verify();
    let mut walk = Walk { steps: 0 };
    walk.table(table);
    for (id, name) in [("customer.create", "customer"), ("", ""), ("cus_1", "\u{7f}"), ("v1.customers.create", "x")] {
        let found = (table.operation(id).len(), table.trigger(id), table.request(id), table.resource_of_id(id));
        let of_name = (table.resource(name), table.resource_of_object(name), table.object(name), table.event(name));
        std::hint::black_box((found, of_name, table.constant(name), table.triggers_of_event(id).len()));
    }
    if sound.is_ok() {
        for request in table.requests() {
            assert!(table.request(request.id()).is_some(), "{} is listed and not found", request.id());
        }
        for operation in table.operations() {
            assert!(!table.operation(operation.id()).is_empty(), "{} is listed and not found", operation.id());
        }
    }
}

/// Goes through everything. What is damaged may be spelled out without end, so a walk has one of its own.
struct Walk {
    steps: usize,
}

/// More than any table in the corpus spells out.
const STEPS: usize = 20_000;

impl Walk {
    fn goes_on(&mut self) -> bool {
        self.steps += 1;
        self.steps < STEPS
    }

    fn text(&mut self, text: &str) {
        self.goes_on();
        std::hint::black_box(text.len());
    }

    fn each<const N: usize>(&mut self, texts: [&str; N]) {
        texts.iter().for_each(|text| self.text(text));
    }

    fn texts(&mut self, texts: Texts<'_>) {
        for text in texts {
            if !self.goes_on() {
                return;
            }
            self.text(text);
        }
    }

    fn fields(&mut self, fields: Fields<'_>) {
        for field in fields {
            if !self.goes_on() {
                return;
            }
            self.text(field.name());
            std::hint::black_box((field.required(), field.nullable(), fields.get(field.name())));
            self.shape(field.shape());
        }
    }

    fn shape(&mut self, shape: stripe_table::Shape<'_>) {
        use stripe_table::Shape as S;
        if !self.goes_on() {
            return;
        }
        match shape {
            S::Enum(texts) | S::Expandable(texts) => self.texts(texts),
            S::Array(inner) | S::Map(inner) | S::List(inner) | S::Search(inner) | S::Pages(inner) => {
                self.shape(inner.get());
            }
            S::Object(fields) => self.fields(fields),
            S::Union(parts) => {
                for part in parts {
                    if !self.goes_on() {
                        return;
                    }
                    self.shape(part);
                }
            }
            S::Ref(name) => self.text(name),
            _ => {}
        }
    }

    fn table(&mut self, table: Table<'_>) {
        for (name, value) in table.constants() {
            self.text(name);
            self.text(value);
        }
        for method in table.auth_methods() {
            self.each([method.name(), method.title(), method.kind(), method.authorize_url(), method.token_url()]);
            self.texts(method.fields());
            self.texts(method.scopes());
        }
        for field in table.connection_fields() {
            self.each([field.name(), field.title(), &field.help(), field.placeholder(), field.link(), field.default()]);
            std::hint::black_box((field.kind(), field.required()));
        }
        for permission in table.permissions() {
            self.each([permission.name(), permission.title(), permission.triggers()]);
            std::hint::black_box(permission.probe().map(|r| r.id().len()));
        }
        for advice in table.advice() {
            self.text(&advice.hint());
            self.texts(advice.of());
            std::hint::black_box(advice.about());
        }
        for request in table.requests() {
            self.text(request.id());
            self.text(request.path());
            self.text(request.permission());
            std::hint::black_box((request.method(), request.encoding(), request.base(), request.read_only()));
            request.path_names().for_each(|name| self.text(name));
            self.fields(request.parameters());
            self.shape(request.response());
        }
        for object in table.objects() {
            self.text(object.name());
            self.fields(object.fields());
        }
        for event in table.events() {
            self.text(event.name());
            self.text(event.object().unwrap_or_default());
        }
        for it in table.operations() {
            self.each([it.id(), &it.title(), &it.description(), it.resource(), &it.sample(), it.defaults()]);
            self.each([it.fixed(), it.hook()]);
            for texts in [it.aliases(), it.path_fields(), it.shown(), it.one_of()] {
                self.texts(texts);
            }
            std::hint::black_box((it.kind(), it.safety(), it.request().map(|r| r.path().len())));
            self.fields(it.extra());
            for (major, minor) in it.major_units() {
                self.text(major);
                self.text(minor);
            }
            for meaning in it.meanings() {
                self.each([meaning.path(), &meaning.title(), &meaning.help(), meaning.picks()]);
                std::hint::black_box((meaning.rule(), it.meaning(meaning.path()).is_some()));
            }
        }
        for trigger in table.triggers() {
            self.each([trigger.id(), &trigger.title(), &trigger.description(), trigger.resource(), trigger.event()]);
            self.texts(trigger.aliases());
        }
        for resource in table.resources() {
            self.each([
                resource.name(),
                resource.title(),
                resource.internal(),
                resource.object(),
                resource.dashboard(),
            ]);
            self.texts(resource.id_prefixes());
            self.texts(resource.label());
            self.texts(resource.detail());
            self.texts(resource.choices_need());
            self.texts(resource.search_fields());
            std::hint::black_box((resource.choices(), resource.search(), resource.retrieve()));
            for mapping in resource.mapping() {
                self.text(mapping.internal());
                self.texts(mapping.paths());
                std::hint::black_box(mapping.kind());
            }
        }
    }
}

/// A table with every kind of record and shape in it, and an empty one.
fn corpus() -> Vec<Vec<u8>> {
    [model(), Model::default()].iter().map(|model| write(model).expect("it fits")).collect()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn field(name: &str, shape: Shape) -> Field {
    Field { name: text(name), required: name.len().is_multiple_of(2), nullable: name.len().is_multiple_of(3), shape }
}

fn model() -> Model {
    let values = |values: &[&str]| values.iter().map(|v| text(v)).collect::<Vec<_>>();
    let address = Shape::Object(vec![field("city", Shape::String), field("line1", Shape::String)]);
    let parameters = vec![
        field("address", Shape::Union(vec![address.clone(), Shape::Enum(values(&[""]))])),
        field("amount", Shape::Amount),
        field("at", Shape::Timestamp),
        field("expand", Shape::Array(Box::new(Shape::String))),
        field("file", Shape::File),
        field("metadata", Shape::Map(Box::new(Shape::String))),
        field("mode", Shape::Enum(values(&["payment", "setup"]))),
        field("rate", Shape::Union(vec![Shape::Number, Shape::Decimal, Shape::Integer, Shape::True])),
    ];
    let customer = vec![
        field("address", address),
        field("anything", Shape::Any),
        field("deleted", Shape::Boolean),
        field("parent", Shape::Expandable(values(&["customer", "account"]))),
        field("sources", Shape::List(Box::new(Shape::Ref(text("customer"))))),
    ];
    let request = |id: &str, method, encoding, base, response| Request {
        id: text(id),
        method,
        path: text("/v1/customers/{customer}"),
        encoding,
        base,
        read_only: method == Method::Get,
        binary: base == Base::Files,
        permission: "customer".into(),
        parameters: parameters.clone(),
        response,
    };
    let one = Shape::Ref(text("customer"));
    Model {
        constants: BTreeMap::from([(text("api_version"), text("2026-10-28.endive")), (text("input_bytes"), text("1"))]),
        auth_methods: vec![AuthMethod {
            name: text("oauth"),
            title: text("Consent"),
            kind: text("oauth"),
            fields: values(&["api_key"]),
            authorize_url: text("https://example.com/authorize"),
            token_url: text("https://example.com/token"),
            scopes: values(&["read", "write"]),
            pkce: true,
        }],
        connection_fields: vec![ConnectionField {
            name: text("api_key"),
            kind: FieldKind::Secret,
            title: text("Key"),
            help: text("A key."),
            required: true,
            placeholder: text("sk_test_…"),
            link: String::new(),
            default: String::new(),
        }],
        permissions: vec![Permission {
            name: "customer".into(),
            title: "Customers".into(),
            probe: "v1.customers.list".into(),
            triggers: "read".into(),
        }],
        advice: vec![Advice { about: About::Decline, of: vec!["lost_card".into()], hint: "Wait.".into() }],
        requests: vec![
            request("v1.customers.create", Method::Post, Encoding::Form, Base::Api, one.clone()),
            request("v1.customers.list", Method::Get, Encoding::Form, Base::Api, Shape::List(Box::new(one.clone()))),
            request(
                "v1.customers.search",
                Method::Get,
                Encoding::Form,
                Base::Api,
                Shape::Search(Box::new(one.clone())),
            ),
            request("v1.files.create", Method::Post, Encoding::Multipart, Base::Files, Shape::Any),
            request("v2.events.list", Method::Get, Encoding::Json, Base::MeterEvents, Shape::Pages(Box::new(one))),
        ],
        objects: BTreeMap::from([(text("customer"), customer)]),
        events: vec![
            EventType { name: text("customer.created"), object: Some(text("customer")) },
            EventType { name: text("ping"), object: None },
        ],
        operations: vec![Operation {
            id: text("customer.create"),
            kind: OperationKind::Action,
            title: text("Create a customer"),
            description: text("Creates one."),
            resource: text("customer"),
            aliases: values(&["create_customer", "customer.new"]),
            safety: Safety::MoveMoney,
            request: text("v1.customers.create"),
            path_fields: values(&["customer"]),
            shown: values(&["address", "amount"]),
            sample: text("{\"amount\":1}"),
            defaults: text("{\"mode\":\"payment\"}"),
            fixed: text("{\"active\":false}"),
            hook: text("checkout"),
            extra: parameters[..2].to_vec(),
            major_units: vec![(text("amount_major"), text("amount"))],
            one_of: values(&["amount", "rate"]),
            inverse: text("customer.delete"),
            meanings: vec![
                Meaning {
                    path: text("amount"),
                    title: text("Amount"),
                    help: text("How much."),
                    rule: Some(Rule::PositiveAmount),
                    picks: String::new(),
                },
                Meaning { path: text("customer"), picks: text("customer"), ..Meaning::default() },
            ],
        }],
        aliases: Vec::new(),
        triggers: vec![Trigger {
            id: text("customer.created"),
            title: text("Customer created"),
            description: text("When one is."),
            resource: text("customer"),
            event: text("customer.created"),
            aliases: values(&["new_customer"]),
        }],
        resources: vec![Resource {
            name: text("customer"),
            title: text("Customer"),
            internal: text("contact"),
            object: text("customer"),
            id_prefixes: values(&["cus_", "cu_"]),
            dashboard: text("customers"),
            label: values(&["name", "email"]),
            detail: values(&["email"]),
            choices: text("v1.customers.list"),
            choices_need: values(&["mode"]),
            search: text("v1.customers.search"),
            search_fields: values(&["email"]),
            retrieve: text("v1.customers.list"),
            mapping: vec![Mapping { internal: text("city"), kind: ValueKind::Text, paths: values(&["address.city"]) }],
        }],
    }
}
