//! Payments that connected accounts have a part in: what a platform passes on of a charge, the fee that it keeps, and
//! how both come back with a refund.
//!
//! A destination charge is the platform's own: its money is transferred, and arrives with the connected account as a
//! payment (`py_…`) that the fee is taken from. A direct charge is the connected account's, and the platform only
//! gets its fee. The other side is an errand in both cases.

use serde_json::{Value, json};

use super::application_fee::{self, APPLICATION, Taken};
use super::balance::{self, Movement};
use super::fields::{empty_address, object, sublist, whole};
use super::{Read, account};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

const CHARGE: &str = "charge";
const TRANSFER: &str = "transfer";
const REVERSAL: &str = "transfer_reversal";

/// Whether what is said about connected accounts in a payment of an amount can be done.
pub(super) fn check(account: &Account, sent: &Object, amount: i64) -> Result<(), ApiError> {
    let transfer = sent.object("transfer_data");
    let destination = transfer.and_then(|t| t.text("destination"));
    if let Some(id) = destination {
        account::check_destination(account, id, "transfer_data[destination]")?;
    }
    if let Some(id) = sent.text("on_behalf_of").filter(|id| *id != account.id()) {
        account::check_destination(account, id, "on_behalf_of")?;
    }
    let part = transfer.and_then(|t| t.integer("amount"));
    if part.is_some_and(|part| part > amount) {
        let message = "The transfer_data[amount] must be less than or equal to the charge amount.";
        return Err(ApiError::invalid(message).param("transfer_data[amount]"));
    }
    let Some(fee) = sent.integer("application_fee_amount") else { return Ok(()) };
    if part.is_some() {
        return Err(ApiError::exclusive("transfer_data[amount]", "application_fee_amount"));
    }
    if destination.is_none() && !account.is_connected() {
        return Err(ApiError::invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an \
             OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
        )
        .param("application_fee_amount"));
    }
    if fee < 0 {
        return Err(ApiError::too_small("application_fee_amount", 0));
    }
    if fee > amount {
        let message = "The application fee amount must be less than or equal to the charge amount.";
        return Err(ApiError::invalid(message).param("application_fee_amount"));
    }
    Ok(())
}

/// What holds for connected accounts in a payment once parameters have changed it.
pub(super) fn terms(known: &Object, sent: &Object) -> Object {
    let mut terms = known.clone();
    if let Some(fee) = sent.get("application_fee_amount") {
        terms.insert("application_fee_amount".into(), fee.clone());
    }
    if let (Some(given), Some(Value::Object(data))) = (sent.object("transfer_data"), terms.get_mut("transfer_data")) {
        data.extend(given.clone());
    }
    terms
}

/// Money on its way to a connected account.
pub(super) struct Passed<'a> {
    pub(super) destination: &'a str,
    pub(super) amount: i64,
    pub(super) currency: &'a str,
    /// The charge that the money is of.
    pub(super) charge: Option<&'a str>,
    pub(super) group: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) metadata: Value,
    /// The fee that is taken from it: id and amount.
    pub(super) fee: Option<(&'a str, i64)>,
    /// Whether it counts at once.
    pub(super) available: bool,
}

/// Transfers money; the transfer.
pub(super) fn pass(account: &mut Account, passed: &Passed<'_>) -> Object {
    let (id, payment) = (account.new_id("tr"), account.new_id("py"));
    let movement = Movement {
        amount: -passed.amount,
        fee: 0,
        currency: passed.currency,
        kind: TRANSFER,
        source: &id,
        description: None,
        available: passed.available,
    };
    let transaction = balance::record(account, &movement);
    let transfer = whole(
        TRANSFER,
        json!({
            "id": id, "object": TRANSFER, "amount": passed.amount, "amount_reversed": 0,
            "balance_transaction": transaction, "created": now(), "currency": passed.currency,
            "description": passed.description, "destination": passed.destination, "destination_payment": payment,
            "livemode": account.live(), "metadata": passed.metadata,
            "reversals": sublist(Vec::new(), format!("/v1/transfers/{id}/reversals")), "reversed": false,
            "source_transaction": passed.charge, "source_type": "card", "transfer_group": passed.group,
        }),
    );
    account.create(TRANSFER, "transfer.created", &transfer);
    let about = json!({
        "id": payment, "amount": passed.amount, "available": passed.available, "currency": passed.currency,
        "fee": passed.fee.map(|(id, _)| id), "fee_amount": passed.fee.map(|(_, amount)| amount),
        "group": passed.group, "transfer": id,
    });
    account.errand(Some(passed.destination), arrive, object(about));
    transfer
}

/// Money of a transfer arrives as a payment.
fn arrive(account: &mut Account, about: &Object) {
    let (id, amount) = (about.text("id").unwrap_or_default(), about.integer("amount").unwrap_or_default());
    let movement = Movement {
        amount,
        fee: 0,
        currency: about.text("currency").unwrap_or("usd"),
        kind: "payment",
        source: id,
        description: None,
        available: about.is_true("available"),
    };
    let fee = about.integer("fee_amount");
    let transaction = balance::record_with(account, &movement, fee.unwrap_or_default());
    let payment = whole(
        CHARGE,
        json!({
            "id": id, "object": CHARGE, "amount": amount, "amount_captured": amount, "amount_refunded": 0,
            "application": fee.map(|_| APPLICATION), "application_fee": about.text("fee"),
            "application_fee_amount": fee, "balance_transaction": transaction,
            "billing_details": {
                "address": empty_address(), "email": null, "name": null, "phone": null, "tax_id": null,
            },
            "captured": true, "created": now(), "currency": movement.currency, "disputed": false,
            "fraud_details": {}, "livemode": account.live(), "metadata": {}, "paid": true, "radar_options": {},
            "payment_method_details": {"stripe_account": {}, "type": "stripe_account"}, "refunded": false,
            "source_transfer": about.text("transfer"), "status": "succeeded", "transfer_group": about.text("group"),
        }),
    );
    account.put(CHARGE, &payment);
}

/// Shares a charge whose money was taken: the connected account gets its part, the platform its fee.
pub(super) fn share(account: &mut Account, charge: &mut Object, amount: i64, available: bool) {
    let fee = charge.integer("application_fee_amount").filter(|fee| *fee > 0).map(|fee| fee.min(amount));
    let currency = charge.text("currency").unwrap_or("usd").to_owned();
    let fee_id = fee.map(|_| account.new_id("fee"));
    let taken = fee_id.as_deref().zip(fee);
    if account.is_connected() {
        let Some((id, fee)) = taken else { return };
        let (account_id, charge_id) = (account.id().to_owned(), charge.id().to_owned());
        let taken =
            Taken { id, amount: fee, currency: &currency, account: &account_id, charge: &charge_id, originating: None };
        account.errand(None, application_fee::take, application_fee::describe(&taken));
        charge.insert("application".into(), APPLICATION.into());
        charge.insert("application_fee".into(), id.into());
        return;
    }
    let data = charge.object("transfer_data").cloned().unwrap_or_default();
    let Some(destination) = data.text("destination") else { return };
    let of = charge.text("payment_intent").unwrap_or(charge.id());
    let group = charge.text("transfer_group").map_or_else(|| format!("group_{of}"), str::to_owned);
    let passed = Passed {
        destination,
        amount: data.integer("amount").unwrap_or(amount).min(amount),
        currency: &currency,
        charge: Some(charge.id()),
        group: Some(&group),
        description: None,
        metadata: json!({}),
        fee: taken,
        available,
    };
    let transfer = pass(account, &passed);
    if let Some((id, fee)) = taken {
        let payment = transfer.text("destination_payment").unwrap_or_default();
        let originating = Some(charge.id());
        let taken = Taken { id, amount: fee, currency: &currency, account: destination, charge: payment, originating };
        let described = application_fee::describe(&taken);
        application_fee::take(account, &described);
        charge.insert("application_fee".into(), id.into());
    }
    charge.insert("transfer".into(), transfer.id().into());
    charge.insert("transfer_group".into(), group.into());
}

/// Takes a part of a transfer back; the reversal. `fee` of its payment's fee is given back with it.
pub(super) fn reverse(
    account: &mut Account,
    transfer: &Object,
    amount: i64,
    refund: Option<&str>,
    metadata: Value,
    fee: i64,
) -> Object {
    let mut transfer = transfer.clone();
    let currency = transfer.text("currency").unwrap_or("usd").to_owned();
    let (id, payment_refund) = (account.new_id("trr"), account.new_id("pyr"));
    let movement = Movement {
        amount,
        fee: 0,
        currency: &currency,
        kind: "transfer_refund",
        source: &id,
        description: None,
        available: true,
    };
    let transaction = balance::record(account, &movement);
    let reversal = whole(
        REVERSAL,
        json!({
            "id": id, "object": REVERSAL, "amount": amount, "balance_transaction": transaction, "created": now(),
            "currency": currency, "destination_payment_refund": payment_refund, "metadata": metadata,
            "source_refund": refund, "transfer": transfer.id(),
        }),
    );
    account.put(REVERSAL, &reversal);
    let reversed = transfer.integer("amount_reversed").unwrap_or_default().saturating_add(amount);
    let mut all = transfer.object("reversals").map(|r| r.list("data").to_vec()).unwrap_or_default();
    all.insert(0, Value::Object(reversal.clone()));
    let whole = transfer.integer("amount") == Some(reversed);
    transfer.insert("amount_reversed".into(), reversed.into());
    transfer.insert("reversed".into(), whole.into());
    transfer.insert("reversals".into(), sublist(all, format!("/v1/transfers/{}/reversals", transfer.id())));
    let text = account.put(TRANSFER, &transfer);
    account.emit("transfer.reversed", text);
    if let Some(destination) = transfer.text("destination") {
        let about = json!({
            "id": payment_refund, "amount": amount, "fee": fee, "payment": transfer.text("destination_payment"),
            "reversal": reversal.id(),
        });
        account.errand(Some(destination), leave, object(about));
    }
    reversal
}

/// Money of a payment goes back to where it came from.
fn leave(account: &mut Account, about: &Object) {
    let Some(old) = about.text("payment").and_then(|id| account.get(CHARGE, id)) else { return };
    let (id, amount) = (about.text("id").unwrap_or_default(), about.integer("amount").unwrap_or_default());
    let currency = old.text("currency").unwrap_or("usd").to_owned();
    let movement = Movement {
        amount: -amount,
        fee: 0,
        currency: &currency,
        kind: "payment_refund",
        source: id,
        description: Some("REFUND FOR PAYMENT"),
        available: true,
    };
    let transaction = balance::record_with(account, &movement, -about.integer("fee").unwrap_or_default());
    let mut refund = object(json!({
        "id": id, "object": "refund", "amount": amount, "balance_transaction": transaction, "charge": old.id(),
        "created": now(), "currency": currency, "customer": null, "customer_account": null, "metadata": {},
        "payment_intent": null, "payment_method": null, "reason": null, "receipt_number": null,
        "source_transfer_reversal": about.text("reversal"), "status": "succeeded", "transfer_reversal": null,
    }));
    refund.insert("destination_details".into(), Value::Null);
    account.create("refund", "refund.created", &refund);
    let mut new = old.clone();
    let refunded = old.integer("amount_refunded").unwrap_or_default().saturating_add(amount);
    new.insert("amount_refunded".into(), refunded.into());
    new.insert("refunded".into(), (old.integer("amount") == Some(refunded)).into());
    account.update(CHARGE, "charge.refunded", &old, &new);
}

/// A refund of a charge, as far as connected accounts are concerned.
pub(super) struct Returned {
    /// What of the fee goes back to the connected account.
    pub(super) fee: i64,
    transfer: Option<(Object, i64)>,
}

/// What comes back with a refund of an amount, of a charge of which some was refunded before.
pub(super) fn check_refund(
    account: &Account,
    charge: &Object,
    sent: &Object,
    amount: i64,
) -> Result<Returned, ApiError> {
    let total = charge.integer("amount_captured").unwrap_or_default();
    let before = charge.integer("amount_refunded").unwrap_or_default();
    // Rounded in sum, so that parts make up the whole.
    let share = |of: i64| {
        let upto = |refunded: i64| i128::from(of) * i128::from(refunded) / i128::from(total.max(1));
        i64::try_from(upto(before + amount) - upto(before)).unwrap_or_default()
    };
    let fee = match (sent.is_true("refund_application_fee"), charge.text("application_fee")) {
        (false, _) => 0,
        (true, Some(_)) => share(charge.integer("application_fee_amount").unwrap_or_default()),
        (true, None) => {
            let message = format!("Charge {} does not have an application fee to refund.", charge.id());
            return Err(ApiError::invalid(message).param("refund_application_fee"));
        }
    };
    let transfer = match (sent.is_true("reverse_transfer"), charge.text("transfer")) {
        (false, _) => None,
        (true, Some(id)) => {
            let transfer = account.find(TRANSFER, id, "reverse_transfer")?;
            let whole = transfer.integer("amount").unwrap_or_default();
            let left = whole - transfer.integer("amount_reversed").unwrap_or_default();
            Some((transfer, share(whole).min(left)))
        }
        (true, None) => {
            let message = format!("Charge {} does not have an associated transfer to reverse.", charge.id());
            return Err(ApiError::invalid(message).param("reverse_transfer"));
        }
    };
    Ok(Returned { fee, transfer })
}

/// Has what was checked come back; the id of the transfer's reversal.
pub(super) fn give_back(account: &mut Account, charge: &Object, refund: &str, returned: Returned) -> Option<String> {
    let Returned { fee, transfer } = returned;
    let reversing = transfer.as_ref().is_some_and(|(_, amount)| *amount > 0);
    if fee > 0 {
        let about = object(json!({"fee": charge.text("application_fee"), "amount": fee, "told": !reversing}));
        if account.is_connected() {
            // What comes back is in the refund's own transaction.
            let mut about = about;
            about.insert("told".into(), false.into());
            account.errand(None, application_fee::refund_part, about);
        } else {
            application_fee::refund_part(account, &about);
        }
    }
    let (transfer, amount) = transfer.filter(|(_, amount)| *amount > 0)?;
    Some(reverse(account, &transfer, amount, Some(refund), json!({}), fee).id().to_owned())
}
