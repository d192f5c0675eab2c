//! What webhooks are signed with is in no result: it comes out of `subscribe` alone, within the state that hosts keep as a
//! secret. Stripe tells it once more where an endpoint is made by a plain operation; there its place is taken by a word.
//! What Stripe hands out to be passed on (a payment's client secret, an app's ephemeral key) is data, and stays.

use crate::json::{Node, Scanned};

/// What stands in its place.
const HIDDEN: &str = "\"(hidden)\"";

/// The text of an answer, without the signing secrets that are in it.
pub fn without(answer: Scanned) -> String {
    let root = answer.root();
    let mut secrets: Vec<String> = Vec::new();
    secrets.extend(of(root));
    if let Some(listed) = root.get("data").filter(|data| data.is_array()) {
        for object in listed.items() {
            secrets.extend(of(object));
        }
    }
    let mut text = answer.into_text();
    for secret in secrets {
        text = text.replace(&secret, HIDDEN);
    }
    text
}

/// The signing secret of an endpoint or a destination, as it is written.
fn of(object: Node<'_, '_>) -> Option<String> {
    let kind = object.get("object")?;
    let secret = if kind.str_eq("webhook_endpoint") {
        object.get("secret")
    } else if kind.str_eq("v2.core.event_destination") {
        object.at("webhook_endpoint.signing_secret")
    } else {
        None
    };
    // Nothing else of an answer is so long a text of its own.
    secret.map(Node::raw).filter(|raw| raw.len() > 8 && raw.starts_with('"')).map(str::to_owned)
}
