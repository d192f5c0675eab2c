//! The types that facts are made of, and the look-ups on them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// One API version: its operations, the objects that they return and the events that it sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The API version that all of this describes, as it goes into `Stripe-Version`.
    pub api_version: String,
    /// Every operation, sorted by path and then by method.
    pub operations: Vec<Operation>,
    /// Object schemas by name (`customer`, `checkout.session`): mostly the value of the object's `object` field.
    pub objects: BTreeMap<String, Shape>,
    /// The event types that a webhook endpoint can subscribe to, sorted.
    pub event_types: Vec<String>,
}

/// One HTTP operation of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The HTTP method.
    pub method: Method,
    /// The path with its placeholders, `/v1/customers/{customer}`.
    pub path: String,
    /// How parameters that are not in the path travel.
    pub encoding: Encoding,
    /// The name that the official SDKs give the operation, `CustomerService.create`. Services of different namespaces
    /// share names: `AccountService.retrieve` is three operations.
    pub name: String,
    /// The API host that serves it when that is not the main one: `files`, `meter_events`.
    pub base: Option<String>,
    /// Every parameter that is not in the path: the query of a GET, the query or body of the others.
    pub parameters: Vec<Field>,
    /// What a success returns.
    pub response: Shape,
}

/// The HTTP methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// How an operation's parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// In the query string, or form-encoded in the body: all of v1.
    Form,
    /// As JSON in the body (POST) or in the query string (GET, DELETE): all of v2.
    Json,
    /// As `multipart/form-data`: file upload.
    Multipart,
}

/// A named member of an object, or a named parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// Whether it must be sent (parameters) or is always present (object fields).
    pub required: bool,
    /// Whether its value may be `null` (object fields).
    pub nullable: bool,
    /// What its value looks like.
    pub shape: Shape,
}

/// What a value looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Nothing is known.
    Any,
    /// `true` or `false`.
    Boolean,
    /// Always `true` where present: the `deleted` marker.
    True,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// A decimal number written as text, `"0.5"`.
    Decimal,
    /// Text.
    String,
    /// Text out of a closed list. The list `[""]` is the empty string that unsets a value.
    Enum(Arc<[String]>),
    /// A list of values of one shape.
    Array(Box<Shape>),
    /// An object whose member names are the caller's: metadata.
    Map(Box<Shape>),
    /// An object with known members.
    Object(Vec<Field>),
    /// Any one of several shapes.
    Union(Vec<Shape>),
    /// An object of [`Facts::objects`].
    Ref(String),
    /// The id of an object, or that object (one of [`Facts::objects`]) when the caller asked to expand it.
    Expandable(Vec<String>),
    /// A v1 list: `{object:"list", data, has_more, url}`.
    List(Box<Shape>),
    /// A v1 search result: `{object:"search_result", data, has_more, url, next_page?, total_count?}`.
    Search(Box<Shape>),
    /// A v2 list: `{data, next_page_url?, previous_page_url?}`.
    Pages(Box<Shape>),
}

/// An operation that a concrete path matched, with the values of its placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<'facts, 'path> {
    /// The operation.
    pub operation: &'facts Operation,
    /// Placeholder names and the path segments that stand for them, left to right, as they were sent.
    pub path_values: Vec<(&'facts str, &'path str)>,
}

impl Facts {
    /// The facts that are kept beside this crate, parsed once.
    ///
    /// # Panics
    /// When the bundled text is damaged; a test of this crate parses it.
    #[expect(clippy::expect_used, reason = "the text is part of this crate and is parsed by its tests")]
    pub fn bundled() -> &'static Self {
        static BUNDLED: OnceLock<Facts> = OnceLock::new();
        BUNDLED.get_or_init(|| crate::text::parse(&crate::text::BUNDLED).expect("the bundled facts parse"))
    }

    /// The operation with exactly this method and path template.
    pub fn operation(&self, method: Method, path: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.method == method && o.path == path)
    }

    /// The operation that a request's concrete path means. A literal segment wins over a placeholder, as it
    /// does at Stripe: `/v1/customers/search` is never a customer of the id `search`.
    pub fn find<'facts, 'path>(&'facts self, method: Method, path: &'path str) -> Option<Found<'facts, 'path>> {
        let wanted: Vec<&str> = path.split('/').collect();
        let mut best: Option<Found<'facts, 'path>> = None;
        for operation in self.operations.iter().filter(|o| o.method == method) {
            let Some(path_values) = match_path(&operation.path, &wanted) else { continue };
            if best.as_ref().is_none_or(|b| path_values.len() < b.path_values.len()) {
                best = Some(Found { operation, path_values });
            }
        }
        best
    }

    /// Whether any operation, whatever its method, has a path of this form.
    pub fn knows_path(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split('/').collect();
        self.operations.iter().any(|o| match_path(&o.path, &wanted).is_some())
    }

    /// An object schema's members.
    pub fn object(&self, name: &str) -> Option<&[Field]> {
        match self.objects.get(name)? {
            Shape::Object(fields) => Some(fields),
            _ => None,
        }
    }
}

fn match_path<'t, 'p>(template: &'t str, wanted: &[&'p str]) -> Option<Vec<(&'t str, &'p str)>> {
    let mut values = Vec::new();
    let mut given = wanted.iter();
    for segment in template.split('/') {
        let value = given.next()?;
        match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some(_) if value.is_empty() => return None,
            Some(name) => values.push((name, *value)),
            None if segment == *value => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(values)
}

impl Operation {
    /// A parameter by its name on the wire.
    pub fn parameter(&self, name: &str) -> Option<&Field> {
        self.parameters.iter().find(|f| f.name == name)
    }

    /// The placeholders of the path, left to right.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Reads `GET`, `POST` or `DELETE`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl Shape {
    /// The list that holds nothing but the empty string: the value that unsets a parameter.
    pub fn empty_string() -> Self {
        Self::Enum(Arc::from([String::new()]))
    }

    /// Whether this is the empty string that unsets a parameter.
    pub fn is_empty_string(&self) -> bool {
        matches!(self, Self::Enum(values) if values.len() == 1 && values.iter().all(String::is_empty))
    }

    /// Whether an empty string unsets a value of this shape.
    pub fn is_emptyable(&self) -> bool {
        match self {
            Self::Union(parts) => parts.iter().any(Self::is_emptyable),
            _ => self.is_empty_string(),
        }
    }
}
