//! The listener and the connections: bytes in, bytes out.
//!
//! What a request means is decided in `protocol`; this module only starts, serves and stops.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::demo;
use crate::faults::{Fault, Faults};
use crate::journal::{Journal, RecordedRequest};
use crate::protocol::{Habits, Protocol, Watch};
use crate::violations::{Violation, Violations};
use crate::webhooks::{self, Log, Terms};
use crate::wire::{self, Line};
use crate::world::{Settings, World, keep};

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines can reach. The simulator accepts any key and
    /// posts to any URL that it is told, so it is not something to leave open.
    pub allow_remote: bool,
    /// The API version assumed for requests without `Stripe-Version` and of events that go to endpoints without
    /// one; `None` is an older version, as accounts of some age have, that takes what the official command line
    /// sends. Requests that name the pinned version are held to it.
    pub account_version: Option<String>,
    /// The wait before a failed webhook delivery is tried again; the second wait is ten times as long.
    pub webhook_retry_unit: Duration,
    /// How long every operation takes to execute, while its idempotency key counts as in use.
    pub latency: Duration,
    /// How many of the newest requests [`Simulator::requests`] remembers.
    pub remembered_requests: usize,
    /// What ids are made from: the same seed and the same requests give the same ids. `None` is the clock.
    pub seed: Option<u64>,
    /// Whether requests beyond Stripe's published rates are refused with 429.
    pub rate_limits: bool,
    /// Restricted keys and what they may do (`customer_read`, `webhook_write`, …); other restricted keys may do
    /// everything.
    pub restricted_keys: Vec<(String, Vec<String>)>,
    /// Whether there is a shop to look at from the start, made from the seed.
    pub demo: bool,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// How long a banking day lasts: money of a charge is available after two of them, a payout arrives after two,
    /// an authorization that is not captured expires after seven. With days shorter than the real ones a test sees
    /// what banks do; real ones begin at midnight UTC and leave weekends out.
    pub banking_day: Duration,
    /// Whether every answer and every delivery is held against the facts once it is made; what is wrong is for
    /// [`Simulator::violations`] to tell, and is sent all the same.
    pub check_answers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            account_version: None,
            webhook_retry_unit: Duration::from_secs(1),
            latency: Duration::ZERO,
            remembered_requests: 10_000,
            seed: None,
            rate_limits: false,
            restricted_keys: Vec::new(),
            demo: false,
            faults: Vec::new(),
            banking_day: Duration::from_secs(86_400),
            check_answers: false,
        }
    }
}

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    journal: Arc<Journal>,
    violations: Arc<Violations>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts on a free loopback port with the default options.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts as told, on the Tokio runtime of the caller.
    ///
    /// # Errors
    /// When the address cannot be listened on, or is not a loopback address and that is not allowed.
    pub async fn start_with(options: Options) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() && !options.allow_remote {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "the simulator accepts any key, so it listens on loopback addresses only, not on {}; \
                     set `allow_remote` to expose it",
                    options.listen.ip()
                ),
            ));
        }
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Journal::new(options.remembered_requests));
        let (jobs, deliveries) = mpsc::unbounded_channel();
        let settings = Settings::new(&options, address);
        let faults = Arc::new(Faults::new(options.faults, settings.seed, Arc::clone(&settings.skew)));
        let world = Arc::new(World::new(settings, jobs));
        let log = Arc::new(Log::default());
        let violations = Arc::new(Violations::new(options.check_answers));
        let habits = Habits { latency: options.latency, rate_limits: options.rate_limits };
        let watch = Watch { journal: Arc::clone(&journal), log: Arc::clone(&log), violations: Arc::clone(&violations) };
        let protocol = Arc::new(Protocol::new(world, Arc::clone(&faults), habits, watch));
        for (key, permissions) in &options.restricted_keys {
            protocol.permissions().restrict(key, permissions.iter().map(String::as_str));
        }
        let (stop, stopped) = oneshot::channel();
        let courier = webhooks::deliver(
            deliveries,
            Terms { retry_unit: options.webhook_retry_unit, faults, log, violations: Arc::clone(&violations) },
        );
        if options.demo {
            demo::fill(&protocol).await;
        }
        let serving = tokio::spawn(serve(listener, protocol, courier, stopped));
        Ok(Self { address, journal, violations, stop: Some(stop), serving: Some(serving) })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that clients take for `https://api.stripe.com`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The newest requests in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.journal.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.journal.clear();
    }

    /// The answers and deliveries that were not what the facts say, oldest first. Empty unless
    /// [`Options::check_answers`] asked for the look.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations.all()
    }

    /// Stops it and waits until the port is free and every connection is closed.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(serving) = self.serving.take() {
            let _ = serving.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The task owns the listener, the connections and the deliveries: they end with it.
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

async fn serve(
    listener: TcpListener,
    protocol: Arc<Protocol>,
    courier: impl Future<Output = ()> + Send + 'static,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut tasks = JoinSet::new();
    tasks.spawn(courier);
    tasks.spawn(keep(Arc::clone(&protocol.world)));
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if tasks.len() > 2 => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: give connections time to end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let protocol = Arc::clone(&protocol);
        tasks.spawn(async move {
            let reset = Arc::new(AtomicBool::new(false));
            let line = Line::new(stream, Arc::clone(&reset));
            let service = service_fn(move |request| {
                let (protocol, reset) = (Arc::clone(&protocol), Arc::clone(&reset));
                async move { wire::send(protocol.answer(request).await, &reset) }
            });
            let connection = http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(line), service);
            let _ = connection.with_upgrades().await;
        });
    }
    drop(listener);
    tasks.shutdown().await;
}
