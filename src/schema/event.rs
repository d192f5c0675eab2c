//! What a trigger's event looks like: Stripe's envelope around the resource.

use super::degree::{DIALECT, Degree};
use super::object::{Objects, fields_of};
use crate::catalogue::{Resource, Shape, Trigger};

/// The schema of a trigger's event.
pub fn event(trigger: Trigger<'static>, resource: Resource<'static>, degree: Degree) -> String {
    let mut objects = Objects::of_degree(degree);
    objects.json.begin_object().key("$schema").string(DIALECT).key("title").string(trigger.title());
    objects.json.key("type").string("object").key("properties").begin_object();
    for (name, kind) in [("id", "string"), ("account", "string"), ("livemode", "boolean")] {
        objects.json.key(name).begin_object().key("type").string(kind).end_object();
    }
    objects.json.key("object").raw(r#"{"const":"event"}"#);
    objects.json.key("type").begin_object().key("const").string(trigger.event()).end_object();
    objects.json.key("created").raw(r#"{"type":"integer","description":"Unix time in seconds."}"#);
    objects.json.key("api_version");
    objects.schema(Shape::String, true);
    objects.json.key("data").begin_object().key("type").string("object").key("properties").begin_object();
    objects.json.key("object");
    match (degree, fields_of(resource.object())) {
        (Degree::Shown, Some(fields)) => {
            objects.json.begin_object();
            objects.members_of(fields);
            objects.json.end_object();
        }
        _ => objects.schema(Shape::Ref(resource.object()), false),
    }
    objects.json.key("previous_attributes").raw(r#"{"type":"object"}"#).end_object();
    objects.json.key("required").strings(["object"]).end_object().end_object();
    objects.json.key("required").strings(["id", "object", "type", "created", "livemode", "data"]);
    objects.definitions();
    objects.json.end_object();
    objects.json.finish()
}
