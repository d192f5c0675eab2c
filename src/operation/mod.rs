//! Runs one action or query: input → checked parameters → one request → answer → mapped result.
//!
//! The engine knows no operation by name; the few whose meaning is not in Stripe's schema have a file in [`hooks`].
//! [`session`] is what every call that reaches the API starts with, `request` makes the one request of an operation,
//! `page` knows how the API's lists go on. Stripe's answer is read once and handed on as it came.

pub mod hooks;
pub mod page;
pub mod request;
pub mod session;
mod usage_stream;

use crate::catalogue::{self, Operation, OperationKind};
use crate::error::{Error, Result};
use crate::input::{self, File, Input};
use crate::mapping::{self, Record};
use crate::stripe::client::Answer;
use crate::stripe::namespace::Namespace;
use page::Paging;
use session::{Metadata, Session};

/// What an action did.
#[derive(Debug)]
pub struct Done {
    /// Stripe's answer, whole.
    pub output: String,
    /// The same in the platform's terms.
    pub record: Option<Record>,
    /// The file that Stripe answered with, where it is one.
    pub files: Vec<File>,
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
    /// The file that Stripe answered with, where it is one.
    pub files: Vec<File>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How it came about.
    pub metadata: Metadata,
}

/// Whether a second run with the same invocation id changes nothing more: of a read, of a request that carries an
/// idempotency key, and where a hook finds the work done.
pub fn is_idempotent(operation: Operation) -> bool {
    let request = operation.request();
    operation.reads()
        || Namespace::of(request.path()).takes_key(request.method())
        || hooks::of(operation).is_ok_and(|hook| hook.is_some_and(|h| h.finds_it_done))
}

/// Runs an action.
///
/// # Errors
/// Bad input or connection, before anything is sent; Stripe's refusal; no answer.
pub fn run_action(session: &Session<'_>, id: &str, input: &str, files: Vec<File>) -> Result<Done> {
    act(session, id, input, files).map_err(|error| session.invocation.tell(error))
}

fn act(session: &Session<'_>, id: &str, input: &str, files: Vec<File>) -> Result<Done> {
    let operation = catalogue::operation(id, Some(OperationKind::Action))?;
    let answer = perform(session, operation, input::check(operation, input, files)?)?;
    let record = mapping::record(answer.body.root(), operation.resource(), session.viewer());
    let metadata = session.metadata(&answer);
    Ok(Done { record, metadata, files: file(answer.file), output: answer.body.into_text() })
}

/// Runs a query, one page of it.
///
/// # Errors
/// As for an action; and a cursor for what has no pages.
pub fn run_query(session: &Session<'_>, id: &str, input: &str, cursor: Option<&str>) -> Result<Found> {
    let operation = catalogue::operation(id, Some(OperationKind::Query))?;
    let mut input = input::check(operation, input, Vec::new())?;
    let paging = Paging::of(operation.request());
    let backwards = page::goes_backwards(&input.parameters);
    if let Some(cursor) = cursor {
        let Some(paging) = paging else {
            let message = ["`", operation.id(), "` has one result and no pages"].concat();
            return Err(Error::input("cursor", message));
        };
        paging.go_on(&mut input.parameters, cursor)?;
    }
    let answer = perform(session, operation, input)?;
    let output = answer.body.root();
    let record = |object| mapping::record(object, operation.resource(), session.viewer());
    let (records, next_cursor) = match (paging, output.get("data").filter(|data| data.is_array())) {
        (Some(paging), Some(data)) => {
            (data.items().filter_map(record).collect(), paging.next(output, operation.request().path(), backwards)?)
        }
        _ => (record(output).into_iter().collect(), None),
    };
    let metadata = session.metadata(&answer);
    Ok(Found { records, next_cursor, metadata, files: file(answer.file), output: answer.body.into_text() })
}

/// Sends what the operation sends, by its hook where that has a say.
fn perform(session: &Session<'_>, operation: Operation, mut input: Input) -> Result<Answer> {
    let hook = hooks::of(operation)?;
    if let Some(before) = hook.and_then(|h| h.before) {
        before(&mut input)?;
    }
    let answer = match hook.and_then(|h| h.send) {
        Some(send) => send(session, operation, &input),
        None => request::send(session, operation, &input),
    };
    match hook.and_then(|h| h.after) {
        Some(after) => after(session, operation, &input, answer),
        None => answer,
    }
}

fn file(answered: Option<crate::stripe::file::File>) -> Vec<File> {
    let file = |f: crate::stripe::file::File| File {
        field: "file".to_owned(),
        name: f.name,
        content_type: f.content_type,
        content: f.content,
    };
    answered.map(file).into_iter().collect()
}

#[cfg(test)]
mod tests;
