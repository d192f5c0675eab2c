//! Setup attempts: what every confirmation of a setup intent leaves behind.

use serde_json::{Value, json};

use super::fields::object;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[("GET", "/v1/setup_attempts", list)];

const KIND: &str = "setup_attempt";

/// How the customer authenticated.
pub(super) fn three_d_secure(account: &mut Account, flow: &str) -> Value {
    json!({
        "authentication_flow": flow, "electronic_commerce_indicator": "05", "result": "authenticated",
        "result_reason": null, "transaction_id": account.letters(36), "version": "2.2.0",
    })
}

/// An intent is confirmed with a payment method; the id of the attempt. An attempt before it that came to no end is
/// abandoned.
pub(super) fn begin(account: &mut Account, intent: &Object, method: &Object) -> String {
    abandon(account, intent);
    let kind = method.text("type").unwrap_or("card");
    let details = match method.object("card") {
        Some(card) => {
            let member = |name: &str| card.get(name).cloned().unwrap_or_default();
            json!({
                "brand": member("brand"), "checks": member("checks"), "country": member("country"),
                "exp_month": member("exp_month"), "exp_year": member("exp_year"),
                "fingerprint": member("fingerprint"), "funding": member("funding"), "last4": member("last4"),
                "network": member("brand"), "three_d_secure": null, "wallet": null,
            })
        }
        None => json!({}),
    };
    let id = account.new_id("setatt");
    let attempt = object(json!({
        "id": id, "object": KIND, "application": null, "created": now(), "customer": intent.get("customer"),
        "customer_account": null, "flow_directions": intent.get("flow_directions"), "livemode": account.live(),
        "on_behalf_of": intent.get("on_behalf_of"), "payment_method": method.id(),
        "payment_method_details": {kind: details, "type": kind}, "setup_error": null, "setup_intent": intent.id(),
        "status": "processing", "usage": intent.get("usage"),
    }));
    account.put(KIND, &attempt);
    id
}

/// What became of an intent's latest attempt: its status, the error if it failed, how the customer authenticated if
/// that was asked for.
pub(super) fn end(account: &mut Account, intent: &Object, status: &str, error: Option<Value>, authenticated: Value) {
    let Some(mut attempt) = intent.text("latest_attempt").and_then(|id| account.get(KIND, id)) else { return };
    attempt.insert("status".into(), status.into());
    attempt.insert("setup_error".into(), error.unwrap_or_default());
    let details = attempt.get_mut("payment_method_details").and_then(|d| d.get_mut("card"));
    if let Some(card) = details.and_then(Value::as_object_mut) {
        card.insert("three_d_secure".into(), authenticated);
    }
    account.put(KIND, &attempt);
}

/// Nobody waits any more for an intent's latest attempt.
pub(super) fn abandon(account: &mut Account, intent: &Object) {
    let open = |a: &Object| matches!(a.text("status"), Some("processing" | "requires_action"));
    let latest = intent.text("latest_attempt").and_then(|id| account.get(KIND, id));
    if let Some(mut attempt) = latest.filter(open) {
        attempt.insert("status".into(), "abandoned".into());
        account.put(KIND, &attempt);
    }
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if let Some(id) = call.parameters.text("setup_intent") {
        call.account.find("setup_intent", id, "setup_intent")?;
    }
    listing::shelf(call, KIND, &[("setup_intent", "setup_intent")])
}
