//! `actions`.

use super::exported::actions::{ActionResult, Guest};
use super::{Component, types, wit};
use crate::operation;

impl Guest for Component {
    fn run(
        context: wit::CallContext,
        id: String,
        input: String,
        files: Vec<wit::File>,
    ) -> Result<ActionResult, wit::Error> {
        let files = files.into_iter().map(Into::into).collect();
        let done = operation::run_action(&mut types::session(context)?, &id, &input, files)?;
        Ok(ActionResult {
            output: done.output,
            record: done.record.map(Into::into),
            files: done.files.into_iter().map(Into::into).collect(),
            metadata: done.metadata.into(),
        })
    }
}
