//! Cards on customers, as they were before payment methods: `card_…`, made from tokens.

use serde_json::{Value, json};

use super::cards::{self, TestCard};
use super::fields::{assign, assign_metadata, deleted, sublist, whole};
use super::{Call, Operations, Read, Reply, listing, payment_method, token};
use crate::protocol::ApiError;
use crate::world::{Account, Object, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/customers/{customer}/sources", list),
    ("POST", "/v1/customers/{customer}/sources", create),
    ("GET", "/v1/customers/{customer}/sources/{id}", retrieve),
    ("POST", "/v1/customers/{customer}/sources/{id}", update),
    ("DELETE", "/v1/customers/{customer}/sources/{id}", delete),
];

const KIND: &str = "card";

/// The card of a token, if it can be put on something. The token is not used up yet.
pub(super) fn card_of(account: &Account, id: &str, param: &str) -> Result<token::Card, ApiError> {
    let card = token::card(account, id, param)?;
    match card.test.behaviour {
        cards::Behaviour::Declines(code, decline) if card.test.refuses_attachment() => {
            Err(payment_method::decline_error(code, decline))
        }
        _ => Ok(card),
    }
}

/// A card as it was before payment methods, of nobody yet.
pub(super) fn build(account: &mut Account, card: &TestCard, details: &Object) -> Object {
    of_method(&payment_method::build(account, card, details), card)
}

fn of_method(method: &Object, card: &TestCard) -> Object {
    let empty = Object::new();
    let details = method.object("card").unwrap_or(&empty);
    let member = |name: &str| details.get(name).cloned().unwrap_or_default();
    let billing = method.object("billing_details").unwrap_or(&empty);
    let address = billing.object("address").unwrap_or(&empty);
    whole(
        KIND,
        json!({
            "id": method.id(), "object": KIND, "address_city": address.get("city"),
            "address_country": address.get("country"), "address_line1": address.get("line1"),
            "address_line2": address.get("line2"), "address_state": address.get("state"),
            "address_zip": address.get("postal_code"), "name": billing.get("name"),
            "cvc_check": details.get("checks").and_then(|c| c.get("cvc_check")),
            "allow_redisplay": "unspecified", "brand": title(card.brand),
            "country": member("country"), "customer": method.get("customer"), "exp_month": member("exp_month"),
            "exp_year": member("exp_year"), "fingerprint": member("fingerprint"), "funding": member("funding"),
            "last4": card.last4(), "metadata": {}, "regulated_status": "unregulated",
        }),
    )
}

/// Puts the card of a token on a customer; the first is the default. Every card is a payment method too.
pub(super) fn attach(account: &mut Account, customer: &mut Object, token: &str, card: token::Card) -> Object {
    token::spend(account, token);
    let mut method = payment_method::build(account, card.test, &card.details);
    let id = card.id.unwrap_or_else(|| account.new_id("card"));
    method.insert("id".into(), id.as_str().into());
    method.insert("customer".into(), customer.id().into());
    account.put("payment_method", &method);
    let source = of_method(&method, card.test);
    account.create(KIND, "customer.source.created", &source);
    if customer.text("default_source").is_none() {
        customer.insert("default_source".into(), id.into());
        account.put("customer", customer);
    }
    source
}

fn title(brand: &str) -> &'static str {
    match brand {
        "amex" => "American Express",
        "discover" => "Discover",
        "mastercard" => "MasterCard",
        _ => "Visa",
    }
}

/// The cards of a customer as a list inside it.
pub(super) fn of_customer(account: &Account, customer: &str) -> Value {
    let mut cards = account.select(KIND, customer, |c| c.text("customer") == Some(customer));
    cards.reverse();
    sublist(cards.into_iter().map(Value::Object).collect(), format!("/v1/customers/{customer}/sources"))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut customer = call.named("customer")?;
    let Some(token) = call.parameters.text("source") else { return Err(ApiError::missing_param("source")) };
    let card = card_of(call.account, token, "source")?;
    Ok(attach(call.account, &mut customer, token, card).into())
}

fn one(call: &Call<'_>) -> Result<(Object, Object), ApiError> {
    let customer = call.named("customer")?;
    let id = call.values.get(1).map_or("", String::as_str);
    let source = call.account.find(KIND, id, "id")?;
    if source.text("customer") == Some(customer.id()) {
        Ok((customer, source))
    } else {
        Err(ApiError::missing_object("source", id, "id"))
    }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    one(call).map(|(_, source)| source.into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (_, old) = one(call)?;
    let mut new = old.clone();
    const FIELDS: &[&str] = &[
        "address_city",
        "address_country",
        "address_line1",
        "address_line2",
        "address_state",
        "address_zip",
        "exp_month",
        "exp_year",
        "name",
    ];
    assign(KIND, &mut new, &call.parameters, FIELDS);
    for name in ["exp_month", "exp_year"] {
        // Older than the rule that months are numbers: text is taken too.
        if let Some(number) = new.text(name).and_then(|t| t.parse::<i64>().ok()) {
            new.insert(name.into(), number.into());
        }
        if new.integer(name).is_none() {
            new.insert(name.into(), old.get(name).cloned().unwrap_or_default());
        }
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(KIND, "customer.source.updated", &old, &new)))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (mut customer, source) = one(call)?;
    let id = source.id().to_owned();
    call.account.remove(KIND, &id, None);
    call.account.remove("payment_method", &id, None);
    if customer.text("default_source") == Some(&id) {
        customer.insert("default_source".into(), Value::Null);
        call.account.put("customer", &customer);
    }
    call.account.emit("customer.source.deleted", written(&source));
    Ok(deleted(KIND, &id).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    listing::shelf_where(call, KIND, &[], |c| c.text("customer") == Some(&customer))
}
