//! Runs one action or query: input → checked parameters → one request → answer → mapped result.
//!
//! The engine knows no operation by name; the few whose meaning is not in Stripe's schema have a file in [`hooks`].
//! [`session`] is what every call that reaches the API starts with, `request` makes the one request of an operation,
//! `page` knows how the API's lists go on, `note` why one may be empty, `search` what a list finds in a search's place,
//! `missing` whether what is gone was deleted, `whole_api` runs what has no entry of its own. Stripe's answer is read once
//! and handed on as it came.

pub mod hooks;
mod missing;
mod note;
pub mod page;
pub mod request;
mod search;
pub mod session;
mod signing_secret;
mod usage_stream;
mod whole_api;

use std::borrow::Cow;

use crate::alias::{self, Filter, Translated};
use crate::catalogue::{self, Operation, OperationKind};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, File, Input};
use crate::json::{self, Node};
use crate::mapping::{self, Record};
use crate::stripe::client::Answer;
use crate::stripe::namespace::Namespace;
use note::FoundBy;
use page::Paging;
use search::List;
use session::{Metadata, Session};
use whole_api::Told;

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
pub fn run_action(session: &mut Session<'_>, id: &str, input: &str, files: Vec<File>) -> Result<Done> {
    act(session, id, input, files).map_err(|error| session.invocation.tell(error))
}

fn act(session: &mut Session<'_>, id: &str, input: &str, files: Vec<File>) -> Result<Done> {
    let asked = Asked::of(id, input, OperationKind::Action)?;
    asked.told(|operation, input| {
        if let Some(key) = asked.renamed.as_ref().and_then(|renamed| renamed.key.as_deref()) {
            session.invocation.take_key(key)?;
        }
        let answer = perform(session, operation, input::check(operation, input, files)?)?;
        let record = mapping::record(answer.body.root(), operation.resource(), session.viewer());
        let metadata = session.metadata(&answer);
        let named = named(operation, answer.body.root());
        let output = named.unwrap_or_else(|| signing_secret::without(answer.body));
        Ok(Done { record, metadata, files: file(answer.file), output })
    })
}

/// Runs a query, one page of it.
///
/// # Errors
/// As for an action; and a cursor for what has no pages.
pub fn run_query(session: &Session<'_>, id: &str, input: &str, cursor: Option<&str>) -> Result<Found> {
    if let Some(own) = catalogue::own(id) {
        let told = match own.id {
            "api.search" => Some(whole_api::search(own, input, cursor)?),
            "api.describe" => Some(whole_api::describe(own, input)?),
            _ => None,
        };
        if let Some(Told { output, next_cursor }) = told {
            let metadata = session.metadata_of_nothing();
            return Ok(Found { output, records: Vec::new(), files: Vec::new(), next_cursor, metadata });
        }
    }
    let asked = Asked::of(id, input, OperationKind::Query)?;
    asked.told(|operation, input| {
        let filters = asked.renamed.as_ref().map_or(&[][..], |renamed| &renamed.filters);
        ask(session, operation, input, cursor, filters)
    })
}

fn ask(
    session: &Session<'_>,
    operation: Operation,
    input: &str,
    cursor: Option<&str>,
    filters: &[Filter],
) -> Result<Found> {
    let input = input::check(operation, input, Vec::new())?;
    let paging = Paging::of(operation.request());
    if cursor.is_some() && paging.is_none() {
        let message = ["`", operation.id(), "` has one result and no pages"].concat();
        return Err(Error::input("cursor", message));
    }
    let backwards = page::goes_backwards(&input.parameters);
    let given = input.parameters.clone();
    let (answer, by) = look(session, operation, input, (paging, cursor))?;
    let output = answer.body.root();
    let record = |object| mapping::record(object, operation.resource(), session.viewer());
    let (records, next_cursor) = match (paging, output.get("data").filter(|data| data.is_array())) {
        (Some(paging), Some(data)) => {
            let chosen = data.items().filter(|object| filters.iter().all(|filter| filter.passes(*object)));
            (chosen.filter_map(record).collect(), paging.next(output, operation.request().path(), backwards)?)
        }
        _ => (record(output).into_iter().collect(), None),
    };
    let first = cursor.is_none() && next_cursor.is_none();
    let note = note::of(operation, &given, output, (paging, first, by, session.connection.key.mode));
    let mut metadata = session.metadata(&answer);
    metadata.extras.extend(note.map(|note| (note::NOTE.to_owned(), json::quoted(&note))));
    let named = match filters {
        [] => named(operation, output),
        filters => Some(alias::chosen(filters, output)),
    };
    let output = named.unwrap_or_else(|| signing_secret::without(answer.body));
    Ok(Found { records, next_cursor, metadata, files: file(answer.file), output })
}

/// The answer in the names of the operation's alias, where it names any.
fn named(operation: Operation, answer: Node<'_, '_>) -> Option<String> {
    let alias = operation.alias().filter(|alias| !alias.outputs().is_empty())?;
    Some(alias::named(alias, answer))
}

/// What is to be run: an operation by one of its names, or through one that runs any.
struct Asked<'i> {
    operation: Operation,
    input: Cow<'i, str>,
    /// Under a name with fields of its own.
    renamed: Option<Translated>,
}

impl<'i> Asked<'i> {
    fn of(id: &str, input: &'i str, kind: OperationKind) -> Result<Self> {
        let (operation, input) = match catalogue::own(id) {
            Some(own) if own.kind == kind => {
                let target = whole_api::target(own, input, Some(kind))?;
                (target.operation, Cow::Owned(target.input))
            }
            Some(own) => {
                let message = ["there is no ", kind.name(), " `", id, "`"].concat();
                let other = if own.kind == OperationKind::Action { "an action" } else { "a query" };
                let hint = ["`", id, "` is ", other, ": run it as one."].concat();
                return Err(Error::new(ErrorKind::UnknownOperation, message).hint(hint));
            }
            None => (catalogue::operation(id, Some(kind))?, Cow::Borrowed(input)),
        };
        let renamed = operation.alias().map(|alias| alias::translate(operation, alias, &input)).transpose()?;
        Ok(Self { operation, input, renamed })
    }

    /// Runs it, and tells an error in the names that it was asked for in.
    fn told<T>(&self, run: impl FnOnce(Operation, &str) -> Result<T>) -> Result<T> {
        let input = self.renamed.as_ref().map_or(&*self.input, |renamed| &renamed.input);
        run(self.operation, input).map_err(|error| match &self.renamed {
            Some(renamed) => renamed.tell(error),
            None => error,
        })
    }
}

/// Sends what a query sends for its page at a cursor. Where a search that people have described finds nothing, a list may.
fn look(
    session: &Session<'_>,
    operation: Operation,
    mut input: Input,
    (paging, cursor): (Option<Paging>, Option<&str>),
) -> Result<(Answer, FoundBy)> {
    let searches = paging == Some(Paging::ByToken);
    if let Some(cursor) = cursor.and_then(search::cursor_of_list).filter(|_| searches) {
        let list = List::of(operation.request(), &input.parameters).ok_or_else(page::foreign_cursor)?;
        return Ok((list.ask(session, Some(cursor))?, FoundBy::List));
    }
    if let (Some(paging), Some(cursor)) = (paging, cursor) {
        paging.go_on(&mut input.parameters, cursor)?;
    }
    let first = searches && cursor.is_none();
    let list =
        if first && operation.entry().is_some() { List::of(operation.request(), &input.parameters) } else { None };
    let answer = perform(session, operation, input)?;
    match list.filter(|_| page::is_empty(answer.body.root())).map(|list| list.ask(session, None)) {
        Some(Ok(found)) if !page::is_empty(found.body.root()) => Ok((found, FoundBy::List)),
        _ => Ok((answer, FoundBy::Itself)),
    }
}

/// Sends what the operation sends, by its hook where that has a say. What is missing is told apart from what was deleted,
/// but for a plain request of the API, which sends itself and nothing else, and where a hook looks itself.
fn perform(session: &Session<'_>, operation: Operation, input: Input) -> Result<Answer> {
    let answer = send(session, operation, input);
    if operation.entry().is_none() || !operation.hook().is_empty() {
        return answer;
    }
    answer.map_err(|error| missing::explain(session, operation, error))
}

fn send(session: &Session<'_>, operation: Operation, mut input: Input) -> Result<Answer> {
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
    answered.map_or_else(Vec::new, |answered| vec![file(answered)])
}

#[cfg(test)]
mod tests;
