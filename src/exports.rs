//! The component's exports: the contract's types on one side, the connector's own on the other, no decisions.
#![expect(unsafe_code, reason = "the generated glue of the component model")]

wit_bindgen::generate!({ path: "wit", world: "connector" });

use exports::automation::connector::{actions, connection, operations, queries, resources, triggers};

use automation::connector::types as wit;

use crate::catalog::{self, OperationKind, Safety, ValueKind};
use crate::connection::Fields;
use crate::connection_test::{self, Access};
use crate::error::{Error, ErrorKind, Outcome, Retry};
use crate::mapping::Record;
use crate::operation::session::{Invocation, Metadata, Session};
use crate::stripe::key::Mode;
use crate::stripe::transport::Clock;
use crate::stripe::wasi::{Wasi, WasiClock};
use crate::{choices, describe, operation, triggers as events};

struct Component;

export!(Component);

fn fields(connection: wit::Connection) -> Fields {
    Fields {
        values: connection.fields.into_iter().map(|f| (f.name, f.value)).collect(),
        development: connection.environment == wit::Environment::Development,
    }
}

fn session(context: wit::CallContext) -> crate::error::Result<Session<'static>> {
    let invocation = Invocation {
        id: context.invocation.id,
        idempotency_key: context.invocation.idempotency_key,
        timeout: context.invocation.timeout,
    };
    Session::start(&Wasi, &WasiClock, &fields(context.connection), invocation)
}

impl connection::Guest for Component {
    fn describe() -> connection::ConnectionType {
        use catalog::ConnectionFieldKind;
        let fields = catalog::CONNECTION_FIELDS.iter().map(|f| connection::ConnectionField {
            name: f.name.into(),
            kind: match f.kind {
                ConnectionFieldKind::Secret => connection::FieldKind::Secret,
                ConnectionFieldKind::Text => connection::FieldKind::Text,
                ConnectionFieldKind::Url => connection::FieldKind::Url,
            },
            title: f.title.into(),
            help: f.help.into(),
            required: f.required,
            placeholder: f.placeholder.map(Into::into),
            link: f.link.map(Into::into),
            default_value: f.default.map(Into::into),
        });
        connection::ConnectionType {
            title: catalog::TITLE.into(),
            api_version: catalog::API_VERSION.into(),
            fields: fields.collect(),
        }
    }

    fn test(context: wit::CallContext) -> Result<connection::ConnectionReport, wit::Error> {
        let report = connection_test::run(&session(context)?)?;
        let permissions = report.permissions.into_iter().map(|p| connection::Permission {
            title: p.title.into(),
            operations: p.operations.iter().map(|o| (*o).to_owned()).collect(),
            access: match p.access {
                Access::Allowed => connection::Access::Allowed,
                Access::Denied => connection::Access::Denied,
                Access::Unknown => connection::Access::Unknown,
            },
            grant: p.grant,
        });
        Ok(connection::ConnectionReport {
            mode: report.mode.into(),
            account_id: report.account_id,
            account_name: report.account_name,
            api_version: catalog::API_VERSION.into(),
            restricted: report.restricted,
            permissions: permissions.collect(),
        })
    }
}

impl operations::Guest for Component {
    fn list(filter: operations::OperationFilter) -> Vec<operations::OperationSummary> {
        let kind = filter.kind.map(OperationKind::from);
        catalog::search(kind, filter.resource.as_deref(), filter.search.as_deref()).into_iter().map(summary).collect()
    }

    fn describe(id: String, kind: Option<operations::OperationKind>) -> Result<operations::Operation, wit::Error> {
        let described = describe::describe(&id, kind.map(OperationKind::from))?;
        Ok(operations::Operation {
            summary: summary(described.entry),
            aliases: described.aliases.iter().map(|a| (*a).to_owned()).collect(),
            input_schema: described.input_schema,
            output_schema: described.output_schema,
            sample_input: described.sample_input,
            sample_output: described.sample_output,
        })
    }
}

fn summary(entry: catalog::Entry) -> operations::OperationSummary {
    let (kind, title, description, resource, safety) = match entry {
        catalog::Entry::Trigger(t) => (OperationKind::Trigger, t.title, t.description, t.resource, Safety::Read),
        catalog::Entry::Operation(o) => (o.kind, o.title, o.description, o.resource, o.safety),
    };
    operations::OperationSummary {
        id: entry.id().into(),
        kind: match kind {
            OperationKind::Trigger => operations::OperationKind::Trigger,
            OperationKind::Action => operations::OperationKind::Action,
            OperationKind::Query => operations::OperationKind::Query,
        },
        title: title.into(),
        description: description.into(),
        resource: resource.into(),
        hints: operations::Hints {
            read_only: safety == Safety::Read,
            destructive: safety == Safety::Destroy,
            // Writes carry a key that is derived from the invocation; deletions take what is gone as done.
            idempotent: true,
            moves_money: safety == Safety::MoveMoney,
        },
    }
}

impl From<operations::OperationKind> for OperationKind {
    fn from(kind: operations::OperationKind) -> Self {
        match kind {
            operations::OperationKind::Trigger => Self::Trigger,
            operations::OperationKind::Action => Self::Action,
            operations::OperationKind::Query => Self::Query,
        }
    }
}

impl actions::Guest for Component {
    fn run(context: wit::CallContext, operation: String, input: String) -> Result<actions::ActionResult, wit::Error> {
        let done = operation::run_action(&session(context)?, &operation, &input)?;
        Ok(actions::ActionResult {
            output: done.output,
            record: done.record.map(Into::into),
            metadata: done.metadata.into(),
        })
    }
}

impl queries::Guest for Component {
    fn run(
        context: wit::CallContext,
        operation: String,
        input: String,
        cursor: Option<String>,
    ) -> Result<queries::QueryResult, wit::Error> {
        let found = operation::run_query(&session(context)?, &operation, &input, cursor.as_deref())?;
        Ok(queries::QueryResult {
            output: found.output,
            records: found.records.into_iter().map(Into::into).collect(),
            next_cursor: found.next_cursor,
            metadata: found.metadata.into(),
        })
    }
}

impl triggers::Guest for Component {
    fn receive(context: wit::CallContext, request: triggers::WebhookRequest) -> Result<triggers::Receipt, wit::Error> {
        let receipt = events::receive::receive(
            &fields(context.connection),
            &request.headers,
            request.body,
            WasiClock.unix_seconds(),
        )?;
        let ignored = receipt.ignored.into_iter().map(|i| triggers::IgnoredEvent {
            id: i.id,
            event_type: i.event_type,
            reason: i.reason.into(),
        });
        Ok(triggers::Receipt {
            events: receipt.events.into_iter().map(Into::into).collect(),
            ignored: ignored.collect(),
        })
    }

    fn subscribe(
        context: wit::CallContext,
        request: triggers::SubscriptionRequest,
    ) -> Result<triggers::Subscription, wit::Error> {
        let made = events::subscription::subscribe(&session(context)?, &request.callback_url, &request.triggers)?;
        Ok(triggers::Subscription {
            id: made.id,
            secret: made.secret,
            event_types: made.event_types,
            metadata: made.metadata.into(),
        })
    }

    fn unsubscribe(
        context: wit::CallContext,
        callback_url: String,
        ended: Option<Vec<String>>,
    ) -> Result<wit::ResultMetadata, wit::Error> {
        let metadata = events::subscription::unsubscribe(&session(context)?, &callback_url, ended.as_deref())?;
        Ok(metadata.into())
    }

    fn poll(
        context: wit::CallContext,
        wanted: Vec<String>,
        cursor: Option<String>,
    ) -> Result<triggers::PollResult, wit::Error> {
        let polled = events::poll::poll(&session(context)?, &wanted, cursor.as_deref())?;
        Ok(triggers::PollResult {
            events: polled.events.into_iter().map(Into::into).collect(),
            cursor: polled.cursor,
            has_more: polled.has_more,
            metadata: polled.metadata.into(),
        })
    }

    fn sample(trigger: String) -> Result<triggers::Event, wit::Error> {
        Ok(events::sample(&trigger)?.into())
    }
}

impl resources::Guest for Component {
    fn list() -> Vec<resources::ResourceType> {
        catalog::RESOURCES.iter().map(resource_type).collect()
    }

    fn resolve(id: String) -> Option<String> {
        catalog::resource_of_id(&id).map(|r| r.name.into())
    }

    fn choices(
        context: wit::CallContext,
        request: resources::ChoiceRequest,
    ) -> Result<resources::ChoicePage, wit::Error> {
        let wanted = choices::Wanted {
            resource: &request.resource,
            search: request.search.as_deref(),
            cursor: request.cursor.as_deref(),
            limit: request.limit,
        };
        let page = choices::choices(&session(context)?, &wanted)?;
        let choices =
            page.choices.into_iter().map(|c| resources::Choice { value: c.value, label: c.label, detail: c.detail });
        Ok(resources::ChoicePage {
            choices: choices.collect(),
            next_cursor: page.next_cursor,
            metadata: page.metadata.into(),
        })
    }
}

fn resource_type(resource: &catalog::Resource) -> resources::ResourceType {
    let mapping = resource.mapping.iter().map(|m| resources::FieldMapping {
        internal: m.internal.into(),
        external: m.paths.first().copied().unwrap_or_default().into(),
        kind: match m.kind {
            ValueKind::Text => resources::ValueKind::Text,
            ValueKind::Integer => resources::ValueKind::Integer,
            ValueKind::Boolean => resources::ValueKind::Boolean,
            ValueKind::Timestamp => resources::ValueKind::Timestamp,
            ValueKind::Money => resources::ValueKind::Money,
            ValueKind::Reference => resources::ValueKind::Reference,
            ValueKind::Labels => resources::ValueKind::Labels,
        },
    });
    resources::ResourceType {
        name: resource.name.into(),
        internal: resource.internal.into(),
        title: resource.title.into(),
        id_prefixes: resource.id_prefixes.iter().map(|p| (*p).to_owned()).collect(),
        mapping: mapping.collect(),
        has_choices: resource.choices.is_some(),
        operations: catalog::search(None, Some(resource.name), None).into_iter().map(|e| e.id().into()).collect(),
    }
}

impl From<Record> for wit::ResourceRecord {
    fn from(r: Record) -> Self {
        Self {
            resource: r.resource.into(),
            internal: r.internal.into(),
            id: r.id,
            title: r.title,
            url: r.url,
            fields: r.fields,
        }
    }
}

impl From<events::Event> for triggers::Event {
    fn from(e: events::Event) -> Self {
        Self {
            id: e.id,
            trigger: e.trigger.into(),
            occurred_at: e.occurred_at,
            mode: e.mode.into(),
            account: e.account,
            api_version: e.api_version,
            payload: e.payload,
            record: e.record.map(Into::into),
        }
    }
}

impl From<Mode> for wit::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Test => Self::Test,
            Mode::Live => Self::Live,
        }
    }
}

impl From<Metadata> for wit::ResultMetadata {
    fn from(m: Metadata) -> Self {
        Self {
            idempotency_key: m.idempotency_key,
            replayed: m.replayed,
            request_id: m.request_id,
            attempts: m.attempts,
            mode: m.mode.into(),
            api_version: catalog::API_VERSION.into(),
            account: m.account,
        }
    }
}

impl From<Box<Error>> for wit::Error {
    fn from(e: Box<Error>) -> Self {
        Self {
            kind: e.kind.into(),
            message: e.message,
            hint: e.hint,
            field: e.field,
            service_type: e.service_type,
            code: e.code,
            decline_code: e.decline_code,
            http_status: e.http_status,
            request_id: e.request_id,
            doc_url: e.doc_url,
            retry: match e.retry {
                Retry::Never => wit::RetryAdvice::Never,
                Retry::SameKey => wit::RetryAdvice::SameKey,
                Retry::After(ms) => wit::RetryAdvice::After(ms),
            },
            outcome: match e.outcome {
                Outcome::NotSent => wit::Outcome::NotSent,
                Outcome::Rejected => wit::Outcome::Rejected,
                Outcome::Unknown => wit::Outcome::Unknown,
                Outcome::Committed => wit::Outcome::Committed,
            },
            related: e.related.into_iter().map(|r| wit::ResourceRef { resource: r.resource, id: r.id }).collect(),
            idempotency_key: e.idempotency_key,
            attempts: e.attempts,
        }
    }
}

impl From<ErrorKind> for wit::ErrorKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::UnknownOperation => Self::UnknownOperation,
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::InvalidConnection => Self::InvalidConnection,
            ErrorKind::Authentication => Self::Authentication,
            ErrorKind::Permission => Self::Permission,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Declined => Self::Declined,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Idempotency => Self::Idempotency,
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::Rejected => Self::Rejected,
            ErrorKind::Service => Self::Service,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Network => Self::Network,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Signature => Self::Signature,
            ErrorKind::Other => Self::Other,
        }
    }
}
