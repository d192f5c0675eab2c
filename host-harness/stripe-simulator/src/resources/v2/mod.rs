//! The operations under `/v2`: one file a resource, as in the room around this one.
//!
//! What is the same for all of them is here: objects carry moments as text and are listed in pages of
//! [`pages`]; what was never made is 404. Operations without a file of their own are [`plain`] ones.

mod account;
mod event;
mod event_destination;
mod meter_event;
mod pages;
mod plain;

use serde_json::{Value, json};

pub(super) use plain::answer;

use super::{Operations, Read, Reply};
use crate::protocol::{ApiError, check_metadata_count};
use crate::world::{Account, Object, instant};

pub(crate) use meter_event::{SESSION, STREAM, session_of};

/// The operations with state of their own.
pub(super) const RESOURCES: &[Operations] =
    &[account::OPERATIONS, event::OPERATIONS, event_destination::OPERATIONS, meter_event::OPERATIONS];

/// This moment as text.
fn now(account: &Account) -> String {
    instant::write(account.clock_milliseconds())
}

/// What is left of an object that is deleted.
fn deleted(kind: &str, id: &str) -> Reply {
    Reply::Made(json!({"id": id, "object": kind}))
}

/// Whether the request asks for a part that is there only when it is included.
fn includes(parameters: &Object, part: &str) -> bool {
    parameters.list("include").iter().any(|i| i == part)
}

/// Merges the `metadata` parameter: `null` removes a key, or all of them.
fn assign_metadata(target: &mut Object, sent: &Object) -> Result<(), ApiError> {
    let merged = match sent.get("metadata") {
        None => return Ok(()),
        Some(Value::Object(changes)) => {
            let mut merged = target.object("metadata").cloned().unwrap_or_default();
            merged.extend(changes.clone());
            merged.retain(|_, value| !value.is_null());
            merged
        }
        Some(_) => Object::new(),
    };
    check_metadata_count(merged.len(), "metadata")?;
    target.insert("metadata".into(), merged.into());
    Ok(())
}
