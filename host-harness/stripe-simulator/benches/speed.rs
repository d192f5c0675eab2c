//! What the simulator costs: `cargo bench -p stripe-simulator`.
//!
//! A table of figures, each beside its goal and beside the same work without what the simulator adds: a server that
//! answers every request with the same bytes, over the same library, asked by the same clients in the same process,
//! in turns. Then a million customers are created and counted in memory. Nothing leaves this machine, and nothing is
//! asserted: a figure that misses its goal is for a person to judge.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run stops"
)]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use stripe_simulator::{Simulator, TEST_SECRET_KEY};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Connections at once; each sends a request when the one before is answered.
const CONNECTIONS: usize = 16;
/// Requests of one turn.
const TURN: usize = 10_000;
/// Turns of each server.
const TURNS: usize = 8;
/// Objects whose memory is counted.
const OBJECTS: usize = 1_000_000;
/// Processes that are started of each kind.
const STARTS: usize = 20;

/// Set in the processes that are started to see how long that takes.
const ROLE: &str = "STRIPE_SIMULATOR_BENCH_ROLE";

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("simulator") => return start_once(true),
        Ok(_) => return start_once(false),
        Err(_) => {}
    }
    // `cargo test --benches` and filters mean the benchmarks of other packages.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let constant = runtime.block_on(constant());
    let simulator = runtime.block_on(Simulator::start()).unwrap();
    println!("\n{:<34}{:>14}{:>24}{:>8}   goal", "", "simulator", "constant answers", "ratio");
    speed(simulator.address(), constant);
    start();
    memory(simulator.address(), constant);
    println!("\nMedians of one run, on {}.\n", machine());
    runtime.block_on(simulator.stop());
}

fn row(what: &str, ours: &str, other: &str, ratio: f64, goal: &str) {
    println!("{what:<34}{ours:>14}{other:>24}{ratio:>8.2}   {goal}");
}

/// Creates a second, of the simulator and of the server that only answers.
fn speed(simulator: SocketAddr, constant: SocketAddr) {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(create(simulator, TURN));
        others.push(create(constant, TURN));
    }
    let rate = |times| TURN as f64 / median(times).as_secs_f64();
    let (ours, others) = (rate(ours), rate(others));
    let shown = |rate: f64| format!("{rate:.0}/s");
    row("customers created over HTTP", &shown(ours), &shown(others), ours / others, "20000/s on 2 cores");
}

/// From the start of a process to its first answer.
fn start() {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        ours.push(process("simulator"));
        others.push(process("constant"));
    }
    let (ours, others) = (median(ours), median(others));
    let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    row(
        "process start to first answer",
        &shown(ours),
        &shown(others),
        ours.as_secs_f64() / others.as_secs_f64(),
        "50 ms",
    );
}

fn process(role: &str) -> Duration {
    let began = Instant::now();
    let status = Command::new(std::env::current_exe().unwrap())
        .env(ROLE, role)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    began.elapsed()
}

fn start_once(simulator: bool) {
    let runtime = Runtime::new().unwrap();
    if simulator {
        let simulator = runtime.block_on(Simulator::start()).unwrap();
        create(simulator.address(), 1);
        runtime.block_on(simulator.stop());
    } else {
        create(runtime.block_on(constant()), 1);
    }
}

/// Memory of objects, beside the text of as many answers.
fn memory(simulator: SocketAddr, constant: SocketAddr) {
    let Some(before) = resident() else { return };
    create(simulator, OBJECTS);
    let Some(after) = resident() else { return };
    let grown = after.saturating_sub(before) as f64;
    let text = (answer_length(constant) * OBJECTS) as f64;
    let shown = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    row(
        "memory of 1000000 customers",
        &shown(grown),
        &format!("{} of text", shown(text)),
        grown / text,
        "2000 MB, events and keys included",
    );
}

/// The memory of this process that is there, in bytes, where the system says.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

/// Creates that many customers; how long it took.
fn create(address: SocketAddr, count: usize) -> Duration {
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS.min(count) {
            scope.spawn(|| {
                let mut line = Line::new(address);
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                numbers.take_while(|number| *number < count).for_each(|number| _ = line.create(run, number));
            });
        }
    });
    began.elapsed()
}

fn answer_length(address: SocketAddr) -> usize {
    let mut line = Line::new(address);
    line.create(usize::MAX, 0)
}

/// A connection that is kept.
struct Line {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Line {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, request: Vec::new(), answer: vec![0; 16 << 10] }
    }

    /// Creates a customer as the SDKs do, with a key of its own; the length of the body that comes back.
    fn create(&mut self, run: usize, number: usize) -> usize {
        let body = format!("email=load{number}%40example.com&name=Load+Test&metadata[order]={number}");
        self.request.clear();
        write!(
            self.request,
            "POST /v1/customers HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TEST_SECRET_KEY}\r\n\
             stripe-version: 2026-10-28.endive\r\nidempotency-key: bench-{run:x}-{number:x}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        self.stream.write_all(&self.request).unwrap();
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.answer[filled..]).unwrap();
            if let Some(length) = complete(&self.answer[..filled]) {
                assert!(
                    self.answer.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    String::from_utf8_lossy(&self.answer[..filled])
                );
                return length;
            }
        }
    }
}

/// The length of the body, once all of it is there.
fn complete(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    (answer.len() >= head + length).then_some(length)
}

/// A server that answers every request with a customer, always the same.
async fn constant() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let customer = Bytes::from(CUSTOMER);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let customer = customer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let customer = customer.clone();
                async move {
                    let _ = request.into_body().collect().await;
                    let answer = Response::builder().header("content-type", "application/json");
                    Ok::<_, Infallible>(answer.body(Full::new(customer)).unwrap())
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// As long as the simulator's.
const CUSTOMER: &str = concat!(
    r#"{"id":"cus_zq2MhAb8VOKYOL","object":"customer","address":null,"balance":0,"business_name":null,"crea"#,
    r#"ted":1795253621,"currency":null,"customer_account":null,"default_source":null,"delinquent":false,"de"#,
    r#"scription":null,"discount":null,"email":"load0@example.com","individual_name":null,"invoice_prefix":"#,
    r#""3I00MAOR","invoice_settings":{"custom_fields":null,"default_payment_method":null,"footer":null,"ren"#,
    r#"dering_options":null},"livemode":false,"metadata":{"order":"0"},"name":"Load Test","next_invoice_seq"#,
    r#"uence":1,"phone":null,"preferred_locales":[],"shipping":null,"tax_exempt":"none","test_clock":null}"#,
);

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match load.split(' ').next() {
        Some(load) if !load.is_empty() => format!("{cores} cores with a load of {load}"),
        _ => format!("{cores} cores"),
    }
}
