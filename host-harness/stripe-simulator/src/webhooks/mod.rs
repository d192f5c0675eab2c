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
use crate::world::{Event, machine};

/// Attempts in test mode; live mode goes on for days, which no run of the simulator lasts.
const ATTEMPTS: u32 = 3;
/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A webhook endpoint as deliveries see it. A changed endpoint is a new target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: Box<str>,
    pub(crate) url: Box<str>,
    pub(crate) secret: Box<str>,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Option<Box<str>>,
    pub(crate) enabled: bool,
    /// Whether it hears of connected accounts, and not of its own.
    pub(crate) connect: bool,
    /// Where events go in place of the URL, for a client that listens.
    pub(crate) socket: Option<UnboundedSender<Job>>,
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
            connect: false,
            socket: Some(jobs),
            gone: AtomicBool::new(false),
        }
    }

    /// Whether events of this type go here.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.enabled && self.enabled_events.iter().any(|e| e == "*" || e == kind)
    }
}

/// One event for one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) target: Arc<Target>,
    pub(crate) event: Arc<Event>,
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
    let body = body(job, target.api_version.as_deref());
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

/// The body of a delivery.
pub(crate) fn body(job: &Job, version: Option<&str>) -> Bytes {
    pretty(&job.event.text(version))
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
    job.event.delivered();
    note(job, log, true);
}

fn note(job: &Job, log: &Log, taken: bool) {
    let Job { target, event } = job;
    log.note(Attempt { time: machine(), event: event.id.clone(), kind: event.kind, url: target.url.clone(), taken });
}
