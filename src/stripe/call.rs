//! A request in Stripe's terms: what is asked, how it travels, what a success answers.

use std::borrow::Cow;

use serde_json::{Map, Value};
use stripe_table::{Base, Encoding};

use super::file::File;
use super::key::SessionToken;
use super::namespace::Namespace;
use super::{form, multipart};
use crate::catalogue::Method;
use crate::error::{Error, Result};
use crate::json::Writer;

/// How long path and query may be together. Common load balancers and proxies stop at 8 or 16 KiB, and no request of
/// the API needs more.
pub const LONGEST_LINE: usize = 16 * 1024;

/// A request.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Which of Stripe's hosts it goes to, unless the connection names another.
    pub base: Base,
    /// The path, its placeholders filled in.
    pub path: String,
    /// Its parameters.
    pub payload: Payload,
    /// What it is authorised with in place of the connection's key.
    pub token: Option<SessionToken>,
    /// Its idempotency key, where Stripe takes one.
    pub idempotency_key: Option<String>,
    /// Whether it changes nothing at Stripe, whatever its method.
    pub reads: bool,
    /// What a success answers.
    pub expected: Expected,
    /// The path's placeholders, as the API names them, and the input fields that fill them.
    pub path_fields: Vec<(&'static str, &'static str)>,
}

/// How parameters travel.
#[derive(Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the query string; empty for none.
    Query(String),
    /// In the body.
    Body {
        /// `Content-Type`.
        content_type: Cow<'static, str>,
        /// The body, the same however often it is sent.
        bytes: Vec<u8>,
    },
}

/// What a success answers, and so what is taken as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// One of Stripe's objects or lists, as JSON.
    Object,
    /// A page of a v2 list, which names no object.
    Page,
    /// Nothing that says anything: `{}`.
    Nothing,
    /// The bytes of a file.
    File,
}

impl Payload {
    /// Encodes parameters. A file goes by [`Payload::upload`].
    pub fn new(method: Method, encoding: Encoding, parameters: &Map<String, Value>) -> Self {
        match (method, encoding) {
            (Method::Get | Method::Delete, _) => Self::Query(form::encode(parameters)),
            (Method::Post, Encoding::Json) => {
                Self::Body { content_type: Cow::Borrowed("application/json"), bytes: json(parameters).into_bytes() }
            }
            (Method::Post, Encoding::Form | Encoding::Multipart) => Self::form(form::encode(parameters)),
        }
    }

    /// A form in the body.
    pub fn form(encoded: String) -> Self {
        Self::Body { content_type: Cow::Borrowed("application/x-www-form-urlencoded"), bytes: encoded.into_bytes() }
    }

    /// Parameters with one file, which `field` takes. `seed` is the request's idempotency key.
    pub fn upload(parameters: &Map<String, Value>, field: &str, file: &File, seed: &str) -> Self {
        let (content_type, bytes) = multipart::encode(&form::flatten(parameters), field, file, seed);
        Self::Body { content_type: Cow::Owned(content_type), bytes }
    }
}

fn json(parameters: &Map<String, Value>) -> String {
    let mut json = Writer::new();
    json.begin_object();
    for (name, value) in parameters {
        json.key(name).value(value);
    }
    json.end_object();
    json.finish()
}

impl Call {
    /// A GET with this query.
    pub fn read(path: impl Into<String>, query: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            base: Base::Api,
            path: path.into(),
            payload: Payload::Query(query.into()),
            token: None,
            idempotency_key: None,
            reads: true,
            expected: Expected::Object,
            path_fields: Vec::new(),
        }
    }

    /// A request that may change something.
    pub fn write(method: Method, path: impl Into<String>, payload: Payload, idempotency_key: Option<String>) -> Self {
        Self { method, payload, idempotency_key, reads: false, ..Self::read(path, "") }
    }

    /// Which half of the API it belongs to.
    pub fn namespace(&self) -> Namespace {
        Namespace::of(&self.path)
    }

    /// Path and query. The brackets of the query are escaped: RFC 3986 wants it, and strict hosts send nothing else.
    ///
    /// # Errors
    /// A request line that is longer than what gets through.
    pub fn line(&self) -> Result<Cow<'_, str>> {
        let line = match &self.payload {
            Payload::Query(query) if !query.is_empty() => {
                Cow::Owned([self.path.as_str(), "?", &query.replace('[', "%5B").replace(']', "%5D")].concat())
            }
            _ => Cow::Borrowed(self.path.as_str()),
        };
        if line.len() <= LONGEST_LINE {
            return Ok(line);
        }
        let (size, most) = (line.len().div_ceil(1024), LONGEST_LINE / 1024);
        let message = format!(
            "the parameters of this request travel in its address, which would have {size} KiB; at most {most} KiB get through"
        );
        let error = Error::input(self.largest_parameter().unwrap_or_default(), message);
        Err(error.hint("Ask for less at once, or shorten the field."))
    }

    /// The input field that makes up most of the query.
    fn largest_parameter(&self) -> Option<String> {
        let Payload::Query(query) = &self.payload else { return None };
        let mut sizes: Vec<(&str, usize)> = Vec::new();
        for pair in query.split('&') {
            let name = pair.split(['=', '[']).next().unwrap_or_default();
            match sizes.iter_mut().find(|(n, _)| *n == name) {
                Some((_, size)) => *size += pair.len(),
                None => sizes.push((name, pair.len())),
            }
        }
        let (name, size) = sizes.into_iter().max_by_key(|(_, size)| *size)?;
        (size > query.len() / 2).then(|| name.to_owned())
    }

    /// The input field that a parameter of Stripe's stands for, where it is the path that is wrong.
    pub fn path_field(&self, parameter: &str) -> Option<&'static str> {
        let named = self.path_fields.iter().find(|(placeholder, _)| *placeholder == parameter);
        // Where Stripe says `id`, it means the last part of the path.
        let last = || self.path_fields.last().filter(|_| parameter == "id");
        named.or_else(last).map(|(_, field)| *field)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn the_brackets_of_a_query_are_escaped() {
        let call = Call::read("/v1/events", "types[0]=a.b&created[gte]=1");
        assert_eq!(call.line().expect("short"), "/v1/events?types%5B0%5D=a.b&created%5Bgte%5D=1");
    }

    #[test]
    fn v1_posts_a_form_and_v2_posts_json() {
        let sent = parameters(json!({"name": "Jenny", "tags": ["a"]}));
        let Payload::Body { content_type, bytes } = Payload::new(Method::Post, Encoding::Form, &sent) else { panic!() };
        assert_eq!(
            (&*content_type, bytes.as_slice()),
            ("application/x-www-form-urlencoded", b"name=Jenny&tags[0]=a".as_slice())
        );
        let Payload::Body { content_type, bytes } = Payload::new(Method::Post, Encoding::Json, &sent) else { panic!() };
        assert_eq!(
            (&*content_type, bytes.as_slice()),
            ("application/json", br#"{"name":"Jenny","tags":["a"]}"#.as_slice())
        );
    }

    #[test]
    fn reads_and_removals_carry_their_parameters_in_the_query() {
        for (method, encoding) in [(Method::Get, Encoding::Json), (Method::Delete, Encoding::Form)] {
            let payload = Payload::new(method, encoding, &parameters(json!({"limit": 3})));
            assert_eq!(payload, Payload::Query("limit=3".into()));
        }
        assert_eq!(Call::read("/v1/customers", "limit=3").line().expect("short"), "/v1/customers?limit=3");
        assert_eq!(Call::read("/v1/balance", "").line().expect("short"), "/v1/balance");
    }

    #[test]
    fn an_upload_has_its_parameters_as_fields() {
        let file = File { name: "a.txt".into(), content_type: "text/plain".into(), content: b"hello".to_vec() };
        let sent = parameters(json!({"purpose": "dispute_evidence", "file_link_data": {"create": true}}));
        let Payload::Body { content_type, bytes } = Payload::upload(&sent, "file", &file, "key") else { panic!() };
        let body = String::from_utf8(bytes).expect("text");
        assert!(content_type.starts_with("multipart/form-data; boundary="));
        for part in
            ["name=\"purpose\"\r\n\r\ndispute_evidence\r\n", "name=\"file_link_data[create]\"\r\n\r\ntrue\r\n", "hello"]
        {
            assert!(body.contains(part), "{body}");
        }
    }

    #[test]
    fn a_query_that_gets_through_nowhere_is_bad_input_and_names_its_field() {
        let long = "x".repeat(LONGEST_LINE);
        let error = Call::read("/v1/customers", format!("limit=3&email={long}")).line().expect_err("too long");
        assert_eq!((error.kind, error.field.as_deref()), (crate::error::ErrorKind::InvalidInput, Some("email")));
        let many: Vec<String> = (0..2000).map(|i| format!("expand[{i}]=data.customer")).collect();
        let error = Call::read("/v1/customers", many.join("&")).line().expect_err("too long");
        assert_eq!(error.field.as_deref(), Some("expand"));
        let even = format!("a={long}&b={long}&c={long}");
        assert_eq!(Call::read("/v1/customers", even).line().expect_err("too long").field.as_deref(), None);
    }

    #[test]
    fn the_path_parameter_at_fault_is_the_inputs_own_field() {
        let mut call = Call::read("/v1/customers/cus_1/sources/card_1", "");
        call.path_fields = vec![("customer", "customer"), ("id", "source")];
        assert_eq!(call.path_field("id"), Some("source"));
        assert_eq!(call.path_field("customer"), Some("customer"));
        assert_eq!(call.path_field("amount"), None);
        call.path_fields = vec![("intent", "payment_intent")];
        assert_eq!(
            (call.path_field("id"), call.path_field("intent")),
            (Some("payment_intent"), Some("payment_intent"))
        );
    }
}
