//! Deliveries: events on their way to the endpoints that want them.
//!
//! Jobs come in from the accounts in the order that things happened. Every endpoint has a queue of its own, so
//! first attempts arrive in that order and a slow endpoint holds up nobody else; a failed attempt is tried
//! again beside the queue. Which endpoints there are is the accounts' business.

mod signature;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::faults::Faults;
use crate::protocol::pretty;
use crate::violations::Violations;
use crate::world::{Event, ThinEvent, machine};

/// Attempts in test mode; live mode goes on for days, which no run of the simulator lasts.
const ATTEMPTS: u32 = 3;
/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A webhook endpoint or an event destination as deliveries see it. A changed one is a new target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: Box<str>,
    pub(crate) url: Box<str>,
    pub(crate) secret: Box<str>,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Option<Box<str>>,
    pub(crate) enabled: bool,
    /// Where events go in place of the URL, for a client that listens.
    pub(crate) socket: Option<UnboundedSender<Job>>,
    /// Whether it gets thin events; else it gets snapshots.
    pub(crate) thin: bool,
    /// Whether it hears of the account that it belongs to.
    pub(crate) own: bool,
    /// Whether it hears of accounts that are connected to that one.
    pub(crate) connected: bool,
    /// Set once the endpoint is deleted: attempts that are still to come are not made.
    pub(crate) gone: AtomicBool,
}

impl Target {
    /// A client that listens to everything.
    pub(crate) fn listener(id: &str, secret: &str, jobs: UnboundedSender<Job>) -> Self {
        Self {
            id: id.into(),
            url: "stripe listen".into(),
            secret: secret.into(),
            enabled_events: vec!["*".to_owned()],
            api_version: None,
            enabled: true,
            socket: Some(jobs),
            thin: false,
            own: true,
            connected: true,
            gone: AtomicBool::new(false),
        }
    }

    /// Whether snapshots of this type go here.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        !self.thin && self.enables(kind)
    }

    /// Whether thin events of this type go here.
    pub(crate) fn wants_thin(&self, kind: &str) -> bool {
        (self.thin || self.socket.is_some()) && self.enables(kind)
    }

    fn enables(&self, kind: &str) -> bool {
        self.enabled && self.enabled_events.iter().any(|e| e == "*" || e == kind)
    }
}

/// An event in the form that it is told in.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Snapshot(Arc<Event>),
    Thin(Arc<ThinEvent>),
}

impl News {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Snapshot(event) => &event.id,
            Self::Thin(event) => &event.id,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Snapshot(event) => event.kind,
            Self::Thin(event) => event.kind,
        }
    }

    /// The body of a delivery. Thin events are the same in every version, and always name the account that was
    /// acted for.
    fn body(&self, version: Option<&str>, account: Option<&str>) -> Bytes {
        match self {
            Self::Snapshot(event) => pretty(&event.text_from(version, account)),
            Self::Thin(event) => serde_json::Value::Object(event.notification()).to_string().into(),
        }
    }
}

/// One event for one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) target: Arc<Target>,
    pub(crate) news: News,
    /// The connected account that it happened in, when the endpoint is another account's.
    pub(crate) account: Option<Box<str>>,
}

impl Job {
    /// The body of the delivery, in a version or else the account's.
    pub(crate) fn body(&self, version: Option<&str>) -> Bytes {
        self.news.body(version, self.account.as_deref())
    }
}

/// An attempt to deliver.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) time: i64,
    pub(crate) event: Box<str>,
    pub(crate) kind: &'static str,
    pub(crate) url: Box<str>,
    /// Whether the endpoint took it.
    pub(crate) taken: bool,
}

/// Attempts that are remembered.
const REMEMBERED: usize = 1000;

/// The newest attempts.
#[derive(Debug, Default)]
pub(crate) struct Log {
    attempts: Mutex<VecDeque<Attempt>>,
}

impl Log {
    fn note(&self, attempt: Attempt) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() == REMEMBERED {
            attempts.pop_front();
        }
        attempts.push_back(attempt);
    }

    /// The newest, newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<Attempt> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().take(count).cloned().collect()
    }
}

/// What every delivery is made under.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) retry_unit: Duration,
    pub(crate) faults: Arc<Faults>,
    pub(crate) log: Arc<Log>,
    pub(crate) violations: Arc<Violations>,
}

type Http = Client<HttpConnector, Full<Bytes>>;

/// Delivers jobs for as long as it is polled.
pub(crate) async fn deliver(mut jobs: UnboundedReceiver<Job>, terms: Terms) {
    let http: Http = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let mut queues: HashMap<Box<str>, UnboundedSender<Job>> = HashMap::new();
    let mut workers = JoinSet::new();
    while let Some(job) = jobs.recv().await {
        if let Some(socket) = job.target.socket.clone() {
            // A client that has left hears nothing.
            let _ = socket.send(job);
            continue;
        }
        let queue = queues.entry(job.target.id.clone()).or_insert_with(|| {
            let (queue, queued) = unbounded_channel();
            workers.spawn(work(queued, http.clone(), terms.clone()));
            queue
        });
        // A worker ends only with its queue.
        let _ = queue.send(job);
    }
}

async fn work(mut queued: UnboundedReceiver<Job>, http: Http, terms: Terms) {
    let mut retries = JoinSet::new();
    while let Some(job) = queued.recv().await {
        while retries.try_join_next().is_some() {}
        let mut jobs = vec![job];
        if let Some(window) = terms.faults.shuffle() {
            tokio::time::sleep(window).await;
            jobs.extend(std::iter::from_fn(|| queued.try_recv().ok()));
            terms.faults.reorder(&mut jobs);
        }
        for job in jobs {
            for _ in 1..terms.faults.copies() {
                attempt(&job, &http, &terms).await;
            }
            if !attempt(&job, &http, &terms).await {
                retries.spawn(retry(job, http.clone(), terms.clone()));
            }
        }
    }
}

async fn retry(job: Job, http: Http, terms: Terms) {
    let mut wait = terms.retry_unit;
    for _ in 1..ATTEMPTS {
        tokio::time::sleep(wait).await;
        if attempt(&job, &http, &terms).await {
            return;
        }
        wait = wait.saturating_mul(10);
    }
}

/// One attempt; whether the event needs no more of them.
async fn attempt(job: &Job, http: &Http, terms: &Terms) -> bool {
    let target = &job.target;
    if target.gone.load(Ordering::Relaxed) {
        return true;
    }
    let body = job.body(target.api_version.as_deref());
    terms.violations.delivery(&target.url, &body);
    let request =
        headers(target, &body, &terms.faults).into_iter().fold(Request::post(&*target.url), |request, header| {
            let (name, value) = header;
            request.header(name, value)
        });
    let request = request.body(Full::new(body));
    let Ok(request) = request else { return false };
    let answer = tokio::time::timeout(PATIENCE, http.request(request)).await;
    let success = matches!(answer, Ok(Ok(response)) if response.status().is_success());
    if success {
        taken(job, &terms.log);
    } else {
        note(job, &terms.log, false);
    }
    success
}

/// The headers of a delivery, signed now.
pub(crate) fn headers(target: &Target, body: &[u8], faults: &Faults) -> [(&'static str, String); 5] {
    let signature = signature::header(&target.secret, machine().saturating_add(faults.skew()), body);
    let fixed = |text: &str| text.to_owned();
    [
        ("Content-Type", fixed("application/json; charset=utf-8")),
        ("Accept", fixed("*/*; q=0.5, application/xml")),
        ("Cache-Control", fixed("no-cache")),
        ("User-Agent", fixed("Stripe/1.0 (+https://stripe.com/docs/webhooks)")),
        ("Stripe-Signature", signature),
    ]
}

/// An event was taken by whom it was for.
pub(crate) fn taken(job: &Job, log: &Log) {
    if let News::Snapshot(event) = &job.news {
        event.delivered();
    }
    note(job, log, true);
}

fn note(Job { target, news, .. }: &Job, log: &Log, taken: bool) {
    let (time, url) = (machine(), target.url.clone());
    log.note(Attempt { time, event: news.id().into(), kind: news.kind(), url, taken });
}
