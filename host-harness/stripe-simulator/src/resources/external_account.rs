//! External accounts: the bank accounts and cards that payouts go to, and what the bank says when one arrives.
//!
//! They belong to an account whoever asks for them: a platform adds them to its connected accounts, and these pay
//! out to them.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, deleted, new_metadata, object, whole};
use super::{Call, Operations, Read, Reply, account, listing, payment_method, source, token};
use crate::protocol::ApiError;
use crate::world::{Account, Object, Work, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/accounts/{account}/external_accounts", list),
    ("POST", "/v1/accounts/{account}/external_accounts", create),
    ("DELETE", "/v1/accounts/{account}/external_accounts/{id}", delete),
    ("GET", "/v1/accounts/{account}/external_accounts/{id}", retrieve),
    ("POST", "/v1/accounts/{account}/external_accounts/{id}", update),
];

/// The test account that pays.
const PAYS: &str = "000123456789";

/// How the numbers of test accounts end that payouts fail on: US ones and IBANs, code, message.
const FAILING: &[(&[&str], &str, &str)] = &[
    (
        &["1116", "3001"],
        "no_account",
        "The bank account details on file are probably incorrect. No bank account could be located with those details.",
    ),
    (&["1113", "3002"], "account_closed", "The bank account has been closed."),
    (&["2227", "3003"], "insufficient_funds", "Your Stripe account has insufficient funds to cover the payout."),
    (
        &["3335", "3004"],
        "debit_not_authorized",
        "Debit transactions are not approved on your bank account. Stripe requires bank accounts to be set up for both \
         credit and debit payouts.",
    ),
    (
        &["4440", "3005"],
        "invalid_currency",
        "The bank was unable to process this payout because of its currency. This is probably because the bank account \
         cannot accept payments in that currency.",
    ),
];

/// Why a payout to an external account fails: code and message.
pub(super) fn failure(external: &Object) -> Option<(&'static str, &'static str)> {
    failure_of(external.text("last4").filter(|_| external.text("object") == Some("bank_account"))?)
}

/// Why a test account fails whose number ends so.
pub(super) fn failure_of(end: &str) -> Option<(&'static str, &'static str)> {
    FAILING.iter().find(|(ends, ..)| ends.contains(&end)).map(|(_, code, message)| (*code, *message))
}

/// The external account that a payout in a currency goes to: the one that is named, or else the default. An
/// account that never added one has one of which nothing is known.
pub(super) fn destination(account: &Account, named: Option<&str>, currency: &str) -> Result<Option<Object>, ApiError> {
    let all = account.settings().external_accounts(account.live(), account.id());
    match named {
        Some(id) => match all.iter().find(|e| e.id() == id) {
            Some(found) => Ok(Some(found.clone())),
            None => Err(ApiError::invalid(format!("No such external account: '{id}'"))
                .code("resource_missing")
                .param("destination")),
        },
        None => Ok(all.into_iter().find(|e| e.text("currency") == Some(currency) && e.is_true("default_for_currency"))),
    }
}

/// The account in the path, which is the caller's own or one that it made.
fn owner(call: &Call<'_>) -> Result<String, ApiError> {
    let id = call.id();
    if id == call.account.id() || call.account.exists("account", id) {
        return Ok(id.to_owned());
    }
    Err(ApiError::missing_object("account", id, "id"))
}

fn all_of(call: &Call<'_>, owner: &str) -> Vec<Object> {
    call.account.settings().external_accounts(call.account.live(), owner)
}

fn keep(call: &Call<'_>, owner: &str, all: Vec<Object>) {
    call.account.settings().set_external_accounts(call.account.live(), owner, all);
}

/// The account, its external accounts, and where the one in the path stands among them.
fn one(call: &Call<'_>) -> Result<(String, Vec<Object>, usize), ApiError> {
    let owner = owner(call)?;
    let all = all_of(call, &owner);
    let id = call.values.get(1).map_or("", String::as_str);
    let place = all.iter().position(|e| e.id() == id);
    let place = place.ok_or_else(|| ApiError::missing_object("external account", id, "id"))?;
    Ok((owner, all, place))
}

/// The check digit of a US routing number.
fn is_routing_number(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    digits.len() == 9
        && number.len() == 9
        && digits.iter().zip([3, 7, 1].into_iter().cycle()).map(|(d, w)| d * w).sum::<u32>() % 10 == 0
}

/// A bank account of nobody yet, out of parameters.
pub(super) fn from_details(account: &mut Account, given: &Object, param: &str) -> Result<Object, ApiError> {
    let Some(number) = given.text("account_number") else {
        return Err(ApiError::missing_param(&format!("{param}[account_number]")));
    };
    let Some(country) = given.text("country") else {
        return Err(ApiError::missing_param(&format!("{param}[country]")));
    };
    let currency = given.text("currency").unwrap_or("usd").to_ascii_lowercase();
    let routing = given.text("routing_number");
    if country.eq_ignore_ascii_case("us")
        && let Some(number) = routing
        && !is_routing_number(number)
    {
        let message = "Invalid routing number for US. The number must contain 9 digits and pass its checksum.";
        return Err(ApiError::invalid(message)
            .code("routing_number_invalid")
            .param(format!("{param}[routing_number]")));
    }
    Ok(whole(
        "bank_account",
        json!({
            "id": account.new_id("ba"), "object": "bank_account",
            "account_holder_name": given.text("account_holder_name"),
            "account_holder_type": given.text("account_holder_type"), "account_type": given.text("account_type"),
            "bank_name": "STRIPE TEST BANK", "country": country, "currency": currency,
            "fingerprint": account.letters(16), "last4": payment_method::last_four(number),
            "routing_number": routing, "status": "new",
        }),
    ))
}

/// The number of the test account that a ready-made token stands for.
fn ready_made(token: &str) -> Option<&'static str> {
    Some(match token {
        "btok_us_verified" => PAYS,
        "btok_us_verified_noAccount" => "000111111116",
        "btok_us_verified_accountClosed" => "000111111113",
        "btok_us_verified_insufficientFunds" => "000222222227",
        "btok_us_verified_debitNotAuthorized" => "000333333335",
        "btok_us_verified_invalidCurrency" => "000444444440",
        _ => return None,
    })
}

/// The bank account of a token or of parameters, or the card of a token: an external account of nobody yet.
fn make(account: &mut Account, sent: &Object) -> Result<Object, ApiError> {
    const PARAM: &str = "external_account";
    let card = match sent.get(PARAM) {
        Some(Value::String(token)) if token.starts_with("btok_") => {
            if let Some(number) = ready_made(token) {
                let given = json!({"account_number": number, "country": "US", "routing_number": "110000000"});
                return from_details(account, &object(given), PARAM);
            }
            let made = token::bank_account(account, token, PARAM)?;
            token::spend(account, token);
            return Ok(made);
        }
        Some(Value::String(token)) => {
            let card = source::card_of(account, token, PARAM)?;
            token::spend(account, token);
            card
        }
        Some(Value::Object(given)) if given.text("object") == Some("card") => {
            let test = payment_method::card_of(given)?;
            token::Card { test, details: object(json!({"card": given})), id: None }
        }
        Some(Value::Object(given)) => return from_details(account, given, PARAM),
        _ => return Err(ApiError::missing_param(PARAM)),
    };
    let mut made = source::build(account, card.test, &card.details);
    made.insert("id".into(), card.id.unwrap_or_else(|| account.new_id("card")).into());
    made.insert("currency".into(), "usd".into());
    Ok(made)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let sent = std::mem::take(&mut call.parameters);
    let made = add(call.account, &owner, &sent)?;
    account::refresh(call.account, &owner);
    Ok(made.into())
}

/// Adds the external account that parameters name or describe; the first of its currency is the default.
pub(super) fn add(account: &mut Account, owner: &str, sent: &Object) -> Result<Object, ApiError> {
    let mut made = make(account, sent)?;
    let methods =
        if made.text("object") == Some("card") { json!(["standard", "instant"]) } else { json!(["standard"]) };
    made.insert("account".into(), owner.into());
    made.insert("available_payout_methods".into(), methods);
    made.insert("metadata".into(), new_metadata(sent));
    let mut all = account.settings().external_accounts(account.live(), owner);
    let first = all.iter().all(|e| e.get("currency") != made.get("currency"));
    made.insert("default_for_currency".into(), false.into());
    all.push(made.clone());
    if first || sent.is_true("default_for_currency") {
        choose(&mut all, made.id());
        made.insert("default_for_currency".into(), true.into());
    }
    account.settings().set_external_accounts(account.live(), owner, all);
    tell(account, owner, created, &made);
    Ok(made)
}

/// Tells of a change: an event of the account that it belongs to.
fn tell(account: &mut Account, owner: &str, event: Work, external: &Object) {
    if account.id() == owner {
        event(account, external);
    } else {
        account.errand(Some(owner), event, external.clone());
    }
}

fn created(account: &mut Account, external: &Object) {
    account.emit("account.external_account.created", written(external));
}

fn updated(account: &mut Account, external: &Object) {
    account.emit("account.external_account.updated", written(external));
}

fn removed(account: &mut Account, external: &Object) {
    account.emit("account.external_account.deleted", written(external));
}

/// Makes one the default of its currency.
fn choose(all: &mut [Object], id: &str) {
    let Some(currency) = all.iter().find(|e| e.id() == id).and_then(|e| e.get("currency").cloned()) else { return };
    for external in all.iter_mut().filter(|e| e.get("currency") == Some(&currency)) {
        let chosen = external.id() == id;
        external.insert("default_for_currency".into(), chosen.into());
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (_, mut all, place) = one(call)?;
    Ok(all.swap_remove(place).into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (owner, mut all, place) = one(call)?;
    let mut changed = all.get(place).cloned().unwrap_or_default();
    let bank = changed.text("object") == Some("bank_account");
    let (kind, fields): (_, &[&str]) = if bank {
        ("bank_account", &["account_holder_name", "account_holder_type", "account_type"])
    } else {
        let address: &[&str] = &[
            "address_city",
            "address_country",
            "address_line1",
            "address_line2",
            "address_state",
            "address_zip",
            "name",
        ];
        ("card", address)
    };
    assign(kind, &mut changed, &call.parameters, fields);
    assign_metadata(&mut changed, &call.parameters)?;
    let id = changed.id().to_owned();
    if let Some(slot) = all.get_mut(place) {
        *slot = changed;
    }
    if call.parameters.is_true("default_for_currency") {
        choose(&mut all, &id);
    }
    let changed = all.get(place).cloned().unwrap_or_default();
    keep(call, &owner, all);
    tell(call.account, &owner, updated, &changed);
    account::refresh(call.account, &owner);
    Ok(changed.into())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (owner, mut all, place) = one(call)?;
    if all.get(place).is_some_and(|e| e.is_true("default_for_currency")) && all.len() > 1 {
        return Err(ApiError::invalid(
            "You cannot delete the default external account for your default currency. Please make another external \
             account the default using the `default_for_currency` param, and then delete this one.",
        ));
    }
    let gone = all.remove(place);
    keep(call, &owner, all);
    tell(call.account, &owner, removed, &gone);
    account::refresh(call.account, &owner);
    let kind = if gone.text("object") == Some("card") { "card" } else { "bank_account" };
    Ok(deleted(kind, gone.id()).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    let kind = call.parameters.text("object").map(str::to_owned);
    let all = all_of(call, &owner).into_iter().rev();
    let shown = all.filter(|e| kind.as_deref().is_none_or(|k| e.text("object") == Some(k)));
    let shown = shown.map(Value::Object).collect();
    listing::parts(call, "external account", shown)
}
