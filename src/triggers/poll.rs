//! Events by polling, for platforms that no webhook can reach.
//!
//! Stripe lists events newest first and goes back 30 days. A cursor is the newest event seen, so the next page is
//! the events before it in the list, the nearest first. Before there is one, the cursor is a point in time.

use serde_json::{Map, Value, json};

use super::{Event, find_all, read};
use crate::catalog::{Method, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Members;
use crate::operation::session::{Metadata, Session};
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// One page of events.
#[derive(Debug)]
pub struct Polled {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Where the next poll begins.
    pub cursor: String,
    /// Whether more wait.
    pub has_more: bool,
    /// How it came about.
    pub metadata: Metadata,
}

/// Where polling stands.
#[derive(Debug, PartialEq, Eq)]
enum Cursor {
    /// After this event, which happened at that time.
    After(String, u64),
    /// From this time on: there was no event yet.
    Since(u64),
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let cursor = match (parts.next()?, parts.next()?, parts.next()) {
            ("after", id, Some(time))
                if id.starts_with("evt_") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
            {
                Self::After(id.to_owned(), time.parse().ok()?)
            }
            ("since", time, None) => Self::Since(time.parse().ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(cursor)
    }

    fn write(&self) -> String {
        match self {
            Self::After(id, time) => format!("after:{id}:{time}"),
            Self::Since(time) => format!("since:{time}"),
        }
    }
}

/// Stripe's largest page, and its largest number of types a request.
const PAGE: u32 = 100;
const TYPES: usize = 20;

/// Fetches the events of these triggers since the cursor.
///
/// # Errors
/// Unknown triggers or a foreign cursor; Stripe's refusal; no answer.
pub fn poll(session: &Session<'_>, ids: &[String], cursor: Option<&str>) -> Result<Polled> {
    let triggers = find_all(ids)?;
    if triggers.len() > TYPES {
        let message = format!("{} triggers at once: Stripe lists the events of at most {TYPES} types", triggers.len());
        return Err(Error::input("triggers", message).hint("Poll them in groups, each with its own cursor."));
    }
    let Some(cursor) = cursor else { return start(session, &triggers) };
    let cursor = Cursor::parse(cursor).ok_or_else(|| {
        Error::input("cursor", "this cursor did not come from a poll before").hint("Leave it out to start from now.")
    })?;
    let answer = match list(session, &triggers, &cursor) {
        // Stripe has forgotten the event after 30 days: go on from its time.
        Err(error) if matches!(cursor, Cursor::After(..)) && forgotten(&error) => {
            let Cursor::After(_, time) = cursor else { return Err(error) };
            return page(session, &triggers, &Cursor::Since(time), list(session, &triggers, &Cursor::Since(time))?);
        }
        result => result?,
    };
    page(session, &triggers, &cursor, answer)
}

fn forgotten(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && error.field.as_deref().is_none_or(|f| f == "ending_before" || f == "id")
}

/// The position of now, with no event.
fn start(session: &Session<'_>, triggers: &[&'static Trigger]) -> Result<Polled> {
    let answer = request(session, triggers, [("limit", json!(1))])?;
    let newest: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let found = |path: &str| newest.pointer(path);
    let cursor = match (found("/data/0/id").and_then(Value::as_str), found("/data/0/created").and_then(Value::as_u64)) {
        (Some(id), Some(time)) => Cursor::After(id.to_owned(), time),
        _ => Cursor::Since(session.clock.unix_seconds()),
    };
    Ok(Polled { events: Vec::new(), cursor: cursor.write(), has_more: false, metadata: session.metadata(&answer) })
}

fn list(session: &Session<'_>, triggers: &[&'static Trigger], cursor: &Cursor) -> Result<Answer> {
    let limit = ("limit", json!(PAGE));
    match cursor {
        Cursor::After(id, _) => request(session, triggers, [limit, ("ending_before", json!(id))]),
        Cursor::Since(time) => request(session, triggers, [limit, ("created", json!({"gte": time}))]),
    }
}

fn request<const N: usize>(
    session: &Session<'_>,
    triggers: &[&'static Trigger],
    more: [(&str, Value); N],
) -> Result<Answer> {
    let mut parameters = Map::new();
    for (name, value) in more {
        parameters.insert(name.to_owned(), value);
    }
    parameters.insert("types".into(), triggers.iter().map(|t| t.event).collect());
    let call =
        Call { method: Method::Get, path: "/v1/events".into(), form: form::encode(&parameters), idempotency_key: None };
    session.client().send(&call)
}

fn page(session: &Session<'_>, triggers: &[&'static Trigger], cursor: &Cursor, answer: Answer) -> Result<Polled> {
    let mut page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let mut found = page.take_list("data");
    let mut has_more = page.at("has_more") == true;
    if let Cursor::Since(time) = cursor {
        // Newest first: what lies beyond the page is older, so it must be fetched before the cursor moves past it.
        while has_more {
            let Some(last) = found.last().and_then(|e| e.at("id").as_str()).map(str::to_owned) else { break };
            let more = [("limit", json!(PAGE)), ("created", json!({"gte": time})), ("starting_after", json!(last))];
            let answer = request(session, triggers, more)?;
            let mut older: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            has_more = older.at("has_more") == true;
            let events = older.take_list("data");
            if events.is_empty() {
                break;
            }
            found.extend(events);
        }
        has_more = false;
    }
    // The order of equal times is the list's, turned around.
    found.reverse();
    found.sort_by_key(|e| e.at("created").as_u64());
    let next =
        found.last().and_then(|e| Some(Cursor::After(e.at("id").as_str()?.to_owned(), e.at("created").as_u64()?)));
    let account = session.connection.account.as_deref();
    let events = found
        .iter()
        .filter_map(|event| {
            let trigger = triggers.iter().find(|t| event.at("type") == t.event)?;
            Some(read(trigger, event, event.to_string(), account))
        })
        .collect();
    Ok(Polled {
        events,
        cursor: next.as_ref().unwrap_or(cursor).write(),
        has_more,
        metadata: session.metadata(&answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_trip_and_foreign_ones_are_refused() {
        for cursor in [Cursor::After("evt_1".into(), 5), Cursor::Since(7)] {
            assert_eq!(Cursor::parse(&cursor.write()), Some(cursor));
        }
        for bad in
            ["", "evt_1", "after:evt_1", "after:cus_1:5", "since:x", "since:5:6", "after:evt_1:5:6", "after:evt_&x=1:5"]
        {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
