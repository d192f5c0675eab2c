//! The JSON form of the contract's types: what `--json` prints and what an agent reads.
//!
//! Field names are as in the WIT, with `_` for `-`; a case is its name; JSON text within a record appears as the value
//! that it is, and is handed on as it came: it is checked, never read into a tree. Two things have no form: the bytes of
//! a file and of a webhook answer, of which the size is told, and a subscription's state, which is secret.
//!
//! What has the form can be read back from it (`fields` has how): a platform stores results and errors. Of a text that was
//! no JSON, the JSON string that it was shown as comes back; what would come back without its bytes or its secret does not
//! come back at all.

use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::bindings::automation::connector::types::{
    Environment, Error, ErrorKind, Extra, File, Mode, Outcome, ResourceRecord, ResourceRef, ResultMetadata, RetryAdvice,
};
use super::bindings::exports::automation::connector::actions::ActionResult;
use super::bindings::exports::automation::connector::connection::{
    Access, AuthKind, AuthMethod, ConnectionField, ConnectionReport, ConnectionType, FieldKind, Oauth, Permission,
};
use super::bindings::exports::automation::connector::operations::{
    Hints, Operation, OperationKind, OperationPage, OperationSummary, SchemaDegree,
};
use super::bindings::exports::automation::connector::queries::QueryResult;
use super::bindings::exports::automation::connector::resources::{
    Choice, ChoicePage, FieldMapping, ResourceType, ValueKind,
};
use super::bindings::exports::automation::connector::triggers::{
    Event, IgnoredEvent, PollResult, Receipt, RecentEvents, TriggerUse, WebhookResponse,
};
use super::fields::Fields;
use super::subscription::{Subscription, Unsubscribed};

/// JSON text of the contract, as the value that it is; text that is not JSON stays text.
#[derive(Clone, Copy, Debug)]
pub struct Embedded<'a>(pub &'a str);

impl Serialize for Embedded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match raw(self.0) {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(self.0),
        }
    }
}

/// Whether a text is one JSON value, by its grammar. It takes no memory, however deep the value is.
#[must_use]
pub fn is_json(text: &str) -> bool {
    raw(text).is_some()
}

fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

macro_rules! by_name {
    ($($type:ident)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Option::<Self>::from(Self::from_name(&name))
                    .ok_or_else(|| D::Error::custom(format_args!("{name:?} is no case of it")))
            }
        }
    )*};
}

by_name! { Access Environment ErrorKind FieldKind Mode OperationKind Outcome SchemaDegree ValueKind }

impl Serialize for RetryAdvice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Never => map.serialize_entry("advice", "never")?,
            Self::SameKey => map.serialize_entry("advice", "same-key")?,
            Self::After(milliseconds) => {
                map.serialize_entry("advice", "after")?;
                map.serialize_entry("milliseconds", milliseconds)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RetryAdvice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::deserialize(deserializer)?;
        match fields.take::<String, _>("advice")?.as_str() {
            "never" => Ok(Self::Never),
            "same-key" => Ok(Self::SameKey),
            "after" => Ok(Self::After(fields.take("milliseconds")?)),
            other => Err(D::Error::custom(format_args!("{other:?} is no advice"))),
        }
    }
}

impl Serialize for AuthKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.name())?;
        if let Self::Oauth(Oauth { authorize_url, token_url, scopes, pkce, token_field }) = self {
            map.serialize_entry("authorize_url", authorize_url)?;
            map.serialize_entry("token_url", token_url)?;
            map.serialize_entry("scopes", scopes)?;
            map.serialize_entry("pkce", pkce)?;
            map.serialize_entry("token_field", token_field)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AuthKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::deserialize(deserializer)?;
        match fields.take::<String, _>("kind")?.as_str() {
            "fields" => Ok(Self::Fields),
            "oauth" => Ok(Self::Oauth(Oauth {
                authorize_url: fields.take("authorize_url")?,
                token_url: fields.take("token_url")?,
                scopes: fields.take("scopes")?,
                pkce: fields.take("pkce")?,
                token_field: fields.take("token_field")?,
            })),
            other => Ok(Self::Other(other.to_owned())),
        }
    }
}

/// Extras as an object. Of two of one name the first counts, since no object has two members of one name.
struct Extras<'a>(&'a [Extra]);

impl Serialize for Extras<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut seen = HashSet::new();
        for Extra { name, value } in self.0 {
            if seen.insert(name) {
                map.serialize_entry(name, &Embedded(value))?;
            }
        }
        map.end()
    }
}

/// A file without its bytes.
impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("content_type", &self.content_type)?;
        map.serialize_entry("size", &self.content.len())?;
        map.end()
    }
}

/// Of an empty one: the bytes of others are not in the form.
impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::deserialize(deserializer)?;
        fields.no_bytes("size")?;
        let (field, name) = (fields.take("field")?, fields.take("name")?);
        Ok(Self { field, name, content_type: fields.take("content_type")?, content: Vec::new() })
    }
}

/// Of one without a body: the bytes of others are not in the form.
impl<'de> Deserialize<'de> for WebhookResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::deserialize(deserializer)?;
        fields.no_bytes("size")?;
        Ok(Self { status: fields.take("status")?, headers: fields.take("headers")?, body: Vec::new() })
    }
}

/// The answer to a webhook request without its body.
impl Serialize for WebhookResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("headers", &self.headers)?;
        map.serialize_entry("size", &self.body.len())?;
        map.end()
    }
}

/// One macro line a record. A field in the second braces is JSON text and appears as the value that it is.
macro_rules! shown {
    ($($type:ident { $($field:ident),* } $(+ { $($text:ident),* })? $(+ $extras:ident)?)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry(stringify!($field), &self.$field)?;)*
                $($(map.serialize_entry(stringify!($text), &Embedded(&self.$text))?;)*)?
                $(map.serialize_entry(stringify!($extras), &Extras(&self.$extras))?;)?
                map.end()
            }
        }
    )*};
}

/// The same, and read back.
macro_rules! records {
    ($($type:ident { $($field:ident),* } $(+ { $($text:ident),* })? $(+ $extras:ident)?)*) => {
        shown! { $($type { $($field),* } $(+ { $($text),* })? $(+ $extras)?)* }
        $(
            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let mut fields = Fields::deserialize(deserializer)?;
                    Ok(Self {
                        $($field: fields.take(stringify!($field))?,)*
                        $($($text: fields.text(stringify!($text))?,)*)?
                        $($extras: fields.extras(stringify!($extras))?,)?
                    })
                }
            }
        )*
    };
}

records! {
    Error {
        kind, message, hint, field, service_type, code, decline_code, http_status, request_id, doc_url, retry, outcome,
        related, idempotency_key, key_protects_until, replayed, attempts
    } + extras
    ResourceRef { resource, id }
    ResourceRecord { resource, internal, id, title, url } + { fields }
    ResultMetadata {
        idempotency_key, key_protects_until, replayed, request_id, attempts, mode, api_version, account
    } + extras
    ActionResult { record, files, metadata } + { output }
    QueryResult { records, files, next_cursor, metadata } + { output }
    ConnectionField { name, kind, title, help, required, placeholder, link, default_value }
    AuthMethod { name, title, kind, fields }
    ConnectionType { title, api_version, methods, fields }
    Permission { title, operations, access, grant }
    ConnectionReport { mode, account_id, account_name, api_version, restricted, permissions } + extras
    Hints { read_only, destructive, idempotent, moves_money }
    OperationSummary { id, tool_name, kind, title, description, resource, hints, inverse } + extras
    OperationPage { operations, next_cursor }
    Operation { summary, aliases } + { input_schema, output_schema, sample_input, sample_output }
    FieldMapping { internal, external, kind }
    ResourceType { name, internal, title, id_prefixes, mapping, has_choices, choices_need, operations }
    Choice { value, label, detail }
    ChoicePage { choices, next_cursor, metadata }
    TriggerUse { trigger } + { input }
    Event {
        id, event_type, triggers, occurred_at, mode, account, api_version, complete, record
    } + { payload } + extras
    IgnoredEvent { id, event_type, reason }
    Receipt { events, ignored, response }
    PollResult { events, cursor, has_more, metadata }
    RecentEvents { events, metadata }
}

shown! {
    Subscription { id, event_types, expires_at, metadata } + extras
    Unsubscribed { event_types, metadata }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::subscription::SubscriptionState;
    use super::*;

    fn form(value: &impl Serialize) -> Value {
        serde_json::to_value(value).unwrap()
    }

    fn metadata() -> ResultMetadata {
        ResultMetadata {
            idempotency_key: None,
            key_protects_until: Some(1_800_000_000),
            replayed: false,
            request_id: None,
            attempts: 1,
            mode: Mode::Test,
            api_version: "2026-10-28".to_owned(),
            account: None,
            extras: vec![
                Extra { name: "rate".to_owned(), value: r#"{"left": 3}"#.to_owned() },
                Extra { name: "note".to_owned(), value: "not JSON".to_owned() },
                Extra { name: "rate".to_owned(), value: "4".to_owned() },
            ],
        }
    }

    #[test]
    fn extras_are_an_object_whose_names_are_there_once() {
        let text = serde_json::to_string(&metadata()).unwrap();
        assert_eq!(form(&metadata())["extras"], json!({ "rate": { "left": 3 }, "note": "not JSON" }));
        assert_eq!(text.matches("\"rate\"").count(), 1, "{text}");
    }

    #[test]
    fn a_file_is_told_without_its_bytes() {
        let file = File {
            field: "file".to_owned(),
            name: "receipt.pdf".to_owned(),
            content_type: "application/pdf".to_owned(),
            content: vec![0x25; 5],
        };
        let expected = json!({ "field": "file", "name": "receipt.pdf", "content_type": "application/pdf", "size": 5 });
        assert_eq!(form(&file), expected);
    }

    fn comes_back<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value, "{text}");
        assert_eq!(serde_json::from_value::<T>(form(value)).unwrap(), *value, "{text}");
    }

    fn known(mut metadata: ResultMetadata) -> ResultMetadata {
        metadata.extras.truncate(1);
        metadata.extras[0].value = r#"{"left":3}"#.to_owned();
        metadata
    }

    #[test]
    fn what_was_stored_comes_back() {
        let error = Error {
            kind: ErrorKind::Other("new-kind".to_owned()),
            message: "your card was declined".to_owned(),
            hint: None,
            field: Some("items[0].price".to_owned()),
            service_type: None,
            code: Some("card_declined".to_owned()),
            decline_code: None,
            http_status: Some(402),
            request_id: None,
            doc_url: None,
            retry: RetryAdvice::After(1_500),
            outcome: Outcome::Rejected,
            related: vec![ResourceRef { resource: "charge".to_owned(), id: "ch_1".to_owned() }],
            idempotency_key: None,
            key_protects_until: Some(1_800_000_000),
            replayed: true,
            attempts: 2,
            extras: Vec::new(),
        };
        comes_back(&error);
        comes_back(&Error { kind: ErrorKind::Declined, retry: RetryAdvice::Never, ..error.clone() });
        comes_back(&Error { retry: RetryAdvice::SameKey, ..error });
        let output = r#"{"id":"ch_1","amount":1099}"#.to_owned();
        comes_back(&ActionResult { output, record: None, files: Vec::new(), metadata: known(metadata()) });
        let oauth = Oauth {
            authorize_url: "https://a.example".to_owned(),
            token_url: "https://b.example".to_owned(),
            scopes: vec!["read".to_owned()],
            pkce: true,
            token_field: "token".to_owned(),
        };
        for kind in [AuthKind::Fields, AuthKind::Oauth(oauth), AuthKind::Other("mtls".to_owned())] {
            let (name, title) = ("key".to_owned(), "Key".to_owned());
            comes_back(&AuthMethod { name, title, kind, fields: Vec::new() });
        }
    }

    #[test]
    fn what_would_come_back_without_its_bytes_does_not_come_back() {
        let file = |content: &[u8]| File {
            field: "file".to_owned(),
            name: "receipt.pdf".to_owned(),
            content_type: "application/pdf".to_owned(),
            content: content.to_vec(),
        };
        comes_back(&file(b""));
        let error = serde_json::from_value::<File>(form(&file(b"%PDF"))).unwrap_err().to_string();
        assert!(error.contains("4 bytes"), "{error}");
    }

    #[test]
    fn what_is_no_case_or_lacks_a_field_is_named() {
        let error = serde_json::from_str::<Mode>("\"real\"").unwrap_err().to_string();
        assert!(error.contains("real"), "{error}");
        let error = serde_json::from_str::<ResourceRef>(r#"{"resource": "charge"}"#).unwrap_err().to_string();
        assert!(error.contains("id"), "{error}");
    }

    #[test]
    fn a_subscriptions_state_has_no_form() {
        let made = Subscription {
            id: "we_1".to_owned(),
            state: SubscriptionState::new("whsec_Deliveries1234".to_owned()),
            event_types: Vec::new(),
            expires_at: None,
            metadata: metadata(),
            extras: Vec::new(),
        };
        let text = serde_json::to_string(&made).unwrap();
        assert!(!text.contains("state") && !text.contains("whsec"), "{text}");
        assert!(!format!("{made:?}").contains("whsec"));
    }

    #[test]
    fn a_kind_that_is_not_known_is_its_name() {
        assert_eq!(form(&ErrorKind::Other("quarantined".to_owned())), json!("quarantined"));
        assert_eq!(form(&AuthKind::Other("saml".to_owned())), json!({ "kind": "saml" }));
        assert_eq!(form(&RetryAdvice::After(5)), json!({ "advice": "after", "milliseconds": 5 }));
    }

    #[test]
    fn json_text_is_handed_on_as_it_came() {
        let text = r#"{"b": 1e400, "a": "\ud800", "b2": 12345678901234567890.10}"#;
        assert_eq!(serde_json::to_string(&Embedded(text)).unwrap(), text);
        assert_eq!(serde_json::to_string(&Embedded("{nope")).unwrap(), r#""{nope""#);
        let deep = "[".repeat(500_000) + &"]".repeat(500_000);
        assert!(is_json(&deep) && !is_json(&deep[1..]));
    }
}
