//! Taking personal data out of answers, by the path of a field.
//!
//! A path means every field whose own path ends with it, list indices left out: `email` is masked wherever it is, and
//! `billing_details.email` only there. What is masked in the service's answer is also taken out of the same answer in the
//! platform's terms, where it has another name.

use serde_json::Value;

/// What stands in place of a text.
pub const MASKED: &str = "(masked)";

/// A shorter text may be any word.
const SHORTEST: usize = 3;

/// The fields that nobody sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    paths: Vec<Vec<String>>,
}

impl Mask {
    pub(crate) fn new(paths: Vec<String>) -> Self {
        Self { paths: paths.into_iter().map(|path| path.split('.').map(str::to_owned).collect()).collect() }
    }

    /// Whether nothing is masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    fn means(&self, path: &[String]) -> bool {
        self.paths.iter().any(|own| {
            path.len() >= own.len()
                && own
                    .iter()
                    .rev()
                    .zip(path.iter().rev())
                    .all(|(own, name)| own == "*" || own.eq_ignore_ascii_case(name))
        })
    }

    /// Masks a JSON text. Returns it, and the texts that are masked in it. What is no JSON is withheld whole.
    #[must_use]
    pub fn json(&self, text: &str) -> (String, Vec<String>) {
        if self.is_empty() {
            return (text.to_owned(), Vec::new());
        }
        let Ok(mut value) = serde_json::from_str::<Value>(text) else {
            return (format!("\"{MASKED}\""), Vec::new());
        };
        let mut hidden = Vec::new();
        self.walk(&mut value, &mut Vec::new(), &mut hidden);
        (value.to_string(), hidden)
    }

    fn walk(&self, value: &mut Value, path: &mut Vec<String>, hidden: &mut Vec<String>) {
        if !path.is_empty() && self.means(path) {
            hide(value, hidden);
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    path.push(name.clone());
                    self.walk(value, path, hidden);
                    path.pop();
                }
            }
            Value::Array(entries) => entries.iter_mut().for_each(|entry| self.walk(entry, path, hidden)),
            _ => {}
        }
    }
}

/// Takes a field out, with all that is in it.
fn hide(value: &mut Value, hidden: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if text.chars().count() >= SHORTEST {
                hidden.push(std::mem::take(text));
            }
            MASKED.clone_into(text);
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| hide(entry, hidden)),
        Value::Object(members) => members.values_mut().for_each(|member| hide(member, hidden)),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => *value = Value::Null,
    }
}

/// Takes texts out of another one.
#[must_use]
pub fn without(hidden: &[String], text: &str) -> String {
    hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASKED))
}

/// Takes texts out of the values of a JSON text.
#[must_use]
pub fn json_without(hidden: &[String], text: &str) -> String {
    fn walk(hidden: &[String], value: &mut Value) {
        match value {
            Value::String(text) => *text = without(hidden, text),
            Value::Array(entries) => entries.iter_mut().for_each(|entry| walk(hidden, entry)),
            Value::Object(members) => members.values_mut().for_each(|member| walk(hidden, member)),
            _ => {}
        }
    }
    if hidden.is_empty() {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            walk(hidden, &mut value);
            value.to_string()
        }
        Err(_) => format!("\"{MASKED}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(paths: &[&str], text: &str) -> String {
        Mask::new(paths.iter().map(|path| (*path).to_owned()).collect()).json(text).0
    }

    #[test]
    fn a_field_is_masked_wherever_its_path_ends_so() {
        let answer = r#"{"data":[{"email":"a@b.c","billing_details":{"email":"d@e.f","phone":null}}],"n":1}"#;
        let all = r#"{"data":[{"email":"(masked)","billing_details":{"email":"(masked)","phone":null}}],"n":1}"#;
        assert_eq!(masked(&["email"], answer), all);
        let one = r#"{"data":[{"email":"a@b.c","billing_details":{"email":"(masked)","phone":null}}],"n":1}"#;
        assert_eq!(masked(&["billing_details.email"], answer), one);
        let deep = r#"{"data":[{"email":"a@b.c","billing_details":{"email":"(masked)","phone":null}}],"n":1}"#;
        assert_eq!(masked(&["billing_details"], answer), deep);
        assert_eq!(masked(&["billing_details.*"], answer), deep);
        assert_eq!(masked(&["name"], answer), answer);
    }

    #[test]
    fn what_is_no_text_becomes_nothing_and_what_is_no_json_is_withheld() {
        assert_eq!(masked(&["balance"], r#"{"balance":-5,"x":true}"#), r#"{"balance":null,"x":true}"#);
        assert_eq!(masked(&["balance"], "no JSON"), "\"(masked)\"");
        assert_eq!(masked(&[], "no JSON"), "no JSON");
    }

    #[test]
    fn what_was_masked_is_taken_out_of_other_texts() {
        let mask = Mask::new(vec!["name".to_owned()]);
        let (_, hidden) = mask.json(r#"{"name":"Jenny Rosen","id":"cus_1"}"#);
        assert_eq!(without(&hidden, "customer Jenny Rosen"), "customer (masked)");
        assert_eq!(json_without(&hidden, r#"{"label":"Jenny Rosen <x>"}"#), r#"{"label":"(masked) <x>"}"#);
    }
}
