//! No event lost, none forged, none twice: the real `harness serve`, killed, flooded, starved and lied to.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::receiving::{Target, deliver_until_taken, delivered, event, figure, signed, until};
use crate::support::{Harness, Running, Stripe, TestFile, WEBHOOK_SECRET, exchange};

/// An address that stays free while nobody listens there: below the ports that connections take for themselves.
fn free_address() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let own = std::process::id() as usize * 61;
    loop {
        let port = 20_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())) {
            return listener.local_addr().unwrap().to_string();
        }
    }
}

/// `serve` with these flags.
fn serving(address: &str, store: &str, flags: &[&str]) -> Running {
    let arguments = ["serve", "--listen", address, "--store", store, "--json"];
    let harness = Harness::new(&[&arguments[..], flags].concat()).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    let mut running = harness.spawn();
    assert_eq!(running.json_line()["type"], "listening");
    running
}

/// A folder of this test's own, and the name of a file in it.
fn store() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db").to_str().unwrap().to_owned();
    (folder, path)
}

fn events(store: &str, arguments: &[&str]) -> Vec<Value> {
    Harness::new(&[&["events", "--store", store, "--json"], arguments].concat()).run().succeeded().json_lines()
}

/// Sends so many events from many threads, to whichever of these addresses answers.
fn flood(addresses: &[String], count: usize, meanwhile: impl FnOnce(&dyn Fn() -> usize)) {
    let (next, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    event(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    deliver_until_taken(addresses, number);
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        meanwhile(&|| taken.load(Ordering::Relaxed));
    });
}

const QUICK: [&str; 4] = ["--lease", "300ms", "--first-wait", "20ms"];

/// Kills `serve` over and over while events come, each of so many processes on one store in turn.
fn killed_over_and_over(events: usize, processes: usize, store: &str) {
    let target = Target::start();
    let flags = [&["--forward", &target.url], &QUICK[..]].concat();
    let addresses: Vec<String> = (0..processes).map(|_| free_address()).collect();
    let mut running: Vec<Option<Running>> =
        addresses.iter().map(|address| Some(serving(address, store, &flags))).collect();
    const KILLS: usize = 8;
    flood(&addresses, events, |taken| {
        for kill in 1..=KILLS {
            while taken() < events * kill / (KILLS + 1) {
                thread::sleep(Duration::from_millis(1));
            }
            let victim = kill % processes;
            running[victim].take().unwrap().kill();
            running[victim] = Some(serving(&addresses[victim], store, &flags));
        }
    });
    target.has_each_once(events);
    let url = format!("http://{}", addresses[0]);
    until("every run is done", || figure(&url, "inbox_runs{source=\"stripe\",state=\"done\"}") == events as f64);
    assert_eq!(figure(&url, "inbox_runs{source=\"stripe\",state=\"dead\"}"), 0.0);
    for running in running.into_iter().flatten() {
        running.interrupt().succeeded();
    }
}

#[test]
fn whenever_it_is_killed_each_event_is_handed_on_under_one_key() {
    let (_folder, store) = store();
    killed_over_and_over(1500, 1, &store);
}

#[test]
fn whichever_of_two_on_one_database_is_killed_each_event_is_handed_on_under_one_key() {
    let Some(postgres) = store_testing::shared() else { return };
    killed_over_and_over(1000, 2, &postgres.database());
}

#[test]
fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    let Some(postgres) = store_testing::Server::start() else { return };
    let store = postgres.database();
    let target = Target::start();
    let address = free_address();
    let url = format!("http://{address}");
    let running = serving(&address, &store, &[&["--forward", &target.url], &QUICK[..]].concat());
    for number in 0..20 {
        deliver_until_taken(std::slice::from_ref(&address), number);
    }
    postgres.stop();
    let body = event(20);
    let away = delivered(&address, &signed(WEBHOOK_SECRET, 0, &body), &body);
    assert_eq!(away, Some(503), "it must be sent again");
    assert_eq!(exchange(&url, "GET", "/readyz", "", "").0, 503);
    assert_eq!(exchange(&url, "GET", "/healthz", "", "").0, 200);
    assert_eq!(figure(&url, "inbox_store_up"), 0.0);
    postgres.go_on();
    for number in 20..40 {
        deliver_until_taken(std::slice::from_ref(&address), number);
    }
    target.has_each_once(40);
    until("it is ready again", || exchange(&url, "GET", "/readyz", "", "").0 == 200);
    let ended = running.interrupt().succeeded();
    assert!(ended.stderr.contains("unavailable") && ended.stderr.contains("can be used again"), "{}", ended.stderr);
}

#[test]
fn repeated_and_shuffled_deliveries_are_one_run_each() {
    const EVENTS: usize = 200;
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    let running = serving(&address, &store, &[&["--forward", &target.url], &QUICK[..]].concat());
    event(0);
    thread::scope(|scope| {
        for sender in 0..4 {
            let address = &address;
            // Each of the four sends all of them, in an order of its own.
            scope.spawn(move || {
                for step in 0..EVENTS {
                    deliver_until_taken(
                        std::slice::from_ref(address),
                        (step * [1, 7, 13, 199][sender] + sender * 31) % EVENTS,
                    );
                }
            });
        }
    });
    target.has_each_once(EVENTS);
    assert_eq!(target.taken().len(), EVENTS, "nothing was killed, so nothing was handed on twice");
    let url = format!("http://{address}");
    assert_eq!(figure(&url, "inbox_deliveries_total{source=\"stripe\",result=\"taken\"}"), EVENTS as f64);
    assert_eq!(figure(&url, "inbox_deliveries_total{source=\"stripe\",result=\"known\"}"), (EVENTS * 3) as f64);
    running.interrupt().succeeded();
}

#[test]
fn what_an_outage_missed_is_fetched_and_nothing_twice() {
    const MISSED: usize = 500;
    let stripe = Stripe::start();
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    let url = format!("http://{address}");
    let serve = || {
        let flags = ["--forward", &target.url, "--trigger", "customer.created", "--catch-up", "5m"];
        let arguments = [&["serve", "--listen", &address, "--store", &store, "--json"], &flags[..], &QUICK].concat();
        let mut running = stripe.harness(&arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
        assert_eq!(running.json_line()["type"], "listening");
        until("it has looked", || figure(&url, "inbox_catch_ups_total{source=\"stripe\"}") >= 1.0);
        running
    };
    let create = |count: usize| {
        for number in 0..count {
            let headers = "Authorization: Bearer sk_test_51CliTestsSecretKey\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
            let (status, answer) =
                exchange(&stripe.url(), "POST", "/v1/customers", headers, &format!("name=Ada{number}"));
            assert_eq!(status, 200, "{answer}");
        }
    };
    create(3);
    serve().kill();
    create(MISSED);
    for _ in 0..2 {
        let running = serve();
        target.has_each_once(MISSED);
        running.kill();
    }
    assert!(target.taken().iter().all(|forwarded| forwarded.trigger == "customer.created"));
}

#[test]
fn a_receiver_that_is_down_gets_everything_when_it_is_back() {
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    target.answers(503);
    let mut running = serving(&address, &store, &[&["--forward", &target.url], &QUICK[..]].concat());
    deliver_until_taken(std::slice::from_ref(&address), 1);
    let again = running.json_line();
    assert_eq!((&again["type"], &again["attempt"]), (&json!("again"), &json!(1)), "{again}");
    let reason = again["reason"].as_str().unwrap();
    assert!(reason.contains("answered 503") && !reason.contains("token"), "{reason}");
    target.answers(0);
    target.has_each_once(1);
    let body: Value = serde_json::from_str(&target.taken()[0].body).unwrap();
    assert_eq!((&body["id"], &body["record"]["internal"]), (&json!("evt_000001"), &json!("contact")));
    running.interrupt();
}

#[test]
fn what_is_given_up_is_a_dead_letter_until_somebody_replays_it() {
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    target.answers(422);
    let mut running = serving(&address, &store, &[&["--forward", &target.url], &QUICK[..]].concat());
    deliver_until_taken(std::slice::from_ref(&address), 1);
    assert_eq!(running.json_line()["type"], "dead");
    let dead = events(&store, &["dead"]);
    let run = dead[0]["runs"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!((&dead[0]["id"], &dead[0]["runs"][0]["state"]), (&json!("evt_000001"), &json!("dead")));
    assert!(dead[0]["runs"][0]["reason"].as_str().unwrap().contains("answered 422"), "{dead:?}");
    target.answers(0);
    assert_eq!(events(&store, &["replay", "--dead"])[0], json!({ "run": run, "result": "revived" }));
    target.has_each_once(1);
    assert_eq!(target.taken()[0].key, run, "it is the same run");
    until("it is done", || events(&store, &["list", "--state", "done"]).len() == 1);
    assert_eq!(events(&store, &["replay", "evt_000001"])[0]["result"], "further");
    until("it was done once more", || target.taken().len() == 2);
    assert_ne!(target.taken()[1].key, run, "somebody asked for it, so it is another");
    running.interrupt();
}

#[test]
fn events_are_listed_and_shown_harmlessly() {
    let (_folder, store) = store();
    let address = free_address();
    let mut running = serving(&address, &store, &[]);
    for number in 1..=3 {
        deliver_until_taken(std::slice::from_ref(&address), number);
        assert_eq!(running.json_line()["type"], "event");
    }
    let mut forged: Value = serde_json::from_str(&event(4)).unwrap();
    forged["id"] = json!("evt_4\n\u{1b}[2Jforged");
    let body = forged.to_string();
    let taken = delivered(&address, &signed(WEBHOOK_SECRET, 0, &body), &body);
    until("all are done", || events(&store, &["list", "--state", "done"]).len() >= 3);
    let listed = Harness::new(&["events", "--store", &store, "list"]).run().succeeded();
    assert_eq!(listed.stdout.lines().count(), if taken == Some(200) { 4 } else { 3 }, "{listed:?}");
    assert!(!listed.stdout.contains('\u{1b}'), "{listed:?}");
    let first = events(&store, &["list", "--limit", "1", "--type", "customer.created"]);
    assert!(first.len() == 2 && first[1]["next"].is_string(), "{first:?}");
    let shown = Harness::new(&["events", "--store", &store, "show", "evt_000002"]).run().succeeded();
    for part in ["customer.created", "cus_000002", "run_", "done", "webhook"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    running.interrupt();
    Harness::new(&["events", "--store", &store, "show", "evt_none"]).run().failed(2, &["no event evt_none"]);
    Harness::new(&["events", "list", "--store", &format!("{store}.no")]).run().failed(2, &["there is no store at"]);
}

#[test]
fn what_is_wrong_with_a_delivery_is_answered_and_nothing_is_handed_on() {
    let (_folder, store) = store();
    let address = free_address();
    let running = serving(&address, &store, &[]);
    let body = event(1);
    let good = signed(WEBHOOK_SECRET, 0, &body);
    let sent = |headers: &str, body: &str| delivered(&address, headers, body);
    let deep = format!("{{\"id\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let wrong = [
        ("tampered", good.clone(), body.replace("cus_000001", "cus_000002"), 400),
        ("truncated", good.clone(), body[..body.len() - 9].to_owned(), 400),
        ("wrong secret", signed("whsec_wrong", 0, &body), body.clone(), 400),
        ("replayed after the tolerance", signed(WEBHOOK_SECRET, 301, &body), body.clone(), 400),
        ("no signature", String::new(), body.clone(), 400),
        ("two signatures", format!("{good}{good}"), body.clone(), 400),
        ("signed and no JSON", signed(WEBHOOK_SECRET, 0, "nope"), "nope".to_owned(), 400),
        ("signed and no event", signed(WEBHOOK_SECRET, 0, "{}"), "{}".to_owned(), 400),
        ("signed and 100,000 levels deep", signed(WEBHOOK_SECRET, 0, &deep), deep.clone(), 400),
        ("10,000 headers", format!("{}{good}", "X-A: b\r\n".repeat(10_000)), body.clone(), 431),
        ("a header of a megabyte", format!("X-A: {}\r\n{good}", "b".repeat(1 << 20)), body.clone(), 431),
    ];
    for (what, headers, body, status) in wrong {
        // Of a head that is not read to its end, the answer may be lost with the connection.
        let answered = sent(&headers, &body);
        assert!(answered == Some(status) || (status == 431 && answered.is_none()), "{what}: {answered:?}");
    }
    let url = format!("http://{address}");
    assert_eq!(exchange(&url, "POST", "/webhooks/stripe", &good, &"x".repeat(2 << 20)).0, 413);
    assert_eq!(exchange(&url, "POST", "/webhooks/stripe", &format!("Content-Type: text/xml\r\n{good}"), &body).0, 415);
    assert_eq!(exchange(&url, "GET", "/webhooks/stripe", "", "").0, 400);
    assert!(events(&store, &["list"]).is_empty(), "nothing of it was taken");
    assert_eq!(sent(&good, &body), Some(200), "it still takes what is right");
    until("it is done", || events(&store, &["list", "--state", "done"]).len() == 1);
    let ended = running.interrupt();
    assert_eq!(ended.stdout.lines().filter(|line| line.contains("\"type\":\"event\"")).count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains("cus_000001"), "{}", ended.stderr);
}

#[test]
fn a_disk_that_is_full_is_answered_503_and_nothing_is_lost() {
    let (_folder, store) = store();
    let address = free_address();
    let target = Target::start();
    let flags = [&["--forward", &target.url], &QUICK[..]].concat();
    let arguments = [&["serve", "--listen", &address, "--store", &store, "--json"], &flags[..]].concat();
    let limited = Harness::with_file_size(3000, &arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    let mut running = limited.spawn();
    assert_eq!(running.json_line()["type"], "listening");
    let url = format!("http://{address}");
    let (mut taken, mut refused) = (0, 0);
    for number in 0..2000 {
        let body = event(number);
        match delivered(&address, &signed(WEBHOOK_SECRET, 0, &body), &body) {
            Some(200) => taken += 1,
            Some(503) => refused += 1,
            other => panic!("{number}: {other:?}"),
        }
        if refused >= 3 {
            break;
        }
    }
    assert!(taken > 0 && refused >= 3, "{taken} taken, {refused} refused");
    assert_eq!(exchange(&url, "GET", "/healthz", "", "").0, 200);
    running.kill();
    let running = serving(&address, &store, &flags);
    target.has_each_once(taken);
    assert_eq!(exchange(&url, "GET", "/readyz", "", "").0, 200);
    running.interrupt();
}

#[test]
fn the_runs_of_one_object_are_done_in_their_order() {
    const EVENTS: usize = 40;
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    let running = serving(&address, &store, &[&["--forward", &target.url, "--ordered"], &QUICK[..]].concat());
    for number in 0..EVENTS {
        let mut event: Value = serde_json::from_str(&event(number)).unwrap();
        event["created"] = json!(event["created"].as_u64().unwrap() + number as u64);
        event["data"]["object"]["id"] = json!("cus_the_same");
        let body = event.to_string();
        assert_eq!(delivered(&address, &signed(WEBHOOK_SECRET, 0, &body), &body), Some(200));
    }
    target.has_each_once(EVENTS);
    let came: Vec<String> = target.taken().into_iter().map(|forwarded| forwarded.event).collect();
    assert!(came.is_sorted(), "some failed at first, and what came after them waited: {came:?}");
    running.interrupt();
}

#[test]
fn several_connections_are_served_each_at_its_path() {
    let (folder, store) = store();
    let target = Target::start();
    let secrets = ["whsec_FirstOfTwoSecrets", "whsec_SecondOfTwoSecrets"];
    let files: Vec<TestFile> =
        secrets.iter().map(|s| TestFile::new("connection.toml", format!("webhook_secret = \"{s}\"\n"))).collect();
    let config = folder.path().join("serve.toml");
    let text = format!(
        "store = {store:?}\n[webhooks.first]\nconnection = {:?}\n\n[webhooks.second]\nconnection = {:?}\n\
         triggers = [\"invoice.paid\"]\nforward = {:?}\n",
        files[0].path(),
        files[1].path(),
        target.url
    );
    std::fs::write(&config, text).unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--json", "--config", config.to_str().unwrap()];
    let mut running = Harness::new(&arguments).spawn();
    let listening = running.json_line();
    assert_eq!(listening["sources"], json!(["first", "second"]));
    let url = listening["url"].as_str().unwrap().to_owned();
    let body = event(1);
    let post = |path: &str, secret: &str| exchange(&url, "POST", path, &signed(secret, 0, &body), &body).0;
    assert_eq!(post("/webhooks/first", secrets[0]), 200);
    let line = running.json_line();
    assert_eq!((&line["type"], &line["source"]), (&json!("event"), &json!("first")));
    assert_eq!(post("/webhooks/first", secrets[1]), 400, "each has its own secret");
    assert_eq!(running.json_line()["type"], "refused");
    assert_eq!(post("/webhooks/second", secrets[1]), 200, "genuine, and of no trigger in use");
    assert_eq!(running.json_line()["type"], "ignored");
    assert_eq!(post("/webhooks/third", secrets[0]), 404);
    assert_eq!(post("/webhooks", secrets[0]), 404, "nobody can tell whose it is");
    running.interrupt().succeeded();
    assert!(target.taken().is_empty());
}

#[test]
fn whoever_asks_is_told_how_it_is() {
    let (_folder, store) = store();
    let address = free_address();
    let running = serving(&address, &store, &[]);
    let url = format!("http://{address}");
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(exchange(&url, "GET", path, "", "").0, 200, "{path}");
        assert_eq!(exchange(&url, "POST", path, "", "").0, 405, "{path}");
    }
    deliver_until_taken(std::slice::from_ref(&address), 1);
    until("it is done", || figure(&url, "inbox_tries_total{source=\"stripe\",result=\"done\"}") == 1.0);
    assert_eq!(figure(&url, "inbox_delivery_seconds_count{source=\"stripe\"}"), 1.0);
    assert_eq!(figure(&url, "inbox_store_up"), 1.0);
    running.interrupt().succeeded();
}

#[test]
fn the_end_finishes_what_was_begun_and_takes_nothing_more() {
    const EVENTS: usize = 200;
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    let flags = [&["--forward", &target.url], &QUICK[..]].concat();
    let running = serving(&address, &store, &flags);
    let stopped = AtomicBool::new(false);
    let taken: BTreeSet<usize> = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            (0..EVENTS)
                .filter(|number| {
                    let body = event(*number);
                    delivered(&address, &signed(WEBHOOK_SECRET, 0, &body), &body) == Some(200)
                })
                .take_while(|_| !stopped.load(Ordering::Relaxed))
                .collect()
        });
        until("some came", || !target.taken().is_empty());
        running.signal(Signal::TERM);
        let ended = running.wait();
        stopped.store(true, Ordering::Relaxed);
        assert_eq!(ended.status, 0, "{ended:?}");
        sender.join().unwrap()
    });
    let running = serving(&address, &store, &flags);
    until("all are there", || target.keys().len() >= taken.len());
    running.interrupt().succeeded();
    target.has_each_once(target.keys().len());
}

#[test]
fn an_event_goes_nowhere_in_the_open_unless_that_is_allowed() {
    let serve = |flags: &[&str]| {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--store", "memory"], flags].concat();
        Harness::new(&arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
    };
    serve(&["--forward", "http://example.com/hook"]).run().failed(2, &["not encrypted", "--forward-unencrypted"]);
    serve(&["--forward", "https://a:hidden@example.com/"]).run().failed(2, &["--forward-authorization"]);
    let arguments = ["--forward", "https://example.com/", "--forward-authorization", "NO_SUCH_VARIABLE"];
    serve(&arguments).run().failed(2, &["NO_SUCH_VARIABLE is not set"]);
    serve(&["--trigger", "customer.creatd"]).run().failed(1, &["customer.creatd"]);
}

#[test]
fn a_thin_event_is_completed_before_it_is_handed_on_and_tried_again_where_that_fails() {
    let stripe = Stripe::start();
    let (_folder, store) = store();
    let target = Target::start();
    let address = free_address();
    stripe.harness(&["call", "customer.create", "--input", r#"{"name": "Jenny"}"#]).run().succeeded();
    let key = "Authorization: Bearer sk_test_51CliTestsSecretKey\r\nStripe-Version: 2026-10-28.endive\r\n";
    let (status, listed) = exchange(&stripe.url(), "GET", "/v2/core/events?types[0]=v1.customer.created", key, "");
    assert_eq!(status, 200, "{listed}");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let thin = listed["data"][0].to_string();
    let flags = ["--forward", &target.url, "--catch-up", "off"];
    let arguments = [&["serve", "--listen", &address, "--store", &store, "--json"], &flags[..], &QUICK].concat();
    let mut running = stripe.harness(&arguments).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
    assert_eq!(running.json_line()["type"], "listening");
    stripe.fault("kind=error_before&method=GET");
    assert_eq!(delivered(&address, &signed(WEBHOOK_SECRET, 0, &thin), &thin), Some(200));
    let again = running.json_line();
    assert_eq!(again["type"], "again", "{again}");
    assert!(again["reason"].as_str().unwrap().contains("thin"), "{again}");
    stripe.no_faults();
    target.has_each_once(1);
    let body: Value = serde_json::from_str(&target.taken()[0].body).unwrap();
    assert_eq!((&body["complete"], &body["record"]["title"]), (&json!(true), &json!("Jenny")), "{body}");
    running.interrupt();
}
