//! The contract's names of its cases.
//!
//! A closed kind has the cases that it has. An open one ends with `other`, which carries the name of a case that this
//! version of the contract does not know: its name is that text.

use super::bindings::automation::connector::types::{Environment, ErrorKind, Mode, Outcome};
use super::bindings::exports::automation::connector::connection::{Access, AuthKind, FieldKind};
use super::bindings::exports::automation::connector::operations::{OperationKind, SchemaDegree};
use super::bindings::exports::automation::connector::resources::ValueKind;

macro_rules! closed {
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
    )*};
}

macro_rules! open {
    ($($type:ident { $($case:ident = $name:literal),* $(,)? })*) => {$(
        impl $type {
            /// The name of the case in the contract; of a case that this version does not know, the name that came with it.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$case => $name,)*
                    Self::Other(name) => name,
                }
            }

            /// The case of this name in the contract, or a case that this version does not know.
            #[must_use]
            pub fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$case,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    )*};
}

closed! {
    Environment { Development = "development", Production = "production" }
    Mode { Test = "test", Live = "live" }
    Outcome { NotSent = "not-sent", Rejected = "rejected", Unknown = "unknown", Committed = "committed" }
    Access { Allowed = "allowed", Denied = "denied", Unknown = "unknown" }
    OperationKind { Trigger = "trigger", Action = "action", Query = "query" }
}

open! {
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
    }
    FieldKind { Secret = "secret", Text = "text", Url = "url" }
    SchemaDegree { Shown = "shown", Full = "full" }
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

impl AuthKind {
    /// The name of the case in the contract; of a case that this version does not know, the name that came with it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Fields => "fields",
            Self::Oauth(_) => "oauth",
            Self::Other(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_this_version_does_not_know_keeps_its_name() {
        assert_eq!(ErrorKind::from_name("declined"), ErrorKind::Declined);
        let newer = ErrorKind::from_name("quarantined");
        assert_eq!(newer, ErrorKind::Other("quarantined".to_owned()));
        assert_eq!(newer.name(), "quarantined");
        assert_eq!(ValueKind::from_name("percentage").name(), "percentage");
    }

    #[test]
    fn a_closed_kind_has_no_other_case() {
        assert_eq!(OperationKind::from_name("query"), Some(OperationKind::Query));
        assert_eq!(OperationKind::from_name("verb"), None);
    }
}
