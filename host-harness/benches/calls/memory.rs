//! The memory of many calls that wait at once.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::platform::{CALLER, call, connection, connector};
use crate::servers;

/// So many calls wait at once, where the machine allows two open files for each and as many again for what they are
/// compared with.
const CALLS: usize = 1_000;

/// KiB for each waiting call and for each waiting request of a bare client, both with the server's side of the connection.
/// None where the system does not say.
///
/// It counts what has become private memory, so it comes before everything that leaves memory behind for reuse.
pub fn waiting() -> Option<(usize, f64, f64)> {
    let calls = CALLS.min(open_files(5 * CALLS) / 5);
    let (base, arrivals) = servers::silent();
    let (connector, connection) = (connector(&base), connection(&base));
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();

    let start = private()?;
    let waiting: Vec<_> = (0..calls)
        .map(|_| {
            let (connector, call) = (connector.clone(), call(&connection));
            CALLER.spawn(async move { connector.run_action(&call, "customer.create", "{}").await.is_ok() })
        })
        .collect();
    arrive(&arrivals, calls);
    let middle = private()?;
    let bare: Vec<_> = (0..calls)
        .map(|_| {
            let request = Request::post(format!("{base}/v1/customers")).body(Full::new(Bytes::new())).unwrap();
            let client = client.clone();
            CALLER.spawn(async move { client.request(request).await.is_ok() })
        })
        .collect();
    arrive(&arrivals, calls);
    let end = private()?;

    waiting.iter().chain(&bare).for_each(tokio::task::JoinHandle::abort);
    CALLER.block_on(tokio::task::yield_now());
    let each = |from: usize, to: usize| to.saturating_sub(from) as f64 / 1024.0 / calls as f64;
    Some((calls, each(start, middle), each(middle, end)))
}

fn arrive(arrivals: &Receiver<()>, expected: usize) {
    let mut arrived = 0;
    while arrived < expected {
        CALLER.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        arrived += arrivals.try_iter().count();
    }
}

/// The memory of this process that is there and its alone, in bytes. Pages of a component's code and data that a call only
/// reads are shared by all calls, and appear once for each in `VmRSS`.
fn private() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.split_whitespace().next()?.parse::<usize>().ok()? * 1024)
}

/// How many files may be open, after asking for so many.
#[cfg(unix)]
pub fn open_files(wanted: usize) -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(wanted as u64);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
pub fn open_files(_: usize) -> usize {
    usize::MAX
}
