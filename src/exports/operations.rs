//! `operations`.

use super::exported::operations::{
    DescribeRequest, Guest, Hints, Operation, OperationFilter, OperationKind, OperationPage, OperationSummary,
    SchemaDegree,
};
use super::{Component, types, wit};
use crate::catalogue::{self, Entry, Safety};
use crate::error::{Error, Result};
use crate::schema::{self, Degree};
use crate::{describe, operation};

impl Guest for Component {
    fn list(
        filter: OperationFilter,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> std::result::Result<OperationPage, wit::Error> {
        let page = catalogue::list(&catalogue::Filter {
            kind: filter.kind.map(Into::into),
            resource: filter.resource.as_deref(),
            search: filter.search.as_deref(),
            all: filter.all,
            cursor: cursor.as_deref(),
            limit,
        })?;
        Ok(OperationPage { operations: page.entries.into_iter().map(summary).collect(), next_cursor: page.next_cursor })
    }

    fn describe(request: DescribeRequest) -> std::result::Result<Operation, wit::Error> {
        let described = describe::describe(describe::Wanted {
            id: &request.id,
            kind: request.kind.map(Into::into),
            degree: degree(request.degree)?,
            input: request.input.as_deref(),
        })?;
        Ok(Operation {
            summary: summary(described.entry),
            aliases: described.aliases,
            input_schema: described.input_schema,
            output_schema: described.output_schema,
            sample_input: described.sample_input,
            sample_output: described.sample_output,
        })
    }

    fn object_schema(name: String) -> std::result::Result<String, wit::Error> {
        Ok(schema::object_schema(&name)?)
    }
}

fn degree(degree: SchemaDegree) -> Result<Degree> {
    match degree {
        SchemaDegree::Shown => Ok(Degree::Shown),
        SchemaDegree::Full => Ok(Degree::Full),
        SchemaDegree::Other(name) => Err(Error::input("degree", ["there is no schema degree `", &name, "`"].concat())
            .hint("It is `shown` or `full`.")),
    }
}

fn summary(entry: Entry) -> OperationSummary {
    let (title, description, resource, tool_name, inverse) = match entry {
        Entry::Trigger(t) => (t.title(), t.description(), t.resource(), t.tool_name(), ""),
        Entry::Operation(o) => (o.title(), o.description(), o.resource(), o.tool_name(), o.inverse()),
        Entry::Own(o) => (o.title.to_owned(), o.description.to_owned(), "", o.id.replace('.', "_"), ""),
    };
    OperationSummary {
        id: entry.id().into_owned(),
        tool_name,
        kind: match entry.kind() {
            catalogue::OperationKind::Trigger => OperationKind::Trigger,
            catalogue::OperationKind::Action => OperationKind::Action,
            catalogue::OperationKind::Query => OperationKind::Query,
        },
        title,
        description,
        resource: resource.into(),
        hints: hints(entry),
        inverse: types::optional(inverse),
        extras: Vec::new(),
    }
}

fn hints(entry: Entry) -> Hints {
    let (safety, idempotent) = match entry {
        Entry::Trigger(_) => (Safety::Read, true),
        Entry::Operation(o) => (o.safety(), operation::is_idempotent(o)),
        // What it runs may do anything.
        Entry::Own(o) if o.writes => {
            return Hints { read_only: false, destructive: true, idempotent: false, moves_money: true };
        }
        Entry::Own(_) => (Safety::Read, true),
    };
    Hints {
        read_only: safety == Safety::Read,
        destructive: safety == Safety::Destroy,
        idempotent,
        moves_money: safety == Safety::MoveMoney,
    }
}

impl From<OperationKind> for catalogue::OperationKind {
    fn from(kind: OperationKind) -> Self {
        match kind {
            OperationKind::Trigger => Self::Trigger,
            OperationKind::Action => Self::Action,
            OperationKind::Query => Self::Query,
        }
    }
}
