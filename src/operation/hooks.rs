//! The operations whose meaning is not in Stripe's schema.

use serde_json::{Map, Value, json};

use super::send;
use super::session::Session;
use crate::catalog::{Method, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::input::Input;
use crate::json::Members;
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// Where customers land when the caller has no page of their own: Stripe's own page with a thank-you.
const LANDING: &str = "https://stripe.com";

/// A hosted checkout page needs somewhere to send the customer afterwards. Embedded and custom ones do not.
pub fn checkout_urls(parameters: &mut Map<String, Value>) {
    let hosted = matches!(parameters.get("ui_mode").and_then(Value::as_str), None | Some("hosted_page"));
    if hosted && !parameters.contains_key("success_url") && !parameters.contains_key("return_url") {
        parameters.insert("success_url".into(), Value::from(LANDING));
    }
}

/// Cancelling is a DELETE when it takes effect now and an update when it waits for the end of the period.
///
/// A DELETE carries no idempotency key, so a repeated one finds no live subscription: when the subscription turns
/// out to be cancelled, the step has done what it is for.
pub fn cancel_subscription(session: &Session<'_>, operation: &Operation, input: &Input) -> Result<Answer> {
    let [subscription] = input.path.as_slice() else {
        return Err(Error::new(ErrorKind::Other, "the manifest gives `subscription.cancel` no subscription"));
    };
    let path = format!("/v1/subscriptions/{}", form::escape(subscription));
    if input.extra.get("at_period_end") == Some(&json!(true)) {
        if let Some(name) = ["invoice_now", "prorate"].into_iter().find(|n| input.parameters.contains_key(*n)) {
            return Err(Error::input(name, format!("`{name}` only applies when the subscription ends at once"))
                .hint("Leave it out, or leave `at_period_end` out."));
        }
        let mut parameters = input.parameters.clone();
        parameters.insert("cancel_at_period_end".into(), json!(true));
        let idempotency_key = Some(session.idempotency_key(operation.id, 0)?);
        return session.client().send(&Call {
            method: Method::Post,
            path,
            form: form::encode(&parameters),
            idempotency_key,
        });
    }
    let refused = match send(session, operation, input) {
        Err(error) if error.kind == ErrorKind::NotFound => error,
        result => return result,
    };
    let look = Call { method: Method::Get, path, form: String::new(), idempotency_key: None };
    match session.client().send(&look) {
        Ok(mut answer) if is_canceled(&answer.body) => {
            answer.replayed = true;
            answer.attempts += refused.attempts;
            Ok(answer)
        }
        _ => Err(refused),
    }
}

fn is_canceled(body: &str) -> bool {
    serde_json::from_str::<Value>(body).is_ok_and(|s| s.at("status") == "canceled")
}
