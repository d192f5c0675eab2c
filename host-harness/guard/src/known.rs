//! Objects of the service that a verdict depends on, and that were looked up for it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What was looked up, by the path of the object.
#[derive(Clone, Debug, Default)]
pub struct Known {
    objects: BTreeMap<String, Option<Value>>,
}

/// What a verdict depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Looked<'a> {
    /// Nobody looked yet.
    NotYet(String),
    /// There is none, or it cannot be read.
    Nothing,
    Found(&'a Value),
}

impl Known {
    /// Keeps what stands at a path; none where nothing could be read there.
    pub fn keep(&mut self, path: String, object: Option<Value>) {
        self.objects.insert(path, object);
    }

    /// The object at a path.
    pub(crate) fn at(&self, path: &str) -> Looked<'_> {
        match self.objects.get(path) {
            None => Looked::NotYet(path.to_owned()),
            Some(None) => Looked::Nothing,
            Some(Some(object)) => Looked::Found(object),
        }
    }
}

/// Whether a text can be a part of a path as it is.
pub(crate) fn is_plain_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
