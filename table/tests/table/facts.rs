//! All of the API as one table: complete, and small enough to be carried.

use stripe_facts::Facts;
use stripe_table::model::{self, Model};
use stripe_table::{Base, Encoding, Method, Table, write};

use crate::back;

#[test]
fn all_of_the_api_is_read_back_as_it_was_written() {
    let model = of_facts(Facts::bundled());
    let bytes = write(&model).expect("it fits");
    let table = Table::open(&bytes).expect("a table");
    assert_eq!(table.verify(), Ok(()));
    assert!(back::model(table) == model, "something was lost");
    println!("{} bytes", bytes.len());
    assert!(bytes.len() <= 240_000, "{} bytes", bytes.len());
}

#[test]
fn every_request_object_and_event_is_found_by_its_name() {
    let model = of_facts(Facts::bundled());
    let bytes = write(&model).expect("it fits");
    let table = Table::open(&bytes).expect("a table");
    for request in &model.requests {
        let found = table.request(&request.id).expect("a request");
        assert_eq!((found.id(), found.path()), (request.id.as_str(), request.path.as_str()));
        for parameter in &request.parameters {
            assert!(found.parameters().get(&parameter.name).is_some_and(|f| f.name() == parameter.name));
        }
    }
    for (name, members) in &model.objects {
        assert_eq!(table.object(name).map(|fields| fields.len()), Some(members.len()), "{name}");
    }
    for event in &model.events {
        assert_eq!(table.event(&event.name).and_then(|e| e.object()), event.object.as_deref());
    }
    for missing in ["", "customer.", "customer.createe", "v1.customers", "zz", "\u{10ffff}"] {
        assert!(table.request(missing).is_none() && table.object(missing).is_none() && table.event(missing).is_none());
    }
}

/// The facts as the model of a table without a catalogue.
pub fn of_facts(facts: &Facts) -> Model {
    let mut model = Model { requests: facts.operations.iter().map(request_of).collect(), ..Model::default() };
    model.requests.sort_by(|a, b| a.id.cmp(&b.id));
    model.constants.insert("api_version".into(), facts.api_version.clone());
    for (name, object) in &facts.objects {
        let stripe_facts::Shape::Object(members) = object else { panic!("{name} is no object") };
        model.objects.insert(name.clone(), members.iter().map(field_of).collect());
    }
    for name in &facts.event_types {
        let object = name.rsplit_once('.').map(|(object, _)| object.to_owned());
        let object = object.filter(|object| facts.objects.contains_key(object));
        model.events.push(model::EventType { name: name.clone(), object });
    }
    model
}

fn request_of(it: &stripe_facts::Operation) -> model::Request {
    let method = Method::parse(it.method.as_str()).expect("a method");
    // An id of the length that it will have: `v1.customers.create`.
    let places = it.path.split('/').filter(|s| !s.is_empty() && !s.starts_with('{'));
    let verb = it.name.rsplit('.').next().unwrap_or_default();
    model::Request {
        id: places.chain([verb]).collect::<Vec<_>>().join("."),
        method,
        path: it.path.clone(),
        encoding: match it.encoding {
            stripe_facts::Encoding::Form => Encoding::Form,
            stripe_facts::Encoding::Json => Encoding::Json,
            stripe_facts::Encoding::Multipart => Encoding::Multipart,
        },
        base: it.base.as_deref().map_or(Base::Api, |name| Base::parse(name).expect("a base")),
        read_only: method == Method::Get,
        binary: it.path.ends_with("/pdf"),
        permission: String::new(),
        parameters: it.parameters.iter().map(field_of).collect(),
        response: shape_of(&it.response),
    }
}

fn field_of(it: &stripe_facts::Field) -> model::Field {
    model::Field { name: it.name.clone(), required: it.required, nullable: it.nullable, shape: shape_of(&it.shape) }
}

fn shape_of(it: &stripe_facts::Shape) -> model::Shape {
    use stripe_facts::Shape as Fact;
    let boxed = |inner: &Fact| Box::new(shape_of(inner));
    match it {
        Fact::Any => model::Shape::Any,
        Fact::Boolean => model::Shape::Boolean,
        Fact::True => model::Shape::True,
        Fact::Integer => model::Shape::Integer,
        Fact::Number => model::Shape::Number,
        Fact::Decimal => model::Shape::Decimal,
        Fact::String => model::Shape::String,
        Fact::Enum(values) => model::Shape::Enum(values.to_vec()),
        Fact::Array(inner) => model::Shape::Array(boxed(inner)),
        Fact::Map(inner) => model::Shape::Map(boxed(inner)),
        Fact::Object(members) => model::Shape::Object(members.iter().map(field_of).collect()),
        Fact::Union(parts) => model::Shape::Union(parts.iter().map(shape_of).collect()),
        Fact::Ref(name) => model::Shape::Ref(name.clone()),
        Fact::Expandable(names) => model::Shape::Expandable(names.clone()),
        Fact::List(inner) => model::Shape::List(boxed(inner)),
        Fact::Search(inner) => model::Shape::Search(boxed(inner)),
        Fact::Pages(inner) => model::Shape::Pages(boxed(inner)),
    }
}
