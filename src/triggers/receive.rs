//! A webhook delivery: genuine or not, and which events it holds.

use serde_json::Value;

use super::{Event, read};
use crate::catalog::TRIGGERS;
use crate::connection::Fields;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::Members;
use crate::stripe::signature;

/// What a genuine delivery held.
#[derive(Debug, Default)]
pub struct Receipt {
    /// Events that triggers report.
    pub events: Vec<Event>,
    /// Events that none does.
    pub ignored: Vec<Ignored>,
}

/// An event that no trigger reports.
#[derive(Debug)]
pub struct Ignored {
    /// Stripe's id of it.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// Why.
    pub reason: &'static str,
}

/// Checks a delivery and reads its event.
///
/// # Errors
/// Why the delivery is not to be trusted, or is no event.
pub fn receive(fields: &Fields, headers: &[(String, String)], body: Vec<u8>, now: u64) -> Result<Receipt> {
    let secrets = fields.webhook_secrets()?;
    let mut signatures = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("stripe-signature"));
    let (_, header) = signatures.next().ok_or_else(|| {
        refused("the request has no Stripe-Signature header")
            .hint("Only Stripe's own deliveries are accepted; pass their headers on unchanged.")
    })?;
    if signatures.next().is_some() {
        return Err(refused("the request has several Stripe-Signature headers"));
    }
    signature::verify(header, &body, &secrets, now, signature::TOLERANCE)?;
    let payload = String::from_utf8(body).map_err(|_| refused("the body is signed and is not UTF-8"))?;
    let event: Value = serde_json::from_str(&payload).map_err(|_| refused("the body is signed and is not JSON"))?;
    let (Some(id), Some(event_type)) = (event.at("id").as_str(), event.at("type").as_str()) else {
        return Err(refused("the body is signed and is not an event: it has no id or no type"));
    };
    let ignored = |reason| Receipt {
        events: Vec::new(),
        ignored: vec![Ignored { id: id.to_owned(), event_type: event_type.to_owned(), reason }],
    };
    if event.at("object") == "v2.core.event" {
        return Ok(ignored("it is a thin event: no trigger listens to those"));
    }
    if event.at("livemode") == true && fields.development {
        return Ok(ignored("it is a live event, and this is a development connection"));
    }
    match TRIGGERS.iter().find(|t| t.event == event_type) {
        Some(trigger) => {
            let event = read(trigger, &event, payload, None);
            Ok(Receipt { events: vec![event], ignored: Vec::new() })
        }
        None => Ok(ignored("no trigger listens to this type")),
    }
}

fn refused(message: &str) -> Box<Error> {
    let mut error = Error::new(ErrorKind::Signature, message);
    error.outcome = Outcome::Rejected;
    error
}
