//! `call`: results, pages, re-runs, and the errors of the service.

use std::io::BufRead;

use serde_json::json;

use crate::support::{Ended, Harness, KEY, Stripe, TestFile, answering, answering_each};

const PAYMENT: &str = r#"{"amount": 1099, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true,
    "return_url": "https://example.com/return"}"#;
const DECLINED: &str = r#"{"amount": 1099, "currency": "usd", "confirm": true,
    "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds", "return_url": "https://example.com/return"}"#;

#[test]
fn prints_the_result_and_nothing_else() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create", "--input", r#"{"email": "jenny@example.com"}"#]).run();
    let ended = ended.succeeded();
    assert_eq!(ended.stderr, "");
    let customer = ended.json();
    assert_eq!((&customer["object"], &customer["email"]), (&json!("customer"), &json!("jenny@example.com")));
    assert!(ended.stdout.starts_with("{\n  \"id\": \"cus_"), "in the service's order: {}", ended.stdout);
}

#[test]
fn takes_its_input_from_a_file_or_from_standard_input() {
    let stripe = Stripe::start();
    let file = TestFile::new("input.json", r#"{"name": "From a file"}"#);
    let ended = stripe.harness(&["call", "customer.create", "--input", &file.at()]).run().succeeded();
    assert_eq!(ended.json()["name"], "From a file");
    let ended = stripe.harness(&["call", "customer.create", "--input", "-"]).input(r#"{"name": "Piped"}"#).run();
    assert_eq!(ended.succeeded().json()["name"], "Piped");
}

#[test]
fn an_alias_works_and_input_may_be_left_out() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "get_balance"]).run().succeeded();
    assert_eq!(ended.json()["object"], "balance");
}

#[test]
fn json_prints_an_envelope() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.create", "--input", r#"{"name": "Jenny"}"#, "--json"]).run();
    let envelope = ended.succeeded().json();
    assert_eq!(envelope["kind"], "action");
    assert_eq!(envelope["record"]["internal"], "contact");
    assert_eq!(envelope["record"]["fields"]["name"], "Jenny");
    assert_eq!(envelope["metadata"]["mode"], "test");
    assert_eq!(envelope["report"]["requests"][0]["path"], "/v1/customers");
}

#[test]
fn the_same_invocation_charges_once() {
    let stripe = Stripe::start();
    let run = || {
        let arguments = ["call", "payment_intent.create", "--input", PAYMENT, "--invocation-id", "order_7", "--json"];
        stripe.harness(&arguments).run().succeeded().json()
    };
    let (first, second) = (run(), run());
    assert_eq!(first["output"]["id"], second["output"]["id"]);
    assert_eq!((&first["metadata"]["replayed"], &second["metadata"]["replayed"]), (&json!(false), &json!(true)));
    let charges = stripe.harness(&["choices", "charge", "--json"]).run().succeeded().json();
    assert_eq!(charges["choices"].as_array().unwrap().len(), 1);
}

#[test]
fn an_own_idempotency_key_is_sent() {
    let stripe = Stripe::start();
    stripe.harness(&["call", "customer.create", "--idempotency-key", "mine-1"]).run().succeeded();
    assert_eq!(stripe.requests()[0].header("idempotency-key"), Some("mine-1"));
}

#[test]
fn pages_are_followed() {
    let stripe = Stripe::start();
    for name in ["a", "b", "c"] {
        let input = json!({ "name": name }).to_string();
        stripe.harness(&["call", "customer.create", "--input", &input]).run().succeeded();
    }
    let one = stripe.harness(&["call", "customer.list", "--input", r#"{"limit": 2}"#]).run().succeeded();
    assert_eq!(one.json()["data"].as_array().unwrap().len(), 2);
    let cursor = one.stderr.split("--cursor ").nth(1).unwrap().split(',').next().unwrap();
    let rest = stripe.harness(&["call", "customer.list", "--input", r#"{"limit": 2}"#, "--cursor", cursor]).run();
    let rest = rest.succeeded();
    assert_eq!(rest.json()["data"][0]["name"], "a");
    assert_eq!(rest.stderr, "", "there is no more");

    let all = stripe.harness(&["call", "customer.list", "--input", r#"{"limit": 2}"#, "--all"]).run().succeeded();
    let names: Vec<_> = all.json_lines().iter().map(|customer| customer["name"].clone()).collect();
    assert_eq!(names, ["c", "b", "a"]);

    let pages = stripe.harness(&["call", "customer.list", "--input", r#"{"limit": 2}"#, "--all", "--json"]).run();
    let pages = pages.succeeded().json_lines();
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[1]["records"][0]["title"], "a");
}

#[test]
fn a_decline_says_all_there_is_to_know() {
    let stripe = Stripe::start();
    stripe.harness(&["call", "payment_intent.create", "--input", DECLINED]).run().failed(
        1,
        &[
            "error (declined): Your card has insufficient funds.",
            "  hint      ",
            "  code      card_declined\n",
            "  declined  insufficient_funds\n",
            "  done?     No: it was refused, and nothing was done.\n",
            "  retry     No: something must be changed first.\n",
            "  status    402\n",
            "  request   req_",
            "  key       payment_intents-",
            "  see       https://",
        ],
    );
}

#[test]
fn with_json_the_error_is_the_record() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "payment_intent.create", "--input", DECLINED, "--json"]).run().failed(1, &[]);
    let error = ended.error();
    assert_eq!(error["kind"], "declined");
    assert_eq!(error["decline_code"], "insufficient_funds");
    assert_eq!(error["outcome"], "rejected");
    assert_eq!(error["retry"], json!({ "advice": "never" }));
    assert_eq!(error["related"][0]["resource"], "payment_intent");
}

#[test]
fn a_service_that_is_not_there_was_sent_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = run_against(address);
    ended
        .failed(1, &["error (network)", "done?     No: nothing was sent.", "retry     Yes", "--invocation-id order_8"]);
}

#[test]
fn an_answer_that_never_came_leaves_the_outcome_unknown() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // It reads the request, may have done anything, and hangs up.
            let _ = std::io::Read::read(&mut stream.unwrap(), &mut [0; 4096]);
        }
    });
    let ended = run_against(address);
    ended.failed(
        1,
        &["done?     Unknown: a request left", "retry     Yes", ": --invocation-id order_8 --in-doubt-since 20"],
    );
}

const ORDER: [&str; 4] = ["call", "customer.create", "--invocation-id", "order_8"];

fn run_against(address: std::net::SocketAddr) -> Ended {
    Harness::new(&[&ORDER[..], &["--timeout", "200ms"]].concat())
        .env("STRIPE_SECRET_KEY", KEY)
        .env("STRIPE_API_BASE", &format!("http://{address}"))
        .run()
}

/// The words after `: ` in the row that says whether and how to try again.
fn flags(ended: &Ended) -> Vec<String> {
    let row = ended.stderr.lines().find(|line| line.starts_with("  retry ")).unwrap();
    row.rsplit(": ").next().unwrap().split(' ').map(str::to_owned).collect()
}

#[test]
fn a_refusal_on_the_second_try_is_no_proof_of_the_first() {
    let stripe = Stripe::start();
    stripe.fault("kind=reset_after&method=POST&path=/v1/customers");
    let first = stripe.harness(&[&ORDER[..], &["--timeout", "1s"]].concat()).run();
    let again = flags(&first.failed(1, &["done?     Unknown: a request left"]));
    assert_eq!(again[..2], ["--invocation-id", "order_8"]);
    stripe.no_faults();

    let again: Vec<&str> = ["call", "customer.create"].into_iter().chain(again.iter().map(String::as_str)).collect();
    let revoked = || stripe.harness(&again).env("STRIPE_SECRET_KEY", "sk_test_invalidCliTestsSecretKey");
    let second = revoked().run().failed(1, &["error (authentication)", "done?     Unknown"]);
    let third = flags(&second);
    assert_eq!(third[third.len() - 2..], ["--tries", "2"], "{third:?}");
    assert_eq!(third[..4], again[2..], "the first try stays the first");

    let whole: Vec<&str> =
        ["call", "customer.create", "--json"].into_iter().chain(again[2..].iter().copied()).collect();
    let done = stripe.harness(&whole).run().succeeded().json();
    assert_eq!(done["metadata"]["replayed"], true);
    assert_eq!(done["report"]["history"]["in_doubt"], true);
}

#[test]
fn with_json_a_failure_tells_the_next_try() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ended = Harness::new(&[&ORDER[..], &["--timeout", "200ms", "--json"]].concat())
        .env("STRIPE_SECRET_KEY", KEY)
        .env("STRIPE_API_BASE", &format!("http://{address}"))
        .run();
    let next = ended.failed(1, &[]).error()["next_try"].clone();
    assert_eq!(
        (&next["invocation_id"], &next["tries"], &next["in_doubt"]),
        (&json!("order_8"), &json!(1), &json!(false))
    );
    assert!(next["first_try"].is_u64());
}

#[test]
fn an_own_idempotency_key_is_part_of_the_next_try() {
    let stripe = Stripe::start();
    stripe.fault("kind=reset_after&method=POST&path=/v1/customers");
    let own = ["--idempotency-key", "mine-1", "--timeout", "1s"];
    let again = flags(&stripe.harness(&[&ORDER[..], &own].concat()).run().failed(1, &[]));
    assert_eq!(again[..4], ["--invocation-id", "order_8", "--idempotency-key", "mine-1"]);
}

#[test]
fn files_that_make_no_sense_send_nothing() {
    let stripe = Stripe::start();
    let refused = |arguments: &[&str], said: &[&str]| {
        stripe.harness(&[&["call"], arguments].concat()).run().failed(2, said);
        assert!(stripe.requests().is_empty(), "{arguments:?}");
    };
    refused(&["customer.create", "--file", "receipt.pdf"], &["FIELD=PATH"]);
    refused(&["customer.create", "--file", "file=/nowhere.pdf"], &["/nowhere.pdf cannot be read"]);
    refused(&["customer.create", "--file", "file=/dev/zero"], &["/dev/zero", "16.0 MiB"]);
    let file = TestFile::new("mine.pdf", "mine");
    let named = format!("file={}", file.path());
    refused(&["customer.list", "--file", &named], &["is a query: it takes no file"]);
    refused(&["customer.create", "--output-file", file.path()], &["mine.pdf is there already", "--overwrite"]);
    refused(&["customer.create", "--output-file", "/nowhere/at/all.pdf"], &["no folder"]);
    refused(&["customer.create", "--overwrite"], &["--output-file"]);
    refused(&["customer.create", "--in-doubt-since", "2026-11-21T15:42:03Z"], &["--invocation-id"]);
    refused(&[ORDER[1], ORDER[2], ORDER[3], "--in-doubt-since", "yesterday"], &["2026-11-21T15:42:03Z"]);
}

#[test]
fn all_pages_come_to_an_end_and_say_how_to_go_on() {
    let stripe = Stripe::start();
    for _ in 0..5 {
        stripe.harness(&["call", "customer.create"]).run().succeeded();
    }
    let list = ["call", "customer.list", "--input", r#"{"limit": 2}"#, "--all"];
    assert_eq!(stripe.harness(&list).run().succeeded().stdout.lines().count(), 5);
    let bounded = stripe.harness(&[&list[..], &["--most-pages", "2"]].concat()).run();
    assert_eq!((bounded.status, bounded.stdout.lines().count()), (3, 4), "{bounded:?}");
    assert!(bounded.stderr.contains("goes on after 2 pages"), "{}", bounded.stderr);
    let cursor = bounded.stderr.split("--cursor ").nth(1).unwrap().split(',').next().unwrap();
    let rest = stripe.harness(&[&list[..], &["--cursor", cursor]].concat()).run().succeeded();
    assert_eq!(rest.stdout.lines().count(), 1);
}

/// 30 MB of objects go by; what is held is about a page of them, from the tenth page to the last.
#[test]
#[cfg(target_os = "linux")]
fn a_long_list_takes_the_memory_of_a_page() {
    const PAGES: usize = 150;
    let url = answering_each(200, |page| {
        let text = "x".repeat(2_000);
        let object = |n: usize| json!({ "id": format!("cus_{page}_{n}"), "object": "customer", "description": text });
        let data: Vec<_> = (0..100).map(object).collect();
        json!({ "object": "list", "has_more": page + 1 < PAGES, "url": "/v1/customers", "data": data }).to_string()
    });
    let list = ["call", "customer.list", "--all", "--most-pages", "1000"];
    let mut running = Harness::new(&list).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &url).spawn();
    let (mut lines, mut held) = (0, Vec::new());
    for line in running.output().lines() {
        assert!(line.unwrap().starts_with(&format!(r#"{{"id":"cus_{}_{}""#, lines / 100, lines % 100)));
        lines += 1;
        // The last page does not fit the pipe, so that it still runs.
        if lines == 1_000 || lines == PAGES * 100 - 95 {
            held.push(running.memory());
        }
    }
    assert_eq!((lines, running.wait().status), (PAGES * 100, 0));
    let [early, late] = held[..] else { panic!("{held:?}") };
    assert!(late < early + 10_000, "{early} KiB after 10 pages, {late} KiB after {PAGES}");
}

#[test]
fn a_list_that_goes_round_comes_to_an_end() {
    let body = json!({ "object": "list", "has_more": true, "url": "/v1/customers",
        "data": [{ "id": "cus_1", "object": "customer" }] });
    let url = answering(200, &body.to_string());
    let arguments = ["call", "customer.list", "--all"];
    let ended = Harness::new(&arguments).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &url).run();
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.stderr.contains("error (limit): the list goes round"), "{}", ended.stderr);
}

#[test]
fn a_trigger_is_not_called() {
    let stripe = Stripe::start();
    let ended = stripe.harness(&["call", "customer.created"]).run();
    ended.failed(2, &["`customer.created` is a trigger", "harness sample"]);
    assert!(stripe.requests().is_empty());
}
