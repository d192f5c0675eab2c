//! A delivery: a request comes in, the connector says what it is, its events become durable, and only then is it answered.
//!
//! What is answered tells the sender what to do: 200 for taken (and for what was taken before, or concerns no trigger), 400
//! for what is not genuine, 408, 413 and 415 for bodies without an end, a bound or JSON, 503 for what could not be decided
//! or kept in time, so that it is sent again. Where the connector says what its service wants to hear (a handshake), that
//! is the answer.

use std::time::{Duration, Instant};

use guard::Stopped;
use host::CallError;
use host::contract::{ErrorKind, Receipt, WebhookRequest};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::answer::{Answer, given, later, said};
use crate::body;
use crate::metrics::Delivered;
use crate::news::{News, Via};
use crate::shared::Shared;
use crate::source::Source;

/// So long a sender waits until its event is taken. Services give up after ten seconds and more, and send it again.
const TAKING: Duration = Duration::from_secs(8);

/// So many are checked and written at once; more wait for their turn, and as long as one may take.
const AT_ONCE: usize = 256;

/// Where deliveries are taken.
pub(crate) struct Desk {
    turns: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE) }
    }
}

/// What became of a delivery.
struct Outcome {
    answer: Answer,
    what: Delivered,
}

impl Desk {
    /// Answers one delivery.
    pub(crate) async fn receive(&self, shared: &Shared, source: &Source, request: Request<Incoming>) -> Answer {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let Outcome { answer, what } = match body::read(&head.headers, body).await {
            Err(answer) => unread(shared, source, *answer),
            Ok(body) => match timeout(TAKING, self.take(shared, source, head, body.into())).await {
                Ok(outcome) => outcome,
                Err(_) => failed(shared, source, &format!("it was not taken within {} s", TAKING.as_secs())),
            },
        };
        if let Some(figures) = shared.figures(source) {
            figures.delivered(what);
            figures.delivery.add(began.elapsed());
        }
        answer
    }

    async fn take(&self, shared: &Shared, source: &Source, head: http::request::Parts, body: Vec<u8>) -> Outcome {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let request = WebhookRequest {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body,
        };
        let Ok(call) = source.checking_call() else { return failed(shared, source, "there are no random bytes") };
        let (state, uses) = (source.expected.state(), source.expected.uses().to_vec());
        match source.connector.receive(&call, state.as_ref(), uses, request).await {
            Ok(reply) => keep(shared, source, reply.value).await,
            Err(Stopped::Failed(CallError::Connector(failure))) if failure.error.kind == ErrorKind::Signature => {
                let error = &failure.error;
                refused(shared, source, StatusCode::BAD_REQUEST, &harmless(&error.message), Some(error))
            }
            Err(error) => failed(shared, source, &error.to_string()),
        }
    }
}

/// Writes down what a genuine request held, and says what is due for it.
async fn keep(shared: &Shared, source: &Source, receipt: Receipt) -> Outcome {
    let due = match receipt.response.as_ref().map(given) {
        None => said(StatusCode::OK, "ok\n"),
        Some(Some(answer)) => answer,
        Some(None) => return failed(shared, source, "the connector's own answer is no HTTP answer"),
    };
    let taken = match shared.keep(source, &receipt.events, Via::Webhook).await {
        Ok(taken) => taken,
        Err(store::Error::Unfit(what)) => {
            let reason = format!("{what} has a character that nothing can keep");
            return refused(shared, source, StatusCode::BAD_REQUEST, &reason, None);
        }
        Err(error) => return failed(shared, source, &error.to_string()),
    };
    for event in &receipt.ignored {
        shared.tell(source, &News::Ignored { event });
    }
    if let Some(response) = &receipt.response {
        shared.tell(source, &News::Answered { status: response.status });
    }
    Outcome { answer: due, what: result(&receipt, &taken) }
}

/// The one word for a request: that of the event that mattered most.
fn result(receipt: &Receipt, taken: &[store::Taken]) -> Delivered {
    if taken.iter().any(|taken| taken.first) {
        Delivered::Taken
    } else if !taken.is_empty() {
        Delivered::Known
    } else if receipt.response.is_some() {
        Delivered::Answered
    } else {
        Delivered::Ignored
    }
}

/// Not readable, and answered so.
fn unread(shared: &Shared, source: &Source, answer: Answer) -> Outcome {
    let status = answer.status();
    let reason = format!("answered {status}");
    tracing::info!(source = %source.name, %status, "a request was not read");
    shared.tell(source, &News::Refused { status: status.as_u16(), reason: &reason, error: None });
    Outcome { answer, what: Delivered::Refused }
}

fn refused(
    shared: &Shared,
    source: &Source,
    status: StatusCode,
    reason: &str,
    error: Option<&host::contract::Error>,
) -> Outcome {
    tracing::info!(source = %source.name, %reason, "a request was refused");
    shared.tell(source, &News::Refused { status: status.as_u16(), reason, error });
    Outcome { answer: said(status, format!("refused: {reason}\n")), what: Delivered::Refused }
}

/// Not decided, or not kept: it must come again.
fn failed(shared: &Shared, source: &Source, reason: &str) -> Outcome {
    tracing::warn!(source = %source.name, %reason, "a request was not taken");
    shared.tell(source, &News::Failed { reason });
    Outcome { answer: later(), what: Delivered::Failed }
}

/// A component's text as a line of an answer.
fn harmless(text: &str) -> String {
    const LONGEST: usize = 500;
    text.chars().take(LONGEST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
