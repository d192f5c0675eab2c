//! What a trigger's event looks like: Stripe's envelope around the object.

use super::degree::{DIALECT, Degree};
use super::object::{Objects, fields_of};
use crate::catalogue::{Shape, Trigger};
use crate::json::Writer;

/// The schema of a trigger's event.
pub fn event(trigger: Trigger, degree: Degree) -> String {
    let mut objects = Objects::of_degree(degree);
    objects.json.begin_object().key("$schema").string(DIALECT).key("title").string(&trigger.title());
    objects.json.key("type").string("object").key("properties").begin_object();
    if trigger.is_thin() {
        thin(&mut objects.json, trigger);
        return objects.json.finish();
    }
    for (name, kind) in [("id", "string"), ("account", "string"), ("livemode", "boolean")] {
        objects.json.key(name).begin_object().key("type").string(kind).end_object();
    }
    objects.json.key("object").raw(r#"{"const":"event"}"#);
    objects.json.key("type").begin_object();
    match trigger {
        // There may be more tomorrow.
        Trigger::Every(_) => objects.json.key("type").string("string"),
        _ => objects.json.key("const").string(&trigger.id()),
    };
    objects.json.end_object();
    objects.json.key("created").raw(r#"{"type":"integer","description":"Unix time in seconds."}"#);
    objects.json.key("api_version");
    objects.schema(Shape::String, true);
    objects.json.key("data").begin_object().key("type").string("object").key("properties").begin_object();
    objects.json.key("object");
    match (degree, trigger.object().and_then(|object| Some((object, fields_of(object)?)))) {
        (Degree::Shown, Some((_, fields))) => {
            objects.json.begin_object();
            objects.members_of(fields);
            objects.json.end_object();
        }
        (Degree::Full, Some((object, _))) => objects.schema(Shape::Ref(object), false),
        (_, None) => {
            objects.json.raw(r#"{"type":"object"}"#);
        }
    }
    objects.json.key("previous_attributes").raw(r#"{"type":"object"}"#).end_object();
    objects.json.key("required").strings(["object"]).end_object().end_object();
    objects.json.key("required").strings(["id", "object", "type", "created", "livemode", "data"]);
    objects.definitions();
    objects.json.end_object();
    objects.json.finish()
}

/// What a thin event says: what it is about is told by its address, and the event is loaded to have it.
fn thin(json: &mut Writer, trigger: Trigger) {
    json.key("id").raw(r#"{"type":"string"}"#).key("object").raw(r#"{"const":"v2.core.event"}"#);
    json.key("type").begin_object().key("const").string(&trigger.id()).end_object();
    json.key("created").raw(r#"{"type":"string","format":"date-time"}"#).key("livemode").raw(r#"{"type":"boolean"}"#);
    json.key("related_object").raw(r#"{"anyOf":[{"type":"object","properties":{"id":{"type":"string"},"type":{"type":"string"},"url":{"type":"string"}}},{"type":"null"}]}"#);
    json.end_object().key("required").strings(["id", "object", "type", "created", "livemode"]).end_object();
}
