//! One webhook endpoint as Stripe tells it, and the requests that read, make, change and remove endpoints.

use serde_json::{Map, Value, json};

use super::labels::Labels;
use super::types::EventTypes;
use crate::catalogue::Method;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::Node;
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call, Payload};
use crate::stripe::form;
use crate::triggers::directory;
use crate::triggers::fingerprint::fingerprint;

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

const PATH: &str = "/v1/webhook_endpoints";
const ONE: &str = "/v1/webhook_endpoints/{webhook_endpoint}";
const DESCRIPTION: &str = "Made by the Stripe connector of your automation platform";
/// Stripe's largest page; an account has at most 16 endpoints.
const PAGE: u32 = 100;
const MOST_PAGES: u32 = 5;

impl Endpoint {
    /// Reads an endpoint.
    pub fn read(node: Node<'_, '_>) -> Option<Self> {
        let text = |name| node.get(name).and_then(Node::as_str).map(String::from);
        Some(Self {
            id: text("id").filter(|id| is_id(id))?,
            url: text("url")?,
            created: node.get("created").and_then(Node::as_u64)?,
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
pub fn list(session: &Session<'_>) -> Result<(Vec<Endpoint>, Answer)> {
    let mut found: Vec<Endpoint> = Vec::new();
    let mut query = format!("limit={PAGE}");
    for _ in 0..MOST_PAGES {
        let answer = session.client().send(&Call::read(PATH, query.as_str()))?;
        let page = answer.body.root();
        found.extend(page.get("data").into_iter().flat_map(Node::items).filter_map(Endpoint::read));
        let last = page.get("data").and_then(|d| d.items().last()?.get("id")?.as_str());
        let more = page.get("has_more").and_then(Node::as_bool) == Some(true);
        match last.filter(|id| more && is_id(id)) {
            Some(last) => query = format!("limit={PAGE}&starting_after={last}"),
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
pub fn make(session: &Session<'_>, recipe: &Recipe<'_>) -> Result<Made> {
    let mut parameters = Map::new();
    parameters.insert("url".into(), json!(recipe.url));
    parameters.insert("enabled_events".into(), recipe.types.iter().collect());
    // Without it, events come in the account's default version.
    parameters.insert("api_version".into(), json!(recipe.api_version));
    parameters.insert("description".into(), json!(DESCRIPTION));
    let metadata: Map<String, Value> = Labels::of_new(recipe.key, recipe.types)
        .entries()
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    parameters.insert("metadata".into(), metadata.into());
    let answer = post(session, PATH.to_owned(), &parameters, recipe.key.to_owned())?;
    let root = answer.body.root();
    let secret = root.get("secret").and_then(Node::as_str).map(String::from);
    match (Endpoint::read(root), secret) {
        (Some(endpoint), Some(secret)) => Ok(Made { endpoint, secret, answer }),
        _ => {
            let mut error =
                Error::new(ErrorKind::Service, "Stripe made a webhook endpoint and did not tell its secret");
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
pub fn key_of_making(session: &Session<'_>, number: u32) -> Result<String> {
    session.idempotency_key(Method::Post, PATH, number).map(Option::unwrap_or_default)
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
pub fn change(session: &Session<'_>, id: &str, change: &Change, round: u32) -> Result<Answer> {
    let mut parameters = Map::new();
    if let Some(types) = &change.types {
        parameters.insert("enabled_events".into(), types.iter().collect());
    }
    if !change.metadata.is_empty() {
        let entries: Map<String, Value> =
            change.metadata.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        parameters.insert("metadata".into(), entries.into());
    }
    if change.enable {
        parameters.insert("disabled".into(), json!(false));
    }
    if let Some(url) = &change.url {
        parameters.insert("url".into(), json!(url));
    }
    let content = fingerprint(&format!("{round} {id} {}", form::encode(&parameters)));
    // Part 0 would be the caller's own key, which a call with one request has for itself.
    let part = (content as u32).max(1);
    let key = session.idempotency_key(Method::Post, ONE, part)?.unwrap_or_default();
    post(session, path(id), &parameters, key)
}

/// Removes an endpoint; none where it is gone already.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn remove(session: &Session<'_>, id: &str) -> Result<Option<Answer>> {
    let call = Call::write(Method::Delete, path(id), Payload::Query(String::new()), None);
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

fn path(id: &str) -> String {
    format!("{PATH}/{}", form::escape(id))
}

fn post(session: &Session<'_>, path: String, parameters: &Map<String, Value>, key: String) -> Result<Answer> {
    session.client().send(&Call::write(Method::Post, path, Payload::form(form::encode(parameters)), Some(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    #[test]
    fn one_address_may_be_written_in_several_ways() {
        let doc = Doc::scan_str(r#"{"id":"we_1","url":"https://example.com/","created":1,"enabled_events":["*"]}"#);
        let mut endpoint = Endpoint::read(doc.expect("JSON").root()).expect("an endpoint");
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
