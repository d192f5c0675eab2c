//! The balance and the transactions that it is the sum of.

use serde_json::{Value, json};

use super::fields::object;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/balance", retrieve),
    ("GET", "/v1/balance_transactions", list_transactions),
    ("GET", "/v1/balance_transactions/{id}", retrieve_transaction),
];

const KIND: &str = "balance_transaction";
/// Until money of a charge is available.
const SETTLING: i64 = 2 * 24 * 60 * 60;

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
    let id = account.new_id("txn");
    let created = now();
    let net = movement.amount - movement.fee;
    let fees = if movement.fee == 0 {
        Vec::new()
    } else {
        vec![json!({
            "amount": movement.fee, "application": null, "currency": movement.currency,
            "description": "Stripe processing fees", "type": "stripe_fee",
        })]
    };
    let transaction = object(json!({
        "id": id,
        "object": KIND,
        "amount": movement.amount,
        "available_on": if movement.available { created } else { created + SETTLING },
        "balance_type": "payments",
        "created": created,
        "currency": movement.currency,
        "description": movement.description,
        "exchange_rate": null,
        "fee": movement.fee,
        "fee_details": fees,
        "net": net,
        "reporting_category": movement.kind,
        "source": movement.source,
        "status": if movement.available { "available" } else { "pending" },
        "type": movement.kind,
    }));
    account.put(KIND, &transaction);
    let sums = account.balances.entry(movement.currency.to_owned()).or_default();
    let sum = if movement.available { &mut sums.available } else { &mut sums.pending };
    *sum = sum.saturating_add(net);
    id
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let balances = &call.account.balances;
    let entry =
        |currency: &str, amount: i64| json!({"amount": amount, "currency": currency, "source_types": {"card": amount}});
    let mut available: Vec<Value> = balances.iter().map(|(c, s)| entry(c, s.available)).collect();
    let mut pending: Vec<Value> = balances.iter().map(|(c, s)| entry(c, s.pending)).collect();
    if balances.is_empty() {
        available.push(entry("usd", 0));
        pending.push(entry("usd", 0));
    }
    Ok(Reply::Made(json!({
        "object": "balance",
        "available": available,
        "livemode": call.account.live(),
        "pending": pending,
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    })))
}

fn retrieve_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list_transactions(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if call.parameters.text("payout").is_some() {
        return listing::shelf_where(call, KIND, &[], |_| false);
    }
    listing::shelf(call, KIND, &[("currency", "currency"), ("source", "source"), ("type", "type")])
}
