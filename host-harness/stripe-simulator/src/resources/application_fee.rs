//! Application fees: what a platform earns of its connected accounts' payments, and gives back.

use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::fields::{assign_metadata, new_metadata, object, sublist, whole};
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/application_fees", list),
    ("GET", "/v1/application_fees/{id}", retrieve),
    ("GET", "/v1/application_fees/{id}/refunds", list_refunds),
    ("POST", "/v1/application_fees/{id}/refunds", create_refund),
    ("GET", "/v1/application_fees/{fee}/refunds/{id}", retrieve_refund),
    ("POST", "/v1/application_fees/{fee}/refunds/{id}", update_refund),
];

const KIND: &str = "application_fee";
const REFUND: &str = "fee_refund";

/// The platform as connected accounts see it.
pub(super) const APPLICATION: &str = "ca_SimulatorPlatformApplication00001";

/// What a fee is taken from.
pub(super) struct Taken<'a> {
    /// The id that the fee gets.
    pub(super) id: &'a str,
    pub(super) amount: i64,
    pub(super) currency: &'a str,
    /// The connected account, and its payment or charge.
    pub(super) account: &'a str,
    pub(super) charge: &'a str,
    /// The platform's charge whose money was passed on.
    pub(super) originating: Option<&'a str>,
}

/// What a platform has to know to take a fee.
pub(super) fn describe(taken: &Taken<'_>) -> Object {
    object(json!({
        "id": taken.id, "object": KIND, "account": taken.account, "amount": taken.amount, "amount_refunded": 0,
        "application": APPLICATION, "charge": taken.charge, "created": now(), "currency": taken.currency,
        "fee_source": {"charge": taken.charge, "type": "charge"}, "originating_transaction": taken.originating,
        "refunded": false, "refunds": sublist(Vec::new(), format!("/v1/application_fees/{}/refunds", taken.id)),
    }))
}

/// The platform takes a fee.
pub(super) fn take(account: &mut Account, described: &Object) {
    let mut fee = described.clone();
    let currency = fee.text("currency").unwrap_or("usd").to_owned();
    let amount = fee.integer("amount").unwrap_or_default();
    let transaction = moved(account, amount, &currency, KIND, fee.id());
    fee.insert("balance_transaction".into(), transaction.into());
    fee.insert("livemode".into(), account.live().into());
    let fee = whole(KIND, Value::Object(fee));
    account.create(KIND, "application_fee.created", &fee);
}

fn moved(account: &mut Account, amount: i64, currency: &str, kind: &str, source: &str) -> String {
    let movement = Movement { amount, fee: 0, currency, kind, source, description: None, available: true };
    balance::record(account, &movement)
}

/// Gives back a part of a fee.
fn refund(account: &mut Account, fee: &Object, amount: i64, metadata: Value) -> Object {
    let currency = fee.text("currency").unwrap_or("usd").to_owned();
    let id = account.new_id("fr");
    let transaction = moved(account, -amount, &currency, "application_fee_refund", &id);
    let refund = whole(
        REFUND,
        json!({
            "id": id, "object": REFUND, "amount": amount, "balance_transaction": transaction, "created": now(),
            "currency": currency, "fee": fee.id(), "metadata": metadata,
        }),
    );
    account.put(REFUND, &refund);
    let mut fee = fee.clone();
    let refunded = fee.integer("amount_refunded").unwrap_or_default().saturating_add(amount);
    let whole = fee.integer("amount") == Some(refunded);
    fee.insert("amount_refunded".into(), refunded.into());
    fee.insert("refunded".into(), whole.into());
    show(account, &mut fee);
    account.emit("application_fee.refunded", written(&fee));
    refund
}

/// Shows the newest refunds of a fee in it, and keeps it.
fn show(account: &mut Account, fee: &mut Object) {
    let id = fee.id().to_owned();
    let url = format!("/v1/application_fees/{id}/refunds");
    let refunds = listing::newest(account, REFUND, &id, url, |r| r.text("fee") == Some(&id));
    fee.insert("refunds".into(), refunds);
    account.put(KIND, fee);
}

/// Gives back a part of a fee: `amount` of `fee`. With `told` the connected account gets it by itself, else it is part
/// of what comes back to it anyway.
pub(super) fn refund_part(account: &mut Account, about: &Object) {
    let Some(fee) = about.text("fee").and_then(|id| account.get(KIND, id)) else { return };
    let amount = about.integer("amount").unwrap_or_default().min(left(&fee));
    if amount < 1 {
        return;
    }
    let made = refund(account, &fee, amount, json!({}));
    if let Some(owner) = fee.text("account").filter(|_| about.is_true("told")) {
        account.errand(Some(owner), receive, made);
    }
}

fn left(fee: &Object) -> i64 {
    fee.integer("amount").unwrap_or_default() - fee.integer("amount_refunded").unwrap_or_default()
}

fn create_refund(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fee = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    let left = left(&fee);
    if left == 0 {
        return Err(ApiError::invalid(format!("Application fee {} has already been refunded.", fee.id())));
    }
    let amount = sent.integer("amount").unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > left {
        let message = format!("Refund amount is greater than the unrefunded amount of the application fee, {left}.");
        return Err(ApiError::invalid(message).param("amount"));
    }
    let made = refund(call.account, &fee, amount, new_metadata(&sent));
    if let Some(owner) = fee.text("account") {
        call.account.errand(Some(owner), receive, made.clone());
    }
    Ok(made.into())
}

/// The connected account gets a part of a fee back.
fn receive(account: &mut Account, refund: &Object) {
    let currency = refund.text("currency").unwrap_or("usd").to_owned();
    let amount = refund.integer("amount").unwrap_or_default();
    moved(account, amount, &currency, "application_fee_refund", refund.id());
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("charge", "charge")])
}

fn list_refunds(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fee = call.named(KIND)?.id().to_owned();
    listing::shelf_where(call, REFUND, &[], |r| r.text("fee") == Some(&fee))
}

fn one_refund(call: &Call<'_>) -> Result<(Object, Object), ApiError> {
    let fee = call.named(KIND)?;
    let id = call.values.get(1).map_or("", String::as_str);
    let found = call.account.find(REFUND, id, "id")?;
    if found.text("fee") == Some(fee.id()) { Ok((fee, found)) } else { Err(ApiError::missing_object(REFUND, id, "id")) }
}

fn retrieve_refund(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    one_refund(call).map(|(_, refund)| refund.into())
}

fn update_refund(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (mut fee, old) = one_refund(call)?;
    let mut new = old.clone();
    assign_metadata(&mut new, &call.parameters)?;
    let text = call.account.update(REFUND, "application_fee.refund.updated", &old, &new);
    show(call.account, &mut fee);
    Ok(Reply::Kept(text))
}
