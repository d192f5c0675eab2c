//! The decision about one request: what the manifest declares ∩ what the operator grants, plus what the operator adds
//! beyond the manifest. Nothing granted means nothing allowed. No IO happens here.

use std::collections::BTreeSet;
use std::fmt;

use http::{Method, Uri};

use super::address::is_public;
use super::denial::{Denial, DenialReason, clipped};
use super::origin::{HostName, Origin, OriginError};
use crate::manifest::{Bearer, EgressDeclaration, SessionToken};

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
        let private = matches!(origin.host, HostName::Address(_)) || origin.host.is_this_machine();
        self.additional.push(Additional { origin, private });
        Ok(self)
    }

    /// Adds an origin as [`Grants::allow`] does; its name may resolve to a private address.
    pub fn allow_private(mut self, url: &str) -> Result<Self, OriginError> {
        self.additional.push(Additional { origin: url.parse()?, private: true });
        Ok(self)
    }
}

/// The methods that can be granted at all. `CONNECT` and `TRACE` mean something to a proxy on the way and bring back what
/// was sent, and what a server makes of an unknown one nobody knows.
pub const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A set of HTTP methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method of [`KNOWN`].
    Any,
    /// These.
    Only(BTreeSet<String>),
}

impl Methods {
    /// These methods; at least one, each of [`KNOWN`].
    pub fn only(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Err("must name at least one method".to_owned());
        }
        for name in names {
            if !KNOWN.contains(&name.as_str()) {
                return Err(format!("{name:?} cannot be granted; the methods are {}", KNOWN.join(", ")));
            }
        }
        Ok(Self::Only(names.iter().cloned().collect()))
    }

    fn contains(&self, method: &Method) -> bool {
        match self {
            Self::Any => KNOWN.contains(&method.as_str()),
            Self::Only(names) => names.contains(method.as_str()),
        }
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str(&KNOWN.join(", ")),
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
    /// Where credentials of sessions come from.
    sessions: Vec<SessionToken>,
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
    /// Whose credential its requests may carry. What the operator added stands in for all that the manifest declares, as
    /// a simulator or a proxy does, and takes what any of that takes.
    pub bearer: Bearer,
}

/// A request that may leave, and what it may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Where to, in its one spelling.
    pub origin: Origin,
    /// Whether the address may be a private one.
    pub private: bool,
    /// Whether the operator added the destination beyond the manifest.
    pub added: bool,
    /// Whether it may carry a credential of the connection's.
    pub connection: bool,
    /// Whether it may carry the credential of a session that was opened within the call.
    pub session: bool,
    /// Where its answer has such a credential, if it carries the connection's.
    pub opens: Option<SessionToken>,
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
            bearer: entry.bearer.clone(),
        });
        let from_operator = grants.additional.iter().map(|entry| Rule {
            origin: entry.origin.clone(),
            methods: Methods::Any,
            private: entry.private,
            additional: true,
            bearer: Bearer::Connection,
        });
        let session = |entry: &EgressDeclaration| match &entry.bearer {
            Bearer::Connection => None,
            Bearer::Session(token) => Some(token.clone()),
        };
        Self {
            rules: from_manifest.chain(from_operator).collect(),
            sessions: declared.iter().filter_map(session).collect(),
        }
    }

    /// The destinations that are allowed, the manifest's first.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Decides on a request.
    pub fn decide(&self, method: &Method, uri: &Uri) -> Result<Allowed, Box<Denial>> {
        let denial = |destination: &str, reason: DenialReason, allow_with: Option<String>| {
            Box::new(Denial::new(method.as_str(), destination, uri.path(), reason, allow_with))
        };
        let origin = Origin::of(uri)
            .map_err(|error| denial(&shown_host(uri), DenialReason::Url(clipped(&error.to_string())), None))?;
        let shown = origin.to_string();
        let refused = |reason: DenialReason| Err(denial(&shown, reason, Some(shown.clone())));
        let matching: Vec<&Rule> = self.rules.iter().filter(|rule| rule.origin == origin).collect();
        let Some(first) = matching.first() else {
            return refused(DenialReason::NotGranted);
        };
        if !matching.iter().any(|rule| rule.methods.contains(method)) {
            // No grant lets out what nobody knows.
            let allow_with = KNOWN.contains(&method.as_str()).then(|| shown.clone());
            return Err(denial(&shown, DenialReason::Method(first.methods.to_string()), allow_with));
        }
        let private = matching.iter().any(|rule| rule.private);
        if matches!(origin.host, HostName::Address(address) if !is_public(address) && !private) {
            return refused(DenialReason::PrivateAddress);
        }
        let added = matching.iter().any(|rule| rule.additional);
        let connection = matching.iter().any(|rule| rule.bearer == Bearer::Connection);
        let session = added || matching.iter().any(|rule| rule.bearer != Bearer::Connection);
        let opens = self.sessions.iter().find(|token| connection && token.path == uri.path()).cloned();
        Ok(Allowed { origin, private, added, connection, session, opens })
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
            bearer: Bearer::Connection,
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
            .map(|allowed| allowed.origin.to_string())
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
    fn only_an_origin_that_was_named_may_have_a_private_address() {
        let grants = Grants::default()
            .allow("http://localhost:12111")
            .unwrap()
            .allow("http://localhost.example:2375")
            .unwrap()
            .allow("http://a.example")
            .unwrap()
            .allow_private("http://b.example:80")
            .unwrap()
            .allow("http://b.example:81")
            .unwrap();
        let policy = policy(&grants);
        for (url, private) in [
            ("http://localhost:12111/", true),
            ("http://a.example/", false),
            ("http://b.example/", true),
            ("http://b.example:81/", false),
            ("https://api.stripe.com/", false),
        ] {
            assert_eq!(policy.decide(&Method::GET, &url.parse().unwrap()).unwrap().private, private, "{url}");
        }
        // A grant for one port of a machine opens no other: the Docker daemon's, say.
        for url in ["http://localhost:2375/", "http://localhost/", "https://localhost:12111/"] {
            assert_eq!(decide(&grants, "GET", url), Err(DenialReason::NotGranted), "{url}");
        }
    }

    #[test]
    fn a_method_that_nobody_knows_is_refused_everywhere() {
        let grants = Grants::default().allow("http://127.0.0.1:8080").unwrap();
        for method in ["CONNECT", "TRACE", "FOO", "PRI", "post", "PURGE"] {
            for url in ["https://api.stripe.com/", "http://127.0.0.1:8080/"] {
                assert!(matches!(decide(&grants, method, url), Err(DenialReason::Method(_))), "{method} {url}");
            }
        }
        for method in KNOWN {
            assert!(decide(&grants, method, "http://127.0.0.1:8080/").is_ok(), "{method}");
        }
    }

    #[test]
    fn a_session_has_its_own_destination() {
        let manifest = crate::Manifest::parse(include_str!("../../../../manifest.toml")).unwrap();
        let grants = Grants::default().allow("http://127.0.0.1:8080").unwrap();
        let policy = Policy::new(&manifest.egress, &grants);
        let allowed = |url: &str| {
            let allowed = policy.decide(&Method::POST, &url.parse().unwrap()).unwrap();
            (allowed.connection, allowed.session, allowed.opens.map(|token| token.field))
        };
        let token = || Some("authentication_token".to_owned());
        assert_eq!(allowed("https://api.stripe.com/v1/customers"), (true, false, None));
        assert_eq!(allowed("https://api.stripe.com/v2/billing/meter_event_session"), (true, false, token()));
        assert_eq!(allowed("https://meter-events.stripe.com/v2/billing/meter_event_session"), (false, true, None));
        assert_eq!(allowed("http://127.0.0.1:8080/v2/billing/meter_event_session"), (true, true, token()));
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
