//! What is answered at which path.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use store::Moment;
use tokio::time::timeout;

use crate::answer::{Answer, said};
use crate::delivery::Desk;
use crate::metrics::Waiting;
use crate::shared::Shared;
use crate::source::{PATH, Source};

/// Who asks whether we are ready does not wait long.
const PROBE: Duration = Duration::from_secs(2);

/// See the module.
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    pub(crate) desk: Desk,
}

impl Server {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        if let Some(below) = path.strip_prefix(PATH).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            // Any method: what a service asks before it delivers may be a GET, and the connector knows.
            return match self.source(below).cloned() {
                Some(source) => self.desk.receive(&self.shared, &source, request).await,
                None => said(StatusCode::NOT_FOUND, "no source has this path\n"),
            };
        }
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        match path {
            "/" | "/healthz" | "/readyz" | "/metrics" if !is_get => {
                said(StatusCode::METHOD_NOT_ALLOWED, format!("POST webhooks to {PATH}/…\n"))
            }
            "/" => said(StatusCode::OK, self.status()),
            "/healthz" => said(StatusCode::OK, "alive\n"),
            "/readyz" => self.ready().await,
            "/metrics" => self.metrics().await,
            _ => said(StatusCode::NOT_FOUND, "nothing is here\n"),
        }
    }

    /// The source of a path below [`PATH`]: the one that its first part names. Where there is one only, every path is its.
    fn source(&self, below: &str) -> Option<&Arc<Source>> {
        let sources = &self.shared.sources;
        let name = below.trim_start_matches('/').split('/').next().unwrap_or_default();
        sources.get(name).or_else(|| sources.values().next().filter(|_| sources.len() == 1))
    }

    fn status(&self) -> String {
        let mut lines = String::new();
        for source in self.shared.sources.values() {
            let title: String = source.connector.manifest().title.chars().filter(|l| !l.is_control()).collect();
            lines.push_str(&format!("{title} is listening; POST webhooks to {PATH}/{}\n", source.name));
        }
        lines
    }

    /// Whether deliveries can be taken now.
    async fn ready(&self) -> Answer {
        if self.shared.draining.load(Ordering::Relaxed) {
            return said(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match timeout(PROBE, self.shared.store.ready()).await {
            Ok(answer) => match self.shared.answered(answer) {
                Ok(()) => said(StatusCode::OK, "ready\n"),
                Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be used\n"),
            },
            Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
        }
    }

    async fn metrics(&self) -> Answer {
        let waiting = timeout(PROBE, self.waiting()).await;
        let (waiting, store_is_there) = match waiting {
            Ok(Ok(waiting)) => (waiting, true),
            _ => (Vec::new(), false),
        };
        let mut answer = said(StatusCode::OK, self.shared.metrics.text(&waiting, store_is_there));
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }

    async fn waiting(&self) -> Result<Vec<(String, Waiting)>, store::Error> {
        let mut all = Vec::with_capacity(self.shared.sources.len());
        for name in self.shared.sources.keys() {
            let counts = self.shared.answered(self.shared.store.counts(Some(name)).await)?;
            let lag = counts.oldest_waiting.map_or(0.0, |oldest| Moment::now().since(oldest).as_secs_f64());
            let store::Counts { waiting, running, done, dead, .. } = counts;
            all.push((name.clone(), Waiting { waiting, running, done, dead, lag }));
        }
        Ok(all)
    }
}
