//! The operator's proxy for what goes to TLS hosts: which requests it is for, and the tunnel through it (`CONNECT`).
//!
//! A proxy resolves names itself, so the check of resolved addresses is its business there. What the operator granted as
//! private is reached directly.

use std::fmt;
use std::io;

use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::origin::{Origin, Scheme};
use crate::secret::{Secret, base64_text};

/// A proxy says yes or no in a few lines.
const MOST_ANSWER: usize = 8 << 10;

/// A proxy for TLS destinations, and those that are reached without it.
#[derive(Clone)]
pub struct Proxy {
    origin: Origin,
    /// The value of `Proxy-Authorization`.
    authorization: Option<Secret>,
    without: Vec<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({}, without {:?})", self.origin, self.without)
    }
}

impl Proxy {
    /// A proxy as `HTTPS_PROXY` names it, `http://user:password@host:port`, and `NO_PROXY`: names, with all names under
    /// them, and addresses, separated by commas; `*` for all. No message has a part of either.
    pub fn new(url: &str, without: &str) -> Result<Self, String> {
        let (scheme, rest) = url.trim().split_once("://").unwrap_or(("http", url.trim()));
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, rest),
        };
        let origin: Origin = format!("{scheme}://{authority}").parse().map_err(|_| "it is not http://HOST:PORT")?;
        if origin.scheme != Scheme::Http {
            return Err("only a proxy that is itself reached by http:// is known".to_owned());
        }
        let authorization = credentials.map(|credentials| {
            let plain = percent_decoded(credentials);
            Secret::new(format!("Basic {}", base64_text(&plain)))
        });
        let name = |name: &str| name.trim().trim_start_matches('.').to_ascii_lowercase();
        let without = without.split(',').map(name).filter(|name| !name.is_empty()).collect();
        Ok(Self { origin, authorization, without })
    }

    /// Whether requests to here go through it.
    pub(super) fn serves(&self, uri: &Uri) -> bool {
        let Ok(origin) = Origin::of(uri) else { return false };
        let (host, whole) = (origin.host.to_string(), format!("{}:{}", origin.host, origin.port));
        let excepted = |name: &String| {
            let under = || host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
            name == "*" || *name == host || *name == whole || under()
        };
        origin.scheme == Scheme::Https && !origin.host.is_this_machine() && !self.without.iter().any(excepted)
    }

    /// Where it is.
    pub(super) fn address(&self) -> Option<Uri> {
        self.origin.to_string().parse().ok()
    }

    /// Asks it for a way to here.
    pub(super) async fn open(&self, stream: &mut TcpStream, uri: &Uri) -> io::Result<()> {
        let refused = || io::Error::other("the proxy does not let it through");
        let origin = Origin::of(uri).map_err(|_| refused())?;
        let target = format!("{}:{}", origin.host, origin.port);
        let mut asked = zeroize::Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n"));
        if let Some(authorization) = &self.authorization {
            asked.push_str("proxy-authorization: ");
            asked.push_str(authorization.expose());
            asked.push_str("\r\n");
        }
        asked.push_str("\r\n");
        stream.write_all(asked.as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte, so that nothing of what comes after the answer is taken.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= MOST_ANSWER {
                return Err(refused());
            }
            answer.push(stream.read_u8().await?);
        }
        let said = answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200");
        if said { Ok(()) } else { Err(refused()) }
    }
}

/// A user name or password as a URL has it.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                bytes = ahead;
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves(without: &str, url: &str) -> bool {
        Proxy::new("http://proxy.example:3128", without).unwrap().serves(&url.parse().unwrap())
    }

    #[test]
    fn a_proxy_is_for_tls_hosts_that_are_not_excepted() {
        for (without, url, expected) in [
            ("", "https://api.stripe.com/v1", true),
            ("", "http://api.stripe.com/v1", false),
            ("", "https://localhost/v1", false),
            ("", "https://127.0.0.1:8443/", false),
            ("*", "https://api.stripe.com/v1", false),
            ("stripe.com", "https://api.stripe.com/v1", false),
            (".stripe.com, other.example", "https://api.stripe.com/v1", false),
            ("API.stripe.com:443", "https://api.stripe.com/v1", false),
            ("api.stripe.com:444", "https://api.stripe.com/v1", true),
            ("ripe.com", "https://api.stripe.com/v1", true),
            ("10.0.0.1", "https://10.0.0.1/", false),
        ] {
            assert_eq!(serves(without, url), expected, "{without} {url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let proxy = Proxy::new("http://user:hunter2%40@proxy.example:3128", "").unwrap();
        assert!(!format!("{proxy:?}").contains("hunter2"));
        assert_eq!(proxy.authorization.unwrap().expose(), "Basic dXNlcjpodW50ZXIyQA==");
        for url in
            ["ftp://user:hunter2@proxy", "https://user:hunter2@proxy:1", "http://user:hunter2@proxy:x", "http://"]
        {
            let error = Proxy::new(url, "").unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(Proxy::new("proxy.example:3128", "").is_ok());
    }
}
