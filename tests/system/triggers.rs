//! Events: signed deliveries over HTTP, forged ones, subscriptions, polling, samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use host::contract::{
    ErrorKind, Mode, Outcome, Receipt, SubscriptionRequest, SubscriptionState, TriggerUse, WebhookRequest,
};
use host::{Call, CallError, Connector, Reply};
use serde_json::{Value, json};
use stripe_simulator::{Fault, FaultKind, Options, Simulator};

use crate::platform::{KEY, Platform, Shop, every, refused};
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
        .map(|s| {
            let headers = s.head.lines().skip(1).filter_map(|l| l.split_once(": "));
            let headers = headers.map(|(n, v)| (n.into(), v.into())).collect();
            WebhookRequest::post("/hook", headers, s.body.into_bytes())
        })
        .collect()
}

struct Subscribed {
    shop: Shop,
    inbox: Scripted,
    state: SubscriptionState,
}

impl Subscribed {
    async fn to(triggers: &[&str]) -> Self {
        let shop = Shop::open().await;
        let inbox = inbox().await;
        let request = SubscriptionRequest::new(format!("{}/hook", inbox.base()), every(triggers));
        let made = shop.platform.connector.subscribe(&shop.platform.fresh(), request).await.expect("subscribed").value;
        Self { shop, inbox, state: made.state }
    }

    fn call(&self) -> Call {
        self.shop.platform.call_with("receive", &[("api_key", KEY)])
    }

    async fn receive(&self, request: WebhookRequest) -> Result<Reply<Receipt>, CallError> {
        self.connector().receive(&self.call(), Some(&self.state), Vec::new(), request).await
    }

    fn connector(&self) -> &Connector {
        &self.shop.platform.connector
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_of_everyday_things_fire_from_real_signed_deliveries() {
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
                assert_eq!(record.id, body["data"]["object"]["id"], "{}", event.event_type);
                assert!(event.complete && event.triggers.contains(&event.event_type), "{:?}", event.triggers);
                fired.entry(event.event_type).or_default().push(serde_json::from_str(&record.fields).expect("JSON"));
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
    let unsigned = WebhookRequest { headers: Vec::new(), ..genuine.clone() };
    let mut garbled = genuine.clone();
    garbled.headers = vec![("Stripe-Signature".into(), "t=now,v1=00".into())];
    let mut twice = genuine.clone();
    twice.headers.extend(genuine.headers.clone());
    let fetched = WebhookRequest { method: "GET".into(), ..genuine.clone() };
    for (what, request) in [
        ("changed", changed),
        ("unsigned", unsigned),
        ("garbled", garbled),
        ("signed twice", twice),
        ("no POST", fetched),
    ] {
        let error = refused(s.receive(request).await);
        assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Signature, Outcome::NotSent), "{what}");
        assert!(!format!("{error:?}").contains("whsec_"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_state_the_connections_own_secret_counts() {
    let (shop, inbox) = (Shop::open().await, inbox().await);
    let wanted = format!("url={}/hook&enabled_events[0]=customer.created", inbox.base());
    let made = http("POST", &shop.simulator.base_url(), "/v1/webhook_endpoints", &wanted).await;
    let made: Value = serde_json::from_str(made.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    let secret = made["secret"].as_str().expect("a secret, told once");
    shop.platform.act("customer.create", json!({})).await;
    let genuine = deliveries(&inbox, 1).await.remove(0);
    let receive = async |fields: &[(&str, &str)]| {
        let call = shop.platform.call_with("receive", fields);
        shop.platform.connector.receive(&call, None, Vec::new(), genuine.clone()).await
    };
    assert_eq!(receive(&[("webhook_secret", secret)]).await.expect("genuine").value.events.len(), 1);
    let error = refused(receive(&[("webhook_secret", "whsec_other")]).await);
    assert_eq!(error.kind.clone(), ErrorKind::Signature);
    assert!(!format!("{error:?}").contains("whsec_"), "{error:?}");
    let error = refused(receive(&[]).await);
    assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::InvalidConnection, Some("webhook_secret")));
    let rolling = format!("whsec_other,{secret}");
    assert_eq!(receive(&[("webhook_secret", &rolling)]).await.expect("genuine").value.events.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_url_has_one_endpoint_that_its_triggers_share() {
    let s = Subscribed::to(&["customer.created"]).await;
    let url = format!("{}/hook", s.inbox.base());
    let p = &s.shop.platform;
    let subscribe = async |state: Option<SubscriptionState>, triggers: &[&str]| {
        let request = SubscriptionRequest::new(&url, every(triggers)).with_state(state);
        p.connector.subscribe(&p.fresh(), request).await.expect("subscribed").value
    };
    let unsubscribe = async |state: &SubscriptionState, triggers: Option<Vec<String>>| {
        p.connector.unsubscribe(&p.fresh(), state, triggers).await.expect("ended").value
    };
    let shared = subscribe(Some(s.state.clone()), &["payment.succeeded", "customer.created"]).await;
    assert_eq!(shared.event_types, names(&["customer.created", "payment_intent.succeeded"]));
    let left = unsubscribe(&shared.state, Some(names(&["customer.created"]))).await;
    assert_eq!(left.event_types, names(&["payment_intent.succeeded"]));
    let both = subscribe(left.state, &["invoice.paid"]).await;
    assert_eq!(both.event_types, names(&["invoice.paid", "payment_intent.succeeded"]));
    assert!(unsubscribe(&both.state, None).await.state.is_none(), "nothing is left");
    // It is no error when there is none.
    assert!(unsubscribe(&both.state, None).await.state.is_none());
    let anew = subscribe(None, &["invoice.paid"]).await;
    assert_ne!(anew.state.expose(), both.state.expose(), "made anew");
    s.shop.checked_requests();
}

/// The webhook endpoints that the simulator has.
async fn endpoints(shop: &Shop) -> Vec<Value> {
    let listed = http("GET", &shop.simulator.base_url(), "/v1/webhook_endpoints?limit=100", "").await;
    let listed: Value = serde_json::from_str(listed.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    listed["data"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_subscribe_loses_no_secret() {
    // Every attempt of the first run.
    let lost = Fault {
        times: Some(3),
        method: Some("POST".into()),
        path: Some("/v1/webhook_endpoints".into()),
        ..Fault::new(FaultKind::ResetAfter)
    };
    let simulator =
        Simulator::start_with(Options { faults: vec![lost], ..Options::default() }).await.expect("a simulator");
    let platform = Platform::new(&simulator.base_url());
    let shop = Shop { simulator, platform };
    let inbox = inbox().await;
    let p = &shop.platform;
    let request = SubscriptionRequest::new(format!("{}/hook", inbox.base()), every(&["customer.created"]));
    let error = refused(p.connector.subscribe(&p.fresh(), request.clone()).await);
    assert_eq!(error.outcome, Outcome::Unknown);
    // Another run, with another id and without any state.
    let made = p.connector.subscribe(&p.fresh(), request).await.expect("subscribed").value;
    assert_eq!(endpoints(&shop).await.len(), 1);
    p.act("customer.create", json!({})).await;
    let delivered = deliveries(&inbox, 1).await.remove(0);
    let receipt = p.connector.receive(&p.call("receive"), Some(&made.state), Vec::new(), delivered).await;
    assert_eq!(receipt.expect("genuine").value.events.len(), 1);
    shop.checked_requests();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing_again_in_the_same_run_after_it_was_ended_delivers() {
    let shop = Shop::open().await;
    let inbox = inbox().await;
    let p = &shop.platform;
    let request = SubscriptionRequest::new(format!("{}/hook", inbox.base()), every(&["customer.created"]));
    let run = p.call("one-run");
    let first = p.connector.subscribe(&run, request.clone()).await.expect("subscribed").value;
    p.connector.unsubscribe(&run, &first.state, None).await.expect("ended");
    let second = p.connector.subscribe(&run, request).await.expect("subscribed").value;
    assert_ne!(first.id, second.id, "the endpoint that was removed is no success");
    p.act("customer.create", json!({})).await;
    let delivered = deliveries(&inbox, 1).await.remove(0);
    let receipt = p.connector.receive(&p.call("receive"), Some(&second.state), Vec::new(), delivered).await;
    assert_eq!(receipt.expect("genuine").value.events.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_at_the_same_time_lose_no_type_and_end_as_one_endpoint() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let (one, other) = (p.fresh(), p.fresh());
    let request = |trigger: &str| SubscriptionRequest::new("https://platform.example/hook", every(&[trigger]));
    let (one, other) = tokio::join!(
        p.connector.subscribe(&one, request("customer.created")),
        p.connector.subscribe(&other, request("invoice.paid")),
    );
    let both = BTreeSet::from(["customer.created", "invoice.paid"]);
    let made = [one.expect("subscribed").value, other.expect("subscribed").value];
    let there = endpoints(&shop).await;
    for made in &made {
        let endpoint = there.iter().find(|e| e["id"] == made.id.as_str()).expect("it is there");
        let types = endpoint["enabled_events"].as_array().expect("types").iter().filter_map(Value::as_str);
        assert_eq!(types.collect::<BTreeSet<_>>(), both);
    }
    let renewed = p.connector.renew(&p.fresh(), &made[1].state).await.expect("renewed").value;
    assert_eq!(renewed.id, made[1].id);
    assert_eq!(endpoints(&shop).await.len(), 1);
    shop.checked_requests();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewing_makes_an_endpoint_anew_that_somebody_deleted() {
    let s = Subscribed::to(&["customer.created"]).await;
    let p = &s.shop.platform;
    let id = endpoints(&s.shop).await[0]["id"].as_str().expect("an id").to_owned();
    http("DELETE", &s.shop.simulator.base_url(), &format!("/v1/webhook_endpoints/{id}"), "").await;
    let renewed = p.connector.renew(&p.fresh(), &s.state).await.expect("renewed").value;
    assert_ne!(renewed.id, id);
    assert!(renewed.extras.iter().any(|e| e.name == "replaces" && e.value == format!("\"{id}\"")), "{renewed:?}");
    p.act("customer.create", json!({})).await;
    let delivered = deliveries(&s.inbox, 1).await.remove(0);
    let receipt = p.connector.receive(&s.call(), Some(&renewed.state), Vec::new(), delivered).await;
    assert_eq!(receipt.expect("genuine").value.events.len(), 1);
}

#[tokio::test]
async fn the_state_of_another_url_or_account_sends_nothing() {
    let s = Subscribed::to(&["customer.created"]).await;
    let p = &s.shop.platform;
    let before = s.shop.checked_requests().len();
    let elsewhere = SubscriptionRequest::new("https://platform.example/other", every(&["invoice.paid"]));
    let elsewhere = elsewhere.with_state(s.state.clone());
    let connected = p.call_with("renew", &[("api_key", KEY), ("account", "acct_1")]);
    for error in [
        refused(p.connector.subscribe(&p.fresh(), elsewhere).await),
        refused(p.connector.renew(&connected, &s.state).await),
        refused(p.connector.renew(&p.fresh(), &SubscriptionState::new("damaged".into())).await),
    ] {
        assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")));
        assert!(!format!("{error:?}").contains("whsec_"));
    }
    assert_eq!(s.shop.checked_requests().len(), before);
}

#[tokio::test]
async fn a_thin_event_is_loaded_with_the_object_that_it_is_about() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let customer = p.act("customer.create", json!({"email": "a@example.com"})).await;
    let listed = http("GET", &shop.simulator.base_url(), "/v2/core/events?types[0]=v1.customer.created", "").await;
    let listed: Value = serde_json::from_str(listed.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    let event = p.connector.load(&p.fresh(), Vec::new(), &listed["data"][0].to_string()).await.expect("loaded").value;
    let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
    assert_eq!((&payload["event"]["id"], &payload["object"]["email"]), (&json!(event.id), &json!("a@example.com")));
    assert!(event.complete);
    assert_eq!(event.record.map(|r| json!(r.id)), Some(customer["id"].clone()));
}

/// The event destinations that the simulator has.
async fn destinations(shop: &Shop) -> Vec<Value> {
    let path = "/v2/core/event_destinations?include[0]=webhook_endpoint.url";
    let listed = http("GET", &shop.simulator.base_url(), path, "").await;
    let listed: Value = serde_json::from_str(listed.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    listed["data"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_as_a_thin_event_is_comes_thin_and_is_held_against_filters_once_it_is_loaded() {
    let s = Subscribed::to(&["v1.customer.created", "invoice.paid"]).await;
    let p = &s.shop.platform;
    let made = destinations(&s.shop).await;
    assert_eq!((made.len(), endpoints(&s.shop).await.len()), (1, 1), "{made:?}");
    assert_eq!(
        (&made[0]["event_payload"], &made[0]["enabled_events"]),
        (&json!("thin"), &json!(["v1.customer.created"]))
    );
    let customer = p.act("customer.create", json!({"email": "a@example.com"})).await;
    let delivered = deliveries(&s.inbox, 1).await.remove(0);
    let of = |customer: &Value| vec![TriggerUse::of("customer.created", json!({"customer": customer}).to_string())];
    let (own, others) = (of(&customer["id"]), of(&json!("cus_other")));
    // What it is about is not there yet, so no filter holds it back.
    let receipt =
        p.connector.receive(&s.call(), Some(&s.state), others.clone(), delivered).await.expect("genuine").value;
    let event = &receipt.events[0];
    assert_eq!((event.complete, event.event_type.as_str()), (false, "v1.customer.created"));
    let load =
        async |uses: Vec<TriggerUse>| p.connector.load(&p.fresh(), uses, &event.payload).await.expect("loaded").value;
    let loaded = load(own).await;
    assert_eq!((loaded.triggers.concat().as_str(), loaded.complete), ("customer.created", true));
    assert_eq!(loaded.record.map(|r| json!(r.id)), Some(customer["id"].clone()));
    assert_eq!(load(others).await.triggers, names(&[]));
    // The endpoint for whole events stays when the one for thin ones goes.
    let ended = p.connector.unsubscribe(&p.fresh(), &s.state, Some(names(&["v1.customer.created"]))).await;
    let left = ended.expect("ended").value;
    assert_eq!((left.event_types, destinations(&s.shop).await.len()), (names(&["invoice.paid"]), 0));
    let none = p.connector.unsubscribe(&p.fresh(), &left.state.expect("a state"), None).await.expect("ended").value;
    assert!(none.state.is_none() && endpoints(&s.shop).await.is_empty());
    s.shop.checked_requests();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_destination_is_shared_mended_and_its_secret_found_again() {
    let s = Subscribed::to(&["v1.customer.created"]).await;
    let p = &s.shop.platform;
    let id = destinations(&s.shop).await[0]["id"].as_str().expect("an id").to_owned();
    let subscribe = async |state: Option<SubscriptionState>, triggers: &[&str]| {
        let mut request = SubscriptionRequest::new(format!("{}/hook", s.inbox.base()), every(triggers));
        if let Some(state) = state {
            request = request.with_state(state);
        }
        p.connector.subscribe(&p.fresh(), request).await.expect("subscribed").value
    };
    // One is enough, and what others want stays. Without the state the secret is asked for again.
    let more = subscribe(None, &["v2.core.account.created"]).await;
    assert_eq!((&more.id, &more.event_types), (&id, &names(&["v1.customer.created", "v2.core.account.created"])));
    // Somebody switches it off, and somebody deletes it.
    let base = s.shop.simulator.base_url();
    http("POST", &base, &format!("/v2/core/event_destinations/{id}/disable"), "").await;
    assert_eq!(destinations(&s.shop).await[0]["status"], "disabled");
    let renewed = p.connector.renew(&p.fresh(), &more.state).await.expect("renewed").value;
    assert_eq!((&renewed.id, &destinations(&s.shop).await[0]["status"]), (&id, &json!("enabled")));
    assert!(renewed.extras.iter().any(|e| e.name == "mended"), "{renewed:?}");
    http("DELETE", &base, &format!("/v2/core/event_destinations/{id}"), "").await;
    let anew = p.connector.renew(&p.fresh(), &renewed.state).await.expect("renewed").value;
    assert_eq!((anew.id != id, &anew.event_types), (true, &more.event_types));
    p.act("customer.create", json!({})).await;
    let delivered = deliveries(&s.inbox, 1).await.remove(0);
    let receipt = p.connector.receive(&s.call(), Some(&anew.state), Vec::new(), delivered).await;
    assert_eq!(receipt.expect("genuine").value.events[0].triggers, names(&["customer.created", "*"]));
    s.shop.checked_requests();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_event_is_delivered_of_every_type_and_types_that_begin_alike_together() {
    let s = Subscribed::to(&["*"]).await;
    let p = &s.shop.platform;
    p.act("product.create", json!({"name": "Gold"})).await;
    p.act("customer.create", json!({})).await;
    let uses = every(&["customer.*", "any event"]);
    let mut seen = Vec::new();
    for request in deliveries(&s.inbox, 2).await {
        let receipt =
            p.connector.receive(&s.call(), Some(&s.state), uses.clone(), request).await.expect("genuine").value;
        seen.extend(receipt.events.into_iter().map(|event| (event.event_type, event.triggers)));
    }
    seen.sort();
    let product = seen.iter().find(|(of, _)| of == "product.created").expect("delivered");
    let customer = seen.iter().find(|(of, _)| of == "customer.created").expect("delivered");
    assert_eq!((&product.1, &customer.1), (&names(&["*"]), &names(&["customer.*", "*"])));
}

#[tokio::test]
async fn recent_events_are_real_ones_newest_first() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, p.act("customer.create", json!({})).await["id"].clone());
    }
    let trigger = every(&["customer.created"]).remove(0);
    let found = p.connector.recent(&p.fresh(), trigger, 2).await.expect("found").value;
    let ids: Vec<Value> = found.events.iter().map(|e| json!(e.record.as_ref().expect("mapped").id)).collect();
    assert_eq!(ids, made[..2]);
    shop.checked_requests();
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
        let request = SubscriptionRequest::new(url, every(&triggers));
        let error = refused(shop.platform.connector.subscribe(&shop.platform.fresh(), request).await);
        assert_eq!(error.kind.clone(), kind, "{url} {triggers:?}");
    }
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn polling_gives_every_event_once_and_in_order() {
    let shop = Arc::new(Shop::open().await);
    let p = &shop.platform;
    let poll = async |cursor: Option<&str>| {
        let triggers = every(&["customer.created", "payment_intent.succeeded"]);
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
    let ids = |events: &[host::contract::Event]| -> Vec<Value> {
        events.iter().map(|e| json!(e.record.as_ref().expect("mapped").id)).collect()
    };
    assert_eq!(ids(&first.events), made);
    assert_eq!(poll(Some(&first.cursor)).await.events.len(), 0);
    // More than a page of them, too.
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
    assert_eq!((got, pages), (more, 1));
    let bad = refused(p.connector.poll(&p.fresh(), every(&["customer.created"]), Some("evt_1")).await);
    assert_eq!((bad.kind, bad.field.as_deref()), (ErrorKind::InvalidInput, Some("cursor")));
    shop.checked_requests();
}

#[tokio::test]
async fn more_events_than_a_page_before_the_first_cursor_are_not_lost() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let start = p.connector.poll(&p.fresh(), every(&["customer.created"]), None).await.expect("polled").value;
    let mut made = Vec::new();
    for number in 0..120 {
        made.push(p.act("customer.create", json!({"name": format!("n{number}")})).await["id"].clone());
    }
    let page =
        p.connector.poll(&p.fresh(), every(&["customer.created"]), Some(&start.cursor)).await.expect("polled").value;
    let ids: Vec<Value> = page.events.iter().map(|e| json!(e.record.as_ref().expect("mapped").id)).collect();
    assert_eq!(ids, made);
}

#[tokio::test]
async fn every_trigger_has_a_sample() {
    let shop = Shop::open().await;
    for trigger in SLICE {
        let event = shop.platform.connector.sample(trigger).await.expect("a sample").value;
        let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
        assert_eq!((event.event_type.as_str(), &payload["type"]), (trigger, &json!(trigger)));
        assert!(event.triggers.iter().any(|matched| matched == trigger), "{:?}", event.triggers);
        assert!(event.record.is_some(), "{trigger}");
    }
    assert_eq!(refused(shop.platform.connector.sample("customer.craeted").await).kind, ErrorKind::UnknownOperation);
    assert!(shop.simulator.requests().is_empty());
}
