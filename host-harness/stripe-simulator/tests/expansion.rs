//! What the facts call expandable is expanded, wherever it is, four levels deep and no deeper.

use std::collections::BTreeSet;

use crate::stripe::Stripe;
use serde_json::Value;
use stripe_facts::{Facts, Method, Shape};

/// Levels that a path can have.
const DEEPEST: usize = 4;

/// The paths in an answer at which an id stands that can be expanded, and the ids.
fn ids(value: &Value, shape: &Shape, path: &str, found: &mut BTreeSet<(String, String)>) {
    let facts = Facts::bundled();
    match (shape, value) {
        (Shape::Expandable(_), Value::String(id)) => {
            found.insert((path.to_owned(), id.clone()));
        }
        (Shape::Union(parts), value) => parts.iter().for_each(|p| ids(value, p, path, found)),
        (Shape::Array(inner), Value::Array(items)) => items.iter().for_each(|i| ids(i, inner, path, found)),
        (Shape::List(inner) | Shape::Search(inner), Value::Object(page)) => {
            let Some(Value::Array(items)) = page.get("data") else { return };
            let path = if path.is_empty() { "data".to_owned() } else { format!("{path}.data") };
            items.iter().for_each(|i| ids(i, inner, &path, found));
        }
        (Shape::Object(fields), Value::Object(members)) => {
            for field in fields {
                let path = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
                if let Some(value) = members.get(&field.name) {
                    ids(value, &field.shape, &path, found);
                }
            }
        }
        (Shape::Ref(_) | Shape::Expandable(_), Value::Object(members)) => {
            let kind = members.get("object").and_then(Value::as_str).unwrap_or_default();
            if let Some(shape) = facts.objects.get(kind) {
                ids(value, shape, path, found);
            }
        }
        _ => {}
    }
}

/// An account in which objects name each other.
async fn populate(stripe: &Stripe) {
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let coupon = stripe.make("/v1/coupons", &[("percent_off", "25"), ("duration", "forever")]).await.id();
    let code = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon.as_str())];
    let code = stripe.make("/v1/promotion_codes", &code).await.id();
    let rate = [("display_name", "VAT"), ("percentage", "10"), ("inclusive", "false")];
    let rate = stripe.make("/v1/tax_rates", &rate).await.id();
    let clock = stripe.make("/v1/test_helpers/test_clocks", &[("frozen_time", "1800000000")]).await.id();
    stripe.make("/v1/customers", &[("test_clock", &clock)]).await;
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", &price),
        ("discounts[0][promotion_code]", &code),
        ("default_tax_rates[0]", &rate),
        ("default_payment_method", &method),
    ];
    let subscription = stripe.make("/v1/subscriptions", &form).await;
    stripe.make("/v1/subscription_schedules", &[("from_subscription", &subscription.id())]).await;
    let product = stripe.get(&format!("/v1/prices/{price}"), &[]).await.body["product"].as_str().unwrap().to_owned();
    stripe.make(&format!("/v1/products/{product}"), &[("default_price", &price)]).await;
    let paid = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", &customer),
        ("payment_method", &method),
        ("confirm", "true"),
    ];
    let intent = stripe.make("/v1/payment_intents", &paid).await.id();
    stripe.make("/v1/refunds", &[("payment_intent", &intent), ("amount", "500")]).await;
    let disputed =
        [("amount", "2500"), ("currency", "usd"), ("payment_method", "pm_card_createDispute"), ("confirm", "true")];
    stripe.make("/v1/payment_intents", &disputed).await;
    let setup = [("customer", customer.as_str()), ("payment_method", &method), ("confirm", "true")];
    stripe.make("/v1/setup_intents", &setup).await;
    let session = [
        ("mode", "subscription"),
        ("success_url", "https://example.com/"),
        ("customer", &customer),
        ("line_items[0][price]", &price),
        ("line_items[0][quantity]", "1"),
    ];
    let session = stripe.make("/v1/checkout/sessions", &session).await;
    stripe.submit(session.body["url"].as_str().unwrap(), &[("card", "pm_card_visa"), ("email", "a@example.com")]).await;
    stripe.make("/v1/invoiceitems", &[("customer", &customer), ("amount", "900"), ("currency", "usd")]).await;
    let item =
        stripe.make("/v1/invoices", &[("customer", &customer), ("pending_invoice_items_behavior", "include")]).await;
    stripe.make(&format!("/v1/invoices/{}/finalize", item.id()), &[]).await;
    let invoice = stripe.make(&format!("/v1/invoices/{}/pay", item.id()), &[]).await.id();
    stripe.make("/v1/credit_notes", &[("invoice", &invoice), ("amount", "100"), ("refund_amount", "100")]).await;
    stripe.make("/v1/quotes", &[("customer", &customer), ("line_items[0][price]", &price)]).await;
    stripe.make("/v1/payment_links", &[("line_items[0][price]", &price), ("line_items[0][quantity]", "1")]).await;
    stripe.make("/v1/topups", &[("amount", "20000"), ("currency", "usd")]).await;
}

#[tokio::test]
async fn every_id_that_can_be_expanded_is() {
    let stripe = Stripe::start().await;
    populate(&stripe).await;
    let mut left = BTreeSet::new();
    let mut expanded = 0;
    for operation in Facts::bundled().operations.iter().filter(|o| o.path.starts_with("/v1/")) {
        if operation.method != Method::Get || operation.path.contains('{') || operation.parameter("expand").is_none() {
            continue;
        }
        let plain = stripe.get(&operation.path, &[]).await;
        if plain.status != 200 {
            continue;
        }
        let mut queue = vec![(String::new(), plain.body)];
        let mut seen = BTreeSet::new();
        while let Some((asked, answer)) = queue.pop() {
            let mut found = BTreeSet::new();
            ids(&answer, &operation.response, "", &mut found);
            let paths: BTreeSet<String> = found.iter().map(|(path, _)| path.clone()).collect();
            for path in paths {
                let further = path.starts_with(&asked) && path.len() > asked.len();
                let levels = path.split('.').count();
                if !(asked.is_empty() || further) || levels > DEEPEST || !seen.insert(path.clone()) {
                    continue;
                }
                let answer = stripe.get(&operation.path, &[("expand[]", &path)]).await;
                assert_eq!(answer.status, 200, "{} {path}: {}", operation.path, answer.text);
                let mut after = BTreeSet::new();
                ids(&answer.body, &operation.response, "", &mut after);
                expanded += found.iter().filter(|(p, _)| *p == path).count();
                let same = after.into_iter().filter(|(p, _)| *p == path);
                left.extend(same.map(|(p, id)| format!("{} {p}: {id}", operation.path)));
                queue.push((path, answer.body));
            }
        }
    }
    println!("{expanded}");
    for l in &left {
        println!("{l}");
    }
    assert!(left.is_empty() && expanded > 100, "{expanded}");
}

#[tokio::test]
async fn what_is_left_out_comes_when_it_is_asked_for() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let price = [
        ("currency", "usd"),
        ("product_data[name]", "Book"),
        ("billing_scheme", "tiered"),
        ("tiers_mode", "graduated"),
        ("tiers[0][up_to]", "5"),
        ("tiers[0][unit_amount]", "900"),
        ("tiers[1][up_to]", "inf"),
        ("tiers[1][unit_amount]", "700"),
        ("currency_options[eur][unit_amount]", "800"),
        ("recurring[interval]", "month"),
    ];
    let price = stripe.make("/v1/prices", &price).await.id();
    stripe.make(&format!("/v1/customers/{customer}/tax_ids"), &[("type", "eu_vat"), ("value", "DE123456789")]).await;
    let items = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = stripe.make("/v1/subscriptions", &items).await;
    let invoice = subscription.body["latest_invoice"].as_str().unwrap();
    let session = [
        ("mode", "subscription"),
        ("success_url", "https://example.com/"),
        ("line_items[0][price]", &price),
        ("line_items[0][quantity]", "1"),
    ];
    let session = stripe.make("/v1/checkout/sessions", &session).await.id();
    let charge = stripe.get("/v1/charges", &[]).await.ids()[0].clone();
    for (path, members) in [
        (
            format!("/v1/customers/{customer}"),
            &["cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"][..],
        ),
        (format!("/v1/prices/{price}"), &["tiers", "currency_options"]),
        (format!("/v1/invoices/{invoice}"), &["payments", "confirmation_secret"]),
        (format!("/v1/checkout/sessions/{session}"), &["line_items"]),
        (format!("/v1/charges/{charge}"), &["refunds"]),
    ] {
        let plain = stripe.get(&path, &[]).await.body;
        for member in members {
            assert_eq!(plain.get(*member), None, "{path} {member} unasked");
            let expanded = stripe.get(&path, &[("expand[]", member)]).await.body;
            assert!(!expanded[*member].is_null(), "{path} {member}: {expanded}");
        }
    }
    let shown = stripe.get(&format!("/v1/prices/{price}"), &[("expand[]", "currency_options")]).await.body;
    assert_eq!(shown["currency_options"]["eur"]["unit_amount"], 800);
    assert_eq!(shown["currency_options"]["usd"]["tiers"][1]["unit_amount"], 700);
    let form = [("currency_options[jpy][unit_amount]", "90000")];
    stripe.make(&format!("/v1/prices/{price}"), &form).await;
    let shown = stripe.get("/v1/prices", &[("expand[]", "data.currency_options")]).await.body;
    let options = shown["data"][0]["currency_options"].as_object().unwrap();
    assert_eq!(options.keys().collect::<Vec<_>>(), ["usd", "eur", "jpy"]);
    let shown = stripe.get(&format!("/v1/customers/{customer}"), &[("expand[]", "tax_ids")]).await.body;
    assert_eq!(shown["tax_ids"]["data"][0]["value"], "DE123456789");
}

#[tokio::test]
async fn what_cannot_be_expanded_is_refused_by_every_operation() {
    let stripe = Stripe::start().await;
    let mut refused = 0;
    for operation in Facts::bundled().operations.iter().filter(|o| o.parameter("expand").is_some()) {
        if operation.method == Method::Post || operation.parameters.iter().any(|p| p.required) {
            continue;
        }
        let path = operation.path.split('/').map(|s| if s.starts_with('{') { "id_1" } else { s });
        let path = path.collect::<Vec<_>>().join("/");
        for wrong in ["nothing_such", "data.nothing_such", "id", "data.id.more"] {
            let form = [("expand[]", wrong)];
            let answer = stripe.call(operation.method.as_str(), &path, &form, &[]).await;
            let message = format!("This property cannot be expanded ({wrong}).");
            assert_eq!(answer.error()["message"].as_str(), Some(&*message), "{path}: {}", answer.text);
            assert_eq!((answer.status, answer.error()["param"].as_str()), (400, Some("expand[0]")));
        }
        refused += 1;
    }
    assert!(refused > 150, "only {refused} operations were asked");
}
