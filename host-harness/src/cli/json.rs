//! JSON that keeps the order of its keys: what the service sent is shown in the service's order.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(IndexMap<String, Json>),
}

impl Json {
    /// The value of a JSON text of the contract; text that is not JSON stays text.
    pub fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_numbers() {
        let text = r#"{"z":1,"a":[true,null,-2,0.5,18446744073709551615,"é"],"m":{"y":{},"b":[]}}"#;
        assert_eq!(serde_json::to_string(&Json::of(text)).unwrap(), text);
    }

    #[test]
    fn what_is_no_json_stays_text() {
        assert_eq!(Json::of("{nope"), Json::Text("{nope".to_owned()));
    }
}
