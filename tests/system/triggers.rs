//! Events: signed deliveries over HTTP, forged ones, subscriptions, polling, samples.

use std::sync::Arc;

use host_harness::contract::{ErrorKind, Mode, Outcome, Receipt, SubscriptionRequest, WebhookRequest};
use host_harness::{Call, CallError, Connector, Reply};
use serde_json::{Value, json};

use crate::platform::{KEY, Shop, refused};
use crate::scripted::{Act, Scripted, answer};

const SLICE: [&str; 7] = [
    "customer.created",
    "customer.updated",
    "charge.succeeded",
    "customer.subscription.created",
    "payment_intent.succeeded",
    "invoice.paid",
    "checkout.session.completed",
];

fn names(triggers: &[&str]) -> Vec<String> {
    triggers.iter().map(|t| (*t).to_owned()).collect()
}

/// A server of the platform's that takes deliveries as they come.
async fn inbox() -> Scripted {
    Scripted::start(|_, _| Act::Answer(answer(200, "", "{}"))).await
}

/// Waits until so many deliveries have come, and returns all of them.
async fn deliveries(inbox: &Scripted, expected: usize) -> Vec<WebhookRequest> {
    while inbox.work() < expected {
        tokio::task::yield_now().await;
    }
    let seen = inbox.seen().await;
    seen.into_iter()
        .map(|s| WebhookRequest {
            headers: s
                .head
                .lines()
                .skip(1)
                .filter_map(|l| l.split_once(": "))
                .map(|(n, v)| (n.into(), v.into()))
                .collect(),
            body: s.body.into_bytes(),
        })
        .collect()
}

struct Subscribed {
    shop: Shop,
    inbox: Scripted,
    secret: String,
}

impl Subscribed {
    async fn to(triggers: &[&str]) -> Self {
        let shop = Shop::open().await;
        let inbox = inbox().await;
        let request = SubscriptionRequest { callback_url: format!("{}/hook", inbox.base()), triggers: names(triggers) };
        let made = shop.platform.connector.subscribe(&shop.platform.fresh(), request).await.expect("subscribed").value;
        let secret = made.secret.expect("a secret, told once");
        Self { shop, inbox, secret }
    }

    fn call(&self) -> Call {
        self.shop.platform.call_with("receive", &[("api_key", KEY), ("webhook_secret", &self.secret)])
    }

    async fn receive(&self, request: WebhookRequest) -> Result<Reply<Receipt>, CallError> {
        self.connector().receive(&self.call(), request).await
    }

    fn connector(&self) -> &Connector {
        &self.shop.platform.connector
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_seven_triggers_fire_from_real_signed_deliveries() {
    let s = Subscribed::to(&SLICE).await;
    let p = &s.shop.platform;
    let customer = p
        .act("customer.create", json!({"email": "a@example.com", "payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}))
        .await;
    let price = p.act("price.create", json!({"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}})).await;
    p.act("subscription.create", json!({"customer": customer["id"], "items": [{"price": price["id"]}]})).await;
    let session = p.act("checkout_session.create", json!({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "T-shirt"}}, "quantity": 1}]})).await;
    pay_in_browser(session["url"].as_str().expect("a page")).await;
    update_customer(&s, customer["id"].as_str().expect("an id")).await;

    let mut fired: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
    let mut read = 0;
    while !SLICE.iter().all(|t| fired.contains_key(*t)) {
        let all = deliveries(&s.inbox, read + 1).await;
        for request in all.into_iter().skip(read) {
            read += 1;
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let receipt = s.receive(request).await.expect("genuine").value;
            assert!(receipt.ignored.is_empty(), "only what was subscribed to is delivered");
            for event in receipt.events {
                assert_eq!((event.id.as_str(), event.mode), (body["id"].as_str().expect("an id"), Mode::Test));
                assert_eq!(serde_json::from_str::<Value>(&event.payload).expect("JSON"), body);
                assert_eq!(event.api_version.as_deref(), Some(stripe_facts::Facts::bundled().api_version.as_str()));
                let record = event.record.expect("mapped");
                assert_eq!(record.id, body["data"]["object"]["id"], "{}", event.trigger);
                fired.entry(event.trigger).or_default().push(serde_json::from_str(&record.fields).expect("JSON"));
            }
        }
    }
    assert_eq!(fired["customer.created"][0]["email"], "a@example.com");
    assert_eq!(fired["invoice.paid"][0]["total"]["decimal"], "9.00");
    assert!(fired["invoice.paid"][0]["subscription"].is_string());
    assert_eq!(fired["checkout.session.completed"][0]["total"]["currency"], "eur");
    s.shop.checked_requests();
}

/// Pays on the hosted page as its form does.
async fn pay_in_browser(url: &str) {
    let (base, path) = url.split_at(url.match_indices('/').nth(2).expect("a path").0);
    let page = http("GET", base, path, "").await;
    assert!(page.contains("<form"), "{page}");
    let paid = http("POST", base, path, "payment_method=pm_card_visa&card=pm_card_visa&email=b%40example.com").await;
    assert!(paid.starts_with("HTTP/1.1 30"), "{paid}");
}

async fn update_customer(s: &Subscribed, id: &str) {
    let body = "name=Changed";
    let done = http("POST", &s.shop.simulator.base_url(), &format!("/v1/customers/{id}"), body).await;
    assert!(done.starts_with("HTTP/1.1 200"), "{done}");
}

async fn http(method: &str, base: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let host = base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    let version = &stripe_facts::Facts::bundled().api_version;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\nStripe-Version: {version}\r\nIdempotency-Key: {path}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_forged_changed_old_or_unsigned_is_refused() {
    let s = Subscribed::to(&["customer.created"]).await;
    s.shop.platform.act("customer.create", json!({})).await;
    let genuine = deliveries(&s.inbox, 1).await.remove(0);
    assert_eq!(s.receive(genuine.clone()).await.expect("genuine").value.events.len(), 1);
    // The same again is genuine, too: the platform drops it by its id.
    assert_eq!(s.receive(genuine.clone()).await.expect("genuine").value.events.len(), 1);

    let mut changed = genuine.clone();
    let at = changed.body.len() / 2;
    changed.body[at] ^= 1;
    let unsigned = WebhookRequest { headers: Vec::new(), body: genuine.body.clone() };
    let mut garbled = genuine.clone();
    garbled.headers = vec![("Stripe-Signature".into(), "t=now,v1=00".into())];
    let mut twice = genuine.clone();
    twice.headers.extend(genuine.headers.clone());
    for (what, request) in [("changed", changed), ("unsigned", unsigned), ("garbled", garbled), ("signed twice", twice)]
    {
        let error = refused(s.receive(request).await);
        assert_eq!((error.kind, error.outcome), (ErrorKind::Signature, Outcome::Rejected), "{what}");
        assert!(!format!("{error:?}").contains(&s.secret), "{what}");
    }
    let other = s.shop.platform.call_with("receive", &[("webhook_secret", "whsec_other")]);
    assert_eq!(refused(s.connector().receive(&other, genuine.clone()).await).kind, ErrorKind::Signature);
    let none = s.shop.platform.call_with("receive", &[]);
    let error = refused(s.connector().receive(&none, genuine.clone()).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidConnection, Some("webhook_secret")));
    let rolling = s.shop.platform.call_with("receive", &[("webhook_secret", &format!("whsec_other,{}", s.secret))]);
    assert_eq!(s.connector().receive(&rolling, genuine).await.expect("genuine").value.events.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_url_has_one_endpoint_that_its_triggers_share() {
    let s = Subscribed::to(&["customer.created"]).await;
    let url = format!("{}/hook", s.inbox.base());
    let p = &s.shop.platform;
    let subscribe = async |triggers: &[&str]| {
        let request = SubscriptionRequest { callback_url: url.clone(), triggers: names(triggers) };
        p.connector.subscribe(&p.fresh(), request).await.expect("subscribed").value
    };
    let shared = subscribe(&["payment.succeeded", "customer.created"]).await;
    assert_eq!((shared.event_types, shared.secret), (names(&["customer.created", "payment_intent.succeeded"]), None));
    let ended = Some(names(&["customer.created"]));
    p.connector.unsubscribe(&p.fresh(), &url, ended).await.expect("ended");
    assert_eq!(subscribe(&["invoice.paid"]).await.event_types, names(&["payment_intent.succeeded", "invoice.paid"]));
    p.connector.unsubscribe(&p.fresh(), &url, None).await.expect("ended");
    p.connector.unsubscribe(&p.fresh(), &url, None).await.expect("no error when there is none");
    assert!(subscribe(&["invoice.paid"]).await.secret.is_some(), "made anew");
    s.shop.checked_requests();
}

#[tokio::test]
async fn a_subscription_that_cannot_work_sends_nothing() {
    let shop = Shop::open().await;
    for (url, triggers, kind) in [
        ("/hook", vec!["customer.created"], ErrorKind::InvalidInput),
        ("ftp://example.com", vec!["customer.created"], ErrorKind::InvalidInput),
        ("https://example.com/hook", vec![], ErrorKind::InvalidInput),
        ("https://example.com/hook", vec!["customer.craeted"], ErrorKind::UnknownOperation),
    ] {
        let request = SubscriptionRequest { callback_url: url.into(), triggers: names(&triggers) };
        let error = refused(shop.platform.connector.subscribe(&shop.platform.fresh(), request).await);
        assert_eq!(error.kind, kind, "{url} {triggers:?}");
    }
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn polling_gives_every_event_once_and_in_order() {
    let shop = Arc::new(Shop::open().await);
    let p = &shop.platform;
    let poll = async |cursor: Option<&str>| {
        let triggers = names(&["customer.created", "payment_intent.succeeded"]);
        p.connector.poll(&p.fresh(), triggers, cursor).await.expect("polled").value
    };
    let start = poll(None).await;
    assert!(start.events.is_empty());
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(p.act("customer.create", json!({"name": format!("n{number}")})).await["id"].clone());
    }
    p.act("product.create", json!({"name": "not listened to"})).await;
    let first = poll(Some(&start.cursor)).await;
    let ids = |events: &[host_harness::contract::Event]| -> Vec<Value> {
        events.iter().map(|e| json!(e.record.as_ref().expect("mapped").id)).collect()
    };
    assert_eq!(ids(&first.events), made);
    assert_eq!(poll(Some(&first.cursor)).await.events.len(), 0);
    // From a cursor that names an event, too.
    let mut more = Vec::new();
    for number in 0..230 {
        more.push(p.act("customer.create", json!({"name": format!("m{number}")})).await["id"].clone());
    }
    let (mut got, mut cursor, mut pages) = (Vec::new(), first.cursor, 0);
    loop {
        let page = poll(Some(&cursor)).await;
        got.extend(ids(&page.events));
        cursor = page.cursor;
        pages += 1;
        if !page.has_more {
            break;
        }
    }
    assert_eq!((got, pages), (more, 3));
    let bad = refused(p.connector.poll(&p.fresh(), names(&["customer.created"]), Some("evt_1")).await);
    assert_eq!((bad.kind, bad.field.as_deref()), (ErrorKind::InvalidInput, Some("cursor")));
    shop.checked_requests();
}

#[tokio::test]
async fn more_events_than_a_page_before_the_first_cursor_are_not_lost() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let start = p.connector.poll(&p.fresh(), names(&["customer.created"]), None).await.expect("polled").value;
    let mut made = Vec::new();
    for number in 0..120 {
        made.push(p.act("customer.create", json!({"name": format!("n{number}")})).await["id"].clone());
    }
    let page =
        p.connector.poll(&p.fresh(), names(&["customer.created"]), Some(&start.cursor)).await.expect("polled").value;
    let ids: Vec<Value> = page.events.iter().map(|e| json!(e.record.as_ref().expect("mapped").id)).collect();
    assert_eq!(ids, made);
}

#[tokio::test]
async fn every_trigger_has_a_sample() {
    let shop = Shop::open().await;
    for trigger in SLICE {
        let event = shop.platform.connector.sample(trigger).await.expect("a sample").value;
        let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
        assert_eq!((event.trigger.as_str(), &payload["type"]), (trigger, &json!(trigger)));
        assert!(event.record.is_some(), "{trigger}");
    }
    assert_eq!(refused(shop.platform.connector.sample("customer.craeted").await).kind, ErrorKind::UnknownOperation);
    assert!(shop.simulator.requests().is_empty());
}
