//! A gate of the caller's own: it sees every request of a call in the form in which it would leave, and may hold it back.
//!
//! What an operation's input means is the connector's to know; what it became, everybody can read. So whoever decides
//! about calls decides here about what leaves, and no other name for the same thing gets round it. A gate only looks: it
//! changes nothing, waits for nobody, and sees no secret.

use std::fmt;

use http::HeaderMap;
use http::request::Parts;

/// What stands where a secret is.
const HIDDEN: &str = "(secret)";

/// Looks at the requests of a call, each before it leaves. A request that is sent again is looked at again.
pub trait Gate: fmt::Debug + Send + Sync {
    /// Lets a request out, or says why not, in a few words.
    fn admit(&self, request: &Departure<'_>) -> Result<(), String>;
}

/// A request that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    /// The method.
    pub method: &'a str,
    /// Scheme, host and port.
    pub origin: &'a str,
    /// The path, without its query.
    pub path: &'a str,
    /// The query, if there is one.
    pub query: Option<&'a str>,
    /// The whole body; empty if there is none.
    pub body: &'a [u8],
    headers: &'a HeaderMap,
}

impl<'a> Departure<'a> {
    pub(super) fn new(parts: &'a Parts, origin: &'a str, body: &'a [u8]) -> Self {
        let Parts { method, uri, headers, .. } = parts;
        Self { method: method.as_str(), origin, path: uri.path(), query: uri.query(), body, headers }
    }

    /// The headers by their names, each with its value; `(secret)` in place of one that is.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let shown =
            |value: &'a http::HeaderValue| if value.is_sensitive() { HIDDEN } else { value.to_str().unwrap_or("") };
        self.headers.iter().map(move |(name, value)| (name.as_str(), shown(value)))
    }

    /// The value of a header that is no secret.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).filter(|value| !value.is_sensitive()).and_then(|value| value.to_str().ok())
    }
}
