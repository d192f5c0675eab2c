//! What an operation answers with.

use super::degree::{DIALECT, Degree};
use super::object::{Objects, fields_of};
use crate::catalogue::{Method, Operation, Shape};

/// The schema of an operation's output.
pub fn output(operation: Operation, degree: Degree) -> String {
    let mut objects = Objects::of_degree(degree);
    objects.json.begin_object().key("$schema").string(DIALECT);
    let request = operation.request();
    if request.binary() {
        objects.json.key("description").string("The file itself comes beside this.").key("type").string("object");
        objects.json.key("properties").raw(
            r#"{"field":{"const":"file"},"name":{"type":"string"},"content_type":{"type":"string"},"size":{"type":"integer"}}"#,
        );
        objects.json.key("required").strings(["field", "name", "content_type", "size"]).end_object();
        return objects.json.finish();
    }
    if request.method() == Method::Delete {
        objects.json.key("description").string("The object as it is after the operation.");
    }
    match request.response() {
        // The root is an object itself, no reference to one.
        Shape::Ref(name) => match fields_of(name) {
            Some(fields) => {
                objects.json.key("title").string(name);
                objects.members_of(fields);
            }
            None => object(&mut objects),
        },
        Shape::Object(fields) => objects.members_of(fields),
        Shape::List(item) => objects.page("list", item.get()),
        Shape::Search(item) => objects.page("search_result", item.get()),
        Shape::Pages(item) => objects.page("", item.get()),
        Shape::Union(parts) => {
            object(&mut objects);
            let named = parts.iter().filter_map(|part| if let Shape::Ref(name) = part { Some(name) } else { None });
            named.clone().for_each(|name| objects.want(name));
            objects.json.key("x-objects").strings(named);
        }
        _ => object(&mut objects),
    }
    objects.definitions();
    objects.json.end_object();
    objects.json.finish()
}

fn object(objects: &mut Objects) {
    objects.json.key("type").string("object");
}
