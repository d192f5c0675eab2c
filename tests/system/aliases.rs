//! Names of other tools: each runs with the input that its source documents, and answers in its source's names.

use host::contract::{DescribeRequest, ErrorKind, OperationFilter};
use serde_json::{Value, json};

use crate::platform::{KEY, Shop, every, refused};

/// A customer with a card, and a monthly price.
async fn customer_and_price(shop: &Shop) -> (Value, Value) {
    let p = &shop.platform;
    let customer = json!({"email": "jenny@example.com", "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"}});
    let customer = p.act("customer.create", customer).await;
    let product = p.act("product.create", json!({"name": "Gold plan"})).await;
    let price =
        json!({"product": product["id"], "currency": "usd", "unit_amount": 1500, "recurring": {"interval": "month"}});
    (customer["id"].clone(), p.act("price.create", price).await["id"].clone())
}

#[tokio::test]
async fn a_workflow_of_capabilities_runs_unchanged() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let customer = p.act("stripe-create-customer", json!({"email": "jenny@example.com", "name": "Jenny"})).await;
    assert_eq!(customer["email"], "jenny@example.com");
    let payment =
        json!({"amount": 1099, "currency": "usd", "customerId": customer["customerId"], "metadata": {"order": "1"}});
    let payment = p.act("stripe-create-payment-intent", payment).await;
    assert_eq!(payment["status"], "requires_payment_method");
    assert!(payment["clientSecret"].as_str().expect("a secret").contains("_secret_"));
    let made = p.ask("payment_intent.retrieve", json!({"payment_intent": payment["paymentIntentId"]})).await;
    assert_eq!((&made["customer"], &made["metadata"]["order"]), (&customer["customerId"], &json!("1")));

    let (customer, price) = customer_and_price(&shop).await;
    let subscription = json!({"customerId": customer, "priceId": price, "trialDays": 14});
    let subscription = p.act("stripe-create-subscription", subscription).await;
    assert_eq!(subscription["status"], "trialing");
    assert!(subscription["currentPeriodEnd"].as_i64().expect("a time") > 1_700_000_000);
    assert!(subscription["subscriptionId"].as_str().expect("an id").starts_with("sub_"));
    assert_eq!(subscription.as_object().expect("an object").len(), 3);
    let error = p.refused("stripe-create-subscription", &json!({"customerId": customer}).to_string()).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("priceId")));
    let unknown = json!({"customerId": "cus_None0000000000", "priceId": price}).to_string();
    let error = p.refused("stripe-create-subscription", &unknown).await;
    assert_eq!(error.field.as_deref(), Some("customerId"), "{error:?}");
    shop.checked_requests();
}

#[tokio::test]
async fn tools_with_a_flat_input_run_with_their_key_beside_it() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let (customer, price) = customer_and_price(&shop).await;
    let input = json!({"email": "flat@example.com", "metadata": {"plan": "pro"}, "idempotencyKey": "signup-1"});
    let first = p.act("stripe.customer.create", input.clone()).await;
    assert_eq!(p.act("stripe.customer.create", input).await["id"], first["id"], "another run with the same key");
    let other = json!({"email": "flat@example.com", "metadata": {"plan": "basic"}, "idempotencyKey": "signup-2"});
    assert_ne!(p.act("stripe.customer.create", other).await["id"], first["id"]);

    let listed = p.ask("stripe.customer.list", json!({"email": "flat@example.com"})).await;
    assert_eq!(listed["data"].as_array().expect("a list").len(), 2);
    let pro = json!({"email": "flat@example.com", "metadata": {"plan": "pro"}}).to_string();
    let pro = p.connector.run_query(&p.fresh(), "stripe.customer.list", &pro, None).await.expect("found").value;
    let page: Value = serde_json::from_str(&pro.output).expect("JSON");
    assert_eq!((page["data"].as_array().expect("a list").len(), pro.records.len()), (1, 1));
    assert_eq!((&page["data"][0]["id"], pro.records[0].id.as_str()), (&first["id"], first["id"].as_str().unwrap()));

    // As its documentation calls it.
    let documented = json!({"amount": 2000, "currency": "usd", "idempotencyKey": "order_12345_attempt_1"});
    let made = p.act("stripe.payment-intent.create", documented.clone()).await;
    assert_eq!(p.act("stripe.payment-intent.create", documented).await["id"], made["id"]);

    let payment = json!({"amount": 1099, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true,
        "return_url": "https://example.com", "idempotencyKey": "order-1"});
    let payment = p.act("stripe.payment-intent.create", payment).await;
    assert_eq!(payment["status"], "succeeded");
    let of_status = async |status: &str| {
        let charges = p.ask("stripe.charge.list", json!({"startDate": "2020-01-01", "status": status})).await;
        charges["data"].as_array().expect("a list").len()
    };
    assert_eq!((of_status("succeeded").await, of_status("failed").await), (1, 0));
    let before = p.ask("stripe.charge.list", json!({"endDate": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(before["data"], json!([]));
    let wrong = p.connector.run_query(&p.fresh(), "stripe.charge.list", r#"{"status":"succeded"}"#, None).await;
    let wrong = refused(wrong);
    assert!(wrong.field.as_deref() == Some("status") && wrong.message.contains("succeeded"), "{wrong:?}");
    let charge = p.ask("stripe.charge.get", json!({"charge": payment["latest_charge"]})).await;
    assert_eq!(charge["payment_intent"], payment["id"]);
    let refund = json!({"paymentIntent": payment["id"], "amount": 500, "idempotencyKey": "refund-1"});
    assert_eq!(p.act("stripe.refund.create", refund).await["amount"], 500);
    let rest = p.act("stripe.refund.create", json!({"charge": payment["latest_charge"]})).await;
    assert_eq!(rest["amount"], 599);

    let subscription = json!({"customer": customer, "items": [{"price": price}]});
    let subscription = p.act("subscription.create", subscription).await["id"].clone();
    let later = json!({"subscription": subscription, "atPeriodEnd": true});
    assert_eq!(p.act("stripe.subscription.cancel", later).await["cancel_at_period_end"], true);
    let now = p.act("stripe.subscription.cancel", json!({"subscription": subscription})).await;
    assert_eq!(now["status"], "canceled");
}

#[tokio::test]
async fn a_checkout_is_made_from_a_price_alone() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let (_, price) = customer_and_price(&shop).await;
    let checkout = p.act("checkout", json!({"price_id": price, "mode": "subscription"})).await;
    assert!(checkout["checkout_url"].as_str().expect("an address").starts_with("http"), "{checkout}");

    let pages =
        [("checkout_success_url", "https://shop.example/done"), ("checkout_cancel_url", "https://shop.example/cart")];
    let call = p.call_with("checkout-pages", &[&[("api_key", KEY)], &pages[..]].concat());
    let input = json!({"price_id": price, "mode": "subscription", "success_url": "https://own.example"}).to_string();
    p.connector.run_action(&call, "checkout", &input).await.expect("done");
    let sent: Vec<String> =
        shop.checked_requests().into_iter().filter(|r| r.path == "/v1/checkout/sessions").map(|r| r.body).collect();
    let [built_in, own] = sent.as_slice() else { panic!("two sessions, not {sent:?}") };
    assert!(
        built_in.contains("success_url=https%3A%2F%2Fstripe.com") && !built_in.contains("cancel_url"),
        "{built_in}"
    );
    assert!(own.contains("success_url=https%3A%2F%2Fown.example"), "the request goes before the connection: {own}");
    assert!(own.contains("cancel_url=https%3A%2F%2Fshop.example%2Fcart"), "{own}");
    assert!(own.contains("line_items%5B0%5D%5Bquantity%5D=1") || own.contains("line_items[0][quantity]=1"), "{own}");
}

#[tokio::test]
async fn names_are_understood_as_people_write_them() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    for name in ["Create a Customer", "create-customer", "CREATE CUSTOMER", "Stripe.Customer.Create"] {
        assert_eq!(p.act(name, json!({"email": "jenny@example.com"})).await["object"], "customer", "{name}");
    }
    assert!(p.ask("List Customers", json!({})).await["data"].as_array().expect("a list").len() >= 4);
    assert_eq!(p.ask("Get Balance", json!({})).await["object"], "balance");

    let described = p.connector.describe_operation(DescribeRequest::shown("Stripe-Create-Customer")).await;
    let described = described.expect("described").value;
    assert_eq!(
        (described.summary.id.as_str(), described.aliases[0].as_str()),
        ("stripe-create-customer", "customer.create")
    );
    let schema: Value = serde_json::from_str(&described.input_schema).expect("JSON");
    assert_eq!(schema["required"], json!(["email"]));
    let search = OperationFilter { search: Some("stripe-create-customer".into()), ..OperationFilter::default() };
    let found = p.connector.all_operations(search).await.expect("a list");
    assert_eq!(found.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["customer.create"]);
}

#[tokio::test]
async fn a_trigger_is_found_behind_the_plural_of_its_resource() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    p.act("customer.create", json!({"email": "jenny@example.com"})).await;
    let uses = every(&["customers/customer.created"]);
    let found = p.connector.recent(&p.fresh(), uses.into_iter().next().expect("one"), 5).await;
    let found = found.expect("found").value.events;
    assert_eq!(found[0].triggers, ["customer.created"]);
    for trigger in p.connector.all_operations(OperationFilter::default()).await.expect("a list") {
        // Any event is about no resource.
        if trigger.kind != host::contract::OperationKind::Trigger || trigger.id == "*" {
            continue;
        }
        let described = p.connector.describe_operation(DescribeRequest::shown(&trigger.id).of_kind(trigger.kind)).await;
        let aliases = described.expect("described").value.aliases;
        let by_resource = aliases.iter().find(|alias| alias.contains('/')).expect("a name behind its resource");
        let again = p.connector.describe_operation(DescribeRequest::shown(by_resource)).await.expect("described");
        assert_eq!(again.value.summary.id, trigger.id);
    }
}

/// The same tools as their source code has them.
#[tokio::test]
async fn tools_in_the_form_of_their_source_code_run_with_its_inputs() {
    let shop = Shop::open().await;
    let p = &shop.platform;
    let (customer, price) = customer_and_price(&shop).await;
    let subscription = json!({"customer": customer, "items": [{"price": price}]});
    let subscription = p.act("subscription.create", subscription).await["id"].clone();
    let payment = json!({"amount": 1099, "currency": "usd", "customer": customer, "payment_method": "pm_card_visa",
        "confirm": true, "return_url": "https://example.com"});
    let payment = p.act("payment_intent.create", payment).await["id"].clone();
    let count = async |name: &str, input: Value| p.ask(name, input).await["data"].as_array().expect("a list").len();

    assert_eq!(count("stripe_customers", json!({"email": "jenny@example.com", "limit": 10})).await, 1);
    assert_eq!(p.ask("stripe_customer", json!({"customer_id": customer})).await["id"], customer);
    assert!(count("stripe_payments", json!({"customer": customer, "limit": 10})).await >= 1);
    assert_eq!(p.ask("stripe_payment", json!({"payment_id": payment})).await["status"], "succeeded");
    assert_eq!(p.ask("stripe_subscription", json!({"subscription_id": subscription})).await["id"], subscription);
    assert!(count("stripe_invoices", json!({"customer": customer, "status": "paid"})).await >= 1);
    assert_eq!(p.ask("stripe_balance", json!({})).await["object"], "balance");
    let refund = json!({"payment_intent": payment, "amount": 99, "reason": "requested_by_customer"});
    assert_eq!(p.act("stripe_refund", refund).await["amount"], 99);
    // What is not said is what is active.
    assert_eq!(count("stripe_subscriptions", json!({"customer": customer})).await, 1);
    assert_eq!(count("stripe_products", json!({})).await, 1);
    p.act("subscription.cancel", json!({"subscription": subscription})).await;
    assert_eq!(count("stripe_subscriptions", json!({"customer": customer})).await, 0);
    assert_eq!(count("stripe_subscriptions", json!({"customer": customer, "status": "all"})).await, 1);
    shop.checked_requests();
}
