//! Every list of the API goes both ways by cursor, and is filtered by what its parameters name.

use std::collections::BTreeSet;

use crate::stripe::{Form, Stripe};
use serde_json::{Value, json};
use stripe_facts::{Facts, Method, Operation, Shape};

/// An account with at least three of most things, no two of them alike.
async fn populate(stripe: &Stripe) {
    for (number, currency) in ["usd", "eur", "jpy"].into_iter().enumerate() {
        let (customer, method) = stripe.customer_with("pm_card_visa").await;
        let amount = ((number + 1) * 1000).to_string();
        let form = [
            ("currency", currency),
            ("unit_amount", &amount),
            ("recurring[interval]", "month"),
            ("product_data[name]", "Club"),
            ("lookup_key", &amount),
        ];
        let price = stripe.make("/v1/prices", &form).await.id();
        let items = [("customer", customer.as_str()), ("items[0][price]", &price)];
        let subscription = stripe.make("/v1/subscriptions", &items).await.id();
        stripe.make("/v1/subscription_schedules", &[("from_subscription", &subscription)]).await;
        let paid = [
            ("amount", amount.as_str()),
            ("currency", currency),
            ("customer", &customer),
            ("payment_method", &method),
            ("confirm", "true"),
            ("transfer_group", &amount),
        ];
        let intent = stripe.make("/v1/payment_intents", &paid).await.id();
        stripe.make("/v1/refunds", &[("payment_intent", &intent), ("amount", "500")]).await;
        let form = [("payment_method", "pm_card_createDispute"), ("confirm", "true")];
        let disputed = [&paid[..3], &form].concat();
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
        stripe.make("/v1/checkout/sessions", &session).await;
        let coupon = stripe.make("/v1/coupons", &[("percent_off", "25"), ("duration", "once")]).await.id();
        let code = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon.as_str())];
        stripe.make("/v1/promotion_codes", &code).await;
        let inclusive = if number == 0 { "true" } else { "false" };
        let rate = [("display_name", "VAT"), ("percentage", "10"), ("inclusive", inclusive)];
        stripe.make("/v1/tax_rates", &rate).await;
        stripe.make("/v1/invoiceitems", &[("customer", &customer), ("amount", "900"), ("currency", currency)]).await;
        let form =
            [("customer", customer.as_str()), ("pending_invoice_items_behavior", "include"), ("currency", currency)];
        let invoice = stripe.make("/v1/invoices", &form).await.id();
        stripe.make(&format!("/v1/invoices/{invoice}/finalize"), &[]).await;
        stripe.make(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
        let note = [("invoice", invoice.as_str()), ("amount", "100"), ("refund_amount", "100")];
        stripe.make("/v1/credit_notes", &note).await;
        stripe.make("/v1/quotes", &[("customer", &customer), ("line_items[0][price]", &price)]).await;
        let line = [("line_items[0][price]", price.as_str()), ("line_items[0][quantity]", "1")];
        stripe.make("/v1/payment_links", &line).await;
        stripe.make("/v1/test_helpers/test_clocks", &[("frozen_time", "1800000000")]).await;
        stripe
            .make("/v1/webhook_endpoints", &[("url", "http://127.0.0.1:9/"), ("enabled_events[]", "plan.deleted")])
            .await;
        stripe.make("/v1/topups", &[("amount", "20000"), ("currency", "usd")]).await;
        let balance = [("amount", "-500"), ("currency", currency)];
        stripe.make(&format!("/v1/customers/{customer}/balance_transactions"), &balance).await;
        stripe
            .make(&format!("/v1/customers/{customer}/tax_ids"), &[("type", "eu_vat"), ("value", "DE123456789")])
            .await;
        stripe.make("/v1/tax_ids", &[("type", "eu_vat"), ("value", "DE123456789")]).await;
        stripe.make("/v1/radar/value_lists", &[("alias", currency), ("name", currency)]).await;
        stripe.make("/v1/reporting/report_runs", &[("report_type", "balance.summary.1")]).await;
        stripe.make("/v1/accounts", &[("type", "custom")]).await;
        stripe
            .make(
                "/v1/billing/meters",
                &[("display_name", "m"), ("event_name", currency), ("default_aggregation[formula]", "sum")],
            )
            .await;
        stripe.make("/v1/entitlements/features", &[("lookup_key", currency), ("name", currency)]).await;
    }
}

/// The paths of the lists that there are, with the ids of objects in them.
async fn lists(stripe: &Stripe) -> Vec<(String, &'static Operation)> {
    let mut found = Vec::new();
    for operation in &Facts::bundled().operations {
        let pages = operation.path.starts_with("/v1/") && operation.parameter("starting_after").is_some();
        if operation.method == Method::Get && pages && matches!(operation.response, Shape::List(_)) {
            found.push(operation);
        }
    }
    let mut paths = Vec::new();
    for operation in found {
        let Some(placeholder) = operation.path_parameters().next() else {
            paths.push((operation.path.clone(), operation));
            continue;
        };
        // The owners are in the list that the path begins with.
        let (owners, _) = operation.path.split_once("/{").unwrap();
        let place = format!("{{{placeholder}}}");
        let all = stripe.get(owners, &[]).await;
        if all.status == 200 && operation.path.matches('{').count() == 1 {
            paths.extend(all.ids().iter().map(|id| (operation.path.replace(&place, id), operation)));
        }
    }
    paths
}

async fn ids(stripe: &Stripe, path: &str, form: Form<'_>) -> (Vec<String>, bool) {
    let page = stripe.get(path, form).await;
    assert_eq!(page.status, 200, "{path} {form:?}: {}", page.text);
    assert_eq!(page.body["url"], path, "{path}");
    (page.ids(), page.body["has_more"] == true)
}

#[tokio::test]
async fn every_list_goes_both_ways() {
    let stripe = Stripe::start().await;
    populate(&stripe).await;
    let mut walked = BTreeSet::new();
    for (path, operation) in lists(&stripe).await {
        let first = stripe.get(&path, &[("limit", "100")]).await;
        if first.status != 200 {
            continue;
        }
        let mut all = first.ids();
        let mut more = first.body["has_more"] == true;
        while more {
            let after = all.last().unwrap().clone();
            let (page, further) = ids(&stripe, &path, &[("starting_after", &after), ("limit", "100")]).await;
            all.extend(page);
            more = further;
        }
        for (cursor, backwards) in [("starting_after", false), ("ending_before", true)] {
            let mut expected = all.clone();
            if backwards {
                expected.reverse();
            }
            let Some((start, rest)) = expected.split_first() else { continue };
            let (mut at, mut found) = (start.clone(), Vec::new());
            loop {
                let (mut page, more) = ids(&stripe, &path, &[(cursor, &at), ("limit", "2")]).await;
                if backwards {
                    page.reverse();
                }
                assert!(more || found.len() + page.len() == rest.len(), "{path} {cursor} {at}: no more");
                let Some(last) = page.last() else { break };
                at = last.clone();
                found.extend(page);
                assert!(found.len() <= rest.len(), "{path} {cursor}: {found:?}");
                if !more {
                    break;
                }
            }
            assert_eq!(found, rest, "{path} by {cursor}");
        }
        let unknown = stripe.get(&path, &[("starting_after", "none_1")]).await;
        assert_eq!((unknown.status, &unknown.error()["code"]), (400, &json!("resource_missing")), "{path}");
        assert_eq!(unknown.error()["param"], "starting_after");
        for (limit, code) in [("0", 400), ("101", 400), ("100", 200)] {
            assert_eq!(stripe.get(&path, &[("limit", limit)]).await.status, code, "{path} {limit}");
        }
        if all.len() > 2 {
            walked.insert(operation.path.as_str());
        }
    }
    assert!(walked.len() >= 30, "only {} lists have something to walk: {walked:?}", walked.len());
}

/// A value that a list can be filtered by, as it goes into a form.
fn as_filter(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn every_list_is_filtered_by_what_its_parameters_name() {
    let stripe = Stripe::start().await;
    populate(&stripe).await;
    let (mut wrong, mut tried) = (BTreeSet::new(), BTreeSet::new());
    for (path, operation) in lists(&stripe).await {
        let all = stripe.get(&path, &[("limit", "100")]).await;
        // There are more events than a page has; they have a test of their own.
        if all.status != 200 || operation.path == "/v1/events" {
            continue;
        }
        assert_eq!(all.body["has_more"], false, "{path}");
        let all = all.body["data"].as_array().unwrap().clone();
        let id = |o: &Value| o["id"].as_str().unwrap().to_owned();
        for parameter in &operation.parameters {
            let name = parameter.name.as_str();
            if matches!(name, "limit" | "starting_after" | "ending_before" | "expand") {
                continue;
            }
            // Items of value lists are answered in shape only.
            if (operation.path.as_str(), name) == ("/v1/radar/value_lists", "contains") {
                continue;
            }
            if name == "created" {
                let Some(time) = all.first().and_then(|o| o["created"].as_i64()) else { continue };
                let later = (time + 100).to_string();
                for (form, count) in [(("created[gt]", later.as_str()), 0), (("created[lte]", &later), all.len())] {
                    let found = ids(&stripe, &path, &[form, ("limit", "100")]).await.0.len();
                    if found != count {
                        wrong.insert(format!("{} {form:?}: {found} of {count}", operation.path));
                    }
                }
                continue;
            }
            let values: BTreeSet<String> = all.iter().filter_map(|o| as_filter(&o[name])).collect();
            for value in values {
                let fits = |o: &&Value| as_filter(&o[name]).as_ref() == Some(&value);
                let expected: Vec<String> = all.iter().filter(fits).map(id).collect();
                let answer = stripe.get(&path, &[(name, &value), ("limit", "100")]).await;
                if answer.status != 200 || answer.ids() != expected {
                    let text: String = answer.text.chars().take(150).collect();
                    wrong.insert(format!(
                        "{} {name}={value}: {} of {}: {text}",
                        operation.path,
                        answer.status,
                        expected.len()
                    ));
                }
                tried.insert((operation.path.as_str(), name));
            }
            // Something that is nowhere finds nothing.
            if parameter.shape == Shape::String {
                let answer = stripe.get(&path, &[(name, "none_1")]).await;
                let nothing = answer.status == 400 || answer.status == 404 || answer.body["data"] == json!([]);
                if !nothing && !all.is_empty() {
                    wrong.insert(format!("{} {name}: found for what is nowhere", operation.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried.len() > 40, "only {} filters were tried: {tried:?}", tried.len());
}
