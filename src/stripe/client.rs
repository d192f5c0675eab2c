//! One call to the API: headers, retries within a deadline, and an answer or an error that says what was done.
//!
//! The state that matters over several attempts is whether an earlier one *may* have been executed. Once that is
//! so, only an answer that Stripe gives for the key itself settles it; everything else ends as *unknown*.

use super::failure::{self, Doubt};
use super::transport::{ApiBase, Clock, Failure, HttpRequest, HttpResponse, Timeouts, Transport};
use super::{key::SecretKey, retry};
use crate::catalog::{self, Method};
use crate::error::{Error, ErrorKind, Outcome, Result, Retry};

/// Whom calls act for, and by what means.
pub struct Client<'a> {
    /// Carries requests.
    pub transport: &'a dyn Transport,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// The key.
    pub key: &'a SecretKey,
    /// The connected account, for `Stripe-Account`, or `Stripe-Context` with an organisation's key.
    pub account: Option<&'a str>,
    /// Where the API is.
    pub base: &'a ApiBase,
    /// When the whole call has to be over, on the clock's monotonic scale.
    pub deadline_ms: u64,
}

/// A request in Stripe's terms.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, its placeholders filled in.
    pub path: String,
    /// The parameters, form-encoded: the query of a GET or DELETE, the body of a POST.
    pub form: String,
    /// The idempotency key of a POST.
    pub idempotency_key: Option<String>,
}

/// A success.
#[derive(Debug)]
pub struct Answer {
    /// The body, which is JSON.
    pub body: String,
    /// Stripe's id of the request.
    pub request_id: Option<String>,
    /// Whether Stripe answered from an earlier execution of the key.
    pub replayed: bool,
    /// How many requests were sent.
    pub attempts: u32,
    /// The key that was sent.
    pub idempotency_key: Option<String>,
}

impl Client<'_> {
    /// Sends a request until it has an answer, at most as often as the SDKs would, with one key throughout.
    ///
    /// # Errors
    /// Stripe's error, or why there is no answer; in either case with what the call has done.
    pub fn send(&self, call: &Call) -> Result<Answer> {
        let mut attempts = 0;
        // Whether an attempt so far may have been executed without our having its answer.
        let mut in_doubt = false;
        loop {
            let result = self.exchange(call);
            attempts += u32::from(!matches!(&result, Err(Failure::Denied(_))));
            let again = match &result {
                Ok(response) => retry::after_answer(response),
                Err(failure) => retry::after_failure(failure),
            };
            if again && attempts <= retry::MAXIMUM {
                let delay = retry::delay_ms(attempts, self.clock.chance());
                if self.clock.monotonic_ms() + delay < self.deadline_ms {
                    in_doubt |= call.method != Method::Get && leaves_doubt(&result);
                    self.clock.sleep_ms(delay);
                    continue;
                }
            }
            return match result {
                Ok(response) if (200..300).contains(&response.status) => self.success(call, response, attempts),
                Ok(response) => {
                    Err(self.finish(call, failure::from_answer(&response, doubt(call, in_doubt)), attempts))
                }
                Err(failure) => Err(self.finish(call, failure::from_transport(&failure, in_doubt), attempts)),
            };
        }
    }

    fn exchange(&self, call: &Call) -> std::result::Result<HttpResponse, Failure> {
        let mut headers: Vec<(&'static str, String)> = vec![
            ("Authorization", self.key.authorization()),
            ("Stripe-Version", catalog::API_VERSION.to_owned()),
            ("User-Agent", format!("stripe-connector/{}", catalog::VERSION)),
            ("Accept", "application/json".to_owned()),
        ];
        if let Some(account) = self.account {
            let organisation = self.key.kind == super::key::KeyKind::Organisation;
            headers.push((if organisation { "Stripe-Context" } else { "Stripe-Account" }, account.to_owned()));
        }
        let (path, body) = match call.method {
            Method::Post => (None, Some(call.form.as_bytes())),
            Method::Get | Method::Delete if call.form.is_empty() => (None, None),
            Method::Get | Method::Delete => (Some(format!("{}?{}", call.path, call.form)), None),
        };
        if let Some(body) = body {
            headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
            headers.push(("Content-Length", body.len().to_string()));
        }
        if let Some(key) = &call.idempotency_key {
            headers.push(("Idempotency-Key", key.clone()));
        }
        let left = self.deadline_ms.saturating_sub(self.clock.monotonic_ms()).max(1);
        let timeouts = Timeouts {
            connect: left.min(catalog::FIRST_BYTE_TIMEOUT_MS),
            first_byte: left.min(catalog::FIRST_BYTE_TIMEOUT_MS),
            between_bytes: left.min(catalog::BETWEEN_BYTES_TIMEOUT_MS),
        };
        self.transport.send(&HttpRequest {
            method: call.method,
            base: self.base,
            path: path.as_deref().unwrap_or(&call.path),
            headers: &headers,
            body,
            timeouts,
        })
    }

    fn success(&self, call: &Call, response: HttpResponse, attempts: u32) -> Result<Answer> {
        let header = |name| response.header(name).map(str::to_owned);
        let request_id = header("request-id");
        let replayed = response.header("idempotent-replayed") == Some("true");
        match String::from_utf8(response.body).ok().filter(|b| serde_json::from_str::<serde::de::IgnoredAny>(b).is_ok())
        {
            Some(body) => {
                Ok(Answer { body, request_id, replayed, attempts, idempotency_key: call.idempotency_key.clone() })
            }
            None => {
                let mut error = Error::new(ErrorKind::Service, "Stripe did what was asked, and its answer is not JSON")
                    .hint("Look the request up in Stripe's log by its id; running the step again returns the same answer.");
                error.outcome = Outcome::Committed;
                error.retry = Retry::SameKey;
                error.http_status = Some(response.status);
                error.request_id = request_id;
                Err(self.finish(call, error, attempts))
            }
        }
    }

    fn finish(&self, call: &Call, mut error: Box<Error>, attempts: u32) -> Box<Error> {
        error.attempts = attempts;
        error.idempotency_key = call.idempotency_key.clone();
        error.message = self.key.redact(error.message);
        error.hint = error.hint.map(|h| self.key.redact(h));
        error
    }
}

fn doubt(call: &Call, in_doubt: bool) -> Doubt {
    match (in_doubt, &call.idempotency_key) {
        (false, _) => Doubt::None,
        (true, Some(_)) => Doubt::UntilKeyAnswers,
        (true, None) => Doubt::Stays,
    }
}

/// Whether an attempt that is being repeated may have been executed.
fn leaves_doubt(result: &std::result::Result<HttpResponse, Failure>) -> bool {
    match result {
        Ok(response) => failure::leaves_doubt(response),
        Err(Failure::Broken(_) | Failure::TimedOut(_) | Failure::TooLarge(_)) => true,
        Err(Failure::Denied(_) | Failure::Unreachable(_)) => false,
    }
}
