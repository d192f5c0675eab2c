//! `stripe listen` under `serve`, by stand-ins that do what the real one should never do.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::receiving::signed;
use crate::servers::event;
use crate::support::{Harness, KEY, LIVE_KEY, Running, WEBHOOK_SECRET, exchange};

/// A command line of Stripe's that is none, on PATH.
struct StandIn {
    name: &'static str,
    folder: tempfile::TempDir,
}

impl StandIn {
    fn that(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("mkfifo").arg(folder.path().join("alive")).status().unwrap();
        assert!(made.success());
        Self { name, folder }
    }

    fn harness(&self, arguments: &[&str]) -> Harness {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/stand-ins").join(self.name);
        let path = format!("{}:/usr/bin:/bin", here.display());
        let folder = self.folder.path().to_str().unwrap();
        Harness::new(arguments).env("PATH", &path).env("STAND_IN", folder).env("STRIPE_SECRET_KEY", KEY)
    }

    /// With a key that is nobody's, so that nothing is asked for with it.
    fn serve(&self) -> (Running, String) {
        let mut running = self.harness(&["serve", "--listen", "127.0.0.1:0", "--catch-up", "off", "--json"]).spawn();
        let listening = running.json_line();
        (running, listening["url"].as_str().unwrap().to_owned())
    }

    fn wrote(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Is told when it lives, and again when it and whatever it started are gone.
    fn watch(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        let path = self.folder.path().join("alive");
        std::thread::spawn(move || {
            let mut alive = File::open(path).unwrap();
            sender.send(()).unwrap();
            alive.read_to_end(&mut Vec::new()).unwrap();
            let _ = sender.send(());
        });
        receiver
    }
}

const LONG: Duration = Duration::from_secs(60);

fn delivered(url: &str, secret: &str) -> u16 {
    let body = event();
    exchange(url, "POST", "/webhooks/stripe", &signed(secret, 0, &body), &body).0
}

#[test]
fn serve_has_the_stripe_command_line_deliver_and_ends_it() {
    let stand_in = StandIn::that("listens");
    let alive = stand_in.watch();
    let (mut running, url) = stand_in.serve();
    alive.recv_timeout(LONG).unwrap();
    assert!(running.error_line().contains("`stripe listen` delivers the events of this account here"));
    let arguments = stand_in.wrote("arguments");
    let expected = "listen --skip-update --color off --all-snapshot --latest --forward-to ";
    assert_eq!(arguments, format!("{expected}{url}/webhooks/stripe\n"));
    let environment = stand_in.wrote("environment");
    assert!(environment.contains(&format!("STRIPE_API_KEY={KEY}\n")));
    assert!(!environment.contains("STRIPE_SECRET_KEY"), "it gets what it needs, once");

    assert_eq!(delivered(&url, WEBHOOK_SECRET), 200);
    assert_eq!(running.json_line()["type"], "event");
    running.interrupt().succeeded();
    alive.recv_timeout(LONG).unwrap();
}

#[test]
fn nothing_of_it_is_left_when_we_are_killed() {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let stand_in = StandIn::that("clings");
        let alive = stand_in.watch();
        let (running, _) = stand_in.serve();
        alive.recv_timeout(LONG).unwrap();
        running.signal(signal);
        alive.recv_timeout(LONG).unwrap();
        running.wait();
    }
}

#[test]
fn one_that_dies_is_started_again_and_its_new_secret_counts() {
    let stand_in = StandIn::that("dies");
    let (mut running, url) = stand_in.serve();
    running.error_line();
    let told = running.error_line();
    assert!(told.contains("started again in 500 ms: it ended with status 7: a \\u{1b}[2Jstrange end of …"), "{told}");
    let began = Instant::now();
    while delivered(&url, "whsec_CliTestsWebhookSecretOfTheSecondLife") != 200 {
        assert!(began.elapsed() < LONG && running.json_line()["type"] == "refused");
    }
    assert_eq!(running.json_line()["type"], "event");
    running.interrupt().succeeded();
}

#[test]
fn an_end_is_not_held_up_by_one_that_says_nothing() {
    let stand_in = StandIn::that("hangs");
    let alive = stand_in.watch();
    let running = stand_in.harness(&["serve", "--listen", "127.0.0.1:0", "--catch-up", "off"]).spawn();
    alive.recv_timeout(LONG).unwrap();
    assert_eq!(running.interrupt().status, 130);
    alive.recv_timeout(LONG).unwrap();
}

#[test]
fn why_it_is_not_started_is_said_in_one_line() {
    let stand_in = StandIn::that("listens");
    let serve = |flags: &[&str]| {
        stand_in.harness(&[&["serve", "--listen", "127.0.0.1:0", "--catch-up", "off"], flags].concat())
    };
    let without = "no webhook signing secret";
    let not = "`stripe listen` is not started: ";
    serve(&["--no-listen"]).run().failed(2, &[without, not, "--no-listen says so"]);
    serve(&[]).without("STRIPE_SECRET_KEY").run().failed(2, &[without, not, "there is no key"]);
    serve(&[]).env("PATH", "/nowhere").run().failed(2, &[without, not, "on PATH"]);
    let live = serve(&["--production"]).env("STRIPE_SECRET_KEY", LIVE_KEY).run();
    live.failed(2, &[without, not, "not a test key"]);

    let mut running = serve(&[]).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).spawn();
    assert!(running.error_line().ends_with("`stripe listen` is not started: a webhook secret is given"));
    running.line();
    running.interrupt().succeeded();

    let login = StandIn::that("wants-login").harness(&["serve", "--listen", "127.0.0.1:0", "--catch-up", "off"]).run();
    login.failed(2, &[without, "`stripe listen` was not ready", "You have not configured API keys yet"]);
}

#[test]
fn in_the_foreground_it_shows_what_it_brings_whatever_secret_there_is() {
    let stand_in = StandIn::that("listens");
    let _alive = stand_in.watch();
    let listen = ["webhook", "listen", "--json"];
    let mut running = stand_in.harness(&listen).env("STRIPE_WEBHOOK_SECRET", "whsec_CliTestsWebhookSecretToo").spawn();
    let url = running.json_line()["url"].as_str().unwrap().to_owned();
    assert_eq!(delivered(&url, WEBHOOK_SECRET), 200);
    let taken = running.json_line();
    assert_eq!((&taken["type"], &taken["event"]["event_type"]), (&json!("event"), &json!("customer.created")));
    running.interrupt().succeeded();

    let live = stand_in.harness(&["webhook", "listen", "--production"]).env("STRIPE_SECRET_KEY", LIVE_KEY).run();
    live.failed(2, &["`stripe listen` is not started", "not a test key"]);
    stand_in.harness(&["webhook", "listen"]).env("PATH", "").run().failed(2, &["on PATH"]);
}
