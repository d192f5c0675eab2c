//! Tax ids: their form, their country, and what registers say of the values for tests.

use std::time::Duration;

use crate::stripe::{Stripe, until};
use serde_json::json;
use stripe_simulator::Options;

#[tokio::test]
async fn a_customer_has_tax_ids() {
    let stripe = Stripe::start().await;
    let form = [
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
        ("tax_id_data[1][type]", "us_ein"),
        ("tax_id_data[1][value]", "12-3456789"),
        ("expand[]", "tax_ids"),
    ];
    let customer = stripe.make("/v1/customers", &form).await;
    let known = customer.body["tax_ids"]["data"].as_array().unwrap();
    assert_eq!(known.iter().map(|t| &t["country"]).collect::<Vec<_>>(), ["US", "DE"]);
    assert_eq!(known[0]["verification"]["status"], "unavailable");
    assert_eq!(known[1]["verification"]["status"], "pending");
    assert_eq!(known[1]["owner"]["customer"], customer.id());
    let path = format!("/v1/customers/{}/tax_ids", customer.id());
    let added = stripe.make(&path, &[("type", "ch_vat"), ("value", "CHE-123.456.789 MWST")]).await;
    assert_eq!(stripe.get(&path, &[]).await.ids().len(), 3);
    let one = format!("{path}/{}", added.id());
    assert_eq!(stripe.get(&one, &[]).await.body, added.body);
    let other = stripe.make("/v1/customers", &[]).await.id();
    assert_eq!(stripe.get(&format!("/v1/customers/{other}/tax_ids/{}", added.id()), &[]).await.status, 404);
    let deleted = stripe.delete(&one).await;
    assert_eq!(deleted.body, json!({"id": added.id(), "object": "tax_id", "deleted": true}));
    assert_eq!(stripe.get(&one, &[]).await.status, 404);
    let events = stripe.events().await;
    let told: Vec<_> = events.iter().filter(|e| e.starts_with("customer.tax_id.")).collect();
    let created = "customer.tax_id.created";
    assert_eq!(told, [created, created, created, "customer.tax_id.deleted"]);
    let invoice = stripe.make("/v1/invoices", &[("customer", &customer.id())]).await;
    assert_eq!(invoice.body["customer_tax_ids"][0], json!({"type": "eu_vat", "value": "DE123456789"}));
}

#[tokio::test]
async fn a_malformed_value_is_refused_and_changes_nothing() {
    let stripe = Stripe::start().await;
    let form = [("tax_id_data[0][type]", "eu_vat"), ("tax_id_data[0][value]", "DE1")];
    let refused = stripe.post("/v1/customers", &form).await;
    assert_eq!((refused.status, &refused.error()["code"]), (400, &"tax_id_invalid".into()), "{}", refused.text);
    assert_eq!(refused.error()["message"], "Invalid value for eu_vat.");
    assert!(stripe.get("/v1/customers", &[]).await.ids().is_empty());
    let refused = stripe.post("/v1/tax_ids", &[("type", "us_ein"), ("value", "1")]).await;
    assert_eq!((&refused.error()["code"], &refused.error()["param"]), (&"tax_id_invalid".into(), &"value".into()));
    let unknown = stripe.post("/v1/tax_ids", &[("type", "xx_vat"), ("value", "1")]).await;
    assert_eq!(unknown.error()["param"], "type");
}

#[tokio::test]
async fn the_account_has_tax_ids_of_its_own() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let own = stripe.make("/v1/tax_ids", &[("type", "gb_vat"), ("value", "GB123456789")]).await;
    assert_eq!((&own.body["owner"]["type"], &own.body["customer"]), (&"self".into(), &json!(null)));
    let form =
        [("type", "gb_vat"), ("value", "GB123456789"), ("owner[type]", "customer"), ("owner[customer]", &customer)];
    let theirs = stripe.make("/v1/tax_ids", &form).await;
    assert_eq!(stripe.get("/v1/tax_ids", &[]).await.ids(), [own.id()]);
    let owner = [("owner[type]", "customer"), ("owner[customer]", customer.as_str())];
    assert_eq!(stripe.get("/v1/tax_ids", &owner).await.ids(), [theirs.id()]);
    assert_eq!(stripe.delete(&format!("/v1/tax_ids/{}", own.id())).await.body["deleted"], true);
    assert!(stripe.get("/v1/tax_ids", &[]).await.ids().is_empty());
}

#[tokio::test]
async fn registers_answer_for_the_values_of_tests() {
    let day = Duration::from_millis(20);
    let stripe = Stripe::start_with(Options { banking_day: day, ..Options::default() }).await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let path = format!("/v1/customers/{customer}/tax_ids");
    let mut made = Vec::new();
    for (kind, value) in [("eu_vat", "222222222"), ("eu_vat", "000000000"), ("au_abn", "111111111")] {
        let tax_id = stripe.make(&path, &[("type", kind), ("value", value)]).await;
        assert_eq!(tax_id.body["verification"]["status"], "pending");
        made.push(tax_id.id());
    }
    let status = async |id: &String| stripe.get(&format!("{path}/{id}"), &[]).await.body["verification"].clone();
    let last = until("the last answer", async || {
        let verification = status(&made[2]).await;
        (verification["status"] != "pending").then_some(verification)
    })
    .await;
    assert_eq!(last["status"], "unverified");
    let verified = status(&made[1]).await;
    assert_eq!(verified["status"], "verified");
    assert!(verified["verified_name"].is_string());
    assert_eq!(status(&made[0]).await["status"], "pending");
    let updates = stripe.get("/v1/events", &[("type", "customer.tax_id.updated")]).await;
    assert_eq!(updates.ids().len(), 2);
    assert_eq!(updates.body["data"][0]["data"]["previous_attributes"]["verification"]["status"], "pending");
}
