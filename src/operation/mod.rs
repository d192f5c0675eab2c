//! Runs one action or query: input → checked parameters → one request → answer → mapped result.
//!
//! The engine knows no operation by name; the few whose meaning is not in Stripe's schema have a function in
//! [`hooks`]. [`session`] is what every call that reaches the API starts with.

pub mod hooks;
pub mod session;

use serde_json::Value;

use crate::catalog::{self, Method, Operation, OperationKind, Shape, nearest};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, Input};
use crate::json::Members;
use crate::mapping::{self, Record};
use crate::stripe::client::{Answer, Call};
use crate::stripe::{form, idempotency};
use session::{Metadata, Session};

/// What an action did.
#[derive(Debug)]
pub struct Done {
    /// Stripe's answer, whole.
    pub output: String,
    /// The same in the platform's terms.
    pub record: Option<Record>,
    /// How it came about.
    pub metadata: Metadata,
}

/// What a query found.
#[derive(Debug)]
pub struct Found {
    /// Stripe's answer, whole.
    pub output: String,
    /// Its objects in the platform's terms.
    pub records: Vec<Record>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How it came about.
    pub metadata: Metadata,
}

/// The operation of this id or alias, of this kind.
///
/// # Errors
/// That there is none, with the nearest names, or with what the name is instead.
pub fn find(id: &str, kind: OperationKind) -> Result<&'static Operation> {
    if let Some(operation) = catalog::operation(id, Some(kind)) {
        return Ok(operation);
    }
    let (noun, interface) = match kind {
        OperationKind::Action => ("action", "actions"),
        OperationKind::Query => ("query", "queries"),
        OperationKind::Trigger => ("trigger", "triggers"),
    };
    let error = Error::new(ErrorKind::UnknownOperation, format!("there is no {noun} `{id}`"));
    if let Some(other) = catalog::operation(id, None) {
        let other = if other.kind == OperationKind::Action { "an action" } else { "a query" };
        return Err(error.hint(format!("`{id}` is {other}: run it as one.")));
    }
    let names = catalog::OPERATIONS
        .iter()
        .filter(|o| o.kind == kind)
        .flat_map(|o| std::iter::once(o.id).chain(o.aliases.iter().copied()));
    Err(match nearest(id, names).as_slice() {
        [] => error.hint(format!("List the operations to see all {interface}.")),
        near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
    })
}

/// Runs an action.
///
/// # Errors
/// Bad input or connection, before anything is sent; Stripe's refusal; no answer.
pub fn run_action(session: &Session<'_>, id: &str, input: &str) -> Result<Done> {
    let operation = find(id, OperationKind::Action)?;
    let mut input = input::check(operation, input)?;
    let answer = match operation.hook {
        None => send(session, operation, &input)?,
        Some(catalog::Hook::CancelSubscription) => hooks::cancel_subscription(session, operation, &input)?,
        Some(catalog::Hook::CheckoutUrls) => {
            hooks::checkout_urls(&mut input.parameters);
            send(session, operation, &input)?
        }
    };
    let object: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let record = mapping::record(&object, operation.resource, session.viewer());
    Ok(Done { record, metadata: session.metadata(&answer), output: answer.body })
}

/// Runs a query, one page of it.
///
/// # Errors
/// As for an action; and a cursor for what has no pages.
pub fn run_query(session: &Session<'_>, id: &str, input: &str, cursor: Option<&str>) -> Result<Found> {
    let operation = find(id, OperationKind::Query)?;
    let mut input = input::check(operation, input)?;
    let paged = matches!(operation.response, Shape::List(_) | Shape::Search(_));
    if let Some(cursor) = cursor {
        if !paged {
            return Err(Error::input("cursor", format!("`{}` has one result and no pages", operation.id)));
        }
        put_cursor(operation, &mut input, cursor)?;
    }
    let answer = send(session, operation, &input)?;
    let output: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let viewer = session.viewer();
    let records = match output.at("data").as_array().filter(|_| paged) {
        Some(items) => items.iter().filter_map(|o| mapping::record(o, operation.resource, viewer)).collect(),
        None => mapping::record(&output, operation.resource, viewer).into_iter().collect(),
    };
    let next_cursor = if paged { next_cursor(&output, input.parameters.contains_key("ending_before")) } else { None };
    Ok(Found { records, next_cursor, metadata: session.metadata(&answer), output: answer.body })
}

/// A cursor continues where the page before ended, in the direction that the input goes.
fn put_cursor(operation: &Operation, input: &mut Input, cursor: &str) -> Result<()> {
    if cursor.is_empty() || cursor.len() > 500 || !cursor.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::input("cursor", "this cursor did not come from a page before"));
    }
    let backwards = input.parameters.contains_key("ending_before");
    let name = match operation.response {
        Shape::Search(_) => "page",
        _ if backwards => "ending_before",
        _ => "starting_after",
    };
    input.parameters.insert(name.to_owned(), Value::from(cursor));
    Ok(())
}

fn next_cursor(page: &Value, backwards: bool) -> Option<String> {
    if page.at("has_more") != true {
        return None;
    }
    if let Some(next) = page.at("next_page").as_str() {
        return Some(next.to_owned());
    }
    let data = page.at("data").as_array()?;
    let edge = if backwards { data.first() } else { data.last() };
    Some(edge?.at("id").as_str()?.to_owned())
}

/// The one request of an operation, with its path filled in.
pub(crate) fn send(session: &Session<'_>, operation: &Operation, input: &Input) -> Result<Answer> {
    let key = match operation.method {
        Method::Post => Some(session.idempotency_key(operation.id, 0)?),
        Method::Get | Method::Delete => None,
    };
    let mut values = input.path.iter();
    let path: Vec<String> =
        operation
            .path
            .split('/')
            .map(|s| {
                if s.starts_with('{') {
                    values.next().map(|v| form::escape(v)).unwrap_or_default()
                } else {
                    s.to_owned()
                }
            })
            .collect();
    session.client().send(&Call {
        method: operation.method,
        path: path.join("/"),
        form: form::encode(&input.parameters),
        idempotency_key: key,
    })
}

impl Session<'_> {
    /// The key of a write of this call.
    pub(crate) fn idempotency_key(&self, operation: &str, part: u32) -> Result<String> {
        idempotency::key(&self.invocation.id, self.invocation.idempotency_key.as_deref(), operation, part)
    }
}
