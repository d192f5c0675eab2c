//! The pooled HTTP client of a host, and the terms on which one connector uses it.
//!
//! What lives here: connecting (addresses checked after resolution, and the checked address is the one that is used),
//! keep-alive, the three timeouts and the cap on an answer's size. What does not: the decision whether a request may leave
//! (`policy`) and everything about the guest (`hooks`).
//!
//! Connections belong to the host, so that they outlive a connector that is loaded anew. There are two pools: a connection
//! to a private address, which one connector was granted, is never lent to another that was not.
//!
//! A pooled connection that the server has closed: hyper reports whether anything was written. Where nothing was, the
//! request goes out again on a new connection; where something was, the guest gets `connection-terminated`, since only it
//! knows whether sending again is safe (for a payment: with the same idempotency key).

use std::error::Error as StdError;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, vec};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::time::{Instant, Sleep, timeout};
use tower_service::Service;
use wasmtime_wasi_http::Error;

use super::address::is_public;
use super::flight::{CallFlight, HostFlight};
use super::network::{NetworkConfig, NetworkError};
use super::origin::HostName;
use super::proxy::Proxy;
use super::stream::AnswerFirst;

/// The longest head of an answer, and so much of an answer that nobody reads yet is read ahead: with many times the
/// headers of any API, a hundred waiting answers are 10 MiB.
const LONGEST_ANSWER_HEAD: usize = 96 << 10;

/// So much of an answer over HTTP/2 that nobody reads yet is read ahead.
const HTTP2_WINDOW: u32 = 256 << 10;

/// All such answers on one connection are bounded by their number alone, so that a call that reads none of its own cannot
/// keep others from theirs.
const HTTP2_WINDOW_OF_ALL: u32 = 1 << 30;

/// A connection over HTTP/2 that is silent for this long with a request on it is asked whether it is still there.
const HTTP2_SILENCE: Duration = Duration::from_secs(20);

/// The longest that a connection, TLS included, may take: three times a slow mobile link's, and a `SYN` sent four times.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The three timeouts of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Timeouts {
    pub(crate) fn new(first_byte: Duration, between_bytes: Duration) -> Self {
        Self { connect: CONNECT_TIMEOUT, first_byte, between_bytes }
    }

    /// What the guest asks for, where that is less.
    pub(super) fn clamped(self, asked: Option<wasmtime_wasi_http::RequestOptions>) -> Self {
        let asked = asked.unwrap_or_default();
        let least = |limit: Duration, asked: Option<Duration>| asked.map_or(limit, |asked| asked.min(limit));
        Self {
            connect: least(self.connect, asked.connect_timeout),
            first_byte: least(self.first_byte, asked.first_byte_timeout),
            between_bytes: least(self.between_bytes, asked.between_bytes_timeout),
        }
    }

    pub(super) fn first_byte(self) -> Duration {
        self.first_byte
    }
}

type Pool = legacy::Client<WithDeadline<HttpsConnector<AnswerFirstConnector>>, Full<Bytes>>;

/// A host's connections, and what is on its way over them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Network {
    public: Pool,
    /// Its names may lead to private addresses.
    private: Pool,
    flight: HostFlight,
}

impl Network {
    pub(crate) fn new(config: &NetworkConfig) -> Result<Self, NetworkError> {
        let proxy = config.proxy.clone().map(Arc::new);
        let tls = config.tls()?;
        let (public, private) = (pool(config, tls.clone(), false, proxy), pool(config, tls, true, None));
        Ok(Self { public, private, flight: HostFlight::new() })
    }

    /// As one connector uses it.
    pub(crate) fn client(&self, timeouts: Timeouts, most: u64) -> Client {
        Client { network: self.clone(), timeouts, most }
    }
}

fn pool(config: &NetworkConfig, tls: ClientConfig, private: bool, proxy: Option<Arc<Proxy>>) -> Pool {
    let tcp = |private: bool| {
        let mut tcp = HttpConnector::new_with_resolver(CheckedResolver { private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        tcp
    };
    // The proxy is the operator's own, and may well be within his network.
    let proxy = proxy.map(|proxy| (proxy, tcp(true)));
    let connector = AnswerFirstConnector { inner: tcp(private), proxy };
    let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    let tls = if config.http2 { tls.enable_http2().wrap_connector(connector) } else { tls.wrap_connector(connector) };
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(config.idle)
        .pool_max_idle_per_host(config.idle_connections)
        .pool_timer(TokioTimer::new())
        .http1_max_buf_size(LONGEST_ANSWER_HEAD)
        .http2_max_header_list_size(u32::try_from(LONGEST_ANSWER_HEAD).unwrap_or(u32::MAX))
        .http2_initial_stream_window_size(HTTP2_WINDOW)
        .http2_initial_connection_window_size(HTTP2_WINDOW_OF_ALL)
        .http2_keep_alive_interval(HTTP2_SILENCE)
        .http2_keep_alive_timeout(HTTP2_SILENCE)
        .build(WithDeadline { inner: tls })
}

/// The terms of one connector: see the module.
#[derive(Clone)]
pub(crate) struct Client {
    network: Network,
    timeouts: Timeouts,
    most: u64,
}

impl Client {
    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Room for the bodies of one call.
    pub(super) fn flight(&self) -> CallFlight {
        self.network.flight.of_a_call()
    }

    /// Sends a request that the policy allows, to a private address too if it says so. Redirects are answers like any
    /// other.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        private: bool,
        timeouts: Timeouts,
    ) -> Result<Response<Answer>, Error> {
        let progress = Progress::new(timeouts.connect);
        let pool = if private { &self.network.private } else { &self.network.public };
        let answer = CONNECTING.scope(progress.clone(), pool.request(request));
        let mut answer = std::pin::pin!(answer);
        let answer = loop {
            let deadline = progress.sending_since() + timeouts.first_byte;
            tokio::select! {
                biased;
                answer = &mut answer => break answer.map_err(|error| send_error(&error))?,
                () = tokio::time::sleep_until(deadline) => {
                    // While it connects, the connector's own deadline counts; afterwards the time begins anew.
                    if progress.sending_since() + timeouts.first_byte <= Instant::now() {
                        return Err(Error::ConnectionReadTimeout);
                    }
                }
            }
        };
        let remaining = self.most;
        Ok(answer.map(|incoming| Answer {
            incoming,
            remaining,
            pause: timeouts.between_bytes,
            sleep: None,
            ended: false,
        }))
    }
}

tokio::task_local! {
    /// The request that a connection is being made for: the pool has no other way to hand a request's deadline to it.
    static CONNECTING: Progress;
}

/// Whether a request waits for its connection, and since when it does not.
#[derive(Clone)]
struct Progress {
    connect_timeout: Duration,
    sending_since: Arc<Mutex<Option<Instant>>>,
}

impl Progress {
    fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, sending_since: Arc::new(Mutex::new(Some(Instant::now()))) }
    }

    fn sending_since(&self) -> Instant {
        self.sending_since.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now)
    }

    fn set(&self, since: Option<Instant>) {
        *self.sending_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// What a failed attempt to connect or send means. Everything that happens while connecting says that nothing was sent.
fn send_error(error: &legacy::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(failure) = this.downcast_ref::<ConnectFailure>() {
            return failure.meaning();
        }
        if let Some(error) = this.downcast_ref::<hyper::Error>() {
            return hyper_error(error);
        }
        if let Some(error) = this.downcast_ref::<rustls::Error>() {
            return tls_error(error);
        }
        // An io error's `source` skips what is directly inside of it, and TLS errors travel there.
        cause = match this.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
            Some(error) if error.get_ref().is_some() => error.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            _ => this.source(),
        };
    }
    if error.is_connect() { Error::ConnectionRefused } else { Error::ConnectionTerminated }
}

fn tls_error(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Error::TlsCertificateError,
        _ => Error::TlsProtocolError,
    }
}

/// Whether the server may have seen the request. All that fails while connecting has sent nothing.
pub(super) fn may_have_left(error: &Error) -> bool {
    !matches!(
        error,
        Error::DnsTimeout
            | Error::DnsError { .. }
            | Error::DestinationNotFound
            | Error::DestinationUnavailable
            | Error::DestinationIpProhibited
            | Error::DestinationIpUnroutable
            | Error::ConnectionRefused
            | Error::ConnectionTimeout
            | Error::TlsProtocolError
            | Error::TlsCertificateError
            | Error::TlsAlertReceived { .. }
    )
}

/// What a failure on an open connection means.
fn hyper_error(error: &hyper::Error) -> Error {
    if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_parse() {
        Error::HttpProtocolError
    } else if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else {
        // Closed before or within the answer, reset, cancelled by the server.
        Error::ConnectionTerminated
    }
}

/// Why a connection could not be made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum ConnectFailure {
    #[error("every address of the host is private")]
    Private,
    #[error("the host's name does not resolve")]
    Name,
    #[error("no connection in time")]
    Time,
    #[error("the proxy lets it not through")]
    Proxy,
}

impl ConnectFailure {
    fn meaning(self) -> Error {
        match self {
            Self::Private => Error::DestinationIpProhibited,
            Self::Name => Error::DnsError { rcode: None, info_code: None },
            Self::Time => Error::ConnectionTimeout,
            Self::Proxy => Error::DestinationUnavailable,
        }
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;
type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Resolves names and leaves out private addresses where they are not granted, so that a public name cannot lead into the
/// operator's network; and all but loopback ones for the names of this machine, to which secrets go in the clear.
/// Addresses that are written out never come here: the policy has decided on them.
#[derive(Clone)]
struct CheckedResolver {
    private: bool,
}

impl Service<Name> for CheckedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ConnectFailure;
    type Future = BoxFuture<Self::Response, ConnectFailure>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let private = self.private;
        let here = HostName::Name(name.as_str().to_ascii_lowercase()).is_this_machine();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| ConnectFailure::Name)?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(ConnectFailure::Name);
            }
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|at| private || is_public(at.ip()))
                .filter(|at| !here || at.ip().is_loopback())
                .collect();
            if allowed.is_empty() { Err(ConnectFailure::Private) } else { Ok(allowed.into_iter()) }
        })
    }
}

/// TCP, through the operator's proxy where there is one, wrapped so that the answer decides.
#[derive(Clone)]
struct AnswerFirstConnector {
    inner: HttpConnector<CheckedResolver>,
    /// And the way to it.
    proxy: Option<(Arc<Proxy>, HttpConnector<CheckedResolver>)>,
}

impl Service<Uri> for AnswerFirstConnector {
    type Response = AnswerFirst;
    type Error = BoxError;
    type Future = BoxFuture<AnswerFirst, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Some((proxy, tcp)) = self.proxy.as_mut().filter(|(proxy, _)| proxy.serves(&uri))
            && let Some(address) = proxy.address()
        {
            let (proxy, connecting) = (Arc::clone(proxy), tcp.call(address));
            return Box::pin(async move {
                let mut stream = connecting.await?.into_inner();
                proxy.open(&mut stream, &uri).await.map_err(|_| ConnectFailure::Proxy)?;
                Ok(AnswerFirst::new(TokioIo::new(stream)))
            });
        }
        let connecting = self.inner.call(uri);
        Box::pin(async move { Ok(AnswerFirst::new(connecting.await?)) })
    }
}

/// A connector whose connection, TLS included, is there in time or not at all.
#[derive(Clone)]
struct WithDeadline<C> {
    inner: C,
}

impl<C> Service<Uri> for WithDeadline<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<C::Response, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let progress = CONNECTING.try_with(Progress::clone).ok();
        let deadline = progress.as_ref().map_or(CONNECT_TIMEOUT, |progress| progress.connect_timeout);
        if let Some(progress) = &progress {
            progress.set(None);
        }
        let connecting = self.inner.call(uri);
        Box::pin(async move {
            let connected = timeout(deadline, connecting).await;
            if let Some(progress) = &progress {
                progress.set(Some(Instant::now()));
            }
            connected.unwrap_or_else(|_| Err(ConnectFailure::Time.into()))
        })
    }
}

/// The body of an answer: at most so many bytes, with no longer pause than allowed.
pub(super) struct Answer {
    incoming: Incoming,
    remaining: u64,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(None) => {
                self.ended = true;
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.sleep = None;
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.remaining.checked_sub(length) {
                    Some(remaining) => {
                        self.remaining = remaining;
                        Ok(frame)
                    }
                    None => Err(Error::HttpResponseBodySize(None)),
                }
            }
            Poll::Ready(Some(Err(error))) => Err(hyper_error(&error)),
            Poll::Pending => {
                let pause = self.pause;
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                std::task::ready!(sleep.as_mut().poll(context));
                Err(Error::ConnectionReadTimeout)
            }
        };
        self.ended = frame.is_err();
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn client(most: u64) -> Client {
        Network::new(&NetworkConfig::default()).unwrap().client(Timeouts::new(20 * SECOND, 20 * SECOND), most)
    }

    fn post(port: u16, body: Bytes) -> Request<Full<Bytes>> {
        Request::post(format!("http://127.0.0.1:{port}/v1/charges"))
            .header("content-length", body.len())
            .body(Full::new(body))
            .unwrap()
    }

    /// A server that does this with every connection, and counts them.
    async fn server<F, S>(serve: S) -> (u16, Arc<AtomicUsize>)
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream));
            }
        });
        (port, connections)
    }

    /// Reads up to the end of a request's head, and no more than came with it.
    async fn head(stream: &mut TcpStream) -> Vec<u8> {
        let mut seen = Vec::new();
        let mut byte = [0; 1];
        while !seen.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte).await {
                Ok(1) => seen.push(byte[0]),
                _ => break,
            }
        }
        seen
    }

    async fn answer_early(mut stream: TcpStream) {
        head(&mut stream).await;
        let _ =
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope").await;
        // Dropped with the body unread: the other side gets a reset.
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_early_answer_always_arrives() {
        let (port, _) = server(answer_early).await;
        let client = client(1 << 20);
        for (times, size) in [(3_000, 40), (300, 70_000), (100, 2_000_000)] {
            let body = Bytes::from(vec![b'x'; size]);
            for turn in 0..times {
                let answer = client.send(post(port, body.clone()), false, client.timeouts()).await;
                let answer = answer.unwrap_or_else(|error| panic!("{turn} of {times} with {size} bytes: {error:?}"));
                assert_eq!(answer.status(), 401);
                assert_eq!(
                    answer.into_body().collect().await.unwrap().to_bytes(),
                    "nope",
                    "{turn} of {times} with {size} bytes"
                );
            }
        }
    }

    #[tokio::test]
    async fn connections_are_kept() {
        let (port, connections) = server(|mut stream| async move {
            while !head(&mut stream).await.is_empty() {
                let mut body = [0; 2];
                stream.read_exact(&mut body).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        })
        .await;
        let client = client(1 << 20);
        for _ in 0..100 {
            let answer = client.send(post(port, Bytes::from_static(b"ab")), false, client.timeouts()).await.unwrap();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
            // The connection goes back to the pool in a task of its own.
            tokio::task::yield_now().await;
        }
        assert!(connections.load(Ordering::Relaxed) < 5, "{connections:?}");
    }

    /// The worst server for a pool: it closes after every answer and does not say so beforehand.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_on_a_stale_connection_is_sent_once_or_reported() {
        let executed = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&executed);
        let (port, _) = server(move |mut stream| {
            let counter = Arc::clone(&counter);
            async move {
                head(&mut stream).await;
                let mut body = [0; 2];
                stream.read_exact(&mut body).await.unwrap();
                counter.fetch_add(1, Ordering::Relaxed);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        })
        .await;
        let client = client(1 << 20);
        let (mut answered, mut reported) = (0, 0);
        for _ in 0..1_000 {
            match client.send(post(port, Bytes::from_static(b"ab")), false, client.timeouts()).await {
                Ok(answer) => {
                    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
                    answered += 1;
                }
                Err(Error::ConnectionTerminated) => reported += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, executed.load(Ordering::Relaxed), "{reported} reported");
        assert_eq!(answered + reported, 1_000);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_before_an_answer_is_no_refusal() {
        let (port, _) = server(|mut stream| async move {
            head(&mut stream).await;
        })
        .await;
        let client = client(1 << 20);
        let error = client.send(post(port, Bytes::from_static(b"ab")), false, client.timeouts()).await.err().unwrap();
        assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    }

    #[tokio::test]
    async fn nobody_listening_is_a_refusal() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
        let client = client(1 << 20);
        let error = client.send(post(port, Bytes::new()), false, client.timeouts()).await.err().unwrap();
        assert!(matches!(error, Error::ConnectionRefused), "{error:?}");
    }

    /// How a server that reads so many bytes of the handshake, says this and hangs up appears.
    async fn handshake(read: usize, says: &'static [u8]) -> Error {
        let (port, _) = server(move |mut stream| async move {
            let mut hello = vec![0; read];
            let _ = stream.read_exact(&mut hello).await;
            let _ = stream.write_all(says).await;
            // What was not read makes it a reset.
        })
        .await;
        let body = Bytes::from_static(b"amount=1099");
        let request = Request::post(format!("https://127.0.0.1:{port}/v1/charges")).body(Full::new(body)).unwrap();
        let client = client(1 << 20);
        client.send(request, false, client.timeouts()).await.err().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_speaks_no_tls_is_a_tls_error() {
        const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        for turn in 0..100 {
            for says in [REFUSAL, b"220 mail.example.com ESMTP\r\n", b"-ERR unknown command\r\n"] {
                for read in [0, 1, 100] {
                    let error = handshake(read, says).await;
                    // The reset may overtake what the server says.
                    let known = matches!(error, Error::TlsProtocolError | Error::ConnectionRefused);
                    assert!(known && !may_have_left(&error), "{turn}: {read} bytes read: {error:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_within_the_handshake_was_sent_nothing() {
        for (read, says) in [(0, &b""[..]), (1, b""), (100, b""), (100, b"\x16\x03\x03")] {
            let error = handshake(read, says).await;
            assert!(!may_have_left(&error), "{read} bytes read, {says:?}: {error:?}");
        }
        // An alert in place of an answer: handshake_failure.
        let error = handshake(100, b"\x15\x03\x03\x00\x02\x02\x28").await;
        assert!(!may_have_left(&error), "{error:?}");
    }

    #[tokio::test]
    async fn a_server_that_is_silent_runs_into_the_timeout() {
        let (port, _) = server(|mut stream| async move {
            head(&mut stream).await;
            std::future::pending::<()>().await;
        })
        .await;
        let client = client(1 << 20);
        let asked = wasmtime_wasi_http::RequestOptions { first_byte_timeout: Some(SECOND / 10), ..Default::default() };
        let error =
            client.send(post(port, Bytes::new()), false, client.timeouts().clamped(Some(asked))).await.err().unwrap();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn a_handshake_that_never_ends_runs_into_the_connect_timeout() {
        let (port, _) = server(|stream| async move {
            let _open = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let request = Request::get(format!("https://127.0.0.1:{port}/")).body(Full::new(Bytes::new())).unwrap();
        let client = client(1 << 20);
        let asked = wasmtime_wasi_http::RequestOptions { connect_timeout: Some(SECOND / 10), ..Default::default() };
        let error = client.send(request, false, client.timeouts().clamped(Some(asked))).await.err().unwrap();
        assert!(matches!(error, Error::ConnectionTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_that_stops_is_an_error_after_its_beginning() {
        let (port, _) = server(|mut stream| async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
        })
        .await;
        let client = client(1 << 20);
        let answer = client.send(post(port, Bytes::new()), false, client.timeouts()).await.unwrap();
        let error = answer.into_body().collect().await.err().unwrap();
        assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_that_pauses_runs_into_the_timeout() {
        let (port, _) = server(|mut stream| async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let client = client(1 << 20);
        let asked =
            wasmtime_wasi_http::RequestOptions { between_bytes_timeout: Some(SECOND / 10), ..Default::default() };
        let answer =
            client.send(post(port, Bytes::new()), false, client.timeouts().clamped(Some(asked))).await.unwrap();
        let error = answer.into_body().collect().await.err().unwrap();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_over_the_cap_is_cut_off() {
        let (port, _) = server(|mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            while stream.write_all(b"8\r\nabcdefgh\r\n").await.is_ok() {}
        })
        .await;
        let client = client(1_000);
        let answer = client.send(post(port, Bytes::new()), false, client.timeouts()).await.unwrap();
        let error = answer.into_body().collect().await.err().unwrap();
        assert!(matches!(error, Error::HttpResponseBodySize(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_refused() {
        let request = || Request::get("http://localhost:1/").body(Full::new(Bytes::new())).unwrap();
        let client = client(1 << 20);
        let error = client.send(request(), false, client.timeouts()).await.err().unwrap();
        assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
        let error = client.send(request(), true, client.timeouts()).await.err().unwrap();
        assert!(matches!(error, Error::ConnectionRefused), "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_that_was_granted_is_lent_to_nobody_else() {
        let (port, connections) = server(|mut stream| async move {
            while !head(&mut stream).await.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        })
        .await;
        let request = || Request::get(format!("http://localhost:{port}/")).body(Full::new(Bytes::new())).unwrap();
        let network = Network::new(&NetworkConfig::default()).unwrap();
        let client = || network.client(Timeouts::new(20 * SECOND, 20 * SECOND), 1 << 20);
        for _ in 0..2 {
            // Of another connector, or of the same one loaded anew: the connection is the host's.
            let answer = client().send(request(), true, client().timeouts()).await.unwrap();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
            tokio::task::yield_now().await;
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
        let error = client().send(request(), false, client().timeouts()).await.err().unwrap();
        assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
    }

    #[test]
    fn a_guest_can_only_lower_the_timeouts() {
        let limits = Timeouts::new(10 * SECOND, 10 * SECOND);
        let asked = |time: Duration| {
            limits.clamped(Some(wasmtime_wasi_http::RequestOptions {
                connect_timeout: Some(time),
                first_byte_timeout: Some(time),
                between_bytes_timeout: Some(time),
            }))
        };
        let (less, more) = (asked(SECOND), asked(1_000 * SECOND));
        assert_eq!((less.connect, less.first_byte, less.between_bytes), (SECOND, SECOND, SECOND));
        assert_eq!((more.connect, more.first_byte, more.between_bytes), (CONNECT_TIMEOUT, 10 * SECOND, 10 * SECOND));
    }
}
