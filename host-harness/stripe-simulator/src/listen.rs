//! What `stripe listen` connects to: events as they happen, over a WebSocket.
//!
//! A session is opened over the API (`resources::command_line`); here its WebSocket is accepted, and as long as that
//! lasts it is one more target of the account's events. What the client tells back (that it took an event, what the
//! application answered to it) is read and needs no answer.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use stripe_facts::Facts;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use crate::faults::Faults;
use crate::protocol::{ApiError, Reply, refusal, switching};
use crate::resources::Read;
use crate::webhooks::{self, Job, Log, News, Target};
use crate::world::{World, lock};

/// Where clients connect.
pub(crate) const PATH: &str = "/_simulator/listen";

/// The kind of object that a session is.
pub(crate) const SESSION: &str = "stripecli.session";

/// The clients that listen. They stop listening when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    tasks: Mutex<JoinSet<()>>,
}

impl Listeners {
    /// Accepts the WebSocket of a session.
    pub(crate) fn accept(
        &self,
        world: &World,
        mut request: Request<Incoming>,
        faults: &Arc<Faults>,
        log: &Arc<Log>,
        request_id: &str,
    ) -> Reply {
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let id = header("websocket-id").to_owned();
        let Some(account) = world.account_with(SESSION, &id) else {
            // The client knows by these words that it needs a new session.
            return refusal(&ApiError::invalid("Unknown WebSocket ID."), request_id, false);
        };
        let key = request.headers().get(SEC_WEBSOCKET_KEY).map(|k| derive_accept_key(k.as_bytes()));
        let Some(key) = key.and_then(|k| HeaderValue::from_str(&k).ok()) else {
            return refusal(&ApiError::invalid("This address speaks WebSocket only."), request_id, false);
        };
        let secret = lock(&account).get(SESSION, &id).and_then(|s| s.text("secret").map(str::to_owned));
        let (jobs, queued) = unbounded_channel();
        let target = Arc::new(Target::listener(&id, &secret.unwrap_or_default(), jobs));
        // From here on events wait for it: what happens once the client has its answer is not lost.
        lock(&account).aim(target);
        let upgrade = hyper::upgrade::on(&mut request);
        let (faults, log) = (Arc::clone(faults), Arc::clone(log));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Ok(line) = upgrade.await {
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(line), Role::Server, None).await;
                talk(socket, queued, &faults, &log).await;
            }
            lock(&account).turn_away(&id);
        });
        let mut reply = switching();
        let headers = reply.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, key);
        reply
    }
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Tells events until the client leaves.
async fn talk(mut socket: Socket, mut queued: UnboundedReceiver<Job>, faults: &Faults, log: &Log) {
    loop {
        tokio::select! {
            job = queued.recv() => {
                let Some(job) = job else { return };
                for text in messages(&job, faults) {
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                webhooks::taken(&job, log);
            }
            told = socket.next() => match told {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

/// An event as clients expect it: a snapshot in the account's version, and once more in the newest for those that
/// ask for it; a thin event as it is.
fn messages(job: &Job, faults: &Faults) -> Vec<String> {
    let headers = |body: &[u8]| -> Map<String, Value> {
        let headers = webhooks::headers(&job.target, body, faults);
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    };
    let id = job.news.id();
    let snapshot = |version: Option<&str>| {
        let body = job.body(version);
        json!({
            "type": "webhook_event",
            "endpoint": {"api_version": version},
            "event_payload": String::from_utf8_lossy(&body),
            "http_headers": headers(&body),
            "webhook_conversation_id": format!("wc_{id}"),
            "webhook_id": format!("wh_{id}"),
        })
        .to_string()
    };
    match &job.news {
        News::Snapshot(_) => [None, Some(Facts::bundled().api_version.as_str())].map(snapshot).into(),
        News::Thin(_) => {
            let body = job.body(None);
            let message = json!({
                "type": "v2_event",
                "payload": String::from_utf8_lossy(&body),
                "http_headers": headers(&body),
                "destination_id": &*job.target.id,
            });
            vec![message.to_string()]
        }
    }
}
