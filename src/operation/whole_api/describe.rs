//! What there is to say about any operation of the API.

use super::target::target;
use super::told::Told;
use crate::catalogue::{OperationKind, Own};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Writer;
use crate::sample;
use crate::schema::{self, Degree, Narrowing};

/// Describes the operation that an input of `api.describe` names.
///
/// # Errors
/// What names none.
pub fn describe(own: &Own, text: &str) -> Result<Told> {
    let doc = input::scan(text)?;
    let full = match doc.root().get("full") {
        None => false,
        Some(full) => full.as_bool().ok_or_else(|| Error::input("full", "`full` is true or false"))?,
    };
    let operation = target(own, text, None)?.operation;
    let degree = if full { Degree::Full } else { Degree::Shown };
    let request = operation.request();
    let mut json = Writer::with_capacity(8192);
    json.begin_object().key("operation").string(operation.id());
    json.key("method").string(request.method().name()).key("path").string(request.path());
    json.key("title").string(&operation.title()).key("description").string(&operation.description());
    json.key("kind").string(if operation.kind() == OperationKind::Query { "query" } else { "action" });
    json.key("safety").string(operation.safety().name()).key("resource").string(operation.resource());
    json.key("input_schema").raw(&schema::input(operation, degree, &Narrowing::default()));
    json.key("output_schema").raw(&schema::output(operation, degree));
    json.key("sample_input").raw(&sample::input(operation)).end_object();
    Ok(Told { output: json.finish(), next_cursor: None })
}
