//! Stripe's limits on metadata, which it would refuse only after the request was sent.
//!
//! From Stripe's page "Metadata": at most 50 keys, of at most 40 characters without `[` and `]`, with values of
//! at most 500 characters.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Checks the metadata at this path of the input.
///
/// # Errors
/// The first limit that it exceeds, with the path of the entry.
pub fn check(path: &str, entries: &Map<String, Value>) -> Result<()> {
    if entries.len() > 50 {
        return Err(Error::input(path, format!("metadata has {} entries; Stripe keeps at most 50", entries.len())));
    }
    for (name, value) in entries {
        let at = || format!("{path}.{name}");
        let length = name.chars().count();
        if length == 0 || length > 40 {
            return Err(Error::input(at(), format!("a metadata name has 1 to 40 characters; this has {length}")));
        }
        if name.contains(['[', ']']) {
            return Err(Error::input(at(), "a metadata name must not contain [ or ]"));
        }
        let length = value.as_str().map_or(0, |v| v.chars().count());
        if length > 500 {
            return Err(Error::input(at(), format!("a metadata value has at most 500 characters; this has {length}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
        pairs.into_iter().map(|(k, v)| (k, Value::from(v))).collect()
    }

    #[test]
    fn takes_metadata_up_to_each_limit() {
        let many = entries((0..50).map(|i| (format!("k{i}"), "v".into())));
        assert!(check("metadata", &many).is_ok());
        assert!(check("metadata", &entries([("k".repeat(40), "ü".repeat(500))])).is_ok());
        assert!(check("metadata", &entries([("k".into(), String::new())])).is_ok());
    }

    #[test]
    fn refuses_metadata_over_each_limit_and_names_the_entry() {
        let over = |pairs: Vec<(String, String)>| check("metadata", &entries(pairs)).expect_err("refused");
        let many = over((0..51).map(|i| (format!("k{i}"), "v".into())).collect());
        assert_eq!((many.field.as_deref(), many.message.contains("at most 50")), (Some("metadata"), true));
        let name = over(vec![("k".repeat(41), "v".into())]);
        assert!(name.message.contains("1 to 40"));
        let bracket = over(vec![("a[b]".into(), "v".into())]);
        assert_eq!(bracket.field.as_deref(), Some("metadata.a[b]"));
        let value = over(vec![("k".into(), "v".repeat(501))]);
        assert_eq!(value.field.as_deref(), Some("metadata.k"));
    }
}
