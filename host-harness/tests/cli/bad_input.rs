//! Every bad input gives an error of its own, and sends nothing.

use crate::support::{Ended, Harness, LIVE_KEY, Stripe, TestFile, WEBHOOK_SECRET};

/// Nothing was sent, and the error says so and all of this.
#[track_caller]
fn refused(stripe: &Stripe, ended: Ended, said: &[&str]) {
    let ended = ended.failed(1, said);
    assert!(ended.stderr.contains("done?     No: nothing was sent."), "{}", ended.stderr);
    assert!(stripe.requests().is_empty(), "the simulator got {:?}", stripe.requests());
}

fn with_key(stripe: &Stripe, key: &str) -> Ended {
    stripe.harness(&["call", "customer.create"]).env("STRIPE_SECRET_KEY", key).run()
}

#[test]
fn no_key() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create"]).without("STRIPE_SECRET_KEY").run();
    refused(&stripe, ended, &["invalid-connection", "there is no API key", "api_key"]);
    refused(&stripe, with_key(&stripe, "  "), &["invalid-connection", "there is no API key"]);
}

#[test]
fn a_publishable_key() {
    let stripe = Stripe::start();
    refused(&stripe, with_key(&stripe, "pk_test_51CliTestsSecretKey"), &["publishable key", "sk_test_"]);
}

#[test]
fn a_key_with_a_space_or_a_line_break_inside() {
    let stripe = Stripe::start();
    refused(&stripe, with_key(&stripe, "sk_test_51Cli TestsSecretKey"), &["space inside"]);
    // A value with a line break is in no header: the host takes no such secret, whoever the connector is.
    with_key(&stripe, "sk_test_51Cli\nTestsSecretKey").failed(2, &["\"api_key\"", "line break inside"]);
    assert!(stripe.requests().is_empty());
}

#[test]
fn a_live_key_in_development() {
    let stripe = Stripe::start();
    refused(&stripe, with_key(&stripe, LIVE_KEY), &["a live key moves real money", "development"]);
}

#[test]
fn a_live_key_in_production_is_taken() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["test-connection", "--production"]).env("STRIPE_SECRET_KEY", LIVE_KEY).run();
    assert!(ended.succeeded().stdout.starts_with("Connected, LIVE\n"));
}

#[test]
fn a_webhook_secret_where_a_key_belongs() {
    let stripe = Stripe::start();
    refused(&stripe, with_key(&stripe, WEBHOOK_SECRET), &["webhook signing secret", "webhook_secret"]);
}

#[test]
fn an_unknown_operation() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.craete"]).run();
    refused(&stripe, ended, &["unknown-operation", "customer.craete", "Did you mean `customer.create`"]);
}

#[test]
fn inputs_that_an_operation_does_not_take() {
    let stripe = Stripe::start();
    let many = format!("{{{}}}", (0..51).map(|n| format!("\"k{n}\": \"v\"")).collect::<Vec<_>>().join(", "));
    let many = format!(r#"{{"metadata": {many}}}"#);
    let long = format!(r#"{{"metadata": {{"{}": "v"}}}}"#, "k".repeat(41));
    for (operation, input, said) in [
        ("payment_intent.create", r#"{"amount": 5}"#, &["`currency` is required", "field     currency\n"][..]),
        ("customer.retrieve", "{}", &["`customer` is required", "field     customer\n"]),
        (
            "price.create",
            r#"{"currency": "usd", "product": "prod_1", "recurring": {}}"#,
            &["field     recurring.interval\n"],
        ),
        ("customer.create", r#"{"email": 5}"#, &["field     email\n"]),
        ("subscription.create", r#"{"customer": "cus_1", "items": [{"price": 5}]}"#, &["field     items[0].price\n"]),
        ("customer.create", r#"{"emial": "a@example.com"}"#, &["field     emial\n", "email"]),
        ("customer.create", r#"{"address": {"zip": "1"}}"#, &["field     address.zip\n"]),
        ("payment_intent.create", r#"{"amount": 10.5, "currency": "usd"}"#, &["field     amount\n"]),
        ("payment_intent.create", r#"{"amount": -5, "currency": "usd"}"#, &["field     amount\n"]),
        ("payment_intent.create", r#"{"amount": "5", "currency": "usd"}"#, &["field     amount\n"]),
        ("payment_intent.create", r#"{"amount": 5, "currency": "dollars"}"#, &["field     currency\n"]),
        ("customer.create", &many, &["field     metadata", "50"]),
        ("customer.create", &long, &["field     metadata", "40"]),
        ("customer.create", "{email", &["the input is not JSON"]),
        ("customer.create", "[]", &["must be a JSON object"]),
    ] {
        let ended = stripe.harness(&["call", operation, "--input", input]).run();
        refused(&stripe, ended, &["error (invalid-input)"]);
        let ended = stripe.harness(&["call", operation, "--input", input]).run();
        refused(&stripe, ended, said);
    }
}

#[test]
fn two_megabytes_of_input() {
    let stripe = Stripe::start();
    let file = TestFile::new("big.json", format!(r#"{{"name": "{}"}}"#, "x".repeat(2 << 20)));
    let ended = stripe.harness(&["call", "customer.create", "--input", &file.at()]).run();
    refused(&stripe, ended, &["the input is 2048 KiB; at most 1024 KiB are read"]);
}

#[test]
fn endless_input_is_not_read_to_its_end() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create", "--input", "@/dev/zero"]).run();
    ended.failed(2, &["/dev/zero is over 16384 KiB; an input has at most 1024 KiB"]);
}

#[test]
fn an_input_that_cannot_be_read() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create", "--input", "@/nowhere/input.json"]).run();
    ended.failed(2, &["/nowhere/input.json cannot be read"]);
    let ended = stripe.harness(&["call", "customer.create", "--input", "-"]).input([0xff, 0xfe]).run();
    ended.failed(2, &["standard input is not text in UTF-8"]);
    assert!(stripe.requests().is_empty());
}

#[test]
fn flags_that_make_no_sense() {
    Harness::new(&["call"]).run().failed(2, &["OPERATION"]);
    Harness::new(&["frobnicate"]).run().failed(2, &["frobnicate"]);
    Harness::new(&["call", "a", "--timeout", "5"]).run().failed(2, &["500ms, 30s or 2m"]);
    Harness::new(&["operations", "--kind", "verb"]).run().failed(2, &["`action`, `query` or `trigger`"]);
    Harness::new(&["simulate", "--listen", "0.0.0.0:0"]).run().failed(2, &["--allow-remote"]);
    let simulate = |flag: &str, value: &str| Harness::new(&["simulate", flag, value]).run();
    simulate("--fault", "laziness").failed(2, &["laziness", "error_after"]);
    simulate("--fault", "latency:percent=lots").failed(2, &["percent", "0 to 100"]);
    simulate("--restricted-key", "sk_test_a=customer_read").failed(2, &["rk_test_"]);
    simulate("--restricted-key", "rk_test_a=customers").failed(2, &["customer_read"]);
    simulate("--seed", "shop").failed(2, &["demo"]);
    Harness::new(&["demo", "--production"]).run().failed(2, &["test keys only"]);
    let error = Harness::new(&["frobnicate", "--json"]).run().failed(2, &[]).error();
    assert_eq!(error["kind"], "usage");
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create", "--all"]).run();
    ended.failed(2, &["is an action: it has no pages"]);
}

#[test]
fn a_component_that_is_none() {
    let preopens = wat::parse_str(r#"(component (import "wasi:filesystem/preopens@0.2.0" (instance)))"#).unwrap();
    let filesystem = wat::parse_str(
        r#"(component (import "wasi:filesystem/preopens@0.2.0" (instance (export "count" (func (result u32))))))"#,
    );
    let cases = [
        ("empty", Vec::new(), "the component is empty"),
        ("text", b"hello, this is no component".to_vec(), "this is no WebAssembly component"),
        ("core module", wat::parse_str("(module)").unwrap(), "core WebAssembly module"),
        ("without exports", wat::parse_str("(component)").unwrap(), "does not export"),
        ("types only", preopens, "does not export"),
        ("with files", filesystem.unwrap(), "wasi:filesystem/preopens"),
    ];
    for (name, bytes, reason) in cases {
        let file = TestFile::new("component.wasm", bytes);
        let ended = Harness::new(&["inspect", "--component", file.path()]).run();
        let ended = ended.failed(3, &["error (not loaded)", reason, file.path()]);
        assert!(!ended.stderr.contains("  done?"), "{name}: {}", ended.stderr);
        let error = Harness::new(&["inspect", "--json", "--component", file.path()]).run().failed(3, &[]).error();
        assert_eq!(error["kind"], "load", "{name}");
    }
    Harness::new(&["inspect", "--component", "/nowhere.wasm"]).run().failed(2, &["/nowhere.wasm cannot be read"]);
}

#[test]
fn a_manifest_that_is_none() {
    let file = TestFile::new("manifest.toml", "[connector]\nid = 5");
    Harness::new(&["inspect", "--manifest", file.path()]).run().failed(3, &["error (not loaded)", file.path()]);
}

#[test]
fn a_manifest_without_a_permission_refuses_the_component() {
    let whole = bundled_connector::MANIFEST;
    let narrow = whole.replace("    \"wasi:http/outgoing-handler\",\n", "");
    assert_ne!(whole, narrow);
    let file = TestFile::new("manifest.toml", narrow);
    let ended = Harness::new(&["inspect", "--manifest", file.path()]).run();
    ended.failed(3, &["wasi:http/outgoing-handler", "permissions.imports"]);
}

#[test]
fn a_limit_that_is_reached_is_the_platforms_failure() {
    let stripe = Stripe::start();
    let small = bundled_connector::MANIFEST.replace("memory_mib = 64", "memory_mib = 1");
    assert_ne!(bundled_connector::MANIFEST, small);
    let file = TestFile::new("manifest.toml", small);
    let said = ["error (platform failure): ", "memory", "done?     No: nothing was sent."];
    stripe.harness(&["call", "customer.create", "--manifest", file.path()]).run().failed(3, &said);
    let ended = stripe.harness(&["call", "customer.create", "--json", "--manifest", file.path()]).run();
    let error = ended.failed(3, &[]).error();
    assert_eq!((&error["kind"], &error["outcome"]), (&"platform".into(), &"not-sent".into()));
    assert!(stripe.requests().is_empty());
}

#[test]
fn a_key_that_the_service_refuses() {
    let stripe = Stripe::start();
    let ended = with_key(&stripe, "sk_test_invalidCliTestsSecretKey");
    ended.failed(1, &["error (authentication)", "done?     No: it was refused"]);
}
