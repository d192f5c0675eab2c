//! What carries a request to Stripe, and what time it is meanwhile.
//!
//! The distinction that matters is in [`Failure`]: whether the request can have reached Stripe. `wasi`
//! implements both traits in the component.

use std::borrow::Cow;
use std::fmt;

use stripe_table::Base;

use crate::catalogue::Method;

/// One HTTP request, complete. It holds the key, so it cannot be printed.
pub struct HttpRequest<'a> {
    /// The method.
    pub method: Method,
    /// Where to.
    pub base: &'a ApiBase,
    /// Path and query.
    pub path: &'a str,
    /// Headers, in order.
    pub headers: &'a [(&'static str, String)],
    /// The body; none for GET and DELETE.
    pub body: Option<&'a [u8]>,
    /// How long each part may take.
    pub timeouts: Timeouts,
    /// When the exchange has to be over, its answer read, on the clock's monotonic scale.
    pub deadline_ms: u64,
}

/// How long the parts of an exchange may take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: u64,
    /// From the request until its answer begins.
    pub first_byte: u64,
    /// Between two parts of the answer.
    pub between_bytes: u64,
}

/// An answer that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether it is the kept answer of an earlier execution of the same key.
    pub fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// Stripe's own word on another attempt.
    pub fn should_retry(&self) -> Option<bool> {
        self.header("stripe-should-retry")?.parse().ok()
    }
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The host's policy refused the request before it left.
    Denied(String),
    /// The request is not one that can be sent: nothing left, and nothing ever will.
    Unsendable(String),
    /// No connection was made: nothing left.
    Unreachable(String),
    /// The request, or a part of it, left, and no whole answer came back.
    Broken(String),
    /// The request left and its answer did not come in time.
    TimedOut(String),
    /// The answer is larger than what is read; this is its head.
    TooLarge(Box<HttpResponse>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "the host does not allow the request: {why}"),
            Self::Unsendable(why) => write!(f, "the request cannot be sent: {why}"),
            Self::Unreachable(why) => write!(f, "Stripe cannot be reached: {why}"),
            Self::Broken(why) => write!(f, "the connection to Stripe broke: {why}"),
            Self::TimedOut(why) => write!(f, "Stripe did not answer in time: {why}"),
            Self::TooLarge(head) => write!(f, "the answer (status {}) is larger than what is read", head.status),
        }
    }
}

/// Sends a request and reads its answer.
pub trait Transport {
    /// One exchange: no redirect is followed and nothing is tried twice.
    ///
    /// # Errors
    /// Why there is no whole answer.
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure>;
}

/// Time and chance.
pub trait Clock {
    /// Seconds since 1970.
    fn unix_seconds(&self) -> u64;
    /// Milliseconds since some fixed moment.
    fn monotonic_ms(&self) -> u64;
    /// Waits.
    fn sleep_ms(&self, duration: u64);
    /// A number from 0 up to, but not including, 1.
    fn chance(&self) -> f64;
}

/// Where the API is: a scheme and an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiBase {
    /// Whether to use TLS.
    pub https: bool,
    /// Host and port.
    pub authority: String,
}

/// Where the API is unless a connection says otherwise.
const STRIPE: &str = "api.stripe.com";

impl ApiBase {
    /// Where requests to one of Stripe's hosts go. A connection that names another address than Stripe's has everything
    /// there, as the official SDKs' users do with a simulator or a proxy.
    pub fn serving(&self, base: Base) -> Cow<'_, Self> {
        let host = match base {
            Base::Api => STRIPE,
            Base::Files => "files.stripe.com",
            Base::MeterEvents => "meter-events.stripe.com",
        };
        match self.https && self.authority == STRIPE && host != STRIPE {
            true => Cow::Owned(Self { https: true, authority: host.to_owned() }),
            false => Cow::Borrowed(self),
        }
    }

    /// Reads `https://host[:port]`. Without TLS only this machine itself is accepted: the key travels in a header.
    ///
    /// # Errors
    /// What is wrong with the address, to complete the sentence "the API address …".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (https, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err("must begin with https://");
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() {
            return Err("has no host");
        }
        if authority.contains('@') {
            return Err("must not contain a user name or password");
        }
        if authority.contains(['/', '?', '#']) {
            return Err("must not have a path or query");
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if !authority.bytes().all(allowed) {
            return Err("has a character that no host has");
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        if port.is_some_and(|p| p.parse::<u16>().is_err()) {
            return Err("has a port that is not a number up to 65535");
        }
        if !https && !matches!(host, "localhost" | "127.0.0.1" | "::1") {
            return Err("must use https:// (http:// is only accepted for this machine itself)");
        }
        Ok(Self { https, authority: authority.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_anywhere_and_http_on_this_machine() {
        for (text, https, authority) in [
            ("https://api.stripe.com", true, "api.stripe.com"),
            ("https://api.stripe.com/", true, "api.stripe.com"),
            ("http://127.0.0.1:12111", false, "127.0.0.1:12111"),
            ("http://localhost:1", false, "localhost:1"),
            ("http://[::1]:80", false, "[::1]:80"),
        ] {
            assert_eq!(ApiBase::parse(text), Ok(ApiBase { https, authority: authority.into() }));
        }
    }

    #[test]
    fn files_and_meter_events_have_hosts_of_their_own_unless_the_connection_names_another() {
        let base = |text: &str| ApiBase::parse(text).expect("an address");
        let stripe = base("https://api.stripe.com/");
        for (part, host) in [
            (Base::Api, "api.stripe.com"),
            (Base::Files, "files.stripe.com"),
            (Base::MeterEvents, "meter-events.stripe.com"),
        ] {
            assert_eq!(*stripe.serving(part), base(&format!("https://{host}")));
            for other in ["http://127.0.0.1:12111", "https://api.stripe.com:8443", "https://proxy.example.com"] {
                assert_eq!(*base(other).serving(part), base(other));
            }
        }
    }

    #[test]
    fn refuses_addresses_that_would_leak_the_key() {
        for text in [
            "",
            "api.stripe.com",
            "ftp://api.stripe.com",
            "http://api.stripe.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user:pass@api.stripe.com",
            "https://api.stripe.com/v1",
            "https://api.stripe.com?x",
            "https://api stripe.com",
            "https://api.stripe.com:99999",
            "https://",
        ] {
            assert!(ApiBase::parse(text).is_err(), "{text}");
        }
    }
}
