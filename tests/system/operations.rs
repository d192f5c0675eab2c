//! Every operation of the catalogue against the simulator: what it sends, what comes back, what it becomes.

use host::contract::{Access, DescribeRequest, Environment, ErrorKind, Mode, Outcome};
use host::{Call, Invocation};
use serde_json::{Value, json};
use stripe_simulator::conformance;

use crate::platform::{Platform, Shop, refused};

#[tokio::test]
async fn the_slice_from_customer_to_refund() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let customer = p
        .act(
            "customer.create",
            json!({"email": "jenny@example.com", "name": "Zoë 株式会社 😀", "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"}, "metadata": {"order id": "a&b=c"}}),
        )
        .await;
    assert_eq!(customer["name"], "Zoë 株式会社 😀");
    assert_eq!(customer["metadata"]["order id"], "a&b=c");
    let product = p.act("product.create", json!({"name": "Gold plan"})).await;
    let price = p
        .act("price.create", json!({"product": product["id"], "currency": "usd", "unit_amount_major": "15.00", "recurring": {"interval": "month"}}))
        .await;
    assert_eq!(price["unit_amount"], 1500);
    let subscription =
        p.act("subscription.create", json!({"customer": customer["id"], "items": [{"price": price["id"]}]})).await;
    assert_eq!(subscription["status"], "active");
    let ending = p.act("subscription.cancel", json!({"subscription": subscription["id"], "at_period_end": true})).await;
    assert_eq!((&ending["status"], &ending["cancel_at_period_end"]), (&json!("active"), &json!(true)));

    let payment = p
        .act(
            "payment_intent.create",
            json!({"amount": 1099, "currency": "usd", "customer": customer["id"], "payment_method": "pm_card_visa"}),
        )
        .await;
    assert_eq!(payment["status"], "requires_confirmation");
    let confirmed = p
        .act("payment_intent.confirm", json!({"payment_intent": payment["id"], "return_url": "https://example.com"}))
        .await;
    assert_eq!(confirmed["status"], "succeeded");
    let refund = p.act("refund.create", json!({"payment_intent": payment["id"], "amount": 500})).await;
    assert_eq!((&refund["amount"], &refund["status"]), (&json!(500), &json!("succeeded")));
    let rest = p.act("refund.create", json!({"charge": confirmed["latest_charge"]})).await;
    assert_eq!(rest["amount"], 599);
    let error = p.refused("refund.create", &json!({"payment_intent": payment["id"]}).to_string()).await;
    assert_eq!((error.code.as_deref(), error.outcome), (Some("charge_already_refunded"), Outcome::Rejected));

    let session = p.act("checkout_session.create", json!({"line_items": [{"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "T-shirt"}}, "quantity": 1}]})).await;
    assert!(session["url"].is_string(), "{session}");
    assert_eq!(session["mode"], "payment");

    let found = p.ask("customer.retrieve", json!({"customer": customer["id"]})).await;
    assert_eq!(found["id"], customer["id"]);
    assert_eq!(
        p.ask("customer.list", json!({"email": "jenny@example.com"})).await["data"].as_array().expect("a list").len(),
        1
    );
    assert_eq!(
        p.ask("payment_intent.retrieve", json!({"payment_intent": payment["id"]})).await["amount_received"],
        1099
    );
    assert_eq!(
        p.ask("subscription.list", json!({"customer": customer["id"]})).await["data"][0]["id"],
        subscription["id"]
    );
    assert_eq!(p.ask("balance.retrieve", json!({})).await["object"], "balance");
    for object in [&customer, &product, &price, &subscription, &payment, &confirmed, &refund, &session] {
        conformance::check_object(object).expect("of its schema");
    }
    let requests = shop.checked_requests();
    assert!(requests.len() > 15);
}

#[tokio::test]
async fn results_say_how_they_came_about_and_what_they_are_here() {
    let shop = Shop::open().await;
    let call = shop.platform.fresh();
    let done = shop
        .platform
        .connector
        .run_action(&call, "payment_intent.create", r#"{"amount":1099,"currency":"USD"}"#)
        .await
        .expect("done");
    let metadata = &done.value.metadata;
    assert!(metadata.idempotency_key.as_deref().is_some_and(|k| k.starts_with("payment_intents-")));
    assert!(metadata.request_id.as_deref().is_some_and(|r| r.starts_with("req_")));
    assert_eq!((metadata.replayed, metadata.attempts, metadata.mode), (false, 1, Mode::Test));
    assert_eq!(metadata.api_version, stripe_facts::Facts::bundled().api_version);
    let record = done.value.record.expect("mapped");
    assert_eq!((record.resource.as_str(), record.internal.as_str()), ("payment_intent", "payment"));
    let fields: Value = serde_json::from_str(&record.fields).expect("JSON");
    assert_eq!(fields["amount"], json!({"minor": 1099, "currency": "usd", "decimal": "10.99", "display": "10.99 USD"}));
    assert_eq!(record.url, Some(format!("https://dashboard.stripe.com/test/payments/{}", record.id)));
}

#[tokio::test]
async fn lists_are_paged_in_both_directions() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(shop.platform.act("customer.create", json!({"name": format!("n{number}")})).await["id"].clone());
    }
    let pages = async |input: Value| {
        let (mut ids, mut cursor): (Vec<Vec<Value>>, Option<String>) = (Vec::new(), None);
        loop {
            let call = shop.platform.fresh();
            let page =
                shop.platform.connector.run_query(&call, "customer.list", &input.to_string(), cursor.as_deref()).await;
            let page = page.expect("a page").value;
            let output: Value = serde_json::from_str(&page.output).expect("JSON");
            ids.push(output["data"].as_array().expect("data").iter().map(|c| c["id"].clone()).collect());
            assert_eq!(page.records.len(), ids.last().expect("a page").len());
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return ids,
            }
        }
    };
    let newest_first: Vec<Value> = made.iter().rev().cloned().collect();
    assert_eq!(pages(json!({"limit": 3})).await.concat(), newest_first);
    let mut backwards = pages(json!({"limit": 2, "ending_before": made[0]})).await;
    backwards.reverse();
    assert_eq!(backwards.concat(), newest_first[..6]);
    shop.checked_requests();
}

#[tokio::test]
async fn a_query_of_one_object_has_no_cursor() {
    let shop = Shop::open().await;
    let call = shop.platform.fresh();
    let error = refused(shop.platform.connector.run_query(&call, "balance.retrieve", "{}", Some("cus_1")).await);
    assert_eq!((error.kind.clone(), error.field.as_deref()), (ErrorKind::InvalidInput, Some("cursor")));
}

#[tokio::test]
async fn a_missing_object_says_which_field_named_it() {
    let shop = Shop::open().await;
    let error = refused(
        shop.platform
            .connector
            .run_query(&shop.platform.fresh(), "customer.retrieve", r#"{"customer":"cus_nope"}"#, None)
            .await,
    );
    assert_eq!((error.kind.clone(), error.http_status), (ErrorKind::NotFound, Some(404)));
    let error = shop
        .platform
        .refused("subscription.create", r#"{"customer":"cus_nope","items":[{"price":"price_nope"}]}"#)
        .await;
    assert_eq!((error.kind.clone(), error.http_status), (ErrorKind::NotFound, Some(400)), "{error:?}");
    assert!(error.field.as_deref().is_some_and(|f| f == "customer" || f == "items[0].price"), "{error:?}");
}

#[tokio::test]
async fn a_connected_account_is_acted_for_and_its_data_is_apart() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let own = p.act("customer.create", json!({})).await;
    let fields = [("api_key", crate::platform::KEY), ("account", "acct_1Connected")];
    let call = p.call_with("for-another", &fields);
    let done = p.connector.run_action(&call, "customer.create", "{}").await.expect("created").value;
    assert_eq!(done.metadata.account.as_deref(), Some("acct_1Connected"));
    let input = json!({"customer": own["id"]}).to_string();
    let error = refused(p.connector.run_query(&p.call_with("look", &fields), "customer.retrieve", &input, None).await);
    assert_eq!(error.kind.clone(), ErrorKind::NotFound);
    assert_eq!(shop.checked_requests()[1].header("stripe-account"), Some("acct_1Connected"));
}

#[tokio::test]
async fn the_connection_test_tells_mode_account_and_permissions() {
    let shop = Shop::open().await;
    let report = shop.platform.connector.test_connection(&shop.platform.fresh()).await.expect("connected").value;
    assert_eq!((report.mode, report.restricted), (Mode::Test, false));
    assert!(report.account_id.is_some_and(|id| id.starts_with("acct_")));
    assert!(report.permissions.is_empty());
    let restricted = shop.platform.call_with("restricted", &[("api_key", "rk_test_51Restricted")]);
    let report = shop.platform.connector.test_connection(&restricted).await.expect("connected").value;
    assert!(report.restricted && report.permissions.len() >= 5);
    let of = |operation: &str| {
        report.permissions.iter().find(|p| p.operations.iter().any(|o| o == operation)).expect(operation)
    };
    assert_eq!((of("customer.list").access, of("customer.list").grant.as_deref()), (Access::Allowed, None));
    // Nothing that changes something is tried.
    let create = of("customer.create");
    assert_eq!((create.access, create.grant.as_deref()), (Access::Unknown, Some("rak_customer_write")));
    assert!(report.permissions.iter().all(|p| p.access != Access::Denied), "{report:?}");
    shop.checked_requests();
}

#[tokio::test]
async fn a_restricted_key_without_a_permission_is_told_what_to_grant() {
    use crate::scripted::{Act, Scripted, answer};
    let refusal = r#"{"error":{"type":"invalid_request_error","message":"The provided key does not have the required permissions for this endpoint. Having the 'rak_customer_read' permission would allow this request to continue."}}"#;
    let server = Scripted::start(move |_, seen| {
        if seen.head.starts_with("GET /v1/account ") || seen.head.starts_with("GET /v1/customers") {
            Act::Answer(answer(403, "", refusal))
        } else {
            Act::Answer(answer(200, "", r#"{"object":"list","data":[],"has_more":false,"url":"/v1"}"#))
        }
    })
    .await;
    let platform = Platform::new(&server.base());
    let call = platform.call_with("restricted", &[("api_key", "rk_test_51Restricted")]);
    let report = platform.connector.test_connection(&call).await.expect("connected").value;
    let denied: Vec<_> = report.permissions.iter().filter(|p| p.access == Access::Denied).collect();
    // What may not be read may not be written.
    assert_eq!(denied.len(), 2, "{report:?}");
    assert_eq!(denied[1].grant.as_deref(), Some("rak_customer_write"));
    assert_eq!(denied[0].grant.as_deref(), Some("rak_customer_read"));
    assert!(denied[0].operations.contains(&"customer.list".to_owned()));
    let error = refused(platform.connector.run_query(&call, "customer.list", "{}", None).await);
    assert_eq!((error.kind.clone(), error.outcome), (ErrorKind::Permission, Outcome::Rejected));
    assert!(error.message.contains("rak_customer_read"));
}

#[tokio::test]
async fn a_key_that_stripe_does_not_know_is_an_authentication_error_without_the_key() {
    let shop = Shop::open().await;
    let call = shop.platform.call_with("bad", &[("api_key", "sk_test_invalidSECRET")]);
    let error = refused(shop.platform.connector.test_connection(&call).await);
    assert_eq!((error.kind.clone(), error.http_status), (ErrorKind::Authentication, Some(401)));
    assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
}

#[tokio::test]
async fn a_live_key_works_in_production_and_says_so() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let connection = p.connection(Environment::Production, &[("api_key", "sk_live_51Short")]);
    let done = p
        .connector
        .run_action(&Call::new(connection, Invocation::new("live")), "customer.create", "{}")
        .await
        .expect("created")
        .value;
    assert_eq!(done.metadata.mode, Mode::Live);
    let output: Value = serde_json::from_str(&done.output).expect("JSON");
    assert_eq!(output["livemode"], true);
}

#[tokio::test]
async fn the_component_never_sees_the_key_that_reaches_the_server() {
    use crate::scripted::{Act, Scripted, answer};
    let customer = r#"{"id":"cus_1","object":"customer"}"#;
    let server = Scripted::start(move |_, _| Act::Answer(answer(200, "", customer))).await;
    let platform = Platform::new(&server.base());
    platform.connector.run_action(&platform.fresh(), "customer.create", "{}").await.expect("done");
    let seen = server.seen().await;
    assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {}", crate::platform::KEY).as_str()));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn a_range_of_times_is_sent_in_seconds_however_it_is_written() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    p.act("customer.create", json!({})).await;
    for since in
        [json!(1_767_225_600), json!("2026-01-01"), json!("2026-01-01T00:00:00Z"), json!("2026-01-01T01:00:00+01:00")]
    {
        let found = p.ask("customer.list", json!({"created": {"gte": since}})).await;
        assert_eq!(found["data"].as_array().expect("a list").len(), 1, "{since}");
    }
    let requests = shop.checked_requests();
    let asked: Vec<&str> = requests.iter().filter(|r| r.method == "GET").map(|r| r.query.as_str()).collect();
    assert_eq!(asked, ["created%5Bgte%5D=1767225600"; 4]);
}

#[tokio::test]
async fn what_is_expanded_comes_as_an_object_alone_and_in_lists() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let customer = p.act("customer.create", json!({"name": "Ada"})).await["id"].clone();
    let payment = json!({"amount": 1099, "currency": "usd", "customer": customer, "expand": ["customer"]});
    let payment = p.act("payment_intent.create", payment).await;
    assert_eq!(payment["customer"]["name"], "Ada");
    let one = json!({"payment_intent": payment["id"], "expand": ["customer"]});
    assert_eq!(p.ask("payment_intent.retrieve", one).await["customer"]["name"], "Ada");
    let all = p.ask("payment_intent.list", json!({"expand": ["data.customer"]})).await;
    assert_eq!(all["data"][0]["customer"]["name"], "Ada");
    // The platform's own fields name it by its id all the same.
    let call = p.fresh();
    let found = p.connector.run_query(&call, "payment_intent.list", r#"{"expand":["data.customer"]}"#, None).await;
    let fields: Value = serde_json::from_str(&found.expect("found").value.records[0].fields).expect("JSON");
    assert_eq!(fields["contact"], customer);
    let wrong = p.connector.run_query(&p.fresh(), "payment_intent.list", r#"{"expand":["customer"]}"#, None).await;
    assert!(refused(wrong).hint.is_some_and(|h| h.contains("data.customer")));
    shop.checked_requests();
}

#[tokio::test]
async fn an_organisations_key_acts_for_the_account_in_its_context() {
    let server = crate::scripted::Scripted::start(|_, _| {
        crate::scripted::Act::Answer(crate::scripted::answer(200, "", r#"{"id":"cus_1","object":"customer"}"#))
    })
    .await;
    let p = Platform::new(&server.base());
    let fields = [("api_key", "sk_org_test_51Organisation"), ("account", "acct_1OfTheOrganisation")];
    let done = p.connector.run_action(&p.call_with("organisation", &fields), "customer.create", "{}").await;
    assert_eq!(done.expect("created").value.metadata.account.as_deref(), Some("acct_1OfTheOrganisation"));
    let seen = &server.seen().await[0];
    assert_eq!(seen.header("stripe-context"), Some("acct_1OfTheOrganisation"));
    assert_eq!(seen.header("stripe-account"), None);
    let alone = p.call_with("alone", &fields[..1]);
    let error = refused(p.connector.run_action(&alone, "customer.create", "{}").await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidConnection, Some("account")));
}

/// A platform that offers "undo" needs no more than the record of what was done.
#[tokio::test]
async fn what_was_made_is_taken_back_by_its_inverse_and_its_id() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let mut undone = Vec::new();
    for operation in p.operations().await {
        let Some(inverse) = operation.summary.inverse.as_deref() else { continue };
        let sample = &operation.sample_input;
        // What needs something that was made before is undone where it is run.
        if sample.contains("OzQ2eLkdIwHu7ix") || sample.contains("QxYz0123456789") {
            continue;
        }
        let id = operation.summary.id.as_str();
        let Ok(made) = p.connector.run_action(&p.fresh(), id, sample).await else { continue };
        let record = made.value.record.expect("a record");
        let undo = p.connector.describe_operation(DescribeRequest::full(inverse)).await.expect("described").value;
        let schema: Value = serde_json::from_str(&undo.input_schema).expect("JSON");
        let named_so = |field: &str| schema["properties"].get(field).is_some();
        // The field that takes it is called after the resource, or it is the only one that must be given.
        let field = if named_so(&record.resource) {
            record.resource.as_str()
        } else {
            schema["required"][0].as_str().expect("a field")
        };
        let input = json!({field: record.id}).to_string();
        match p.connector.run_action(&p.fresh(), inverse, &input).await {
            Ok(_) => undone.push(id.to_owned()),
            Err(error) => panic!("{id} by {inverse} {input}: {error:?}"),
        }
    }
    for id in [
        "customer.create",
        "coupon.create",
        "product.create",
        "price.create",
        "payment_intent.create",
        "webhook_endpoint.create",
    ] {
        assert!(undone.iter().any(|done| done == id), "{id} is not among {undone:?}");
    }
}
