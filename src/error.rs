//! The one error of the connector: everything that a platform needs to decide what comes next.
//!
//! Modules make it with [`Error::new`] and add what they know; `exports` turns it into the contract's record,
//! which has the same parts and documents them.

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
    /// It would fail again.
    Never,
    /// At once or later, with the same idempotency key only.
    SameKey,
    /// After so many milliseconds, with the same idempotency key.
    After(u64),
}

/// What the call has done at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No request left.
    NotSent,
    /// Stripe answered that it did not do it.
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
    pub attempts: u32,
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
            attempts: 0,
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

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self: Box<Self>, field: impl Into<String>) -> Box<Self> {
        self.field = Some(field.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }
}
