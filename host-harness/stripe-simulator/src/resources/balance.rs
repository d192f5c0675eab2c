//! The balance and the transactions that it is the sum of. Money of a charge is pending until the banks have settled.

use serde_json::{Value, json};

use super::application_fee::APPLICATION;
use super::fields::object;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, moment, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/balance", retrieve),
    ("GET", "/v1/balance_transactions", list_transactions),
    ("GET", "/v1/balance_transactions/{id}", retrieve_transaction),
];

const KIND: &str = "balance_transaction";
/// Banking days until money of a charge is available.
const SETTLING: u32 = 2;

/// Money that moves.
pub(super) struct Movement<'a> {
    /// In the smallest unit; negative when it leaves.
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) currency: &'a str,
    pub(super) kind: &'a str,
    /// The id of what moves it.
    pub(super) source: &'a str,
    pub(super) description: Option<&'a str>,
    /// Whether it counts at once.
    pub(super) available: bool,
}

/// Moves money; the id of the transaction.
pub(super) fn record(account: &mut Account, movement: &Movement<'_>) -> String {
    record_with(account, movement, 0)
}

/// Like [`record`], with a fee of the application on top of Stripe's; a negative one is given back.
pub(super) fn record_with(account: &mut Account, movement: &Movement<'_>, application_fee: i64) -> String {
    let id = account.new_id("txn");
    let created = now();
    let fee = movement.fee.saturating_add(application_fee);
    let net = movement.amount.saturating_sub(fee);
    let (told, due) = account.in_banking_days(SETTLING);
    let mut fees = Vec::new();
    let parts = [
        (application_fee, Some(APPLICATION), "application fee", "application_fee"),
        (movement.fee, None, "Stripe processing fees", "stripe_fee"),
    ];
    for (amount, application, description, kind) in parts.into_iter().filter(|(amount, ..)| *amount != 0) {
        fees.push(json!({
            "amount": amount, "application": application, "currency": movement.currency, "description": description,
            "type": kind,
        }));
    }
    let transaction = object(json!({
        "id": id,
        "object": KIND,
        "amount": movement.amount,
        "available_on": if movement.available { created } else { told / 1000 },
        "balance_type": "payments",
        "created": created,
        "currency": movement.currency,
        "description": movement.description,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": fees,
        "net": net,
        "reporting_category": category(movement.kind),
        "source": movement.source,
        "status": if movement.available { "available" } else { "pending" },
        "type": movement.kind,
    }));
    account.put(KIND, &transaction);
    let sums = account.balances.entry(movement.currency.to_owned()).or_default();
    let sum = if movement.available { &mut sums.available } else { &mut sums.pending };
    *sum = sum.saturating_add(net);
    if !movement.available {
        // One task settles everything that is due at its moment.
        if !account.settling.contains_key(&due) {
            account.later(due, settle, "");
        }
        account.settling.entry(due).or_default().push(id.clone());
    } else if movement.kind == "charge" {
        account.later(moment(), tell, "");
    }
    id
}

/// More is available than before.
fn tell(account: &mut Account, _: &str) {
    let balance = current(account).to_string();
    account.emit("balance.available", balance.into());
}

/// What reports call a kind of transaction.
fn category(kind: &str) -> &str {
    match kind {
        "payout_cancel" | "payout_failure" => "payout_reversal",
        "transfer_refund" => "transfer_reversal",
        "payment" => "charge",
        "payment_refund" => "refund",
        "application_fee" => "platform_earning",
        "application_fee_refund" => "platform_earning_refund",
        other => other,
    }
}

/// What is pending and due becomes available.
fn settle(account: &mut Account, _: &str) {
    let now = moment();
    let later = account.settling.split_off(&now.saturating_add(1));
    let due: Vec<String> = std::mem::replace(&mut account.settling, later).into_values().flatten().collect();
    for id in &due {
        let Some(mut transaction) = account.get(KIND, id) else { continue };
        transaction.insert("status".into(), "available".into());
        account.put(KIND, &transaction);
        let net = transaction.integer("net").unwrap_or_default();
        let sums = account.balances.entry(transaction.text("currency").unwrap_or_default().to_owned()).or_default();
        sums.pending = sums.pending.saturating_sub(net);
        sums.available = sums.available.saturating_add(net);
    }
    if !due.is_empty() {
        tell(account, "");
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::Made(current(call.account)))
}

/// The balance as an object.
fn current(account: &Account) -> Value {
    let balances = &account.balances;
    let entry =
        |currency: &str, amount: i64| json!({"amount": amount, "currency": currency, "source_types": {"card": amount}});
    let mut available: Vec<Value> = balances.iter().map(|(c, s)| entry(c, s.available)).collect();
    let mut pending: Vec<Value> = balances.iter().map(|(c, s)| entry(c, s.pending)).collect();
    if balances.is_empty() {
        available.push(entry("usd", 0));
        pending.push(entry("usd", 0));
    }
    json!({
        "object": "balance",
        "available": available,
        "livemode": account.live(),
        "pending": pending,
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    })
}

fn retrieve_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list_transactions(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if let Some(id) = call.parameters.text("payout") {
        // Only Stripe knows what went into a payout that it made itself, and here every payout is asked for.
        call.account.find("payout", id, "payout")?;
        let message = "Balance transaction history can only be filtered on automatic transfers, not manual.";
        return Err(ApiError::invalid(message));
    }
    listing::shelf(call, KIND, &[("currency", "currency"), ("source", "source"), ("type", "type")])
}
