//! Ids: of the path's objects, and of objects that a field names.

use crate::catalogue::{self, Meaning, Operation, Request, Resource};
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
    right_resource(name, &text, &|| resource_in_path(operation, name))?;
    Ok(text)
}

/// The resource whose ids fill a placeholder: that of its drop-down, that which it is called after, or, where it is called
/// `{intent}` and the like, that which the path up to it reads.
pub fn resource_in_path(operation: Operation, name: &str) -> Option<Resource<'static>> {
    let by_name = taken_by(operation.meaning(name).map_or("", Meaning::picks), name);
    if by_name.is_some() {
        return by_name;
    }
    let own = ["{", name, "}"].concat();
    for resource in catalogue::table().ok()?.resources() {
        let retrieve = resource.retrieve().map_or("", Request::path);
        if retrieve.ends_with(&own) && operation.request().path().starts_with(retrieve) {
            return Some(resource);
        }
    }
    None
}

/// Refuses an id that cannot be one of what is wanted: it has the prefix of something else, and behind that only letters
/// and digits, as many as only Stripe gives. People may have given shorter ones and ones of their own.
pub fn right_resource(path: &str, id: &str, wanted: &dyn Fn() -> Option<Resource<'static>>) -> Result<()> {
    if id.len() <= TAIL {
        return Ok(());
    }
    let Some(other) = catalogue::table()?.resource_of_id(id) else { return Ok(()) };
    let mut is_stripes = false;
    for prefix in other.id_prefixes() {
        let tail = id.strip_prefix(prefix).unwrap_or_default();
        is_stripes |= tail.len() >= TAIL && tail.bytes().all(|b| b.is_ascii_alphanumeric());
    }
    if !is_stripes {
        return Ok(());
    }
    let Some(wanted) = wanted() else { return Ok(()) };
    if wanted.name() == other.name() {
        return Ok(());
    }
    let (wanted, other) = (wanted.title().to_ascii_lowercase(), other.title().to_ascii_lowercase());
    let (its, own) = (article(&wanted), article(&other));
    let message = ["`", path, "` needs the id of ", its, &wanted, ", and this is the id of ", own, &other];
    Err(Error::input(path, message.concat()))
}

/// The resource whose ids a field takes: that of its drop-down, or else the one that it is called after (`customer`,
/// `default_price`, `tax_rates`).
pub fn taken_by(picks: &str, path: &str) -> Option<Resource<'static>> {
    let name = match path.rsplit_once('.').map_or(path, |(_, name)| name) {
        _ if !picks.is_empty() => picks,
        "on_behalf_of" => "account",
        "meter" => "billing_meter",
        "schedule" => "subscription_schedule",
        "source_transaction" => "charge",
        name => name.strip_suffix('s').unwrap_or(name),
    };
    let table = catalogue::table().ok()?;
    // The longest that the name ends with: `payment_intent` of `new_payment_intent`.
    let mut rest = name;
    loop {
        let found = table.resource(rest);
        if found.is_some() {
            return found;
        }
        (_, rest) = rest.split_once('_')?;
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an " } else { "a " }
}
