//! Connections: how many there are at once, how long each may take, and how they end.
//!
//! Whoever can reach the port can open connections and send nothing, a half of a head, or a body that never ends. So a
//! head and a body have so long, only so many connections are open, and when one more comes, the one that has been idle
//! longest makes room: senders that have something to say always get in. What a request is, is for `http`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use indexmap::IndexMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};

/// How long things may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until the head of a request is there, counted from the end of the one before: what is idle so long is closed.
    pub head: Duration,
    /// What is under way when the end comes has so long to be answered.
    pub finish: Duration,
    /// A connection is closed after so long, whatever goes on there.
    pub life: Duration,
    /// So many connections at once.
    pub connections: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A service sends its head at once; a network under load takes seconds.
            head: Duration::from_secs(10),
            finish: Duration::from_secs(5),
            life: Duration::from_secs(600),
            connections: 512,
        }
    }
}

/// A connection that is open.
struct Open {
    /// How many of its requests are being answered.
    busy: Arc<AtomicUsize>,
    task: AbortHandle,
}

/// One request that is being answered.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(busy))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers what comes, until `stop`; then what is under way, and no longer than the bounds say.
pub async fn listen<A, F>(listener: TcpListener, bounds: Bounds, answer: A, stop: impl Future<Output = ()>)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let mut stop = pin!(stop);
    let (stopping, stopped) = watch::channel(());
    let mut open: IndexMap<Id, Open> = IndexMap::new();
    let mut tasks: JoinSet<()> = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(ended) = tasks.join_next_with_id() => {
                open.shift_remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // No more files, for now: those that are open come to an end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if open.len() >= bounds.connections && !make_room(&mut open) {
            // All of them are being answered, and this one is to come back.
            turn_away(&stream);
            continue;
        }
        let busy = Arc::new(AtomicUsize::new(0));
        let connection = connection(stream, bounds, Arc::clone(&busy), answer.clone(), stopped.clone());
        let task = tasks.spawn(connection);
        open.insert(task.id(), Open { busy, task });
    }
    drop(listener);
    drop(stopping);
    while tasks.join_next().await.is_some() {}
}

/// Closes the connection that has been open longest of those that wait for a request.
fn make_room(open: &mut IndexMap<Id, Open>) -> bool {
    let idle = open.iter().find(|(_, open)| open.busy.load(Ordering::Relaxed) == 0).map(|(id, _)| *id);
    match idle.and_then(|id| open.shift_remove(&id)) {
        Some(open) => {
            open.task.abort();
            true
        }
        None => false,
    }
}

fn turn_away(stream: &TcpStream) {
    const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let _ = stream.try_write(BUSY);
}

async fn connection<A, F>(
    stream: TcpStream,
    bounds: Bounds,
    busy: Arc<AtomicUsize>,
    answer: A,
    mut stopped: watch::Receiver<()>,
) where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    /// More than any service's headers.
    const LARGEST_HEAD: usize = 64 << 10;
    /// What waits for a request gets so long to write its last answer out.
    const LAST_BYTES: Duration = Duration::from_millis(250);

    let service = service_fn(|request| {
        let (busy, answer) = (Busy::new(&busy), answer(request));
        async move {
            let _busy = busy;
            Ok::<_, Infallible>(answer.await)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    // A sender that breaks off is its own affair.
    tokio::select! {
        _ = &mut served => return,
        _ = stopped.changed() => {}
        () = tokio::time::sleep(bounds.life) => {}
    }
    served.as_mut().graceful_shutdown();
    let answering = busy.load(Ordering::Relaxed) > 0;
    let _ = tokio::time::timeout(if answering { bounds.finish } else { LAST_BYTES }, served).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{mpsc, oneshot};
    use tokio::task::JoinHandle;

    use super::*;

    const SHORT: Bounds = Bounds {
        head: Duration::from_millis(200),
        finish: Duration::from_secs(5),
        life: Duration::from_secs(600),
        connections: 4,
    };
    const LONG: Bounds = Bounds { head: Duration::from_secs(600), ..SHORT };

    /// What answers with the path, `/slow` after half a second.
    struct Started {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
        /// The paths of requests that are being answered.
        begun: mpsc::UnboundedReceiver<String>,
    }

    async fn started(bounds: Bounds) -> Started {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (sender, begun) = mpsc::unbounded_channel();
        let answer = move |request: Request<Incoming>| {
            let sender = sender.clone();
            async move {
                let path = request.uri().path().to_owned();
                let _ = sender.send(path.clone());
                if path == "/slow" {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Response::new(Full::new(Bytes::from(path)))
            }
        };
        let task = tokio::spawn(listen(listener, bounds, answer, async {
            let _ = stopped.await;
        }));
        Started { address, stop, task, begun }
    }

    async fn sent(address: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// What comes until the other side closes.
    async fn rest(mut stream: TcpStream) -> String {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    }

    const HALF: &str = "POST /webhooks HTTP/1.1\r\nHost: a\r\nX-Slow";

    #[tokio::test]
    async fn what_says_nothing_or_half_of_it_is_closed() {
        let Started { address, stop: _stop, .. } = started(SHORT).await;
        for text in ["", HALF, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let answer = rest(sent(address, text).await).await;
            assert_eq!(answer.contains("200 OK"), text.starts_with("GET"), "{text:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn the_idle_make_room_for_who_has_something_to_say() {
        let Started { address, stop: _stop, .. } = started(LONG).await;
        let mut idle = Vec::new();
        for _ in 0..10 {
            idle.push(sent(address, HALF).await);
        }
        let answer = rest(sent(address, "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
        assert!(answer.ends_with("/b"), "{answer}");
    }

    #[tokio::test]
    async fn when_all_are_busy_one_more_is_told_to_come_again() {
        let Started { address, stop: _stop, mut begun, .. } = started(Bounds { connections: 1, ..LONG }).await;
        let slow = sent(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert_eq!(begun.recv().await.unwrap(), "/slow");
        let away = rest(sent(address, "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
        assert!(away.is_empty() || away.starts_with("HTTP/1.1 503 "), "{away}");
        assert!(rest(slow).await.ends_with("/slow"));
        assert!(begun.try_recv().is_err(), "nobody looked at the other");
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_under_way_and_for_nothing_else() {
        let Started { address, stop, task, mut begun } = started(LONG).await;
        let half = sent(address, HALF).await;
        let idle = sent(address, "").await;
        let slow = tokio::spawn(rest(sent(address, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await));
        assert_eq!(begun.recv().await.unwrap(), "/slow");
        let began = Instant::now();
        stop.send(()).unwrap();
        task.await.unwrap();
        assert!(began.elapsed() < SHORT.finish, "{:?}", began.elapsed());
        assert!(slow.await.unwrap().ends_with("/slow"));
        assert_eq!((rest(half).await, rest(idle).await), (String::new(), String::new()));
    }
}
