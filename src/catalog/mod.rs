//! What the connector can do, as data: operations, triggers, resources and the shapes of their values.
//!
//! The build writes it from `manifest.toml` and the facts; nothing here knows an operation by name. Everything
//! is a static, so a call finds its operation without parsing anything. Readers: `operation` runs entries,
//! `schema` and `sample` describe them, `input` checks values against them.

mod search;
mod tables;

pub use search::{Entry, nearest, search};
pub use tables::*;

use crate::error::{Error, ErrorKind};

/// What an operation or a trigger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Starts a workflow.
    Trigger,
    /// Changes something.
    Action,
    /// Reads something.
    Query,
}

/// How careful one has to be with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Changes nothing.
    Read,
    /// Adds something that can be changed or removed again.
    Create,
    /// Changes something.
    Change,
    /// May move money, now or on a schedule.
    MoveMoney,
    /// Removes or ends something for good.
    Destroy,
}

/// The HTTP methods of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; parameters in the query.
    Get,
    /// Changes; parameters in the body.
    Post,
    /// Removes; parameters in the query.
    Delete,
}

/// The few operations whose meaning is not in the API's schema; `operation::hooks` has a function for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Ends a subscription now or at the end of its period, and takes one that has ended already as done.
    CancelSubscription,
    /// Puts Stripe's own landing page in where a checkout session needs an address and none is given.
    CheckoutUrls,
}

/// An action or query.
#[derive(Debug)]
pub struct Operation {
    /// Its id, `customer.create`.
    pub id: &'static str,
    /// Action or query.
    pub kind: OperationKind,
    /// Its title.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// The resource that it is about.
    pub resource: &'static str,
    /// Other ids that mean it.
    pub aliases: &'static [&'static str],
    /// How careful one has to be with it.
    pub safety: Safety,
    /// The request's method.
    pub method: Method,
    /// The request's path; its placeholders are input fields.
    pub path: &'static str,
    /// The request's other parameters.
    pub parameters: &'static [Field],
    /// The input fields to show first, in order.
    pub shown: &'static [&'static str],
    /// What the service answers with.
    pub response: &'static Shape,
    /// An input, as JSON.
    pub sample: &'static str,
    /// Values of input fields that are left out, as JSON.
    pub defaults: Option<&'static str>,
    /// Where Stripe's meaning is not in its schema.
    pub hook: Option<Hook>,
    /// Boolean input fields that the hook adds.
    pub extra: &'static [&'static str],
    /// Input fields in major units, `"10.99"`, and the parameter in minor units that each stands for.
    pub major_units: &'static [(&'static str, &'static str)],
    /// Input fields of which exactly one must be given.
    pub one_of: &'static [&'static str],
    /// What this operation says of its fields beyond [`FIELD_TEXTS`].
    pub texts: &'static [FieldText],
}

impl Operation {
    /// The placeholders of the path, left to right.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    }

    /// What to know of an input field: the operation's own text, and the general one for what that leaves open.
    pub fn text_of(&self, field: &str) -> FieldText {
        let general = field_text(field);
        let Some(own) = self.texts.iter().find(|t| t.name == field) else { return general };
        FieldText {
            name: own.name,
            title: if own.title.is_empty() { general.title } else { own.title },
            help: if own.help.is_empty() { general.help } else { own.help },
            rule: own.rule.or(general.rule),
            picks: own.picks.or(general.picks),
        }
    }
}

/// A trigger.
#[derive(Debug)]
pub struct Trigger {
    /// Its id, mostly the event type.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// When it fires, in a sentence.
    pub description: &'static str,
    /// The resource that its events are about.
    pub resource: &'static str,
    /// The event type.
    pub event: &'static str,
    /// Other ids that mean it.
    pub aliases: &'static [&'static str],
}

/// A resource and its internal mapping.
#[derive(Debug)]
pub struct Resource {
    /// Its name, `customer`.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What the platform calls it.
    pub internal: &'static str,
    /// The name of its object schema, which is the value of `object` in its objects.
    pub object: &'static str,
    /// How its ids begin.
    pub id_prefixes: &'static [&'static str],
    /// The folder of its pages in Stripe's dashboard.
    pub dashboard: Option<&'static str>,
    /// Paths of which the first with a value is its label.
    pub label: &'static [&'static str],
    /// Paths of which the first with a value stands beside the label.
    pub detail: &'static [&'static str],
    /// The list that choices come from.
    pub choices: Option<&'static str>,
    /// The search that choices come from.
    pub search: Option<&'static str>,
    /// The fields that are searched.
    pub search_fields: &'static [&'static str],
    /// How internal fields are filled.
    pub mapping: &'static [Mapping],
}

/// How one internal field is filled.
#[derive(Debug)]
pub struct Mapping {
    /// The platform's name of it.
    pub internal: &'static str,
    /// What it is.
    pub kind: ValueKind,
    /// Where the value is: this API version's place first, then those of older versions.
    pub paths: &'static [&'static str],
}

/// What a mapped value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the contract, `wit/resources.wit`")]
pub enum ValueKind {
    Text,
    Integer,
    Boolean,
    Timestamp,
    Money,
    Reference,
    Labels,
}

/// What people read about a field, and what Stripe demands of it beyond its type.
#[derive(Debug, Clone, Copy)]
pub struct FieldText {
    /// The field's name.
    pub name: &'static str,
    /// Its title; empty where nothing is said.
    pub title: &'static str,
    /// What it is for; empty where nothing is said.
    pub help: &'static str,
    /// What is demanded beyond its type.
    pub rule: Option<Rule>,
    /// The resource that its drop-down lists.
    pub picks: Option<&'static str>,
}

/// What Stripe demands of a value beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Not negative.
    Amount,
    /// At least 1.
    PositiveAmount,
    /// A three-letter currency code.
    Currency,
}

/// One field of the connection form.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the contract, `wit/connection.wit`")]
pub struct ConnectionField {
    pub name: &'static str,
    pub kind: ConnectionFieldKind,
    pub title: &'static str,
    pub help: &'static str,
    pub required: bool,
    pub placeholder: Option<&'static str>,
    pub link: Option<&'static str>,
    pub default: Option<&'static str>,
}

/// How a connection field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the contract, `wit/connection.wit`")]
pub enum ConnectionFieldKind {
    Secret,
    Text,
    Url,
}

/// A read that shows whether a restricted key has a permission.
#[derive(Debug)]
pub struct Probe {
    /// What it is about.
    pub title: &'static str,
    /// The path to read.
    pub path: &'static str,
    /// The query that keeps the answer small.
    pub query: &'static str,
    /// The operations that need it.
    pub operations: &'static [&'static str],
}

/// A named member of an object, or a parameter.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it must be sent, or is always there.
    pub required: bool,
    /// Whether it may be `null` in an answer.
    pub nullable: bool,
    /// What its value looks like.
    pub shape: &'static Shape,
}

/// An object schema.
#[derive(Debug)]
pub struct ObjectType {
    /// Its name, which mostly is the value of `object`.
    pub name: &'static str,
    /// Its members.
    pub fields: &'static [Field],
}

/// What a value looks like; see `stripe_facts::Shape`, which this mirrors in static form.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the facts crate")]
pub enum Shape {
    Any,
    Boolean,
    True,
    Integer,
    Number,
    Decimal,
    String,
    Enum(&'static [&'static str]),
    Array(&'static Shape),
    Map(&'static Shape),
    Object(&'static [Field]),
    Union(&'static [&'static Shape]),
    Ref(&'static str),
    Expandable(&'static [&'static str]),
    List(&'static Shape),
    Search(&'static Shape),
    Pages(&'static Shape),
}

impl Shape {
    /// Whether this is the empty string that unsets a parameter.
    pub fn is_empty_string(&self) -> bool {
        matches!(self, Self::Enum([""]))
    }
}

/// The action or query of this id or alias; the action where both have it.
pub fn operation(id: &str, kind: Option<OperationKind>) -> Option<&'static Operation> {
    let of_kind = || OPERATIONS.iter().filter(move |o| kind.is_none_or(|k| k == o.kind));
    of_kind().find(|o| o.id == id).or_else(|| of_kind().find(|o| o.aliases.contains(&id)))
}

/// The trigger of this id or alias.
pub fn trigger(id: &str) -> Option<&'static Trigger> {
    TRIGGERS.iter().find(|t| t.id == id).or_else(|| TRIGGERS.iter().find(|t| t.aliases.contains(&id)))
}

/// The resource of this name.
pub fn resource(name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.name == name)
}

/// The resource whose objects have this value of `object`.
pub fn resource_of_object(object: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.object == object)
}

/// The resource that an id belongs to, by the longest prefix that fits.
pub fn resource_of_id(id: &str) -> Option<&'static Resource> {
    let fit = |r: &Resource| {
        r.id_prefixes.iter().filter(|p| id.len() > p.len() && id.starts_with(**p)).map(|p| p.len()).max()
    };
    RESOURCES.iter().filter_map(|r| Some((fit(r)?, r))).max_by_key(|(length, _)| *length).map(|(_, r)| r)
}

/// An object schema's members.
pub fn object(name: &str) -> Option<&'static [Field]> {
    OBJECTS.binary_search_by(|o| o.name.cmp(name)).ok().and_then(|i| OBJECTS.get(i)).map(|o| o.fields)
}

/// What is said of a field wherever it occurs.
pub fn field_text(name: &str) -> FieldText {
    let found = FIELD_TEXTS.binary_search_by(|t| t.name.cmp(name)).ok().and_then(|i| FIELD_TEXTS.get(i));
    found.copied().unwrap_or(FieldText { name: "", title: "", help: "", rule: None, picks: None })
}

/// That nothing has this id, with the nearest ids and aliases of all kinds.
pub fn unknown(id: &str) -> Box<Error> {
    let error = Error::new(ErrorKind::UnknownOperation, format!("there is no operation `{id}`"));
    let operations = OPERATIONS.iter().flat_map(|o| std::iter::once(o.id).chain(o.aliases.iter().copied()));
    let triggers = TRIGGERS.iter().flat_map(|t| std::iter::once(t.id).chain(t.aliases.iter().copied()));
    match nearest(id, operations.chain(triggers)).as_slice() {
        [] => error.hint("List the operations to see all of them."),
        near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
    }
}
