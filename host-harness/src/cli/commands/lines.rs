//! Events as every command shows them, and the triggers that a command without any means.

use guard::Guarded;
use host::contract::{Event, OperationFilter, OperationKind, TriggerUse};
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::setup::connecting::Link;
use crate::cli::terminal::{DIM, STRONG, one_line, paint};
use crate::cli::wording;

/// The triggers that were named, or all.
pub async fn triggers(connector: &Guarded, named: &[TriggerUse]) -> Result<Vec<TriggerUse>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let filter = OperationFilter { kind: Some(OperationKind::Trigger), ..OperationFilter::default() };
    let found = connector.all_operations(filter).await?;
    Ok(found.into_iter().map(|trigger| TriggerUse::every(trigger.id)).collect())
}

/// The same event, complete: what a thin one only points at is fetched. It names the triggers that it is for, of these.
pub async fn complete(connector: &Guarded, link: &Link, uses: &[TriggerUse], event: &Event) -> Result<Event, Failure> {
    Ok(connector.load(&link.fresh_call()?, uses.to_vec(), &event.payload).await?.value)
}

/// What commands print, a line of JSON each.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line<'a> {
    /// An event.
    Event { event: &'a Event },
    /// Where the next poll begins.
    Cursor { cursor: &'a str },
}

/// An event as a line: what happened, what it is in the platform's terms, and its id.
pub fn event_line(event: &Event) -> String {
    let record = match &event.record {
        Some(record) => wording::record(record),
        None if !event.complete => "(thin: it only points at what happened)".to_owned(),
        None => String::new(),
    };
    format!(
        "{}  {}  {}",
        paint(STRONG, format!("{:<30}", one_line(&event.event_type))),
        one_line(&record),
        paint(DIM, one_line(&event.id))
    )
}
