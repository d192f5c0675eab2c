//! Pages of Stripe's list of events, newest first.

use serde_json::{Map, json};

use super::event::Head;
use super::moment;
use crate::error::{ErrorKind, Result};
use crate::json::Node;
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// How many event types one request can ask for.
const MOST_TYPES: usize = 20;

/// Whether Stripe looks for these types itself; otherwise it lists every type.
pub fn can_ask_for(types: &[&str]) -> bool {
    types.len() <= MOST_TYPES && !types.contains(&"*")
}

/// Which part of the list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    /// How many at most, 1 to 100.
    pub limit: u32,
    /// From this second on.
    pub from: Option<u64>,
    /// Before this second.
    pub before: Option<u64>,
    /// Those that come after this event in the list: older ones.
    pub older_than: Option<&'a str>,
    /// Those that come before this event in the list, the nearest of them.
    pub newer_than: Option<&'a str>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The answer.
    pub answer: Answer,
}

/// The place of an event in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub created: u64,
}

impl Mark {
    /// The place of the event with this head; none where its id can be no place.
    pub fn new(head: &Head<'_>) -> Option<Self> {
        let sound = head.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        sound.then(|| Self { id: head.id.to_string(), created: head.created })
    }
}

impl Page {
    /// Its events, newest first, each with its head. What is no event is passed over.
    pub fn events(&self) -> impl Iterator<Item = (Head<'_>, Node<'_, '_>)> {
        let data = self.answer.body.root().get("data");
        data.into_iter().flat_map(Node::items).filter_map(|event| Some((Head::read(event).ok()?, event)))
    }

    /// The places of its events, newest first.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        self.events().filter_map(|(head, _)| Mark::new(&head))
    }

    /// Whether there are more in the direction that was asked for.
    pub fn has_more(&self) -> bool {
        self.answer.body.root().get("has_more").and_then(Node::as_bool) == Some(true)
    }

    /// What Stripe's clock showed.
    pub fn date(&self) -> Option<u64> {
        self.answer.date.as_deref().and_then(moment::http_date)
    }
}

/// Fetches a page. More types than can be asked for at once are not asked for at all: the page then has every type.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn page(session: &Session<'_>, types: &[&str], part: &Part<'_>) -> Result<Page> {
    let mut limit = part.limit;
    loop {
        let answer = session.client().send(&Call::read("/v1/events", query(types, part, limit)));
        match answer {
            // It came, and is too large to be read: fewer events are smaller.
            Err(error) if error.kind == ErrorKind::Service && limit > 1 && matches!(error.http_status, Some(200)) => {
                limit = (limit / 10).max(1);
            }
            answer => return Ok(Page { answer: answer? }),
        }
    }
}

fn query(types: &[&str], part: &Part<'_>, limit: u32) -> String {
    let mut parameters = Map::new();
    parameters.insert("limit".into(), json!(limit));
    let mut created = Map::new();
    for (name, bound) in [("gte", part.from), ("lt", part.before)] {
        if let Some(bound) = bound {
            created.insert(name.into(), json!(bound));
        }
    }
    if !created.is_empty() {
        parameters.insert("created".into(), created.into());
    }
    for (name, id) in [("starting_after", part.older_than), ("ending_before", part.newer_than)] {
        if let Some(id) = id {
            parameters.insert(name.into(), json!(id));
        }
    }
    if can_ask_for(types) {
        parameters.insert("types".into(), json!(types));
    }
    form::encode(&parameters)
}
