//! Senders that deliver one signed event after the other, each on a connection that it keeps.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::WEBHOOK_SECRET;

/// So many deliveries are under way at once, as when a busy account's events come in.
const SENDERS: usize = 32;

/// The next event's number. The second store is filled with other events than the first.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Delivers for `warm_up` and then for `time`: how many a second, and how long each took, the shortest first.
pub async fn deliver(address: SocketAddr, sample: &str, warm_up: Duration, time: Duration) -> (f64, Vec<Duration>) {
    let sample: Arc<Value> = Arc::new(serde_json::from_str(sample).unwrap());
    let from = Instant::now() + warm_up;
    let until = from + time;
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let sample = Arc::clone(&sample);
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut times, mut answer) = (Vec::new(), [0; 1024]);
            while Instant::now() < until {
                let request = request(&sample, NEXT.fetch_add(1, Ordering::Relaxed));
                let began = Instant::now();
                stream.write_all(request.as_bytes()).await.unwrap();
                // The answer is shorter than a packet.
                let length = stream.read(&mut answer).await.unwrap();
                assert!(
                    answer[..length].starts_with(b"HTTP/1.1 200 "),
                    "{}",
                    String::from_utf8_lossy(&answer[..length])
                );
                if began >= from {
                    times.push(began.elapsed());
                }
            }
            times
        });
    }
    let mut times = senders.join_all().await.concat();
    times.sort_unstable();
    (times.len() as f64 / time.as_secs_f64(), times)
}

fn request(sample: &Value, number: usize) -> String {
    let mut event = sample.clone();
    event["id"] = json!(format!("evt_{number:08}"));
    let body = event.to_string();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let length = body.len();
    format!(
        "POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Stripe-Signature: t={time},v1={hex}\r\n\r\n{body}"
    )
}
