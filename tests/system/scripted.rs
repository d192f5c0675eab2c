//! A server that does to its connections what a test tells it to, at the level of bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// What is done with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Read the request to its end and answer.
    Answer(String),
    /// Answer at the end of the request's head, leave the body unread, and close.
    AnswerUnread(String),
    /// Read the request and answer with these bytes, which are cut off, and close.
    Cut(String),
    /// Read the request, do its work, and reset the connection.
    Reset,
    /// Read the request and never answer.
    Silence,
    /// Read the request, answer with these bytes, and then a byte every so often, for ever.
    Drip(String, Duration),
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub head: String,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|l| l.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

/// A running server. It stops when it is dropped.
pub struct Scripted {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    work: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// `script` decides by the request and its number, from 0, in order of arrival.
    pub async fn start(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let work: Arc<AtomicUsize> = Arc::default();
        let (script, log, done) = (Arc::new(script), Arc::clone(&seen), Arc::clone(&work));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log, done) = (Arc::clone(&script), Arc::clone(&log), Arc::clone(&done));
                tokio::spawn(async move {
                    let _ = serve(stream, &*script, &log, &done).await;
                });
            }
        });
        Self { address, seen, work, task }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn seen(&self) -> Vec<Seen> {
        self.seen.lock().await.clone()
    }

    /// How many requests were read to their end, and so carried out.
    pub fn work(&self) -> usize {
        self.work.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &(dyn Fn(usize, &Seen) -> Act + Send + Sync),
    log: &Mutex<Vec<Seen>>,
    work: &AtomicUsize,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let mut seen = Seen { head: String::from_utf8_lossy(&buffer[..end]).into_owned(), body: String::new() };
        let length: usize = seen.header("content-length").map_or(0, |v| v.parse().expect("a length"));
        let (number, act) = {
            let mut log = log.lock().await;
            log.push(seen.clone());
            (log.len() - 1, script(log.len() - 1, &seen))
        };
        if let Act::AnswerUnread(answer) = &act {
            stream.write_all(answer.as_bytes()).await?;
            return stream.shutdown().await;
        }
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        seen.body = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
        buffer.drain(..end + length);
        if let Some(entry) = log.lock().await.get_mut(number) {
            entry.body = seen.body;
        }
        work.fetch_add(1, Ordering::SeqCst);
        match act {
            Act::Answer(answer) => stream.write_all(answer.as_bytes()).await?,
            Act::AnswerUnread(_) => {}
            Act::Cut(answer) => {
                stream.write_all(answer.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Act::Reset => {
                // A linger of zero makes closing a reset.
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
                return Ok(());
            }
            Act::Silence => std::future::pending().await,
            Act::Drip(answer, pause) => {
                stream.write_all(answer.as_bytes()).await?;
                let mut drops = tokio::time::interval(pause);
                loop {
                    drops.tick().await;
                    stream.write_all(b" ").await?;
                }
            }
        }
    }
}

/// An HTTP answer with a JSON body.
pub fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The error body that Stripe sends.
pub fn error(status: u16, headers: &str, kind: &str, code: &str) -> String {
    let body = format!(r#"{{"error":{{"type":"{kind}","code":"{code}","message":"scripted {code}"}}}}"#);
    answer(status, headers, &body)
}
