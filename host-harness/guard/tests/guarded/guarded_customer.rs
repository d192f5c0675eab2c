//! A caller that is pinned to one customer tries to reach another, in every way that there is.

use guard::{Guarded, Stopped};
use host::contract::{ChoiceRequest, SubscriptionRequest, TriggerUse};
use serde_json::{Value, json};

use crate::shop::{Shop, refused, run};

/// What everything of the other customer's has in it.
const MARK: &str = "mallory@other.example";

/// The objects of one customer, by what they are.
struct Belongings {
    customer: String,
    payment: String,
    charge: String,
    refund: String,
    subscription: String,
    item: String,
    invoice: String,
    invoice_item: String,
    setup: String,
    card: String,
    quote: String,
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("{object}")).to_owned()
}

async fn belongings(shop: &Shop, email: &str, price: &str) -> Belongings {
    let customer = id(&shop.act("customer.create", json!({ "email": email, "name": email })).await);
    let attach = json!({ "payment_method": "pm_card_visa", "customer": customer });
    let card = id(&shop.act("payment_method.attach", attach).await);
    let default = json!({ "customer": customer, "invoice_settings": { "default_payment_method": card } });
    shop.act("customer.update", default).await;
    let pay = json!({ "amount": 1099, "currency": "usd", "customer": customer, "payment_method": card, "confirm": true,
        "description": email, "return_url": "https://example.com/return" });
    let payment = shop.act("payment_intent.create", pay).await;
    let refund = shop.act("refund.create", json!({ "payment_intent": payment["id"], "amount": 5 })).await;
    let subscribe = json!({ "customer": customer, "items": [{ "price": price }], "metadata": { "who": email } });
    let subscription = shop.act("subscription.create", subscribe).await;
    let invoice_item = json!({ "customer": customer, "amount": 500, "currency": "usd", "description": email });
    let invoice_item = id(&shop.act("invoice_item.create", invoice_item).await);
    let quote = json!({ "customer": customer, "line_items": [{ "price": price }], "description": email });
    Belongings {
        payment: id(&payment),
        charge: payment["latest_charge"].as_str().unwrap().to_owned(),
        refund: id(&refund),
        item: id(&subscription["items"]["data"][0]),
        invoice: subscription["latest_invoice"].as_str().unwrap().to_owned(),
        subscription: id(&subscription),
        setup: id(&shop.act("setup_intent.create", json!({ "customer": customer, "description": email })).await),
        quote: id(&shop.act("quote.create", quote).await),
        invoice_item,
        customer,
        card,
    }
}

async fn price(shop: &Shop) -> String {
    let product = shop.act("product.create", json!({ "name": "Plan" })).await;
    let price = json!({ "product": product["id"], "unit_amount": 900, "currency": "usd", "recurring": { "interval": "month" } });
    id(&shop.act("price.create", price).await)
}

/// A way: the operation, its input, and whether it is an action.
type Way = (String, Value, bool);

/// A kind of object, the field that takes its id, the id, and the queries and actions that are about it.
type About<'a> = (&'a str, &'a str, &'a str, &'a [&'a str], &'a [(&'a str, Value)]);

/// Ways by one object's id: with the operations that are about it.
fn by_object(other: &Belongings, mine: &Belongings) -> Vec<Way> {
    let objects: &[About<'_>] = &[
        (
            "customer",
            "customer",
            &other.customer,
            &["retrieve"],
            &[("update", json!({ "name": "x" })), ("delete", json!({}))],
        ),
        (
            "payment_intent",
            "payment_intent",
            &other.payment,
            &["retrieve"],
            &[
                ("update", json!({ "description": "x" })),
                ("confirm", json!({})),
                ("capture", json!({})),
                ("cancel", json!({})),
            ],
        ),
        (
            "charge",
            "charge",
            &other.charge,
            &["retrieve"],
            &[("update", json!({ "description": "x" })), ("capture", json!({}))],
        ),
        (
            "refund",
            "refund",
            &other.refund,
            &["retrieve"],
            &[("update", json!({ "metadata": { "a": "b" } })), ("cancel", json!({}))],
        ),
        (
            "subscription",
            "subscription",
            &other.subscription,
            &["retrieve"],
            &[
                ("update", json!({ "cancel_at_period_end": true })),
                ("pause", json!({})),
                ("resume", json!({})),
                ("cancel", json!({})),
                ("cancel", json!({ "at_period_end": true })),
            ],
        ),
        (
            "subscription_item",
            "subscription_item",
            &other.item,
            &[],
            &[("update", json!({ "quantity": 5 })), ("delete", json!({}))],
        ),
        (
            "invoice",
            "invoice",
            &other.invoice,
            &["retrieve", "list_lines"],
            &[
                ("update", json!({ "description": "x" })),
                ("finalize", json!({})),
                ("send", json!({})),
                ("pay", json!({})),
                ("void", json!({})),
                ("mark_uncollectible", json!({})),
                ("delete", json!({})),
            ],
        ),
        (
            "invoice_item",
            "invoice_item",
            &other.invoice_item,
            &["retrieve"],
            &[("update", json!({ "description": "x" })), ("delete", json!({}))],
        ),
        (
            "setup_intent",
            "setup_intent",
            &other.setup,
            &["retrieve"],
            &[("confirm", json!({ "payment_method": mine.card })), ("cancel", json!({}))],
        ),
        (
            "payment_method",
            "payment_method",
            &other.card,
            &["retrieve"],
            &[
                ("attach", json!({ "customer": mine.customer })),
                ("attach", json!({ "customer": other.customer })),
                ("detach", json!({})),
            ],
        ),
        (
            "quote",
            "quote",
            &other.quote,
            &["retrieve", "pdf"],
            &[("finalize", json!({})), ("accept", json!({})), ("cancel", json!({}))],
        ),
    ];
    let mut ways = Vec::new();
    for (resource, field, object, queries, actions) in objects {
        for name in *queries {
            ways.push((format!("{resource}.{name}"), json!({ *field: object }), false));
        }
        for (name, more) in *actions {
            let mut input = more.clone();
            input[*field] = json!(object);
            ways.push((format!("{resource}.{name}"), input, true));
        }
    }
    ways
}

/// The same through the whole API, by paths.
fn by_path(other: &Belongings, mine: &Belongings) -> Vec<Way> {
    let Belongings { customer, payment, charge, refund, subscription, item, invoice, invoice_item, setup, card, quote } =
        other;
    let mut ways = Vec::new();
    for path in [
        format!("/v1/customers/{customer}"),
        format!("/v1/customers/{customer}/payment_methods"),
        format!("/v1/customers/{customer}/payment_methods/{card}"),
        format!("/v1/customers/{customer}/balance_transactions"),
        format!("/v1/customers/{customer}/cash_balance"),
        format!("/v1/customers/{customer}/tax_ids"),
        format!("/v1/customers/{}/payment_methods/../../{customer}", mine.customer),
        format!("/v1/customers/{}%2F..%2F{customer}", mine.customer),
        format!("/v1/payment_intents/{payment}"),
        format!("/v1/payment_intents/{payment}/amount_details_line_items"),
        format!("/v1/charges/{charge}"),
        format!("/v1/charges/{charge}/refunds"),
        format!("/v1/charges/{charge}/refunds/{refund}"),
        format!("/v1/refunds/{refund}"),
        format!("/v1/subscriptions/{subscription}"),
        format!("/v1/subscription_items/{item}"),
        format!("/v1/invoices/{invoice}"),
        format!("/v1/invoices/{invoice}/lines"),
        format!("/v1/invoiceitems/{invoice_item}"),
        format!("/v1/setup_intents/{setup}"),
        format!("/v1/payment_methods/{card}"),
        format!("/v1/quotes/{quote}"),
        format!("/v1/quotes/{quote}/line_items"),
        "/v1/customers".to_owned(),
        "/v1/customers/search".to_owned(),
        "/v1/payment_intents".to_owned(),
        "/v1/charges".to_owned(),
        "/v1/refunds".to_owned(),
        "/v1/subscriptions".to_owned(),
        "/v1/invoices".to_owned(),
        "/v1/invoiceitems".to_owned(),
        "/v1/setup_intents".to_owned(),
        "/v1/payment_methods".to_owned(),
        "/v1/quotes".to_owned(),
        "/v1/events".to_owned(),
        "/v1/balance_transactions".to_owned(),
        "/v1/checkout/sessions".to_owned(),
        "/v1/credit_notes".to_owned(),
        "/v1/disputes".to_owned(),
        "/v1/payouts".to_owned(),
        "/v1/subscription_schedules".to_owned(),
        "/v1/promotion_codes".to_owned(),
        "/v1/files".to_owned(),
        "/v1/setup_attempts".to_owned(),
        "/v1/reviews".to_owned(),
        "/v1/webhook_endpoints".to_owned(),
        "/v1/invoice_payments".to_owned(),
    ] {
        let params = match path.as_str() {
            "/v1/customers/search" => json!({ "query": "email~'mallory'" }),
            "/v1/setup_attempts" => json!({ "setup_intent": setup }),
            _ => json!({}),
        };
        ways.push(("api.read".to_owned(), json!({ "method": "GET", "path": path, "params": params }), false));
    }
    for (method, path) in [
        ("POST", format!("/v1/customers/{customer}")),
        ("DELETE", format!("/v1/customers/{customer}")),
        ("POST", format!("/v1/customers/{customer}/funding_instructions")),
        ("DELETE", format!("/v1/customers/{customer}/discount")),
        ("POST", format!("/v1/payment_intents/{payment}")),
        ("POST", format!("/v1/payment_intents/{payment}/cancel")),
        ("POST", format!("/v1/charges/{charge}")),
        ("POST", format!("/v1/charges/{charge}/refund")),
        ("POST", format!("/v1/charges/{charge}/refunds")),
        ("DELETE", format!("/v1/subscriptions/{subscription}")),
        ("POST", format!("/v1/subscriptions/{subscription}/resume")),
        ("DELETE", format!("/v1/subscriptions/{subscription}/discount")),
        ("DELETE", format!("/v1/subscription_items/{item}")),
        ("POST", format!("/v1/invoices/{invoice}/pay")),
        ("POST", format!("/v1/invoices/{invoice}/void")),
        ("DELETE", format!("/v1/invoiceitems/{invoice_item}")),
        ("POST", format!("/v1/setup_intents/{setup}/cancel")),
        ("POST", format!("/v1/payment_methods/{card}/detach")),
        ("POST", format!("/v1/payment_methods/{card}")),
        ("POST", format!("/v1/quotes/{quote}/accept")),
    ] {
        let params = match path.as_str() {
            path if path.ends_with("funding_instructions") => {
                json!({ "currency": "eur", "funding_type": "bank_transfer", "bank_transfer": { "type": "eu_bank_transfer" } })
            }
            _ => json!({}),
        };
        ways.push(("api.write".to_owned(), json!({ "method": method, "path": path, "params": params }), true));
    }
    ways
}

/// By fields, at the top and within, next to what is the caller's own.
fn by_field(other: &Belongings, mine: &Belongings, price: &str) -> Vec<Way> {
    let items = json!([{ "price": price }]);
    let actions = [
        ("payment_intent.create", json!({ "amount": 5, "currency": "usd", "customer": other.customer })),
        (
            "payment_intent.create",
            json!({ "amount": 5, "currency": "usd", "customer": mine.customer, "payment_method": other.card }),
        ),
        ("payment_intent.create", json!({ "amount": 5, "currency": "usd", "payment_method": other.card })),
        ("payment_intent.create", json!({ "amount": 5, "currency": "usd" })),
        (
            "payment_intent.create",
            json!({ "amount": 5, "currency": "usd", "customer": mine.customer, "description": format!("as {}", other.customer) }),
        ),
        (
            "payment_intent.create",
            json!({ "amount": 5, "currency": "usd", "customer": mine.customer, "metadata": { "for": other.customer } }),
        ),
        (
            "payment_intent.create",
            json!({ "amount": 5, "currency": "usd", "customer": format!(" {} ", other.customer) }),
        ),
        ("payment_intent.update", json!({ "payment_intent": mine.payment, "customer": other.customer })),
        ("payment_intent.update", json!({ "payment_intent": mine.payment, "payment_method": other.card })),
        ("stripe-create-payment-intent", json!({ "amount": 5, "customerId": other.customer })),
        ("stripe.payment-intent.create", json!({ "amount": 5, "currency": "usd", "customer": other.customer })),
        ("create_payment_intent", json!({ "amount": 5, "currency": "usd", "customer": other.customer })),
        ("refund.create", json!({ "payment_intent": other.payment })),
        ("refund.create", json!({ "charge": other.charge })),
        ("refund.create", json!({ "charge": other.charge, "metadata": { "customer": mine.customer } })),
        (
            "refund.create",
            json!({ "origin": "customer_balance", "customer": other.customer, "currency": "usd", "amount": 5 }),
        ),
        ("stripe.refund.create", json!({ "paymentIntent": other.payment })),
        ("stripe.refund.create", json!({ "charge": other.charge, "amount": 5 })),
        ("create_refund", json!({ "payment_intent": other.payment })),
        ("subscription.create", json!({ "customer": other.customer, "items": items })),
        (
            "subscription.create",
            json!({ "customer": mine.customer, "items": items, "default_payment_method": other.card }),
        ),
        (
            "subscription.create",
            json!({ "customer": mine.customer, "items": items, "transfer_data": { "destination": "acct_1Other9" } }),
        ),
        ("stripe-create-subscription", json!({ "customerId": other.customer, "priceId": price })),
        ("stripe.subscription.cancel", json!({ "subscription": other.subscription })),
        ("subscription_item.create", json!({ "subscription": other.subscription, "price": price })),
        ("invoice.create", json!({ "customer": other.customer })),
        ("invoice.create", json!({ "customer": mine.customer, "subscription": other.subscription })),
        ("invoice.create", json!({ "customer": mine.customer, "default_payment_method": other.card })),
        ("invoice.create", json!({ "from_invoice": { "invoice": other.invoice, "action": "revision" } })),
        ("invoice.pay", json!({ "invoice": mine.invoice, "payment_method": other.card })),
        ("invoice_item.create", json!({ "customer": other.customer, "amount": 5, "currency": "usd" })),
        (
            "invoice_item.create",
            json!({ "customer": mine.customer, "invoice": other.invoice, "amount": 5, "currency": "usd" }),
        ),
        (
            "invoice_item.create",
            json!({ "customer": mine.customer, "subscription": other.subscription, "amount": 5, "currency": "usd" }),
        ),
        ("credit_note.create", json!({ "invoice": other.invoice, "amount": 5 })),
        ("setup_intent.create", json!({ "customer": other.customer })),
        ("setup_intent.create", json!({ "customer": mine.customer, "payment_method": other.card })),
        ("setup_intent.create", json!({})),
        ("quote.create", json!({ "customer": other.customer, "line_items": items })),
        ("quote.create", json!({ "customer": mine.customer, "from_quote": { "quote": other.quote } })),
        (
            "checkout_session.create",
            json!({ "mode": "payment", "customer": other.customer, "line_items": items, "success_url": "https://example.com" }),
        ),
        (
            "checkout_session.create",
            json!({ "mode": "payment", "line_items": items, "success_url": "https://example.com" }),
        ),
        ("checkout", json!({ "price_id": price, "mode": "subscription" })),
        ("billing_portal_session.create", json!({ "customer": other.customer, "return_url": "https://example.com" })),
        ("subscription_schedule.create", json!({ "customer": other.customer, "phases": [{ "items": items }] })),
        ("subscription_schedule.create", json!({ "from_subscription": other.subscription })),
        (
            "promotion_code.create",
            json!({ "promotion": { "type": "coupon", "coupon": "free" }, "customer": other.customer }),
        ),
        ("customer.create", json!({ "email": MARK })),
        (
            "customer.update",
            json!({ "customer": mine.customer, "invoice_settings": { "default_payment_method": other.card } }),
        ),
        ("payment_method.attach", json!({ "payment_method": "pm_card_visa", "customer": other.customer })),
        ("product.create", json!({ "name": "x" })),
        ("payout.create", json!({ "amount": 5, "currency": "usd" })),
        ("webhook_endpoint.create", json!({ "url": "https://example.com/hook", "enabled_events": ["*"] })),
        ("v1.customers.update", json!({ "customer": other.customer, "name": "x" })),
        ("v1.refunds.create", json!({ "charge": other.charge })),
        ("v1.payment_intents.create", json!({ "amount": 5, "currency": "usd", "customer": other.customer })),
        ("api.write", json!({ "operation": "refund.create", "input": { "charge": other.charge } })),
        (
            "api.write",
            json!({ "operation": "v1.subscriptions.create", "input": { "customer": other.customer, "items": items } }),
        ),
        (
            "api.write",
            json!({ "operation": "stripe-create-payment-intent", "input": { "amount": 5, "customerId": other.customer } }),
        ),
    ];
    let queries = [
        ("customer.list", json!({})),
        ("customer.list", json!({ "email": MARK })),
        ("stripe.customer.list", json!({ "metadata": { "a": "b" } })),
        ("customer.list", json!({ "starting_after": mine.customer })),
        ("payment_intent.list", json!({})),
        ("payment_intent.list", json!({ "customer": other.customer })),
        ("payment_intent.list", json!({ "customer": mine.customer, "starting_after": other.payment })),
        ("payment_intent.list", json!({ "customer": mine.customer, "ending_before": other.payment })),
        ("charge.list", json!({})),
        ("charge.list", json!({ "customer": other.customer })),
        ("charge.list", json!({ "payment_intent": other.payment })),
        ("stripe.charge.list", json!({ "customer": other.customer })),
        ("stripe.charge.list", json!({ "status": "succeeded" })),
        ("stripe.charge.get", json!({ "charge": other.charge })),
        ("refund.list", json!({})),
        ("refund.list", json!({ "charge": other.charge })),
        ("refund.list", json!({ "payment_intent": other.payment })),
        ("dispute.list", json!({})),
        ("dispute.list", json!({ "charge": other.charge })),
        ("subscription.list", json!({})),
        ("subscription.list", json!({ "customer": other.customer })),
        ("subscription.list", json!({ "price": price })),
        ("subscription.list", json!({ "status": "all" })),
        ("subscription_item.list", json!({ "subscription": other.subscription })),
        ("invoice.list", json!({})),
        ("invoice.list", json!({ "customer": other.customer })),
        ("invoice.list", json!({ "subscription": other.subscription })),
        ("invoice.list_lines", json!({ "invoice": other.invoice })),
        ("invoice.preview", json!({ "customer": other.customer })),
        ("invoice.preview", json!({ "subscription": other.subscription })),
        ("invoice.preview", json!({ "customer": mine.customer, "subscription": other.subscription })),
        ("invoice_item.list", json!({})),
        ("invoice_item.list", json!({ "customer": other.customer })),
        ("invoice_item.list", json!({ "invoice": other.invoice })),
        ("payment_method.list", json!({ "customer": other.customer })),
        ("payment_method.list", json!({ "type": "card" })),
        ("setup_intent.list", json!({})),
        ("setup_intent.list", json!({ "customer": other.customer })),
        ("setup_intent.list", json!({ "customer": mine.customer, "payment_method": other.card })),
        ("quote.list", json!({})),
        ("quote.list", json!({ "customer": other.customer })),
        ("checkout_session.list", json!({})),
        ("checkout_session.list", json!({ "customer": other.customer })),
        ("checkout_session.list", json!({ "payment_intent": other.payment })),
        ("credit_note.list", json!({ "customer": other.customer })),
        ("credit_note.list", json!({ "invoice": other.invoice })),
        ("event.list", json!({})),
        ("event.list", json!({ "type": "customer.created" })),
        ("balance_transaction.list", json!({})),
        ("balance_transaction.list", json!({ "source": other.charge })),
        ("payout.list", json!({})),
        ("webhook_endpoint.list", json!({})),
        ("account.retrieve_own", json!({})),
        ("get_balance", json!({})),
        ("v1.customers.list", json!({})),
        ("v1.charges.list", json!({ "customer": other.customer })),
        ("api.read", json!({ "operation": "charge.list", "input": { "customer": other.customer } })),
        ("api.read", json!({ "operation": "GET /v1/charges", "input": { "customer": other.customer } })),
        ("api.read", json!({ "operation": format!("GET /v1/customers/{}", other.customer) })),
        ("api.read", json!({ "operation": "stripe.charge.get", "input": { "charge": other.charge } })),
    ];
    let owned = |(name, input, action): (&str, Value, bool)| (name.to_owned(), input, action);
    let actions = actions.into_iter().map(|(name, input)| owned((name, input, true)));
    actions.chain(queries.into_iter().map(|(name, input)| owned((name, input, false)))).collect()
}

/// By searches.
fn by_search(other: &Belongings, mine: &Belongings) -> Vec<Way> {
    let mut ways = Vec::new();
    for resource in ["payment_intent", "charge", "invoice", "subscription"] {
        for query in [
            format!("customer:'{}'", other.customer),
            format!("customer:'{}' OR customer:'{}'", mine.customer, other.customer),
            format!("customer:'{}' OR created>0", mine.customer),
            format!("-customer:'{}'", mine.customer),
            "created>0".to_owned(),
            format!("metadata['a']:\"x AND customer:'{}' AND y\" OR created>0", mine.customer),
        ] {
            ways.push((format!("{resource}.search"), json!({ "query": query }), false));
        }
    }
    for query in
        [format!("email:'{MARK}'"), format!("name~'mallory' AND -name:'{}'", mine.customer), "created>0".to_owned()]
    {
        ways.push(("customer.search".to_owned(), json!({ "query": query }), false));
    }
    ways
}

async fn pinned(shop: &Shop, customer: &str) -> Guarded {
    shop.behind(&format!("customer = \"{customer}\"")).await
}

#[tokio::test]
async fn two_hundred_ways_to_reach_another_customer_reach_none() {
    let shop = Shop::open().await;
    let price = price(&shop).await;
    let mine = belongings(&shop, "jenny@mine.example", &price).await;
    let other = belongings(&shop, MARK, &price).await;
    let guarded = pinned(&shop, &mine.customer).await;
    let ways =
        [by_object(&other, &mine), by_path(&other, &mine), by_field(&other, &mine, &price), by_search(&other, &mine)];
    let ways = ways.concat();
    let (before, mut refusals) = (shop.acted(), 0);
    let mut through = Vec::new();
    for (operation, input, action) in &ways {
        match run(&guarded, &shop.fresh(), operation, input, *action).await {
            Err(Stopped::Denied(_) | Stopped::Withheld { acted: false, .. }) => refusals += 1,
            // Refused by the connector itself, before anything was sent.
            Err(Stopped::Failed(error))
                if error.report().requests.is_empty() && !format!("{error:?}").contains(MARK) => {}
            ended => through.push(format!("{operation} {input}: {ended:?}")),
        }
    }
    assert!(through.is_empty(), "{} of {} went through:\n{}", through.len(), ways.len(), through.join("\n"));
    assert!(refusals >= 200, "only {refusals} of {} ways were refused by the guard", ways.len());
    assert_eq!(shop.acted(), before, "something was changed");
}

#[tokio::test]
async fn the_callers_own_customer_is_served() {
    let shop = Shop::open().await;
    let price = price(&shop).await;
    let mine = belongings(&shop, "jenny@mine.example", &price).await;
    belongings(&shop, MARK, &price).await;
    let guarded = pinned(&shop, &mine.customer).await;
    let Belongings { customer, payment, charge, refund, subscription, item, invoice, card, .. } = &mine;
    for (operation, input, action) in [
        ("customer.retrieve", json!({ "customer": customer }), false),
        ("customer.update", json!({ "customer": customer, "name": "Jenny" }), true),
        ("payment_intent.list", json!({ "customer": customer }), false),
        (
            "payment_intent.retrieve",
            json!({ "payment_intent": payment, "expand": ["latest_charge", "customer"] }),
            false,
        ),
        (
            "payment_intent.create",
            json!({ "amount": 50, "currency": "usd", "customer": customer, "payment_method": card }),
            true,
        ),
        ("charge.retrieve", json!({ "charge": charge }), false),
        ("refund.retrieve", json!({ "refund": refund }), false),
        ("refund.create", json!({ "charge": charge, "amount": 5 }), true),
        ("stripe.refund.create", json!({ "paymentIntent": payment, "amount": 5 }), true),
        ("subscription_item.update", json!({ "subscription_item": item, "quantity": 2 }), true),
        ("subscription_item.list", json!({ "subscription": subscription }), false),
        ("invoice.retrieve", json!({ "invoice": invoice }), false),
        ("invoice.list", json!({ "customer": customer, "starting_after": invoice }), false),
        ("subscription.cancel", json!({ "subscription": subscription, "at_period_end": true }), true),
        ("subscription.resume", json!({ "subscription": subscription }), true),
        ("payment_intent.search", json!({ "query": format!("customer:'{customer}' AND created>0") }), false),
        ("product.list", json!({}), false),
        ("price.retrieve", json!({ "price": price }), false),
        ("api.read", json!({ "method": "GET", "path": format!("/v1/customers/{customer}/payment_methods") }), false),
        ("api.search", json!({ "words": "refund" }), false),
    ] {
        let ended = run(&guarded, &shop.fresh(), operation, &input, action).await;
        assert!(ended.as_ref().is_ok_and(|answer| !answer.contains(MARK)), "{operation} {input}: {ended:?}");
    }
    assert!(guarded.test_connection(&shop.fresh()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_operation_reaches_nobody_either() {
    let shop = Shop::open().await;
    let price = price(&shop).await;
    let mine = belongings(&shop, "jenny@mine.example", &price).await;
    let guarded = pinned(&shop, &mine.customer).await;
    let call = shop.fresh();
    let uses = || vec![TriggerUse::every("customer.created")];
    refused(guarded.poll(&call, uses(), None).await);
    refused(guarded.recent(&call, uses().remove(0), 5).await);
    refused(guarded.subscribe(&call, SubscriptionRequest::new("https://example.com/hook", uses())).await);
    refused(guarded.load(&call, uses(), "{}").await);
    for resource in ["customer", "payment_intent", "subscription"] {
        refused(guarded.choices(&call, ChoiceRequest::of(resource)).await);
    }
    let of_product = guarded.choices(&call, ChoiceRequest::of("product")).await;
    assert!(of_product.is_ok(), "{of_product:?}");
}
