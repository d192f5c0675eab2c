//! Reading and writing members of [`Value`]s, where what is not there is `null` and nothing can panic.

use serde_json::Value;

/// Members of a JSON value.
pub trait Members {
    /// A member; `null` where there is none.
    fn at(&self, name: &str) -> &Value;
    /// Sets a member of an object. Anything else stays as it is.
    fn put(&mut self, name: &str, value: impl Into<Value>);
    /// Takes a list out of a member; an empty one where there is none.
    fn take_list(&mut self, name: &str) -> Vec<Value>;
}

impl Members for Value {
    fn at(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Self::Null)
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(members) = self.as_object_mut() {
            members.insert(name.to_owned(), value.into());
        }
    }

    fn take_list(&mut self, name: &str) -> Vec<Value> {
        match self.get_mut(name).map(Self::take) {
            Some(Self::Array(items)) => items,
            _ => Vec::new(),
        }
    }
}
