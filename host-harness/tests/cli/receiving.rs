//! Both sides of `serve` in the tests of the inbox: a sender of signed events that sends again as Stripe does, and a receiver
//! that events are forwarded to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Harness, WEBHOOK_SECRET};

/// The header of a delivery that was signed so long ago.
pub fn signed(secret: &str, age: u64, body: &str) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - age;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Stripe-Signature: t={time},v1={hex}\r\n")
}

/// The event of this number, as Stripe would send it.
pub fn event(number: usize) -> String {
    static SAMPLE: OnceLock<Value> = OnceLock::new();
    let sample = SAMPLE.get_or_init(|| Harness::new(&["sample", "customer.created"]).run().succeeded().json());
    let mut event = sample.clone();
    event["id"] = json!(format!("evt_{number:06}"));
    event["data"]["object"]["id"] = json!(format!("cus_{number:06}"));
    event.to_string()
}

/// One delivery on a connection of its own: the status; none where there was no answer.
pub fn delivered(address: &str, headers: &str, body: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    let length = body.len();
    let head = format!(
        "POST /webhooks/stripe HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/json; charset=utf-8\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// Delivers the event of this number until it is taken, each time to the next of these addresses.
pub fn deliver_until_taken(addresses: &[String], number: usize) {
    let body = event(number);
    let began = Instant::now();
    for attempt in number.. {
        let address = &addresses[attempt % addresses.len()];
        if delivered(address, &signed(WEBHOOK_SECRET, 0, &body), &body) == Some(200) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "event {number} is never taken");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One request that came to the receiver.
#[derive(Clone, Debug)]
pub struct Forwarded {
    pub key: String,
    pub event: String,
    pub trigger: String,
    pub attempt: u32,
    pub body: String,
}

/// A receiver of forwarded events.
pub struct Target {
    pub url: String,
    taken: Arc<Mutex<Vec<Forwarded>>>,
    /// The status of the next answers, while it is not 0.
    status: Arc<AtomicU32>,
}

impl Target {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/events?token=forwarding", listener.local_addr().unwrap());
        let taken: Arc<Mutex<Vec<Forwarded>>> = Arc::default();
        let status: Arc<AtomicU32> = Arc::default();
        let (log, answers) = (Arc::clone(&taken), Arc::clone(&status));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                std::thread::spawn(move || {
                    let Some(forwarded) = read(&stream) else { return };
                    let status = match answers.load(Ordering::Relaxed) {
                        // Some fail at first, as receivers do.
                        0 if forwarded.attempt == 1 && forwarded.event.ends_with('7') => 500,
                        0 => 204,
                        status => status,
                    };
                    if status < 300 {
                        log.lock().unwrap().push(forwarded);
                    }
                    let answer = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                    let _ = (&stream).write_all(answer.as_bytes());
                });
            }
        });
        Self { url, taken, status }
    }

    /// Answers everything so from now on; 0 as usual.
    pub fn answers(&self, status: u32) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub fn taken(&self) -> Vec<Forwarded> {
        self.taken.lock().unwrap().clone()
    }

    /// The keys that each event came with.
    pub fn keys(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for forwarded in self.taken() {
            keys.entry(forwarded.event).or_default().insert(forwarded.key);
        }
        keys
    }

    /// Waits until so many different events have come, and checks that each came under one key.
    #[track_caller]
    pub fn has_each_once(&self, count: usize) {
        let began = Instant::now();
        while self.keys().len() < count {
            assert!(began.elapsed() < Duration::from_secs(60), "{} of {count} came", self.keys().len());
            std::thread::sleep(Duration::from_millis(20));
        }
        let keys = self.keys();
        assert_eq!(keys.len(), count, "no event but these");
        let all: BTreeSet<&String> = keys.values().flatten().collect();
        assert_eq!(all.len(), count, "one key for each event, and no two events with one");
    }
}

fn read(stream: &TcpStream) -> Option<Forwarded> {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let header = |name: &str| headers.get(name).cloned();
    Some(Forwarded {
        key: header("idempotency-key")?,
        event: header("event-id")?,
        trigger: header("event-trigger")?,
        attempt: header("event-attempt")?.parse().ok()?,
        body: String::from_utf8(body).ok()?,
    })
}

/// A figure of `/metrics`.
pub fn figure(url: &str, name: &str) -> f64 {
    let (status, text) = crate::support::exchange(url, "GET", "/metrics", "", "");
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} is not in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until a condition holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not in 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}
