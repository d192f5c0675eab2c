//! Webhooks over HTTP: a request comes in, the connector says what it is, whoever receives takes it, and only then is it
//! answered.
//!
//! What is answered tells the sender what to do: 200 for taken (and for what was taken before, or concerns no trigger),
//! 400 for what is not genuine, 503 for what could not be decided or kept, so that it is sent again. What was taken is
//! remembered by the event's id for as long as the process lives, and the newest ten thousand at most.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use host_harness::contract::{Error, ErrorKind, Event, IgnoredEvent, Receipt, WebhookRequest};
use host_harness::{Call, CallError, Connection, Connector, Invocation};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;
use super::terminal::one_line;

/// Below every path of this.
pub const PATH: &str = "/webhooks";

/// Events are a few kilobytes; no service sends a megabyte.
const MOST_BYTES: usize = 1 << 20;

/// So many requests wait to be taken before senders are asked to come back.
const WAITING: usize = 1024;

/// So many events are known again.
const REMEMBERED: usize = 10_000;

/// What a request was.
pub enum Delivery {
    /// An event, for the first time.
    Event(Box<Event>),
    /// An event that was taken before.
    Duplicate(Box<Event>),
    /// Genuine, and of no trigger.
    Ignored(IgnoredEvent),
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
                events.chain(receipt.ignored.into_iter().map(Delivery::Ignored)).collect()
            }
        };
        Some(Arrival { deliveries, answer })
    }
}

/// The ids of the newest events.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether it is new.
    fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
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
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> (Inbox, tokio::task::JoinHandle<()>) {
        let (arrivals, receiver) = mpsc::channel(WAITING);
        let status = format!("{} is listening; POST webhooks to {PATH}/…\n", connector.manifest().title);
        let service = Service { connector, connection, arrivals };
        let router = Router::new()
            .route("/", get(move || async move { status }))
            .route(PATH, post(receive))
            .route(&format!("{PATH}/{{*any}}"), post(receive))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(service);
        let serving = tokio::spawn(async move {
            // Accepting again after a failure is axum's business; it never gives up by itself.
            let _ = axum::serve(self.listener, router).with_graceful_shutdown(stop).await;
        });
        (Inbox { arrivals: receiver, seen: Seen::default() }, serving)
    }
}

async fn receive(State(service): State<Service>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    const LATER: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not taken, send it again");
    let later = || (LATER.0, format!("{}\n", LATER.1));
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let Ok(invocation) = Invocation::fresh() else { return later() };
    let call = Call::new(service.connection, invocation);
    let answered = service.connector.receive(&call, WebhookRequest { headers, body: body.into() }).await;
    match answered {
        Ok(reply) => {
            let (answer, taken) = oneshot::channel();
            let arrived = Arrived { what: Ok(reply.value), answer: Some(answer) };
            if service.arrivals.try_send(arrived).is_err() || taken.await.is_err() {
                return later();
            }
            (StatusCode::OK, "ok\n".to_owned())
        }
        Err(CallError::Connector(failure)) if failure.error.kind == ErrorKind::Signature => {
            let reason = format!("refused: {}\n", one_line(&failure.error.message));
            let refused = Delivery::Refused(Box::new(failure.error));
            // Nobody looks any more: the sender is told all the same.
            let _ = service.arrivals.try_send(Arrived { what: Err(refused), answer: None });
            (StatusCode::BAD_REQUEST, reason)
        }
        Err(error) => {
            let failed = Delivery::Failed(error.to_string());
            let _ = service.arrivals.try_send(Arrived { what: Err(failed), answer: None });
            later()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.insert("evt_1"));
        assert!(!seen.insert("evt_1"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut seen = Seen::default();
        for number in 0..=REMEMBERED {
            assert!(seen.insert(&number.to_string()));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(seen.insert("0"), "forgotten");
        assert!(!seen.insert("5"), "remembered");
    }
}
