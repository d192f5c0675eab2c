//! What every topic shares, from the contract's types to the connector's and back.

use super::wit;
use crate::connection::Fields;
use crate::error::{Error, ErrorKind, Outcome, Result, Retry};
use crate::input::File;
use crate::mapping::Record;
use crate::operation::session::{History, Invocation, Metadata, Session};
use crate::stripe::key::Mode;
use crate::stripe::wasi::{Wasi, WasiClock};

pub(super) fn fields(connection: wit::Connection) -> Fields {
    Fields {
        values: connection.fields.into_iter().map(|f| (f.name, f.value)).collect(),
        development: connection.environment == wit::Environment::Development,
    }
}

pub(super) fn session(context: wit::CallContext) -> Result<Session<'static>> {
    let i = context.invocation;
    let history = i.history.map(|h| History { first_try: h.first_try, tries: h.tries, in_doubt: h.in_doubt });
    let invocation = Invocation { id: i.id, idempotency_key: i.idempotency_key, timeout: i.timeout, history };
    Session::start(&Wasi, &WasiClock, &fields(context.connection), invocation)
}

pub(super) fn extras(extras: Vec<(String, String)>) -> Vec<wit::Extra> {
    extras.into_iter().map(|(name, value)| wit::Extra { name, value }).collect()
}

/// A text that the table has, or none.
pub(super) fn optional(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
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
            key_protects_until: m.key_protects_until,
            replayed: m.replayed,
            request_id: m.request_id,
            attempts: m.attempts,
            mode: m.mode.into(),
            api_version: crate::catalogue::API_VERSION.into(),
            account: m.account,
            extras: extras(m.extras),
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
            key_protects_until: e.key_protects_until,
            replayed: e.replayed,
            attempts: e.attempts,
            extras: extras(e.extras),
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
            ErrorKind::Other => Self::Other("internal".to_owned()),
        }
    }
}

impl From<wit::File> for File {
    fn from(f: wit::File) -> Self {
        Self { field: f.field, name: f.name, content_type: f.content_type, content: f.content }
    }
}

impl From<File> for wit::File {
    fn from(f: File) -> Self {
        Self { field: f.field, name: f.name, content_type: f.content_type, content: f.content }
    }
}
