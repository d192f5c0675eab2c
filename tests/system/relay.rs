//! A relay in front of a server: bytes pass both ways as they are, and the answers are kept.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// An answer as it passed.
#[derive(Debug, Clone)]
pub struct Passed {
    pub status: u16,
    /// What its `Request-Id` says.
    pub request_id: Option<String>,
    pub body: Vec<u8>,
}

/// A running relay. It stops when it is dropped.
pub struct Relay {
    address: SocketAddr,
    answers: Arc<Mutex<Vec<Passed>>>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answers: Arc<Mutex<Vec<Passed>>> = Arc::default();
        let kept = Arc::clone(&answers);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let _ = pass(client, server, &kept).await;
                });
            }
        });
        Self { address, answers, task }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The answers since this was last asked. One is kept before its last byte passes on.
    pub fn answers(&self) -> Vec<Passed> {
        std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pass(client: TcpStream, server: SocketAddr, kept: &Mutex<Vec<Passed>>) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((mut asked, mut told), (mut answering, mut asking)) = (client.into_split(), server.into_split());
    let requests = tokio::spawn(async move { tokio::io::copy(&mut asked, &mut asking).await });
    let mut buffer = Vec::new();
    // Of the answer that is passing, so much has passed on.
    let mut passed = 0;
    while answering.read_buf(&mut buffer).await? > 0 {
        while let Some((answer, end)) = whole(&buffer) {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            told.write_all(&buffer[passed..end]).await?;
            buffer.drain(..end);
            passed = 0;
        }
        told.write_all(&buffer[passed..]).await?;
        passed = buffer.len();
    }
    requests.abort();
    Ok(())
}

/// The first answer in the buffer and where it ends, once all of it is there.
fn whole(buffer: &[u8]) -> Option<(Passed, usize)> {
    let begin = buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&buffer[..begin]);
    let header = |name: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length")?.parse().ok()?;
    let body = buffer.get(begin..begin + length)?.to_vec();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((Passed { status, request_id: header("request-id"), body }, begin + length))
}
