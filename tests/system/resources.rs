//! Resources: their mapping, ids that tell what they belong to, drop-downs.

use host::contract::{ChoiceRequest, ErrorKind};
use serde_json::json;

use crate::platform::{Platform, Shop, refused};

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
        // The whole API is about all of them.
        let about = &operation.summary.resource;
        assert!(operation.summary.id.starts_with("api.") || resources.iter().any(|r| r.name == *about), "{about}");
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
    let labels = |page: &host::contract::ChoicePage| page.choices.iter().map(|c| c.label.clone()).collect::<Vec<_>>();
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
