//! Tokens: what a browser makes out of a card, a bank account or personal details, to be used once.
//!
//! The ready-made ones (`tok_visa`, `btok_us_verified`, …) stand for something new each time and are never used up.

use serde_json::{Value, json};

use super::cards::{self, TestCard};
use super::fields::{object, whole};
use super::{Call, Operations, Read, Reply, external_account, payment_method, source};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[("POST", "/v1/tokens", create), ("GET", "/v1/tokens/{token}", retrieve)];

const KIND: &str = "token";
/// What a token can be of.
const CONTENTS: &[&str] = &["card", "bank_account", "pii", "account", "person", "cvc_update"];

/// A card behind a token.
pub(super) struct Card {
    pub(super) test: &'static TestCard,
    /// What was given with it, as parameters of a payment method.
    pub(super) details: Object,
    /// The id that it has already.
    pub(super) id: Option<String>,
}

/// No such token.
fn missing(id: &str, param: &str) -> ApiError {
    ApiError::invalid(format!("No such token: '{id}'")).code("resource_missing").param(param)
}

/// A token that can still be used.
fn unused(account: &Account, id: &str, param: &str) -> Result<Object, ApiError> {
    let token = account.get(KIND, id).ok_or_else(|| missing(id, param))?;
    if token.is_true("used") {
        let message = format!("You cannot use a Stripe token more than once: {id}.");
        return Err(ApiError::invalid(message).code("token_already_used"));
    }
    Ok(token)
}

/// The card of a token that can be used. Nothing is used up yet: [`spend`] does that.
pub(super) fn card(account: &Account, id: &str, param: &str) -> Result<Card, ApiError> {
    if let Some(test) = cards::by_token(id) {
        return Ok(Card { test, details: Object::new(), id: None });
    }
    let token = unused(account, id, param)?;
    let Some(card) = token.object("card") else { return Err(missing(id, param)) };
    let text = |name: &str| card.get(name).cloned().unwrap_or_default();
    let mut details = json!({
        "card": {"exp_month": text("exp_month"), "exp_year": text("exp_year")},
        "billing_details": {
            "name": text("name"),
            "address": {
                "city": text("address_city"), "country": text("address_country"), "line1": text("address_line1"),
                "line2": text("address_line2"), "postal_code": text("address_zip"), "state": text("address_state"),
            },
        },
    });
    if let (Some("unchecked"), Some(card)) = (card.text("cvc_check"), details.get_mut("card")) {
        // The code itself is not kept; that there was one is.
        card.as_object_mut().map(|c| c.insert("cvc".into(), "given".into()));
    }
    let test = card.text("fingerprint").and_then(cards::by_fingerprint).unwrap_or(&cards::VISA);
    Ok(Card { test, details: object(details), id: Some(card.id().to_owned()) })
}

/// The bank account of a token that can be used.
pub(super) fn bank_account(account: &Account, id: &str, param: &str) -> Result<Object, ApiError> {
    unused(account, id, param)?.object("bank_account").cloned().ok_or_else(|| missing(id, param))
}

/// The details that a token of an account or a person stands for.
pub(super) fn details(account: &Account, id: &str, kind: &str, param: &str) -> Result<Object, ApiError> {
    let token = unused(account, id, param)?;
    if token.text("type") != Some(kind) {
        return Err(missing(id, param));
    }
    Ok(account.sealed.get(id).cloned().unwrap_or_default())
}

/// Uses a token up.
pub(super) fn spend(account: &mut Account, id: &str) {
    if let Some(mut token) = account.get(KIND, id) {
        token.insert("used".into(), true.into());
        account.sealed.remove(id);
        account.put(KIND, &token);
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let given: Vec<&str> = CONTENTS.iter().copied().filter(|name| sent.contains_key(*name)).collect();
    let (kind, rest) = match given.split_first() {
        Some((first, rest)) => (*first, rest),
        None => {
            return Err(ApiError::invalid(
                "You must supply either a card, customer, PII data, or bank account to create a token.",
            ));
        }
    };
    if let Some(other) = rest.first() {
        return Err(ApiError::exclusive(kind, other));
    }
    let empty = Object::new();
    let contents = sent.object(kind).unwrap_or(&empty);
    let (prefix, shown) = match kind {
        "card" => ("tok", Some(card_shown(call.account, contents)?)),
        "bank_account" => ("btok", Some(external_account::from_details(call.account, contents, "bank_account")?)),
        "pii" => ("pii", None),
        "account" => ("ct", None),
        "person" => ("cpt", None),
        _ => {
            let code = contents.text("cvc").unwrap_or_default();
            payment_method::check_cvc(code)?;
            ("cvctok", None)
        }
    };
    let id = call.account.new_id(prefix);
    let mut token = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "client_ip": "127.0.0.1", "created": now(), "livemode": call.account.live(),
            "type": kind, "used": false,
        }),
    );
    match shown {
        Some(shown) => {
            token.insert(kind.to_owned(), Value::Object(shown));
        }
        None => {
            call.account.sealed.insert(id, contents.clone());
        }
    }
    Ok(Reply::Kept(call.account.put(KIND, &token)))
}

/// A card as the token shows it.
fn card_shown(account: &mut Account, given: &Object) -> Result<Object, ApiError> {
    let mut details = given.clone();
    // Older than the rule that months are numbers.
    for name in ["exp_month", "exp_year"] {
        if let Some(text) = given.text(name) {
            let number = text.trim().parse::<i64>().unwrap_or(-1);
            details.insert(name.into(), number.into());
        }
    }
    let test = payment_method::card_of(&details)?;
    let mut shown = source::build(account, test, &object(json!({"card": details})));
    shown.insert("id".into(), account.new_id("card").into());
    for name in
        ["name", "address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip"]
    {
        shown.insert(name.into(), given.text(name).into());
    }
    for (part, check) in
        [("cvc", "cvc_check"), ("address_line1", "address_line1_check"), ("address_zip", "address_zip_check")]
    {
        let state = given.text(part).map(|_| "unchecked");
        shown.insert(check.into(), state.into());
    }
    Ok(shown)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}
