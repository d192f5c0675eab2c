//! One call to the API: headers, retries within a deadline, and an answer or an error that says what was done.
//!
//! What an exchange says is decided in `exchange`, what is known after it in `standing`, what is told of it in
//! `failure`. Here is the order of events: one key throughout, no attempt that has no time to be answered, none under a
//! key that protects no more, and no success that is forgotten.

use std::cell::Cell;

use super::exchange::{Exchange, Success};
use super::failure;
use super::file::File;
use super::idempotency::{self, History};
use super::key::{KeyKind, SecretKey, SessionToken};
use super::namespace::Namespace;
use super::retry;
use super::standing::Standing;
use super::transport::{ApiBase, Clock, Failure, HttpRequest, HttpResponse, Timeouts, Transport};
use crate::catalogue;
use crate::error::{Error, Result};
use crate::json::{self, Scanned};

pub use super::call::{Call, Expected, Payload};

/// Whom calls act for, and by what means.
pub struct Client<'a> {
    /// Carries requests.
    pub transport: &'a dyn Transport,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// The key.
    pub key: &'a SecretKey,
    /// The connected account, for `Stripe-Account`, or `Stripe-Context` in v2 and with an organisation's key.
    pub account: Option<&'a str>,
    /// Where the API is.
    pub base: &'a ApiBase,
    /// When the whole call has to be over, on the clock's monotonic scale.
    pub deadline_ms: u64,
    /// What is known of earlier tries of the same invocation.
    pub history: Option<History>,
    /// How many requests the invocation has sent in this call, by whatever client.
    pub sent: &'a Cell<u32>,
}

/// A success.
#[derive(Debug)]
pub struct Answer {
    /// What Stripe answered. For a file, an object that tells of it.
    pub body: Scanned,
    /// The file that was asked for.
    pub file: Option<File>,
    /// Stripe's id of the request.
    pub request_id: Option<String>,
    /// What Stripe's clock showed, as its `Date` header has it.
    pub date: Option<String>,
    /// Whether Stripe answered from an earlier execution of the key.
    pub replayed: bool,
    /// The key that was sent.
    pub idempotency_key: Option<String>,
    /// Until when Stripe knows that key, in Unix seconds.
    pub key_protects_until: Option<u64>,
    /// What else is said: names and JSON values.
    pub extras: Vec<(String, String)>,
}

/// The largest success that is kept while Stripe is asked again for it.
const KEPT_BYTES: usize = 1024 * 1024;

impl Client<'_> {
    /// Sends a request until it has an answer, at most as often as the SDKs would, with one key throughout.
    ///
    /// # Errors
    /// Stripe's error, or why there is no answer; in either case with what the invocation has done.
    pub fn send(&self, call: &Call) -> Result<Answer> {
        let line = call.line()?;
        let until = call
            .idempotency_key
            .as_ref()
            .map(|_| idempotency::protects_until(call.namespace(), self.history, self.clock.unix_seconds()));
        let in_doubt = !call.reads && self.history.is_some_and(|h| h.in_doubt);
        let mut standing = if in_doubt { Standing::InDoubt } else { Standing::NothingLeft };
        let mut kept = None;
        let mut last = LastAnswer::default();
        let mut attempt = 0;
        loop {
            attempt += 1;
            // An earlier try's key that is forgotten would do the work a second time.
            if let Some(until) = until.filter(|u| in_doubt && *u <= self.clock.unix_seconds()) {
                return self.finish(call, kept, last, Some(until), failure::expired(until));
            }
            if self.left_ms() == 0 {
                return self.finish(call, kept, last, until, failure::no_time(call, standing, until));
            }
            let result = self.exchange(call, &line);
            if !matches!(result, Err(Failure::Denied(_) | Failure::Unsendable(_))) {
                self.sent.set(self.sent.get().saturating_add(1));
            }
            let failed = match Exchange::of(call, result) {
                Exchange::Success(success) => {
                    let again = retry::after_success(&success.head) && success.body.text().len() <= KEPT_BYTES;
                    let wait = if again { self.wait(attempt, Some(&success.head)) } else { None };
                    let answer = self.answer(call, success, until);
                    let Some(wait) = wait else { return Ok(answer) };
                    kept = Some(answer);
                    self.clock.sleep_ms(wait);
                    continue;
                }
                Exchange::Failed(failed) => failed,
            };
            standing = standing.after(failed.verdict(call.reads), call.idempotency_key.is_some());
            last.note(failed.response());
            let again = retry::after_failure(&failed);
            match if again { self.wait(attempt, failed.response()) } else { None } {
                Some(wait) => self.clock.sleep_ms(wait),
                None => return self.finish(call, kept, last, until, failure::error(&failed, call, standing, until)),
            }
        }
    }

    /// What is left of the call's time.
    fn left_ms(&self) -> u64 {
        self.deadline_ms.saturating_sub(self.clock.monotonic_ms())
    }

    /// How long to wait before another attempt; none where there is none, or no time for it.
    fn wait(&self, attempt: u32, response: Option<&HttpResponse>) -> Option<u64> {
        let asked = response.and_then(retry::asked_for);
        let delay = retry::delay_ms(attempt, self.clock.chance(), asked);
        (attempt <= retry::MAXIMUM && self.left_ms() >= delay + retry::USEFUL_MS).then_some(delay)
    }

    fn exchange(&self, call: &Call, line: &str) -> std::result::Result<HttpResponse, Failure> {
        let accept = if call.expected == Expected::File { "*/*" } else { "application/json" };
        let mut headers: Vec<(&'static str, String)> = vec![
            (
                "Authorization",
                call.token.as_ref().map_or_else(|| self.key.authorization(), SessionToken::authorization),
            ),
            ("Stripe-Version", catalogue::API_VERSION.to_owned()),
            ("User-Agent", ["stripe-connector/", catalogue::VERSION].concat()),
            ("Accept", accept.to_owned()),
        ];
        if let Some(account) = self.account {
            // v2 and organisations' keys know the newer header only; for one account both mean the same.
            let newer = self.key.kind == KeyKind::Organisation || call.namespace() == Namespace::V2;
            headers.push((if newer { "Stripe-Context" } else { "Stripe-Account" }, account.to_owned()));
        }
        let body = match &call.payload {
            Payload::Body { content_type, bytes } => {
                headers.push(("Content-Type", content_type.to_string()));
                headers.push(("Content-Length", bytes.len().to_string()));
                Some(bytes.as_slice())
            }
            Payload::Query(_) => None,
        };
        if let Some(key) = &call.idempotency_key {
            headers.push(("Idempotency-Key", key.clone()));
        }
        let left = self.left_ms();
        let timeouts = Timeouts {
            connect: left.min(catalogue::FIRST_BYTE_TIMEOUT_MS),
            first_byte: left.min(catalogue::FIRST_BYTE_TIMEOUT_MS),
            between_bytes: left.min(catalogue::BETWEEN_BYTES_TIMEOUT_MS),
        };
        self.transport.send(&HttpRequest {
            method: call.method,
            base: &self.base.serving(call.base),
            path: line,
            headers: &headers,
            body,
            timeouts,
            deadline_ms: self.deadline_ms,
        })
    }

    fn answer(&self, call: &Call, success: Success, until: Option<u64>) -> Answer {
        let Success { head, body, file } = success;
        let replayed = head.is_replay();
        let mut extras = Vec::new();
        if let Some(id) = head.header("original-request").filter(|_| replayed) {
            extras.push(("original-request".to_owned(), json::quoted(id)));
        }
        Answer {
            body,
            file,
            request_id: head.header("request-id").map(str::to_owned),
            date: head.header("date").map(str::to_owned),
            replayed,
            idempotency_key: call.idempotency_key.clone(),
            key_protects_until: until,
            extras,
        }
    }

    /// The end of a call without success in its last exchange: an earlier one counts.
    fn finish(
        &self,
        call: &Call,
        kept: Option<Answer>,
        last: LastAnswer,
        until: Option<u64>,
        mut error: Box<Error>,
    ) -> Result<Answer> {
        if let Some(answer) = kept {
            return Ok(answer);
        }
        error.attempts = self.sent.get();
        error.idempotency_key = call.idempotency_key.clone();
        error.key_protects_until = until;
        error.http_status = error.http_status.or(last.status);
        error.request_id = error.request_id.take().or(last.request_id);
        error.map_texts(|text| match &call.token {
            Some(token) => token.redact(self.key.redact(text)),
            None => self.key.redact(text),
        });
        Err(error)
    }
}

/// The last answer of a call, for an error whose own exchange had none.
#[derive(Default)]
struct LastAnswer {
    status: Option<u16>,
    request_id: Option<String>,
}

impl LastAnswer {
    fn note(&mut self, response: Option<&HttpResponse>) {
        if let Some(response) = response {
            self.status = Some(response.status);
            self.request_id = response.header("request-id").map(str::to_owned);
        }
    }
}
