//! What is said beyond the typed parts of a result: names and JSON values.

use crate::json::Writer;

/// One thing more that is said: its name, and its value as JSON.
pub type Extra = (String, String);

/// A text.
pub fn text(name: &str, value: &str) -> Extra {
    let mut json = Writer::new();
    json.string(value);
    (name.to_owned(), json.finish())
}

/// A list of texts.
pub fn texts<'t>(name: &str, values: impl IntoIterator<Item = &'t str>) -> Extra {
    let mut json = Writer::new();
    json.strings(values);
    (name.to_owned(), json.finish())
}
