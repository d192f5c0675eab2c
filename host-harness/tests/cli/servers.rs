//! `simulate` and `serve`: what they say, what they answer, and how they end.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::receiving::signed;
use crate::support::{Ended, Harness, KEY, Running, Stripe, WEBHOOK_SECRET, exchange};

pub fn event() -> String {
    Harness::new(&["sample", "customer.created"]).run().succeeded().json().to_string()
}

fn serving(json: bool) -> (Running, String) {
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
    arguments.extend(json.then_some("--json"));
    let mut running = Harness::new(&arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
    let url = if json {
        let listening = running.json_line();
        assert_eq!(listening["type"], "listening");
        listening["url"].as_str().unwrap().to_owned()
    } else {
        let line = running.line();
        running.line();
        line.split([' ', ';']).find(|word| word.starts_with("http://")).unwrap().to_owned()
    };
    (running, url)
}

#[test]
fn simulate_runs_until_it_is_interrupted() {
    let mut running = Harness::new(&["simulate", "--listen", "127.0.0.1:0", "--json"]).spawn();
    let listening = running.json_line();
    let url = listening["base_url"].as_str().unwrap().to_owned();
    let called = Harness::new(&["call", "customer.create"]).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &url);
    let id = called.run().succeeded().json()["id"].as_str().unwrap().to_owned();
    let input = json!({ "customer": id }).to_string();
    let found = Harness::new(&["call", "customer.retrieve", "--input", &input])
        .env("STRIPE_SECRET_KEY", KEY)
        .env("STRIPE_API_BASE", &url);
    assert_eq!(found.run().succeeded().json()["id"], id.as_str());
    running.interrupt().succeeded();
}

/// A simulator with these flags, and its URL.
fn simulating(flags: &[&str]) -> (Running, String) {
    let mut running = Harness::new(&[&["simulate", "--listen", "127.0.0.1:0", "--json"], flags].concat()).spawn();
    let url = running.json_line()["base_url"].as_str().unwrap().to_owned();
    (running, url)
}

fn call(url: &str, key: &str, operation: &str) -> Ended {
    Harness::new(&["call", operation, "--json"]).env("STRIPE_SECRET_KEY", key).env("STRIPE_API_BASE", url).run()
}

#[test]
fn simulate_starts_with_a_shop_when_asked() {
    let (running, url) = simulating(&["--seed", "demo"]);
    let page = call(&url, KEY, "customer.list").succeeded().json();
    assert!(page["output"]["data"].as_array().unwrap().len() >= 8, "{page}");
    running.interrupt().succeeded();
}

#[test]
fn simulate_lets_go_wrong_what_it_is_told() {
    let (running, url) = simulating(&["--fault", "rate_limit:times=1,path=/v1/customers", "--fault", "latency"]);
    let made = call(&url, KEY, "customer.create").succeeded().json();
    assert_eq!(made["metadata"]["attempts"], 2, "{made}");
    running.interrupt().succeeded();
}

#[test]
fn simulate_makes_the_same_ids_from_the_same_number() {
    let made = |number: &str| {
        let (running, url) = simulating(&["--random", number]);
        let made = call(&url, KEY, "customer.create").succeeded().json();
        running.interrupt().succeeded();
        made["output"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(made("7"), made("7"));
    assert_ne!(made("7"), made("8"));
}

#[test]
fn simulate_holds_its_answers_against_the_description_when_asked() {
    let (running, url) = simulating(&["--check-answers", "--banking-day", "5ms"]);
    call(&url, KEY, "customer.create").succeeded();
    let (status, told) = exchange(&url, "GET", "/_simulator/violations", "", "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, told), (200, json!({"checked": true, "violations": []})));
    running.interrupt().succeeded();
}

#[test]
fn simulate_limits_restricted_keys() {
    let (running, url) = simulating(&["--restricted-key", "rk_test_reader=customer_read"]);
    call(&url, "rk_test_reader", "customer.list").succeeded();
    call(&url, "rk_test_reader", "customer.create").failed(1, &["rak_customer_write"]);
    call(&url, "rk_test_other", "customer.create").succeeded();
    running.interrupt().succeeded();
}

#[test]
fn simulate_says_how_to_use_it() {
    let mut running = Harness::new(&["simulate", "--listen", "127.0.0.1:0"]).spawn();
    assert!(running.line().starts_with("Stripe simulator on http://127.0.0.1:"));
    running.line();
    assert!(running.line().contains("export STRIPE_API_BASE=http://127.0.0.1:"));
    running.interrupt().succeeded();
}

#[test]
fn serve_takes_refuses_and_drops() {
    let (mut running, url) = serving(true);
    let body = event();
    let post = |headers: &str| exchange(&url, "POST", "/webhooks/stripe", headers, &body);

    assert_eq!(post(&signed(WEBHOOK_SECRET, 0, &body)), (200, "ok\n".to_owned()));
    let taken = running.json_line();
    assert_eq!(taken["type"], "event");
    assert_eq!(taken["event"]["record"]["internal"], "contact");

    assert_eq!(post(&signed(WEBHOOK_SECRET, 1, &body)).0, 200, "a repeated delivery is signed anew");
    let again = running.json_line();
    assert_eq!((&again["type"], &again["id"]), (&json!("duplicate"), &taken["event"]["id"]));

    for headers in [signed("whsec_guessed", 0, &body), signed(WEBHOOK_SECRET, 600, &body), String::new()] {
        let (status, reason) = post(&headers);
        assert_eq!(status, 400, "{reason}");
        assert!(reason.starts_with("refused: "), "{reason}");
        let refused = running.json_line();
        assert_eq!((&refused["type"], &refused["error"]["kind"]), (&json!("refused"), &json!("signature")));
    }

    // What is no test event is nothing for a test connection.
    let other = body.replace("\"livemode\":false", "\"livemode\":true");
    assert_ne!(other, body);
    assert_eq!(exchange(&url, "POST", "/webhooks/any/path", &signed(WEBHOOK_SECRET, 0, &other), &other).0, 200);
    assert_eq!(running.json_line()["type"], "ignored");

    assert_eq!(exchange(&url, "GET", "/", "", "").0, 200);
    // Whether a GET means anything is the connector's to say.
    assert_eq!(exchange(&url, "GET", "/webhooks/stripe", "", "").0, 400);
    assert_eq!(running.json_line()["type"], "refused");
    assert_eq!(exchange(&url, "POST", "/elsewhere", "", "").0, 404);
    assert_eq!(exchange(&url, "POST", "/webhooks/stripe", "", &"x".repeat(2 << 20)).0, 413);
    assert_eq!(running.json_line()["status"], 413);
    let html = "Content-Type: text/html\r\n";
    assert_eq!(exchange(&url, "POST", "/webhooks/stripe", html, "<html>").0, 415);
    assert_eq!(running.json_line()["status"], 415);
    let ended = running.interrupt().succeeded();
    assert_eq!(ended.stdout, "");
}

/// What is said behind the time.
fn seen(line: &str) -> &str {
    let (time, said) = line.split_once("Z  ").unwrap();
    assert!(time.len() == 8 && time.split(':').all(|part| part.parse::<u8>().is_ok()), "{line}");
    said
}

#[test]
fn serve_prints_a_line_an_event() {
    let (mut running, url) = serving(false);
    let body = event();
    for (age, word) in [(0, "contact"), (1, "taken before, dropped")] {
        exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, age, &body), &body);
        let line = running.line();
        assert!(seen(&line).starts_with("customer.created ") && line.contains(word), "{line}");
    }
    exchange(&url, "POST", "/webhooks/stripe", &signed("whsec_guessed", 0, &body), &body);
    assert!(seen(&running.line()).starts_with("refused "));
    let ended = running.interrupt().succeeded();
    let not = "`stripe listen` is not started: a webhook secret is given\n";
    assert_eq!(ended.stderr, format!("{not}stopped; 1 event taken\n"));
}

#[test]
fn what_cannot_be_printed_waits_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("events.db");
    let serving = || {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", store.to_str().unwrap(), "--json"];
        let mut running = Harness::new(&arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
        let url = running.json_line()["url"].as_str().unwrap().to_owned();
        (running, url)
    };
    let (mut running, url) = serving();
    running.stop_reading();
    let body = event();
    let (status, _) = exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, 0, &body), &body);
    assert_eq!(status, 200, "it is in the store");
    assert_eq!(running.wait().status, 0);
    let (mut running, _) = serving();
    let line = running.json_line();
    assert_eq!((&line["type"], &line["attempt"]), (&json!("event"), &json!(1)), "nothing was tried before: {line}");
    running.interrupt().succeeded();
}

#[test]
fn serve_subscribes_for_as_long_as_it_runs() {
    let stripe = Stripe::start();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--subscribe", "--trigger", "customer.created", "--json"];
    let mut running = stripe.harness(&arguments).spawn();
    let listening = running.json_line();
    assert!(listening["subscribed"].as_str().unwrap().ends_with("/webhooks/stripe"));
    stripe.harness(&["call", "customer.create", "--input", r#"{"name": "Jenny"}"#]).run().succeeded();
    let event: Value = running.json_line();
    assert_eq!(event["event"]["record"]["title"], "Jenny");
    running.interrupt().succeeded();
    let last = stripe.requests().pop().unwrap();
    assert_eq!(last.method, "DELETE");
    assert!(last.path.starts_with("/v1/webhook_endpoints/we_"), "{}", last.path);
}

#[test]
fn a_subscription_that_is_kept_outlives_the_process_that_serves_it() {
    let stripe = Stripe::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.state");
    let file = file.to_str().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}/webhooks/stripe");

    let made = stripe.harness(&["subscribe", &url, "customer.created", "--state-file", file, "--json"]).run();
    let made = made.succeeded();
    assert!(!made.stdout.contains("whsec_") && made.json().get("state").is_none(), "{made:?}");
    assert_eq!(made.json()["event_types"], json!(["customer.created"]));

    for name in ["Jenny", "Jens"] {
        let arguments = ["serve", "--listen", &address, "--state-file", file, "--json"];
        let mut running = stripe.harness(&arguments).spawn();
        assert_eq!(running.json_line()["type"], "listening");
        let input = json!({ "name": name }).to_string();
        stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded();
        assert_eq!(running.json_line()["event"]["record"]["title"], name);
        running.interrupt().succeeded();
    }

    let renewed = stripe.harness(&["renew", "--state-file", file, "--json"]).run().succeeded().json();
    assert_eq!(renewed["id"], made.json()["id"]);
    let other = stripe.harness(&["subscribe", "http://127.0.0.1:1/other", "--state-file", file]).run();
    other.failed(2, &["delivers to http://127.0.0.1:", "harness unsubscribe"]);
    let ended = stripe.harness(&["unsubscribe", "--state-file", file]).run().succeeded();
    assert!(ended.stdout.contains("nothing is delivered"), "{ended:?}");
    assert!(!std::path::Path::new(file).exists());
    stripe.harness(&["unsubscribe", "--state-file", file]).run().failed(2, &["it is not there", "harness subscribe"]);
}

#[test]
fn recent_events_are_real_ones() {
    let stripe = Stripe::start();
    for name in ["Jenny", "Jens", "Ada"] {
        let input = json!({ "name": name }).to_string();
        stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded();
    }
    let recent = stripe.harness(&["recent", "customer.created", "--limit", "2", "--json"]).run().succeeded();
    let titles: Vec<Value> = recent.json_lines().iter().map(|line| line["event"]["record"]["title"].clone()).collect();
    assert_eq!(titles, ["Ada", "Jens"], "the newest first");
    let shown = stripe.harness(&["recent", "customer.created"]).run().succeeded();
    assert_eq!(shown.stdout.lines().count(), 3, "{shown:?}");
    stripe.harness(&["recent", "customer.created", "--limit", "101"]).run().failed(1, &["limit"]);
    stripe.harness(&["recent", "customer.created={"]).run().failed(2, &["as JSON"]);
}

#[test]
fn a_poll_tells_where_the_next_begins() {
    let stripe = Stripe::start();
    let poll = |flags: &[&str]| stripe.harness(&[&["poll", "customer.created", "--json"], flags].concat()).run();
    let begin = poll(&[]).succeeded().json_lines();
    assert_eq!((begin.len(), &begin[0]["type"]), (1, &json!("cursor")));
    stripe.harness(&["call", "customer.create", "--input", r#"{"name": "Jenny"}"#]).run().succeeded();
    let cursor = begin[0]["cursor"].as_str().unwrap();
    let polled = poll(&["--cursor", cursor]).succeeded().json_lines();
    assert_eq!((polled.len(), &polled[0]["event"]["record"]["title"]), (2, &json!("Jenny")));
    poll(&["--cursor", "nowhere"]).failed(1, &["cursor"]);
}

#[test]
fn serve_needs_a_secret_and_a_free_port() {
    Harness::new(&["serve"]).run().failed(2, &["no webhook signing secret", "STRIPE_WEBHOOK_SECRET"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Harness::new(&["serve", "--listen", &address]).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).run();
    ended.failed(3, &["cannot listen on", &address]);
}

#[test]
fn a_secret_of_the_wrong_kind_is_refused_at_the_start() {
    let ended = Harness::new(&["serve", "--listen", "127.0.0.1:0"]).env("STRIPE_WEBHOOK_SECRET", KEY).run();
    ended.failed(1, &["error (invalid-connection)", "webhook_secret"]);
}

#[test]
fn a_head_that_never_ends_does_not_hold_up_the_end() {
    for signal in [Signal::INT, Signal::TERM] {
        let (running, url) = serving(true);
        let mut half = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        half.write_all(b"POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nContent-").unwrap();
        // It is open on the other side when a later request has been answered.
        assert_eq!(exchange(&url, "GET", "/", "", "").0, 200);
        let began = Instant::now();
        running.signal(signal);
        running.wait().succeeded();
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
}

#[test]
fn connections_that_say_nothing_do_not_keep_a_delivery_out() {
    let mut running = Harness::with_files(200, &["serve", "--listen", "127.0.0.1:0", "--json"])
        .env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .spawn();
    let url = running.json_line()["url"].as_str().unwrap().to_owned();
    assert!(running.error_line().contains("a webhook secret is given"));
    assert!(running.error_line().contains("200 open files"));
    let address = url.strip_prefix("http://").unwrap();
    let idle: Vec<TcpStream> = (0..260).map(|_| TcpStream::connect(address).unwrap()).collect();
    let body = event();
    assert_eq!(exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, 0, &body), &body).0, 200);
    assert_eq!(running.json_line()["type"], "event");
    drop(idle);
    running.interrupt().succeeded();
}

#[test]
fn output_that_nobody_reads_holds_up_neither_answers_nor_the_end() {
    let (running, url) = serving(true);
    // More lines than a pipe holds.
    for _ in 0..300 {
        assert_eq!(exchange(&url, "POST", "/webhooks/stripe", "", "{}").0, 400);
    }
    let body = event();
    let (status, _) = exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, 0, &body), &body);
    assert_eq!(status, 200, "it is in the store");
    assert_eq!(exchange(&url, "GET", "/", "", "").0, 200);
    running.signal(Signal::INT);
    let (status, stderr) = running.wait_without_reading();
    assert!(status == 0 && stderr.contains("done at the next start"), "{status}: {stderr}");
}

#[test]
fn notes_that_nobody_reads_hold_up_neither_answers_nor_the_end() {
    let start = || {
        let serve = Harness::new(&["--verbose", "serve", "--listen", "127.0.0.1:0", "--json"]);
        let mut running = serve.env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
        let url = running.json_line()["url"].as_str().unwrap().to_owned();
        // Each is a line of the log, and so they are more than the pipe and the process hold.
        for _ in 0..500 {
            assert_eq!(exchange(&url, "POST", "/webhooks/stripe", "", "{}").0, 400);
            running.line();
        }
        running
    };
    let mut read_late = start();
    while !read_late.error_line().contains("lines were left out: nobody read standard error") {}
    assert_eq!(read_late.interrupt().status, 0);
    let never_read = start();
    never_read.signal(Signal::INT);
    assert_eq!(never_read.wait_without_reading().0, 0);
}

#[test]
fn a_signed_type_with_a_line_end_forges_no_line() {
    let (mut running, url) = serving(false);
    let genuine = event();
    for field in ["type", "id"] {
        let mut forged: Value = serde_json::from_str(&genuine).unwrap();
        forged[field] = json!("customer.created\ncustomer.created   \u{1b}[2Jforged");
        let body = forged.to_string();
        exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, 0, &body), &body);
        let line = running.line();
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    exchange(&url, "POST", "/webhooks/stripe", &signed(WEBHOOK_SECRET, 0, &genuine), &genuine);
    let line = running.line();
    assert!(line.contains("evt_") && !line.contains("forged"), "each was one line: {line:?}");
    running.interrupt().succeeded();
}
