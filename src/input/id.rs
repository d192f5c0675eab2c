//! Ids: of the path's objects, and of objects that a field names.

use crate::catalogue::{self, Operation};
use crate::error::{Error, Result};
use crate::json::Node;

use super::refusal::{missing, wrong_type};

/// How many letters and digits follow the prefix of every id that Stripe makes, at least.
const TAIL: usize = 14;
/// How many characters an id has at most.
const LONGEST: usize = 255;

/// An id that goes into the path. It is escaped where it is sent; what is refused here would mean another path.
pub fn in_path(operation: Operation, name: &str, value: Node<'_, '_>) -> Result<String> {
    let text = value.as_str().ok_or_else(|| wrong_type(name, "an id in quotes", value))?.into_owned();
    if text.is_empty() {
        return Err(missing(operation, name));
    }
    let invisible = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '?' | '#');
    if text.chars().count() > LONGEST || text.contains(invisible) || matches!(text.as_str(), "." | "..") {
        return Err(Error::input(
            name,
            ["`", name, "` is no id: an id has 1 to 255 visible characters, and none of / ? #"].concat(),
        ));
    }
    if let Some(meaning) = operation.meaning(name) {
        right_resource(name, &text, meaning.picks())?;
    }
    Ok(text)
}

/// Refuses an id that cannot be one of what is wanted: it has the prefix of something else, and behind that only letters
/// and digits, as many as only Stripe gives. People may have given shorter ones and ones of their own.
pub fn right_resource(path: &str, id: &str, wanted: &str) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let table = catalogue::table()?;
    let Some(other) = table.resource_of_id(id).filter(|r| r.name() != wanted) else { return Ok(()) };
    let tail = other.id_prefixes().iter().filter_map(|prefix| id.strip_prefix(prefix)).min_by_key(|tail| tail.len());
    if !tail.is_some_and(|t| t.len() >= TAIL && t.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Ok(());
    }
    let title = |name: &str| table.resource(name).map_or(name.to_owned(), |r| r.title().to_ascii_lowercase());
    let (wanted, other) = (title(wanted), title(other.name()));
    Err(Error::input(
        path,
        [
            "`",
            path,
            "` needs the id of ",
            article(&wanted),
            &wanted,
            ", and this is the id of ",
            article(&other),
            &other,
        ]
        .concat(),
    ))
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an " } else { "a " }
}
