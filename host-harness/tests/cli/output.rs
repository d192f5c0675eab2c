//! How output behaves, whatever it says.

use serde_json::json;

use crate::support::{Harness, KEY, Stripe};

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

#[test]
fn what_others_named_does_not_steer_the_terminal() {
    let stripe = Stripe::start();
    let input = json!({ "name": "\u{1b}[31mred\u{7}\r\nnext" }).to_string();
    stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded();
    let shown = stripe.harness(&["choices", "customer"]).run().succeeded().stdout;
    assert!(shown.contains("[31mred") && !shown.contains(['\u{1b}', '\u{7}', '\r']), "{shown:?}");
    assert_eq!(shown.lines().count(), 3, "{shown:?}");
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
