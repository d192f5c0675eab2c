//! Events of Stripe that start workflows: pushed by webhook ([`receive`]), fetched ([`poll`]), and the webhook
//! endpoint that pushes them ([`subscription`]).
//!
//! An event is passed on as Stripe sent it, with its object mapped beside it.

pub mod poll;
pub mod receive;
pub mod subscription;

use serde_json::Value;

use crate::catalog::{self, TRIGGERS, Trigger, nearest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Members;
use crate::mapping::{self, Record, Viewer};
use crate::sample;
use crate::stripe::key::Mode;

/// An event that a trigger reports; the contract documents each part.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the contract, `wit/triggers.wit`")]
pub struct Event {
    pub id: String,
    pub trigger: &'static str,
    pub occurred_at: u64,
    pub mode: Mode,
    pub account: Option<String>,
    pub api_version: Option<String>,
    pub payload: String,
    pub record: Option<Record>,
}

/// The trigger of this id or alias.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn find(id: &str) -> Result<&'static Trigger> {
    catalog::trigger(id).ok_or_else(|| {
        let error = Error::new(ErrorKind::UnknownOperation, format!("there is no trigger `{id}`"));
        let names = TRIGGERS.iter().flat_map(|t| std::iter::once(t.id).chain(t.aliases.iter().copied()));
        match nearest(id, names).as_slice() {
            [] => error.hint("List the operations of kind trigger to see all of them."),
            near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
        }
    })
}

/// The triggers of these ids, each once.
fn find_all(ids: &[String]) -> Result<Vec<&'static Trigger>> {
    let mut found: Vec<&'static Trigger> = Vec::new();
    for id in ids {
        let trigger = find(id)?;
        if !found.iter().any(|t| t.id == trigger.id) {
            found.push(trigger);
        }
    }
    if found.is_empty() {
        return Err(Error::input("triggers", "name at least one trigger"));
    }
    Ok(found)
}

/// An event of the right shape.
///
/// # Errors
/// That there is no such trigger.
pub fn sample(id: &str) -> Result<Event> {
    let trigger = find(id)?;
    let resource = catalog::resource(trigger.resource)
        .ok_or_else(|| Error::new(ErrorKind::Other, format!("the manifest has no resource `{}`", trigger.resource)))?;
    let event = sample::event(trigger, resource);
    let payload = event.to_string();
    Ok(read(trigger, &event, payload, None))
}

/// The parts of an event that a platform decides on.
fn read(trigger: &'static Trigger, event: &Value, payload: String, account: Option<&str>) -> Event {
    let text = |name: &str| event.at(name).as_str().map(str::to_owned);
    let mode = if event.at("livemode") == true { Mode::Live } else { Mode::Test };
    let account = text("account").or_else(|| account.map(str::to_owned));
    let viewer = Viewer { mode, account: account.as_deref() };
    Event {
        id: text("id").unwrap_or_default(),
        trigger: trigger.id,
        occurred_at: event.at("created").as_u64().unwrap_or_default(),
        mode,
        api_version: text("api_version"),
        record: event.pointer("/data/object").and_then(|object| mapping::record(object, trigger.resource, viewer)),
        account,
        payload,
    }
}
