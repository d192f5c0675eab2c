//! Webhooks over HTTP: a request comes in, the connector says what it is, whoever receives takes it, and only then is it
//! answered.
//!
//! What is answered tells the sender what to do: 200 for taken (and for what was taken before, or concerns no trigger),
//! 400 for what is not genuine, 408 and 413 for bodies without an end, 503 for what could not be decided or was not taken
//! in time, so that it is sent again. Where the connector says what its service wants to hear (a handshake), that is the
//! answer. What was taken is remembered by the event's id for as long as the process lives, and the newest ten thousand at
//! most.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use host::contract::{ErrorKind, SubscriptionState, TriggerUse, WebhookRequest, WebhookResponse};
use host::{Call, CallError, Connection, Connector, Invocation};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::cli::failure::Failure;
use crate::cli::receiver::inbox::{Delivery, Inbox, Slot, inbox};
use crate::cli::receiver::listen::{Bounds, listen};
use crate::cli::terminal::one_line;

/// Below every path of this.
pub const PATH: &str = "/webhooks";

/// Events are a few kilobytes; no service sends a megabyte.
const MOST_BYTES: usize = 1 << 20;

/// So long a body may take: services send theirs at once.
const BODY: Duration = Duration::from_secs(10);

/// So long a sender waits until its event is taken. Services give up after ten seconds and more, and send it again.
const TAKING: Duration = Duration::from_secs(8);

/// What deliveries are checked with, and held against.
#[derive(Clone, Default)]
pub struct Expected {
    state: Arc<Mutex<Option<SubscriptionState>>>,
    uses: Arc<[TriggerUse]>,
}

impl Expected {
    /// The deliveries of a subscription, for these uses of triggers; without any, for every trigger.
    pub fn of(state: SubscriptionState, uses: Vec<TriggerUse>) -> Self {
        Self { state: Arc::new(Mutex::new(Some(state))), uses: uses.into() }
    }

    /// The subscription was made anew: from now on its deliveries are checked with this.
    pub fn replace(&self, state: SubscriptionState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// What the subscription has to remember; none where the connection's own secret counts.
    pub fn state(&self) -> Option<SubscriptionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An address that was taken, with nobody answering yet.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
}

/// What every request is answered with.
struct Service {
    connector: Connector,
    connection: Connection,
    expected: Expected,
    slot: Slot,
    status: String,
}

impl Receiver {
    pub async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Machine(format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the service delivers when it runs on this machine.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}{PATH}/{name}", self.address)
    }

    /// Begins to answer, until `stop`. The task ends when the last answer is out.
    pub fn serve(
        self,
        connector: Connector,
        connection: Connection,
        expected: Expected,
        bounds: Bounds,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> (Inbox, tokio::task::JoinHandle<()>) {
        let (slot, inbox) = inbox();
        let status = format!("{} is listening; POST webhooks to {PATH}/…\n", one_line(&connector.manifest().title));
        let service = Arc::new(Service { connector, connection, expected, slot, status });
        let answer = move |request| {
            let service = Arc::clone(&service);
            async move { service.answer(request).await }
        };
        let serving = tokio::spawn(async move { listen(self.listener, bounds, answer, stop).await });
        (inbox, serving)
    }
}

/// Whether deliveries can be checked at all: what is wrong with the connection shows at an unsigned one, which is refused
/// in any case.
pub async fn try_out(connector: &Connector, connection: &Connection, expected: &Expected) -> Result<(), Failure> {
    let call = Call::new(connection.clone(), Invocation::fresh()?);
    let (state, uses) = (expected.state(), expected.uses.to_vec());
    let unsigned = WebhookRequest::post(PATH, Vec::new(), b"{}".to_vec());
    match connector.receive(&call, state.as_ref(), uses, unsigned).await {
        Err(CallError::Connector(failure)) if failure.error.kind == ErrorKind::InvalidConnection => {
            Err(CallError::Connector(failure).into())
        }
        // A service that signs nothing may take it; what else is wrong may be right for the next.
        _ => Ok(()),
    }
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let below = request.uri().path().strip_prefix(PATH);
        match below {
            // Any method: what a service asks before it delivers may be a GET, and the connector knows.
            Some(rest) if rest.is_empty() || rest.starts_with('/') => self.receive(request).await,
            _ if request.uri().path() != "/" => said(StatusCode::NOT_FOUND, "nothing is here\n"),
            _ if request.method() == Method::GET => said(StatusCode::OK, self.status.clone()),
            _ => said(StatusCode::METHOD_NOT_ALLOWED, format!("POST webhooks to {PATH}/…\n")),
        }
    }

    async fn receive(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let later = || said(StatusCode::SERVICE_UNAVAILABLE, "not taken, send it again\n");
        let (head, body) = request.into_parts();
        let body = match timeout(BODY, Limited::new(body, MOST_BYTES).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return closing(said(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {MOST_BYTES} bytes are read\n")));
            }
            Ok(Err(_)) => return closing(said(StatusCode::BAD_REQUEST, "the body broke off\n")),
            Err(_) => return closing(said(StatusCode::REQUEST_TIMEOUT, "the body did not end\n")),
        };
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let request = WebhookRequest {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers,
            body: body.into(),
        };
        let Ok(invocation) = Invocation::fresh() else { return later() };
        let call = Call::new(self.connection.clone(), invocation);
        let (state, uses) = (self.expected.state(), self.expected.uses.to_vec());
        match self.connector.receive(&call, state.as_ref(), uses, request).await {
            Ok(reply) => {
                let due = match reply.value.response.as_ref().map(response) {
                    None => said(StatusCode::OK, "ok\n"),
                    Some(Some(response)) => response,
                    Some(None) => {
                        self.slot.tell(Delivery::Failed("the connector's own answer is no HTTP answer".to_owned()));
                        return later();
                    }
                };
                match timeout(TAKING, self.slot.put(reply.value)).await {
                    Ok(true) => due,
                    _ => later(),
                }
            }
            Err(error) => match Failure::from(error) {
                Failure::Connector(failure) if failure.error.kind == ErrorKind::Signature => {
                    let reason = format!("refused: {}\n", one_line(&failure.error.message));
                    // Nobody looks any more: the sender is told all the same.
                    self.slot.tell(Delivery::Refused(Box::new(failure.error)));
                    said(StatusCode::BAD_REQUEST, reason)
                }
                failure => {
                    self.slot.tell(Delivery::Failed(failure.to_string()));
                    later()
                }
            },
        }
    }
}

/// An answer of this receiver's own.
fn said(status: StatusCode, text: impl Into<String>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.into())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The last one of its connection: the rest of a body that was not read must not be taken for a request.
fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The connector's own answer. How it travels is this server's business, so headers about that are left out.
fn response(given: &WebhookResponse) -> Option<Response<Full<Bytes>>> {
    const TRAVEL: [&str; 7] =
        ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let status = StatusCode::from_u16(given.status).ok().filter(|status| !status.is_informational())?;
    if given.body.len() > MOST_BYTES {
        return None;
    }
    let mut response = said(status, "");
    *response.body_mut() = Full::new(Bytes::from(given.body.clone()));
    for (name, value) in &given.headers {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        if name == CONTENT_TYPE {
            // In place of the one that a plain text gets.
            response.headers_mut().insert(name, value);
        } else if !TRAVEL.contains(&name.as_str()) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(status: u16, headers: &[(&str, &str)]) -> Option<Response<Full<Bytes>>> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        response(&WebhookResponse { status, headers, body: b"challenge".to_vec() })
    }

    #[test]
    fn the_connectors_answer_is_given_as_it_is() {
        let response = given(202, &[("Content-Type", "text/plain"), ("X-Hook-Secret", "abc")]).unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers()["x-hook-secret"], "abc");
    }

    #[test]
    fn how_an_answer_travels_is_not_the_connectors_to_say() {
        let response = given(200, &[("Transfer-Encoding", "chunked"), ("Content-Length", "3")]).unwrap();
        assert!(!response.headers().contains_key("transfer-encoding"));
        assert!(!response.headers().contains_key("content-length"));
    }

    #[test]
    fn what_is_no_answer_is_not_given() {
        assert!(given(42, &[]).is_none());
        assert!(given(101, &[]).is_none());
        assert!(given(200, &[("a b", "c")]).is_none());
        assert!(given(200, &[("a", "b\r\nc: d")]).is_none());
    }
}
