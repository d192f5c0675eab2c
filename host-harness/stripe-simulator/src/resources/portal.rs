//! Billing portal sessions: links to a page where a customer manages its subscriptions.

use serde_json::json;

use super::fields::{object, whole};
use super::{Call, Operations, Read, Reply, customer, subscription};
use crate::protocol::ApiError;
use crate::world::{Account, now};

pub(super) const OPERATIONS: Operations = &[("POST", "/v1/billing_portal/sessions", create)];

const KIND: &str = "billing_portal.session";

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let Some(owner) = sent.text("customer") else { return Err(ApiError::missing_param("customer")) };
    let owner = customer::named(call.account, owner, "customer")?;
    let configuration = match sent.text("configuration") {
        Some(id) => call.account.find("billing_portal.configuration", id, "configuration")?.id().to_owned(),
        None => "bpc_1SimulatorDefault".to_owned(),
    };
    let id = call.account.new_id("bps");
    let url = format!("{}/p/session/{id}", call.account.settings().base_url);
    let session = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "configuration": configuration, "created": now(), "customer": owner.id(),
            "livemode": call.account.live(), "locale": sent.get("locale"), "return_url": sent.text("return_url"),
            "url": url,
        }),
    );
    Ok(Reply::Kept(call.account.create(KIND, "billing_portal.session.created", &session)))
}

/// A customer cancels one of its subscriptions.
pub(crate) fn cancel_at_period_end(account: &mut Account, customer: &str, id: &str) {
    let Some(old) = account.get("subscription", id) else { return };
    if old.text("customer") != Some(customer) {
        return;
    }
    let sent = object(json!({"cancel_at_period_end": true}));
    // A subscription that is over already stays as it is.
    let _ = subscription::change(account, &old, &sent);
}
