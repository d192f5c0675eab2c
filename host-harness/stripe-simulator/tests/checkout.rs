//! Checkout sessions: what they offer, what the page asks, and what becomes of it.

use crate::stripe::{Answer, Form, Stripe, until};
use serde_json::{Value, json};
use stripe_simulator::conformance::check_object;

/// A session that sells three cups at 8 dollars.
async fn session(stripe: &Stripe, more: Form<'_>) -> Answer {
    let mut form = vec![
        ("mode", "payment"),
        ("success_url", "https://shop.example/done?id={CHECKOUT_SESSION_ID}"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "800"),
        ("line_items[0][price_data][product_data][name]", "Cup"),
        ("line_items[0][quantity]", "3"),
    ];
    form.extend_from_slice(more);
    stripe.post("/v1/checkout/sessions", &form).await
}

fn url(session: &Answer) -> String {
    session.body["url"].as_str().unwrap_or_else(|| panic!("no URL in {}", session.text)).to_owned()
}

async fn again(stripe: &Stripe, session: &Answer, expand: &[&str]) -> Value {
    let form: Vec<_> = expand.iter().map(|e| ("expand[]", *e)).collect();
    stripe.get(&format!("/v1/checkout/sessions/{}", session.id()), &form).await.body
}

async fn rate(stripe: &Stripe, percentage: &str, inclusive: &str) -> String {
    let form = [("display_name", "VAT"), ("percentage", percentage), ("inclusive", inclusive)];
    stripe.make("/v1/tax_rates", &form).await.id()
}

#[tokio::test]
async fn the_customer_chooses_how_it_is_shipped() {
    let stripe = Stripe::start().await;
    let form = [
        ("display_name", "Post"),
        ("fixed_amount[amount]", "500"),
        ("fixed_amount[currency]", "usd"),
        ("type", "fixed_amount"),
    ];
    let post = stripe.make("/v1/shipping_rates", &form).await.id();
    let made = session(
        &stripe,
        &[
            ("shipping_options[0][shipping_rate]", &post),
            ("shipping_options[1][shipping_rate_data][display_name]", "Courier"),
            ("shipping_options[1][shipping_rate_data][fixed_amount][amount]", "1500"),
            ("shipping_options[1][shipping_rate_data][fixed_amount][currency]", "usd"),
            ("shipping_options[1][shipping_rate_data][type]", "fixed_amount"),
        ],
    )
    .await;
    assert_eq!((made.status, &made.body["amount_total"]), (200, &json!(2900)), "{}", made.text);
    assert_eq!(made.body["shipping_cost"]["shipping_rate"], post.as_str(), "the first is chosen");
    assert_eq!(made.body["shipping_options"][1]["shipping_amount"], 1500);
    let courier = made.body["shipping_options"][1]["shipping_rate"].as_str().unwrap().to_owned();
    assert_eq!(stripe.get(&format!("/v1/shipping_rates/{courier}"), &[]).await.status, 200);
    let page = stripe.send("GET", &url(&made), &[], "").await;
    assert!(page.text.contains("Post ($5.00)") && page.text.contains("$29.00"), "{}", page.text);
    let unknown = stripe.submit(&url(&made), &[("shipping_rate", "shr_none"), ("card", "pm_card_visa")]).await;
    assert_eq!(unknown.status, 400);
    let changed = stripe.submit(&url(&made), &[("action", "update"), ("shipping_rate", &courier)]).await;
    assert!(changed.status == 200 && changed.text.contains("$39.00"), "{}", changed.text);
    assert_eq!(stripe.submit(&url(&made), &[("card", "pm_card_visa")]).await.status, 303);
    let done = again(&stripe, &made, &["payment_intent", "shipping_cost.shipping_rate"]).await;
    assert_eq!((&done["amount_total"], &done["payment_intent"]["amount"]), (&json!(3900), &json!(3900)));
    assert_eq!(done["total_details"], json!({"amount_discount": 0, "amount_shipping": 1500, "amount_tax": 0}));
    assert_eq!(done["shipping_cost"]["shipping_rate"]["display_name"], "Courier");
    let euro = [
        ("shipping_options[0][shipping_rate_data][display_name]", "Post"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][amount]", "1"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][currency]", "eur"),
    ];
    assert_eq!(session(&stripe, &euro).await.error()["param"], "shipping_options[0]");
}

#[tokio::test]
async fn tax_rates_are_on_top_or_inside() {
    let stripe = Stripe::start().await;
    let (on_top, inside) = (rate(&stripe, "10", "false").await, rate(&stripe, "20", "true").await);
    let made = session(
        &stripe,
        &[
            ("line_items[0][tax_rates][0]", &on_top),
            ("line_items[1][price_data][currency]", "usd"),
            ("line_items[1][price_data][unit_amount]", "1200"),
            ("line_items[1][price_data][product_data][name]", "Pot"),
            ("line_items[1][tax_rates][0]", &inside),
        ],
    )
    .await;
    assert_eq!((&made.body["amount_subtotal"], &made.body["amount_total"]), (&json!(3600), &json!(3840)));
    assert_eq!(made.body["total_details"]["amount_tax"], 440);
    let expand = ["line_items.data.taxes", "total_details.breakdown"];
    let shown = again(&stripe, &made, &expand).await;
    let items = &shown["line_items"]["data"];
    assert_eq!((&items[0]["amount_tax"], &items[0]["amount_total"]), (&json!(240), &json!(2640)));
    assert_eq!((&items[1]["amount_tax"], &items[1]["amount_total"]), (&json!(200), &json!(1200)));
    assert_eq!(items[0]["taxes"][0]["rate"]["id"], on_top.as_str());
    assert_eq!(items[1]["taxes"][0]["taxable_amount"], 1000);
    let taxes = shown["total_details"]["breakdown"]["taxes"].as_array().unwrap();
    assert_eq!(taxes.iter().map(|t| t["amount"].as_i64().unwrap()).sum::<i64>(), 440);
    let unknown = session(&stripe, &[("line_items[0][tax_rates][0]", "txr_none")]).await;
    assert_eq!(unknown.error()["param"], "line_items[0][tax_rates][0]");
    stripe.submit(&url(&made), &[("card", "pm_card_visa")]).await;
    assert_eq!(again(&stripe, &made, &["payment_intent"]).await["payment_intent"]["amount_received"], 3840);
}

#[tokio::test]
async fn a_code_entered_on_the_page_makes_it_cheaper_and_counts_when_it_is_paid() {
    let stripe = Stripe::start().await;
    let coupon = stripe.make("/v1/coupons", &[("percent_off", "25"), ("duration", "once")]).await.id();
    let form = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", coupon.as_str()),
        ("code", "FALL25"),
        ("restrictions[minimum_amount]", "2000"),
        ("restrictions[minimum_amount_currency]", "usd"),
    ];
    let code = stripe.make("/v1/promotion_codes", &form).await.id();
    let redeemed = async || stripe.get(&format!("/v1/coupons/{coupon}"), &[]).await.body["times_redeemed"].clone();
    let made = session(&stripe, &[("allow_promotion_codes", "true")]).await;
    let page = url(&made);
    let wrong = stripe.submit(&page, &[("action", "update"), ("promotion_code", "NOPE")]).await;
    assert!(wrong.status == 400 && wrong.text.contains("This code is invalid."), "{}", wrong.text);
    let applied = stripe.submit(&page, &[("action", "update"), ("promotion_code", "fall25")]).await;
    assert!(applied.text.contains("-$6.00") && applied.text.contains("$18.00"), "{}", applied.text);
    let removed = stripe.submit(&page, &[("remove_code", "true")]).await;
    assert!(removed.text.contains("$24.00") && !removed.text.contains("-$6.00"));
    assert_eq!(redeemed().await, 0);
    let declined = stripe.submit(&page, &[("promotion_code", "FALL25"), ("card", "pm_card_chargeDeclined")]).await;
    assert!(declined.status == 402 && declined.text.contains("Your card was declined."), "{}", declined.text);
    assert_eq!(again(&stripe, &made, &[]).await["status"], "open");
    assert_eq!(stripe.submit(&page, &[("card", "pm_card_visa")]).await.status, 303);
    let done = again(&stripe, &made, &["payment_intent", "total_details.breakdown", "line_items.data.discounts"]).await;
    assert_eq!((&done["amount_total"], &done["payment_intent"]["amount_received"]), (&json!(1800), &json!(1800)));
    assert_eq!(done["discounts"], json!([{"coupon": coupon, "promotion_code": code}]));
    assert_eq!(done["total_details"]["breakdown"]["discounts"][0]["amount"], 600);
    assert_eq!(done["line_items"]["data"][0]["discounts"][0]["discount"]["promotion_code"], code.as_str());
    assert_eq!(redeemed().await, 1);
    let small = [("allow_promotion_codes", "true"), ("line_items[0][quantity]", "1")];
    let small = session(&stripe, &small).await;
    let too_little = stripe.submit(&url(&small), &[("action", "update"), ("promotion_code", "FALL25")]).await;
    assert_eq!(too_little.status, 400, "less than what the code is for");
    let both = [("allow_promotion_codes", "true"), ("discounts[0][coupon]", coupon.as_str())];
    assert_eq!(session(&stripe, &both).await.error()["code"], "parameters_exclusive");
}

#[tokio::test]
async fn the_page_asks_what_the_merchant_wants_to_know() {
    let stripe = Stripe::start().await;
    let made = session(
        &stripe,
        &[
            ("customer_creation", "always"),
            ("phone_number_collection[enabled]", "true"),
            ("billing_address_collection", "required"),
            ("shipping_address_collection[allowed_countries][0]", "DE"),
            ("shipping_address_collection[allowed_countries][1]", "FR"),
            ("custom_fields[0][key]", "engraving"),
            ("custom_fields[0][label][type]", "custom"),
            ("custom_fields[0][label][custom]", "Engraving"),
            ("custom_fields[0][type]", "text"),
            ("custom_fields[0][text][maximum_length]", "5"),
            ("custom_fields[1][key]", "size"),
            ("custom_fields[1][label][type]", "custom"),
            ("custom_fields[1][label][custom]", "Size"),
            ("custom_fields[1][type]", "dropdown"),
            ("custom_fields[1][dropdown][options][0][label]", "Small"),
            ("custom_fields[1][dropdown][options][0][value]", "s"),
            ("custom_fields[1][optional]", "true"),
            ("consent_collection[terms_of_service]", "required"),
            ("consent_collection[promotions]", "auto"),
            ("custom_text[submit][message]", "Thank you <3"),
            ("name_collection[business][enabled]", "true"),
            ("name_collection[business][optional]", "true"),
        ],
    )
    .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let page = url(&made);
    let shown = stripe.send("GET", &page, &[], "").await.text;
    for part in ["Engraving", "Small", "shipping[country]", "billing[line1]", "terms_of_service", "Thank you &lt;3"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let complete = [
        ("card", "pm_card_visa"),
        ("email", "jenny@example.com"),
        ("name", "Jenny Rosen"),
        ("phone", "+4930123456"),
        ("billing[line1]", "Hauptstr. 1"),
        ("billing[country]", "DE"),
        ("shipping[line1]", "Rue 2"),
        ("shipping[city]", "Paris"),
        ("shipping[country]", "FR"),
        ("shipping[name]", "Pierre"),
        ("custom_fields[engraving]", "J+P"),
        ("terms_of_service", "true"),
        ("promotions", "true"),
        ("business_name", "Rosen Ltd"),
    ];
    for missing in ["phone", "billing[line1]", "shipping[country]", "custom_fields[engraving]", "terms_of_service"] {
        let form: Vec<_> = complete.iter().filter(|(n, _)| *n != missing).copied().collect();
        let refused = stripe.submit(&page, &form).await;
        assert_eq!(refused.status, 400, "{missing}");
        assert!(refused.text.contains("role=\"alert\"") && refused.text.contains("jenny@example.com"));
    }
    for (name, wrong) in
        [("shipping[country]", "US"), ("custom_fields[engraving]", "too long"), ("custom_fields[size]", "xl")]
    {
        let form: Vec<_> = complete.iter().filter(|(n, _)| *n != name).copied().chain([(name, wrong)]).collect();
        assert_eq!(stripe.submit(&page, &form).await.status, 400, "{name}={wrong}");
    }
    assert_eq!(stripe.get("/v1/payment_intents", &[]).await.ids().len(), 0, "nothing is charged before");
    assert_eq!(stripe.submit(&page, &complete).await.status, 303);
    let done = again(&stripe, &made, &["customer", "payment_intent"]).await;
    assert_eq!(done["customer_details"]["phone"], "+4930123456");
    assert_eq!(done["customer_details"]["address"]["line1"], "Hauptstr. 1");
    let shipped = &done["collected_information"]["shipping_details"];
    assert_eq!((&shipped["name"], &shipped["address"]["country"]), (&json!("Pierre"), &json!("FR")));
    assert_eq!(done["collected_information"]["business_name"], "Rosen Ltd");
    assert_eq!(done["custom_fields"][0]["text"]["value"], "J+P");
    assert_eq!(done["custom_fields"][1]["dropdown"]["value"], Value::Null);
    assert_eq!(done["consent"], json!({"promotions": "opt_in", "terms_of_service": "accepted"}));
    assert_eq!(done["payment_intent"]["shipping"]["address"]["city"], "Paris");
    assert_eq!(done["customer"]["phone"], "+4930123456");
    assert_eq!(done["customer"]["shipping"]["name"], "Pierre");
}

#[tokio::test]
async fn a_known_customer_learns_what_is_written_if_the_merchant_says_so() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[("email", "old@example.com"), ("name", "Old")]).await.id();
    let made = session(
        &stripe,
        &[
            ("customer", &customer),
            ("customer_update[name]", "auto"),
            ("customer_update[shipping]", "auto"),
            ("shipping_address_collection[allowed_countries][0]", "DE"),
        ],
    )
    .await;
    assert_eq!(made.body["customer_details"]["email"], "old@example.com");
    let form =
        [("card", "pm_card_visa"), ("name", "New"), ("shipping[line1]", "Hauptstr. 1"), ("shipping[country]", "DE")];
    assert_eq!(stripe.submit(&url(&made), &form).await.status, 303);
    let owner = stripe.get(&format!("/v1/customers/{customer}"), &[]).await.body;
    assert_eq!((&owner["name"], &owner["shipping"]["address"]["line1"]), (&json!("New"), &json!("Hauptstr. 1")));
    let loose = session(&stripe, &[("customer_update[name]", "auto")]).await;
    assert_eq!(loose.error()["param"], "customer_update");
}

#[tokio::test]
async fn quantities_are_chosen_within_their_bounds() {
    let stripe = Stripe::start().await;
    let bounds = [
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("line_items[0][adjustable_quantity][minimum]", "2"),
        ("line_items[0][adjustable_quantity][maximum]", "4"),
    ];
    let made = session(&stripe, &bounds).await;
    let item = again(&stripe, &made, &["line_items"]).await["line_items"]["data"][0]["id"].clone();
    let name = format!("quantity[{}]", item.as_str().unwrap());
    for wrong in ["5", "1", "x"] {
        assert_eq!(stripe.submit(&url(&made), &[("action", "update"), (&name, wrong)]).await.status, 400, "{wrong}");
    }
    stripe.submit(&url(&made), &[(&name, "4"), ("card", "pm_card_visa")]).await;
    let done = again(&stripe, &made, &["line_items", "payment_intent"]).await;
    assert_eq!(done["line_items"]["data"][0]["quantity"], 4);
    assert_eq!((&done["amount_total"], &done["payment_intent"]["amount"]), (&json!(3200), &json!(3200)));
}

#[tokio::test]
async fn the_bank_sends_the_customer_back_with_its_answer() {
    let stripe = Stripe::start().await;
    let made = session(&stripe, &[("payment_intent_data[description]", "Cups")]).await;
    let page = url(&made);
    let asked = stripe.submit(&page, &[("card", "pm_card_threeDSecureRequiredChargeDeclined")]).await;
    let back = stripe.submit(asked.header("location"), &[("outcome", "succeeded")]).await;
    assert_eq!(back.header("location"), page);
    let shown = stripe.send("GET", &page, &[], "").await;
    assert!(shown.text.contains("Your card was declined."), "{}", shown.text);
    let asked = stripe.submit(&page, &[("card", "pm_card_threeDSecure2Required")]).await;
    let back = stripe.submit(asked.header("location"), &[("outcome", "succeeded")]).await;
    assert!(back.header("location").starts_with("https://shop.example/done?id=cs_test_"));
    let done = again(&stripe, &made, &["payment_intent"]).await;
    assert_eq!((&done["payment_status"], &done["payment_intent"]["description"]), (&json!("paid"), &json!("Cups")));
    assert_eq!(stripe.get("/v1/payment_intents", &[]).await.ids().len(), 1, "one payment, however often it is tried");
}

#[tokio::test]
async fn a_paid_session_has_an_invoice_when_that_is_wanted() {
    let stripe = Stripe::start().await;
    let vat = rate(&stripe, "10", "false").await;
    let coupon = stripe.make("/v1/coupons", &[("amount_off", "400"), ("currency", "usd"), ("duration", "once")]).await;
    let made = session(
        &stripe,
        &[
            ("invoice_creation[enabled]", "true"),
            ("invoice_creation[invoice_data][footer]", "Thanks"),
            ("invoice_creation[invoice_data][custom_fields][0][name]", "PO"),
            ("invoice_creation[invoice_data][custom_fields][0][value]", "77"),
            ("invoice_creation[invoice_data][metadata][order]", "9"),
            ("line_items[0][tax_rates][0]", &vat),
            ("discounts[0][coupon]", &coupon.id()),
            ("shipping_options[0][shipping_rate_data][display_name]", "Post"),
            ("shipping_options[0][shipping_rate_data][fixed_amount][amount]", "500"),
            ("shipping_options[0][shipping_rate_data][fixed_amount][currency]", "usd"),
        ],
    )
    .await;
    assert_eq!(made.body["invoice_creation"]["invoice_data"]["custom_fields"][0]["value"], "77", "{}", made.text);
    stripe.submit(&url(&made), &[("card", "pm_card_visa"), ("email", "a@b.example")]).await;
    let done = again(&stripe, &made, &["invoice.payments", "customer"]).await;
    // 24 dollars less 4, a tenth on top, and shipping.
    assert_eq!(done["amount_total"], 2000 + 200 + 500);
    let invoice = &done["invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(2700)));
    assert_eq!((&invoice["footer"], &invoice["metadata"]["order"]), (&json!("Thanks"), &json!("9")));
    assert_eq!(invoice["payments"]["data"][0]["payment"]["payment_intent"], done["payment_intent"]);
    assert_eq!(done["customer"]["email"], "a@b.example");
}

#[tokio::test]
async fn a_subscription_is_sold_with_a_trial_taxes_and_something_once() {
    let stripe = Stripe::start().await;
    let price = stripe.monthly("1500").await;
    let vat = rate(&stripe, "10", "false").await;
    let base = [
        ("mode", "subscription"),
        ("success_url", "https://shop.example/done"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][tax_rates][0]", vat.as_str()),
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "700"),
        ("line_items[1][price_data][product_data][name]", "Setup"),
    ];
    let made = stripe.make("/v1/checkout/sessions", &base).await;
    assert_eq!(made.body["amount_total"], 1650 + 700);
    assert_eq!(stripe.submit(&url(&made), &[("card", "pm_card_visa")]).await.status, 303);
    let done = again(&stripe, &made, &["subscription", "invoice"]).await;
    assert_eq!((&done["invoice"]["total"], &done["invoice"]["status"]), (&json!(2350), &json!("paid")));
    assert_eq!(done["subscription"]["items"]["data"][0]["tax_rates"][0]["id"], vat.as_str());
    let mut trial = base.to_vec();
    trial.truncate(4);
    trial.push(("subscription_data[trial_period_days]", "14"));
    trial.push(("subscription_data[description]", "Try it"));
    trial.push(("payment_method_collection", "if_required"));
    let made = stripe.make("/v1/checkout/sessions", &trial).await;
    assert_eq!((&made.body["amount_total"], &made.body["payment_status"]), (&json!(0), &json!("no_payment_required")));
    assert_eq!(stripe.submit(&url(&made), &[("email", "t@example.com")]).await.status, 303, "no card is needed");
    let done = again(&stripe, &made, &["subscription"]).await;
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("no_payment_required")));
    let subscription = &done["subscription"];
    assert_eq!((&subscription["status"], &subscription["description"]), (&json!("trialing"), &json!("Try it")));
    assert_eq!(subscription["default_payment_method"], Value::Null);
}

#[tokio::test]
async fn a_session_expires_when_its_time_is_over_and_can_be_recovered() {
    let stripe = Stripe::start().await;
    let soon = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 1800;
    let form = [
        ("expires_at", soon.to_string()),
        ("after_expiration[recovery][enabled]", "true".into()),
        ("after_expiration[recovery][allow_promotion_codes]", "true".into()),
    ];
    let form: Vec<_> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let made = session(&stripe, &form).await;
    assert_eq!(stripe.submit(&url(&made), &[("card", "pm_card_chargeDeclined")]).await.status, 402);
    stripe.submit("/_simulator/faults", &[("kind", "clock_skew"), ("seconds", "1900")]).await;
    let expired = until("the session to expire", async || {
        Some(again(&stripe, &made, &["payment_intent"]).await).filter(|s| s["status"] == "expired")
    })
    .await;
    assert_eq!(expired["url"], Value::Null);
    assert_eq!(expired["payment_intent"]["status"], "canceled");
    assert_eq!(stripe.events().await.iter().filter(|e| *e == "checkout.session.expired").count(), 1);
    assert!(stripe.send("GET", &url(&made), &[], "").await.text.contains("has expired"));
    let link = expired["after_expiration"]["recovery"]["url"].as_str().unwrap();
    let opened = stripe.send("GET", link, &[], "").await;
    assert_eq!(opened.status, 303);
    let new = opened.header("location").rsplit('/').next().unwrap().to_owned();
    let new = stripe.get(&format!("/v1/checkout/sessions/{new}"), &[]).await.body;
    assert_eq!((&new["recovered_from"], &new["amount_total"]), (&expired["id"], &json!(2400)));
    assert_eq!(new["allow_promotion_codes"], true);
    check_object(&new).unwrap();
}

#[tokio::test]
async fn what_a_mode_does_not_have_is_refused() {
    let stripe = Stripe::start().await;
    let cases: &[(&str, &str)] = &[
        ("subscription_data[description]", "x"),
        ("setup_intent_data[description]", "x"),
        ("payment_method_collection", "if_required"),
    ];
    for (name, value) in cases {
        let refused = session(&stripe, &[(name, value)]).await;
        let message = refused.error()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("in `payment` mode"), "{name}: {}", refused.text);
    }
    let twice = [
        ("custom_fields[0][key]", "a"),
        ("custom_fields[0][type]", "text"),
        ("custom_fields[0][label][type]", "custom"),
        ("custom_fields[0][label][custom]", "A"),
        ("custom_fields[1][key]", "a"),
        ("custom_fields[1][type]", "text"),
        ("custom_fields[1][label][type]", "custom"),
        ("custom_fields[1][label][custom]", "B"),
    ];
    assert_eq!(session(&stripe, &twice).await.error()["param"], "custom_fields[1][key]");
    assert_eq!(stripe.get("/v1/products", &[]).await.ids().len(), 0, "a refused session leaves nothing");
}

#[tokio::test]
async fn a_link_opens_sessions_that_ask_what_it_asks() {
    let stripe = Stripe::start().await;
    let price = [("currency", "usd"), ("unit_amount", "1000"), ("product_data[name]", "Mug")];
    let price = stripe.make("/v1/prices", &price).await.id();
    let post = [
        ("display_name", "Post"),
        ("fixed_amount[amount]", "300"),
        ("fixed_amount[currency]", "usd"),
        ("type", "fixed_amount"),
    ];
    let post = stripe.make("/v1/shipping_rates", &post).await.id();
    let form = [
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("phone_number_collection[enabled]", "true"),
        ("payment_intent_data[description]", "By link"),
        ("shipping_options[0][shipping_rate]", &post),
    ];
    let link = stripe.make("/v1/payment_links", &form).await;
    assert_eq!(link.body["phone_number_collection"]["enabled"], true);
    assert_eq!(link.body["shipping_options"], json!([{"shipping_amount": 300, "shipping_rate": post}]));
    let page = stripe.send("GET", link.body["url"].as_str().unwrap(), &[], "").await;
    let url = page.header("location").to_owned();
    assert_eq!(stripe.submit(&url, &[("card", "pm_card_visa")]).await.status, 400, "the phone number is missing");
    assert_eq!(stripe.submit(&url, &[("card", "pm_card_visa"), ("phone", "+123")]).await.status, 303);
    let link = link.id();
    let form = [("payment_link", link.as_str()), ("expand[]", "data.payment_intent")];
    let done = stripe.get("/v1/checkout/sessions", &form).await.body["data"][0].clone();
    assert_eq!((&done["amount_total"], &done["payment_intent"]["description"]), (&json!(1300), &json!("By link")));
}
