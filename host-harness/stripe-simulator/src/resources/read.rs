//! Reading JSON objects: parameters, and objects of the API.

use serde_json::Value;

use crate::world::Object;

/// Typed looks at an object's members. A member of another type is as good as absent; so is an empty string.
pub(crate) trait Read {
    /// A member that is text and not empty.
    fn text(&self, name: &str) -> Option<&str>;
    /// A whole number.
    fn integer(&self, name: &str) -> Option<i64>;
    /// Whether a member is `true`.
    fn is_true(&self, name: &str) -> bool;
    /// A member that is an object.
    fn object(&self, name: &str) -> Option<&Object>;
    /// The elements of a list; none when there is no list.
    fn list(&self, name: &str) -> &[Value];
    /// The elements of a list that are objects.
    fn objects(&self, name: &str) -> impl Iterator<Item = &Object>;
    /// The object's `id`.
    fn id(&self) -> &str;
}

impl Read for Object {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|t| !t.is_empty())
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    fn object(&self, name: &str) -> Option<&Object> {
        self.get(name).and_then(Value::as_object)
    }

    fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn objects(&self, name: &str) -> impl Iterator<Item = &Object> {
        self.list(name).iter().filter_map(Value::as_object)
    }

    fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }
}
