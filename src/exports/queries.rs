//! `queries`.

use super::exported::queries::{Guest, QueryResult};
use super::{Component, types, wit};
use crate::operation;

impl Guest for Component {
    fn run(
        context: wit::CallContext,
        id: String,
        input: String,
        cursor: Option<String>,
    ) -> Result<QueryResult, wit::Error> {
        let found = operation::run_query(&types::session(context)?, &id, &input, cursor.as_deref())?;
        Ok(QueryResult {
            output: found.output,
            records: found.records.into_iter().map(Into::into).collect(),
            files: found.files.into_iter().map(Into::into).collect(),
            next_cursor: found.next_cursor,
            metadata: found.metadata.into(),
        })
    }
}
