//! From an answer that is no success, or from no answer, to an [`Error`] that can be acted on.
//!
//! Stripe's own message, codes and links are kept; kind, hint, retry advice and outcome are ours. Codes are
//! open-ended: one that is not known here still gives a complete error. Sources: Stripe's pages "Errors",
//! "Error codes", "Decline codes" and "Advanced error handling".

use serde::Deserialize;

use super::transport::{Failure, HttpResponse};
use crate::error::{Error, ErrorKind, Outcome, ResourceRef, Retry};

/// The members of Stripe's error object that are used; all of them may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    doc_url: Option<String>,
    charge: Option<Id>,
    payment_intent: Option<Id>,
    setup_intent: Option<Id>,
    subscription: Option<Id>,
}

/// An id, or the object that has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Plain(String),
    Object {
        id: String,
    },
    /// Whatever else it may be says nothing.
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Envelope {
    Error {
        error: Box<Body>,
    },
    OAuth {
        error: String,
        #[serde(default)]
        error_description: Option<String>,
    },
}

fn read(response: &HttpResponse) -> Option<Body> {
    match serde_json::from_slice(&response.body).ok()? {
        Envelope::Error { error } => Some(*error),
        Envelope::OAuth { error, error_description } => Some(Body {
            message: error_description.or_else(|| Some(error.clone())),
            code: Some(error),
            ..Body::default()
        }),
    }
}

const KEY_IN_USE: &str = "idempotency_key_in_use";

/// Whether the request that got this answer may have been executed, or may still be.
pub fn leaves_doubt(response: &HttpResponse) -> bool {
    match response.status {
        // A request of the same key is under way: ours, cut off before, or another run of the same step.
        409 => read(response).and_then(|b| b.code).is_none_or(|c| c == KEY_IN_USE),
        408 | 500.. => true,
        _ => false,
    }
}

/// Whether an answer speaks for the key itself, so that it settles what earlier attempts have done.
fn settles(response: &HttpResponse, body: &Body) -> bool {
    match response.status {
        // These are given before the key is looked at.
        401 | 403 | 429 => false,
        _ => !leaves_doubt(response) && body.kind.is_some(),
    }
}

/// Whether an earlier attempt of the same call may have been executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// None may have been.
    None,
    /// One may have been, and Stripe's answer to the key tells: it is that attempt's own.
    UntilKeyAnswers,
    /// One may have been, and without a key a later refusal says nothing of it: what was removed is "not found".
    Stays,
}

/// The error of an answer that is no success.
pub fn from_answer(response: &HttpResponse, doubt: Doubt) -> Box<Error> {
    let status = response.status;
    let readable = read(response);
    let from_stripe = readable.is_some();
    let body = readable.unwrap_or_default();
    let kind = kind(status, &body);
    let message = body.message.clone().unwrap_or_else(|| match status {
        300..400 => format!("the API address answers with a redirect (status {status}), which Stripe never does"),
        _ => format!("Stripe answered with status {status} and without an explanation"),
    });
    let mut error = Error::new(kind, message);
    error.hint = hint(status, kind, &body, from_stripe);
    error.field = body.param.as_deref().map(field_path);
    let unknown = match doubt {
        Doubt::None => leaves_doubt(response),
        Doubt::UntilKeyAnswers => !settles(response, &body),
        Doubt::Stays => true,
    };
    error.outcome = if unknown { Outcome::Unknown } else { Outcome::Rejected };
    error.retry = match kind {
        _ if body.code.as_deref() == Some(KEY_IN_USE) => Retry::After(2_000),
        ErrorKind::RateLimited => Retry::After(5_000),
        ErrorKind::Service => Retry::After(10_000),
        ErrorKind::Conflict if status == 409 || lock_timeout(&body) => Retry::After(2_000),
        _ if error.outcome == Outcome::Unknown => Retry::SameKey,
        _ => Retry::Never,
    };
    for (resource, id) in [
        ("payment_intent", body.payment_intent),
        ("charge", body.charge),
        ("setup_intent", body.setup_intent),
        ("subscription", body.subscription),
    ] {
        if let Some(Id::Plain(id) | Id::Object { id }) = id {
            error.related.push(ResourceRef { resource: resource.into(), id });
        }
    }
    error.service_type = body.kind;
    error.code = body.code;
    error.decline_code = body.decline_code;
    error.doc_url = body.doc_url;
    error.http_status = Some(status);
    error.request_id = response.header("request-id").map(str::to_owned);
    error
}

/// The error where there is no answer. `in_doubt`: an earlier attempt may have been executed.
pub fn from_transport(failure: &Failure, in_doubt: bool) -> Box<Error> {
    let (kind, outcome, retry, hint) = match failure {
        Failure::Denied(_) => (
            ErrorKind::Denied,
            Outcome::NotSent,
            Retry::Never,
            "Ask whoever runs this platform to allow the connector to reach that address.",
        ),
        Failure::Unreachable(_) => (
            ErrorKind::Network,
            Outcome::NotSent,
            Retry::After(5_000),
            "Check this machine's network and the API address.",
        ),
        Failure::Broken(_) => (ErrorKind::Network, Outcome::Unknown, Retry::SameKey, IN_DOUBT),
        Failure::TimedOut(_) => (ErrorKind::Timeout, Outcome::Unknown, Retry::SameKey, IN_DOUBT),
        Failure::TooLarge(200..300) => (
            ErrorKind::Service,
            Outcome::Committed,
            Retry::Never,
            "Ask for less: fewer objects a page, fewer expanded fields.",
        ),
        Failure::TooLarge(_) => (ErrorKind::Service, Outcome::Unknown, Retry::SameKey, IN_DOUBT),
    };
    let mut error = Error::new(kind, failure.to_string());
    error.outcome = if in_doubt { Outcome::Unknown } else { outcome };
    error.retry = if in_doubt && retry == Retry::Never { Retry::SameKey } else { retry };
    error.hint = Some(if in_doubt { IN_DOUBT } else { hint }.to_owned());
    error
}

const IN_DOUBT: &str = "It is not known whether Stripe did it. Run this same step again: it carries the same idempotency key, so nothing happens twice.";

fn lock_timeout(body: &Body) -> bool {
    body.code.as_deref() == Some("lock_timeout")
}

fn kind(status: u16, body: &Body) -> ErrorKind {
    let code = body.code.as_deref().unwrap_or_default();
    match (status, body.kind.as_deref().unwrap_or_default()) {
        (401, _) => ErrorKind::Authentication,
        (403, _) => ErrorKind::Permission,
        (429, _) if code == "lock_timeout" => ErrorKind::Conflict,
        (429, _) => ErrorKind::RateLimited,
        (402, _) | (_, "card_error") => ErrorKind::Declined,
        (_, "idempotency_error") => ErrorKind::Idempotency,
        _ if code == KEY_IN_USE => ErrorKind::Idempotency,
        (500.., _) => ErrorKind::Service,
        (408, _) => ErrorKind::Timeout,
        (409, _) => ErrorKind::Conflict,
        _ if code == "resource_missing" => ErrorKind::NotFound,
        (404, _) => ErrorKind::NotFound,
        _ if STATE_CODES.contains(&code) || code.ends_with("_unexpected_state") => ErrorKind::Conflict,
        (400, _) if body.param.is_some() || code.starts_with("parameter_") => ErrorKind::InvalidInput,
        (400..500, _) => ErrorKind::Rejected,
        _ => ErrorKind::Service,
    }
}

/// Codes that say that the object's state does not allow it.
const STATE_CODES: [&str; 10] = [
    "charge_already_captured",
    "charge_already_refunded",
    "charge_disputed",
    "charge_expired_for_capture",
    "customer_max_payment_methods",
    "invoice_not_editable",
    "lock_timeout",
    "order_status_transition_invalid",
    "resource_already_exists",
    "token_already_used",
];

/// `items[0][price]`, as Stripe writes it, in the form of our own paths: `items[0].price`.
fn field_path(parameter: &str) -> String {
    let mut out = String::with_capacity(parameter.len());
    for (index, part) in parameter.split('[').enumerate() {
        let part = part.strip_suffix(']').unwrap_or(part);
        if index > 0 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            out.push('[');
            out.push_str(part);
            out.push(']');
        } else {
            if index > 0 {
                out.push('.');
            }
            out.push_str(part);
        }
    }
    out
}

fn hint(status: u16, kind: ErrorKind, body: &Body, from_stripe: bool) -> Option<String> {
    let code = body.code.as_deref().unwrap_or_default();
    let message = body.message.as_deref().unwrap_or_default();
    let text = match kind {
        ErrorKind::Authentication if code == "api_key_expired" => {
            "This key has expired: create a new one at https://dashboard.stripe.com/apikeys."
        }
        ErrorKind::Authentication => {
            "Copy the key again from https://dashboard.stripe.com/apikeys; it may have been rolled or deleted."
        }
        ErrorKind::Permission => {
            "Grant the permission that the message names to this restricted key at https://dashboard.stripe.com/apikeys."
        }
        ErrorKind::RateLimited => "Too many requests at once: run fewer steps in parallel, or wait.",
        ErrorKind::Declined => return Some(decline_hint(body.decline_code.as_deref().unwrap_or(code)).to_owned()),
        ErrorKind::Idempotency if code == KEY_IN_USE => {
            "The same step is running already: wait for it, then run this again to get its result."
        }
        ErrorKind::Idempotency => {
            "This step ran before with other input. A new run of the workflow has a new key; within one run the input must stay the same."
        }
        ErrorKind::NotFound if message.contains("live mode") || message.contains("test mode") => {
            "The object belongs to the other mode: test keys see only test objects, live keys only live ones."
        }
        ErrorKind::NotFound if !from_stripe => "Check the API address: this does not look like Stripe's answer.",
        ErrorKind::NotFound => "Check the id, and that it belongs to this account and mode.",
        ErrorKind::Service => {
            "Stripe failed, and it is not known whether it did the work. Run this same step again (same idempotency key), then look at the object before trying anything else."
        }
        _ if code == "charge_already_refunded" => "There is nothing left to refund.",
        ErrorKind::Conflict if status == 409 || lock_timeout(body) => {
            "Another request holds the object: try again in a moment."
        }
        ErrorKind::Conflict => "Look at the object's status first.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What to do about a decline. The issuer's reasons for suspecting fraud are not passed on to the customer.
fn decline_hint(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => "The card has too little money: ask the customer to use another one.",
        "expired_card" => "The card has expired: ask the customer for a current one.",
        "incorrect_cvc" | "invalid_cvc" => "The card's security code is wrong: ask the customer to enter it again.",
        "incorrect_number" | "invalid_number" => "The card number is wrong: ask the customer to enter it again.",
        "processing_error" | "try_again_later" | "reenter_transaction" | "issuer_not_available" => {
            "The card's bank could not process it: try again in a new run, or use another card."
        }
        "authentication_required" => {
            "The bank wants the customer to authenticate: bring the customer back to pay on the session."
        }
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => {
            "The card is over its limit: ask the customer to use another one."
        }
        "lost_card" | "stolen_card" | "pickup_card" | "restricted_card" | "fraudulent" | "merchant_blacklist" => {
            "Ask the customer to use another card, and show no more than a general decline."
        }
        "card_not_supported" | "currency_not_supported" => {
            "The card does not take this kind of purchase: ask the customer to use another one."
        }
        _ => "The bank gave no exact reason: ask the customer to use another card or to call the bank.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        let headers = vec![("request-id".to_owned(), "req_1".to_owned())];
        HttpResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn stripes_parameter_names_become_paths() {
        for (stripe, ours) in [
            ("amount", "amount"),
            ("items[0][price]", "items[0].price"),
            ("metadata[order id]", "metadata.order id"),
            ("line_items[2][price_data][unit_amount]", "line_items[2].price_data.unit_amount"),
            ("expand[]", "expand."),
            ("", ""),
        ] {
            assert_eq!(field_path(stripe), ours);
        }
    }

    #[test]
    fn every_part_of_stripes_error_is_kept() {
        let body = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"No.","param":"x[0]",
            "doc_url":"https://stripe.com/docs","charge":"ch_1","payment_intent":{"id":"pi_1","object":"payment_intent"},"new_member":[1]}}"#;
        let error = from_answer(&answer(402, body), Doubt::None);
        assert_eq!((error.kind, error.outcome, error.retry), (ErrorKind::Declined, Outcome::Rejected, Retry::Never));
        assert_eq!((error.code.as_deref(), error.decline_code.as_deref()), (Some("card_declined"), Some("lost_card")));
        assert_eq!((error.field.as_deref(), error.request_id.as_deref()), (Some("x[0]"), Some("req_1")));
        assert_eq!(error.related.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["pi_1", "ch_1"]);
        assert!(error.hint.is_some_and(|h| h.contains("general decline")), "a fraud signal is not for the customer");
    }

    #[test]
    fn answers_without_stripes_form_are_errors_all_the_same() {
        for (status, body, kind) in [
            (500, "<html>", ErrorKind::Service),
            (404, "", ErrorKind::NotFound),
            (400, "{}", ErrorKind::Rejected),
            (400, r#"{"error":null}"#, ErrorKind::Rejected),
            (400, r#"{"error":"invalid_grant","error_description":"Expired."}"#, ErrorKind::Rejected),
            (302, "", ErrorKind::Service),
            (418, "\u{0}", ErrorKind::Rejected),
        ] {
            let error = from_answer(&answer(status, body), Doubt::None);
            assert_eq!((error.kind, error.http_status), (kind, Some(status)), "{status} {body}");
            assert!(!error.message.is_empty());
        }
        let oauth =
            from_answer(&answer(400, r#"{"error":"invalid_grant","error_description":"Expired."}"#), Doubt::None);
        assert_eq!((oauth.code.as_deref(), oauth.message.as_str()), (Some("invalid_grant"), "Expired."));
    }

    #[test]
    fn the_other_mode_is_pointed_out() {
        let body = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"id",
            "message":"No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used."}}"#;
        assert!(from_answer(&answer(404, body), Doubt::None).hint.is_some_and(|h| h.contains("other mode")));
    }
}
