//! Early fraud warnings: the customer's bank suspects fraud and has not taken the money back, yet.

use serde_json::json;

use super::fields::object;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/radar/early_fraud_warnings", list),
    ("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}", retrieve),
];

const KIND: &str = "radar.early_fraud_warning";

/// The bank warns of a charge.
pub(super) fn open(account: &mut Account, charge: &Object) {
    let warning = object(json!({
        "id": account.new_id("issfr"), "object": KIND, "actionable": true, "charge": charge.id(), "created": now(),
        "fraud_type": "misc", "livemode": account.live(), "payment_intent": charge.get("payment_intent"),
    }));
    account.create(KIND, "radar.early_fraud_warning.created", &warning);
}

/// A charge was refunded in full: there is nothing left to do about a warning.
pub(super) fn settle(account: &mut Account, charge: &str) {
    for old in account.select(KIND, charge, |w| w.text("charge") == Some(charge)) {
        let mut new = old.clone();
        new.insert("actionable".into(), false.into());
        account.update(KIND, "radar.early_fraud_warning.updated", &old, &new);
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("charge", "charge"), ("payment_intent", "payment_intent")])
}
