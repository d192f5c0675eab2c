//! The guard as a user sees it: files, verdicts, questions, dry runs and the log.

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Harness, KEY, Stripe, TestFile};

const POLICY: &str = "\
audit = \"audit.jsonl\"
[operations]
deny = [\"customer.delete\"]
[ask]
operations = [\"customer.update\"]
[[cap]]
on = \"payments\"
per = \"call\"
amount = \"10\"
currency = \"usd\"
";

fn pay(amount: u64) -> String {
    json!({ "amount": amount, "currency": "usd" }).to_string()
}

#[test]
fn every_call_passes_the_guard_that_is_named() {
    let stripe = Stripe::start();
    let policy = TestFile::new("guard.toml", POLICY);
    let call =
        |input: &str| stripe.harness(&["call", "payment_intent.create", "--guard", policy.path(), "--input", input]);
    call(&pay(1_000)).run().succeeded();
    let says = ["10.01 USD is over the cap of 10.00 USD", "(line 6)", "move at most 10.00 USD", "nothing was sent"];
    call(&pay(1_001)).run().failed(5, &says);
    let by_variable = stripe.harness(&["call", "customer.delete", "--input", "{\"customer\":\"cus_1\"}", "--json"]);
    let error = by_variable.env("HARNESS_GUARD", policy.path()).run().failed(5, &[]).error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("guard"), &json!("not-sent")));
    assert_eq!(error["rule"], "operations.deny (line 3)");
    let acted = stripe.requests().into_iter().filter(|request| request.method != "GET").count();
    assert_eq!(acted, 1);
}

#[test]
fn serve_behind_a_guard_needs_no_key_and_ends_at_its_start_where_no_delivery_would_pass() {
    let (reading, pinned) = ("read_only = true\n", "customer = \"cus_PinnedToThisOne1\"\n");
    let serve = |policy: &TestFile| {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", "memory", "--json", "--guard", policy.path()];
        Harness::new(&arguments).env("STRIPE_WEBHOOK_SECRET", "whsec_51CliTestsGuardedDeliveries")
    };
    let policy = TestFile::new("reading.toml", reading);
    let mut running = serve(&policy).spawn();
    assert_eq!(running.json_line()["type"], "listening");
    running.interrupt();
    let policy = TestFile::new("pinned.toml", pinned);
    serve(&policy).run().failed(5, &["cus_PinnedToThisOne1"]);
    serve(&policy).env("STRIPE_SECRET_KEY", KEY).run().failed(5, &["cus_PinnedToThisOne1"]);
}

#[test]
fn a_question_needs_a_terminal_or_an_agreement_beforehand() {
    let stripe = Stripe::start();
    let policy = TestFile::new("guard.toml", POLICY);
    let made = stripe.harness(&["call", "customer.create", "--guard", policy.path()]).run().succeeded().json();
    let input = json!({ "customer": made["id"], "name": "Jenny" }).to_string();
    let update = ["call", "customer.update", "--guard", policy.path(), "--input", &input];
    stripe.harness(&update).run().failed(5, &["nobody agreed", "--yes"]);
    let agreed = stripe.harness(&update).argument("--yes").run().succeeded().json();
    assert_eq!(agreed["name"], "Jenny");
    let log = policy.path.with_file_name("audit.jsonl");
    let verified = Harness::new(&["audit", "verify", "--json"]).argument(&log).run().succeeded().json();
    assert_eq!(verified["lines"], 5, "an agreement is a line of its own");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("\"ask\"", "\"allow\"", 1)).unwrap();
    Harness::new(&["audit", "verify"]).argument(&log).run().failed(1, &["line 2: it was changed"]);
}

#[test]
fn a_guard_that_cannot_be_used_stops_every_call() {
    let stripe = Stripe::start();
    let wrong = TestFile::new("guard.toml", "[operations]\ndeny = [\"refund.creat\"]\n");
    for command in [&["call", "get_balance"][..], &["choices", "customer"], &["test-connection"], &["demo"]] {
        let ended = stripe.harness(command).env("HARNESS_GUARD", wrong.path()).run();
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.stderr.contains(":2:9: there is no operation `refund.creat`"), "{ended:?}");
    }
    stripe
        .harness(&["call", "get_balance"])
        .env("HARNESS_GUARD", "/nowhere/guard.toml")
        .run()
        .failed(2, &["cannot be read"]);
    assert_ne!(stripe.harness(&["call", "get_balance"]).env("HARNESS_GUARD", "").run().status, 0);
    assert!(stripe.requests().is_empty());
}

#[test]
fn explain_says_the_verdict_and_the_rule_and_changes_nothing() {
    let stripe = Stripe::start();
    let policy = TestFile::new("guard.toml", POLICY);
    let explain = |more: &[&str]| {
        let ended =
            stripe.harness(&[&["guard", "explain", "--guard", policy.path(), "--json"][..], more].concat()).run();
        ended.succeeded().json()
    };
    let told = explain(&["create_payment_intent", "--input", &pay(5_000)]);
    assert_eq!((&told["verdict"], &told["operation"]), (&json!("deny"), &json!("payment_intent.create")));
    assert_eq!(told["money"], json!(["50.00 USD (payments)"]));
    let told = explain(&["payment_intent.create", "--input", &pay(500)]);
    assert_eq!((&told["verdict"], &told["request"]["method"]), (&json!("allow"), &json!("POST")));
    assert_eq!(explain(&["customer.update"])["verdict"], "ask");
    assert_eq!(explain(&["v1.customers.delete"])["rule"], "operations.deny (line 3)");
    stripe
        .harness(&["guard", "explain", "get_balance"])
        .run()
        .failed(2, &["there is no guard", "harness guard example"]);
    let example = Harness::new(&["guard", "example"]).run().succeeded();
    let example = TestFile::new("guard.toml", example.stdout);
    stripe.harness(&["call", "customer.list", "--guard", example.path()]).run().succeeded();
    assert!(stripe.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_dry_run_shows_the_exact_request_and_sends_nothing() {
    let stripe = Stripe::start();
    let shown = stripe.harness(&["call", "payment_intent.create", "--dry-run", "--input", &pay(1_099)]).run();
    let shown = shown.succeeded().json();
    assert_eq!((&shown["dry_run"], &shown["request"]["body"]), (&json!(true), &json!("amount=1099&currency=usd")));
    assert_eq!(shown["request"]["headers"]["authorization"], "(secret)");
    assert!(!shown.to_string().contains(KEY));
    let listed = stripe.harness(&["call", "customer.list", "--dry-run", "--input", "{\"limit\":3}"]).run().succeeded();
    assert!(listed.json()["request"]["url"].as_str().unwrap().ends_with("/v1/customers?limit=3"));
    assert!(stripe.requests().is_empty());
    let wrong = ["call", "payment_intent.create", "--dry-run", "--input", "{\"amount\":-1,\"currency\":\"usd\"}"];
    stripe.harness(&wrong).run().failed(1, &["amount"]);
}

#[test]
fn processes_that_are_killed_in_the_middle_never_let_a_days_cap_be_exceeded() {
    let stripe = Stripe::start();
    let cap =
        "ledger = \"ledger.jsonl\"\n[[cap]]\non = \"payments\"\nper = \"day\"\namount = \"50\"\ncurrency = \"usd\"\n";
    let policy = TestFile::new("guard.toml", cap);
    let (input, arguments) = (pay(1_000), ["call", "payment_intent.create", "--guard", policy.path(), "--input"]);
    let payer = || stripe.harness(&arguments).argument(&input);
    // Answers are held back, so that a kill hits payers that wait for one.
    stripe.fault("kind=latency&milliseconds=400&path=/v1/payment_intents");
    let waiting: Vec<_> = (0..8).map(|_| payer().spawn()).collect();
    // A payment is what has a key of its own, however often it was sent.
    let acted = || {
        let requests = stripe.requests();
        let paying = requests.iter().filter(|request| request.path == "/v1/payment_intents");
        let key = |headers: &[(String, String)]| headers.iter().find(|(name, _)| name == "idempotency-key").cloned();
        paying.map(|request| key(&request.headers).unwrap()).collect::<std::collections::HashSet<_>>().len()
    };
    while acted() == 0 {
        std::thread::yield_now();
    }
    waiting.iter().step_by(2).for_each(|payer| payer.signal(Signal::KILL));
    let mut paid = waiting.into_iter().map(|payer| payer.wait().status).filter(|status| *status == 0).count();
    stripe.no_faults();
    paid += (0..8).map(|_| payer().run().status).filter(|status| *status == 0).count();
    assert!(acted() <= 5, "{} payments of 10 USD under a cap of 50", acted());
    assert!((1..=5).contains(&paid), "{paid}");
}
