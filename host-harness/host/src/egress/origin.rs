//! An origin: scheme, host and port, in one spelling. Rules and requests are both brought into this form, so that
//! comparing them is comparing values and no spelling slips through.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;
use thiserror::Error;

/// A scheme that a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the clear: only for a simulator or a proxy on the operator's own machine or network.
    Http,
    /// Encrypted, with a certificate checked against the public roots.
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host: an address, or a DNS name in lower case without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostName {
    /// An address written out.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(formatter, "{address}"),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

impl HostName {
    /// Whether it is this machine itself: a loopback address, or a name that means one by its very spelling (RFC 6761).
    pub(crate) fn is_this_machine(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: HostName,
    /// The port, also where the URL left it out.
    pub port: u16,
}

/// Why a URL is no origin that a rule or a request may have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// It has no scheme, or none that is allowed.
    #[error("{0:?} is not an http or https URL")]
    Scheme(String),
    /// It is not a URL.
    #[error("{0:?} is not a URL")]
    Form(String),
    /// It has a user name or password.
    #[error("a URL with a user name or password is not allowed")]
    UserInfo,
    /// A rule is an origin and says nothing of paths.
    #[error("{0:?} has a path or query; give scheme, host and port only")]
    Path(String),
    /// Letters outside of ASCII, or their `xn--` form: names that look alike.
    #[error("host {0:?} is an internationalised name, which can look like another; only plain ASCII names are allowed")]
    Internationalised(String),
    /// A spelling that resolvers disagree on.
    #[error("host {0:?} is not a plain DNS name or IP address")]
    Host(String),
    /// Port 0, or not a number.
    #[error("port of {0:?} is not between 1 and 65535")]
    Port(String),
}

impl Origin {
    /// The origin of a request's absolute URI.
    pub(crate) fn of(uri: &Uri) -> Result<Self, OriginError> {
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            other => return Err(OriginError::Scheme(other.unwrap_or_default().to_owned())),
        };
        let authority = uri.authority().ok_or_else(|| OriginError::Form(uri.path().to_owned()))?;
        Self::from_authority(scheme, authority.as_str())
    }

    fn from_authority(scheme: Scheme, authority: &str) -> Result<Self, OriginError> {
        if authority.contains('@') {
            return Err(OriginError::UserInfo);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or_else(|| OriginError::Host(authority.to_owned()))?;
                let address: Ipv6Addr = address.parse().map_err(|_| OriginError::Host(authority.to_owned()))?;
                // A mapped address is the IPv4 address: one spelling for both.
                let port = match port.strip_prefix(':') {
                    Some(port) => port,
                    None if port.is_empty() => port,
                    None => return Err(OriginError::Host(authority.to_owned())),
                };
                (HostName::Address(IpAddr::V6(address).to_canonical()), port)
            }
            None => {
                let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
                (host_name(host)?, port)
            }
        };
        let port = match port {
            "" if !authority.ends_with(':') => scheme.default_port(),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port != 0).ok_or_else(|| OriginError::Port(authority.to_owned()))?
            }
            _ => return Err(OriginError::Port(authority.to_owned())),
        };
        Ok(Self { scheme, host, port })
    }

    /// Whether nobody on the way can read what is sent there.
    pub(crate) fn is_confidential(&self) -> bool {
        self.scheme == Scheme::Https || self.host.is_this_machine()
    }

    /// Host and port as a request names them, without a port that goes without saying.
    pub(crate) fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn host_name(host: &str) -> Result<HostName, OriginError> {
    let wrong = || OriginError::Host(host.to_owned());
    if !host.is_ascii() {
        return Err(OriginError::Internationalised(host.to_owned()));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if name.is_empty() || name.len() > 253 {
        return Err(wrong());
    }
    if let Ok(address) = name.parse() {
        return Ok(HostName::Address(IpAddr::V4(address)));
    }
    for label in name.split('.') {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if label.is_empty() || label.len() > 63 || !plain || label.starts_with('-') || label.ends_with('-') {
            return Err(wrong());
        }
        if label.starts_with("xn--") {
            return Err(OriginError::Internationalised(host.to_owned()));
        }
    }
    // `127.1`, `2130706433` and `0x7f.1` are addresses to some resolvers (WHATWG URL: "ends in a number").
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(wrong());
    }
    Ok(HostName::Name(name))
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Reads an origin as a rule has it: `https://api.stripe.com`, `http://127.0.0.1:8080`. One trailing `/` is allowed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| OriginError::Scheme(text.to_owned()))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(OriginError::Scheme(text.to_owned())),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(OriginError::Path(text.to_owned()));
        }
        Self::from_authority(scheme, authority)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.name(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_one_value() {
        for (text, shown) in [
            ("https://api.stripe.com", "https://api.stripe.com"),
            ("https://api.stripe.com/", "https://api.stripe.com"),
            ("HTTPS://API.Stripe.com.", "https://api.stripe.com"),
            ("https://api.stripe.com:443", "https://api.stripe.com"),
            ("https://api.stripe.com.:443", "https://api.stripe.com"),
            ("http://api.stripe.com:443", "http://api.stripe.com:443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]:81", "http://[::1]:81"),
            ("http://[::ffff:127.0.0.1]:81", "http://127.0.0.1:81"),
            ("http://localhost:0080", "http://localhost"),
            ("http://under_score.example", "http://under_score.example"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_keep_a_secret() {
        for (text, keeps) in [
            ("https://api.stripe.com", true),
            ("https://10.0.0.1", true),
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]:1", true),
            ("http://[::ffff:127.0.0.1]:1", true),
            ("http://localhost:1", true),
            ("http://stripe.localhost", true),
            ("http://localhost.example", false),
            ("http://notlocalhost", false),
            ("http://10.0.0.1", false),
            ("http://api.stripe.com:443", false),
            ("http://0.0.0.0:1", false),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().is_confidential(), keeps, "{text}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "api.stripe.com",
            "ftp://a.example",
            "https://",
            "https:///",
            "https://.",
            "https://a..b",
            "https://-a.example",
            "https://a-.example",
            "https://user@a.example",
            "https://user:pass@a.example",
            "https://a.example/v1",
            "https://a.example?x",
            "https://a.example#x",
            "https://a.example\\@b.example",
            "https://*.example.com",
            "https://bücher.example",
            "https://xn--bcher-kva.example",
            "https://a.example:0",
            "https://a.example:65536",
            "https://a.example:",
            "https://a.example:8x",
            "https://a.example:+80",
            "http://127.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.1",
            "http://0x",
            "http://1.2.3.4.5",
            "http://01.02.03.04",
            "http://[::1",
            "http://[::1]x",
            "http://[::1]80",
            "http://[fe80::1%25eth0]",
            "http://::1",
            "http://a b",
            "http://a%2eb",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        let long = format!("http://{}.example", "a".repeat(64));
        assert!(long.parse::<Origin>().is_err());
    }
}
