//! How output behaves, whatever it says.

use serde_json::json;

use crate::support::{Ended, Harness, KEY, Stripe, TestFile, answering};

#[test]
fn piped_output_is_plain_and_colour_can_be_asked_for() {
    let plain = Harness::new(&["operations"]).run().succeeded().stdout;
    assert!(!plain.contains('\u{1b}'));
    assert!(plain.lines().all(|line| line == line.trim_end()), "no blanks at the end of lines");
    let coloured = Harness::new(&["operations", "--color", "always"]).run().succeeded().stdout;
    assert!(coloured.contains("\u{1b}["));
    let asked = Harness::new(&["operations", "--color", "never"]).env("CLICOLOR_FORCE", "1").run().succeeded().stdout;
    assert!(!asked.contains('\u{1b}'));
    let not_wanted = Harness::new(&["operations"]).env("NO_COLOR", "1").run().succeeded().stdout;
    assert_eq!(not_wanted, plain);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for arguments in [&["operations"][..], &["describe", "customer.create", "--json"], &["demo"], &["--help"]] {
        let mut running = Harness::new(arguments).spawn();
        running.stop_reading();
        let ended = running.wait();
        assert_eq!(ended.status, 0, "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("error"), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["operations", "--json"])
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(3), "{status:?}");
}

/// What a text must not have, wherever it comes from: it steers a terminal or turns letters round.
fn steers(letter: char) -> bool {
    letter.is_control() && letter != '\n'
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

#[track_caller]
fn harmless(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(steers), "{text:?}");
    }
}

const HOSTILE: &str = "\u{1b}[31mred\u{7}\r\nerror: forged\u{9b}2J\u{7f}\u{202e}fdp\u{2066}\u{1b}]52;c;cm0=\u{7}";

#[test]
fn what_others_named_does_not_steer_the_terminal() {
    let stripe = Stripe::start();
    let input = json!({ "name": HOSTILE }).to_string();
    harmless(&stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded());
    let shown = stripe.harness(&["choices", "customer"]).run().succeeded();
    harmless(&shown);
    assert!(shown.stdout.contains(r"\u{1b}[31mred\u{7}\r\nerror: forged\u{9b}2J\u{7f}\u{202e}fdp"), "{shown:?}");
    assert_eq!(shown.stdout.lines().count(), 3, "{shown:?}");
    let coloured = stripe.harness(&["choices", "customer", "--color", "always"]).run().succeeded();
    assert!(!coloured.stdout.contains("\u{1b}[31mred") && !coloured.stdout.contains("\u{1b}]"), "{coloured:?}");
}

#[test]
fn json_is_lossless_and_steers_nothing() {
    let stripe = Stripe::start();
    for name in [HOSTILE, "a\u{7f}b"] {
        let input = json!({ "name": name }).to_string();
        for arguments in [&["call", "customer.create", "--input", &input][..], &["choices", "customer", "--json"]] {
            let ended = stripe.harness(arguments).run().succeeded();
            harmless(&ended);
            let document = ended.json();
            let found = document.get("name").unwrap_or_else(|| &document["choices"][0]["label"]);
            assert_eq!(found, name);
        }
    }
}

#[test]
fn what_a_manifest_says_does_not_steer_the_terminal() {
    let hostile = serde_json::to_string(HOSTILE).unwrap().replace('\u{7f}', "\\u007f");
    let manifest = bundled_connector::MANIFEST
        .replace("title = \"Stripe\"", &format!("title = {hostile}"))
        .replace("title = \"API address\"", &format!("title = {hostile}"))
        .replace("api_version = \"", &format!("api_version = {}", &hostile.trim_end_matches('"')));
    let file = TestFile::new("manifest.toml", manifest);
    let shown = Harness::new(&["inspect", "--manifest", file.path()]).run().succeeded();
    harmless(&shown);
    assert_eq!(shown.stdout.matches("error: forged").count(), 3, "{}", shown.stdout);
    assert!(!shown.stdout.lines().any(|line| line.starts_with("error")), "{}", shown.stdout);
    Harness::new(&["inspect", "--json", "--manifest", file.path()]).run().succeeded().json();
}

#[test]
fn an_error_of_the_service_neither_steers_nor_floods_the_terminal() {
    let long = "x".repeat(10 << 20);
    for (message, said) in [(HOSTILE, r"forged\u{9b}2J"), (&*long, "xxx")] {
        let body = json!({ "error": { "type": "card_error", "code": HOSTILE, "message": message } }).to_string();
        let url = answering(402, &body);
        for flags in [&[][..], &["--json"]] {
            let ended = Harness::new(&[&["call", "customer.create"], flags].concat());
            let ended = ended.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &url).run().failed(1, &[]);
            harmless(&ended);
            assert!(ended.stderr.len() < 40 << 10, "{} bytes", ended.stderr.len());
            assert!(!flags.is_empty() || ended.stderr.contains(said), "{}", ended.stderr);
            assert!(!ended.stderr.lines().skip(1).any(|line| line.starts_with("error")), "{}", ended.stderr);
        }
    }
}

#[test]
fn arguments_that_are_no_text_are_an_error() {
    use std::os::unix::ffi::OsStrExt;
    for bytes in [&b"\xff"[..], b"\x1b[31m", "\u{9b}31m".as_bytes()] {
        for arguments in [&["call"][..], &["call", "--json"], &[]] {
            let ended = Harness::new(arguments).argument(std::ffi::OsStr::from_bytes(bytes)).run();
            harmless(&ended);
            assert!(matches!(ended.status, 1 | 2) && ended.stdout.is_empty(), "{ended:?}");
        }
    }
}

#[test]
fn what_is_offered_for_pasting_runs_nothing() {
    let body = json!({ "object": "list", "has_more": true, "url": "/v1/customers",
        "data": [{ "id": "$(touch /tmp/pwned)", "object": "customer" }] });
    let url = answering(200, &body.to_string());
    let listed =
        Harness::new(&["call", "customer.list"]).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &url).run();
    let cursor = listed.stderr.split("--cursor ").nth(1).unwrap_or_default();
    assert!(listed.status == 1 || cursor.starts_with('\'') || !cursor.contains("$("), "{}", listed.stderr);
}

#[test]
fn calls_are_logged_on_request_without_their_arguments() {
    let stripe = Stripe::start();
    let input = json!({ "email": "private@example.com" }).to_string();
    let ended = stripe.harness(&["call", "customer.create", "--input", &input, "--verbose"]).run().succeeded();
    ended.json();
    assert!(ended.stderr.contains("actions.run") && ended.stderr.contains("/v1/customers"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("private@example.com") && !ended.stderr.contains(KEY), "{}", ended.stderr);
}
