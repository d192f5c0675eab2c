//! The webhook endpoint that pushes a platform's events: made, shared among triggers, removed.
//!
//! An account has at most 16 endpoints, so one URL has one endpoint: the first trigger makes it, further ones
//! add their event types, the last one removes it. Stripe tells the signing secret only when it is made.

use serde_json::{Map, Value, json};

use super::find_all;
use crate::catalog::{self, Method};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Members;
use crate::operation::session::{Metadata, Session};
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// A subscription.
#[derive(Debug)]
pub struct Subscription {
    /// The endpoint's id.
    pub id: String,
    /// Its signing secret, when it was made now.
    pub secret: Option<String>,
    /// What it delivers.
    pub event_types: Vec<String>,
    /// How it came about.
    pub metadata: Metadata,
}

const PATH: &str = "/v1/webhook_endpoints";
const OPERATION: &str = "triggers.subscribe";

/// Makes Stripe deliver the events of these triggers to a URL.
///
/// # Errors
/// A URL that Stripe cannot reach, unknown triggers; Stripe's refusal; no answer.
pub fn subscribe(session: &Session<'_>, url: &str, ids: &[String]) -> Result<Subscription> {
    let wanted: Vec<&str> = find_all(ids)?.iter().map(|t| t.event).collect();
    check_url(url)?;
    match find(session, url)? {
        None => {
            let mut parameters = Map::new();
            parameters.insert("url".into(), json!(url));
            parameters.insert("enabled_events".into(), json!(wanted));
            // Without it, events come in the account's default version.
            parameters.insert("api_version".into(), json!(catalog::API_VERSION));
            parameters.insert("description".into(), json!("Made by the Stripe connector of your automation platform"));
            let answer = post(session, PATH.into(), &parameters, 0)?;
            Ok(read(session, &answer))
        }
        Some(endpoint) => {
            let mut types = event_types(&endpoint);
            // `*` delivers everything already.
            if !types.iter().any(|t| t == "*") {
                let missing: Vec<&str> = wanted.into_iter().filter(|w| !types.iter().any(|t| t == w)).collect();
                types.extend(missing.into_iter().map(str::to_owned));
            }
            let answer = update(session, &endpoint, &types, 1)?;
            let mut subscription = read(session, &answer);
            subscription.secret = None;
            Ok(subscription)
        }
    }
}

/// Stops the delivery of these triggers, or of all, to a URL.
///
/// # Errors
/// Unknown triggers; Stripe's refusal; no answer.
pub fn unsubscribe(session: &Session<'_>, url: &str, ids: Option<&[String]>) -> Result<Metadata> {
    let ended: Option<Vec<&str>> = ids.map(find_all).transpose()?.map(|t| t.iter().map(|t| t.event).collect());
    let (endpoint, answer) = find_with_answer(session, url)?;
    let Some(endpoint) = endpoint else { return Ok(session.metadata(&answer)) };
    let types = event_types(&endpoint);
    let left: Vec<String> = match &ended {
        Some(ended) => types.iter().filter(|t| !ended.contains(&t.as_str())).cloned().collect(),
        None => Vec::new(),
    };
    let answer = if left.is_empty() {
        let path = format!("{PATH}/{}", form::escape(endpoint.at("id").as_str().unwrap_or_default()));
        let call = Call { method: Method::Delete, path, form: String::new(), idempotency_key: None };
        match session.client().send(&call) {
            // Somebody else removed it meanwhile: it is gone, as wanted.
            Err(error) if error.kind == ErrorKind::NotFound => answer,
            result => result?,
        }
    } else if left.len() < types.len() {
        update(session, &endpoint, &left, 2)?
    } else {
        answer
    };
    Ok(session.metadata(&answer))
}

fn check_url(url: &str) -> Result<()> {
    let wrong = |message: &str| Err(Error::input("callback-url", message));
    let Some((scheme, rest)) = url.split_once("://") else {
        return wrong("the callback URL must be absolute: https://…");
    };
    if !matches!(scheme, "https" | "http") {
        return wrong("the callback URL must begin with https://");
    }
    if rest.is_empty() || rest.starts_with('/') || url.len() > 2000 || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong("the callback URL is not a valid address");
    }
    Ok(())
}

fn find(session: &Session<'_>, url: &str) -> Result<Option<Value>> {
    find_with_answer(session, url).map(|(endpoint, _)| endpoint)
}

/// The endpoint of a URL. An account has few: one page holds them all.
fn find_with_answer(session: &Session<'_>, url: &str) -> Result<(Option<Value>, Answer)> {
    let call = Call { method: Method::Get, path: PATH.into(), form: "limit=100".into(), idempotency_key: None };
    let answer = session.client().send(&call)?;
    let mut page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let endpoints = page.take_list("data");
    Ok((endpoints.into_iter().find(|e| e.at("url") == url), answer))
}

fn event_types(endpoint: &Value) -> Vec<String> {
    endpoint
        .at("enabled_events")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn update(session: &Session<'_>, endpoint: &Value, types: &[String], part: u32) -> Result<Answer> {
    let path = format!("{PATH}/{}", form::escape(endpoint.at("id").as_str().unwrap_or_default()));
    let mut parameters = Map::new();
    parameters.insert("enabled_events".into(), json!(types));
    // One that Stripe or a person switched off is wanted again.
    if endpoint.at("status") == "disabled" {
        parameters.insert("disabled".into(), json!(false));
    }
    post(session, path, &parameters, part)
}

fn post(session: &Session<'_>, path: String, parameters: &Map<String, Value>, part: u32) -> Result<Answer> {
    let idempotency_key = Some(session.idempotency_key(OPERATION, part)?);
    session.client().send(&Call { method: Method::Post, path, form: form::encode(parameters), idempotency_key })
}

fn read(session: &Session<'_>, answer: &Answer) -> Subscription {
    let endpoint: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    Subscription {
        id: endpoint.at("id").as_str().unwrap_or_default().to_owned(),
        secret: endpoint.at("secret").as_str().map(str::to_owned),
        event_types: event_types(&endpoint),
        metadata: session.metadata(answer),
    }
}
