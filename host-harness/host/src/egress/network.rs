//! How a host reaches the network: whom it trusts, through which proxy, and how long it keeps connections. The operator's
//! choice, and never a connector's.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use super::proxy::Proxy;

/// See the module. The default trusts the public roots that are built in, uses no proxy and looks at no variable.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// A PEM file with roots that are trusted besides the built-in ones: a company's own, or a proxy's, or all those of a
    /// system, which keeps them in such a file (`/etc/ssl/certs/ca-certificates.crt`, `/etc/ssl/cert.pem`). A system's are
    /// never trusted unasked: whoever may add one could read what is sent, keys included.
    pub roots: Option<PathBuf>,
    /// The proxy for TLS destinations.
    pub proxy: Option<Proxy>,
    /// A connection is kept this long without use. Load balancers close idle ones after 60 s and more; well below that,
    /// few requests meet a connection that the other side is just closing.
    pub idle: Duration,
    /// So many idle connections are kept for one origin, enough for a burst of calls that come back at once.
    pub idle_connections: usize,
    /// Whether to speak HTTP/2 to TLS hosts that do. All calls then share one connection to a host, and wait for each
    /// other once the host's own limit of requests on it is reached, often a hundred: saves handshakes where few calls run
    /// at once, and slows where many do. The HTTP client underneath opens no second one to the same host, so it is off.
    pub http2: bool,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { roots: None, proxy: None, idle: Duration::from_secs(20), idle_connections: 256, http2: false }
    }
}

/// Why the network cannot be set up.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A file of roots that cannot be used.
    #[error("the roots in {} cannot be used: {reason}", .file.display())]
    Roots {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A proxy that cannot be used.
    #[error("the proxy in {variable} cannot be used: {reason}")]
    Proxy {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS itself.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl NetworkConfig {
    /// As the environment says it: `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`, also in lower case.
    pub fn from_environment() -> Result<Self, NetworkError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, NetworkError> {
        let find = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some((name, lookup(name).filter(|value| !value.trim().is_empty())?)))
        };
        let without = find(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        let proxy = find(["HTTPS_PROXY", "https_proxy"])
            .map(|(variable, url)| {
                Proxy::new(&url, &without).map_err(|reason| NetworkError::Proxy { variable, reason })
            })
            .transpose()?;
        let roots = lookup("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
        Ok(Self { roots, proxy, ..Self::default() })
    }

    /// TLS with these roots, for an embedder's own requests as well.
    ///
    /// # Errors
    /// Roots that cannot be used.
    pub fn tls(&self) -> Result<ClientConfig, NetworkError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(file) = &self.roots {
            add(&mut roots, file).map_err(|reason| NetworkError::Roots { file: file.clone(), reason })?;
        }
        let provider = rustls::crypto::ring::default_provider();
        let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Adds what a file has. One root that cannot be read is passed over, as every system's own bundle has some.
fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let found: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| error.to_string())?;
    match roots.add_parsable_certificates(found) {
        (0, _) => Err("it has no certificate in PEM form".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_whom_to_trust_and_whom_to_go_through() {
        let lookup = |name: &str| match name {
            "SSL_CERT_FILE" => Some("/etc/roots.pem".to_owned()),
            "https_proxy" => Some("http://proxy.example:3128".to_owned()),
            "NO_PROXY" => Some("stripe.com".to_owned()),
            _ => None,
        };
        let config = NetworkConfig::from_lookup(lookup).unwrap();
        assert_eq!(config.roots.as_deref(), Some(Path::new("/etc/roots.pem")));
        assert!(!config.proxy.unwrap().serves(&"https://api.stripe.com".parse().unwrap()));
        let none = NetworkConfig::from_lookup(|_| Some(String::new())).unwrap();
        assert!(none.roots.is_none() && none.proxy.is_none());
        let wrong = NetworkConfig::from_lookup(|name| (name == "HTTPS_PROXY").then(|| "ftp://user:pass@a".to_owned()));
        let text = wrong.unwrap_err().to_string();
        assert!(text.contains("HTTPS_PROXY") && !text.contains("pass"), "{text}");
    }

    #[test]
    fn a_file_without_roots_is_refused_by_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), PathBuf::from("/nonexistent/roots.pem")] {
            let config = NetworkConfig { roots: Some(path.clone()), ..NetworkConfig::default() };
            let text = config.tls().unwrap_err().to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
        }
    }
}
