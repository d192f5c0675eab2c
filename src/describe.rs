//! Everything about one entry of the catalogue: its schemas, its samples, its other names.

use serde_json::json;

use crate::catalog::{self, Entry, OperationKind};
use crate::error::{Error, ErrorKind, Result};
use crate::{operation, sample, schema, triggers};

/// What there is to say about an entry; the contract documents each part.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the contract, `wit/operations.wit`")]
pub struct Description {
    pub entry: Entry,
    pub aliases: &'static [&'static str],
    pub input_schema: String,
    pub output_schema: String,
    pub sample_input: String,
    pub sample_output: String,
}

/// The entry of this id or alias. Without a kind an action comes first, then a query, then a trigger.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn describe(id: &str, kind: Option<OperationKind>) -> Result<Description> {
    match find(id, kind)? {
        entry @ Entry::Operation(o) => Ok(Description {
            entry,
            aliases: o.aliases,
            input_schema: schema::input(o).to_string(),
            output_schema: schema::output(o).to_string(),
            sample_input: o.sample.to_owned(),
            sample_output: sample::output(o).to_string(),
        }),
        entry @ Entry::Trigger(t) => {
            let resource = catalog::resource(t.resource).ok_or_else(|| {
                Error::new(ErrorKind::Other, format!("the manifest has no resource `{}`", t.resource))
            })?;
            Ok(Description {
                entry,
                aliases: t.aliases,
                input_schema: json!({"$schema": schema::DIALECT, "type": "object", "additionalProperties": false})
                    .to_string(),
                output_schema: schema::event(t, resource).to_string(),
                sample_input: "{}".to_owned(),
                sample_output: sample::event(t, resource).to_string(),
            })
        }
    }
}

fn find(id: &str, kind: Option<OperationKind>) -> Result<Entry> {
    match kind {
        Some(OperationKind::Trigger) => triggers::find(id).map(Entry::Trigger),
        Some(kind) => operation::find(id, kind).map(Entry::Operation),
        None => catalog::operation(id, None)
            .map(Entry::Operation)
            .or_else(|| catalog::trigger(id).map(Entry::Trigger))
            .ok_or_else(|| catalog::unknown(id)),
    }
}
