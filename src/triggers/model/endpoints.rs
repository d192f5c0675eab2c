//! Webhook endpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Seen, World};
use crate::catalogue::Method;

#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub created: u64,
    pub enabled: bool,
    pub api_version: Option<String>,
    pub types: Vec<String>,
    pub metadata: BTreeMap<String, String>,
    pub secret: String,
}

impl Endpoint {
    fn shown(&self) -> Value {
        json!({"id": self.id, "object": "webhook_endpoint", "url": self.url, "created": self.created,
            "status": if self.enabled { "enabled" } else { "disabled" }, "api_version": self.api_version,
            "enabled_events": self.types, "metadata": self.metadata, "livemode": false})
    }
}

const MOST: usize = 16;

fn list(body: &BTreeMap<String, String>, name: &str) -> Option<Vec<String>> {
    let found: Vec<String> = (0..).map_while(|i| body.get(&format!("{name}[{i}]")).cloned()).collect();
    (!found.is_empty()).then_some(found)
}

fn merge(metadata: &mut BTreeMap<String, String>, body: &BTreeMap<String, String>) {
    for (name, value) in body {
        let Some(name) = name.strip_prefix("metadata[").and_then(|n| n.strip_suffix(']')) else { continue };
        if value.is_empty() {
            metadata.remove(name);
        } else {
            metadata.insert(name.into(), value.clone());
        }
    }
    assert!(metadata.len() <= 50 && metadata.iter().all(|(n, v)| n.len() <= 40 && v.len() <= 500), "{metadata:?}");
}

impl World {
    /// An endpoint that a person makes in the dashboard.
    pub fn make_by_hand(&mut self, url: &str, types: &[&str]) -> String {
        let mut body: BTreeMap<String, String> =
            types.iter().enumerate().map(|(i, t)| (format!("enabled_events[{i}]"), (*t).to_owned())).collect();
        body.insert("url".into(), url.into());
        self.make(&body).id
    }

    fn make(&mut self, body: &BTreeMap<String, String>) -> Endpoint {
        let letters = self.letters();
        let mut endpoint = Endpoint {
            id: format!("we_{letters}"),
            url: body["url"].clone(),
            created: self.now,
            enabled: true,
            api_version: body.get("api_version").cloned(),
            types: list(body, "enabled_events").expect("types"),
            metadata: BTreeMap::new(),
            secret: format!("whsec_SECRET{letters}"),
        };
        merge(&mut endpoint.metadata, body);
        self.endpoints.push(endpoint.clone());
        endpoint
    }

    pub(super) fn serve_endpoints(&mut self, seen: &Seen) -> Option<(u16, Value)> {
        let Some(id) = seen.path.strip_prefix("/v1/webhook_endpoints/") else {
            return Some(match seen.method {
                Method::Get => {
                    let data: Vec<Value> = self.endpoints.iter().rev().map(Endpoint::shown).collect();
                    (200, json!({"object": "list", "data": data, "has_more": false, "url": seen.path}))
                }
                _ if self.endpoints.len() >= MOST => {
                    let message = "You have reached the maximum of 16 test webhook endpoints.";
                    (400, json!({"error": {"type": "invalid_request_error", "message": message}}))
                }
                _ => {
                    let endpoint = self.make(&seen.body);
                    let mut shown = endpoint.shown();
                    shown["secret"] = json!(endpoint.secret);
                    (200, shown)
                }
            });
        };
        let place = self.endpoints.iter().position(|e| e.id == id)?;
        match seen.method {
            Method::Delete => {
                self.endpoints.remove(place);
                return Some((200, json!({"id": id, "object": "webhook_endpoint", "deleted": true})));
            }
            Method::Post => {
                let endpoint = &mut self.endpoints[place];
                endpoint.types = list(&seen.body, "enabled_events").unwrap_or(std::mem::take(&mut endpoint.types));
                merge(&mut endpoint.metadata, &seen.body);
                endpoint.enabled |= seen.body.get("disabled").is_some_and(|d| d == "false");
                if let Some(url) = seen.body.get("url") {
                    endpoint.url.clone_from(url);
                }
            }
            Method::Get => {}
        }
        Some((200, self.endpoints[place].shown()))
    }
}
