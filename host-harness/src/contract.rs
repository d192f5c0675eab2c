//! The contract `automation:connector` as Rust types, generated from `wit/`, and their JSON form.
//!
//! What lives here: the bindings and how each record looks as JSON (field names as in the WIT, with `_` for `-`; enum
//! cases as in the WIT). What does not: any call. Data only passes through: component → these types → the caller.

use serde_json::{Value, json};

#[allow(missing_docs, reason = "the documentation is in wit/, and the generator carries only a part of it over")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "connector",
        exports: { default: async },
        additional_derives: [PartialEq],
    });
}

pub(crate) use bindings::{Connector as Bindings, ConnectorPre as BindingsPre};

pub use bindings::automation::connector::types::{
    CallContext, Connection, Environment, Error, ErrorKind, FieldValue, Invocation, Mode, Outcome, ResourceRecord,
    ResourceRef, ResultMetadata, RetryAdvice,
};
pub use bindings::exports::automation::connector::actions::ActionResult;
pub use bindings::exports::automation::connector::connection::{
    Access, ConnectionField, ConnectionReport, ConnectionType, FieldKind, Permission,
};
pub use bindings::exports::automation::connector::operations::{
    Hints, Operation, OperationFilter, OperationKind, OperationSummary,
};
pub use bindings::exports::automation::connector::queries::QueryResult;
pub use bindings::exports::automation::connector::resources::{
    Choice, ChoicePage, ChoiceRequest, FieldMapping, ResourceType, ValueKind,
};
pub use bindings::exports::automation::connector::triggers::{
    Event, IgnoredEvent, PollResult, Receipt, Subscription, SubscriptionRequest, WebhookRequest,
};

/// The package of the contract, without its version.
pub const PACKAGE: &str = "automation:connector";
/// The version of the contract that this host speaks.
pub const VERSION: &str = "0.1.0";

/// Every function that a component of the world exports, by interface.
pub const EXPORTS: &[(&str, &[&str])] = &[
    ("connection", &["describe", "test"]),
    ("operations", &["list", "describe"]),
    ("actions", &["run"]),
    ("queries", &["run"]),
    ("triggers", &["receive", "subscribe", "unsubscribe", "poll", "sample"]),
    ("resources", &["list", "resolve", "choices"]),
];

/// A value's JSON form: what `--json` prints and what an agent reads.
pub trait ToJson {
    /// The JSON form.
    fn to_json(&self) -> Value;
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(ToJson::to_json).collect()
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }
}

macro_rules! json_text {
    ($($type:ty),*) => {$(
        impl ToJson for $type {
            fn to_json(&self) -> Value {
                self.clone().into()
            }
        }
    )*};
}

json_text!(String, bool, u16, u32, u64);

/// JSON text of the contract as a value; text that is not JSON stays text.
#[must_use]
pub fn embedded(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

macro_rules! enum_names {
    ($($type:ident { $($case:ident = $name:literal),* $(,)? })*) => {$(
        impl $type {
            /// The name of the case in the contract.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$case => $name),* }
            }

            /// The case of this name in the contract.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$case),)* _ => None }
            }
        }

        impl ToJson for $type {
            fn to_json(&self) -> Value {
                self.name().into()
            }
        }
    )*};
}

enum_names! {
    Environment { Development = "development", Production = "production" }
    Mode { Test = "test", Live = "live" }
    ErrorKind {
        UnknownOperation = "unknown-operation",
        InvalidInput = "invalid-input",
        InvalidConnection = "invalid-connection",
        Authentication = "authentication",
        Permission = "permission",
        NotFound = "not-found",
        Declined = "declined",
        Conflict = "conflict",
        Idempotency = "idempotency",
        RateLimited = "rate-limited",
        Rejected = "rejected",
        Service = "service",
        Timeout = "timeout",
        Network = "network",
        Denied = "denied",
        Signature = "signature",
        Other = "other",
    }
    Outcome { NotSent = "not-sent", Rejected = "rejected", Unknown = "unknown", Committed = "committed" }
    FieldKind { Secret = "secret", Text = "text", Url = "url" }
    Access { Allowed = "allowed", Denied = "denied", Unknown = "unknown" }
    OperationKind { Trigger = "trigger", Action = "action", Query = "query" }
    ValueKind {
        Text = "text",
        Integer = "integer",
        Boolean = "boolean",
        Timestamp = "timestamp",
        Money = "money",
        Reference = "reference",
        Labels = "labels",
    }
}

impl ToJson for RetryAdvice {
    fn to_json(&self) -> Value {
        match self {
            Self::Never => json!({ "advice": "never" }),
            Self::SameKey => json!({ "advice": "same-key" }),
            Self::After(milliseconds) => json!({ "advice": "after", "milliseconds": milliseconds }),
        }
    }
}

impl ToJson for Receipt {
    fn to_json(&self) -> Value {
        json!({ "events": self.events.to_json(), "ignored": self.ignored.to_json() })
    }
}

/// One macro line a record; a field after `+` is JSON text and appears as the value that it is.
macro_rules! records {
    ($($type:ident { $($field:ident),* } $(+ { $($text:ident),* })?)*) => {$(
        impl ToJson for $type {
            fn to_json(&self) -> Value {
                let mut object = serde_json::Map::new();
                $(object.insert(stringify!($field).to_owned(), self.$field.to_json());)*
                $($(object.insert(stringify!($text).to_owned(), embedded(&self.$text));)*)?
                Value::Object(object)
            }
        }
    )*};
}

records! {
    Error {
        kind, message, hint, field, service_type, code, decline_code, http_status, request_id, doc_url, retry, outcome,
        related, idempotency_key, attempts
    }
    ResourceRef { resource, id }
    ResourceRecord { resource, internal, id, title, url } + { fields }
    ResultMetadata { idempotency_key, replayed, request_id, attempts, mode, api_version, account }
    ActionResult { record, metadata } + { output }
    QueryResult { records, next_cursor, metadata } + { output }
    ConnectionField { name, kind, title, help, required, placeholder, link, default_value }
    ConnectionType { title, api_version, fields }
    Permission { title, operations, access, grant }
    ConnectionReport { mode, account_id, account_name, api_version, restricted, permissions }
    Hints { read_only, destructive, idempotent, moves_money }
    OperationSummary { id, kind, title, description, resource, hints }
    Operation { summary, aliases } + { input_schema, output_schema, sample_input, sample_output }
    FieldMapping { internal, external, kind }
    ResourceType { name, internal, title, id_prefixes, mapping, has_choices, operations }
    Choice { value, label, detail }
    ChoicePage { choices, next_cursor, metadata }
    Event { id, trigger, occurred_at, mode, account, api_version, record } + { payload }
    IgnoredEvent { id, event_type, reason }
    Subscription { id, event_types, metadata, secret }
    PollResult { events, cursor, has_more, metadata }
}
