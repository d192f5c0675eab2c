//! Disputes, payouts, transfers, and what else moves money or leads to it.

use crate::stripe::{Answer, Stripe};
use serde_json::{Value, json};

async fn pay(stripe: &Stripe, card: &str, amount: &str) -> Answer {
    let form = [("amount", amount), ("currency", "usd"), ("payment_method", card), ("confirm", "true")];
    stripe.make("/v1/payment_intents", &form).await
}

async fn available(stripe: &Stripe) -> i64 {
    stripe.get("/v1/balance", &[]).await.body["available"][0]["amount"].as_i64().unwrap()
}

#[tokio::test]
async fn a_dispute_is_answered_won_lost_and_given_up() {
    let stripe = Stripe::start().await;
    for (evidence, outcome) in [("winning_evidence", "won"), ("losing_evidence", "lost")] {
        let intent = pay(&stripe, "pm_card_createDispute", "5000").await.id();
        let list = stripe.get("/v1/disputes", &[("payment_intent", &intent)]).await;
        let path = format!("/v1/disputes/{}", list.ids()[0]);
        let dispute = &list.body["data"][0];
        assert_eq!((&dispute["status"], &dispute["amount"]), (&json!("needs_response"), &json!(5000)));
        assert_eq!(dispute["balance_transactions"][0]["net"], -6500);
        let draft = [("evidence[product_description]", "A book"), ("submit", "false")];
        assert_eq!(stripe.make(&path, &draft).await.body["status"], "needs_response");
        let answered = stripe.make(&path, &[("evidence[uncategorized_text]", evidence)]).await;
        assert_eq!(answered.body["status"], outcome);
        assert_eq!(stripe.post(&path, &[("evidence[receipt]", "file_1")]).await.status, 400);
    }
    let events = stripe.events().await;
    for kind in ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"] {
        assert_eq!(events.iter().filter(|e| *e == kind).count(), 2, "{kind}");
    }
    assert_eq!(events.iter().filter(|e| *e == "charge.dispute.funds_reinstated").count(), 1);
    let intent = pay(&stripe, "pm_card_createDisputeInquiry", "5000").await.id();
    let list = stripe.get("/v1/disputes", &[("payment_intent", &intent)]).await;
    assert_eq!(list.body["data"][0]["status"], "warning_needs_response");
    let closed = stripe.make(&format!("/v1/disputes/{}/close", list.ids()[0]), &[]).await;
    assert_eq!(closed.body["status"], "warning_closed");
}

#[tokio::test]
async fn a_disputed_charge_is_not_refunded_before_the_dispute_is_won() {
    let stripe = Stripe::start().await;
    let intent = pay(&stripe, "pm_card_createDisputeProductNotReceived", "5000").await;
    let refund = [("payment_intent", intent.id())];
    let refund: Vec<(&str, &str)> = refund.iter().map(|(k, v)| (*k, v.as_str())).collect();
    assert_eq!(stripe.post("/v1/refunds", &refund).await.error()["code"], "charge_disputed");
    let list = stripe.get("/v1/disputes", &refund).await;
    let dispute = &list.body["data"][0];
    assert_eq!((&dispute["reason"], &dispute["network_reason_code"]), (&json!("product_not_received"), &json!("13.1")));
    let expected = [
        "payment_intent.created",
        "charge.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
    ];
    assert_eq!(stripe.events().await, expected);
    let path = format!("/v1/disputes/{}", list.ids()[0]);
    stripe.make(&path, &[("evidence[uncategorized_text]", "winning_evidence")]).await;
    assert_eq!(stripe.make("/v1/refunds", &refund).await.body["status"], "succeeded");
    assert_eq!(stripe.post(&format!("{path}/close"), &[]).await.error()["message"], "This dispute is already closed");
}

#[tokio::test]
async fn an_inquiry_is_escalated_and_a_warning_is_acted_on() {
    let stripe = Stripe::start().await;
    let intent = pay(&stripe, "pm_card_createDisputeInquiry", "5000").await.id();
    let before = available(&stripe).await;
    let list = stripe.get("/v1/disputes", &[("payment_intent", &intent)]).await;
    let path = format!("/v1/disputes/{}", list.ids()[0]);
    let escalated = stripe.make(&path, &[("evidence[uncategorized_text]", "escalate_inquiry_evidence")]).await.body;
    assert_eq!((&escalated["status"], &escalated["is_charge_refundable"]), (&json!("needs_response"), &json!(false)));
    assert_eq!(escalated["payment_method_details"]["card"]["case_type"], "chargeback");
    assert_eq!(available(&stripe).await, before - 6500);

    let intent = pay(&stripe, "pm_card_createIssuerFraudRecord", "5000").await.id();
    let warnings = stripe.get("/v1/radar/early_fraud_warnings", &[("payment_intent", &intent)]).await;
    assert_eq!(warnings.body["data"][0]["actionable"], true);
    assert!(stripe.get("/v1/disputes", &[("payment_intent", &intent)]).await.ids().is_empty());
    stripe.make("/v1/refunds", &[("payment_intent", &intent)]).await;
    let path = format!("/v1/radar/early_fraud_warnings/{}", warnings.ids()[0]);
    assert_eq!(stripe.get(&path, &[]).await.body["actionable"], false);
    let events = stripe.events().await;
    let told = events.iter().filter(|e| e.starts_with("radar")).collect::<Vec<_>>();
    assert_eq!(told, ["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"]);
}

#[tokio::test]
async fn payouts_and_transfers_need_the_money() {
    let stripe = Stripe::start().await;
    let form = [("amount", "1000"), ("currency", "usd")];
    assert_eq!(stripe.post("/v1/payouts", &form).await.error()["code"], "balance_insufficient");
    pay(&stripe, "pm_card_bypassPending", "10000").await;
    let before = available(&stripe).await;
    let payout = stripe.make("/v1/payouts", &form).await;
    assert_eq!((&payout.body["status"], available(&stripe).await), (&json!("pending"), before - 1000));
    stripe.make(&format!("/v1/payouts/{}/cancel", payout.id()), &[]).await;
    assert_eq!(available(&stripe).await, before);
    let connected = stripe.make("/v1/accounts", &[("type", "custom"), ("country", "US")]).await.id();
    let nobody = [("amount", "500"), ("currency", "usd"), ("destination", "acct_nobody")];
    assert_eq!(stripe.post("/v1/transfers", &nobody).await.error()["param"], "destination");
    let form = [("amount", "500"), ("currency", "usd"), ("destination", connected.as_str())];
    let transfer = stripe.make("/v1/transfers", &form).await;
    let path = format!("/v1/transfers/{}", transfer.id());
    let back = stripe.make(&format!("{path}/reversals"), &[("amount", "200")]).await;
    assert_eq!(back.body["transfer"], transfer.body["id"]);
    assert_eq!(stripe.post(&format!("{path}/reversals"), &[("amount", "400")]).await.status, 400);
    let now = stripe.get(&path, &[]).await.body;
    assert_eq!((&now["amount_reversed"], &now["reversed"]), (&json!(200), &json!(false)));
    assert_eq!(available(&stripe).await, before - 300);
    let kinds = stripe.get("/v1/balance_transactions", &[]).await.types();
    assert_eq!(kinds, ["transfer_refund", "transfer", "payout_cancel", "payout", "charge"]);
}

#[tokio::test]
async fn charges_are_made_of_tokens_and_cards() {
    let stripe = Stripe::start().await;
    let form = [("amount", "900"), ("currency", "usd"), ("source", "tok_visa"), ("capture", "false")];
    let held = stripe.make("/v1/charges", &form).await;
    assert_eq!((&held.body["captured"], &held.body["payment_intent"]), (&json!(false), &json!(null)));
    let path = format!("/v1/charges/{}/capture", held.id());
    let taken = stripe.make(&path, &[("amount", "700")]).await;
    assert_eq!(taken.body["amount_captured"], 700);
    assert_eq!(stripe.post(&path, &[]).await.error()["code"], "charge_already_captured");
    let customer = stripe.make("/v1/customers", &[("source", "tok_mastercard")]).await;
    let card = customer.body["default_source"].as_str().unwrap();
    let sources = stripe.get(&format!("/v1/customers/{}/sources", customer.id()), &[]).await;
    assert_eq!(sources.ids(), [card]);
    let form = [("amount", "900"), ("currency", "usd"), ("customer", &customer.id())];
    assert_eq!(stripe.make("/v1/charges", &form).await.body["payment_method_details"]["card"]["brand"], "mastercard");
    let form = [("amount", "900"), ("currency", "usd"), ("source", "tok_chargeDeclined")];
    let declined = stripe.post("/v1/charges", &form).await;
    assert_eq!((declined.status, &declined.error()["code"]), (402, &json!("card_declined")));
}

#[tokio::test]
async fn an_accepted_quote_is_a_subscription_or_an_invoice() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let monthly = stripe.monthly("1500").await;
    let form = [("currency", "usd"), ("unit_amount", "700"), ("product_data[name]", "Setup")];
    let once = stripe.make("/v1/prices", &form).await.id();
    for (price, field) in [(monthly, "subscription"), (once, "invoice")] {
        let form =
            [("customer", customer.as_str()), ("line_items[0][price]", &price), ("line_items[0][quantity]", "2")];
        let quote = stripe.make("/v1/quotes", &form).await;
        let path = format!("/v1/quotes/{}", quote.id());
        assert_eq!(stripe.post(&format!("{path}/accept"), &[]).await.status, 400);
        let open = stripe.make(&format!("{path}/finalize"), &[]).await;
        assert_eq!((&open.body["status"], open.body["number"].is_string()), (&json!("open"), true));
        let items = stripe.get(&format!("{path}/line_items"), &[]).await;
        assert_eq!(items.body["data"][0]["quantity"], 2);
        let accepted = stripe.make(&format!("{path}/accept"), &[]).await;
        assert!(accepted.body[field].is_string(), "{}", accepted.text);
        assert_eq!(stripe.post(&format!("{path}/cancel"), &[]).await.status, 400);
    }
}

#[tokio::test]
async fn links_lead_to_pages() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let monthly = stripe.monthly("1500").await;
    let form = [("line_items[0][price]", monthly.as_str()), ("line_items[0][quantity]", "1")];
    let link = stripe.make("/v1/payment_links", &form).await;
    let opened = stripe.send("GET", link.body["url"].as_str().unwrap(), &[], "").await;
    assert_eq!(opened.status, 303);
    let page = opened.header("location").to_owned();
    let paid = stripe.submit(&page, &[("card", "pm_card_visa"), ("email", "x@y.example")]).await;
    assert_eq!(paid.status, 303, "{}", paid.text);
    let sessions = stripe.get("/v1/checkout/sessions", &[("payment_link", &link.id())]).await;
    assert_eq!(sessions.body["data"][0]["status"], "complete");
    stripe.make(&format!("/v1/payment_links/{}", link.id()), &[("active", "false")]).await;
    assert_eq!(stripe.send("GET", link.body["url"].as_str().unwrap(), &[], "").await.status, 404);

    let form = [("customer", customer.as_str()), ("items[0][price]", &monthly)];
    let subscription = stripe.make("/v1/subscriptions", &form).await.id();
    let form = [("customer", customer.as_str()), ("return_url", "https://shop.example")];
    let portal = stripe.make("/v1/billing_portal/sessions", &form).await.body["url"].as_str().unwrap().to_owned();
    assert!(stripe.send("GET", &portal, &[], "").await.text.contains(&subscription));
    stripe.submit(&portal, &[("cancel", &subscription)]).await;
    let now = stripe.get(&format!("/v1/subscriptions/{subscription}"), &[]).await;
    assert_eq!(now.body["cancel_at_period_end"], true);
}

#[tokio::test]
async fn a_session_takes_discounts() {
    let stripe = Stripe::start().await;
    let coupon = stripe.make("/v1/coupons", &[("percent_off", "50"), ("duration", "once")]).await.id();
    let monthly = stripe.monthly("1500").await;
    let form = [
        ("mode", "subscription"),
        ("success_url", "https://shop.example"),
        ("line_items[0][price]", monthly.as_str()),
        ("line_items[0][quantity]", "1"),
        ("discounts[0][coupon]", coupon.as_str()),
    ];
    let session = stripe.make("/v1/checkout/sessions", &form).await;
    assert_eq!((&session.body["amount_subtotal"], &session.body["amount_total"]), (&json!(1500), &json!(750)));
    stripe.submit(session.body["url"].as_str().unwrap(), &[("card", "pm_card_visa"), ("email", "x@y.example")]).await;
    let paid = stripe.get(&format!("/v1/checkout/sessions/{}", session.id()), &[("expand[]", "invoice")]).await;
    assert_eq!((&paid.body["status"], &paid.body["invoice"]["total"]), (&json!("complete"), &json!(750)));
}

#[tokio::test]
async fn what_has_no_behaviour_is_kept_all_the_same() {
    let stripe = Stripe::start().await;
    let made = stripe.make("/v1/topups", &[("amount", "2000"), ("currency", "usd")]).await;
    let path = format!("/v1/topups/{}", made.id());
    assert_eq!(stripe.get(&path, &[]).await.body["amount"], 2000);
    let changed = stripe.make(&path, &[("metadata[a]", "b")]).await;
    assert_eq!(changed.body["metadata"]["a"], "b");
    assert_eq!(stripe.get("/v1/topups", &[]).await.ids(), [made.id()]);
    assert_eq!(stripe.make(&format!("{path}/cancel"), &[]).await.body["status"], "canceled");
    assert_eq!(stripe.events().await, ["topup.created", "topup.canceled"]);
    let domain = stripe.make("/v1/apple_pay/domains", &[("domain_name", "example.com")]).await.id();
    assert_eq!(stripe.get("/v1/apple_pay/domains", &[]).await.ids(), [domain]);
}

#[tokio::test]
async fn what_has_no_behaviour_looks_like_stripes() {
    let stripe = Stripe::start().await;
    let text = |answer: &Answer, name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let key = stripe.make("/v1/ephemeral_keys", &[("customer", &customer)]).await;
    assert!(key.id().starts_with("ephkey_") && text(&key, "secret").starts_with("ek_test_"), "{}", key.text);
    let session = [("customer", customer.as_str()), ("components[buy_button][enabled]", "true")];
    let session = stripe.make("/v1/customer_sessions", &session).await;
    assert!(text(&session, "client_secret").starts_with("cuss_secret_"), "{}", session.text);
    let token = stripe.make("/v1/terminal/connection_tokens", &[]).await;
    assert!(text(&token, "secret").starts_with("pst_test_"), "{}", token.text);
    let again = stripe.make("/v1/terminal/connection_tokens", &[]).await;
    assert_ne!(text(&token, "secret"), text(&again, "secret"));
    let check = stripe.make("/v1/identity/verification_sessions", &[("type", "document")]).await;
    assert!(text(&check, "client_secret").starts_with(&format!("{}_secret_test_", check.id())), "{}", check.text);
    assert_eq!(stripe.send("GET", &text(&check, "url"), &[], "").await.status, 200);
    let holder = [
        ("name", "Jo"),
        ("billing[address][line1]", "1"),
        ("billing[address][city]", "a"),
        ("billing[address][country]", "US"),
        ("billing[address][postal_code]", "1"),
    ];
    let holder = stripe.make("/v1/issuing/cardholders", &holder).await;
    let card = [("currency", "usd"), ("type", "virtual"), ("cardholder", &holder.id())];
    let card = stripe.make("/v1/issuing/cards", &card).await;
    assert_eq!((&card.body["cardholder"]["id"], &card.body["cardholder"]["name"]), (&holder.body["id"], &"Jo".into()));
    let feature = stripe.make("/v1/entitlements/features", &[("name", "A"), ("lookup_key", "a")]).await;
    assert!(feature.id().starts_with("feat_"), "{}", feature.text);
    let product = stripe.make("/v1/products", &[("name", "P")]).await.id();
    let other = stripe.make("/v1/products", &[("name", "Q")]).await.id();
    let features = format!("/v1/products/{product}/features");
    let attached = stripe.make(&features, &[("entitlement_feature", &feature.id())]).await;
    assert_eq!(attached.body["entitlement_feature"], feature.body);
    assert_eq!(stripe.get(&features, &[]).await.ids(), [attached.id()]);
    assert!(stripe.get(&format!("/v1/products/{other}/features"), &[]).await.ids().is_empty());
}

#[tokio::test]
async fn a_bank_transfer_funds_a_cash_balance() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let path = format!("/v1/customers/{customer}/cash_balance");
    let empty = stripe.get(&path, &[]).await.body;
    assert_eq!((&empty["available"], &empty["settings"]["reconciliation_mode"]), (&Value::Null, &json!("automatic")));
    let fund = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
    for (amount, currency, after) in [("1000", "usd", 1000), ("500", "usd", 1500), ("70", "jpy", 70)] {
        let form = [("amount", amount), ("currency", currency), ("reference", "INV-1")];
        let funded = stripe.make(&fund, &form).await.body;
        assert_eq!((&funded["ending_balance"], &funded["type"]), (&json!(after), &json!("funded")));
        assert_eq!(funded["funded"]["bank_transfer"]["reference"], "INV-1");
    }
    assert_eq!(stripe.get(&path, &[]).await.body["available"], json!({"usd": 1500, "jpy": 70}));
    let shown = stripe.get(&format!("/v1/customers/{customer}"), &[("expand[]", "cash_balance")]).await.body;
    assert_eq!(shown["cash_balance"]["available"]["jpy"], 70);
    let list = format!("/v1/customers/{customer}/cash_balance_transactions");
    let all = stripe.get(&list, &[]).await.ids();
    assert_eq!(all.len(), 3);
    assert_eq!(stripe.get(&format!("{list}/{}", all[0]), &[]).await.body["currency"], "jpy");
    let funds = stripe.events().await.into_iter().filter(|t| t == "cash_balance.funds_available").count();
    assert_eq!(funds, 3);
    let manual = stripe.make(&path, &[("settings[reconciliation_mode]", "manual")]).await.body;
    assert_eq!(manual["settings"], json!({"reconciliation_mode": "manual", "using_merchant_default": false}));
    assert_eq!(manual["available"]["usd"], 1500);
    let other = stripe.make("/v1/customers", &[]).await.id();
    let elsewhere = format!("/v1/customers/{other}/cash_balance_transactions/{}", all[0]);
    assert_eq!(stripe.get(&elsewhere, &[]).await.status, 404);
    for (amount, currency, param) in [("0", "usd", "amount"), ("5", "brl", "currency")] {
        let refused = stripe.post(&fund, &[("amount", amount), ("currency", currency)]).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!(param)));
    }
    assert_eq!(stripe.get("/v1/customers/cus_none/cash_balance", &[]).await.status, 404);
}

#[tokio::test]
async fn issuing_asks_before_it_authorizes_and_tells_of_receipts() {
    let stripe = Stripe::start().await;
    let holder = [
        ("name", "My Cardholder"),
        ("billing[address][line1]", "1 Main Street"),
        ("billing[address][city]", "Reno"),
        ("billing[address][country]", "US"),
        ("billing[address][postal_code]", "89501"),
    ];
    let holder = stripe.make("/v1/issuing/cardholders", &holder).await.id();
    let card = [("currency", "usd"), ("type", "virtual"), ("cardholder", holder.as_str())];
    let card = stripe.make("/v1/issuing/cards", &card).await.id();
    stripe.make("/v1/test_helpers/issuing/authorizations", &[("card", &card), ("amount", "100")]).await;
    let capture = [
        ("card", card.as_str()),
        ("amount", "100"),
        ("purchase_details[receipt][0][description]", "Ride"),
        ("purchase_details[receipt][0][quantity]", "1"),
        ("purchase_details[receipt][0][unit_cost]", "100"),
    ];
    stripe.make("/v1/test_helpers/issuing/transactions/create_force_capture", &capture).await;
    let issuing: Vec<String> = stripe.events().await.into_iter().filter(|t| !t.contains("card")).collect();
    let expected = [
        "issuing_authorization.request",
        "issuing_authorization.created",
        "issuing_transaction.created",
        "issuing_transaction.purchase_details_receipt_updated",
    ];
    assert_eq!(issuing, expected);
    let events = stripe.get("/v1/events", &[("type", expected[3])]).await.body;
    let details = &events["data"][0]["data"]["object"]["purchase_details"];
    assert_eq!(
        (&details["receipt"][0]["description"], &details["receipt"][0]["total"]),
        (&json!("Ride"), &Value::Null)
    );
}
