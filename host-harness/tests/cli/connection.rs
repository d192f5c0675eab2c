//! Where the connection comes from, and what its choice grants.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Harness, KEY, Stripe, TestFile};

#[test]
fn the_environment_is_a_connection() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["test-connection"]).run().succeeded();
    assert!(ended.stdout.starts_with("Connected, TEST\naccount   "), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    let report = stripe.harness(&["test-connection", "--json"]).run().succeeded().json();
    assert_eq!(report["mode"], "test");
}

#[test]
fn without_a_key_the_embedded_simulator_is_used_and_named() {
    let ended = Harness::new(&["test-connection"]).run().succeeded();
    assert!(ended.stdout.starts_with("Connected, TEST\n"));
    assert_eq!(ended.stderr, "no STRIPE_SECRET_KEY: using the embedded simulator\n");
}

#[test]
fn a_key_that_is_set_to_nothing_never_means_the_simulator() {
    for value in ["", " ", "\r\n"] {
        for arguments in [&["call", "customer.create"][..], &["test-connection", "--production"], &["demo"]] {
            let ended = Harness::new(arguments).env("STRIPE_SECRET_KEY", value).run();
            ended.failed(2, &["STRIPE_SECRET_KEY is set, and there is nothing in it", "unset it"]);
        }
    }
}

#[test]
fn production_never_means_the_simulator() {
    let ended = Harness::new(&["--production", "call", "customer.create"]).run();
    ended.failed(2, &["there is no STRIPE_SECRET_KEY", "--production never means the simulator"]);
}

#[test]
fn white_space_around_a_value_is_no_part_of_it() {
    let stripe = Stripe::start();
    let ended = stripe
        .harness(&["test-connection"])
        .env("STRIPE_SECRET_KEY", &format!(" {KEY}\r\n"))
        .env("STRIPE_API_BASE", &format!("{}\r", stripe.url()))
        .run();
    ended.succeeded();
    let content = serde_json::json!({ "api_key": format!("{KEY}\n"), "api_base": format!("{} ", stripe.url()) });
    let file = TestFile::new("stripe.json", format!("\u{feff}{content}"));
    Harness::new(&["test-connection", "--connection", file.path()]).run().succeeded();
}

#[test]
fn a_manifest_picks_no_variable_of_somebody_elses() {
    let greedy = bundled_connector::MANIFEST.replace("env = \"STRIPE_ACCOUNT\"", "env = \"SHOP_PASSWORD\"");
    let greedy = greedy.replace("env = \"STRIPE_API_BASE\"", "env = \"SHOP_ADDRESS\"");
    let file = TestFile::new("manifest.toml", greedy);
    let inspected = Harness::new(&["inspect", "--json", "--manifest", file.path()])
        .env("SHOP_PASSWORD", "hunter2")
        .env("SHOP_ADDRESS", "http://127.0.0.1:1");
    let inspected = inspected.run().succeeded();
    assert!(!inspected.stdout.contains("hunter2") && !inspected.stdout.contains("127.0.0.1"), "{}", inspected.stdout);
}

#[test]
fn a_named_address_is_granted_and_shown() {
    let stripe = Stripe::start();
    let rules = stripe.harness(&["inspect", "--json"]).run().succeeded().json();
    assert_eq!(rules["egress"][0]["granted_by"], "manifest");
    assert_eq!(rules["egress"][3]["origin"], stripe.url());
    assert_eq!(rules["egress"][3]["granted_by"], "operator");
    assert_eq!(rules["connection"][0]["set"], true);
    assert!(rules["connection"][0]["value"].is_null(), "a secret is not shown");
    assert!(stripe.requests().is_empty());
}

#[test]
fn a_file_is_a_connection_alone() {
    let stripe = Stripe::start();
    let toml = TestFile::new("stripe.toml", format!("api_key = {KEY:?}\napi_base = {:?}\n", stripe.url()));
    let json =
        TestFile::new("stripe.json", serde_json::json!({ "api_key": KEY, "api_base": stripe.url() }).to_string());
    for file in [&toml, &json] {
        let ended = Harness::new(&["test-connection", "--connection", file.path()])
            .env("STRIPE_SECRET_KEY", "sk_test_invalidOfTheShell")
            .env("STRIPE_API_BASE", "http://127.0.0.1:1")
            .run();
        assert_eq!(ended.succeeded().stderr, "");
    }
    let empty = TestFile::new("empty.toml", "");
    let ended = Harness::new(&["test-connection", "--connection", empty.path()]).run();
    ended.failed(1, &["there is no API key"]);
}

#[test]
fn a_file_that_others_can_read_is_warned_about() {
    let stripe = Stripe::start();
    let file = TestFile::new("stripe.toml", format!("api_key = {KEY:?}\napi_base = {:?}\n", stripe.url()));
    std::fs::set_permissions(&file.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = Harness::new(&["test-connection", "--connection", file.path()]).run().succeeded();
    assert!(ended.stderr.starts_with("warning: ") && ended.stderr.contains("chmod 600"), "{}", ended.stderr);
}

#[test]
fn a_file_says_what_is_wrong_with_it_without_repeating_it() {
    for (content, said) in [
        (format!("api_kye = {KEY:?}"), "line 1 names no field of the connection; it has api_key"),
        (format!("api_key = [{KEY:?}]"), "`api_key` must be text, not array"),
        (format!("# a line\napi_key = {KEY}"), "it is not TOML (line 2)"),
        (format!("{{\"api_key\": {KEY:?}"), "it is not a JSON object"),
        (format!("{KEY} = \"api_key\""), "line 1 names no field of the connection"),
        (format!("{{{KEY:?}: 5}}"), "line 1 names no field of the connection"),
        (KEY.to_owned(), "it is not TOML (line 1)"),
        ("environment = \"prod\"".to_owned(), "\"development\" or \"production\""),
    ] {
        let file = TestFile::new("stripe.toml", content);
        Harness::new(&["test-connection", "--connection", file.path()]).run().failed(2, &[said]);
    }
    let ended = Harness::new(&["test-connection", "--connection", "/nowhere.toml"]).run();
    ended.failed(2, &["/nowhere.toml", "cannot be read"]);
}

#[test]
fn a_restricted_key_shows_what_it_may_do() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["test-connection"]).env("STRIPE_SECRET_KEY", "rk_test_51CliTestsSecretKey").run();
    let shown = ended.succeeded().stdout;
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    assert!(
        shown.contains("key       restricted") && shown.contains("Customers: Read") && shown.contains(" and "),
        "{shown}"
    );
}

#[test]
fn choices_are_listed_and_searched() {
    let stripe = Stripe::start();
    for name in ["Jenny Rosen", "Ada Lovelace"] {
        let input = serde_json::json!({ "name": name }).to_string();
        stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded();
    }
    let all = stripe.harness(&["choices", "customer"]).run().succeeded().stdout;
    assert!(all.contains("Jenny Rosen") && all.contains("Ada Lovelace") && all.contains("cus_"), "{all}");
    let found = stripe.harness(&["choices", "customer", "lovelace", "--json"]).run().succeeded().json();
    assert_eq!(found["choices"][0]["label"], "Ada Lovelace");
    stripe.harness(&["choices", "customers"]).run().failed(1, &["customer"]);
}

#[test]
fn events_are_polled_from_a_cursor() {
    let stripe = Stripe::start();
    let start = stripe.harness(&["poll", "customer.created", "--json"]).run().succeeded().json_lines();
    assert_eq!(start[0]["type"], "cursor");
    let cursor = start[0]["cursor"].as_str().unwrap();
    stripe.harness(&["call", "customer.create", "--input", r#"{"name": "Jenny"}"#]).run().succeeded();
    let polled = stripe.harness(&["poll", "--json", "--cursor", cursor]).run().succeeded().json_lines();
    assert_eq!(polled[0]["event"]["triggers"][0], "customer.created");
    assert_eq!(polled[0]["event"]["record"]["title"], "Jenny");
    assert_eq!(polled[1]["type"], "cursor");
    let shown = stripe.harness(&["poll", "--cursor", cursor]).run().succeeded();
    assert!(shown.stdout.contains("customer.created") && shown.stderr.contains("from here on: --cursor "), "{shown:?}");
}
