//! By name: every way to call an operation has the verdict of what it means.

use guard::Stopped;
use host::contract::{ChoiceRequest, Environment, SubscriptionRequest, TriggerUse};
use host::{Call, Invocation};
use serde_json::{Value, json};

use crate::shop::{Shop, refused, run};

/// One payment in all the ways that there are to ask for it.
fn payments(amount: u64) -> Vec<(&'static str, Value)> {
    let decimal = format!("{}.{:02}", amount / 100, amount % 100);
    let input = json!({ "amount": amount, "currency": "usd" });
    vec![
        ("payment_intent.create", input.clone()),
        ("payment_intent.create", json!({ "amount": { "decimal": decimal, "currency": "usd" }, "currency": "usd" })),
        ("payment_intent.create", json!({ "amount_major": decimal, "currency": "usd" })),
        ("create_payment_intent", input.clone()),
        ("Create Payment Intent", input.clone()),
        ("payment.create", input.clone()),
        ("stripe.payment-intent.create", input.clone()),
        ("stripe-create-payment-intent", json!({ "amount": amount })),
        ("v1.payment_intents.create", input.clone()),
        ("api.write", json!({ "operation": "v1.payment_intents.create", "input": input })),
        ("api.write", json!({ "operation": "payment_intent.create", "input": input })),
        ("api.write", json!({ "operation": "create_payment_intent", "input": input })),
        ("api.write", json!({ "operation": "POST /v1/payment_intents", "input": input })),
        ("api.write", json!({ "method": "post", "path": "/v1/payment_intents/", "params": input })),
    ]
}

#[tokio::test]
async fn a_denied_operation_is_denied_under_every_name() {
    let shop = Shop::open().await;
    for policy in [
        "[operations]\ndeny = [\"payment_intent.create\"]",
        "[operations]\ndeny = [\"create_payment_intent\"]",
        "[operations]\ndeny = [\"v1.payment_intents.create\"]",
        "[operations]\ndeny = [\"payment_intent.*\"]",
        "[operations]\nallow = [\"customer.*\"]",
        "[resources]\ndeny = [\"payment_intent\"]",
        "[safety]\ndeny = [\"move-money\"]",
        "[[cap]]\non = \"payments\"\nper = \"call\"\namount = \"10\"\ncurrency = \"usd\"",
        "[ask]\noperations = [\"payment_intent.create\"]",
        "[ask]\nabove = [{ amount = \"10\", currency = \"usd\" }]",
        "read_only = true",
    ] {
        let guarded = shop.behind(policy).await;
        for (operation, input) in payments(1099) {
            let ended = run(&guarded, &shop.fresh(), operation, &input, true).await;
            assert!(matches!(ended, Err(Stopped::Denied(_))), "{operation} {input} under {policy}: {ended:?}");
        }
    }
    assert_eq!(shop.acted(), Vec::<String>::new());
}

#[tokio::test]
async fn what_no_rule_is_against_runs_as_without_a_guard() {
    let shop = Shop::open().await;
    let cap = "[[cap]]\non = \"payments\"\nper = \"call\"\namount = \"10.99\"\ncurrency = \"usd\"";
    let guarded = shop.behind(cap).await;
    for (operation, input) in payments(1099) {
        let ended = run(&guarded, &shop.fresh(), operation, &input, true).await;
        assert!(ended.is_ok(), "{operation} {input}: {ended:?}");
    }
    assert_eq!(shop.acted().len(), payments(1099).len(), "each was sent once");
}

#[tokio::test]
async fn somebody_has_to_agree_before_it_runs() {
    let shop = Shop::open().await;
    let guarded = shop.behind("[ask]\noperations = [\"customer.create\"]").await;
    let (call, input) = (shop.fresh(), json!({ "name": "Jenny" }).to_string());
    let permit = guarded.permit_action(&call, "create_customer", &input, Vec::new()).await.unwrap();
    let (question, rule) = permit.question().map(|(question, rule)| (question, rule.to_string())).unwrap();
    assert_eq!((question.as_str(), rule.as_str()), ("`customer.create` is to be confirmed", "ask.operations (line 2)"));
    assert!(refused(guarded.run_action(permit).await).reason.contains("nobody agreed"));
    assert!(shop.acted().is_empty());
    let mut permit = guarded.permit_action(&call, "create_customer", &input, Vec::new()).await.unwrap();
    permit.agree();
    assert_eq!(permit.question(), None);
    guarded.run_action(permit).await.unwrap();
    assert_eq!(shop.acted(), ["POST /v1/customers"]);
}

#[tokio::test]
async fn a_dry_run_shows_the_exact_request_and_sends_nothing() {
    let shop = Shop::open().await;
    let guarded = shop.behind("dry_run = true").await;
    let input = json!({ "amount": 1099, "currency": "usd", "metadata": { "order": "7" } });
    let Err(Stopped::DryRun { operation, request: Some(request) }) =
        run(&guarded, &shop.call("order_7"), "payment_intent.create", &input, true).await
    else {
        panic!("a dry run was expected")
    };
    assert_eq!(operation, "payment_intent.create");
    assert_eq!(request.method, "POST");
    assert!(request.body.starts_with("amount=1099&currency=usd&metadata"), "{}", request.body);
    let shown = serde_json::to_value(&request).unwrap();
    assert_eq!(shown["headers"]["authorization"], "(secret)");
    assert!(shown["headers"]["idempotency-key"].as_str().is_some_and(|key| !key.is_empty()));
    assert!(!shown.to_string().contains("GuardTests"), "{shown}");
    assert!(shop.simulator.requests().is_empty());
    // Wrong input is wrong in a dry run as well.
    let wrong = json!({ "amount": -1, "currency": "usd" });
    let wrong = run(&guarded, &shop.fresh(), "payment_intent.create", &wrong, true).await;
    assert!(matches!(wrong, Err(Stopped::Failed(_))), "{wrong:?}");
}

#[tokio::test]
async fn only_reading_holds_for_every_function() {
    let shop = Shop::open().await;
    let guarded = shop.behind("read_only = true").await;
    let call = shop.fresh();
    let request = SubscriptionRequest::new("https://example.com/hook", vec![TriggerUse::every("customer.created")]);
    refused(guarded.subscribe(&call, request).await);
    assert!(run(&guarded, &call, "customer.list", &json!({}), false).await.is_ok());
    assert!(guarded.choices(&call, ChoiceRequest::of("customer")).await.is_ok());
    assert!(guarded.poll(&call, vec![TriggerUse::every("customer.created")], None).await.is_ok());
    assert!(guarded.test_connection(&call).await.is_ok());
    // A POST that only reads is reading.
    let customer = shop.act("customer.create", json!({})).await;
    let preview = json!({ "customer": customer["id"], "invoice_items": [{ "amount": 5, "currency": "usd" }] });
    let ended = run(&guarded, &call, "invoice.preview", &preview, false).await;
    assert!(!matches!(ended, Err(Stopped::Denied(_))), "{ended:?}");
}

#[tokio::test]
async fn live_mode_is_refused_without_the_switch() {
    let shop = Shop::open().await;
    let live = || Call::new(shop.connection(Environment::Production), Invocation::new("a"));
    let guarded = shop.behind("").await;
    let refusal = refused(run(&guarded, &live(), "customer.list", &json!({}), false).await);
    assert!(refusal.fix.contains("live = true"), "{refusal:?}");
    refused(guarded.test_connection(&live()).await);
    refused(guarded.choices(&live(), ChoiceRequest::of("customer")).await);
    refused(guarded.poll(&live(), vec![TriggerUse::every("customer.created")], None).await);
    assert!(shop.simulator.requests().is_empty());
    let switched = shop.behind("live = true").await;
    assert!(!matches!(run(&switched, &live(), "customer.list", &json!({}), false).await, Err(Stopped::Denied(_))));
}

#[tokio::test]
async fn personal_data_is_in_no_answer() {
    let shop = Shop::open().await;
    let customer = json!({ "email": "jenny@masked.example", "name": "Jenny Rosen", "phone": "+1555" });
    shop.act("customer.create", customer.clone()).await;
    let guarded = shop.behind("mask = [\"email\", \"name\"]").await;
    let call = shop.fresh();
    let permit = guarded.permit_query(&call, "customer.list", "{}", None).await.unwrap();
    let listed = format!("{:?}", guarded.run_query(permit).await.unwrap().value);
    let permit = guarded.permit_action(&call, "customer.create", &customer.to_string(), Vec::new()).await.unwrap();
    let made = format!("{:?}", guarded.run_action(permit).await.unwrap().value);
    let chosen = format!("{:?}", guarded.choices(&call, ChoiceRequest::of("customer")).await.unwrap().value);
    let polled = format!("{:?}", guarded.recent(&call, TriggerUse::every("customer.created"), 5).await.unwrap().value);
    for shown in [listed, made, chosen, polled] {
        assert!(!shown.contains("jenny@masked.example") && !shown.contains("Jenny Rosen"), "{shown}");
    }
}

#[tokio::test]
async fn every_verdict_is_in_the_log_and_no_input_is() {
    let shop = Shop::open().await;
    let guarded = shop.behind("audit = \"audit.jsonl\"\n[operations]\ndeny = [\"customer.delete\"]").await;
    let input = json!({ "email": "jenny@logged.example" });
    run(&guarded, &shop.fresh(), "customer.create", &input, true).await.unwrap();
    refused(run(&guarded, &shop.fresh(), "delete_customer", &json!({ "customer": "cus_1" }), true).await);
    let path = shop.folder.path().join("audit.jsonl");
    assert_eq!(guard::verify(&path, None).unwrap().lines, 2);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(
        text.contains("\"deny\"") && text.contains("customer.delete") && !text.contains("logged.example"),
        "{text}"
    );
    assert!(!text.contains("GuardTests"), "{text}");
}

#[tokio::test]
async fn a_file_that_is_wrong_makes_no_guard() {
    let shop = Shop::open().await;
    let Err(error) = shop.try_behind("[operations]\ndeny = [\"refund.creat\"]").await else { panic!("refused") };
    let error = error.to_string();
    assert!(error.starts_with("guard.toml:2:9: there is no operation `refund.creat`; "), "{error}");
    assert!(error.contains("refund.create"), "{error}");
    let example = shop.try_behind(guard::EXAMPLE).await;
    assert!(example.is_ok(), "{:?}", example.err());
}
