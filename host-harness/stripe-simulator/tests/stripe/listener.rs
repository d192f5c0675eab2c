//! An endpoint that webhooks are sent to, and the check of their signatures.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;

use super::until;

/// Something that listens to webhooks, and fails as often as it is told.
pub struct Listener {
    pub url: String,
    pub received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    pub failures: Arc<Mutex<usize>>,
}

impl Listener {
    pub async fn start(failures: usize) -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let failures = Arc::new(Mutex::new(failures));
        let (log, left) = (Arc::clone(&received), Arc::clone(&failures));
        tokio::spawn(async move {
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                let (log, left) = (Arc::clone(&log), Arc::clone(&left));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (log, left) = (Arc::clone(&log), Arc::clone(&left));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await?.to_bytes();
                        log.lock().unwrap().push((head.headers, body));
                        let mut left = left.lock().unwrap();
                        let status = if *left > 0 { 302 } else { 204 };
                        *left = left.saturating_sub(1);
                        let response = Response::builder().status(status).body(Full::new(Bytes::new()));
                        Ok::<_, hyper::Error>(response.unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, received, failures }
    }

    pub fn all(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.lock().unwrap().clone()
    }

    pub fn types(&self) -> Vec<String> {
        let kind = |body: &Bytes| serde_json::from_slice::<Value>(body).unwrap()["type"].as_str().unwrap().to_owned();
        self.all().iter().map(|(_, body)| kind(body)).collect()
    }

    pub async fn count(&self, count: usize) {
        until("deliveries", async || (self.all().len() >= count).then_some(())).await;
    }
}

/// Whether a delivery was signed with a secret.
pub fn verified(headers: &HeaderMap, body: &Bytes, secret: &str) -> bool {
    let signature = headers["stripe-signature"].to_str().unwrap();
    let part = |name: &str| signature.split(',').find_map(|p| p.strip_prefix(name)).unwrap().to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(part("t=").as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    hex == part("v1=")
}
