//! Creates customers as quickly as it can, over real connections, and prints how many a second that were.
//!
//! `load [CONNECTIONS] [SECONDS] [URL-HOST:PORT]`; without an address it starts a simulator of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stripe_simulator::{Simulator, TEST_SECRET_KEY};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let connections = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(16);
    let seconds = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(3);
    let runtime = tokio::runtime::Runtime::new()?;
    let simulator = runtime.block_on(Simulator::start())?;
    let address = arguments.next().unwrap_or_else(|| simulator.address().to_string());
    let (stop, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(|| create(&address, &stop, &made))).collect();
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().try_for_each(|w| w.join().map_err(|_| std::io::Error::other("a worker panicked"))?)
    })?;
    let (made, took) = (made.load(Ordering::Relaxed), started.elapsed().as_secs_f64());
    println!("{made} creates in {took:.2} s: {:.0} a second", made as f64 / took);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    }
    Ok(())
}

fn create(address: &str, stop: &AtomicBool, made: &AtomicU64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let body = "email=load%40example.com&name=Load+Test&metadata[order]=6735";
    let request = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TEST_SECRET_KEY}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut buffer = [0; 8192];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        while !complete(&answer) {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Err(std::io::Error::other("the simulator hung up"));
            }
            answer.extend(buffer.iter().take(count));
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(std::io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
        }
        made.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|l| body.len() >= l)
}
