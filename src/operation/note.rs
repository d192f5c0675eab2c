//! What a person should know of what a query found, beside it: why there may be nothing, and what may not be there yet.

use serde_json::{Map, Value};

use super::missing::is_deleted;
use super::page::{Paging, is_empty};
use crate::catalogue::{self, Operation};
use crate::json::Node;
use crate::stripe::key::Mode;

/// The name of a note among the extras.
pub const NOTE: &str = "note";

const LAGS: &str =
    "A search lags behind by up to a minute: what was made or changed just now may be missing. A list does not lag.";

const LISTED: &str = "The search found nothing, for a search lags behind by up to a minute; this is what a list finds by the same values.";

/// What found an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// What was asked for.
    Itself,
    /// A list in a search's place.
    List,
}

/// What is to be said of an answer; none mostly. `first`: whether it is the first page of a list.
pub fn of(
    operation: Operation,
    given: &Map<String, Value>,
    answer: Node<'_, '_>,
    (paging, first, by, mode): (Option<Paging>, bool, FoundBy, Mode),
) -> Option<String> {
    let Some(paging) = paging else {
        return is_deleted(answer).then(|| "This object was deleted: no more than its id is left.".to_owned());
    };
    if by == FoundBy::List {
        return Some(LISTED.to_owned());
    }
    let nothing = first && is_empty(answer);
    match (nothing, paging) {
        (false, Paging::ByToken) => Some(LAGS.to_owned()),
        (false, _) => None,
        (true, Paging::ByToken) => Some([&nothing_found(operation, given, mode), " ", LAGS].concat()),
        (true, _) => Some(nothing_found(operation, given, mode)),
    }
}

/// Why a list can be empty.
fn nothing_found(operation: Operation, given: &Map<String, Value>, mode: Mode) -> String {
    const NO_FILTERS: [&str; 6] = ["limit", "expand", "starting_after", "ending_before", "page", "query"];
    let mut filters: Vec<&str> = Vec::new();
    for name in given.keys() {
        if !NO_FILTERS.contains(&name.as_str()) {
            filters.push(name);
        }
    }
    let (mode, other) = match mode {
        Mode::Test => ("test", "live"),
        Mode::Live => ("live", "test"),
    };
    let mut said = match filters.as_slice() {
        [] => ["Nothing is there in ", mode, " mode; ", other, " mode has objects of its own."].concat(),
        filters => {
            ["Nothing in ", mode, " mode fits `", &filters.join("`, `"), "`; ", other, " mode has objects of its own."]
                .concat()
        }
    };
    for name in &filters {
        if let Some(other) = given.get(*name).and_then(Value::as_str).and_then(|id| id_of_other(operation, name, id)) {
            said.push_str(&[" `", name, "` looks like the id of another kind: ", &other, "."].concat());
        }
    }
    if !filters.is_empty() {
        said.push_str(" Filters fit whole values, in upper and lower case as they are.");
        if let Some(search) = search_beside(operation) {
            said.push_str(&[" `", search, "` finds by parts and other fields."].concat());
        }
    }
    said
}

/// What the id of a filter belongs to, where that is something else than the filter is about.
fn id_of_other(operation: Operation, name: &str, id: &str) -> Option<String> {
    let wanted = operation.meaning(name)?.picks();
    let other = catalogue::table().ok()?.resource_of_id(id)?;
    (!wanted.is_empty() && other.name() != wanted).then(|| other.title().to_ascii_lowercase())
}

/// The operation that searches what this one lists.
fn search_beside(operation: Operation) -> Option<&'static str> {
    let path = [operation.request().path(), "/search"].concat();
    let table = catalogue::table().ok()?;
    let curated = table.operations().iter().filter_map(Operation::curated).find(|o| o.request().path() == path);
    curated.map(Operation::id)
}
