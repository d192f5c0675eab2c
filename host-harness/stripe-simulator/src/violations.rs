//! Answers that were not what the facts say, when the simulator is asked to look.
//!
//! Every answer of the API and every event on its way to an endpoint is held against the facts after it is made;
//! what is wrong is noted here for tests to read, and the answer is sent as it is.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use stripe_facts::Shape;

use crate::conformance;

/// An answer, or a delivery, that was not what the API's description says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The HTTP method of the request or of the delivery, upper case.
    pub method: String,
    /// The path of the request; the URL of the endpoint for a delivery.
    pub path: String,
    /// The first thing that is wrong, with the path to it in the body.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method, self.path, self.problem)
    }
}

/// Violations that are remembered: more of them tell nothing new.
const REMEMBERED: usize = 1000;

/// Looks at answers, when that is asked for, and remembers what was wrong with them.
#[derive(Debug)]
pub(crate) struct Violations {
    looking: bool,
    noted: Mutex<VecDeque<Violation>>,
}

/// An answer of the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// What a success returns.
    pub(crate) shape: Option<&'a Shape>,
    pub(crate) version: &'a str,
    pub(crate) status: u16,
    /// Whether a failure of the server was asked for.
    pub(crate) fault: bool,
    pub(crate) body: &'a [u8],
}

impl Violations {
    pub(crate) fn new(looking: bool) -> Self {
        Self { looking, noted: Mutex::default() }
    }

    /// Whether anybody wants to know.
    pub(crate) fn looking(&self) -> bool {
        self.looking
    }

    /// Holds an answer against what its operation returns.
    pub(crate) fn answer(&self, answered: &Answered<'_>) {
        if let Err(problem) = check(answered) {
            self.note(answered.method, answered.path, problem);
        }
    }

    /// Holds an event on its way to an endpoint against the facts.
    pub(crate) fn delivery(&self, url: &str, text: &[u8]) {
        if !self.looking {
            return;
        }
        let event: Value = serde_json::from_slice(text).unwrap_or_default();
        if let Err(problem) = conformance::check_complete(&event) {
            self.note("POST", url, problem);
        }
    }

    /// What is noted, oldest first.
    pub(crate) fn all(&self) -> Vec<Violation> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn note(&self, method: &str, path: &str, problem: String) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < REMEMBERED {
            noted.push_back(Violation { method: method.to_owned(), path: path.to_owned(), problem });
        }
    }
}

fn check(answered: &Answered<'_>) -> Result<(), String> {
    let Answered { status, version, path, .. } = *answered;
    let success = (200..300).contains(&status);
    if success && answered.shape == Some(&Shape::Any) {
        // Files are sent as they are.
        return Ok(());
    }
    if !success && !(400..500).contains(&status) && !answered.fault {
        return Err(format!("status {status}, which nobody asked for"));
    }
    let body: Value = serde_json::from_slice(answered.body).map_err(|e| format!("the body is no JSON: {e}"))?;
    if !success {
        return conformance::check_answer(None, version, path, &body);
    }
    let shape = answered.shape.ok_or_else(|| "no operation of the API, and yet a success".to_owned())?;
    conformance::check_answer(Some(shape), version, path, &body)
}

#[cfg(test)]
mod tests {
    use stripe_facts::{Facts, Method};

    use super::*;

    fn noted(status: u16, body: &str) -> Vec<String> {
        let violations = Violations::new(true);
        let operation = Facts::bundled().operation(Method::Delete, "/v1/customers/{customer}").unwrap();
        violations.answer(&Answered {
            method: "DELETE",
            path: "/v1/customers/cus_1",
            shape: Some(&operation.response),
            version: &Facts::bundled().api_version,
            status,
            fault: false,
            body: body.as_bytes(),
        });
        violations.all().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_noted_with_its_request() {
        let good = r#"{"id":"cus_1","object":"customer","deleted":true}"#;
        assert_eq!(noted(200, good), Vec::<String>::new());
        let more = r#"{"id":"cus_1","object":"customer","deleted":true,"name":null}"#;
        let problem = "DELETE /v1/customers/cus_1: answer.name: a deleted object has no such member";
        assert_eq!(noted(200, more), [problem]);
        let error = r#"{"error":{"message":"No such customer: 'cus_1'","type":"invalid_request_error"}}"#;
        assert_eq!(noted(404, error), Vec::<String>::new());
        for (status, body) in [(500, error), (404, good), (200, error), (404, "no JSON"), (302, error)] {
            assert_eq!(noted(status, body).len(), 1, "{status} {body}");
        }
    }

    #[test]
    fn deliveries_are_looked_at_only_when_that_is_asked_for() {
        for (looking, count) in [(true, 1), (false, 0)] {
            let violations = Violations::new(looking);
            violations.delivery("http://127.0.0.1:9/", br#"{"object":"event"}"#);
            assert_eq!(violations.all().len(), count);
        }
    }
}
