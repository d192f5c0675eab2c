//! What a table is written from: everything owned, filled by the build, in the order in which it shall be listed.

use std::collections::BTreeMap;

use crate::names::{About, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};

/// All of a table.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each is a list of a documented type")]
pub struct Model {
    /// Single texts and numbers by name (`api_version`, `response_bytes`): what the engine needs of the manifest.
    pub constants: BTreeMap<String, String>,
    pub auth_methods: Vec<AuthMethod>,
    pub connection_fields: Vec<ConnectionField>,
    pub permissions: Vec<Permission>,
    pub advice: Vec<Advice>,
    /// Sorted by id.
    pub requests: Vec<Request>,
    /// Members of object schemas by name.
    pub objects: BTreeMap<String, Vec<Field>>,
    /// Sorted by name.
    pub events: Vec<EventType>,
    pub operations: Vec<Operation>,
    /// Sorted by name.
    pub aliases: Vec<Alias>,
    pub triggers: Vec<Trigger>,
    pub resources: Vec<Resource>,
}

/// One HTTP operation of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id, `v1.customers.create`; unique.
    pub id: String,
    /// The HTTP method.
    pub method: Method,
    /// The path with its placeholders.
    pub path: String,
    /// How its parameters travel.
    pub encoding: Encoding,
    /// Which host serves it.
    pub base: Base,
    /// Whether it changes nothing, whatever its method.
    pub read_only: bool,
    /// Whether its answer is a file and not JSON.
    pub binary: bool,
    /// The name of the [`Permission`] that a restricted key needs for it; empty where none is known.
    pub permission: String,
    /// Its other parameters.
    pub parameters: Vec<Field>,
    /// What a success answers.
    pub response: Shape,
}

/// A named member of an object, or a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// Whether it must be sent, or is always there.
    pub required: bool,
    /// Whether it may be `null` in an answer.
    pub nullable: bool,
    /// What its value looks like.
    pub shape: Shape,
}

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nothing is known.
    Any,
    /// `true` or `false`.
    Boolean,
    /// Always `true` where present.
    True,
    /// A whole number.
    Integer,
    /// Seconds since 1970.
    Timestamp,
    /// An amount in a currency's smallest unit.
    Amount,
    /// A number with a fraction.
    Number,
    /// A decimal number written as text.
    Decimal,
    /// Text.
    String,
    /// The bytes of a file.
    File,
    /// Text out of a closed list. The list `[""]` is the empty string that unsets a value.
    Enum(Vec<String>),
    /// A list.
    Array(Box<Shape>),
    /// An object whose member names are the caller's.
    Map(Box<Shape>),
    /// An object with known members.
    Object(Vec<Field>),
    /// Any one of several shapes.
    Union(Vec<Shape>),
    /// An object schema of this name.
    Ref(String),
    /// The id of an object, or that object.
    Expandable(Vec<String>),
    /// A v1 list.
    List(Box<Shape>),
    /// A v1 search result.
    Search(Box<Shape>),
    /// A v2 list.
    Pages(Box<Shape>),
}

/// An event type of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct EventType {
    /// `customer.created`.
    pub name: String,
    /// The object schema that it is about, where that is known.
    pub object: Option<String>,
}

/// An action or query that people see.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id, `customer.create`.
    pub id: String,
    /// Action or query.
    pub kind: OperationKind,
    /// Its title.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// The resource that it is about.
    pub resource: String,
    /// Other ids that mean it.
    pub aliases: Vec<String>,
    /// How careful one has to be with it.
    pub safety: Safety,
    /// The id of its [`Request`].
    pub request: String,
    /// The input fields that fill the path's placeholders, left to right.
    pub path_fields: Vec<String>,
    /// The input fields to show first, in order.
    pub shown: Vec<String>,
    /// An input, as JSON.
    pub sample: String,
    /// Values of input fields that are left out, as a JSON object; empty for none.
    pub defaults: String,
    /// Values that are always sent and nobody gives, as a JSON object; empty for none.
    pub fixed: String,
    /// The hook that knows what the schema does not say; empty for none.
    pub hook: String,
    /// Input fields that the hook adds.
    pub extra: Vec<Field>,
    /// Input fields in major units, and the parameter in minor units that each stands for.
    pub major_units: Vec<(String, String)>,
    /// Input fields of which exactly one must be given.
    pub one_of: Vec<String>,
    /// The id of the action that takes back what it did; empty for none.
    pub inverse: String,
    /// What is said of its input fields, by path.
    pub meanings: Vec<Meaning>,
}

/// What people read about a field, and what is demanded of it beyond its type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meaning {
    /// The field's path without list indices, `items.price`.
    pub path: String,
    /// Its title; empty where nothing is said.
    pub title: String,
    /// What it is for; empty where nothing is said.
    pub help: String,
    /// What is demanded beyond its type.
    pub rule: Option<Rule>,
    /// The resource that its drop-down lists; empty for none.
    pub picks: String,
}

/// A name of an operation under which its input and output have names of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The name; it is among the aliases of the operation, too.
    pub name: String,
    /// The id of the operation.
    pub operation: String,
    /// Action or query.
    pub kind: OperationKind,
    /// Input fields, in the order in which they are shown, and where in the operation's input each value goes:
    /// `customer`, `items.0.price`, `created.gte`.
    pub inputs: Vec<(String, String)>,
    /// Those that must be given.
    pub required: Vec<String>,
    /// Values of those that are left out, as a JSON object; empty for none.
    pub defaults: String,
    /// Input fields that choose among the objects of a page, and the member that each is held against.
    pub filters: Vec<(String, String)>,
    /// The input field that is an idempotency key of the caller's own; empty for none.
    pub key: String,
    /// Members of the output, and where in the operation's output each is; empty where that is handed on as it is.
    pub outputs: Vec<(String, String)>,
    /// An input, as JSON.
    pub sample: String,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Its id, mostly the event type.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it fires, in a sentence.
    pub description: String,
    /// The resource that its events are about.
    pub resource: String,
    /// The event type.
    pub event: String,
    /// Other ids that mean it.
    pub aliases: Vec<String>,
}

/// A resource and its internal mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name, `customer`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What the platform calls it.
    pub internal: String,
    /// The name of its object schema, which is the value of `object` in its objects.
    pub object: String,
    /// How its ids begin.
    pub id_prefixes: Vec<String>,
    /// The folder of its pages in the service's dashboard; empty for none.
    pub dashboard: String,
    /// Paths of which the first with a value is its label.
    pub label: Vec<String>,
    /// Paths of which the first with a value stands beside the label.
    pub detail: Vec<String>,
    /// The id of the [`Request`] that lists its choices; empty for none.
    pub choices: String,
    /// The parameters of that list which must be known first, each an input field of the operation: `customer`.
    pub choices_need: Vec<String>,
    /// The id of the [`Request`] that searches; empty for none.
    pub search: String,
    /// The fields that are searched.
    pub search_fields: Vec<String>,
    /// The id of the [`Request`] that reads one by its id; empty for none.
    pub retrieve: String,
    /// How internal fields are filled.
    pub mapping: Vec<Mapping>,
}

/// How one internal field is filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The platform's name of it.
    pub internal: String,
    /// What it is.
    pub kind: ValueKind,
    /// Where the value is: this API version's place first, then those of older versions.
    pub paths: Vec<String>,
}

/// A way to authenticate.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthMethod {
    /// Its name, `api-key`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// `fields` or `oauth`.
    pub kind: String,
    /// The connection fields that it fills.
    pub fields: Vec<String>,
    /// Where the user is sent to consent; empty where there is no consent.
    pub authorize_url: String,
    /// Where codes are exchanged; empty likewise.
    pub token_url: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Whether the service takes a PKCE challenge.
    pub pkce: bool,
}

/// One field of the connection form.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "documented in the contract, `wit/connection.wit`; texts are empty where there is none"
)]
pub struct ConnectionField {
    pub name: String,
    pub kind: FieldKind,
    pub title: String,
    pub help: String,
    pub required: bool,
    pub placeholder: String,
    pub link: String,
    pub default: String,
}

/// What a restricted key may be allowed, to read or to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    /// Its name, `customer`.
    pub name: String,
    /// What the service calls it where keys are made.
    pub title: String,
    /// The id of the [`Request`] that shows whether a key may read it; empty for none.
    pub probe: String,
    /// What triggers need of it: `read`, `write` or, empty, nothing.
    pub triggers: String,
}

/// What to do about errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What it is known by.
    pub about: About,
    /// The codes, reasons or parts of a message that it belongs to.
    pub of: Vec<String>,
    /// Cause and way out.
    pub hint: String,
}
