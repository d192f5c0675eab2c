//! Where events may be forwarded to.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

use crate::cli::failure::Failure;

/// A URL that events are posted to. Shown without its path and query, which are a secret where whoever knows them may post.
#[derive(Clone)]
pub struct Target {
    uri: Uri,
    shown: String,
}

impl Target {
    /// Checks a URL. Events hold what a customer has told a shop, so they leave this machine encrypted; `plain` allows
    /// them to leave it as they are, for a network that is nobody else's.
    pub fn new(text: &str, plain: bool) -> Result<Self, Failure> {
        // No message repeats the URL: a part of it may be a password.
        let wrong = |reason: &str| Failure::usage(format!("the URL to forward to {reason}"));
        let url = Url::parse(text.trim()).map_err(|error| wrong(&format!("is none: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                wrong("has a password in it").hint("Give it as a header, with --forward-authorization VARIABLE.")
            );
        }
        let local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => return Err(wrong("has no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if local || plain => {}
            "http" => {
                return Err(wrong("is not encrypted and leaves this machine")
                    .hint("Use https://, or allow it for a network of your own with --forward-unencrypted."));
            }
            _ => return Err(wrong("must begin with https:// or http://")),
        }
        let origin = url.origin().ascii_serialization();
        let shown = if url.path() == "/" { origin } else { format!("{origin}/…") };
        let mut without = url;
        without.set_fragment(None);
        let uri = without.as_str().parse().map_err(|_| wrong("cannot be used"))?;
        Ok(Self { uri, shown })
    }

    pub fn uri(&self) -> Uri {
        self.uri.clone()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, plain: bool) -> String {
        Target::new(text, plain).err().unwrap_or_else(|| panic!("{text} was taken")).to_string()
    }

    #[test]
    fn encrypted_or_on_this_machine() {
        for url in ["https://example.com/hook", "http://127.0.0.1:3000/a", "http://[::1]:1/", "http://localhost/a"] {
            assert!(Target::new(url, false).is_ok(), "{url}");
        }
        for url in ["http://example.com/hook", "http://10.0.0.7/hook", "http://localhost.example.com/"] {
            assert!(refused(url, false).contains("not encrypted"), "{url}");
            assert!(Target::new(url, true).is_ok(), "{url}");
        }
        for url in ["ftp://example.com", "file:///etc/passwd", "example.com", "", "unix:/a"] {
            refused(url, true);
        }
    }

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        let shown =
            Target::new("https://example.com/hook?token=secret#secret", false).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(shown.to_string(), "https://example.com/…");
        assert_eq!(shown.uri().to_string(), "https://example.com/hook?token=secret");
        assert!(!refused("https://user:secret@example.com/", true).contains("secret"));
    }
}
