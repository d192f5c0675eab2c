//! What goes wrong on request, and only then.

use std::time::{Duration, Instant};

use crate::stripe::{Answer, Stripe, encode};
use http_body_util::BodyExt;
use serde_json::json;
use stripe_simulator::{Fault, FaultKind, Options, TEST_SECRET_KEY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn with(fault: Fault) -> Stripe {
    Stripe::start_with(Options { faults: vec![fault], seed: Some(5), ..Options::default() }).await
}

fn once(kind: FaultKind) -> Fault {
    Fault { times: Some(1), ..Fault::new(kind) }
}

/// What comes back over a connection of its own, or how it ended.
async fn raw(stripe: &Stripe, key: &str) -> Result<Vec<u8>, std::io::Error> {
    let mut stream = tokio::net::TcpStream::connect(stripe.simulator.address()).await?;
    let body = encode(&[("email", "a@example.com")]);
    let request = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TEST_SECRET_KEY}\r\n\
         idempotency-key: {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn keyed(stripe: &Stripe, key: &str) -> Answer {
    let bearer = format!("Bearer {TEST_SECRET_KEY}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    stripe.send("POST", "/v1/customers", &headers, encode(&[("email", "a@example.com")])).await
}

async fn customers(stripe: &Stripe) -> usize {
    stripe.get("/v1/customers", &[]).await.ids().len()
}

#[tokio::test]
async fn an_error_before_the_work_is_tried_again_and_one_after_it_is_kept() {
    let stripe = with(once(FaultKind::ErrorBefore)).await;
    let failed = keyed(&stripe, "k").await;
    assert_eq!((failed.status, &failed.error()["type"]), (500, &json!("api_error")));
    assert_eq!((keyed(&stripe, "k").await.status, customers(&stripe).await), (200, 1));

    let stripe = with(once(FaultKind::ErrorAfter)).await;
    assert_eq!(keyed(&stripe, "k").await.status, 500);
    let again = keyed(&stripe, "k").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"));
    assert_eq!(customers(&stripe).await, 1, "the work was done once");
}

#[tokio::test]
async fn a_reset_loses_the_request_or_the_answer() {
    for (kind, made) in [(FaultKind::ResetBefore, 0), (FaultKind::ResetAfter, 1)] {
        let stripe = with(once(kind)).await;
        let ended = raw(&stripe, "k").await;
        assert!(ended.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset), "{ended:?}");
        assert_eq!(customers(&stripe).await, made);
        let again = keyed(&stripe, "k").await;
        assert_eq!((again.status, customers(&stripe).await), (200, 1));
    }
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_it_says() {
    let stripe = with(once(FaultKind::TruncatedBody)).await;
    let answer = raw(&stripe, "k").await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
}

#[tokio::test]
async fn an_early_answer_comes_before_the_body_was_sent() {
    let stripe = with(once(FaultKind::EarlyAnswer)).await;
    let mut stream = tokio::net::TcpStream::connect(stripe.simulator.address()).await.unwrap();
    let head = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TEST_SECRET_KEY}\r\ncontent-length: 9\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 500");
    assert_eq!(customers(&stripe).await, 0);
}

#[tokio::test]
async fn answers_come_late_or_in_drops() {
    for kind in [FaultKind::Latency, FaultKind::SlowDrip] {
        let stripe = with(Fault { milliseconds: 40, ..once(kind) }).await;
        let started = Instant::now();
        assert_eq!(keyed(&stripe, "k").await.status, 200);
        let least = if kind == FaultKind::Latency { 40 } else { 8 * 40 };
        assert!(started.elapsed() >= Duration::from_millis(least), "{kind:?}");
    }
}

#[tokio::test]
async fn the_control_route_adds_shows_and_clears() {
    let stripe = Stripe::start().await;
    let form = [("kind", "rate_limit"), ("path", "/v1/refunds"), ("percent", "100")];
    let added = stripe.submit("/_simulator/faults", &form).await;
    assert_eq!(added.body["faults"][0]["kind"], "rate_limit");
    assert_eq!(customers(&stripe).await, 0, "other paths are spared");
    let limited = stripe.get("/v1/refunds", &[]).await;
    assert_eq!((limited.status, &limited.error()["code"]), (429, &json!("rate_limit")));
    assert!(!limited.header("stripe-rate-limited-reason").is_empty());
    assert_eq!(stripe.send("DELETE", "/_simulator/faults", &[], "").await.body["faults"], json!([]));
    assert_eq!(stripe.get("/v1/refunds", &[]).await.status, 200);
    for form in [[("kind", "nothing")], [("percent", "101")]] {
        assert_eq!(stripe.submit("/_simulator/faults", &form).await.status, 400);
    }
}

#[tokio::test]
async fn the_clock_can_be_ahead() {
    let stripe = with(Fault { seconds: 86_400, ..Fault::new(FaultKind::ClockSkew) }).await;
    let created = keyed(&stripe, "k").await.body["created"].as_i64().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    assert!((86_390..86_410).contains(&(created - now)));
}

#[tokio::test]
async fn deliveries_come_twice_and_out_of_order() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (seen, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let seen = seen.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let seen = seen.clone();
                    async move {
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
                        let _ = seen.send(event["id"].as_str().unwrap().to_owned());
                        Ok::<_, std::convert::Infallible>(hyper::Response::new(String::new()))
                    }
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
            });
        }
    });
    let shuffled = Fault { milliseconds: 300, ..once(FaultKind::ShuffledDeliveries) };
    let faults = vec![shuffled, Fault::new(FaultKind::DuplicateDelivery)];
    let stripe = Stripe::start_with(Options { faults, seed: Some(3), ..Options::default() }).await;
    stripe.make("/v1/webhook_endpoints", &[("url", &url), ("enabled_events[]", "*")]).await;
    for _ in 0..6 {
        stripe.make("/v1/customers", &[]).await;
    }
    let mut order = Vec::new();
    for _ in 0..12 {
        order.push(tokio::time::timeout(Duration::from_secs(10), arrived.recv()).await.unwrap().unwrap());
    }
    let mut happened = stripe.get("/v1/events", &[]).await.ids();
    happened.reverse();
    let mut distinct = order.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 6, "each came twice in a row");
    assert_ne!(distinct, happened);
    distinct.sort();
    happened.sort();
    assert_eq!(distinct, happened);
}
