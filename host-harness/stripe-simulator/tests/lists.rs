//! Lists, search and expansion.

use crate::stripe::Stripe;
use serde_json::{Value, json};

async fn customers(stripe: &Stripe, count: usize) -> Vec<String> {
    let mut made = Vec::new();
    for number in 0..count {
        let text = number.to_string();
        made.push(stripe.make("/v1/customers", &[("name", &text), ("email", "l@example.com")]).await.id());
    }
    made.reverse();
    made
}

#[tokio::test]
async fn lists_are_newest_first_ten_at_a_time() {
    let stripe = Stripe::start().await;
    let newest = customers(&stripe, 12).await;
    let page = stripe.get("/v1/customers", &[]).await;
    assert_eq!(page.ids(), newest[..10]);
    assert_eq!((&page.body["has_more"], &page.body["url"]), (&json!(true), &json!("/v1/customers")));
    let all = stripe.get("/v1/customers", &[("limit", "100")]).await;
    assert_eq!((all.ids().len(), &all.body["has_more"]), (12, &json!(false)));
    for limit in ["0", "101", "-1"] {
        assert_eq!(stripe.get("/v1/customers", &[("limit", limit)]).await.error()["param"], "limit");
    }
}

#[tokio::test]
async fn cursors_go_both_ways() {
    let stripe = Stripe::start().await;
    let newest = customers(&stripe, 12).await;
    let after = stripe.get("/v1/customers", &[("starting_after", &newest[4]), ("limit", "3")]).await;
    assert_eq!((after.ids(), &after.body["has_more"]), (newest[5..8].to_vec(), &json!(true)));
    let end = stripe.get("/v1/customers", &[("starting_after", &newest[9]), ("limit", "3")]).await;
    assert_eq!((end.ids(), &end.body["has_more"]), (newest[10..].to_vec(), &json!(false)));
    let before = stripe.get("/v1/customers", &[("ending_before", &newest[8]), ("limit", "3")]).await;
    assert_eq!((before.ids(), &before.body["has_more"]), (newest[5..8].to_vec(), &json!(true)));
    let start = stripe.get("/v1/customers", &[("ending_before", &newest[2]), ("limit", "3")]).await;
    assert_eq!((start.ids(), &start.body["has_more"]), (newest[..2].to_vec(), &json!(false)));
    let both = [("ending_before", newest[2].as_str()), ("starting_after", &newest[5])];
    assert_eq!(stripe.get("/v1/customers", &both).await.error()["code"], "parameters_exclusive");
    let unknown = stripe.get("/v1/customers", &[("starting_after", "cus_none")]).await;
    assert_eq!((unknown.status, &unknown.error()["param"]), (400, &json!("starting_after")));
}

#[tokio::test]
async fn a_deleted_object_is_in_no_list_and_still_a_cursor() {
    let stripe = Stripe::start().await;
    let newest = customers(&stripe, 4).await;
    stripe.delete(&format!("/v1/customers/{}", newest[1])).await;
    assert_eq!(stripe.get("/v1/customers", &[]).await.ids(), [&*newest[0], &newest[2], &newest[3]]);
    assert_eq!(stripe.get("/v1/customers", &[("starting_after", &newest[1])]).await.ids(), newest[2..]);
}

#[tokio::test]
async fn lists_are_filtered() {
    let stripe = Stripe::start().await;
    let made = customers(&stripe, 2).await;
    stripe.make("/v1/customers", &[("email", "other@example.com")]).await;
    assert_eq!(stripe.get("/v1/customers", &[("email", "l@example.com")]).await.ids(), made);
    let created = stripe.get(&format!("/v1/customers/{}", made[0]), &[]).await.body["created"].as_i64().unwrap();
    let (past, future) = ((created - 100).to_string(), (created + 100).to_string());
    assert_eq!(stripe.get("/v1/customers", &[("created[gte]", &past)]).await.ids().len(), 3);
    assert_eq!(stripe.get("/v1/customers", &[("created[gt]", &future)]).await.ids().len(), 0);
    assert_eq!(stripe.get("/v1/customers", &[("created", &past)]).await.ids().len(), 0);
    stripe.make("/v1/products", &[("name", "on")]).await;
    let off = stripe.make("/v1/products", &[("name", "off"), ("active", "false")]).await.id();
    assert_eq!(stripe.get("/v1/products", &[("active", "false")]).await.ids(), [off.as_str()]);
    assert_eq!(stripe.get("/v1/products", &[("ids[]", &off)]).await.ids(), [off.as_str()]);
}

#[tokio::test]
async fn events_are_listed_by_type_and_cursor() {
    let stripe = Stripe::start().await;
    customers(&stripe, 3).await;
    stripe.make("/v1/products", &[("name", "p")]).await;
    let created = stripe.get("/v1/events", &[("type", "customer.created")]).await;
    assert_eq!(created.ids().len(), 3);
    assert_eq!(stripe.get("/v1/events", &[("type", "customer.*")]).await.ids().len(), 3);
    let types = [("types[]", "customer.created"), ("types[]", "product.created"), ("limit", "2")];
    let page = stripe.get("/v1/events", &types).await;
    assert_eq!(page.types(), ["product.created", "customer.created"]);
    assert_eq!(page.body["has_more"], true);
    let ids = created.ids();
    let newer = stripe.get("/v1/events", &[("ending_before", &ids[1]), ("type", "customer.created")]).await;
    assert_eq!(newer.ids(), ids[..1]);
    let older = stripe.get("/v1/events", &[("starting_after", &ids[1])]).await;
    assert_eq!(older.ids(), ids[2..]);
    let event = stripe.get(&format!("/v1/events/{}", ids[0]), &[]).await;
    assert_eq!(event.body["data"]["object"]["name"], "2");
    assert!(event.body["request"]["id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(stripe.get("/v1/events/evt_none", &[]).await.status, 404);
    let many: Vec<(&str, &str)> = vec![("types[]", "customer.created"); 21];
    assert_eq!(stripe.get("/v1/events", &many).await.status, 400);
}

#[tokio::test]
async fn search_finds_and_pages() {
    let stripe = Stripe::start().await;
    for number in 0..5 {
        let text = number.to_string();
        stripe.make("/v1/customers", &[("name", "Find Me"), ("metadata[n]", &text)]).await;
    }
    stripe.make("/v1/customers", &[("name", "Another")]).await;
    let search = async |query: &str| stripe.get("/v1/customers/search", &[("query", query)]).await;
    assert_eq!(search("name:\"find me\"").await.ids().len(), 5);
    assert_eq!(search("name~'find' AND -metadata['n']:'3'").await.ids().len(), 4);
    assert_eq!(search("metadata['n']:'1' OR metadata['n']:'2'").await.ids().len(), 2);
    assert_eq!(search("metadata['n']:null").await.ids().len(), 1);
    assert_eq!(search("created>0").await.ids().len(), 6);
    for wrong in ["colour:\"red\"", "name:", "name:'a' AND name:'b' OR name:'c'", "name~'ab'", "metadata:'x'"] {
        let answer = search(wrong).await;
        assert_eq!((answer.status, &answer.error()["param"]), (400, &json!("query")), "{wrong}");
    }
    let query = ("query", "name:'find me'");
    let first = stripe.get("/v1/customers/search", &[query, ("limit", "3")]).await;
    assert_eq!((first.ids().len(), &first.body["has_more"]), (3, &json!(true)));
    let page = first.body["next_page"].as_str().unwrap();
    let rest = stripe.get("/v1/customers/search", &[query, ("limit", "3"), ("page", page)]).await;
    assert_eq!((rest.ids().len(), &rest.body["next_page"]), (2, &Value::Null));
    let counted = stripe.get("/v1/customers/search", &[query, ("limit", "1"), ("expand[]", "total_count")]).await;
    assert_eq!(counted.body["total_count"], 5);
    assert_eq!(first.body.get("total_count"), None);
    assert_eq!(stripe.get("/v1/customers/search", &[query, ("page", "?")]).await.status, 400);
    let form = [("amount", "700"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    stripe.make("/v1/payment_intents", &form).await;
    let form = [("query", "amount>=700 AND status:'succeeded'"), ("expand[]", "data.latest_charge")];
    let found = stripe.get("/v1/payment_intents/search", &form).await;
    assert_eq!(found.body["data"][0]["latest_charge"]["amount"], 700);
}

#[tokio::test]
async fn answers_are_expanded_four_levels_deep() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("900").await;
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("expand[]", "items.data.price.product"),
        ("expand[]", "customer.invoice_settings.default_payment_method"),
        ("expand[]", "latest_invoice.payments"),
    ];
    let made = stripe.make("/v1/subscriptions", &form).await;
    assert_eq!(made.body["items"]["data"][0]["price"]["product"]["name"], "Club");
    assert_eq!(made.body["customer"]["invoice_settings"]["default_payment_method"]["type"], "card");
    let charges = stripe.get("/v1/charges", &[("expand[]", "data.payment_intent.customer")]).await;
    assert_eq!(charges.body["data"][0]["payment_intent"]["customer"]["id"], customer.as_str());
    let subscriptions = [("expand[]", "subscriptions")];
    let shown = stripe.get(&format!("/v1/customers/{customer}"), &subscriptions).await;
    assert_eq!(shown.body["subscriptions"]["data"][0]["id"], made.body["id"]);
    let deep = "data.payment_intent.customer.default_source.customer";
    let refused = stripe.get("/v1/charges", &[("expand[]", deep)]).await;
    assert!(refused.error()["message"].as_str().unwrap().contains("4 levels"));
    for wrong in ["payment_intent", "data.nothing", "data.amount"] {
        let answer = stripe.get("/v1/charges", &[("expand[]", wrong)]).await;
        let message = format!("This property cannot be expanded ({wrong}).");
        assert_eq!(answer.error()["message"], message);
    }
    let kept = stripe.get(&format!("/v1/subscriptions/{}", made.id()), &[]).await;
    assert_eq!(kept.body["customer"], customer.as_str(), "expansion changes nothing");
}

#[tokio::test]
async fn an_id_that_is_given_again_is_the_newest() {
    let stripe = Stripe::start().await;
    let coupon =
        async |id: &str| stripe.make("/v1/coupons", &[("id", id), ("percent_off", "5"), ("duration", "once")]).await;
    for id in ["A", "B", "C"] {
        coupon(id).await;
    }
    stripe.delete("/v1/coupons/A").await;
    assert_eq!(stripe.get("/v1/coupons", &[]).await.ids(), ["C", "B"]);
    assert_eq!(stripe.get("/v1/coupons/A", &[]).await.status, 404);
    coupon("A").await;
    assert_eq!(stripe.get("/v1/coupons", &[]).await.ids(), ["A", "C", "B"]);
    assert_eq!(stripe.get("/v1/coupons", &[("starting_after", "A")]).await.ids(), ["C", "B"]);
}
