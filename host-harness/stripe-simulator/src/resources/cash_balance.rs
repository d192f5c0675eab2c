//! Cash balances of customers: what they sent by bank transfer and is applied to no payment yet.
//!
//! Only the test helper funds them. Payments by bank transfer are not simulated, so funds stay until somebody
//! asks for them.

use serde_json::{Value, json};

use super::fields::{object, whole};
use super::{Call, Operations, Read, Reply, customer, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/customers/{customer}/cash_balance", retrieve),
    ("POST", "/v1/customers/{customer}/cash_balance", update),
    ("GET", "/v1/customers/{customer}/cash_balance_transactions", list),
    ("GET", "/v1/customers/{customer}/cash_balance_transactions/{transaction}", retrieve_transaction),
    ("POST", "/v1/test_helpers/customers/{customer}/fund_cash_balance", fund),
];

const KIND: &str = "customer_cash_balance_transaction";
/// Where the balances are, by the customer: they have no ids of their own.
const BALANCES: &str = "customer.cash_balance";

/// The cash balance of a customer; one that nothing happened to has nothing available.
pub(super) fn of_customer(account: &Account, customer: &str) -> Object {
    let kept = account.get(BALANCES, customer).and_then(|k| k.object("balance").cloned());
    kept.unwrap_or_else(|| {
        object(json!({
            "object": "cash_balance", "available": null, "customer": customer, "customer_account": null,
            "livemode": account.live(),
            "settings": {"reconciliation_mode": "automatic", "using_merchant_default": true},
        }))
    })
}

fn keep(account: &mut Account, customer: &str, balance: &Object) {
    account.put(BALANCES, &object(json!({"id": customer, "created": now(), "balance": balance})));
}

/// The customer in the path.
fn owner(call: &mut Call<'_>) -> Result<String, ApiError> {
    let id = call.id().to_owned();
    customer::named(call.account, &id, "id")?;
    Ok(id)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    Ok(of_customer(call.account, &owner).into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let mut balance = of_customer(call.account, &owner);
    if let Some(mode) = call.parameters.object("settings").and_then(|s| s.text("reconciliation_mode")) {
        let default = mode == "merchant_default";
        let mode = if default { "automatic" } else { mode };
        let settings = json!({"reconciliation_mode": mode, "using_merchant_default": default});
        balance.insert("settings".into(), settings);
        keep(call.account, &owner, &balance);
    }
    Ok(balance.into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    listing::shelf_where(call, KIND, &[], |t| t.text("customer") == Some(&owner))
}

fn retrieve_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let id = call.values.last().cloned().unwrap_or_default();
    let found = call.account.find(KIND, &id, "id")?;
    if found.text("customer") == Some(&owner) {
        return Ok(found.into());
    }
    Err(ApiError::missing_object(KIND, &id, "id"))
}

/// A bank transfer arrives.
fn fund(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let sent = std::mem::take(&mut call.parameters);
    let currency = money::currency(sent.text("currency").unwrap_or_default(), "currency")?;
    let amount = sent.integer("amount").unwrap_or_default();
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > money::LARGEST {
        return Err(money::too_large("amount", &currency, money::LARGEST));
    }
    let (kind, details) = match currency.as_str() {
        "usd" => ("us_bank_transfer", json!({"network": "ach"})),
        "eur" => ("eu_bank_transfer", json!({"iban_last4": "3000"})),
        "gbp" => ("gb_bank_transfer", json!({"account_number_last4": "6789", "sort_code": "108800"})),
        "jpy" => ("jp_bank_transfer", json!({"sender_bank": "STRIPE TEST BANK"})),
        "mxn" => ("mx_bank_transfer", Value::Null),
        _ => {
            let message = format!("Customers cannot send bank transfers in {currency}.");
            return Err(ApiError::invalid(message).param("currency"));
        }
    };
    let mut transfer = object(json!({"reference": sent.text("reference"), "type": kind}));
    if !details.is_null() {
        transfer.insert(kind.into(), details);
    }
    let mut balance = of_customer(call.account, &owner);
    let mut available = balance.object("available").cloned().unwrap_or_default();
    let after = available.integer(&currency).unwrap_or_default().saturating_add(amount);
    available.insert(currency.clone(), after.into());
    balance.insert("available".into(), Value::Object(available));
    let transaction = whole(
        KIND,
        json!({
            "id": call.account.new_id("ccsbtxn"), "object": KIND, "created": now(), "currency": currency,
            "customer": owner, "ending_balance": after, "funded": {"bank_transfer": transfer},
            "livemode": call.account.live(), "net_amount": amount, "type": "funded",
        }),
    );
    keep(call.account, &owner, &balance);
    let text = call.account.create(KIND, "customer_cash_balance_transaction.created", &transaction);
    call.account.emit("cash_balance.funds_available", Value::Object(balance).to_string().into());
    Ok(Reply::Kept(text))
}
