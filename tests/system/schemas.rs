//! The catalogue describes itself truly: schemas are valid, samples fit them, real answers fit them.

use host::contract::{DescribeRequest, OperationFilter, OperationKind};
use serde_json::{Value, json};

use crate::platform::{Platform, Shop};

fn validator(schema: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "a valid schema: {schema}");
    assert_eq!(schema["type"], "object", "agent APIs take nothing else at the root");
    for keyword in ["oneOf", "anyOf", "allOf", "not", "$ref"] {
        assert!(schema.get(keyword).is_none(), "{keyword} at the root, which agent APIs refuse");
    }
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn fits(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let problems: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(problems.is_empty(), "{what}: {problems:?}");
}

#[tokio::test]
async fn samples_fit_the_schemas_of_every_operation() {
    let platform = Platform::new("http://127.0.0.1:1");
    for operation in platform.operations().await {
        let id = &operation.summary.id;
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        fits(&validator(&operation.input_schema), &parse(&operation.sample_input), &format!("input of {id}"));
        fits(&validator(&operation.output_schema), &parse(&operation.sample_output), &format!("output of {id}"));
    }
}

#[tokio::test]
async fn what_the_check_refuses_the_schema_refuses() {
    let platform = Platform::new("http://127.0.0.1:1");
    let operation = platform
        .connector
        .describe_operation(DescribeRequest::full("payment_intent.create"))
        .await
        .expect("described")
        .value;
    let schema = validator(&operation.input_schema);
    for good in [
        json!({"amount": 1099, "currency": "usd"}),
        json!({"amount_major": "10.99", "currency": "usd"}),
        json!({"amount": {"decimal": "10.99", "currency": "usd"}, "currency": "usd"}),
        json!({"amount": 1, "currency": "JPY", "metadata": {"order": ""}}),
    ] {
        assert!(schema.is_valid(&good), "{good}");
    }
    // That exactly one is given stands beside the schema: a union at its root would be refused by agent APIs.
    let described: Value = serde_json::from_str(&operation.input_schema).expect("JSON");
    assert_eq!(described["x-one-of"], json!([["amount", "amount_major"]]));
    for bad in [json!({"currency": "usd"}), json!({"amount": 1, "amount_major": "1", "currency": "usd"})] {
        platform.refused("payment_intent.create", &bad.to_string()).await;
    }
    for bad in [
        json!({"amount": 0, "currency": "usd"}),
        json!({"amount": 1.5, "currency": "usd"}),
        json!({"amount": {"decimal": "10.99"}, "currency": "usd"}),
        json!({"amount": 1, "currency": "dollar"}),
        json!({"amount": 1, "currency": "usd", "colour": "red"}),
        json!({"amount": 1, "currency": "usd", "metadata": {"k": "v".repeat(501)}}),
    ] {
        assert!(!schema.is_valid(&bad), "{bad}");
        platform.refused("payment_intent.create", &bad.to_string()).await;
    }
}

#[tokio::test]
async fn fields_to_show_come_in_order_and_name_what_they_pick() {
    let platform = Platform::new("http://127.0.0.1:1");
    let operation = platform
        .connector
        .describe_operation(DescribeRequest::full("payment_intent.create"))
        .await
        .expect("described")
        .value;
    let schema: Value = serde_json::from_str(&operation.input_schema).expect("JSON");
    let properties = schema["properties"].as_object().expect("properties");
    let mut shown: Vec<(u64, &str)> =
        properties.iter().filter_map(|(n, s)| Some((s["x-order"].as_u64()?, n.as_str()))).collect();
    shown.sort_unstable();
    let shown: Vec<&str> = shown.into_iter().map(|(_, n)| n).collect();
    assert_eq!(shown[..3], ["amount", "amount_major", "currency"]);
    assert_eq!(properties["customer"]["x-choices"], "customer");
    assert!(properties.contains_key("transfer_data"), "every parameter of the API is there, shown or not");
}

#[tokio::test]
async fn real_answers_fit_the_output_schemas() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let customer = p
        .act(
            "customer.create",
            json!({"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}),
        )
        .await;
    let price = p.act("price.create", json!({"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}})).await;
    let payment = p.act("payment_intent.create", json!({"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true, "return_url": "https://example.com"})).await;
    let subscription =
        p.act("subscription.create", json!({"customer": customer["id"], "items": [{"price": price["id"]}]})).await;
    let expanded = p
        .ask(
            "payment_intent.retrieve",
            json!({"payment_intent": payment["id"], "expand": ["latest_charge", "payment_method"]}),
        )
        .await;
    assert!(expanded["latest_charge"].is_object());
    for (operation, answer) in [
        ("customer.create", customer),
        ("price.create", price),
        ("payment_intent.create", payment.clone()),
        ("payment_intent.retrieve", expanded),
        ("subscription.create", subscription),
        ("refund.create", p.act("refund.create", json!({"payment_intent": payment["id"]})).await),
        ("customer.list", p.ask("customer.list", json!({})).await),
        ("balance.retrieve", p.ask("balance.retrieve", json!({})).await),
        ("subscription.list", p.ask("subscription.list", json!({})).await),
    ] {
        let described =
            p.connector.describe_operation(DescribeRequest::full(operation)).await.expect("described").value;
        fits(&validator(&described.output_schema), &answer, operation);
    }
    shop.checked_requests();
}

#[tokio::test]
async fn operations_are_found_by_words_and_hints_tell_what_they_do() {
    let platform = Platform::new("http://127.0.0.1:1");
    let list = async |kind, resource: Option<&str>, search: Option<&str>| {
        let (resource, search) = (resource.map(Into::into), search.map(Into::into));
        let filter = OperationFilter { kind, resource, search, all: false };
        platform.connector.all_operations(filter).await.expect("a list")
    };
    let ids = |found: &[host::contract::OperationSummary]| found.iter().map(|o| o.id.clone()).collect::<Vec<_>>();
    let all = list(None, None, None).await;
    for kind in [OperationKind::Action, OperationKind::Query, OperationKind::Trigger] {
        let of_the_kind: Vec<_> = all.iter().filter(|o| o.kind == kind).cloned().collect();
        assert!(!of_the_kind.is_empty());
        assert_eq!(ids(&list(Some(kind), None, None).await), ids(&of_the_kind));
    }
    assert_eq!(ids(&list(None, None, Some("refund payment")).await)[0], "refund.create");
    assert_eq!(ids(&list(Some(OperationKind::Action), None, Some("CREATE customer")).await)[0], "customer.create");
    assert!(list(None, None, Some("zebra")).await.is_empty());
    let about = list(None, Some("subscription"), None).await;
    let subscriptions: Vec<_> = all.iter().filter(|o| o.resource == "subscription").cloned().collect();
    assert!(ids(&about) == ids(&subscriptions) && about.len() >= 4);
    for operation in all {
        let h = operation.hints;
        assert_eq!(h.read_only, operation.kind != OperationKind::Action, "{}", operation.id);
        assert!(!(h.read_only && (h.moves_money || h.destructive)), "{}", operation.id);
    }
    let hints = async |id: &str| {
        platform.connector.describe_operation(DescribeRequest::full(id)).await.expect("described").value.summary.hints
    };
    assert!(hints("refund.create").await.moves_money);
    assert!(hints("subscription.cancel").await.destructive);
    assert!(!hints("customer.create").await.moves_money);
}
