//! The decision about one request: what the manifest declares ∩ what the operator grants, plus what the operator adds
//! beyond the manifest. Nothing granted means nothing allowed. No IO happens here.

use std::collections::BTreeSet;
use std::fmt;

use http::{Method, Uri};
use serde::Serialize;

use super::address::is_public;
use super::origin::{HostName, Origin, OriginError};
use crate::manifest::EgressDeclaration;

/// The operator's side of the policy.
///
/// The default grants what the manifest declares and nothing else. [`Grants::only`] narrows that; [`Grants::allow`]
/// adds a destination that the manifest does not declare, which is how a connection is pointed at a simulator.
///
/// ```
/// use host::Grants;
///
/// let production = Grants::default();
/// let simulator = Grants::default().allow("http://127.0.0.1:12111")?;
/// let nothing = Grants::nothing();
/// # Ok::<(), host::OriginError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// `None`: all that the manifest declares.
    declared: Option<Vec<Origin>>,
    additional: Vec<Additional>,
}

#[derive(Clone, Debug)]
struct Additional {
    origin: Origin,
    private: bool,
}

impl Grants {
    /// No request at all may leave.
    #[must_use]
    pub fn nothing() -> Self {
        Self { declared: Some(Vec::new()), additional: Vec::new() }
    }

    /// Of what the manifest declares, only these origins. An origin that the manifest does not declare stays refused.
    pub fn only<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self, OriginError> {
        let declared = urls.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { declared: Some(declared), additional: Vec::new() })
    }

    /// Adds an origin with every method, whether or not the manifest declares it.
    ///
    /// An address that is written out, and `localhost`, may be a private one: it was named. A name may not resolve to a
    /// private address; see [`Grants::allow_private`].
    pub fn allow(mut self, url: &str) -> Result<Self, OriginError> {
        let origin: Origin = url.parse()?;
        let private = match &origin.host {
            HostName::Address(_) => true,
            HostName::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        };
        self.additional.push(Additional { origin, private });
        Ok(self)
    }

    /// Adds an origin as [`Grants::allow`] does; its name may resolve to a private address.
    pub fn allow_private(mut self, url: &str) -> Result<Self, OriginError> {
        self.additional.push(Additional { origin: url.parse()?, private: true });
        Ok(self)
    }
}

/// A set of HTTP methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These.
    Only(BTreeSet<String>),
}

impl Methods {
    /// These methods; at least one, each in upper case.
    pub fn only(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Err("must name at least one method".to_owned());
        }
        for name in names {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("{name:?} is not a method in upper case"));
            }
        }
        Ok(Self::Only(names.iter().cloned().collect()))
    }

    fn contains(&self, method: &Method) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.contains(method.as_str()),
        }
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any method"),
            Self::Only(names) => {
                for (index, name) in names.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{name}")?;
                }
                Ok(())
            }
        }
    }
}

/// What a connector may reach: the manifest and the grants, put together.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// One destination that is allowed.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Scheme, host and port.
    pub origin: Origin,
    /// With these methods.
    pub methods: Methods,
    /// Whether the address may be a private one.
    pub private: bool,
    /// Whether the operator added it beyond the manifest.
    pub additional: bool,
}

/// A request that was not let out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// The method.
    pub method: String,
    /// Scheme, host and port, or what stood in their place.
    pub destination: String,
    /// The path, without its query.
    pub path: String,
    /// Why.
    pub reason: DenialReason,
    /// The origin that an operator would have to grant ([`Grants::allow`], or [`Grants::allow_private`] for a name with
    /// a private address). Absent where no grant allows it.
    pub allow_with: Option<String>,
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} was not let out: {}", self.method, self.destination, self.reason)?;
        match &self.allow_with {
            Some(origin) => write!(formatter, "; granting {origin} would allow it"),
            None => Ok(()),
        }
    }
}

/// Why a request was not let out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DenialReason {
    /// Neither the manifest nor the operator names the destination, or the operator narrowed it away.
    NotGranted,
    /// The destination is granted, with other methods.
    Method(String),
    /// The address is loopback, private, link-local or reserved.
    PrivateAddress,
    /// The URL is not one that can be decided on.
    Url(String),
    /// One call made too many requests.
    TooMany(usize),
}

impl fmt::Display for DenialReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted => formatter.write_str("the destination is not granted"),
            Self::Method(methods) => write!(formatter, "only {methods} is granted there"),
            Self::PrivateAddress => formatter.write_str("its address is private"),
            Self::Url(reason) => formatter.write_str(reason),
            Self::TooMany(most) => write!(formatter, "a call may make {most} requests"),
        }
    }
}

impl Policy {
    /// Puts both sides together.
    #[must_use]
    pub fn new(declared: &[EgressDeclaration], grants: &Grants) -> Self {
        let granted = |origin: &Origin| grants.declared.as_ref().is_none_or(|origins| origins.contains(origin));
        let from_manifest = declared.iter().filter(|entry| granted(&entry.origin)).map(|entry| Rule {
            origin: entry.origin.clone(),
            methods: entry.methods.clone(),
            private: false,
            additional: false,
        });
        let from_operator = grants.additional.iter().map(|entry| Rule {
            origin: entry.origin.clone(),
            methods: Methods::Any,
            private: entry.private,
            additional: true,
        });
        Self { rules: from_manifest.chain(from_operator).collect() }
    }

    /// The destinations that are allowed, the manifest's first.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Decides on a request. The origin that comes back is the one to send it to, in its one spelling.
    pub fn decide(&self, method: &Method, uri: &Uri) -> Result<Origin, Box<Denial>> {
        let denial = |destination: String, reason: DenialReason, allow_with: Option<String>| {
            let (method, path) = (method.to_string(), uri.path().to_owned());
            Box::new(Denial { method, destination, path, reason, allow_with })
        };
        let origin =
            Origin::of(uri).map_err(|error| denial(shown_host(uri), DenialReason::Url(error.to_string()), None))?;
        let matching: Vec<&Rule> = self.rules.iter().filter(|rule| rule.origin == origin).collect();
        let grant = || Some(origin.to_string());
        let Some(first) = matching.first() else {
            return Err(denial(origin.to_string(), DenialReason::NotGranted, grant()));
        };
        if !matching.iter().any(|rule| rule.methods.contains(method)) {
            return Err(denial(origin.to_string(), DenialReason::Method(first.methods.to_string()), grant()));
        }
        match origin.host {
            HostName::Address(address) if !is_public(address) && !self.allows_private(&origin.host) => {
                Err(denial(origin.to_string(), DenialReason::PrivateAddress, grant()))
            }
            _ => Ok(origin),
        }
    }

    /// Whether this host may have a private address.
    pub(crate) fn allows_private(&self, host: &HostName) -> bool {
        self.rules.iter().any(|rule| rule.private && rule.origin.host == *host)
    }
}

/// What can be shown of a URL that is no origin: never its user name or password.
fn shown_host(uri: &Uri) -> String {
    format!("{}://{}", uri.scheme_str().unwrap_or("?"), uri.host().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(grants: &Grants) -> Policy {
        let declare = |url: &str, methods: &[&str]| EgressDeclaration {
            origin: url.parse().unwrap(),
            methods: Methods::only(&methods.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap(),
        };
        Policy::new(
            &[
                declare("https://api.stripe.com", &["GET", "POST"]),
                declare("https://files.stripe.com", &["POST"]),
                declare("http://10.0.0.1", &["GET"]),
            ],
            grants,
        )
    }

    fn decide(grants: &Grants, method: &str, url: &str) -> Result<String, DenialReason> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        policy(grants)
            .decide(&method, &url.parse().unwrap())
            .map(|origin| origin.to_string())
            .map_err(|denial| denial.reason)
    }

    #[test]
    fn the_default_is_what_the_manifest_declares() {
        let grants = Grants::default();
        for (method, url) in [
            ("GET", "https://api.stripe.com/v1/balance"),
            ("POST", "https://api.stripe.com/v1/customers?expand=x"),
            ("GET", "https://API.STRIPE.COM/v1"),
            ("GET", "https://api.stripe.com./v1"),
            ("GET", "https://api.stripe.com:443/v1"),
        ] {
            assert_eq!(decide(&grants, method, url), Ok("https://api.stripe.com".to_owned()), "{url}");
        }
        for url in [
            "http://api.stripe.com/v1",
            "https://api.stripe.com:444/v1",
            "https://api.stripe.com.evil.example/v1",
            "https://evil-api.stripe.com/v1",
            "https://stripe.com/v1",
            "http://127.0.0.1/",
            "http://localhost/",
        ] {
            assert_eq!(decide(&grants, "GET", url), Err(DenialReason::NotGranted), "{url}");
        }
    }

    #[test]
    fn methods_are_part_of_a_rule() {
        assert_eq!(
            decide(&Grants::default(), "DELETE", "https://api.stripe.com/"),
            Err(DenialReason::Method("GET, POST".to_owned()))
        );
        assert_eq!(
            decide(&Grants::default(), "get", "https://api.stripe.com/"),
            Err(DenialReason::Method("GET, POST".to_owned()))
        );
        assert_eq!(
            decide(&Grants::default(), "GET", "https://files.stripe.com/"),
            Err(DenialReason::Method("POST".to_owned()))
        );
    }

    #[test]
    fn strange_spellings_are_refused_even_where_the_host_is_granted() {
        for url in [
            "https://api.stripe.com@evil.example/",
            "https://user:pass@api.stripe.com/",
            "https://xn--strpe-1ta.com/",
            "http://2130706433/",
            "http://127.1/",
            "https://api.stripe.com:0/",
        ] {
            assert!(matches!(decide(&Grants::default(), "GET", url), Err(DenialReason::Url(_))), "{url}");
        }
    }

    #[test]
    fn a_denial_never_shows_a_password() {
        let denial = policy(&Grants::default())
            .decide(&Method::GET, &"https://user:hunter2@api.stripe.com/a?b=c".parse().unwrap())
            .unwrap_err();
        assert!(!format!("{denial} {denial:?}").contains("hunter2"));
        assert_eq!(denial.path, "/a");
    }

    #[test]
    fn the_operator_narrows() {
        let grants = Grants::only(["https://api.stripe.com", "https://other.example"]).unwrap();
        assert!(decide(&grants, "GET", "https://api.stripe.com/").is_ok());
        assert_eq!(decide(&grants, "POST", "https://files.stripe.com/"), Err(DenialReason::NotGranted));
        assert_eq!(
            decide(&grants, "GET", "https://other.example/"),
            Err(DenialReason::NotGranted),
            "an intersection adds nothing"
        );
        assert_eq!(decide(&Grants::nothing(), "GET", "https://api.stripe.com/"), Err(DenialReason::NotGranted));
    }

    #[test]
    fn the_operator_adds() {
        let grants = Grants::default().allow("http://127.0.0.1:8080").unwrap().allow("http://[::1]:8080").unwrap();
        assert!(decide(&grants, "PATCH", "http://127.0.0.1:8080/v1").is_ok());
        assert!(decide(&grants, "GET", "http://[::1]:8080/v1").is_ok());
        assert_eq!(decide(&grants, "GET", "http://127.0.0.1:8081/v1"), Err(DenialReason::NotGranted));
        assert_eq!(decide(&grants, "GET", "https://127.0.0.1:8080/v1"), Err(DenialReason::NotGranted));
        assert_eq!(
            decide(&Grants::nothing().allow("http://127.0.0.1:1").unwrap(), "GET", "http://127.0.0.1:1/"),
            Ok("http://127.0.0.1:1".to_owned())
        );
    }

    #[test]
    fn a_private_address_needs_the_operator_even_when_the_manifest_declares_it() {
        assert_eq!(decide(&Grants::default(), "GET", "http://10.0.0.1/"), Err(DenialReason::PrivateAddress));
        assert!(decide(&Grants::default().allow("http://10.0.0.1").unwrap(), "GET", "http://10.0.0.1/").is_ok());
    }

    #[test]
    fn only_a_host_that_was_named_may_resolve_to_a_private_address() {
        let name = |name: &str| HostName::Name(name.to_owned());
        let grants = Grants::default()
            .allow("http://localhost:1")
            .unwrap()
            .allow("http://a.example")
            .unwrap()
            .allow_private("http://b.example")
            .unwrap();
        let policy = policy(&grants);
        assert!(policy.allows_private(&name("localhost")));
        assert!(!policy.allows_private(&name("a.example")));
        assert!(policy.allows_private(&name("b.example")));
        assert!(!policy.allows_private(&name("api.stripe.com")));
    }

    #[test]
    fn a_denial_says_what_would_allow_it() {
        let denial = policy(&Grants::default())
            .decide(&Method::POST, &"http://localhost:12111/v1/customers".parse().unwrap())
            .unwrap_err();
        assert_eq!(
            denial.to_string(),
            "POST http://localhost:12111 was not let out: the destination is not granted; granting http://localhost:12111 would allow it"
        );
    }
}
