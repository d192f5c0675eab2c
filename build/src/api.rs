//! The API as the table has it: the facts, and what they lack.

use std::collections::{BTreeMap, HashMap};

use stripe_facts::{Encoding as FactEncoding, Facts, Method as FactMethod};
use stripe_table::model::{EventType, Field, Request, Shape};
use stripe_table::{Encoding, Method};

use crate::catalogue::Catalogue;
use crate::kinds::Kinds;
use crate::permissions::Paths;
use crate::problem::Report;
use crate::requests::Lines;
use crate::{events, ids, requests, shapes};

/// Requests, objects and events.
#[derive(Debug)]
pub struct Api {
    /// The version that all of it is of.
    pub version: String,
    pub requests: Vec<Request>,
    pub objects: BTreeMap<String, Vec<Field>>,
    pub events: Vec<EventType>,
    by_line: HashMap<String, usize>,
}

impl Api {
    /// Of the facts and the catalogue; what is missing there is reported.
    pub fn new(facts: &Facts, catalogue: &Catalogue, report: &mut Report<'_>) -> Self {
        let lines = Lines::new(&facts.operations);
        let ids = ids::ids(&facts.operations, &lines, &catalogue.requests, report);
        let said = requests::said(facts, &lines, &catalogue.requests, report);
        let mut kinds = Kinds::new(&catalogue.kinds, report);
        let mut permissions = Paths::new(&catalogue.permissions, report);
        let requests: Vec<Request> = facts
            .operations
            .iter()
            .zip(ids)
            .zip(said)
            .map(|((fact, id), said)| {
                let mut parameters = shapes::fields(&id, &fact.parameters, &mut kinds);
                for file in parameters.iter_mut().filter(|p| said.upload == Some(p.name.as_str())) {
                    file.shape = Shape::File;
                }
                Request {
                    method: match fact.method {
                        FactMethod::Get => Method::Get,
                        FactMethod::Post => Method::Post,
                        FactMethod::Delete => Method::Delete,
                    },
                    path: fact.path.clone(),
                    encoding: match fact.encoding {
                        FactEncoding::Form => Encoding::Form,
                        FactEncoding::Json => Encoding::Json,
                        FactEncoding::Multipart => Encoding::Multipart,
                    },
                    base: said.base,
                    read_only: said.read_only,
                    binary: said.binary,
                    permission: permissions.of(&fact.path, report).to_owned(),
                    response: paged(&fact.path, shapes::shape(&id, &fact.response, &mut kinds)),
                    parameters,
                    id,
                }
            })
            .collect();
        let objects = facts
            .objects
            .keys()
            .map(|name| (name.clone(), shapes::fields(name, facts.object(name).unwrap_or_default(), &mut kinds)))
            .collect();
        kinds.finish(report);
        permissions.finish(report);
        let events = events::events(facts, &catalogue.events, report);
        let by_line = requests.iter().enumerate().map(|(at, r)| (requests::form(&line(r)), at)).collect();
        Self { version: facts.api_version.clone(), requests, objects, events, by_line }
    }

    /// The request of a line; its placeholders may have names of our own.
    pub fn find(&self, line: &str) -> Option<&Request> {
        self.by_line.get(&requests::form(line)).and_then(|at| self.requests.get(*at))
    }

    /// The members of an object schema.
    pub fn object(&self, name: &str) -> Option<&[Field]> {
        self.objects.get(name).map(Vec::as_slice)
    }

    /// The members of what a shape is or lists.
    pub fn members<'a>(&'a self, shape: &'a Shape) -> &'a [Field] {
        match shape {
            Shape::Object(fields) => fields,
            Shape::Ref(name) => self.object(name).unwrap_or_default(),
            Shape::Array(inner) => self.members(inner),
            _ => &[],
        }
    }
}

/// `POST /v1/customers`
pub fn line(request: &Request) -> String {
    format!("{} {}", request.method.name(), request.path)
}

/// A list of v2 has a form of its own, which the facts do not tell from that of v1.
fn paged(path: &str, response: Shape) -> Shape {
    match response {
        Shape::List(item) if path.starts_with("/v2/") => Shape::Pages(item),
        other => other,
    }
}
