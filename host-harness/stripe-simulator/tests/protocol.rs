//! What is the same for every operation: keys, versions, parameters, errors, headers, idempotency.

use std::time::Duration;

use crate::stripe::{Form, Stripe, check, until};
use serde_json::json;
use stripe_simulator::{Options, Simulator};

#[tokio::test]
async fn a_request_without_a_key_is_told_how_to_send_one() {
    let stripe = Stripe::start().await;
    let answer = stripe.send("GET", "/v1/customers", &[], "").await;
    assert_eq!(answer.status, 401);
    assert!(answer.error()["message"].as_str().unwrap().starts_with("You did not provide an API key."));
    assert_eq!(answer.header("request-id"), "");
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_not_repeated() {
    let stripe = Stripe::start().await;
    let cases = [
        ("Bearer sk_test_invalid0123456789", "Invalid API Key provided: sk_test_*************6789", None),
        ("Bearer sk_test_expired0", "Expired API Key provided: sk_test_********", Some("api_key_expired")),
        ("Bearer nonsense", "Invalid API Key provided: ********", None),
    ];
    for (key, message, code) in cases {
        let answer = stripe.call("GET", "/v1/customers", &[], &[("authorization", key)]).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.error()["message"], message);
        assert_eq!(answer.error()["code"], json!(code));
    }
    let answer = stripe.call("GET", "/v1/customers", &[], &[("authorization", "Bearer pk_test_x")]).await;
    assert_eq!((answer.status, &answer.error()["code"]), (401, &json!("secret_key_required")));
}

#[tokio::test]
async fn basic_authentication_carries_the_key_as_the_user_name() {
    let stripe = Stripe::start().await;
    let made = stripe.make("/v1/customers", &[]).await.id();
    // `sk_test_51Simulator:` in base64.
    let basic = [("authorization", "Basic c2tfdGVzdF81MVNpbXVsYXRvcjo=")];
    assert_eq!(stripe.call("GET", &format!("/v1/customers/{made}"), &[], &basic).await.status, 200);
}

#[tokio::test]
async fn modes_and_connected_accounts_share_nothing() {
    let stripe = Stripe::start().await;
    let live_key = ["Bearer sk", "live", "x"].join("_");
    let live = [("authorization", live_key.as_str())];
    let made = stripe.call("POST", "/v1/customers", &[], &live).await;
    assert_eq!(made.body["livemode"], true);
    let path = format!("/v1/customers/{}", made.id());
    let answer = stripe.get(&path, &[]).await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.error()["message"],
        format!(
            "No such customer: '{}'; a similar object exists in live mode, but a test mode key was used to make this \
             request.",
            made.id()
        )
    );
    let connected = [("stripe-account", "acct_1Connected")];
    let theirs = stripe.call("POST", "/v1/customers", &[], &connected).await.id();
    assert_eq!(stripe.get(&format!("/v1/customers/{theirs}"), &[]).await.status, 404);
    assert_eq!(stripe.call("GET", &format!("/v1/customers/{theirs}"), &[], &connected).await.status, 200);
    let nobody = stripe.call("GET", "/v1/customers", &[], &[("stripe-account", "nobody")]).await;
    assert_eq!((nobody.status, &nobody.error()["code"]), (403, &json!("account_invalid")));
}

/// Path, form, the beginning of the message, code, parameter.
type Case<'a> = (&'a str, Form<'a>, &'a str, Option<&'a str>, Option<&'a str>);

#[tokio::test]
async fn parameters_are_held_against_the_pinned_version() {
    let stripe = Stripe::start().await;
    let pi = "/v1/payment_intents";
    let long_key = format!("metadata[{}]", "k".repeat(41));
    let long_value = "v".repeat(501);
    let cases: &[Case] = &[
        ("/v1/customers", &[("foo", "1")], "Received unknown parameter: foo", Some("parameter_unknown"), Some("foo")),
        (
            "/v1/customers",
            &[("address[planet]", "1")],
            "Received unknown parameter: address[planet]",
            Some("parameter_unknown"),
            Some("address[planet]"),
        ),
        (
            "/v1/customers",
            &[("foo", "1"), ("bar", "2")],
            "Received unknown parameters: foo, bar",
            Some("parameter_unknown"),
            Some("foo"),
        ),
        (pi, &[("currency", "usd")], "Missing required param: amount.", Some("parameter_missing"), Some("amount")),
        (
            pi,
            &[("amount", "ten"), ("currency", "usd")],
            "Invalid integer: ten",
            Some("parameter_invalid_integer"),
            Some("amount"),
        ),
        (
            pi,
            &[("amount", "500"), ("currency", "usd"), ("confirm", "yes")],
            "Invalid boolean: yes",
            None,
            Some("confirm"),
        ),
        (
            pi,
            &[("amount", "500"), ("currency", "usd"), ("capture_method", "later")],
            "Invalid capture_method: must be one of automatic, automatic_async, or manual",
            None,
            Some("capture_method"),
        ),
        ("/v1/customers", &[("metadata", "x")], "Invalid object", None, Some("metadata")),
        ("/v1/customers", &[("expand", "x")], "Invalid array", None, Some("expand")),
        ("/v1/customers", &[("name[first]", "x")], "Invalid string: {\"first\"=>\"x\"}", None, Some("name")),
        (
            pi,
            &[("amount", ""), ("currency", "usd")],
            "You passed an empty string for 'amount'. We assume empty values are an attempt to unset a parameter; \
             however 'amount' cannot be unset. You should remove 'amount' from your request or supply a non-empty value.",
            Some("parameter_invalid_empty"),
            Some("amount"),
        ),
        (
            pi,
            &[("amount", "49"), ("currency", "usd")],
            "Amount must be at least $0.50 usd",
            Some("amount_too_small"),
            Some("amount"),
        ),
        (
            pi,
            &[("amount", "0"), ("currency", "usd")],
            "This value must be greater than or equal to 1.",
            Some("parameter_invalid_integer"),
            Some("amount"),
        ),
        // What older versions took and this one does not.
        (
            pi,
            &[("amount", "500"), ("currency", "usd"), ("payment_method_types[]", "card")],
            "Received unknown parameter: payment_method_types",
            Some("parameter_unknown"),
            Some("payment_method_types"),
        ),
        (
            "/v1/customers",
            &[(&long_key, "x")],
            "Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters.",
            None,
            Some("metadata"),
        ),
        (
            "/v1/customers",
            &[("metadata[k]", &long_value)],
            "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters.",
            None,
            Some("metadata[k]"),
        ),
        (
            "/v1/customers",
            &[("expand[]", "planet")],
            "This property cannot be expanded (planet).",
            None,
            Some("expand[0]"),
        ),
    ];
    for (path, form, message, code, param) in cases {
        let answer = stripe.post(path, form).await;
        assert_eq!(answer.status, 400, "{form:?}");
        let error = answer.error();
        assert!(error["message"].as_str().unwrap().starts_with(message), "{form:?}: {}", error["message"]);
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{form:?}");
        assert!(error["request_log_url"].as_str().unwrap().contains(answer.header("request-id")));
    }
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 0, "a refused request changes nothing");
}

#[tokio::test]
async fn metadata_has_at_most_fifty_keys_also_over_several_requests() {
    let stripe = Stripe::start().await;
    let names: Vec<String> = (0..51).map(|i| format!("metadata[k{i}]")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "v")).collect();
    assert_eq!(stripe.post("/v1/customers", &all).await.status, 400);
    let made = stripe.make("/v1/customers", &all[..50]).await.id();
    let path = format!("/v1/customers/{made}");
    assert_eq!(stripe.post(&path, &all[50..]).await.status, 400);
    assert_eq!(stripe.post(&path, &[("metadata[k0]", ""), ("metadata[k50]", "v")]).await.status, 200);
}

#[tokio::test]
async fn unknown_urls_and_methods_are_not_recognized() {
    let stripe = Stripe::start().await;
    for (method, path) in
        [("GET", "/v1/foo"), ("PUT", "/v1/customers"), ("DELETE", "/v1/balance"), ("GET", "/"), ("PATCH", "/v9")]
    {
        let answer = stripe.call(method, path, &[], &[]).await;
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.error()["message"],
            format!(
                "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at \
                 https://support.stripe.com/."
            )
        );
    }
}

#[tokio::test]
async fn any_request_whatever_is_answered_with_an_error_of_stripes_shape() {
    let stripe = Stripe::start().await;
    let key = "Bearer sk_test_x";
    let deep = format!("a{}=1", "[b]".repeat(3000));
    let many = (0..20_000).map(|i| format!("k{i}=1")).collect::<Vec<_>>().join("&");
    let json_bomb = "[".repeat(200_000);
    let bodies: Vec<Vec<u8>> = vec![
        b"\xff\xfe=\xff".to_vec(),
        b"%ff=1".to_vec(),
        b"a=1&a[b]=2".to_vec(),
        b"[]=1".to_vec(),
        b"=&&&=".to_vec(),
        b"a[b=1".to_vec(),
        b"a]b=1".to_vec(),
        b"amount=99999999999999999999999&currency=usd".to_vec(),
        b"amount=-9223372036854775808&currency=usd".to_vec(),
        b"currency=\xf0\x9f\x92\xb6&amount=100".to_vec(),
        deep.into_bytes(),
        many.into_bytes(),
        json_bomb.into_bytes(),
        vec![b'x'; 5 << 20],
        vec![0; 1000],
    ];
    for path in
        ["/v1/payment_intents", "/v1/prices", "/v1/subscriptions", "/v1/refunds", "/v1/checkout/sessions", "/v1/files"]
    {
        for body in &bodies {
            for kind in ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", ""] {
                let headers = [("authorization", key), ("content-type", kind)];
                let answer = stripe.send("POST", path, &headers, body.clone()).await;
                if path != "/v1/files" {
                    assert_eq!(
                        answer.status,
                        400,
                        "{path} {kind} {:?}",
                        String::from_utf8_lossy(&body[..body.len().min(60)])
                    );
                }
                check("POST", path, &answer);
            }
        }
    }
    for target in [
        "/v1/customers/%ff",
        "/v1/customers/a%2Fb",
        "/v1/customers?limit=%zz",
        "/v1/events?created[gte]=x",
        "//",
        "/v1/customers/search",
    ] {
        let answer = stripe.send("GET", target, &[("authorization", key)], "").await;
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.text);
        assert!(answer.error()["message"].is_string());
    }
    let json = [("authorization", key), ("stripe-version", "2026-10-28.endive"), ("content-type", "application/json")];
    for body in ["[]", "{", "5", "{\"a\":"] {
        let answer = stripe.send("POST", "/v2/core/accounts", &json, body).await;
        assert_eq!(answer.status, 400, "{body}");
    }
}

#[tokio::test]
async fn numbers_at_the_edge_do_not_overflow() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let most = i64::MAX.to_string();
    stripe.make(&format!("/v1/customers/{customer}"), &[("next_invoice_sequence", &most)]).await;
    let price = [("currency", "usd"), ("unit_amount", &most), ("product_data[name]", "x")];
    assert_eq!(stripe.post("/v1/prices", &price).await.error()["code"], "amount_too_large");
    let price = stripe.monthly("99999999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("items[0][quantity]", "999999999")];
    assert_eq!(stripe.post("/v1/subscriptions", &form).await.error()["code"], "amount_too_large");
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("items[0][quantity]", &most)];
    assert!(stripe.post("/v1/subscriptions", &form).await.status < 500);
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("trial_end", &most)];
    assert!(stripe.post("/v1/subscriptions", &form).await.status < 500);
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("collection_method", "send_invoice"),
        ("days_until_due", &most),
    ];
    assert!(stripe.post("/v1/subscriptions", &form).await.status < 500);
}

#[tokio::test]
async fn the_answer_names_the_version_that_it_is_in() {
    let stripe = Stripe::start_with(Options { account_version: Some("2024-06-20".into()), ..Options::default() }).await;
    let answer = stripe.unversioned("GET", "/v1/customers", &[]).await;
    assert_eq!(answer.header("stripe-version"), "2024-06-20");
    let answer = stripe.call("GET", "/v1/customers", &[], &[("stripe-version", "2026-10-28.endive")]).await;
    assert_eq!(answer.header("stripe-version"), "2026-10-28.endive");
    let answer = stripe.call("GET", "/v1/customers", &[], &[("stripe-version", "yesterday")]).await;
    assert_eq!(answer.status, 400);
    let answer = stripe.call("GET", "/v2/core/events", &[], &[]).await;
    assert_eq!(answer.status, 400, "v2 wants a version");
}

#[tokio::test]
async fn a_key_that_was_used_gives_the_same_answer_again() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let first = stripe.call("POST", "/v1/customers", &[("name", "a"), ("email", "a@b.c")], &keyed).await;
    // Parameters in another order are the same parameters.
    let again = stripe.call("POST", "/v1/customers", &[("email", "a@b.c"), ("name", "a")], &keyed).await;
    assert_eq!(first.text, again.text);
    assert_ne!(first.header("request-id"), again.header("request-id"));
    for answer in [&first, &again] {
        assert_eq!(answer.header("idempotency-key"), "k1");
        assert_eq!(answer.header("original-request"), first.header("request-id"));
        assert_eq!(answer.header("stripe-should-retry"), "false");
    }
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 1);
}

#[tokio::test]
async fn a_decline_is_kept_for_its_key() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let form =
        [("amount", "500"), ("currency", "usd"), ("payment_method", "pm_card_chargeDeclined"), ("confirm", "true")];
    let first = stripe.call("POST", "/v1/payment_intents", &form, &keyed).await;
    let again = stripe.call("POST", "/v1/payment_intents", &form, &keyed).await;
    assert_eq!((first.status, &first.text), (402, &again.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(stripe.get("/v1/charges", &[]).await.ids().len(), 1);
}

#[tokio::test]
async fn a_missing_object_is_kept_for_its_key_byte_for_byte() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let first = stripe.call("POST", "/v1/customers/cus_none", &[], &keyed).await;
    let again = stripe.call("POST", "/v1/customers/cus_none", &[], &keyed).await;
    assert_eq!((first.status, &first.text), (404, &again.text));
}

#[tokio::test]
async fn what_failed_before_it_was_executed_is_not_kept() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let refused = stripe.call("POST", "/v1/customers", &[("nope", "1")], &keyed).await;
    assert_eq!((refused.status, refused.header("original-request")), (400, ""));
    assert_eq!(refused.header("stripe-should-retry"), "");
    assert_eq!(refused.header("idempotency-key"), "k1");
    let unauthorized = [("idempotency-key", "k1"), ("authorization", "Bearer bad")];
    assert_eq!(stripe.call("POST", "/v1/customers", &[("name", "b")], &unauthorized).await.status, 401);
    let fine = stripe.call("POST", "/v1/customers", &[("name", "c")], &keyed).await;
    assert_eq!((fine.status, fine.header("idempotent-replayed")), (200, ""));
}

#[tokio::test]
async fn a_key_stands_for_one_request_only() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    stripe.call("POST", "/v1/customers", &[("name", "a")], &keyed).await;
    for (path, name) in [("/v1/customers", "b"), ("/v1/products", "a")] {
        let answer = stripe.call("POST", path, &[("name", name)], &keyed).await;
        assert_eq!((answer.status, &answer.error()["type"]), (400, &json!("idempotency_error")));
        assert!(answer.error()["message"].as_str().unwrap().contains("'k1'"));
    }
    // Wrong parameters under a used key are first of all another request.
    let answer = stripe.call("POST", "/v1/customers", &[("nope", "a")], &keyed).await;
    assert_eq!(answer.error()["type"], "idempotency_error");
    let live_key = ["Bearer sk", "live", "x"].join("_");
    let live = [("idempotency-key", "k1"), ("authorization", live_key.as_str())];
    assert_eq!(stripe.call("POST", "/v1/customers", &[("name", "b")], &live).await.status, 200, "another account");
    let long = "k".repeat(256);
    let answer = stripe.call("POST", "/v1/customers", &[], &[("idempotency-key", &long)]).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_key_in_flight_is_in_use() {
    let stripe = Stripe::start_with(Options { latency: Duration::from_millis(300), ..Options::default() }).await;
    let keyed = [("idempotency-key", "k1")];
    let form = [("name", "a")];
    let race = || stripe.call("POST", "/v1/customers", &form, &keyed);
    let (one, two) = tokio::join!(race(), race());
    let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!((won.status, lost.status), (200, 409), "{}", lost.text);
    assert_eq!(lost.error()["code"], "idempotency_key_in_use");
    assert_eq!(race().await.text, won.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_requests_with_one_key_one_is_executed() {
    let stripe = std::sync::Arc::new(Stripe::start().await);
    let racers: Vec<_> = (0..40)
        .map(|i| {
            let stripe = std::sync::Arc::clone(&stripe);
            let key = format!("k{}", i % 4);
            tokio::spawn(async move {
                stripe.call("POST", "/v1/customers", &[("name", "a")], &[("idempotency-key", &key)]).await.status
            })
        })
        .collect();
    for racer in racers {
        assert!(matches!(racer.await.unwrap(), 200 | 409));
    }
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 4);
}

#[tokio::test]
async fn an_operation_goes_on_when_its_caller_hangs_up() {
    let stripe = Stripe::start_with(Options { latency: Duration::from_millis(50), ..Options::default() }).await;
    let keyed = [("idempotency-key", "k1")];
    let form = [("name", "a")];
    let call = stripe.call("POST", "/v1/customers", &form, &keyed);
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    let replayed = until("the answer", async || {
        let answer = stripe.call("POST", "/v1/customers", &form, &keyed).await;
        (answer.status == 200).then_some(answer)
    });
    assert!(replayed.await.status == 200);
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids().len(), 1);
}

#[tokio::test]
async fn requests_are_remembered_without_credentials() {
    let stripe = Stripe::start_with(Options { remembered_requests: 2, ..Options::default() }).await;
    stripe.get("/v1/balance", &[]).await;
    let made = stripe.call("POST", "/v1/customers", &[("name", "a")], &[("idempotency-key", "k1")]).await;
    stripe.get("/v1/customers", &[("limit", "3")]).await;
    let requests = stripe.simulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/v1/customers"));
    assert_eq!((requests[0].body.as_str(), requests[0].status), ("name=a", 200));
    assert_eq!(requests[0].header("idempotency-key"), Some("k1"));
    assert_eq!(requests[0].request_id, made.header("request-id"));
    assert!(requests.iter().all(|r| r.header("authorization").is_none()));
    assert_eq!(requests[1].query, "limit=3");
    stripe.simulator.clear_requests();
    assert_eq!(stripe.simulator.requests(), []);
}

#[tokio::test]
async fn only_loopback_addresses_are_served_unless_allowed() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let error = Simulator::start_with(Options { listen, ..Options::default() }).await.unwrap_err();
    assert!(error.to_string().contains("allow_remote"), "{error}");
    let allowed = Options { listen, allow_remote: true, ..Options::default() };
    Simulator::start_with(allowed).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_stopped_simulator_gives_its_port_back() {
    let mut stripe = Stripe::start().await;
    stripe.get("/v1/balance", &[]).await;
    let address = stripe.simulator.address();
    std::mem::replace(&mut stripe.simulator, Simulator::start().await.unwrap()).stop().await;
    let again = Simulator::start_with(Options { listen: address, ..Options::default() }).await.unwrap();
    drop(again);
    let connect = async || tokio::net::TcpStream::connect(address).await.is_err().then_some(());
    until("a dropped simulator to be gone", connect).await;
}

#[tokio::test]
async fn one_seed_gives_the_same_ids() {
    let make = async || {
        let stripe = Stripe::start_with(Options { seed: Some(7), ..Options::default() }).await;
        stripe.make("/v1/customers", &[]).await.id()
    };
    assert_eq!(make().await, make().await);
}
