//! Money that leaves: payouts to the bank, transfers to connected accounts and their reversals; and top-ups,
//! which bring it back. A payout is with the bank for some days, and the bank can send it back.

use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::fields::{assign_metadata, new_metadata, whole};
use super::{Call, Operations, Read, Reply, destination, external_account, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, moment, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/payouts", list_payouts),
    ("POST", "/v1/payouts", create_payout),
    ("GET", "/v1/payouts/{payout}", retrieve_payout),
    ("POST", "/v1/payouts/{payout}", update_payout),
    ("POST", "/v1/payouts/{payout}/cancel", cancel_payout),
    ("POST", "/v1/payouts/{payout}/reverse", reverse_payout),
    ("GET", "/v1/transfers", list_transfers),
    ("POST", "/v1/transfers", create_transfer),
    ("GET", "/v1/transfers/{id}/reversals", list_reversals),
    ("POST", "/v1/transfers/{id}/reversals", create_reversal),
    ("GET", "/v1/transfers/{transfer}", retrieve_transfer),
    ("POST", "/v1/transfers/{transfer}", update_transfer),
    ("GET", "/v1/transfers/{transfer}/reversals/{id}", retrieve_reversal),
    ("POST", "/v1/transfers/{transfer}/reversals/{id}", update_reversal),
];

const PAYOUT: &str = "payout";
const TRANSFER: &str = "transfer";
const REVERSAL: &str = "transfer_reversal";
/// Banking days until a payout is with the bank, and until it has arrived.
const SENDING: u32 = 1;
const ARRIVING: u32 = 2;
/// Instant payouts arrive within the half hour, of a banking day of this many.
const HALF_HOURS: u32 = 48;

fn checked(account: &Account, sent: &Object, amount: i64) -> Result<String, ApiError> {
    let currency = money::currency(sent.text("currency").unwrap_or_default(), "currency")?;
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > money::LARGEST_TOTAL {
        return Err(money::too_large("amount", &currency, money::LARGEST_TOTAL));
    }
    if matches!(currency.as_str(), "huf" | "twd") && amount % 100 != 0 {
        return Err(ApiError::invalid(format!("Amounts in {currency} are multiples of 100 here.")).param("amount"));
    }
    let available = account.balances.get(&currency).map_or(0, |b| b.available);
    if amount > available {
        return Err(ApiError::invalid(
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your \
             available balance by creating Charges using the 4000000000000077 test card. See: \
             https://stripe.com/docs/testing#available-balance",
        )
        .code("balance_insufficient"));
    }
    Ok(currency)
}

fn moved(account: &mut Account, amount: i64, currency: &str, kind: &str, source: &str) -> String {
    let movement = Movement { amount, fee: 0, currency, kind, source, description: None, available: true };
    balance::record(account, &movement)
}

fn create_payout(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let amount = sent.integer("amount").unwrap_or_default();
    let currency = checked(call.account, &sent, amount)?;
    let external = external_account::destination(call.account, sent.text("destination"), &currency)?;
    let id = call.account.new_id("po");
    let transaction = moved(call.account, -amount, &currency, "payout", &id);
    let to_card = external.as_ref().is_some_and(|e| e.text("object") == Some("card"));
    let destination = match &external {
        Some(external) => external.id().to_owned(),
        None => call.account.new_id("ba"),
    };
    let instant = sent.text("method") == Some("instant");
    let (told, sending, arriving) = if instant {
        let half_hour = call.account.settings().banking_day / HALF_HOURS;
        let arriving = moment().saturating_add(i64::try_from(half_hour.as_millis()).unwrap_or(i64::MAX));
        (now(), moment(), arriving)
    } else {
        let (told, arriving) = call.account.in_banking_days(ARRIVING);
        (told / 1000, call.account.in_banking_days(SENDING).1, arriving)
    };
    let payout = whole(
        PAYOUT,
        json!({
            "id": id, "object": PAYOUT, "amount": amount, "arrival_date": told, "automatic": false,
            "balance_transaction": transaction, "created": now(), "currency": currency,
            "description": sent.text("description"), "destination": destination, "livemode": call.account.live(),
            "metadata": new_metadata(&sent), "method": if instant { "instant" } else { "standard" },
            "reconciliation_status": "not_applicable", "source_type": sent.text("source_type").unwrap_or("card"),
            "statement_descriptor": sent.text("statement_descriptor"), "status": "pending",
            "trace_id": {"status": "pending", "value": null}, "type": if to_card { "card" } else { "bank_account" },
        }),
    );
    call.account.later(sending, send, &id);
    call.account.later(arriving, arrive, &id);
    Ok(Reply::Kept(call.account.create(PAYOUT, "payout.created", &payout)))
}

/// A payout goes to the bank, unless it was canceled.
fn send(account: &mut Account, id: &str) {
    let Some(old) = account.get(PAYOUT, id).filter(|p| p.text("status") == Some("pending")) else { return };
    let mut new = old.clone();
    new.insert("status".into(), "in_transit".into());
    account.update(PAYOUT, "payout.updated", &old, &new);
}

/// The bank pays out, or gives the money back and says why.
fn arrive(account: &mut Account, id: &str) {
    let Some(old) = account.get(PAYOUT, id).filter(|p| p.text("status") == Some("in_transit")) else { return };
    let mut new = old.clone();
    // A destination that is gone by now was one that pays when the payout was made.
    let external = external_account::destination(account, old.text("destination"), "").ok().flatten();
    let Some((code, message)) = external.as_ref().and_then(external_account::failure) else {
        let trace = account.letters(15).bytes().map(|b| char::from(b'0' + b % 10)).collect::<String>();
        new.insert("status".into(), "paid".into());
        new.insert("trace_id".into(), json!({"status": "supported", "value": trace}));
        account.change(PAYOUT, &["payout.updated", "payout.paid"], &old, &new);
        return;
    };
    let currency = old.text("currency").unwrap_or("usd").to_owned();
    let movement = Movement {
        amount: old.integer("amount").unwrap_or_default(),
        fee: 0,
        currency: &currency,
        kind: "payout_failure",
        source: id,
        description: Some("REFUND FOR PAYOUT (STRIPE PAYOUT)"),
        available: true,
    };
    let transaction = balance::record(account, &movement);
    for (name, value) in [
        ("failure_balance_transaction", transaction),
        ("failure_code", code.into()),
        ("failure_message", message.into()),
        ("status", "failed".into()),
    ] {
        new.insert(name.into(), value.into());
    }
    account.change(PAYOUT, &["payout.updated", "payout.failed"], &old, &new);
}

fn retrieve_payout(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(PAYOUT).map(Reply::from)
}

fn update_payout(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(PAYOUT)?;
    let mut new = old.clone();
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(PAYOUT, "payout.updated", &old, &new)))
}

fn cancel_payout(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut payout = call.named(PAYOUT)?;
    if payout.text("status") != Some("pending") {
        return Err(
            ApiError::invalid("Payouts can only be canceled while they are pending.").code("payouts_not_allowed")
        );
    }
    let currency = payout.text("currency").unwrap_or("usd").to_owned();
    let amount = payout.integer("amount").unwrap_or_default();
    let transaction = moved(call.account, amount, &currency, "payout_cancel", payout.id());
    payout.insert("failure_balance_transaction".into(), transaction.into());
    payout.insert("status".into(), "canceled".into());
    let text = call.account.put(PAYOUT, &payout);
    call.account.emit("payout.canceled", text.clone());
    Ok(Reply::Kept(text))
}

fn reverse_payout(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut old = call.named(PAYOUT)?;
    if old.text("reversed_by").is_some() || matches!(old.text("status"), Some("canceled" | "failed")) {
        return Err(ApiError::invalid("This payout cannot be reversed."));
    }
    let id = call.account.new_id("po");
    let amount = old.integer("amount").unwrap_or_default();
    let currency = old.text("currency").unwrap_or("usd").to_owned();
    let transaction = moved(call.account, amount, &currency, "payout", &id);
    let mut new = old.clone();
    for (name, value) in [
        ("id", Value::from(id.as_str())),
        ("amount", (-amount).into()),
        ("balance_transaction", transaction.into()),
        ("created", now().into()),
        ("metadata", new_metadata(&call.parameters)),
        ("original_payout", old.id().into()),
    ] {
        new.insert(name.into(), value);
    }
    old.insert("reversed_by".into(), id.into());
    call.account.put(PAYOUT, &old);
    Ok(Reply::Kept(call.account.create(PAYOUT, "payout.created", &new)))
}

fn list_payouts(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let arrival = call.parameters.get("arrival_date").cloned();
    listing::shelf_where(call, PAYOUT, &[("destination", "destination"), ("status", "status")], |payout| {
        let time = payout.integer("arrival_date").unwrap_or_default();
        listing::in_range(arrival.as_ref(), time)
    })
}

fn create_transfer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let destination = sent.text("destination").unwrap_or_default();
    if !call.account.exists("account", destination) {
        return Err(ApiError::missing_object("destination", destination, "destination"));
    }
    let of_charge = match sent.text("source_transaction") {
        Some(id) => Some(call.account.find("charge", id, "source_transaction")?),
        None => None,
    };
    let whole_charge = of_charge.as_ref().and_then(|c| c.integer("amount"));
    let Some(amount) = sent.integer("amount").or(whole_charge) else { return Err(ApiError::missing_param("amount")) };
    let currency = match &of_charge {
        // Money of a charge can be passed on before it is available.
        Some(_) if amount > 0 && whole_charge.is_some_and(|w| amount <= w) => {
            money::currency(sent.text("currency").unwrap_or_default(), "currency")?
        }
        _ => checked(call.account, &sent, amount)?,
    };
    let passed = destination::Passed {
        destination,
        amount,
        currency: &currency,
        charge: of_charge.as_ref().map(Read::id),
        group: sent.text("transfer_group"),
        description: sent.text("description"),
        metadata: new_metadata(&sent),
        fee: None,
        available: true,
    };
    Ok(destination::pass(call.account, &passed).into())
}

fn retrieve_transfer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(TRANSFER).map(Reply::from)
}

fn update_transfer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(TRANSFER)?;
    let mut new = old.clone();
    if let Some(text) = call.parameters.get("description") {
        new.insert("description".into(), if text == "" { Value::Null } else { text.clone() });
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(TRANSFER, "transfer.updated", &old, &new)))
}

fn list_transfers(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, TRANSFER, &[("destination", "destination"), ("transfer_group", "transfer_group")])
}

fn reversals(transfer: &Object) -> Vec<Value> {
    transfer.object("reversals").map(|r| r.list("data").to_vec()).unwrap_or_default()
}

fn create_reversal(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let transfer = call.named(TRANSFER)?;
    let sent = std::mem::take(&mut call.parameters);
    let total = transfer.integer("amount").unwrap_or_default();
    let before = transfer.integer("amount_reversed").unwrap_or_default();
    let left = total - before;
    let amount = sent.integer("amount").unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > left {
        let message = format!("Reversal amount is greater than the unreversed amount of the transfer, {left}.");
        return Err(ApiError::invalid(message).param("amount"));
    }
    Ok(destination::reverse(call.account, &transfer, amount, None, new_metadata(&sent), 0).into())
}

fn list_reversals(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let transfer = call.named(TRANSFER)?;
    listing::parts(call, REVERSAL, reversals(&transfer))
}

fn reversal(call: &Call<'_>) -> Result<Object, ApiError> {
    let transfer = call.named(TRANSFER)?;
    let id = call.values.get(1).map_or("", String::as_str);
    let found = call.account.find(REVERSAL, id, "id")?;
    if found.text("transfer") == Some(transfer.id()) {
        Ok(found)
    } else {
        Err(ApiError::missing_object(REVERSAL, id, "id"))
    }
}

fn retrieve_reversal(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    reversal(call).map(Reply::from)
}

fn update_reversal(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut changed = reversal(call)?;
    assign_metadata(&mut changed, &call.parameters)?;
    Ok(Reply::Kept(call.account.put(REVERSAL, &changed)))
}
