//! The demo is a test by itself: here it must pass, say what it promises, and fail where something is not right.

use crate::support::{Harness, Stripe};

const PROMISED: [&str; 18] = [
    "KiB of WebAssembly",
    "no files, no sockets",
    "https://api.stripe.com",
    "the component holds a placeholder",
    "Connected, TEST",
    "contact “Jenny Rosen” cus_",
    "product “Gold plan” prod_",
    "15.00 USD a month · price_",
    "10.99 USD succeeded · pi_",
    "active until ",
    "declined: insufficient_funds",
    "No: it was refused, and nothing was done.",
    "4.00 USD given back · re_",
    "the first run's answer · pi_",
    "1 charge of “demo ",
    "refused: the signature does not match",
    "dropped: it was taken before",
    "steps as they should be, in ",
];

#[test]
fn shows_the_whole_road() {
    let ended = Harness::new(&[]).run().succeeded();
    assert_eq!(ended.stderr, "no STRIPE_SECRET_KEY: using the embedded simulator\n");
    for text in PROMISED {
        assert!(ended.stdout.contains(text), "{text:?} is not in\n{}", ended.stdout);
    }
    for trigger in [
        "customer.created",
        "customer.subscription.created",
        "invoice.paid",
        "payment_intent.succeeded",
        "charge.succeeded",
    ] {
        assert!(ended.stdout.contains(&format!("    {trigger:<29} ")), "{trigger}\n{}", ended.stdout);
    }
    let wide = ended.stdout.lines().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None, "a line is wider than 100 columns");
    // The one in the end is a key's, `sk_test_…`.
    assert_eq!(ended.stdout.matches('…').count(), 1, "something was cut off:\n{}", ended.stdout);
}

#[test]
fn runs_against_a_simulator_of_ones_own() {
    let stripe = Stripe::start();
    stripe.harness(&["demo"]).run().succeeded();
    let requests = stripe.requests();
    let made = |method: &str, path: &str| requests.iter().any(|r| r.method == method && r.path.starts_with(path));
    assert!(made("POST", "/v1/webhook_endpoints") && made("DELETE", "/v1/webhook_endpoints/"), "it tidies up");
}

#[test]
fn polls_where_no_webhook_can_reach() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["demo", "--poll"]).run().succeeded();
    assert!(ended.stdout.contains("no public URL for webhooks: polling in their place"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Events, fetched"), "{}", ended.stdout);
    assert!(!stripe.requests().iter().any(|request| request.path.starts_with("/v1/webhook_endpoints")));
}

#[test]
fn json_is_one_document() {
    let document = Harness::new(&["demo", "--json"]).run().succeeded().json();
    assert_eq!(document["ok"], true);
    let steps = document["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["what"] == "Run it again" && step["result"] == "the first run's answer"));
    assert!(steps.iter().all(|step| step["ms"].is_number()));
}

#[test]
fn fails_where_a_step_fails() {
    let stripe = Stripe::start();
    let refused = || stripe.harness(&["demo"]).env("STRIPE_SECRET_KEY", "sk_test_invalidCliTestsSecretKey");
    let ended = refused().run();
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.contains("  ✗ test the connection"), "{}", ended.stdout);
    assert!(ended.stderr.contains("error (authentication)"), "{}", ended.stderr);
    let ended = stripe.harness(&["demo", "--json"]).env("STRIPE_SECRET_KEY", "sk_test_invalidCliTestsSecretKey").run();
    assert_eq!(ended.status, 1);
    assert_eq!((&ended.json()["ok"], &ended.json()["failed_step"]), (&false.into(), &"test the connection".into()));
}
