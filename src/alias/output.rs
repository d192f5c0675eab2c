//! What goes out under an alias's names, written straight from the answer.

use super::filter::Filter;
use crate::catalogue::Alias;
use crate::json::{Node, Writer};

/// The members that an alias names, each as the answer has it; `null` where it has none.
pub fn named(alias: Alias<'static>, answer: Node<'_, '_>) -> String {
    let mut json = Writer::with_capacity(256);
    json.begin_object();
    for (name, path) in alias.outputs() {
        json.key(name).raw(answer.at(path).map_or("null", Node::raw));
    }
    json.end_object();
    json.finish()
}

/// A page with those of its objects that every filter lets pass.
pub fn chosen(filters: &[Filter], page: Node<'_, '_>) -> String {
    let mut json = Writer::with_capacity(page.raw().len());
    json.begin_object();
    for (name, value) in page.members() {
        json.key(&name);
        if name == "data" {
            json.begin_array();
            for object in value.items().filter(|object| filters.iter().all(|f| f.passes(*object))) {
                json.raw(object.raw());
            }
            json.end_array();
        } else {
            json.raw(value.raw());
        }
    }
    json.end_object();
    json.finish()
}
