//! Resources: their mapping, ids that tell what they belong to, drop-downs.

use std::collections::BTreeMap;

use host::contract::{ChoicePage, ChoiceRequest, ErrorKind};
use serde_json::{Value, json};
use stripe_simulator::{Options, Simulator};

use crate::platform::{Platform, Shop, refused};

/// What a drop-down shows.
async fn shown(platform: &Platform, request: ChoiceRequest) -> (Vec<(String, String)>, ChoicePage) {
    let page = platform.connector.choices(&platform.fresh(), request).await.expect("choices").value;
    let lines = page.choices.iter().map(|c| (c.label.clone(), c.detail.clone().unwrap_or_default())).collect();
    (lines, page)
}

#[tokio::test]
async fn every_resource_has_a_mapping_and_every_operation_a_resource() {
    let platform = Platform::new("http://127.0.0.1:1");
    let resources = platform.connector.list_resources().await.expect("a list").value;
    let customer = resources.iter().find(|r| r.name == "customer").expect("customers");
    assert_eq!(
        (customer.internal.as_str(), customer.id_prefixes.as_slice()),
        ("contact", ["cus_".to_owned()].as_slice())
    );
    assert!(customer.mapping.iter().any(|m| m.internal == "email" && m.external == "email"));
    assert!(customer.operations.contains(&"customer.created".to_owned()) && customer.has_choices);
    for operation in platform.operations().await {
        // The whole API and any event are about all of them.
        let about = &operation.summary.resource;
        assert!(
            operation.summary.id == "*"
                || operation.summary.id.starts_with("api.")
                || resources.iter().any(|r| r.name == *about),
            "{about}"
        );
    }
}

#[tokio::test]
async fn an_id_tells_its_resource() {
    let platform = Platform::new("http://127.0.0.1:1");
    for (id, resource) in [
        ("cus_123", Some("customer")),
        ("price_1", Some("price")),
        ("pi_3", Some("payment_intent")),
        ("cs_test_a1", Some("checkout_session")),
        ("sub_1", Some("subscription")),
        ("cus_", None),
        ("zebra_1", None),
        ("", None),
    ] {
        assert_eq!(
            platform.connector.resolve_resource(id).await.expect("an answer").value.as_deref(),
            resource,
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_drop_down_lists_searches_and_pages() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for name in ["Jenny Rosen", "Jens Müller", "Ada \"the\" First", "Jenna O'Neil"] {
        let made = shop.platform.act("customer.create", json!({"name": name, "email": "x@example.com"})).await;
        ids.push(made["id"].as_str().expect("an id").to_owned());
    }
    let choices = async |search: Option<&str>, cursor: Option<String>, limit| {
        let search = search.map(Into::into);
        let request = ChoiceRequest { search, cursor, limit, ..ChoiceRequest::of("customer") };
        shop.platform.connector.choices(&shop.platform.fresh(), request).await.expect("choices").value
    };
    let labels = |page: &ChoicePage| page.choices.iter().map(|c| c.label.clone()).collect::<Vec<_>>();
    let all = choices(None, None, None).await;
    assert_eq!(all.choices.len(), 4);
    assert_eq!(all.choices[0].detail.as_deref(), Some("x@example.com"));
    let mut found = labels(&choices(Some("jen"), None, None).await);
    found.sort();
    assert_eq!(found, ["Jenna O'Neil", "Jenny Rosen", "Jens Müller"]);
    assert_eq!(labels(&choices(Some("\"the\""), None, None).await), ["Ada \"the\" First"]);
    assert_eq!(choices(Some(&ids[1]), None, None).await.choices[0].value, ids[1]);
    assert!(choices(Some("cus_nobody"), None, None).await.choices.is_empty());
    let first = choices(None, None, Some(3)).await;
    let second = choices(None, first.next_cursor.clone(), Some(3)).await;
    assert_eq!((first.choices.len(), second.choices.len(), second.next_cursor), (3, 1, None));
    shop.checked_requests();
}

#[tokio::test]
async fn what_cannot_be_listed_says_so() {
    let shop = Shop::open().await;
    let choices = async |resource: &str, limit| {
        let request = ChoiceRequest { limit, ..ChoiceRequest::of(resource) };
        refused(shop.platform.connector.choices(&shop.platform.fresh(), request).await)
    };
    assert_eq!(choices("custmer", None).await.kind, ErrorKind::UnknownOperation);
    assert!(choices("custmer", None).await.hint.is_some_and(|h| h.contains("customer")));
    assert_eq!(choices("balance", None).await.field.as_deref(), Some("resource"));
    assert_eq!(choices("customer", Some(101)).await.field.as_deref(), Some("limit"));
    assert!(shop.simulator.requests().is_empty());
}

#[tokio::test]
async fn prices_and_subscriptions_are_told_by_what_they_cost_of_what_and_whose() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let price = async |product: &str, amount: u32, count: Option<u32>| {
        let product = p.act("product.create", json!({"name": product})).await["id"].clone();
        let mut input = json!({"product": product, "unit_amount": amount, "currency": "usd"});
        if let Some(count) = count {
            input["recurring"] = json!({"interval": "month", "interval_count": count});
        }
        p.act("price.create", input).await["id"].clone()
    };
    price("Mug", 900, None).await;
    price("Basic", 1200, Some(3)).await;
    let pro = price("Pro", 1200, Some(1)).await;
    let line = |label: &str, detail: &str| (label.to_owned(), detail.to_owned());
    let prices = || ChoiceRequest::of("price");
    let (all, _) = shown(p, prices()).await;
    assert_eq!(all[0], line("12.00 USD a month", "Pro"));
    assert_eq!(all[1], line("12.00 USD every 3 months", "Basic"));
    assert_eq!(all[2], line("9.00 USD", "Mug"));
    // Narrowed by the product's name, and gone on with.
    let (found, page) = shown(p, ChoiceRequest { search: Some("pro".into()), ..prices() }).await;
    assert_eq!(
        (found, page.choices[0].value.as_str()),
        (vec![line("12.00 USD a month", "Pro")], pro.as_str().unwrap())
    );
    let (first, page) = shown(p, ChoiceRequest { limit: Some(2), ..prices() }).await;
    let (rest, last) = shown(p, ChoiceRequest { limit: Some(2), cursor: page.next_cursor, ..prices() }).await;
    assert_eq!((first.len(), rest, last.next_cursor), (2, vec![line("9.00 USD", "Mug")], None));
    let pasted = ChoiceRequest { search: Some(pro.as_str().unwrap().into()), ..prices() };
    assert_eq!(shown(p, pasted).await.0, [line("12.00 USD a month", "Pro")]);

    let customer = json!({"name": "Ada Lovelace", "email": "ada@example.com", "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"}});
    let customer = p.act("customer.create", customer).await["id"].clone();
    assert_eq!(shown(p, ChoiceRequest::of("customer")).await.0, [line("Ada Lovelace", "ada@example.com")]);
    p.act("subscription.create", json!({"customer": customer, "items": [{"price": pro}]})).await;
    let subscriptions = shown(p, ChoiceRequest::of("subscription")).await.0;
    assert_eq!(subscriptions, [line("Ada Lovelace", "12.00 USD a month · active")]);
    shop.checked_requests();
}

/// In a shop with everything in it, nothing is listed by its id alone unless it has nothing else.
#[tokio::test]
async fn every_drop_down_shows_what_a_person_would_know_it_by() {
    let simulator = Simulator::start_with(Options { demo: true, seed: Some(1), ..Options::default() }).await;
    let simulator = simulator.expect("a simulator");
    let platform = Platform::new(&simulator.base_url());
    let mut bare: BTreeMap<String, Value> = BTreeMap::new();
    let mut listed = 0;
    for resource in platform.connector.list_resources().await.expect("a list").value {
        let request = ChoiceRequest { limit: Some(100), ..ChoiceRequest::of(&resource.name) };
        let Ok(page) = platform.connector.choices(&platform.fresh(), request).await else { continue };
        listed += usize::from(!page.value.choices.is_empty());
        for choice in page.value.choices {
            if choice.label == choice.value && choice.detail.is_none() {
                bare.insert(resource.name.clone(), json!(choice.value));
            }
        }
    }
    assert!(bare.is_empty(), "{bare:?}");
    assert!(listed >= 12, "{listed}");
}
