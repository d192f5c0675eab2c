//! One endpoint as Stripe tells it, and the requests that read, make, change and remove endpoints: the webhook endpoints
//! of v1 for whole events, and the event destinations of v2 for thin ones.

use serde_json::{Map, Value, json};

use super::labels::Labels;
use super::types::EventTypes;
use crate::catalogue::{Encoding, Method};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::Node;
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call, Expected, Payload};
use crate::stripe::form;
use crate::stripe::namespace::Namespace;
use crate::triggers::directory;
use crate::triggers::fingerprint::fingerprint;
use crate::triggers::moment;

/// What an endpoint delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole events: it is a webhook endpoint.
    Snapshot,
    /// Thin ones: it is an event destination.
    Thin,
}

impl Kind {
    /// Both, the usual first.
    pub const ALL: [Self; 2] = [Self::Snapshot, Self::Thin];

    fn path(self) -> &'static str {
        match self {
            Self::Snapshot => "/v1/webhook_endpoints",
            Self::Thin => "/v2/core/event_destinations",
        }
    }

    /// The path of one of them.
    fn template(self) -> &'static str {
        match self {
            Self::Snapshot => "/v1/webhook_endpoints/{webhook_endpoint}",
            Self::Thin => "/v2/core/event_destinations/{id}",
        }
    }

    /// What the service calls one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Snapshot => "webhook endpoint",
            Self::Thin => "event destination",
        }
    }

    /// The same as resources are called.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Snapshot => "webhook_endpoint",
            Self::Thin => "event_destination",
        }
    }

    /// For how many seconds Stripe keeps the answer that told a secret.
    pub fn answers_kept(self) -> u64 {
        Namespace::of(self.path()).keeps_keys_for()
    }
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Where it delivers.
    pub url: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Whether it delivers at all.
    pub enabled: bool,
    /// The version that its events are written in.
    pub api_version: Option<String>,
    /// What it delivers.
    pub types: EventTypes,
    /// What we have written on it.
    pub labels: Labels,
}

const NAME: &str = "Automation platform";
/// What v2 leaves out of its answers unless it is asked for.
const URL: &str = "webhook_endpoint.url";
const SECRET: &str = "webhook_endpoint.signing_secret";
const DESCRIPTION: &str = "Made by the Stripe connector of your automation platform";
/// Stripe's largest page; an account has at most 16 endpoints.
const PAGE: u32 = 100;
const MOST_PAGES: u32 = 5;

impl Endpoint {
    /// Reads an endpoint. A destination of whole events, or one in somebody's cloud, is none of ours.
    pub fn read(kind: Kind, node: Node<'_, '_>) -> Option<Self> {
        let text = |name| node.at(name).and_then(Node::as_str).map(String::from);
        let is_thin = node.get("event_payload").is_some_and(|payload| payload.str_eq("thin"));
        let (url, created) = match kind {
            Kind::Snapshot => (text("url")?, node.get("created")?.as_u64()?),
            Kind::Thin if is_thin => (text(URL)?, moment::iso(&node.get("created")?.as_str()?)?),
            Kind::Thin => return None,
        };
        Some(Self {
            id: text("id").filter(|id| is_id(id))?,
            url,
            created,
            enabled: node.get("status").is_none_or(|s| s.str_eq("enabled")),
            api_version: text("api_version"),
            types: node.get("enabled_events")?.items().filter_map(|t| t.as_str().map(String::from)).collect(),
            labels: Labels::read(node.get("metadata")),
        })
    }

    /// Whether it delivers to this address. Stripe may write an address a little differently than it was given.
    pub fn delivers_to(&self, url: &str) -> bool {
        self.url == url || plain(&self.url) == plain(url)
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// An address with scheme and host in lower case, without the port that goes without saying, and with a path.
fn plain(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let port = if scheme == "https" { ":443" } else { ":80" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{}{slash}{path}", host.strip_suffix(port).unwrap_or(&host))
}

/// An endpoint that was just made, or made by the same request before.
pub struct Made {
    /// The endpoint as it was when it was made.
    pub endpoint: Endpoint,
    /// What its deliveries are signed with.
    pub secret: String,
    /// The answer that told it.
    pub answer: Answer,
}

/// How an endpoint is made: all that its request consists of, so that the very same can be sent again.
#[derive(Debug, Clone)]
pub struct Recipe<'a> {
    /// Where it delivers.
    pub url: &'a str,
    /// The version that its events are written in.
    pub api_version: &'a str,
    /// The request's idempotency key.
    pub key: &'a str,
    /// What it delivers at first.
    pub types: &'a EventTypes,
}

/// Every endpoint of the account, newest first, and the last answer.
///
/// # Errors
/// Stripe's refusal; no answer; more endpoints than an account can have.
pub fn list(session: &Session<'_>, kind: Kind) -> Result<(Vec<Endpoint>, Answer)> {
    let mut found: Vec<Endpoint> = Vec::new();
    let first = match kind {
        Kind::Snapshot => format!("limit={PAGE}"),
        Kind::Thin => format!("limit={PAGE}&include[0]={URL}"),
    };
    let mut query = first.clone();
    for _ in 0..MOST_PAGES {
        let mut call = Call::read(kind.path(), query.as_str());
        if kind == Kind::Thin {
            call.expected = Expected::Page;
        }
        let answer = session.client().send(&call)?;
        let page = answer.body.root();
        let read = |one| Endpoint::read(kind, one);
        found.extend(page.get("data").into_iter().flat_map(Node::items).filter_map(read));
        if kind == Kind::Thin {
            let next = page.get("next_page_url").and_then(Node::as_str);
            let token = next.as_deref().and_then(|url| url.split(['?', '&']).find(|part| part.starts_with("page=")));
            match token {
                Some(token) => query = [&first, "&", token].concat(),
                None => return Ok((found, answer)),
            }
            continue;
        }
        let last = page.get("data").and_then(|d| d.items().last()?.get("id")?.as_str());
        let more = page.get("has_more").and_then(Node::as_bool) == Some(true);
        match last.filter(|id| more && is_id(id)) {
            Some(last) => query = format!("{first}&starting_after={last}"),
            None => return Ok((found, answer)),
        }
    }
    let mut error = Error::new(ErrorKind::Service, "the account has more webhook endpoints than Stripe allows");
    error.outcome = Outcome::Rejected;
    Err(error.hint("Check the API address: this does not look like Stripe's answer."))
}

/// Sends the request that makes an endpoint, or sends it again.
///
/// # Errors
/// Stripe's refusal; no answer; an answer that is no endpoint with a secret.
pub fn make(session: &Session<'_>, kind: Kind, recipe: &Recipe<'_>) -> Result<Made> {
    let mut parameters = Map::new();
    match kind {
        Kind::Snapshot => {
            parameters.insert("url".into(), json!(recipe.url));
            // Without it, events come in the account's default version.
            parameters.insert("api_version".into(), json!(recipe.api_version));
        }
        Kind::Thin => {
            parameters.insert("name".into(), json!(NAME));
            parameters.insert("type".into(), json!("webhook_endpoint"));
            parameters.insert("event_payload".into(), json!("thin"));
            parameters.insert("webhook_endpoint".into(), json!({"url": recipe.url}));
            parameters.insert("include".into(), json!([SECRET, URL]));
        }
    }
    parameters.insert("enabled_events".into(), recipe.types.iter().collect());
    parameters.insert("description".into(), json!(DESCRIPTION));
    let metadata: Map<String, Value> = Labels::of_new(recipe.key, recipe.types)
        .entries()
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    parameters.insert("metadata".into(), metadata.into());
    let answer = post(session, kind, kind.path().to_owned(), &parameters, recipe.key.to_owned())?;
    let root = answer.body.root();
    let secret = root.at(if kind == Kind::Thin { SECRET } else { "secret" });
    let secret = secret.and_then(Node::as_str).map(String::from);
    match (Endpoint::read(kind, root), secret) {
        (Some(endpoint), Some(secret)) => Ok(Made { endpoint, secret, answer }),
        _ => {
            let mut error = Error::new(
                ErrorKind::Service,
                ["Stripe made a ", kind.noun(), " and did not tell its secret"].concat(),
            );
            error.outcome = Outcome::Committed;
            error.request_id.clone_from(&answer.request_id);
            Err(error.hint("Delete the endpoint at https://dashboard.stripe.com/webhooks, and subscribe again."))
        }
    }
}

/// The key of the n-th attempt of this call to make an endpoint.
///
/// # Errors
/// A key of the caller's own that cannot go into a header.
pub fn key_of_making(session: &Session<'_>, kind: Kind, number: u32) -> Result<String> {
    session.idempotency_key(Method::Post, kind.path(), number).map(Option::unwrap_or_default)
}

/// The API version that new endpoints get.
pub fn own_version() -> &'static str {
    directory::api_version()
}

/// What to change about an endpoint.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What it shall deliver.
    pub types: Option<EventTypes>,
    /// Metadata; an empty value removes the name.
    pub metadata: Vec<(String, String)>,
    /// Whether to switch it on.
    pub enable: bool,
    /// Where it shall deliver.
    pub url: Option<String>,
}

impl Change {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Changes an endpoint. `round` counts the attempts of this call: a later one with the same change is another request,
/// and not a repetition of the one before.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn change(session: &Session<'_>, kind: Kind, id: &str, change: &Change, round: u32) -> Result<Answer> {
    let mut parameters = Map::new();
    if let Some(types) = &change.types {
        parameters.insert("enabled_events".into(), types.iter().collect());
    }
    if !change.metadata.is_empty() {
        let entries: Map<String, Value> =
            change.metadata.iter().map(|(name, value)| (name.clone(), metadata_value(kind, value))).collect();
        parameters.insert("metadata".into(), entries.into());
    }
    let key = |content: &str| {
        let content = fingerprint(&format!("{round} {id} {content}"));
        // Part 0 would be the caller's own key, which a call with one request has for itself.
        let part = (content as u32).max(1);
        session.idempotency_key(Method::Post, kind.template(), part).map(Option::unwrap_or_default)
    };
    match kind {
        Kind::Snapshot => {
            if change.enable {
                parameters.insert("disabled".into(), json!(false));
            }
            if let Some(url) = &change.url {
                parameters.insert("url".into(), json!(url));
            }
        }
        Kind::Thin => {
            if change.enable {
                let enabled = post(session, kind, path(kind, id) + "/enable", &Map::new(), key("enable")?)?;
                if parameters.is_empty() && change.url.is_none() {
                    return Ok(enabled);
                }
            }
            if let Some(url) = &change.url {
                parameters.insert("webhook_endpoint".into(), json!({"url": url}));
            }
            parameters.insert("include".into(), json!([URL]));
        }
    }
    let key = key(&form::encode(&parameters))?;
    post(session, kind, path(kind, id), &parameters, key)
}

/// What is sent for a value of metadata; an empty one removes the name.
fn metadata_value(kind: Kind, value: &str) -> Value {
    if kind == Kind::Thin && value.is_empty() { Value::Null } else { value.into() }
}

/// Removes an endpoint; none where it is gone already.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn remove(session: &Session<'_>, kind: Kind, id: &str) -> Result<Option<Answer>> {
    let part = (fingerprint(id) as u32).max(1);
    let key = session.idempotency_key(Method::Delete, kind.template(), part)?;
    let call = Call::write(Method::Delete, path(kind, id), Payload::Query(String::new()), key);
    match session.client().send(&call) {
        Ok(answer) => Ok(Some(answer)),
        // Removed by somebody else, or by a request before whose answer was lost.
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error says that the endpoint does not exist.
pub fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
}

fn path(kind: Kind, id: &str) -> String {
    [kind.path(), "/", &form::escape(id)].concat()
}

fn post(
    session: &Session<'_>,
    kind: Kind,
    path: String,
    parameters: &Map<String, Value>,
    key: String,
) -> Result<Answer> {
    let encoding = if kind == Kind::Thin { Encoding::Json } else { Encoding::Form };
    let payload = Payload::new(Method::Post, encoding, parameters);
    session.client().send(&Call::write(Method::Post, path, payload, Some(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    #[test]
    fn one_address_may_be_written_in_several_ways() {
        let doc = Doc::scan_str(r#"{"id":"we_1","url":"https://example.com/","created":1,"enabled_events":["*"]}"#);
        let mut endpoint = Endpoint::read(Kind::Snapshot, doc.expect("JSON").root()).expect("an endpoint");
        for (given, same) in [
            ("https://example.com", true),
            ("HTTPS://Example.com:443/", true),
            ("https://example.com/?", false),
            ("https://example.com/a", false),
            ("http://example.com/", false),
            ("https://example.com:8443/", false),
        ] {
            assert_eq!(endpoint.delivers_to(given), same, "{given}");
        }
        endpoint.url = "https://example.com/Hook?a=B".into();
        assert!(!endpoint.delivers_to("https://example.com/hook?a=B"), "paths have case");
    }
}
