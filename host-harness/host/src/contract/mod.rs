//! The contract `automation:connector` as Rust types.
//!
//! What lives here: the types that are generated from `wit/` (`bindings`), the functions by their types (`functions`), the
//! names of their cases (`names`), what the host holds in place of a plain text where a secret is in it (`subscription`),
//! short ways to make the records that a caller fills in (`requests`), their JSON form both ways (`form`, `fields`), taking
//! secrets out of them (`hide`) and wiping those that a component got (`wipe`). What does not: any call. Data only passes
//! through: component → these types → the caller.

#[allow(missing_docs, reason = "the documentation is in wit/, and the generator carries only a part of it over")]
mod bindings;
mod fields;
mod form;
mod functions;
mod hide;
mod names;
mod requests;
mod subscription;
mod wipe;

pub(crate) use functions::{Function, Functions, Unfit};
pub(crate) use hide::Hide;

pub use bindings::automation::connector::types::{
    CallContext, Connection, Environment, Error, ErrorKind, Extra, FieldValue, File, History, Invocation, Mode,
    Outcome, ResourceRecord, ResourceRef, ResultMetadata, RetryAdvice,
};
pub use bindings::exports::automation::connector::actions::ActionResult;
pub use bindings::exports::automation::connector::connection::{
    Access, AuthKind, AuthMethod, ConnectionField, ConnectionReport, ConnectionType, FieldKind, Oauth, Permission,
};
pub use bindings::exports::automation::connector::operations::{
    DescribeRequest, Hints, Operation, OperationFilter, OperationKind, OperationPage, OperationSummary, SchemaDegree,
};
pub use bindings::exports::automation::connector::queries::QueryResult;
pub use bindings::exports::automation::connector::resources::{
    Choice, ChoiceField, ChoicePage, ChoiceRequest, FieldMapping, ResourceType, ValueKind,
};
pub use bindings::exports::automation::connector::triggers::{
    Event, IgnoredEvent, PollResult, Receipt, RecentEvents, TriggerUse, WebhookRequest, WebhookResponse,
};
pub use form::{Embedded, is_json};
pub use subscription::{Subscription, SubscriptionRequest, SubscriptionState, Unsubscribed};

/// The package of the contract, without its version.
pub const PACKAGE: &str = "automation:connector";
/// The version of the contract that this host speaks.
pub const VERSION: &str = "0.1.0";

/// Every function that a component of the world exports, by interface.
pub const EXPORTS: &[(&str, &[&str])] = &[
    ("connection", &["describe", "test"]),
    ("operations", &["list", "describe", "object-schema"]),
    ("actions", &["run"]),
    ("queries", &["run"]),
    ("triggers", &["receive", "load", "subscribe", "renew", "unsubscribe", "poll", "recent", "sample"]),
    ("resources", &["list", "resolve", "choices"]),
];
