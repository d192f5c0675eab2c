//! What is said when a run is stopped, or when its result reaches nobody: never nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Harness, KEY, Running, Stripe};

const PAY: [&str; 6] = ["call", "payment_intent.create", "--input", PAYMENT, "--invocation-id", "order_9"];
const PAYMENT: &str = r#"{"amount": 1099, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true,
    "return_url": "https://example.com/return"}"#;

#[test]
fn a_payment_whose_result_cannot_be_printed_is_said_to_be_made() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&PAY).run_without_room();
    let said = [
        "standard output cannot be written",
        "done?     Yes: it was done",
        "--invocation-id order_9",
        "concerns  payment_intent pi_",
        "key       payment_intents-",
    ];
    let ended = ended.failed(4, &said);
    assert!(!ended.stderr.contains("--in-doubt-since"), "there is no doubt: {}", ended.stderr);
    let ended = stripe.harness(&[&PAY[..], &["--json"]].concat()).run_without_room().failed(4, &[]);
    let error = ended.error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("untold"), &json!("committed")));
    assert_eq!(error["next_try"]["invocation_id"], "order_9");
    assert!(error["idempotency_key"].is_string() && error["related"][0]["id"].is_string(), "{error}");
}

#[test]
fn a_payment_whose_result_nobody_reads_is_said_to_be_made() {
    let stripe = Stripe::start();
    let mut running = stripe.harness(&PAY).spawn();
    running.stop_reading();
    running.wait().failed(4, &["standard output is closed", "done?     Yes: it was done", "--invocation-id order_9"]);
}

#[test]
fn a_page_that_nobody_reads_is_no_failure() {
    let stripe = Stripe::start();
    let mut running = stripe.harness(&["call", "customer.list"]).spawn();
    running.stop_reading();
    assert_eq!(running.wait().status, 0);
    stripe.harness(&["call", "customer.list"]).run_without_room().failed(3, &["standard output cannot be written"]);
}

#[test]
fn a_file_that_cannot_be_written_afterwards_leaves_no_doubt() {
    let stripe = Stripe::start();
    let subscription = ["subscribe", "https://example.com/hook", "customer.created", "--state-file"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.state");
    let file = file.to_str().unwrap();
    let ended = stripe.harness(&[&subscription[..], &[file]].concat()).run_without_room();
    ended.failed(4, &["done?     Yes: it was done", "its state is in", file]);
    assert!(std::path::Path::new(file).exists());
}

/// A service that takes requests, tells the method of each, and never answers.
fn silent() -> (SocketAddr, Receiver<String>) {
    silent_but_for("")
}

/// The same, but requests of this method are answered with an empty list.
fn silent_but_for(answered: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, taken) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or_default();
            let method = String::from_utf8_lossy(&head[..length]).split(' ').next().unwrap().to_owned();
            if method == answered {
                let body = r#"{"object": "list", "data": [], "has_more": false, "url": "/v1/webhook_endpoints"}"#;
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            } else {
                kept.push(stream);
            }
            let _ = sender.send(method);
        }
    });
    (address, taken)
}

fn against(address: SocketAddr, arguments: &[&str]) -> Harness {
    Harness::new(arguments).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &format!("http://{address}"))
}

const UNKNOWN: [&str; 3] =
    ["was stopped before it ended", "done?     Unknown", "--invocation-id order_9 --in-doubt-since 20"];

#[test]
fn a_payment_that_is_interrupted_twice_ends_at_once_and_is_said_to_be_in_doubt() {
    let (address, taken) = silent();
    let mut running = against(address, &PAY).spawn();
    taken.recv().unwrap();
    running.signal(Signal::INT);
    assert!(running.error_line().contains("waiting up to 3 s"));
    running.interrupt().failed(4, &UNKNOWN);
}

#[test]
fn a_payment_that_is_told_to_end_waits_a_little_and_is_said_to_be_in_doubt() {
    let (address, taken) = silent();
    let running = against(address, &[&PAY[..], &["--json"]].concat()).spawn();
    taken.recv().unwrap();
    running.signal(Signal::TERM);
    let ended = running.wait();
    assert_eq!(ended.status, 4, "{ended:?}");
    let error: serde_json::Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&error["outcome"], &error["next_try"]["in_doubt"]), (&json!("unknown"), &json!(true)));
}

#[test]
fn signals_end_a_process_whose_standard_error_nobody_reads() {
    let (address, taken) = silent();
    let mut running = against(address, &PAY).spawn_unheard();
    taken.recv().unwrap();
    let began = Instant::now();
    let status = loop {
        running.signal(Signal::INT);
        if let Some(status) = running.ended() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::yield_now();
    };
    assert_eq!(status, 4, "it may have been done");
}

#[test]
fn an_answer_that_is_on_its_way_is_still_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut running = against(address, &["call", "customer.create", "--invocation-id", "order_9"]).spawn();
    let (mut stream, _) = listener.accept().unwrap();
    let _ = stream.read(&mut [0; 4096]).unwrap();
    running.signal(Signal::INT);
    assert!(running.error_line().contains("stopping"));
    let body = r#"{"id": "cus_1", "object": "customer"}"#;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    assert_eq!(running.wait().succeeded().json()["id"], "cus_1");
}

#[test]
fn a_read_is_given_up_at_once_and_nothing_was_changed() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (address, taken) = silent();
        let running = against(address, &["call", "customer.list"]).spawn();
        taken.recv().unwrap();
        running.signal(signal);
        running.wait().failed(status, &["error: stopped"]);
    }
}

/// To subscribe at this URL, and keep the state in this folder.
fn subscribing(address: SocketAddr, folder: &std::path::Path, flags: &[&str]) -> Running {
    let file = folder.join("stripe.state");
    let arguments =
        ["subscribe", "https://example.com/hook", "customer.created", "--state-file", file.to_str().unwrap()];
    against(address, &[&arguments[..], flags].concat()).spawn()
}

#[test]
fn a_subscription_that_is_interrupted_may_have_been_made() {
    let (address, taken) = silent_but_for("GET");
    let folder = tempfile::tempdir().unwrap();
    let mut running = subscribing(address, folder.path(), &[]);
    while taken.recv().unwrap() != "POST" {}
    running.signal(Signal::INT);
    assert!(running.error_line().contains("waiting"));
    running.interrupt().failed(4, &["subscribing was stopped before it ended", "done?     Unknown", "Subscribe again"]);
}

#[test]
fn a_subscription_that_is_interrupted_while_it_looks_has_changed_nothing() {
    let (address, taken) = silent();
    let folder = tempfile::tempdir().unwrap();
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let running = subscribing(address, folder.path(), &[]);
        assert_eq!(taken.recv().unwrap(), "GET", "it looks first whether the URL has a subscription");
        running.signal(signal);
        let said = ["subscribing was stopped before it changed anything", "done?     No", "Subscribe again"];
        let ended = running.wait().failed(status, &said);
        assert!(!ended.stderr.contains("waiting"), "there is nothing to wait for: {}", ended.stderr);
    }
    let running = subscribing(address, folder.path(), &["--json"]);
    taken.recv().unwrap();
    let error = running.interrupt().failed(130, &[]).error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("stopped"), &json!("not-sent")));
}

#[test]
fn whoever_is_told_that_nothing_was_changed_is_told_the_truth() {
    let (mut before, mut after) = (0, 0);
    let (address, taken) = silent();
    let began = Instant::now();
    let running = against(address, &PAY).spawn();
    while taken.recv().unwrap() != "POST" {}
    let until_it_left = began.elapsed();
    running.signal(Signal::INT);
    running.interrupt();
    for moment in 0.. {
        let (address, taken) = silent();
        let mut running = against(address, &PAY).spawn();
        // No wait for anything: each time another moment, from before its first step to after the payment left.
        std::thread::sleep(until_it_left * moment / 12);
        // Not an interrupt, which a process may be born deaf to: whoever runs this in the background sees to that.
        running.signal(Signal::TERM);
        let waits = running.error_line().contains("waiting up to 3 s");
        let ended = if waits { running.interrupt() } else { running.wait() };
        let left = taken.try_iter().any(|method| method == "POST");
        match ended.status {
            // The system ended it, or it ended itself: before the payment left.
            -1 | 143 => {
                assert!(!left && !waits, "moment {moment}: {ended:?}");
                before += 1;
            }
            _ => {
                ended.failed(4, &UNKNOWN);
                assert!(left && waits, "moment {moment}: it is in doubt for no reason");
                after += 1;
            }
        }
        if before > 0 && after > 4 {
            return;
        }
    }
}
