//! A long list, read to its end, page after page: by the command line, and by a client that parses the same.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::platform::{CALLER, KEY};
use crate::servers;

const OBJECTS: usize = 100_000;

/// What was measured.
pub struct Lists {
    pub objects: usize,
    pub ours: Duration,
    pub bare: Duration,
    /// The most memory of the command line, in bytes: with a tenth of the list, and with all of it. None where the system
    /// does not say.
    pub peak: Option<(usize, usize)>,
}

pub fn read() -> Lists {
    let (few, all) = (servers::listing(OBJECTS / 10), servers::listing(OBJECTS));
    let (_, peak_of_few) = command_line(&few);
    let (ours, peak) = command_line(&all);
    let began = Instant::now();
    bare(&all);
    Lists { objects: OBJECTS, ours, bare: began.elapsed(), peak: peak_of_few.zip(peak) }
}

/// `harness call customer.list --all`, and the most memory that it had.
fn command_line(base: &str) -> (Duration, Option<usize>) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["call", "customer.list", "--all", "--input", r#"{"limit":100}"#])
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")))
        .env("STRIPE_SECRET_KEY", KEY)
        .env("STRIPE_API_BASE", base)
        .env_remove("STRIPE_ACCOUNT")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = None;
    let status = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        peak = peak.max(now.map(|kib| kib * 1024));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => sleep(Duration::from_millis(2)),
        }
    };
    assert!(status.success(), "{status}");
    (began.elapsed(), peak)
}

/// The same requests, their answers parsed and their objects written out again.
fn bare(base: &str) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut path = "/v1/customers?limit=100".to_owned();
    CALLER.block_on(async {
        loop {
            let request = Request::get(format!("{base}{path}")).body(Full::new(Bytes::new())).unwrap();
            let answer = client.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            let page: Value = serde_json::from_slice(&answer).unwrap();
            let objects = page["data"].as_array().unwrap();
            for object in objects {
                divan::black_box(object.to_string());
            }
            if page["has_more"] != true {
                return;
            }
            let last = objects.last().unwrap()["id"].as_str().unwrap();
            path = format!("/v1/customers?limit=100&starting_after={last}");
        }
    });
}
