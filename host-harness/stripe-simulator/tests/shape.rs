//! Objects have every field of the pinned version, and every operation answers in its shape.

use crate::stripe::{PINNED, Stripe, check, encode};
use serde_json::Value;
use stripe_facts::{Encoding, Facts, Field, Method, Shape};
use stripe_simulator::{Options, TEST_SECRET_KEY, conformance};

fn check_complete(object: &Value) {
    conformance::check_complete(object).unwrap();
}

#[tokio::test]
async fn objects_have_every_field_of_the_pinned_version() {
    // Events are in the account's version.
    let stripe = Stripe::start_with(Options { account_version: Some(PINNED.into()), ..Options::default() }).await;
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1000").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.make("/v1/subscriptions", &form).await;
    let paid = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("expand[]", "latest_charge.balance_transaction"),
    ];
    let intent = stripe.make("/v1/payment_intents", &paid).await;
    let refund = stripe.make("/v1/refunds", &[("payment_intent", &intent.id())]).await;
    let session = [
        ("mode", "subscription"),
        ("success_url", "https://example.com"),
        ("line_items[0][price]", &price),
        ("line_items[0][quantity]", "1"),
    ];
    let session = stripe.make("/v1/checkout/sessions", &session).await;
    let setup = stripe.make("/v1/setup_intents", &[("payment_method", "pm_card_visa"), ("confirm", "true")]).await;
    let hook = [("url", "http://127.0.0.1:9/"), ("enabled_events[]", "charge.failed")];
    let hook = stripe.make("/v1/webhook_endpoints", &hook).await;
    for object in [&subscription, &intent, &refund, &session, &setup, &hook] {
        check_complete(&object.body);
    }
    let attempts = stripe.get("/v1/setup_attempts", &[("setup_intent", &setup.id())]).await;
    check_complete(&attempts.body["data"][0]);
    let token = stripe.make("/v1/test_helpers/confirmation_tokens", &[("payment_method", "pm_card_visa")]).await;
    let own = stripe.get("/v1/account", &[]).await.id();
    let external = [("external_account", "btok_us_verified")];
    let external = stripe.make(&format!("/v1/accounts/{own}/external_accounts"), &external).await;
    for card in ["bypassPending", "createIssuerFraudRecord"] {
        let form = [("amount", "9000"), ("currency", "usd"), ("payment_method", &format!("pm_card_{card}"))];
        let paid = stripe.make("/v1/payment_intents", &form).await.id();
        stripe.make(&format!("/v1/payment_intents/{paid}/confirm"), &[]).await;
    }
    let warnings = stripe.get("/v1/radar/early_fraud_warnings", &[]).await;
    check_complete(&warnings.body["data"][0]);
    let payout = stripe.make("/v1/payouts", &[("amount", "100"), ("currency", "usd")]).await;
    for object in [&token, &external, &payout] {
        check_complete(&object.body);
    }
    check_complete(&intent.body["latest_charge"]);
    check_complete(&intent.body["latest_charge"]["balance_transaction"]);
    check_complete(&subscription.body["items"]["data"][0]);
    check_complete(&subscription.body["items"]["data"][0]["plan"]);
    for path in [
        format!("/v1/customers/{customer}"),
        format!("/v1/payment_methods/{method}"),
        format!("/v1/prices/{price}"),
        "/v1/account".into(),
        "/v1/balance".into(),
    ] {
        check_complete(&stripe.get(&path, &[]).await.body);
    }
    for path in ["products", "invoices", "invoice_payments", "events", "charges", "payment_intents"] {
        let list = stripe.get(&format!("/v1/{path}"), &[]).await;
        list.body["data"].as_array().unwrap().iter().for_each(check_complete);
    }
    let invoice = stripe.get("/v1/invoices", &[]).await.body["data"][0].clone();
    check_complete(&invoice["lines"]["data"][0]);
}

/// Parameters that an operation cannot do without, as form pairs.
fn required(fields: &[Field], parent: &str, out: &mut Vec<(String, String)>) {
    for field in fields.iter().filter(|f| f.required) {
        let name = if parent.is_empty() { field.name.clone() } else { format!("{parent}[{}]", field.name) };
        fill(&field.shape, &name, out);
    }
}

fn fill(shape: &Shape, name: &str, out: &mut Vec<(String, String)>) {
    let mut put = |value: &str| out.push((name.to_owned(), value.to_owned()));
    match shape {
        Shape::Boolean | Shape::True => put("true"),
        Shape::Integer | Shape::Number | Shape::Decimal => put("1000"),
        Shape::Enum(values) => put(values.iter().find(|v| !v.is_empty()).map_or("", |v| v)),
        Shape::Array(inner) => fill(inner, &format!("{name}[0]"), out),
        Shape::Map(inner) => fill(inner, &format!("{name}[key]"), out),
        Shape::Object(fields) => {
            let before = out.len();
            required(fields, name, out);
            if out.len() == before
                && let Some(first) = fields.first()
            {
                fill(&first.shape, &format!("{name}[{}]", first.name), out);
            }
        }
        Shape::Union(parts) => fill(parts.iter().find(|p| !p.is_empty_string()).unwrap(), name, out),
        _ => put("usd"),
    }
}

fn json_of(fields: &[Field]) -> Value {
    let each = |f: &Field| (f.name.clone(), json_value(&f.shape));
    Value::Object(fields.iter().filter(|f| f.required).map(each).collect())
}

fn json_value(shape: &Shape) -> Value {
    match shape {
        Shape::Boolean | Shape::True => true.into(),
        Shape::Integer => 1000.into(),
        Shape::Number => 1.5.into(),
        Shape::Decimal => "1.5".into(),
        Shape::Enum(values) => values.first().map_or("", |v| v).into(),
        Shape::Array(inner) => vec![json_value(inner)].into(),
        Shape::Object(fields) => json_of(fields),
        Shape::Union(parts) => json_value(&parts[0]),
        Shape::Map(_) => Value::Object(Default::default()),
        _ => "text".into(),
    }
}

#[tokio::test]
async fn every_operation_of_the_api_answers_in_its_shape() {
    let stripe = Stripe::start().await;
    let key = format!("Bearer {TEST_SECRET_KEY}");
    let mut answered = 0;
    for operation in &Facts::bundled().operations {
        let path = operation.path.split('/').map(|s| if s.starts_with('{') { "id_123" } else { s });
        let path = path.collect::<Vec<_>>().join("/");
        let method = operation.method.as_str();
        let mut headers = vec![("authorization", key.as_str()), ("stripe-version", &Facts::bundled().api_version)];
        let mut pairs = Vec::new();
        required(&operation.parameters, "", &mut pairs);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let (mut target, mut body) = (path.clone(), String::new());
        match (operation.encoding, operation.method) {
            (Encoding::Json, Method::Post) => {
                headers.push(("content-type", "application/json"));
                body = json_of(&operation.parameters).to_string();
                conformance::check_request(method, &path, "", &body).unwrap();
            }
            (_, Method::Post) => {
                body = encode(&pairs);
                conformance::check_request(method, &path, "", &body).unwrap_or_else(|e| panic!("{path} {body}: {e}"));
            }
            _ => target = format!("{path}?{}", encode(&pairs)),
        }
        let answer = stripe.send(method, &target, &headers, body).await;
        check(method, &path, &answer);
        assert!(!answer.text.contains("Invalid") || answer.status != 200);
        answered += usize::from(answer.status == 200);
    }
    // The rest are operations with state on objects that are not there.
    assert!(answered > 370, "only {answered} operations answered");
}
