//! A request as it would leave, taken apart: what it is, and every value that it carries by its name.
//!
//! Whatever spelling a caller chose for a sum, a time or an id has become the service's own here.

use std::fmt::Write;

use host::Departure;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

/// A request as it would leave. It has no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outgoing {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers; `(secret)` where one is.
    #[serde(serialize_with = "by_name")]
    pub headers: Vec<(String, String)>,
    /// The body, where it is text.
    pub body: String,
    #[serde(skip)]
    pub(crate) path: String,
    #[serde(skip)]
    pub(crate) fields: Vec<Field>,
    /// The body is none that can be read.
    #[serde(skip)]
    pub(crate) opaque: bool,
    #[serde(skip)]
    pub(crate) digest: [u8; 32],
}

/// A value and its name: `items[0][price]` is `items`, `0`, `price`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) path: Vec<String>,
    pub(crate) value: String,
}

impl Field {
    fn new(name: &str, value: String) -> Self {
        let path = name.split('[').map(|part| part.trim_end_matches(']').to_owned()).collect();
        Self { path, value }
    }

    /// The name without indices.
    pub(crate) fn name(&self) -> &str {
        let is_index = |part: &&String| part.is_empty() || part.bytes().all(|byte| byte.is_ascii_digit());
        self.path.iter().rev().find(|part| !is_index(part)).map_or("", String::as_str)
    }

    pub(crate) fn is(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }
}

impl Outgoing {
    pub(crate) fn of(departure: &Departure<'_>) -> Self {
        let Departure { method, origin, path, query, body, .. } = *departure;
        let mut fields: Vec<Field> = form(query.unwrap_or_default().as_bytes());
        let kind = departure.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let mut opaque = false;
        if !body.is_empty() {
            if kind.starts_with("application/x-www-form-urlencoded") {
                fields.extend(form(body));
            } else if let Some(value) =
                kind.starts_with("application/json").then(|| serde_json::from_slice::<Value>(body).ok()).flatten()
            {
                flatten(&value, &mut Vec::new(), &mut fields);
            } else {
                opaque = true;
            }
        }
        let mut hash = Sha256::new();
        // By this key the service knows a try again from another request of the same words.
        let key = departure.header("idempotency-key").unwrap_or_default();
        for part in [method, path, query.unwrap_or_default(), key].map(str::as_bytes).into_iter().chain([body]) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut url = format!("{origin}{path}");
        if let Some(query) = query {
            let _ = write!(url, "?{query}");
        }
        let shown = std::str::from_utf8(body).map_or_else(|_| format!("({} bytes)", body.len()), str::to_owned);
        Self {
            method: method.to_owned(),
            url,
            headers: departure.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: shown,
            path: path.to_owned(),
            fields,
            opaque,
            digest: hash.finalize().into(),
        }
    }

    /// The value of a field at the top.
    pub(crate) fn top(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.is(&[name])).map(|field| field.value.as_str())
    }

    /// The parts of the path, as they read.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(unescape).collect()
    }
}

fn by_name<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

/// A part of a path, as it reads.
fn unescape(part: &str) -> String {
    // A plus is a plus in a path.
    let part = part.replace('+', "%2B");
    form_urlencoded::parse(format!("x={part}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

fn form(text: &[u8]) -> Vec<Field> {
    form_urlencoded::parse(text).map(|(name, value)| Field::new(&name, value.into_owned())).collect()
}

fn flatten(value: &Value, path: &mut Vec<String>, fields: &mut Vec<Field>) {
    let mut within = |name: String, value: &Value, fields: &mut Vec<Field>| {
        path.push(name);
        flatten(value, path, fields);
        path.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| within(name.clone(), value, fields)),
        Value::Array(all) => all.iter().enumerate().for_each(|(index, value)| within(index.to_string(), value, fields)),
        Value::String(text) => fields.push(Field { path: path.clone(), value: text.clone() }),
        other => fields.push(Field { path: path.clone(), value: other.to_string() }),
    }
}

#[cfg(test)]
impl Outgoing {
    /// One of this method, path with query, and form.
    pub(crate) fn made(method: &str, target: &str, body: &str) -> Self {
        let (path, query) = target.split_once('?').map_or((target, ""), |(path, query)| (path, query));
        let mut fields = form(query.as_bytes());
        fields.extend(form(body.as_bytes()));
        Self {
            method: method.to_owned(),
            url: format!("https://api.stripe.com{target}"),
            headers: Vec::new(),
            body: body.to_owned(),
            path: path.to_owned(),
            fields,
            opaque: false,
            digest: Sha256::digest(format!("{method} {target} {body}")).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_name() {
        let request = Outgoing::made("POST", "/v1/x%2Fy/a+b?expand[]=a.b", "items%5B0%5D%5Bprice%5D=price_1&amount=5");
        assert_eq!(request.segments(), ["v1", "x/y", "a+b"]);
        let names: Vec<&str> = request.fields.iter().map(Field::name).collect();
        assert_eq!(names, ["expand", "price", "amount"]);
        assert!(request.fields[1].is(&["items", "0", "price"]));
        assert_eq!(request.top("amount"), Some("5"));
    }

    #[test]
    fn json_is_flattened_as_forms_are() {
        let mut fields = Vec::new();
        flatten(&serde_json::json!({"a": [{"b": "c"}, 5], "d": null}), &mut Vec::new(), &mut fields);
        let shown: Vec<String> = fields.iter().map(|f| format!("{}={}", f.path.join("."), f.value)).collect();
        assert_eq!(shown, ["a.0.b=c", "a.1=5", "d=null"]);
    }
}
