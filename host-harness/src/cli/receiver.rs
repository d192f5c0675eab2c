//! Webhooks over HTTP: a request comes in, the connector says what it is, whoever receives takes it, and only then is it
//! answered.
//!
//! What is answered tells the sender what to do: 200 for taken (and for what was taken before, or concerns no trigger),
//! 400 for what is not genuine, 503 for what could not be decided or kept, so that it is sent again. Where the connector
//! says what its service wants to hear (a handshake), that is the answer. What was taken is remembered by the event's id
//! for as long as the process lives, and the newest ten thousand at most.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use host::contract::{
    Error, ErrorKind, Event, IgnoredEvent, Receipt, SubscriptionState, TriggerUse, WebhookRequest, WebhookResponse,
};
use host::{Call, CallError, Connection, Connector, Invocation};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;
use super::seen::Seen;
use super::terminal::one_line;

/// Below every path of this.
pub const PATH: &str = "/webhooks";

/// Events are a few kilobytes; no service sends a megabyte.
const MOST_BYTES: usize = 1 << 20;

/// So many requests wait to be taken before senders are asked to come back.
const WAITING: usize = 1024;

/// What a request was.
pub enum Delivery {
    /// An event, for the first time.
    Event(Box<Event>),
    /// An event that was taken before.
    Duplicate(Box<Event>),
    /// Genuine, and of no trigger.
    Ignored(IgnoredEvent),
    /// No event: something that the service wanted to have answered, and was, with this status.
    Answered(u16),
    /// Not genuine.
    Refused(Box<Error>),
    /// Not decided.
    Failed(String),
}

/// What came in with one request. The sender gets its 200 when this is taken.
pub struct Arrival {
    pub deliveries: Vec<Delivery>,
    answer: Option<oneshot::Sender<()>>,
}

impl Arrival {
    /// It was kept: the sender may forget it.
    pub fn taken(self) {
        if let Some(answer) = self.answer {
            // A sender that has hung up sends it again, and it will be a duplicate.
            let _ = answer.send(());
        }
    }
}

/// What arrives, in order.
pub struct Inbox {
    arrivals: mpsc::Receiver<Arrived>,
    seen: Seen,
}

struct Arrived {
    what: Result<Receipt, Delivery>,
    answer: Option<oneshot::Sender<()>>,
}

impl Inbox {
    /// The next request's events; nothing once the receiver has stopped.
    pub async fn next(&mut self) -> Option<Arrival> {
        let Arrived { what, answer } = self.arrivals.recv().await?;
        let deliveries = match what {
            Err(delivery) => vec![delivery],
            Ok(receipt) => {
                let events = receipt.events.into_iter().map(|event| match self.seen.insert(&event.id) {
                    true => Delivery::Event(Box::new(event)),
                    false => Delivery::Duplicate(Box::new(event)),
                });
                let answered = receipt.response.map(|response| Delivery::Answered(response.status));
                events.chain(receipt.ignored.into_iter().map(Delivery::Ignored)).chain(answered).collect()
            }
        };
        Some(Arrival { deliveries, answer })
    }
}

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

#[derive(Clone)]
struct Service {
    connector: Connector,
    connection: Connection,
    expected: Expected,
    arrivals: mpsc::Sender<Arrived>,
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
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> (Inbox, tokio::task::JoinHandle<()>) {
        let (arrivals, receiver) = mpsc::channel(WAITING);
        let status = format!("{} is listening; POST webhooks to {PATH}/…\n", connector.manifest().title);
        let service = Service { connector, connection, expected, arrivals };
        let router = Router::new()
            .route("/", get(move || async move { status }))
            .route(PATH, any(receive))
            .route(&format!("{PATH}/{{*any}}"), any(receive))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(service);
        let serving = tokio::spawn(async move {
            // Accepting again after a failure is axum's business; it never gives up by itself.
            let _ = axum::serve(self.listener, router).with_graceful_shutdown(stop).await;
        });
        (Inbox { arrivals: receiver, seen: Seen::default() }, serving)
    }
}

/// Any method: what a service asks before it delivers may be a GET, and the connector knows.
async fn receive(
    State(service): State<Service>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let later = || (StatusCode::SERVICE_UNAVAILABLE, "not taken, send it again\n").into_response();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let request = WebhookRequest {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        headers,
        body: body.into(),
    };
    let Ok(invocation) = Invocation::fresh() else { return later() };
    let call = Call::new(service.connection, invocation);
    let (state, uses) = (service.expected.state(), service.expected.uses.to_vec());
    let answered = service.connector.receive(&call, state.as_ref(), uses, request).await;
    match answered {
        Ok(reply) => {
            let due = match reply.value.response.as_ref().map(response) {
                None => (StatusCode::OK, "ok\n").into_response(),
                Some(Some(response)) => response,
                Some(None) => {
                    let failed = Delivery::Failed("the connector's own answer is no HTTP answer".to_owned());
                    let _ = service.arrivals.try_send(Arrived { what: Err(failed), answer: None });
                    return later();
                }
            };
            let (answer, taken) = oneshot::channel();
            let arrived = Arrived { what: Ok(reply.value), answer: Some(answer) };
            if service.arrivals.try_send(arrived).is_err() || taken.await.is_err() {
                return later();
            }
            due
        }
        Err(CallError::Connector(failure)) if failure.error.kind == ErrorKind::Signature => {
            let reason = format!("refused: {}\n", one_line(&failure.error.message));
            let refused = Delivery::Refused(Box::new(failure.error));
            // Nobody looks any more: the sender is told all the same.
            let _ = service.arrivals.try_send(Arrived { what: Err(refused), answer: None });
            (StatusCode::BAD_REQUEST, reason).into_response()
        }
        Err(error) => {
            let failed = Delivery::Failed(error.to_string());
            let _ = service.arrivals.try_send(Arrived { what: Err(failed), answer: None });
            later()
        }
    }
}

/// The connector's own answer. How it travels is this server's business, so headers about that are left out.
fn response(given: &WebhookResponse) -> Option<Response> {
    const TRAVEL: [&str; 7] =
        ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let status = StatusCode::from_u16(given.status).ok().filter(|status| !status.is_informational())?;
    if given.body.len() > MOST_BYTES {
        return None;
    }
    let mut response = (status, given.body.clone()).into_response();
    for (name, value) in &given.headers {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        if name == CONTENT_TYPE {
            // In place of the one that a plain body gets.
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

    fn given(status: u16, headers: &[(&str, &str)]) -> Option<Response> {
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
