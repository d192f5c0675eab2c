//! The one error of the connector: everything that a platform needs to decide what comes next.
//!
//! Modules make it with [`Error::new`] and add what they know; `exports` turns it into the contract's record,
//! which has the same parts and documents them.

use crate::json;

/// A kind of failure; the contract documents each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the contract, `wit/types.wit`")]
pub enum ErrorKind {
    UnknownOperation,
    InvalidInput,
    InvalidConnection,
    Authentication,
    Permission,
    NotFound,
    Declined,
    Conflict,
    Idempotency,
    RateLimited,
    Rejected,
    Service,
    Timeout,
    Network,
    Denied,
    Signature,
    Other,
}

/// Whether the same call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again, or could do harm: something must be changed or looked at first.
    Never,
    /// At once or later, and only with the same invocation id.
    SameKey,
    /// After so many milliseconds, with the same invocation id.
    After(u64),
}

/// What the invocation has done at Stripe. A read does nothing: it is `NotSent` where no request was answered, and
/// `Rejected` otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No request left.
    NotSent,
    /// Stripe answered, in its own form, that it did not do it.
    Rejected,
    /// A request left and no conclusive answer came.
    Unknown,
    /// Stripe did it, and something failed afterwards.
    Committed,
}

/// A pointer to one of Stripe's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRef {
    /// The connector's name of the resource, or Stripe's where the connector has none.
    pub resource: String,
    /// The object's id.
    pub id: String,
}

/// An expected failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in the contract, `wit/types.wit`")]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    pub hint: Option<String>,
    pub field: Option<String>,
    pub service_type: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub http_status: Option<u16>,
    pub request_id: Option<String>,
    pub doc_url: Option<String>,
    pub retry: Retry,
    pub outcome: Outcome,
    pub related: Vec<ResourceRef>,
    pub idempotency_key: Option<String>,
    pub key_protects_until: Option<u64>,
    pub replayed: bool,
    pub attempts: u32,
    /// Names and JSON values.
    pub extras: Vec<(String, String)>,
}

/// The result of everything that can fail in an expected way.
pub type Result<T> = std::result::Result<T, Box<Error>>;

impl Error {
    /// An error before anything was sent, which stays until something is changed.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.into(),
            hint: None,
            field: None,
            service_type: None,
            code: None,
            decline_code: None,
            http_status: None,
            request_id: None,
            doc_url: None,
            retry: Retry::Never,
            outcome: Outcome::NotSent,
            related: Vec::new(),
            idempotency_key: None,
            key_protects_until: None,
            replayed: false,
            attempts: 0,
            extras: Vec::new(),
        })
    }

    /// An input that is not acceptable, at this path.
    pub fn input(field: impl Into<String>, message: impl Into<String>) -> Box<Self> {
        Self::new(ErrorKind::InvalidInput, message).at(field)
    }

    /// A connection field that is not acceptable.
    pub fn connection(field: impl Into<String>, message: impl Into<String>) -> Box<Self> {
        Self::new(ErrorKind::InvalidConnection, message).at(field)
    }

    /// Names the field at fault; no field where the path is empty, for then it is all of the input.
    #[must_use]
    pub fn at(mut self: Box<Self>, field: impl Into<String>) -> Box<Self> {
        self.field = Some(field.into()).filter(|path| !path.is_empty());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }

    /// Adds something more that is said, by name.
    pub fn extra(&mut self, name: &str, value: &str) {
        self.extras.push((name.to_owned(), json::quoted(value)));
    }

    /// Passes every text through a function: all of them may hold what somebody else wrote.
    pub fn map_texts(&mut self, change: impl Fn(String) -> String) {
        let optional = [
            &mut self.hint,
            &mut self.field,
            &mut self.service_type,
            &mut self.code,
            &mut self.decline_code,
            &mut self.request_id,
            &mut self.doc_url,
            &mut self.idempotency_key,
        ];
        let related = self.related.iter_mut().flat_map(|r| [&mut r.resource, &mut r.id]);
        let extras = self.extras.iter_mut().flat_map(|(name, value)| [name, value]);
        let all = std::iter::once(&mut self.message).chain(optional.into_iter().flatten()).chain(related).chain(extras);
        for text in all {
            *text = change(std::mem::take(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_all_of_the_input_names_no_field() {
        assert_eq!(Error::input("", "is no object").field, None);
        assert_eq!(Error::input("items[0].price", "is missing").field.as_deref(), Some("items[0].price"));
    }

    #[test]
    fn no_text_is_left_out_when_texts_are_changed() {
        let text = || Some("SECRET".to_owned());
        let mut error = Error {
            hint: text(),
            field: text(),
            service_type: text(),
            code: text(),
            decline_code: text(),
            request_id: text(),
            doc_url: text(),
            related: vec![ResourceRef { resource: "SECRET".into(), id: "SECRET".into() }],
            idempotency_key: text(),
            ..*Error::new(ErrorKind::Other, "SECRET")
        };
        error.extra("SECRET", "SECRET");
        error.map_texts(|text| text.replace("SECRET", "x"));
        let shown = format!("{error:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
        assert_eq!(error.extras, [("x".to_owned(), "\"x\"".to_owned())]);
    }
}
