//! Figures of this machine, on demand: `cargo test --release -p host-harness --test figures -- --ignored --nocapture`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use host_harness::contract::Environment;
use host_harness::{CacheFolder, Call, Connection, Grants, Host, HostConfig, Invocation};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{Guest, NONE, manifest};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const CUSTOMER: &str =
    r#"{"id":"cus_1","object":"customer","created":1700000000,"livemode":false,"email":"a@example.com","metadata":{}}"#;

fn big_host() -> Host {
    Host::with(HostConfig { cache: CacheFolder::User, ..HostConfig::default() }).unwrap()
}

fn call(base: &str, turn: usize) -> Call {
    let fields = [("api_key", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"), ("api_base", base)];
    Call::new(
        Connection::new(&manifest(), Environment::Development, fields).unwrap(),
        Invocation::new(format!("run_{turn}")),
    )
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[times.len() * share / 100];
    println!("{what}: median {:?}, 90 % {:?}, 99 % {:?} of {}", at(50), at(90), at(99), times.len());
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
#[ignore = "a measurement"]
async fn instantiate_and_call() {
    let host = big_host();
    println!("pooled: {}", host.pooled());
    let small = host.load(&Guest::new().resolve(NONE).build(), &manifest(), &Grants::default()).unwrap();
    let real = host.load(bundled_connector::COMPONENT, &manifest(), &Grants::default()).unwrap();
    println!(
        "real component: {} KB, {:?} in {:?}",
        real.facts().size / 1024,
        real.facts().compiled,
        real.facts().compile_time
    );
    for (name, connector) in [("smallest component", small), ("real component", real)] {
        let (mut whole, mut instantiate, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 0..3_000 {
            let began = Instant::now();
            let reply = connector.resolve_resource("cus_1").await.unwrap();
            if turn >= 300 {
                whole.push(began.elapsed());
                instantiate.push(reply.report.instantiate);
                cpu.push(reply.report.cpu);
            }
        }
        show(&format!("{name}, whole call"), whole);
        show(&format!("{name}, instantiate"), instantiate);
        show(&format!("{name}, guest CPU"), cpu);
    }
}

async fn answering() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                request.into_body().collect().await?;
                Ok::<_, hyper::Error>(hyper::Response::new(Full::new(Bytes::from_static(CUSTOMER.as_bytes()))))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    base
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn customer_create_over_keep_alive() {
    let base = answering().await;
    let bare = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let began = Instant::now();
        let request = hyper::Request::post(format!("{base}/v1/customers"))
            .body(Full::new(Bytes::from_static(b"email=a%40example.com")))
            .unwrap();
        bare.request(request).await.unwrap().into_body().collect().await.unwrap();
        times.push(began.elapsed());
    }
    show("bare hyper client", times.split_off(200));
    let connector =
        big_host().load(bundled_connector::COMPONENT, &manifest(), &Grants::default().allow(&base).unwrap()).unwrap();
    let (mut times, mut cpu) = (Vec::new(), Vec::new());
    for turn in 0..2_000 {
        let call = call(&base, turn);
        let began = Instant::now();
        let reply = connector.run_action(&call, "customer.create", r#"{"email": "a@example.com"}"#).await.unwrap();
        times.push(began.elapsed());
        cpu.push(reply.report.cpu);
    }
    show("customer.create", times.split_off(200));
    show("of it, guest CPU", cpu.split_off(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn memory_of_a_thousand_waiting_calls() {
    const CALLS: usize = 1_000;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let arrived = arrived.clone();
            tokio::spawn(async move {
                let mut first = [0; 64];
                stream.read_exact(&mut first).await.unwrap();
                arrived.send(()).unwrap();
                std::future::pending::<()>().await;
            });
        }
    });
    let connector =
        big_host().load(bundled_connector::COMPONENT, &manifest(), &Grants::default().allow(&base).unwrap()).unwrap();
    let before = resident();
    let calls: Vec<_> = (0..CALLS)
        .map(|turn| {
            let (connector, call) = (connector.clone(), call(&base, turn));
            tokio::spawn(async move {
                connector.run_action(&call, "customer.create", r#"{"email": "a@example.com"}"#).await.is_ok()
            })
        })
        .collect();
    for _ in 0..CALLS {
        arrivals.recv().await.unwrap();
    }
    println!(
        "{CALLS} waiting calls: {} KB each, with their connections on both sides",
        (resident() - before) / 1024 / CALLS as u64
    );
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}
