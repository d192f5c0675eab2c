//! The one request of an operation.

use serde_json::{Map, Value};

use stripe_table::Base;

use super::session::Session;
use super::usage_stream;
use crate::catalogue::{Method, Operation, Shape};
use crate::error::Result;
use crate::input::Input;
use crate::stripe::client::{Answer, Call, Expected, Payload};
use crate::stripe::form;

/// Sends an operation's request, with its path filled in.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn send(session: &Session<'_>, operation: Operation, input: &Input) -> Result<Answer> {
    let request = operation.request();
    let reads = operation.reads();
    let key = if reads { None } else { session.idempotency_key(request.method(), request.path(), 0)? };
    let payload = match &input.file {
        Some((field, file)) => Payload::upload(&input.parameters, field, file, key.as_deref().unwrap_or_default()),
        None => Payload::new(request.method(), request.encoding(), &input.parameters),
    };
    session.client().send(&Call {
        method: request.method(),
        base: request.base(),
        path: filled(request.path(), &input.path),
        payload,
        token: match request.base() {
            Base::MeterEvents => Some(usage_stream::token(session)?),
            _ => None,
        },
        idempotency_key: key,
        reads,
        expected: match request.response() {
            _ if request.binary() => Expected::File,
            Shape::Pages(_) => Expected::Page,
            // What is removed in v2 leaves its id.
            Shape::Any if request.method() == Method::Post => Expected::Nothing,
            _ => Expected::Object,
        },
        path_fields: request.path_names().zip(operation.path_fields()).collect(),
    })
}

/// Changes the object of an operation's path by a POST to another path of the API, which has the same placeholders.
///
/// # Errors
/// Stripe's refusal; no answer.
pub fn post(
    session: &Session<'_>,
    operation: Operation,
    template: &'static str,
    input: &Input,
    parameters: &Map<String, Value>,
) -> Result<Answer> {
    let key = session.idempotency_key(Method::Post, template, 0)?;
    let payload = Payload::form(form::encode(parameters));
    let mut call = Call::write(Method::Post, filled(template, &input.path), payload, key);
    call.path_fields = operation.request().path_names().zip(operation.path_fields()).collect();
    session.client().send(&call)
}

/// A path with its placeholders filled in, each value escaped.
pub fn filled(template: &str, values: &[String]) -> String {
    let mut values = values.iter();
    let mut path = String::with_capacity(template.len() + 32);
    for segment in template.split('/').skip(1) {
        path.push('/');
        if segment.starts_with('{') {
            path.push_str(&values.next().map(|v| form::escape(v)).unwrap_or_default());
        } else {
            path.push_str(segment);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_path_stays_one_part_of_it() {
        let path = |template, value: &str| filled(template, &[value.to_owned()]);
        assert_eq!(path("/v1/customers/{customer}", "cus_1"), "/v1/customers/cus_1");
        assert_eq!(path("/v1/plans/{plan}/x", "25% a/b?c#d"), "/v1/plans/25%25%20a%2Fb%3Fc%23d/x");
        assert_eq!(path("/v1/plans/{plan}", "com.example.gold"), "/v1/plans/com.example.gold");
        assert_eq!(filled("/v1/balance", &[]), "/v1/balance");
    }
}
