//! The signing secret of an endpoint that was made before: Stripe tells it in one answer only, and keeps that answer for
//! a day, or in v2 for thirty.
//!
//! Whoever sends the very same request under the same key within that time gets the same answer, secret included. What
//! that takes is written on the endpoint. After it the same request would make a second endpoint, so then, and an
//! hour before, it is not sent.

use super::endpoint::{self, Endpoint, Kind, Recipe};
use crate::error::{ErrorKind, Result};
use crate::operation::session::Session;

/// What became of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// It is this.
    Known(String),
    /// It cannot be had any more, because of this.
    Lost(String),
}

/// How many seconds before Stripe may forget the answer the request is not sent again any more.
const SPARE: u64 = 60 * 60;

/// Asks Stripe again for the answer that told an endpoint's secret.
///
/// # Errors
/// No answer, or one that says nothing of the endpoint: another try may find the secret.
pub fn recover(session: &Session<'_>, kind: Kind, of: &Endpoint, url: &str) -> Result<Secret> {
    let lost = |why: &str| Ok(Secret::Lost(why.to_owned()));
    let Some(made) = of.labels.made.as_ref().filter(|m| is_key(&m.key) && !m.types.is_empty()) else {
        return lost("a person made it");
    };
    // Thin events have no version.
    let api_version = of.api_version.as_deref().or((kind == Kind::Thin).then_some(""));
    let Some(api_version) = api_version else { return lost("it is not as it was made") };
    if session.clock.unix_seconds().saturating_sub(of.created) >= kind.answers_kept() - SPARE {
        return lost("Stripe tells it again for a day only, and that of an event destination for thirty");
    }
    match endpoint::make(session, kind, &Recipe { url, api_version, key: &made.key, types: &made.types }) {
        Ok(again) if again.endpoint.id == of.id => Ok(Secret::Known(again.secret)),
        // Somebody has copied what is written on another endpoint.
        Ok(other) if other.answer.replayed => {
            Ok(Secret::Lost(format!("what is written on it belongs to the endpoint {}", other.endpoint.id)))
        }
        // Stripe has forgotten the key after all.
        Ok(other) => {
            let id = other.endpoint.id;
            Ok(Secret::Lost(match endpoint::remove(session, kind, &id) {
                Ok(_) => format!("Stripe made the endpoint {id} in place of telling it, and that was removed again"),
                Err(_) => format!("Stripe made the endpoint {id} in place of telling it; delete that one"),
            }))
        }
        Err(error) => match error.kind {
            ErrorKind::Idempotency if error.http_status == Some(400) => lost("it is not as it was made"),
            ErrorKind::InvalidInput | ErrorKind::Rejected | ErrorKind::Conflict if error.http_status == Some(400) => {
                Ok(Secret::Lost(format!("Stripe refuses to tell it again ({})", error.message)))
            }
            _ => Err(error),
        },
    }
}

/// Whether a text can have been an idempotency key.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic())
}
