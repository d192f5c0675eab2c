//! What is wrong before anything is sent: it is refused, with a complete error, and without a request.

use host::contract::{ErrorKind, Operation, OperationKind};
use serde_json::Value;

use crate::report::{Check, Findings};
use crate::subject::{Refused, Subject, incomplete};

const NOBODYS: &str = "no.such.operation.anywhere";

/// An operation that does not exist is said not to exist.
pub(crate) async fn unknown(subject: &Subject) -> Check {
    let mut findings = Findings::default();
    let name = ("errors", "an operation that does not exist is refused with a complete error");
    let call = match subject.call(None) {
        Ok(call) => call,
        Err(reason) => {
            findings.broken(reason);
            return findings.named(name.0, name.1);
        }
    };
    let (connector, id) = (&subject.connector, NOBODYS);
    let answers = [
        (
            "describe",
            subject
                .heard("describe", connector.describe_operation(host::contract::DescribeRequest::shown(id)).await)
                .err(),
        ),
        ("actions.run", subject.heard("actions.run", connector.run_action(&call, id, "{}").await).err()),
        ("queries.run", subject.heard("queries.run", connector.run_query(&call, id, "{}", None).await).err()),
        ("sample", subject.heard("sample", connector.sample(id).await).err()),
    ];
    for (what, refused) in answers {
        match refused {
            None => findings.broken(format!("{what}: {id} was taken")),
            Some(refused) => of_kind(&mut findings, what, &refused, &ErrorKind::UnknownOperation),
        }
    }
    findings.named(name.0, name.1)
}

/// Input that is not what the schema says is refused.
pub(crate) async fn refused(subject: &Subject, operations: &[Operation]) -> Check {
    let mut findings = Findings::default();
    let name = ("bad-input", "input that is wrong is refused with a complete error, and without a request");
    for operation in operations {
        let (id, kind) = (&operation.summary.id, operation.summary.kind);
        if kind == OperationKind::Trigger {
            continue;
        }
        let call = match subject.call(None) {
            Ok(call) => call,
            Err(reason) => {
                findings.broken(reason);
                break;
            }
        };
        for input in wrong(operation) {
            let what = format!("{id} with {input}");
            let refused = match kind {
                OperationKind::Query => {
                    subject.heard(&what, subject.connector.run_query(&call, id, &input, None).await).err()
                }
                _ => subject.heard(&what, subject.connector.run_action(&call, id, &input).await).err(),
            };
            match refused {
                None => findings.broken(format!("{what}: it was taken")),
                Some(refused) => of_kind(&mut findings, &what, &refused, &ErrorKind::InvalidInput),
            }
        }
    }
    findings.named(name.0, name.1)
}

/// Inputs that cannot be right.
fn wrong(operation: &Operation) -> Vec<String> {
    let mut wrong = vec!["{\"a\":".to_owned(), "[]".to_owned(), "null".to_owned()];
    let schema: Value = serde_json::from_str(&operation.input_schema).unwrap_or_default();
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        wrong.push("{\"no_field_has_this_name\": 1}".to_owned());
    }
    if schema.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty()) {
        wrong.push("{}".to_owned());
    }
    wrong
}

fn of_kind(findings: &mut Findings, what: &str, refused: &Refused, kind: &ErrorKind) {
    match refused {
        Refused::Platform(reason) => findings.broken(reason),
        Refused::Error(error, report) => match incomplete(error, report) {
            Some(reason) => findings.broken(format!("{what}: {reason}")),
            None => findings.that(error.kind == *kind, || {
                format!("{what}: the error is of the kind {}, not {}", error.kind.name(), kind.name())
            }),
        },
    }
}
