//! Usage streams have a host of their own, which takes no key: whoever reports usage there opens a session with the key
//! first, and sends the token that Stripe answers. A session lasts for fifteen minutes and permits nothing else, so each
//! call opens its own, and nothing is kept.

use stripe_table::{Base, Encoding};

use super::session::Session;
use crate::catalogue::Method;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::stripe::client::{Call, Payload};
use crate::stripe::key::SessionToken;

const OPEN: &str = "/v2/billing/meter_event_session";

/// Opens a session and takes its token. A session that nobody uses changes nothing, so that opening one counts as
/// reading: it carries no key, and may be done again.
///
/// # Errors
/// Stripe's refusal; no answer. No usage has been sent then.
pub fn token(session: &Session<'_>) -> Result<SessionToken> {
    let payload = Payload::new(Method::Post, Encoding::Json, &serde_json::Map::new());
    let call = Call { method: Method::Post, base: Base::Api, payload, ..Call::read(OPEN, "") };
    let answer = session.client().send(&call)?;
    match answer.body.root().get("authentication_token").and_then(|token| token.as_str()) {
        Some(token) if is_token(&token) => Ok(SessionToken::new(token.into_owned())),
        _ => {
            let mut error = Error::new(ErrorKind::Other, "Stripe opened a session for usage and gave no token for it");
            error.outcome = Outcome::Rejected;
            error.attempts = session.attempts();
            error.request_id = answer.request_id;
            Err(error)
        }
    }
}

/// Whether it can go into a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
