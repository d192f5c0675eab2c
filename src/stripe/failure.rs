//! From a request without success to an [`Error`] that can be acted on.
//!
//! Stripe's own message, codes and links are kept; kind and retry advice are ours, and so are the hints (`advice`). What was done is not decided
//! here: it comes in as the [`Standing`] after the last exchange. Codes are open-ended: one that is not known here
//! still gives a complete error. Sources: Stripe's pages "Errors", "Error codes", "Decline codes" and "Advanced error
//! handling".

use super::advice;
use super::call::Call;
use super::exchange::{Failed, IDEMPOTENCY, KEY_IN_USE, LOCK_TIMEOUT};
use super::proof::StripeError;
use super::retry;
use super::standing::{Standing, Verdict};
use super::transport::{Failure, HttpResponse};
use crate::error::{Error, ErrorKind, Outcome, ResourceRef, Retry};
use crate::timestamp;

/// The error of a call that ends with this failure, when that is what is known of the work. `until`: how long the call's
/// key protects, in Unix seconds.
pub fn error(failed: &Failed, call: &Call, standing: Standing, until: Option<u64>) -> Box<Error> {
    let mut error = match failed {
        Failed::Refused(response, said) => refused(response, said, call),
        Failed::Foreign(response, said) => foreign(response, said.as_deref(), call),
        Failed::Unusable(response, why) => unusable(response, why),
        Failed::Nothing(failure) => nothing(failure, call),
    };
    error.outcome = standing.outcome();
    if let Some(response) = failed.response() {
        error.http_status = Some(response.status);
        error.replayed = response.is_replay();
        error.request_id = response.header("request-id").map(str::to_owned);
        if let Some(id) = response.header("original-request").filter(|_| error.replayed) {
            error.extra("original-request", id);
        }
        if let Some(reason) = response.header("stripe-rate-limited-reason") {
            error.extra("rate-limited-reason", reason);
        }
    }
    if standing == Standing::InDoubt {
        doubt(&mut error, failed, until);
    }
    // Not sooner than the answer asks for, and not later than a day.
    if let (Retry::After(_) | Retry::SameKey, Some(asked)) = (error.retry, failed.response().and_then(retry::asked_for))
    {
        let own = if let Retry::After(ms) = error.retry { ms } else { 0 };
        error.retry = Retry::After(own.max(asked.min(24 * 60 * 60) * 1000));
    }
    error
}

/// A doubt is never "would fail again, and nothing was done": it says how to end it.
fn doubt(error: &mut Error, failed: &Failed, until: Option<u64>) {
    let advice = match failed {
        // The key gets this answer for ever.
        Failed::Refused(response, _) if response.is_replay() => {
            error.hint = Some(KEPT_FAILURE.to_owned());
            return;
        }
        // These say all themselves.
        Failed::Refused(_, said) if is_idempotency(said) || said.code() == KEY_IN_USE => return,
        Failed::Nothing(Failure::Unsendable(_)) => return,
        // The object's own refusal, which another try without a key would only hear again.
        Failed::Refused(response, _) if until.is_none() && conclusive(failed, response) => Retry::Never,
        _ => Retry::SameKey,
    };
    if error.retry == Retry::Never {
        error.retry = advice;
    }
    let said = match (until, error.retry) {
        (Some(until), _) => format!(
            "It is not known whether Stripe did it. Run this same step again: it carries the same idempotency key, so nothing happens twice until {}.",
            when(until)
        ),
        (None, Retry::Never) => IN_DOUBT_AND_GONE.to_owned(),
        (None, _) => IN_DOUBT_WITHOUT_KEY.to_owned(),
    };
    error.hint = Some(match error.hint.take() {
        Some(hint) => format!("{hint} {said}"),
        None => said,
    });
}

fn conclusive(failed: &Failed, response: &HttpResponse) -> bool {
    failed.verdict(false) == Verdict::Settled || response.status == 404
}

fn is_idempotency(said: &StripeError) -> bool {
    said.kind() == IDEMPOTENCY || said.code() == IDEMPOTENCY
}

const IN_DOUBT_WITHOUT_KEY: &str =
    "It is not known whether Stripe did it, and this request has no idempotency key: look at the object at Stripe.";
const IN_DOUBT_AND_GONE: &str = "An earlier request may have done it, and this is what the object says since: look at it at Stripe before anything else.";
/// For a kept failure of Stripe's own.
const KEPT_FAILURE: &str = "This is the kept answer of an earlier execution, which failed on Stripe's side and may have done a part of the work; running this step again gives the same answer. Look at the object at Stripe; if the work is not done, start a new run.";

fn refused(response: &HttpResponse, said: &StripeError, call: &Call) -> Box<Error> {
    let status = response.status;
    let kind = kind(status, said);
    let unexplained = || format!("Stripe answered with status {status} and without an explanation");
    let mut error = Error::new(kind, said.message.clone().unwrap_or_else(unexplained));
    error.hint = advice::of(kind, said, call.reads);
    error.field = said.param.as_deref().map(|param| {
        let of_path = call.path_field(param).filter(|_| status == 404);
        of_path.map_or_else(|| field_path(param), str::to_owned)
    });
    error.retry = match kind {
        _ if said.code() == KEY_IN_USE => Retry::After(2_000),
        _ if response.is_replay() => Retry::Never,
        ErrorKind::RateLimited => Retry::After(5_000),
        ErrorKind::Service => Retry::After(10_000),
        ErrorKind::Timeout => Retry::After(5_000),
        ErrorKind::Conflict if status == 409 || said.code() == LOCK_TIMEOUT => Retry::After(2_000),
        _ => Retry::Never,
    };
    for (resource, id) in &said.related {
        error.related.push(ResourceRef { resource: (*resource).into(), id: id.clone() });
    }
    for (name, value) in &said.extras {
        error.extra(&name.replace('_', "-"), value);
    }
    error.service_type = said.kind.clone();
    error.code = said.code.clone();
    error.decline_code = said.decline_code.clone();
    error.doc_url = said.doc_url.clone();
    error
}

/// Something answered, and it was not Stripe, or not as Stripe answers.
fn foreign(response: &HttpResponse, said: Option<&StripeError>, call: &Call) -> Box<Error> {
    let status = response.status;
    let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Service };
    let said = said.and_then(|s| s.message.as_ref().or(s.code.as_ref()));
    let mut error = Error::new(
        kind,
        match (status, said) {
            (300..400, _) => {
                format!("the API address answers with a redirect (status {status}), which Stripe never does")
            }
            (_, Some(said)) => format!("the answer (status {status}) is not in Stripe's form: {said}"),
            (_, None) => format!("the answer (status {status}) is not in Stripe's form"),
        },
    )
    .hint("Check the API address, and what stands between this machine and Stripe: a proxy, a firewall.");
    error.retry = match status {
        429 => Retry::After(5_000),
        500.. => Retry::After(10_000),
        200..300 if call.reads => Retry::After(10_000),
        _ => Retry::Never,
    };
    error
}

fn unusable(response: &HttpResponse, why: &str) -> Box<Error> {
    let message = format!("Stripe's answer (status {}) cannot be used: {why}", response.status);
    Error::new(ErrorKind::Service, message).hint("Ask for less: fewer objects a page, fewer expanded fields.")
}

fn nothing(failure: &Failure, call: &Call) -> Box<Error> {
    let again = if call.reads { Retry::After(1_000) } else { Retry::SameKey };
    let (kind, retry, hint) = match failure {
        Failure::Denied(_) => (
            ErrorKind::Denied,
            Retry::Never,
            Some("Ask whoever runs this platform to allow the connector to reach that address."),
        ),
        Failure::Unsendable(_) => (ErrorKind::Other, Retry::Never, None),
        Failure::Unreachable(_) => {
            (ErrorKind::Network, Retry::After(5_000), Some("Check this machine's network and the API address."))
        }
        Failure::Broken(_) | Failure::TooLarge(_) => (ErrorKind::Network, again, None),
        Failure::TimedOut(_) => (ErrorKind::Timeout, again, None),
    };
    let mut error = Error::new(kind, failure.to_string());
    error.retry = retry;
    error.hint = hint.map(str::to_owned);
    error
}

/// The error of a request that was not begun, since nothing is left of the call's time.
pub fn no_time(call: &Call, standing: Standing, until: Option<u64>) -> Box<Error> {
    let failed = Failed::Nothing(Failure::TimedOut("no time was left to send the request".into()));
    let mut error = error(&failed, call, standing, until);
    error.message = "no time was left to send the request".into();
    error
}

/// The error of a write that may have been done and whose key Stripe has forgotten: nothing is sent.
pub fn expired(until: u64) -> Box<Error> {
    let message = format!(
        "an earlier try of this step may have been executed, and its idempotency key protected until {} only: it is not sent again, since it could happen twice",
        when(until)
    );
    let mut error = Error::new(ErrorKind::Idempotency, message).hint(
        "Look at Stripe for what the step would have made or changed: the request log shows the key. If it is not there, start a new run.",
    );
    error.outcome = Outcome::Unknown;
    error
}

fn when(unix: u64) -> String {
    i64::try_from(unix).ok().and_then(timestamp::from_unix).unwrap_or_else(|| format!("{unix} (Unix seconds)"))
}

fn kind(status: u16, said: &StripeError) -> ErrorKind {
    let code = said.code();
    match (status, said.kind()) {
        (401, _) => ErrorKind::Authentication,
        (403, _) => ErrorKind::Permission,
        (429, _) if code == LOCK_TIMEOUT => ErrorKind::Conflict,
        (429, _) | (400, "rate_limit") => ErrorKind::RateLimited,
        (400, _) if code == "rate_limit" => ErrorKind::RateLimited,
        _ if is_idempotency(said) || code == KEY_IN_USE => ErrorKind::Idempotency,
        (402, _) | (_, "card_error") => ErrorKind::Declined,
        (500.., _) => ErrorKind::Service,
        (408, _) => ErrorKind::Timeout,
        (409, _) => ErrorKind::Conflict,
        // Missing is also what a customer has to pay with: that is a matter of the customer's state.
        (400, _)
            if code == "resource_missing" && !said.message.as_deref().is_some_and(|m| m.starts_with("No such")) =>
        {
            ErrorKind::Conflict
        }
        _ if code == "resource_missing" => ErrorKind::NotFound,
        (404, _) => ErrorKind::NotFound,
        _ if STATE_CODES.contains(&code) || code.ends_with("_unexpected_state") => ErrorKind::Conflict,
        (400, _) if said.param.is_some() || code.starts_with("parameter_") || code == "invalid_fields" => {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Rejected,
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
    LOCK_TIMEOUT,
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
