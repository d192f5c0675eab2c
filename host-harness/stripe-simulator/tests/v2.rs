//! The half of the API under `/v2`: its keys, its errors, its pages, event destinations and thin events.

use std::time::Duration;

use crate::stripe::listener::{Listener, verified};
use crate::stripe::{Answer, PINNED, Stripe};
use serde_json::{Value, json};
use stripe_simulator::{Fault, FaultKind, Options, conformance};

const DESTINATIONS: &str = "/v2/core/event_destinations";

async fn quick() -> Stripe {
    Stripe::start_with(Options { webhook_retry_unit: Duration::from_millis(5), ..Options::default() }).await
}

fn destination(name: &str, url: &str, events: &[&str]) -> Value {
    json!({
        "name": name, "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": events,
        "webhook_endpoint": {"url": url},
        "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
    })
}

/// A thin destination at a listener: its id and its secret.
async fn listen(stripe: &Stripe, listener: &Listener, events: &[&str]) -> (String, String) {
    let made = stripe.make_v2("POST", DESTINATIONS, destination("d", &listener.url, events)).await;
    (made.id(), made.body["webhook_endpoint"]["signing_secret"].as_str().unwrap().to_owned())
}

/// Whether an object has every field that its kind has.
fn complete(object: &Value) {
    let kind = object["object"].as_str().unwrap();
    for field in stripe_facts::Facts::bundled().object(kind).unwrap() {
        assert!(object.get(&field.name).is_some(), "{kind} lacks {}: {object}", field.name);
    }
}

fn deliveries(listener: &Listener) -> Vec<Value> {
    listener.all().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
}

async fn skew(stripe: &Stripe, seconds: i64) {
    let form = format!("kind=clock_skew&seconds={seconds}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(stripe.send("POST", "/_simulator/faults", &headers, form).await.status, 200);
}

// ---- keys

#[tokio::test]
async fn a_success_is_given_again_for_its_key() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let body = destination("d", "https://a.example", &["*"]);
    let first = stripe.v2_with("POST", DESTINATIONS, body.clone(), &keyed).await;
    let again = stripe.v2_with("POST", DESTINATIONS, body, &keyed).await;
    assert_eq!((first.status, &first.text), (200, &again.text));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    let other = stripe.v2_with("POST", DESTINATIONS, destination("e", "https://a.example", &["*"]), &keyed).await;
    assert_eq!((other.status, &other.error()["type"]), (400, &json!("idempotency_error")));
    assert_eq!(other.error()["code"], "idempotency_error");
    let path = format!("{DESTINATIONS}/{}", first.id());
    let keyed = [("idempotency-key", "k2")];
    let gone = stripe.v2_with("DELETE", &path, Value::Null, &keyed).await;
    assert_eq!(gone.body, json!({"id": first.id(), "object": "v2.core.event_destination"}));
    let again = stripe.v2_with("DELETE", &path, Value::Null, &keyed).await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (gone.text.as_str(), "true"));
    assert_eq!(stripe.v2("DELETE", &path, Value::Null).await.status, 404);
}

#[tokio::test]
async fn what_failed_is_tried_again_under_the_same_key() {
    let stripe = Stripe::start().await;
    let meter = [
        ("display_name", "Calls"),
        ("event_name", "calls"),
        ("default_aggregation[formula]", "sum"),
        ("customer_mapping[type]", "by_id"),
        ("customer_mapping[event_payload_key]", "who"),
    ];
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let keyed = [("idempotency-key", "k1")];
    let event = json!({"event_name": "calls", "payload": {"who": customer, "value": "3"}});
    let refused = stripe.v2_with("POST", "/v2/billing/meter_events", event.clone(), &keyed).await;
    assert_eq!((refused.status, &refused.error()["code"]), (400, &json!("invalid_fields")), "{}", refused.text);
    stripe.make("/v1/billing/meters", &meter).await;
    let taken = stripe.v2_with("POST", "/v2/billing/meter_events", event.clone(), &keyed).await;
    assert_eq!((taken.status, taken.header("idempotent-replayed")), (200, ""), "{}", taken.text);
    let again = stripe.v2_with("POST", "/v2/billing/meter_events", event, &keyed).await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (taken.text.as_str(), "true"));

    // v1 gives the failure again.
    let form = [("event_name", "none"), ("payload[stripe_customer_id]", customer.as_str()), ("payload[value]", "1")];
    let keyed = [("idempotency-key", "k2")];
    let first = stripe.call("POST", "/v1/billing/meter_events", &form, &keyed).await;
    let again = stripe.call("POST", "/v1/billing/meter_events", &form, &keyed).await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (first.text.as_str(), "true"));
}

#[tokio::test]
async fn a_failed_request_still_owns_its_key() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let path = format!("{DESTINATIONS}/ed_none/ping");
    let missing = stripe.v2_with("POST", &path, Value::Null, &keyed).await;
    assert_eq!((missing.status, &missing.error()["code"]), (404, &json!("not_found")));
    let other = stripe.v2_with("POST", &format!("{DESTINATIONS}/ed_none/enable"), Value::Null, &keyed).await;
    assert_eq!(other.error()["code"], "idempotency_error");
}

#[tokio::test]
async fn work_whose_answer_was_an_error_is_not_done_twice() {
    let fault = Fault { times: Some(1), path: Some("/v2/".into()), ..Fault::new(FaultKind::ErrorAfter) };
    let stripe = Stripe::start_with(Options { faults: vec![fault], ..Options::default() }).await;
    let key = format!("Bearer {}", stripe_simulator::TEST_SECRET_KEY);
    let headers = [("authorization", key.as_str()), ("stripe-version", PINNED), ("idempotency-key", "k1")];
    let body = destination("d", "https://a.example", &["*"]).to_string();
    let lost = stripe.send("POST", DESTINATIONS, &headers, body.clone()).await;
    assert_eq!((lost.status, lost.header("stripe-should-retry")), (500, ""));
    let found = stripe.send("POST", DESTINATIONS, &headers, body).await;
    assert_eq!((found.status, found.header("idempotent-replayed")), (200, "true"));
    assert_eq!(stripe.make_v2("GET", DESTINATIONS, Value::Null).await.ids(), [found.id()]);
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day_in_v1_and_after_thirty_in_v2() {
    let stripe = Stripe::start().await;
    let keyed = [("idempotency-key", "k1")];
    let body = destination("d", "https://a.example", &["*"]);
    let in_v1 =
        async || stripe.call("POST", "/v1/customers", &[], &keyed).await.header("idempotent-replayed").to_owned();
    let in_v2 = async || {
        let keyed = [("idempotency-key", "k2")];
        let answer = stripe.v2_with("POST", DESTINATIONS, body.clone(), &keyed).await;
        answer.header("idempotent-replayed").to_owned()
    };
    assert_eq!((in_v1().await, in_v2().await), (String::new(), String::new()));
    skew(&stripe, 86_300).await;
    assert_eq!((in_v1().await.as_str(), in_v2().await.as_str()), ("true", "true"));
    skew(&stripe, 86_500).await;
    assert_eq!((in_v1().await.as_str(), in_v2().await.as_str()), ("", "true"));
    skew(&stripe, 30 * 86_400 + 100).await;
    assert_eq!(in_v2().await, "");
}

// ---- errors and pages

#[tokio::test]
async fn errors_are_in_the_words_of_v2() {
    let stripe = Stripe::start().await;
    let mut unknown = destination("d", "https://a.example", &["*"]);
    unknown["colour"] = "red".into();
    let answer = stripe.v2("POST", DESTINATIONS, unknown).await;
    let message = "Some fields in the request were invalid: 'colour: Unknown field.'";
    assert_eq!(answer.body, json!({"error": {"code": "invalid_fields", "message": message}}));
    let mut wrong = destination("d", "https://a.example", &["*"]);
    wrong["include"] = json!(["webhook_endpoint.url", "secret"]);
    let answer = stripe.v2("POST", DESTINATIONS, wrong).await;
    let message = answer.error()["message"].as_str().unwrap();
    assert!(message.contains("'include[1]: Unrecognized enum value 'secret', valid values are: "), "{message}");
    let mut nothing = destination("d", "https://a.example", &["*"]);
    nothing["name"] = Value::Null;
    let answer = stripe.v2("POST", DESTINATIONS, nothing).await;
    assert!(answer.error()["message"].as_str().unwrap().contains("'name: Missing required field.'"), "{}", answer.text);
    // JSON says what it means: a number in quotes is none.
    for (name, value) in [("name", json!(5)), ("enabled_events", json!("*")), ("metadata", json!({"a": true}))] {
        let mut wrong = destination("d", "https://a.example", &["*"]);
        wrong[name] = value;
        assert_eq!(stripe.v2("POST", DESTINATIONS, wrong).await.status, 400, "{name}");
    }
    let account = json!({"configuration": {"customer": {"billing": {"invoice": {"next_sequence": "5"}}}}});
    assert_eq!(stripe.v2("POST", "/v2/core/accounts", account).await.status, 400);
    for path in ["/v2/core/events/evt_none", "/v2/core/accounts/acct_none", "/v2/core/vault/us_bank_accounts/none"] {
        let answer = stripe.v2("GET", path, Value::Null).await;
        assert_eq!((answer.status, &answer.error()["code"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn pages_lead_both_ways() {
    let stripe = Stripe::start().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.insert(
            0,
            stripe
                .make_v2("POST", DESTINATIONS, destination(&number.to_string(), "https://a.example", &["*"]))
                .await
                .id(),
        );
    }
    let url = |answer: &Answer, name: &str| answer.body[name].as_str().map(str::to_owned);
    let first =
        stripe.make_v2("GET", &format!("{DESTINATIONS}?limit=3&include[0]=webhook_endpoint.url"), Value::Null).await;
    assert_eq!((first.ids(), url(&first, "previous_page_url")), (made[..3].to_vec(), None));
    // What is made meanwhile moves nothing.
    let newest = stripe.make_v2("POST", DESTINATIONS, destination("new", "https://a.example", &["*"])).await.id();
    let second = stripe.make_v2("GET", &url(&first, "next_page_url").unwrap(), Value::Null).await;
    assert_eq!(second.ids(), made[3..6]);
    assert_eq!(second.body["data"][0]["webhook_endpoint"]["url"], "https://a.example", "filters go with the URL");
    let third = stripe.make_v2("GET", &url(&second, "next_page_url").unwrap(), Value::Null).await;
    assert_eq!((third.ids(), url(&third, "next_page_url")), (made[6..].to_vec(), None));
    let back = stripe.make_v2("GET", &url(&third, "previous_page_url").unwrap(), Value::Null).await;
    assert_eq!((back.ids(), back.body["next_page_url"].is_string()), (made[3..6].to_vec(), true));
    let back = stripe.make_v2("GET", &url(&back, "previous_page_url").unwrap(), Value::Null).await;
    assert_eq!(back.ids(), made[..3]);
    let back = stripe.make_v2("GET", &url(&back, "previous_page_url").unwrap(), Value::Null).await;
    assert_eq!((back.ids(), url(&back, "previous_page_url")), (vec![newest], None));
    for wrong in ["limit=0", "limit=101", "page=page_x1", "page=1", "page[]=1"] {
        assert_eq!(stripe.v2("GET", &format!("{DESTINATIONS}?{wrong}"), Value::Null).await.status, 400, "{wrong}");
    }
}

// ---- destinations

#[tokio::test]
async fn a_destination_is_made_changed_and_deleted() {
    let stripe = Stripe::start().await;
    let made =
        stripe.make_v2("POST", DESTINATIONS, destination("d", "https://a.example/x", &["v1.customer.created"])).await;
    assert!(made.id().starts_with("ed_test_61"));
    complete(&made.body);
    assert!(made.body["webhook_endpoint"]["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(made.body["events_from"], json!(["@self"]));
    let path = format!("{DESTINATIONS}/{}", made.id());
    let shown = stripe.make_v2("GET", &path, Value::Null).await;
    assert_eq!(shown.body["webhook_endpoint"], json!({"signing_secret": null, "url": null}));
    let included = stripe.make_v2("GET", &format!("{path}?include[0]=webhook_endpoint.url"), Value::Null).await;
    assert_eq!(included.body["webhook_endpoint"]["url"], "https://a.example/x");
    let asked = stripe.v2("GET", &format!("{path}?include[0]=webhook_endpoint.signing_secret"), Value::Null).await;
    assert_eq!(asked.status, 400, "the secret is told once");

    let change = json!({"name": "e", "description": "mine", "metadata": {"a": "1", "b": "2"}});
    stripe.make_v2("POST", &path, change).await;
    let changed = stripe.make_v2("POST", &path, json!({"metadata": {"a": null}, "enabled_events": ["*"]})).await;
    assert_eq!((&changed.body["name"], &changed.body["description"]), (&json!("e"), &json!("mine")));
    assert_eq!((&changed.body["metadata"], &changed.body["enabled_events"]), (&json!({"b": "2"}), &json!(["*"])));
    let off = stripe.make_v2("POST", &format!("{path}/disable"), Value::Null).await;
    let why = json!({"disabled": {"reason": "user"}});
    assert_eq!((&off.body["status"], &off.body["status_details"]), (&json!("disabled"), &why));
    let on = stripe.make_v2("POST", &format!("{path}/enable"), Value::Null).await;
    assert_eq!((&on.body["status"], &on.body["status_details"]), (&json!("enabled"), &Value::Null));
    stripe.make_v2("DELETE", &path, Value::Null).await;
    assert_eq!(stripe.v2("GET", &path, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_destination_must_make_sense() {
    let stripe = Stripe::start().await;
    let cases: [(&str, Value, &str); 9] = [
        ("enabled_events", json!([]), "enabled_events: "),
        ("enabled_events", json!(["customer.created"]), "enabled_events[0]: "),
        ("name", json!(""), "name: "),
        ("webhook_endpoint", Value::Null, "webhook_endpoint: "),
        ("webhook_endpoint", json!({"url": "nowhere"}), "webhook_endpoint.url: "),
        ("snapshot_api_version", json!(PINNED), "snapshot_api_version: "),
        ("events_from", json!(["@nobody"]), "events_from[0]: "),
        ("type", json!("amazon_eventbridge"), "amazon_eventbridge: "),
        ("event_payload", json!("snapshot"), "enabled_events[0]: "),
    ];
    for (name, value, place) in cases {
        let mut body = destination("d", "https://a.example", &["v2.core.account.created"]);
        body[name] = value;
        let answer = stripe.v2("POST", DESTINATIONS, body).await;
        let message = answer.error()["message"].as_str().unwrap();
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        assert!(message.contains(&format!("'{place}")), "{name}: {message}");
    }
    let live = ["Bearer sk", "live", "x"].join("_");
    let live = [("authorization", live.as_str())];
    let plain = destination("d", "http://a.example", &["*"]);
    assert_eq!(stripe.v2_with("POST", DESTINATIONS, plain, &live).await.status, 400, "live mode wants https");
    let cloud = json!({
        "name": "aws", "type": "amazon_eventbridge", "event_payload": "snapshot", "enabled_events": ["*"],
        "amazon_eventbridge": {"aws_account_id": "123456789012", "aws_region": "eu-west-1"},
    });
    let made = stripe.make_v2("POST", DESTINATIONS, cloud).await;
    assert_eq!(made.body["amazon_eventbridge"]["aws_event_source_status"], "pending");
    let grid = json!({
        "name": "azure", "type": "azure_event_grid", "event_payload": "thin", "enabled_events": ["*"],
        "azure_event_grid": {
            "azure_region": "westeurope", "azure_resource_group_name": "g", "azure_subscription_id": "s",
        },
    });
    stripe.make_v2("POST", DESTINATIONS, grid).await;
    // Destinations do not count among the sixteen webhook endpoints.
    for _ in 0..16 {
        stripe.make("/v1/webhook_endpoints", &[("url", "https://a.example"), ("enabled_events[]", "*")]).await;
        stripe.make_v2("POST", DESTINATIONS, destination("d", "https://a.example", &["*"])).await;
    }
}

#[tokio::test]
async fn a_snapshot_destination_gets_what_a_webhook_endpoint_gets() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    let mut body = destination("d", &listener.url, &["customer.created"]);
    body["event_payload"] = "snapshot".into();
    body["snapshot_api_version"] = PINNED.into();
    let made = stripe.make_v2("POST", DESTINATIONS, body).await;
    let secret = made.body["webhook_endpoint"]["signing_secret"].as_str().unwrap();
    let customer = stripe.make("/v1/customers", &[]).await.id();
    listener.count(1).await;
    let (headers, body) = listener.all().remove(0);
    assert!(verified(&headers, &body, secret));
    let event: Value = serde_json::from_slice(&body).unwrap();
    conformance::check_object(&event).unwrap();
    assert_eq!((&event["data"]["object"]["id"], &event["api_version"]), (&json!(customer), &json!(PINNED)));
}

// ---- thin events

#[tokio::test]
async fn a_ping_arrives_signed_and_can_be_fetched() {
    let stripe = quick().await;
    let (listener, other) = (Listener::start(1).await, Listener::start(0).await);
    let (id, secret) = listen(&stripe, &listener, &["v1.customer.created"]).await;
    listen(&stripe, &other, &["*"]).await;
    let path = format!("{DESTINATIONS}/{id}");
    let ping = stripe.v2_with("POST", &format!("{path}/ping"), Value::Null, &[("idempotency-key", "k1")]).await;
    assert!(ping.id().starts_with("evt_test_65"));
    assert_eq!(ping.body["type"], "v2.core.event_destination.ping");
    listener.count(2).await;
    for (headers, body) in listener.all() {
        assert!(verified(&headers, &body, &secret), "retries are signed too");
    }
    let told = deliveries(&listener).remove(0);
    conformance::check_object(&told).unwrap();
    let request = json!({"id": ping.header("request-id"), "idempotency_key": "k1"});
    let expected = json!({
        "id": ping.id(), "object": "v2.core.event", "context": null, "created": ping.body["created"],
        "livemode": false, "reason": {"type": "request", "request": request}, "type": "v2.core.event_destination.ping",
        "related_object": {"id": id, "type": "v2.core.event_destination", "url": path},
    });
    assert_eq!(told, expected);
    let fetched = stripe.make_v2("GET", &format!("/v2/core/events/{}", ping.id()), Value::Null).await;
    assert_eq!(fetched.body, ping.body);
    complete(&fetched.body);
    assert_eq!(stripe.make_v2("GET", told["related_object"]["url"].as_str().unwrap(), Value::Null).await.id(), id);

    // Only who is pinged hears of it, and nobody who is disabled or gone.
    stripe.make_v2("POST", &format!("{path}/disable"), Value::Null).await;
    stripe.make_v2("POST", &format!("{path}/ping"), Value::Null).await;
    stripe.make_v2("POST", &format!("{path}/enable"), Value::Null).await;
    let last = stripe.make_v2("POST", &format!("{path}/ping"), Value::Null).await.id();
    listener.count(3).await;
    assert_eq!(deliveries(&listener)[2]["id"], json!(last));
    assert!(other.all().is_empty());
}

#[tokio::test]
async fn changes_of_v1_are_told_thin_under_their_names() {
    let stripe = quick().await;
    let (some, all) = (Listener::start(0).await, Listener::start(0).await);
    listen(&stripe, &some, &["v1.customer.created", "v1.price.deactivated"]).await;
    listen(&stripe, &all, &["*"]).await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let price = stripe.monthly("500").await;
    stripe.make(&format!("/v1/prices/{price}"), &[("active", "false")]).await;
    some.count(2).await;
    assert_eq!(some.types(), ["v1.customer.created", "v1.price.deactivated"]);
    let told = deliveries(&some).remove(0);
    let related = json!({"id": customer, "type": "customer", "url": format!("/v1/customers/{customer}")});
    assert_eq!(told["related_object"], related);
    all.count(6).await;
    let expected = ["v1.customer.created", "v1.product.created", "v1.plan.created", "v1.price.created"];
    assert_eq!(all.types()[..4], expected);

    let snapshot = stripe.get("/v1/events", &[("type", "customer.created")]).await.ids().remove(0);
    let id = told["id"].as_str().unwrap();
    let fetched = stripe.make_v2("GET", &format!("/v2/core/events/{id}"), Value::Null).await;
    assert_eq!((&fetched.body["snapshot_event"], &fetched.body["data"]), (&json!(snapshot), &Value::Null));
    let found = stripe.make_v2("GET", &format!("/v2/core/events?object_id={price}&limit=2"), Value::Null).await;
    assert_eq!(found.types(), ["v1.price.deactivated", "v1.price.updated"]);
    // A plan goes by the id of its price.
    let told = vec!["v1.price.created".to_owned(), "v1.plan.created".to_owned()];
    let next = stripe.make_v2("GET", found.body["next_page_url"].as_str().unwrap(), Value::Null).await;
    assert_eq!((next.types(), &next.body["next_page_url"]), (told, &Value::Null));
    let typed = "/v2/core/events?types[0]=v1.plan.created&types[1]=v1.customer.created";
    assert_eq!(stripe.make_v2("GET", typed, Value::Null).await.types(), ["v1.plan.created", "v1.customer.created"]);
    let since = fetched.body["created"].as_str().unwrap();
    let before = stripe.make_v2("GET", &format!("/v2/core/events?created[lt]={since}"), Value::Null).await;
    assert!(before.ids().is_empty());
    let from = stripe.make_v2("GET", &format!("/v2/core/events?created[gte]={since}"), Value::Null).await;
    assert_eq!(from.ids().last().map(String::as_str), Some(id));
    assert_eq!(stripe.v2("GET", "/v2/core/events?created[gte]=5", Value::Null).await.status, 400);
    skew(&stripe, 31 * 86_400).await;
    assert_eq!(stripe.v2("GET", &format!("/v2/core/events/{id}"), Value::Null).await.status, 404, "30 days are over");
}

#[tokio::test]
async fn what_happens_to_a_subscription_is_told_in_small_steps() {
    let stripe = quick().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let (price, other) = (stripe.monthly("500").await, stripe.monthly("700").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.make("/v1/subscriptions", &form).await;
    let item = subscription.body["items"]["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/subscriptions/{}", subscription.id());
    let form = [("items[0][id]", item), ("items[0][quantity]", "3"), ("items[1][price]", other.as_str())];
    stripe.make(&path, &form).await;
    stripe.delete(&path).await;
    let list = format!("/v2/core/events?object_id={}&limit=100", subscription.id());
    let mut told = stripe.make_v2("GET", &list, Value::Null).await.types();
    told.reverse();
    let expected = ["created", "active", "updated", "item_added", "item_quantity_changed", "deleted"]
        .map(|e| format!("v1.customer.subscription.{e}"));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_context_has_data_and_events_of_its_own() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    let context = [("stripe-context", "org_1/acct_1Connected")];
    let body = destination("d", &listener.url, &["v1.customer.created"]);
    let made = stripe.v2_with("POST", DESTINATIONS, body, &context).await;
    assert!(stripe.make_v2("GET", DESTINATIONS, Value::Null).await.ids().is_empty());
    let account = [("stripe-account", "acct_1Connected")];
    assert_eq!(stripe.v2_with("GET", DESTINATIONS, Value::Null, &account).await.ids(), [made.id()]);
    stripe.make("/v1/customers", &[]).await;
    let theirs = stripe.call("POST", "/v1/customers", &[], &account).await.id();
    listener.count(1).await;
    let told = deliveries(&listener).remove(0);
    assert_eq!((&told["context"], &told["related_object"]["id"]), (&json!("acct_1Connected"), &json!(theirs)));
}

#[tokio::test]
async fn a_platform_hears_of_connected_accounts_where_it_asks_to() {
    let stripe = quick().await;
    let (thin, snapshot, own) = (Listener::start(0).await, Listener::start(0).await, Listener::start(0).await);
    let mut body = destination("connected", &thin.url, &["v1.customer.created"]);
    body["events_from"] = json!(["@accounts"]);
    let made = stripe.make_v2("POST", DESTINATIONS, body).await;
    let connect = |url| [("url", url), ("enabled_events[]", "customer.created"), ("connect", "true")];
    let endpoint = stripe.make("/v1/webhook_endpoints", &connect(snapshot.url.as_str())).await.id();
    listen(&stripe, &own, &["v1.customer.created"]).await;
    stripe.make("/v1/customers", &[]).await;
    let account = [("stripe-account", "acct_1Connected")];
    let theirs = stripe.call("POST", "/v1/customers", &[], &account).await.id();
    thin.count(1).await;
    snapshot.count(1).await;
    own.count(1).await;
    assert_eq!(deliveries(&thin)[0]["context"], "acct_1Connected");
    let event = deliveries(&snapshot).remove(0);
    conformance::check_object(&event).unwrap();
    assert_eq!((&event["account"], &event["data"]["object"]["id"]), (&json!("acct_1Connected"), &json!(theirs)));
    assert_eq!(deliveries(&own)[0]["context"], Value::Null);
    // Whoever is disabled or deleted hears nothing; the other mode never did.
    stripe.make(&format!("/v1/webhook_endpoints/{endpoint}"), &[("disabled", "true")]).await;
    stripe.make_v2("DELETE", &format!("{DESTINATIONS}/{}", made.id()), Value::Null).await;
    let live = ["Bearer sk", "live", "x"].join("_");
    stripe.call("POST", "/v1/customers", &[], &[account[0], ("authorization", &live)]).await;
    stripe.call("POST", "/v1/customers", &[], &account).await;
    stripe.make("/v1/customers", &[]).await;
    own.count(2).await;
    stripe.make(&format!("/v1/webhook_endpoints/{endpoint}"), &[("disabled", "false")]).await;
    let last = stripe.call("POST", "/v1/customers", &[], &account).await.id();
    snapshot.count(2).await;
    assert_eq!(deliveries(&snapshot)[1]["data"]["object"]["id"], json!(last));
    assert_eq!((thin.all().len(), own.all().len()), (1, 2));
}

// ---- usage

async fn metered(stripe: &Stripe) -> (String, String) {
    let meter = [("display_name", "Calls"), ("event_name", "calls"), ("default_aggregation[formula]", "sum")];
    let meter = stripe.make("/v1/billing/meters", &meter).await.id();
    (meter, stripe.make("/v1/customers", &[]).await.id())
}

async fn used(stripe: &Stripe, meter: &str, customer: &str) -> f64 {
    let end = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 600;
    let (start, end) = ((end - 1_200).to_string(), end.to_string());
    let form = [("customer", customer), ("start_time", start.as_str()), ("end_time", end.as_str())];
    let sums = stripe.get(&format!("/v1/billing/meters/{meter}/event_summaries"), &form).await;
    sums.body["data"][0]["aggregated_value"].as_f64().unwrap_or_default()
}

#[tokio::test]
async fn usage_of_v2_counts_for_the_meters_of_v1() {
    let stripe = Stripe::start().await;
    let (meter, customer) = metered(&stripe).await;
    let event = json!({
        "event_name": "calls", "identifier": "one", "payload": {"stripe_customer_id": customer, "value": "5"},
    });
    stripe.make_v2("POST", "/v2/billing/meter_events", event.clone()).await;
    assert_eq!(used(&stripe, &meter, &customer).await, 5.0);
    let twice = stripe.v2("POST", "/v2/billing/meter_events", event.clone()).await;
    assert_eq!((twice.status, &twice.error()["code"]), (400, &json!("duplicate_meter_event")));
    let adjust = json!({"event_name": "calls", "type": "cancel", "cancel": {"identifier": "one"}});
    stripe.make_v2("POST", "/v2/billing/meter_event_adjustments", adjust.clone()).await;
    assert_eq!(used(&stripe, &meter, &customer).await, 0.0);
    assert_eq!(stripe.v2("POST", "/v2/billing/meter_event_adjustments", adjust).await.status, 400);
    let mut old = event.clone();
    old["timestamp"] = "2020-01-01T00:00:00.000Z".into();
    assert_eq!(stripe.v2("POST", "/v2/billing/meter_events", old).await.status, 400);
    stripe.make(&format!("/v1/billing/meters/{meter}/deactivate"), &[]).await;
    let archived = stripe.v2("POST", "/v2/billing/meter_events", event).await;
    assert_eq!(archived.error()["code"], "archived_meter");
}

#[tokio::test]
async fn a_stream_takes_everything_and_tells_what_was_wrong_with_it() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    let (meter, customer) = metered(&stripe).await;
    listen(&stripe, &listener, &["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"]).await;
    let session = stripe.make_v2("POST", "/v2/billing/meter_event_session", Value::Null).await;
    let token = format!("Bearer {}", session.body["authentication_token"].as_str().unwrap());
    let token = [("authorization", token.as_str())];
    let usage = |name: &str, customer: &str, identifier: &str| {
        let payload = json!({"stripe_customer_id": customer, "value": "2"});
        json!({"event_name": name, "identifier": identifier, "payload": payload})
    };
    let events = [usage("calls", &customer, "a"), usage("calls", "cus_none", "b"), usage("nothing", &customer, "c")];
    let body = json!({"events": events});
    let stream = "/v2/billing/meter_event_stream";
    let taken = stripe.v2_with("POST", stream, body.clone(), &token).await;
    assert_eq!((taken.status, taken.text.as_str()), (200, "{}"));
    assert_eq!(used(&stripe, &meter, &customer).await, 2.0);
    listener.count(2).await;
    assert_eq!(listener.types(), ["v1.billing.meter.no_meter_found", "v1.billing.meter.error_report_triggered"]);
    let told = deliveries(&listener);
    assert_eq!(told[0]["related_object"], Value::Null);
    assert_eq!(told[1]["related_object"]["url"], format!("/v1/billing/meters/{meter}"));
    assert_eq!(told[1].get("data"), None, "data is for who fetches the event");
    let path = format!("/v2/core/events/{}", told[1]["id"].as_str().unwrap());
    let fetched = stripe.make_v2("GET", &path, Value::Null).await;
    let problem = &fetched.body["data"]["reason"]["error_types"][0];
    assert_eq!(problem["code"], "meter_event_customer_not_found", "{}", fetched.text);
    assert_eq!(problem["sample_errors"][0]["request"]["identifier"], "b");

    assert_eq!(stripe.v2("POST", stream, body.clone()).await.status, 401, "a key is no session");
    skew(&stripe, 901).await;
    let expired = stripe.v2_with("POST", stream, body, &token).await;
    assert_eq!((expired.status, &expired.error()["type"]), (401, &json!("temporary_session_expired")));
    assert_eq!(expired.error()["code"], "billing_meter_event_session_expired");
}

// ---- accounts and the rest

#[tokio::test]
async fn an_account_is_kept_and_told_of() {
    let stripe = quick().await;
    let listener = Listener::start(0).await;
    listen(&stripe, &listener, &["*"]).await;
    let body = json!({
        "contact_email": "a@b.example", "display_name": "Ann", "dashboard": "express",
        "identity": {"country": "us", "entity_type": "company"},
        "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": true}}}},
        "include": ["identity", "configuration.merchant"],
    });
    let made = stripe.make_v2("POST", "/v2/core/accounts", body).await;
    assert_eq!(made.body["applied_configurations"], json!(["merchant"]));
    assert_eq!(made.body["identity"]["country"], "us");
    assert_eq!(made.body["configuration"]["merchant"]["applied"], true);
    let path = format!("/v2/core/accounts/{}", made.id());
    let bare = stripe.make_v2("GET", &path, Value::Null).await;
    assert_eq!((&bare.body["identity"], &bare.body["configuration"]), (&Value::Null, &Value::Null));
    let change = json!({"display_name": "Anne", "identity": {"country": "ca"}, "include": ["identity"]});
    let changed = stripe.make_v2("POST", &path, change).await;
    assert_eq!(
        (&changed.body["display_name"], &changed.body["contact_email"]),
        (&json!("Anne"), &json!("a@b.example"))
    );
    assert_eq!(changed.body["identity"]["entity_type"], "company", "what was not sent stays");
    let persons = format!("{path}/persons");
    let person = stripe.make_v2("POST", &persons, json!({"given_name": "Bo", "email": "bo@b.example"})).await;
    assert_eq!(person.body["account"], json!(made.id()));
    complete(&made.body);
    complete(&person.body);
    let one = format!("{persons}/{}", person.id());
    assert_eq!(stripe.make_v2("POST", &one, json!({"given_name": "Bob"})).await.body["given_name"], "Bob");
    assert_eq!(stripe.make_v2("GET", &persons, Value::Null).await.ids(), [person.id()]);
    stripe.make_v2("DELETE", &one, Value::Null).await;
    assert_eq!(stripe.v2("GET", &one, Value::Null).await.status, 404);
    assert_eq!(stripe.make_v2("POST", &format!("{path}/close"), json!({})).await.body["closed"], true);
    assert!(stripe.make_v2("GET", "/v2/core/accounts", Value::Null).await.ids().is_empty());
    assert_eq!(stripe.make_v2("GET", "/v2/core/accounts?closed=true", Value::Null).await.ids(), [made.id()]);
    let expected = [
        "v2.core.account.created",
        "v2.core.account.updated",
        "v2.core.account[identity].updated",
        "v2.core.account_person.created",
        "v2.core.account_person.updated",
        "v2.core.account_person.deleted",
        "v2.core.account.closed",
    ];
    listener.count(expected.len()).await;
    assert_eq!(listener.types(), expected);
    let told = deliveries(&listener);
    assert_eq!(told[3]["related_object"]["url"], one);
    let path = format!("/v2/core/events/{}", told[3]["id"].as_str().unwrap());
    assert_eq!(stripe.make_v2("GET", &path, Value::Null).await.body["data"], json!({"account_id": made.id()}));
}

#[tokio::test]
async fn what_has_no_rules_of_its_own_is_kept_all_the_same() {
    let stripe = Stripe::start().await;
    let banks = "/v2/core/vault/us_bank_accounts";
    let made = stripe
        .make_v2(
            "POST",
            banks,
            json!({"account_number": "000123456789", "currency": "usd", "routing_number": "110000000"}),
        )
        .await;
    assert_eq!(made.body["last4"], "6789");
    complete(&made.body);
    let path = format!("{banks}/{}", made.id());
    assert_eq!(stripe.make_v2("GET", &path, Value::Null).await.body, made.body);
    assert_eq!(stripe.make_v2("POST", &format!("{path}/archive"), Value::Null).await.body["archived"], true);
    assert_eq!(stripe.make_v2("POST", &format!("{path}/unarchive"), Value::Null).await.body["archived"], false);
    assert_eq!(stripe.make_v2("GET", banks, Value::Null).await.ids(), [made.id()]);
    let intents = "/v2/money_management/outbound_setup_intents";
    let made = stripe.make_v2("POST", intents, json!({})).await;
    let cancel = format!("{intents}/{}/cancel", made.id());
    assert_eq!(stripe.make_v2("POST", &cancel, Value::Null).await.body["status"], "canceled");
    let again = stripe.v2("POST", &cancel, Value::Null).await;
    assert_eq!((again.status, &again.error()["type"]), (400, &json!("already_canceled")));
    assert_eq!(stripe.v2("POST", &format!("{intents}/none/cancel"), Value::Null).await.status, 404);
}
