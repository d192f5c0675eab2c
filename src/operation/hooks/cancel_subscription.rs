//! Cancelling is a DELETE when it takes effect now and an update when it waits for the end of the period.
//!
//! A DELETE carries no idempotency key, so a repeated one finds no live subscription. Whether that is because this step
//! has ended it already shows when one looks: a subscription that is cancelled is what the step is for. Where the look
//! fails, what was known before it stays: after a lost answer, that is nothing.

use serde_json::Value;

use super::hook::Hook;
use crate::catalogue::Operation;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::input::Input;
use crate::json::Node;
use crate::operation::request;
use crate::operation::session::Session;
use crate::stripe::client::{Answer, Call};

/// Ends a subscription now or at the end of its period, and takes one that has ended already as done.
pub static HOOK: Hook = Hook {
    before: Some(before),
    send: Some(send),
    after: Some(after),
    finds_it_done: true,
    meaningless: Some(meaningless),
};

const AT_PERIOD_END: &str = "at_period_end";
/// What applies only when it ends at once.
const AT_ONCE: [&str; 2] = ["invoice_now", "prorate"];

fn waits(input: &Input) -> bool {
    input.extra.get(AT_PERIOD_END) == Some(&Value::Bool(true))
}

fn meaningless(_: Operation, input: Node<'_, '_>) -> Vec<&'static str> {
    let waits = input.get(AT_PERIOD_END).and_then(Node::as_bool) == Some(true);
    if waits { AT_ONCE.to_vec() } else { Vec::new() }
}

fn before(input: &mut Input) -> Result<()> {
    match AT_ONCE.into_iter().find(|name| waits(input) && input.parameters.contains_key(*name)) {
        Some(name) => {
            Err(Error::input(name, ["`", name, "` only applies when the subscription ends at once"].concat())
                .hint(["Leave it out, or leave `", AT_PERIOD_END, "` out."].concat()))
        }
        None => Ok(()),
    }
}

fn send(session: &Session<'_>, operation: Operation, input: &Input) -> Result<Answer> {
    if !waits(input) {
        return request::send(session, operation, input);
    }
    let mut parameters = input.parameters.clone();
    parameters.insert("cancel_at_period_end".into(), Value::Bool(true));
    request::post(session, operation, operation.request().path(), input, &parameters)
}

fn after(session: &Session<'_>, operation: Operation, input: &Input, answer: Result<Answer>) -> Result<Answer> {
    let mut refused = match answer {
        Err(error) if error.kind == ErrorKind::NotFound && !waits(input) => error,
        answer => return answer,
    };
    let look = Call::read(request::filled(operation.request().path(), &input.path), "");
    match session.client().send(&look) {
        Ok(mut found) if found.body.root().get("status").is_some_and(|s| s.str_eq("canceled")) => {
            found.replayed = true;
            return Ok(found);
        }
        Ok(_) => {}
        Err(look) if refused.outcome == Outcome::Unknown && look.kind != ErrorKind::NotFound => {
            refused.hint = Some(
                [
                    "Whether this step has ended the subscription could not be looked up (",
                    &look.message,
                    "). Run it again: it looks again.",
                ]
                .concat(),
            );
        }
        Err(_) => {}
    }
    refused.attempts = session.attempts();
    Err(refused)
}
