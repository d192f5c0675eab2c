//! A shop whose time stands still until it is advanced.

use serde_json::{Value, json};

use super::Stripe;

/// The first of January 2030.
pub const START: i64 = 1_893_456_000;
/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A simulator with a test clock and a customer on it.
pub struct Shop {
    pub stripe: Stripe,
    pub clock: String,
    pub customer: String,
    pub time: i64,
}

impl Shop {
    pub async fn open(card: Option<&str>) -> Self {
        let stripe = Stripe::start().await;
        let clock = stripe.make("/v1/test_helpers/test_clocks", &[("frozen_time", &START.to_string())]).await.id();
        let customer = stripe.make("/v1/customers", &[("test_clock", &clock), ("email", "a@b.example")]).await;
        assert_eq!(customer.body["created"], START);
        let customer = customer.id();
        let shop = Self { stripe, clock, customer, time: START };
        if let Some(card) = card {
            shop.pay_with(card).await;
        }
        shop
    }

    pub async fn pay_with(&self, card: &str) {
        let path = format!("/v1/payment_methods/{card}/attach");
        let method = self.stripe.make(&path, &[("customer", &self.customer)]).await.id();
        let settings = [("invoice_settings[default_payment_method]", method.as_str())];
        self.stripe.make(&format!("/v1/customers/{}", self.customer), &settings).await;
    }

    pub async fn subscribe(&self, price: &str, more: &[(&str, &str)]) -> String {
        let mut form = vec![("customer", self.customer.as_str()), ("items[0][price]", price)];
        form.extend_from_slice(more);
        self.stripe.make("/v1/subscriptions", &form).await.id()
    }

    /// Advances the clock; the types of the events in between, without the clock's own.
    pub async fn advance(&mut self, days: i64) -> Vec<String> {
        let before = self.stripe.events().await.len();
        self.time += days * DAY;
        let path = format!("/v1/test_helpers/test_clocks/{}", self.clock);
        let form = [("frozen_time", self.time.to_string())];
        let form: Vec<_> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = self.stripe.make(&format!("{path}/advance"), &form).await;
        assert_eq!(answer.body["status"], "advancing");
        let clock = self.stripe.get(&path, &[]).await.body;
        assert_eq!((&clock["status"], &clock["frozen_time"]), (&json!("ready"), &json!(self.time)));
        let events = self.stripe.events().await.split_off(before);
        assert_eq!(events.last().unwrap(), "test_helpers.test_clock.ready");
        events.into_iter().filter(|e| !e.starts_with("test_helpers.")).collect()
    }

    /// What waits to be put on the customer's next invoice, oldest first.
    pub async fn pending(&self) -> Vec<i64> {
        let form = [("customer", self.customer.as_str()), ("pending", "true")];
        let list = self.stripe.get("/v1/invoiceitems", &form).await.body;
        list["data"].as_array().unwrap().iter().rev().map(|i| i["amount"].as_i64().unwrap()).collect()
    }

    pub async fn subscription(&self, id: &str) -> Value {
        self.get(&format!("/v1/subscriptions/{id}")).await
    }

    /// Changes a subscription; its latest invoice is in the answer.
    pub async fn change(&self, id: &str, form: &[(&str, &str)]) -> Value {
        let mut form = form.to_vec();
        form.push(("expand[]", "latest_invoice"));
        self.stripe.make(&format!("/v1/subscriptions/{id}"), &form).await.body
    }

    /// The id of the first item of a subscription.
    pub async fn item(&self, id: &str) -> String {
        self.subscription(id).await["items"]["data"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.stripe.get(path, &[]).await.body
    }

    pub async fn status(&self, subscription: &str) -> Value {
        self.get(&format!("/v1/subscriptions/{subscription}")).await["status"].clone()
    }
}
