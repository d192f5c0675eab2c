//! A believable shop to look at: customers of many countries, several currencies, and a year of invoices.
//!
//! It is made by requests like any other, with a test clock that goes through the year; the same seed makes the
//! same shop.

use serde_json::Value;

use crate::protocol::Protocol;
use crate::world::machine;

const MONTH: i64 = 31 * 86_400;
const MONTHS: i64 = 12;

const PEOPLE: &[(&str, &str, &str, &str)] = &[
    ("Zoë Ångström", "zoe@example.com", "SE", "pm_card_visa"),
    ("José Núñez García", "jose@example.com", "ES", "pm_card_mastercard"),
    ("山田 花子", "hanako@example.com", "JP", "pm_card_visa"),
    ("Łukasz Wójcik", "lukasz@example.com", "PL", "pm_card_amex"),
    ("Nguyễn Thị Minh", "minh@example.com", "VN", "pm_card_discover"),
    ("Aoife O'Sullivan", "aoife@example.com", "IE", "pm_card_visa_debit"),
    ("Müller & Söhne GmbH", "kontor@example.com", "DE", "pm_card_mastercard"),
    ("Амина Ибрагимова", "amina@example.com", "KZ", "pm_card_visa"),
];

const PLANS: &[(&str, &str, &str)] =
    &[("Reading club", "usd", "1500"), ("Lesekreis", "eur", "1400"), ("読書会", "jpy", "2000")];

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Fills the test mode of the account. What cannot be made is left out.
pub(crate) async fn fill(protocol: &Protocol) {
    let start = machine() - MONTHS * MONTH;
    let post = async |path: &str, form: &[(&str, &str)]| protocol.call("POST", path, form).await;
    let clock =
        post("/v1/test_helpers/test_clocks", &[("frozen_time", &start.to_string()), ("name", "The year of the shop")])
            .await;
    let clock = text(&clock, "id");
    let mut prices = Vec::new();
    for (name, currency, amount) in PLANS {
        let form = [
            ("product_data[name]", *name),
            ("currency", *currency),
            ("unit_amount", *amount),
            ("recurring[interval]", "month"),
        ];
        prices.push((text(&post("/v1/prices", &form).await, "id").to_owned(), *currency));
    }
    let coupon = [("percent_off", "20"), ("duration", "repeating"), ("duration_in_months", "3"), ("name", "Welcome")];
    let coupon = post("/v1/coupons", &coupon).await;
    for (index, (name, email, country, card)) in PEOPLE.iter().enumerate() {
        let form = [("name", *name), ("email", email), ("address[country]", country), ("test_clock", clock)];
        let customer = post("/v1/customers", &form).await;
        let customer = text(&customer, "id");
        let method = post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", customer)]).await;
        let default = [("invoice_settings[default_payment_method]", text(&method, "id"))];
        post(&format!("/v1/customers/{customer}"), &default).await;
        let Some((price, currency)) = prices.get(index % prices.len().max(1)) else { continue };
        let quantity = (index % 3 + 1).to_string();
        let mut form =
            vec![("customer", customer), ("items[0][price]", price.as_str()), ("items[0][quantity]", &quantity)];
        if index % 4 == 0 {
            form.push(("discounts[0][coupon]", text(&coupon, "id")));
        }
        if index % 3 == 2 {
            form.push(("trial_period_days", "14"));
        }
        post("/v1/subscriptions", &form).await;
        let form = [
            ("amount", "4200"),
            ("currency", *currency),
            ("customer", customer),
            ("payment_method", text(&method, "id")),
            ("confirm", "true"),
            ("description", "A book"),
        ];
        let intent = post("/v1/payment_intents", &form).await;
        if index == 1 {
            post("/v1/refunds", &[("payment_intent", text(&intent, "id"))]).await;
        }
    }
    let dispute =
        [("amount", "2500"), ("currency", "usd"), ("payment_method", "pm_card_createDispute"), ("confirm", "true")];
    post("/v1/payment_intents", &dispute).await;
    for month in 1..=MONTHS {
        let time = (start + month * MONTH).to_string();
        post(&format!("/v1/test_helpers/test_clocks/{clock}/advance"), &[("frozen_time", &time)]).await;
    }
}
