//! The real connector in the real host against servers of real sockets: what leaves, what does not, and what is said of it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host::contract::{ChoiceRequest, Environment, ErrorKind, Outcome, TriggerUse};
use host::{
    CacheFolder, Call, CallError, Connection, Connector, DenialReason, Grants, Host, HostConfig, Invocation, Manifest,
    PlatformError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "sk_test_51HostHarness";

/// A server that serves each connection by this, and keeps what it read.
struct Server {
    base: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { base, seen }
    }

    /// Answers every request whole, and keeps the connection.
    async fn answering(status: &'static str, body: String) -> Self {
        let body = Arc::new(body);
        Self::start(move |mut stream, seen| {
            let body = Arc::clone(&body);
            async move {
                while let Some(request) = request(&mut stream).await {
                    seen.lock().unwrap().push(request);
                    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nrequest-id: req_1\r\ncontent-length: {}\r\n\r\n", body.len());
                    if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

/// One request, with its body.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let head = head(stream).await?;
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:").map(|length| length.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

fn customer() -> String {
    r#"{"id":"cus_1","object":"customer","created":1700000000,"livemode":false,"email":"a@example.com","metadata":{}}"#
        .to_owned()
}

fn manifest() -> Manifest {
    Manifest::parse(bundled_connector::MANIFEST).unwrap()
}

fn load(manifest: &Manifest, grants: &Grants) -> Connector {
    let host = Host::with(HostConfig { cache: CacheFolder::User, calls: 64, ..HostConfig::default() }).unwrap();
    host.load(bundled_connector::COMPONENT, manifest, grants).unwrap()
}

fn granting(base: &str) -> Connector {
    load(&manifest(), &Grants::default().allow(base).unwrap())
}

fn call(base: &str, invocation: Invocation) -> Call {
    let fields = [("api_key", KEY), ("api_base", base)];
    Call::new(Connection::new(&manifest(), Environment::Development, fields).unwrap(), invocation)
}

const INPUT: &str = r#"{"email": "a@example.com"}"#;

#[tokio::test]
async fn the_real_key_is_put_in_where_a_request_leaves() {
    let server = Server::answering("200 OK", customer()).await;
    let reply = granting(&server.base)
        .run_action(&call(&server.base, Invocation::new("run_1")), "customer.create", INPUT)
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(
        seen[0].to_ascii_lowercase().contains(&format!("authorization: bearer {KEY}\r\n").to_ascii_lowercase()),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains(KEY) && !seen[0].contains("placeholder"), "{}", seen[0]);

    let request = &reply.report.requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str(), request.status), ("POST", "/v1/customers", Some(200)));
    let report = serde_json::to_string(&reply.report).unwrap();
    assert!(!report.contains("sk_test") && !report.contains("a@example.com"), "{report}");
    assert!(!format!("{reply:?}").contains(KEY));
}

#[tokio::test]
async fn without_a_grant_nothing_leaves_and_the_grant_is_named() {
    let server = Server::answering("200 OK", customer()).await;
    let error = load(&manifest(), &Grants::default())
        .run_action(&call(&server.base, Invocation::new("run_1")), "customer.create", INPUT)
        .await
        .unwrap_err();
    assert!(server.seen().is_empty());
    let failure = error.connector().unwrap();
    assert_eq!((failure.kind.clone(), failure.outcome), (ErrorKind::Denied, Outcome::NotSent));
    let denials = &error.report().denials;
    assert_eq!(denials[0].reason, DenialReason::NotGranted);
    assert_eq!(denials[0].allow_with.as_deref(), Some(server.base.as_str()));
    assert!(error.report().requests.is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_the_key_does_not_follow_it() {
    let other = Server::answering("200 OK", customer()).await;
    let location = other.base.clone();
    let server = Server::start(move |mut stream, seen| {
        let location = location.clone();
        async move {
            while let Some(request) = request(&mut stream).await {
                seen.lock().unwrap().push(request);
                let answer = format!(
                    "HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}/v1/customers\r\ncontent-length: 0\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let connector = load(&manifest(), &Grants::default().allow(&server.base).unwrap().allow(&other.base).unwrap());
    let result = connector.run_query(&call(&server.base, Invocation::new("run_1")), "customer.list", "{}", None).await;
    assert!(result.is_err(), "{result:?}");
    assert!(other.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_answer_always_reaches_the_caller() {
    let server = Server::start(|mut stream, _| async move {
        head(&mut stream).await;
        let body = r#"{"error":{"type":"invalid_request_error","message":"no such key"}}"#;
        let answer =
            format!("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let connector = granting(&server.base);
    let long = format!(r#"{{"email": "a@example.com", "description": "{}"}}"#, "x".repeat(100_000));
    for (times, input) in [(3_000, INPUT), (100, long.as_str())] {
        for turn in 0..times {
            let error = connector
                .run_action(&call(&server.base, Invocation::new(format!("run_{turn}"))), "customer.create", input)
                .await
                .unwrap_err();
            let failure = error.connector().unwrap_or_else(|| panic!("{error}"));
            assert_eq!(
                (failure.kind.clone(), failure.http_status, failure.attempts),
                (ErrorKind::Authentication, Some(401), 1),
                "{turn}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_call_that_is_cut_short_after_its_request_left_has_an_unknown_outcome() {
    // An answer that fits into the memory that the component has once, and not a second time in the record made of it.
    let long = format!(r#"{{"id":"cus_1","object":"customer","description":"{}"}}"#, "x".repeat(3 << 20));
    let server = Server::answering("200 OK", long).await;
    let mut manifest = manifest();
    manifest.limits.memory = 6 << 20;
    let connector = load(&manifest, &Grants::default().allow(&server.base).unwrap());
    let run = Invocation::new("run_1");
    let call = call(&server.base, run.clone());

    let error = connector.run_action(&call, "customer.create", INPUT).await.unwrap_err();
    let failure = error.platform().unwrap_or_else(|| panic!("{error:?}"));
    assert!(matches!(failure.error, PlatformError::Memory { .. }), "{failure:?}");
    assert_eq!(failure.outcome(), Outcome::Unknown);
    assert!(error.to_string().contains("outcome is unknown"), "{error}");
    assert_eq!(failure.report.requests[0].status, Some(200));
    assert!(run.again_after(&error).history.unwrap().in_doubt);

    let error = connector.run_query(&call, "customer.retrieve", r#"{"customer": "cus_1"}"#, None).await.unwrap_err();
    assert_eq!(error.platform().unwrap().outcome(), Outcome::NotSent, "reading changes nothing");
}

#[tokio::test]
async fn a_guest_that_keeps_to_its_time_reports_the_outcome_itself() {
    let server = Server::start(|mut stream, seen| async move {
        let request = request(&mut stream).await.unwrap();
        seen.lock().unwrap().push(request);
        std::future::pending::<()>().await;
    })
    .await;
    let invocation = Invocation::new("run_1").with_timeout(Duration::from_millis(300));
    let error =
        granting(&server.base).run_action(&call(&server.base, invocation), "customer.create", INPUT).await.unwrap_err();
    let failure = error.connector().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((failure.kind.clone(), failure.outcome), (ErrorKind::Timeout, Outcome::Unknown), "{failure:?}");
}

#[tokio::test]
async fn the_limit_of_a_call_is_told_to_a_guest_that_asked_for_no_other() {
    let server = Server::start(|mut stream, _| async move {
        request(&mut stream).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut manifest = manifest();
    manifest.limits.call_timeout = Duration::from_millis(400);
    let connector = load(&manifest, &Grants::default().allow(&server.base).unwrap());
    let call = call(&server.base, Invocation::new("run_1"));
    let error = connector.run_action(&call, "customer.create", INPUT).await.unwrap_err();
    let failure = error.connector().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((failure.kind.clone(), failure.outcome), (ErrorKind::Timeout, Outcome::Unknown), "{failure:?}");
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_the_time_of_the_call() {
    let server = Server::start(|mut stream, _| async move {
        request(&mut stream).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{";
        let mut written = stream.write_all(head.as_bytes()).await;
        while written.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            written = stream.write_all(b" ").await;
        }
    })
    .await;
    let invocation = Invocation::new("run_1").with_timeout(Duration::from_millis(500));
    let error =
        granting(&server.base).run_action(&call(&server.base, invocation), "customer.create", INPUT).await.unwrap_err();
    let failure = error.connector().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((failure.kind.clone(), failure.outcome), (ErrorKind::Timeout, Outcome::Unknown), "{failure:?}");
}

#[tokio::test]
async fn a_tls_handshake_answered_in_plain_text_has_sent_nothing() {
    let server = Server::start(|mut stream, _| async move {
        let mut hello = [0; 100];
        let _ = stream.read_exact(&mut hello).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    let base = server.base.replace("http://", "https://");
    let error =
        granting(&base).run_action(&call(&base, Invocation::new("run_1")), "customer.create", INPUT).await.unwrap_err();
    assert!(error.report().requests.iter().all(|request| !request.may_have_left), "{error:?}");
    let failure = error.connector().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((failure.kind.clone(), failure.outcome), (ErrorKind::Network, Outcome::NotSent), "{failure:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_by_the_connector_that_never_sees_it() {
    let server = Server::answering("200 OK", customer()).await;
    let fields = [("api_key", "sk_test_with space"), ("api_base", server.base.as_str())];
    let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
    let error = granting(&server.base)
        .run_action(&Call::new(connection, Invocation::new("run_1")), "customer.create", INPUT)
        .await
        .unwrap_err();
    let failure = error.connector().unwrap();
    assert_eq!(
        (failure.kind.clone(), failure.outcome),
        (ErrorKind::InvalidConnection, Outcome::NotSent),
        "{failure:?}"
    );
    assert!(failure.message.contains("space inside") && !format!("{failure:?}").contains("with space"), "{failure:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_repeats_the_key_shows_it_to_nobody() {
    let error = format!(
        r#"{{"error":{{"type":"{KEY}","code":"{KEY}","message":"Invalid API Key: {KEY}","param":"{KEY}","doc_url":"https://a.example/{KEY}","request_log_url":"{KEY}"}}}}"#
    );
    let object = format!(r#"{{"id":"{KEY}","object":"customer","email":"{KEY}","metadata":{{"{KEY}":"{KEY}"}}}}"#);
    let list = format!(r#"{{"object":"list","data":[{object}],"has_more":true,"url":"{KEY}"}}"#);
    for (status, body) in [("401 Unauthorized", error), ("200 OK", object), ("200 OK", list)] {
        let server = Server::answering(status, body).await;
        let (connector, call) = (granting(&server.base), call(&server.base, Invocation::new("run_1")));
        let said = [
            format!("{:?}", connector.run_action(&call, "customer.create", INPUT).await),
            format!("{:?}", connector.run_query(&call, "customer.list", "{}", None).await),
            format!("{:?}", connector.choices(&call, ChoiceRequest::of("customer")).await),
            format!("{:?}", connector.poll(&call, vec![TriggerUse::every("customer.created")], Some("x")).await),
            format!("{:?}", connector.test_connection(&call).await),
        ];
        assert!(!server.seen().is_empty());
        for said in said {
            assert!(!said.contains(KEY) && !said.contains("51HostHarness"), "{said}");
        }
    }
}

#[tokio::test]
async fn many_calls_at_once_are_answered() {
    let server = Server::answering("200 OK", customer()).await;
    let connector = granting(&server.base);
    let calls: Vec<_> = (0..300)
        .map(|turn| {
            let (connector, call) = (connector.clone(), call(&server.base, Invocation::new(format!("run_{turn}"))));
            tokio::spawn(async move {
                connector
                    .run_action(&call, "customer.create", INPUT)
                    .await
                    .map(drop)
                    .map_err(|error: CallError| error.to_string())
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.seen().len(), 300);
}
