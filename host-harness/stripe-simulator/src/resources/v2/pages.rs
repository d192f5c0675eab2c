//! Lists of v2: a page, and the URLs of the pages beside it.
//!
//! A page token says which side of which place a page lies on, so what is made while somebody turns the pages
//! is neither shown twice nor moves what is still to come.

use serde_json::{Value, json};

use super::super::{Call, Read, Reply};
use crate::protocol::{ApiError, encode};
use crate::world::{Object, Shelf};

/// Objects of a page when nothing else is asked for, and at most.
const USUAL: i64 = 20;
const MOST: i64 = 100;

/// Places and what stands there.
pub(super) type Found<'a> = Box<dyn Iterator<Item = (usize, Value)> + 'a>;

#[derive(Debug, Clone, Copy)]
enum Side {
    /// What was made before the place.
    Older(usize),
    /// What was made after it.
    Newer(usize),
}

impl Side {
    fn token(self) -> String {
        match self {
            Self::Older(place) => format!("page_o{place:x}"),
            Self::Newer(place) => format!("page_n{place:x}"),
        }
    }

    fn read(token: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::invalid("Invalid page token.").param("page");
        let place = token.strip_prefix("page_").ok_or_else(invalid)?;
        let number = |text: &str| usize::from_str_radix(text, 16).map_err(|_| invalid());
        match (place.strip_prefix('o'), place.strip_prefix('n')) {
            (Some(place), _) => number(place).map(Self::Older),
            (_, Some(place)) => number(place).map(Self::Newer),
            _ => Err(invalid()),
        }
    }
}

/// One page. `older` gives what stands before a place, newest first; `newer` what stands after it, oldest first.
pub(super) fn page<'a>(
    call: &Call<'_>,
    older: impl Fn(usize) -> Found<'a>,
    newer: impl Fn(usize) -> Found<'a>,
) -> Result<Reply, ApiError> {
    let limit = call.parameters.integer("limit").unwrap_or(USUAL);
    if limit < 1 {
        return Err(ApiError::too_small("limit", 1));
    }
    if limit > MOST {
        return Err(ApiError::too_large("limit", MOST));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let side = call.parameters.text("page").map_or(Ok(Side::Older(usize::MAX)), Side::read)?;
    let mut found: Vec<(usize, Value)> = match side {
        Side::Older(place) => older(place).take(limit + 1).collect(),
        Side::Newer(place) => newer(place).take(limit + 1).collect(),
    };
    let more = found.len() > limit;
    found.truncate(limit);
    if matches!(side, Side::Newer(_)) {
        found.reverse();
    }
    let (first, last) = (found.first().map(|f| f.0), found.last().map(|f| f.0));
    let next = match side {
        Side::Older(_) => last.filter(|_| more),
        Side::Newer(_) => last.filter(|place| older(*place).next().is_some()),
    };
    let previous = match side {
        Side::Older(_) => first.filter(|place| newer(*place).next().is_some()),
        Side::Newer(_) => first.filter(|_| more),
    };
    let data: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
    Ok(Reply::Made(json!({
        "data": data,
        "next_page_url": next.map(|place| url(call, Side::Older(place))),
        "previous_page_url": previous.map(|place| url(call, Side::Newer(place))),
    })))
}

/// One page of the objects of a kind for which a test holds.
pub(super) fn shelf(
    call: &Call<'_>,
    kind: &str,
    test: impl Fn(&Object) -> bool,
    show: impl Fn(Object) -> Object,
) -> Result<Reply, ApiError> {
    let empty = Shelf::default();
    let shelf = call.account.shelf(kind).unwrap_or(&empty);
    let (test, show) = (&test, &show);
    let read = move |text: &[u8]| serde_json::from_slice::<Object>(text).ok().filter(test).map(show).map(Value::Object);
    page(
        call,
        |place| Box::new(shelf.before(place).filter_map(move |k| Some((k.position, read(k.text)?)))),
        |place| Box::new(shelf.after(place).filter_map(move |k| Some((k.position, read(k.text)?)))),
    )
}

/// The URL of a page: the same list, the same filters.
fn url(call: &Call<'_>, side: Side) -> String {
    let mut pairs = Vec::new();
    for (name, value) in call.parameters.iter().filter(|(name, _)| *name != "page") {
        flatten(name.clone(), value, &mut pairs);
    }
    pairs.push(format!("page={}", side.token()));
    format!("{}?{}", call.path(), pairs.join("&"))
}

fn flatten(name: String, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| flatten(format!("{name}[{i}]"), v, pairs));
        }
        Value::Object(members) => members.iter().for_each(|(n, v)| flatten(format!("{name}[{n}]"), v, pairs)),
        Value::String(text) => pairs.push(format!("{}={}", encode(&name), encode(text))),
        other => pairs.push(format!("{}={other}", encode(&name))),
    }
}
