//! Payment methods: cards, and the ready-made `pm_card_…`.

use serde_json::{Value, json};
use stripe_facts::{Facts, Operation, Shape};

use super::cards::{self, Behaviour, TestCard};
use super::fields::{assign_metadata, empty_address, new_metadata, object};
use super::{Call, Operations, Read, Reply, confirmation_token, customer, listing, synthetic, token};
use crate::conformance;
use crate::protocol::ApiError;
use crate::world::instant::date;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/payment_methods", list),
    ("POST", "/v1/payment_methods", create),
    ("GET", "/v1/payment_methods/{payment_method}", retrieve),
    ("POST", "/v1/payment_methods/{payment_method}", update),
    ("POST", "/v1/payment_methods/{payment_method}/attach", attach),
    ("POST", "/v1/payment_methods/{payment_method}/detach", detach),
];

/// A payment method that is a test card.
pub(super) fn build(account: &mut Account, card: &TestCard, sent: &Object) -> Object {
    let empty = Object::new();
    let details = sent.object("card").unwrap_or(&empty);
    // A ready-made card is good for a year, to the month.
    let (this_year, this_month) = today();
    let month = details.integer("exp_month").unwrap_or(this_month);
    let year = details.integer("exp_year").unwrap_or(this_year + 1);
    let address = sent.object("billing_details").and_then(|b| b.object("address"));
    let [cvc, line1, postal_code] = card.checks;
    // A bank says nothing of what it was not told.
    let of_address = |field: &str, result| address.and_then(|a| a.text(field)).map(|_| result);
    let checks = json!({
        "address_line1_check": of_address("line1", line1),
        "address_postal_code_check": of_address("postal_code", postal_code),
        "cvc_check": details.get("cvc").map(|_| cvc),
    });
    object(json!({
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": sent.text("allow_redisplay").unwrap_or("unspecified"),
        "billing_details": billing_details(sent.object("billing_details")),
        "card": {
            "brand": card.brand,
            "checks": checks,
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": card.fingerprint(),
            "funding": card.funding(),
            "generated_from": null,
            "last4": card.last4(),
            "networks": {"available": [card.brand], "preferred": null},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": card.supports_3d_secure()},
            "wallet": null,
        },
        "created": now(),
        "customer": null,
        "customer_account": null,
        "livemode": account.live(),
        "metadata": new_metadata(sent),
        "radar_options": {},
        "type": "card",
    }))
}

fn billing_details(sent: Option<&Object>) -> Value {
    let mut details = object(json!({
        "address": empty_address(), "email": null, "name": null, "phone": null, "tax_id": null,
    }));
    for (name, value) in sent.into_iter().flatten() {
        let value = match value {
            Value::Object(sent) if name == "address" => {
                let mut address = object(empty_address());
                address.extend(sent.iter().map(|(k, v)| (k.clone(), if v == "" { Value::Null } else { v.clone() })));
                Value::Object(address)
            }
            value if value == "" && name == "address" => empty_address(),
            value if value == "" => Value::Null,
            value => value.clone(),
        };
        details.insert(name.clone(), value);
    }
    Value::Object(details)
}

/// The year and the month.
fn today() -> (i64, i64) {
    let (year, month, _) = date(now().div_euclid(86_400));
    (year, month)
}

/// The test card that card details mean, or the error that Stripe gives for such details.
pub(super) fn card_of(details: &Object) -> Result<&'static TestCard, ApiError> {
    let Some(number) = details.text("number") else { return Err(ApiError::missing_param("card[number]")) };
    let number: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !cards::is_number(&number) {
        return Err(ApiError::card("incorrect_number", "Your card number is incorrect.").param("number"));
    }
    match details.integer("exp_month") {
        None => return Err(ApiError::missing_param("card[exp_month]")),
        Some(1..=12) => {}
        Some(_) => {
            let message = "Your card's expiration month is invalid.";
            return Err(ApiError::card("invalid_expiry_month", message).param("exp_month"));
        }
    }
    match details.integer("exp_year") {
        None => return Err(ApiError::missing_param("card[exp_year]")),
        Some(given) if (today().0..today().0 + 50).contains(&if given < 100 { given + 2000 } else { given }) => {}
        Some(_) => {
            let message = "Your card's expiration year is invalid.";
            return Err(ApiError::card("invalid_expiry_year", message).param("exp_year"));
        }
    }
    if let Some(cvc) = details.text("cvc") {
        check_cvc(cvc)?;
    }
    cards::by_number(&number).ok_or_else(|| {
        let message = "Your card was declined. Your request was in test mode, but used a non test (live) card. For a \
            list of valid test cards, visit: https://stripe.com/docs/testing.";
        ApiError::card("card_declined", message).with("decline_code", "test_mode_live_card").param("number")
    })
}

/// Whether a security code looks like one.
pub(super) fn check_cvc(code: &str) -> Result<(), ApiError> {
    if matches!(code.len(), 3 | 4) && code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(ApiError::card("invalid_cvc", "Your card's security code is invalid.").param("cvc"))
}

/// A payment method that is the card of a token, which is used up.
pub(super) fn of_token(account: &mut Account, id: &str, sent: &Object, param: &str) -> Result<Object, ApiError> {
    let card = token::card(account, id, param)?;
    let mut details = card.details;
    for name in ["allow_redisplay", "metadata", "billing_details"] {
        if let Some(value) = sent.get(name) {
            details.insert(name.into(), value.clone());
        }
    }
    token::spend(account, id);
    Ok(build(account, card.test, &details))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let method = match (sent.text("type"), sent.object("card")) {
        (Some("card"), Some(details)) => match details.text("token") {
            Some(token) => of_token(call.account, token, sent, "card[token]")?,
            None => build(call.account, card_of(details)?, sent),
        },
        (Some("card"), None) => return Err(ApiError::missing_param("card")),
        (None, _) => return Err(ApiError::missing_param("type")),
        (Some(kind), _) if sent.object(kind).is_none() && needs_details(call.operation, kind) => {
            return Err(ApiError::missing_param(kind));
        }
        (Some(kind), _) => build_other(call.account, kind, sent),
    };
    // Only attaching causes an event.
    Ok(Reply::Kept(call.account.put("payment_method", &method)))
}

/// The ends of the accounts that debits fail on.
pub(super) const FAILING_DEBITS: &[&str] = &["3202", "3204", "3456", "1116", "1113"];

/// The last four characters of a number.
pub(super) fn last_four(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}

/// Whether payment methods of a type cannot be made without telling more.
fn needs_details(operation: &Operation, kind: &str) -> bool {
    match operation.parameter(kind).map(|p| &p.shape) {
        Some(Shape::Object(fields)) => fields.iter().any(|f| f.required),
        _ => false,
    }
}

/// What a payment method tells of its type: what was given of it, and something where it always tells.
fn details_of(kind: &str, given: Option<&Object>) -> Value {
    let fields = Facts::bundled().object("payment_method").unwrap_or_default();
    let Some(Shape::Object(fields)) = fields.iter().find(|f| f.name == kind).map(|f| &f.shape) else {
        return json!({});
    };
    let mut details = Object::new();
    for field in fields {
        let given = given.and_then(|g| g.get(&field.name)).filter(|v| conformance::fits(&field.shape, v));
        match given {
            Some(value) => {
                details.insert(field.name.clone(), value.clone());
            }
            None if field.required => {
                details.insert(field.name.clone(), synthetic::of_shape(&field.shape));
            }
            None => {}
        }
    }
    Value::Object(details)
}

/// A payment method that is not a card: of the right shape, without behaviour.
pub(super) fn build_other(account: &mut Account, kind: &str, sent: &Object) -> Object {
    let mut method = build(account, &cards::VISA, sent);
    method.remove("card");
    method.insert("type".into(), kind.into());
    let given = sent.object(kind);
    let details = match (kind, given.and_then(|g| g.text("iban").or_else(|| g.text("account_number")))) {
        ("sepa_debit", Some(iban)) => json!({
            "bank_code": iban.get(4..12), "branch_code": null, "country": iban.get(..2), "fingerprint": null,
            "generated_from": {"charge": null, "setup_attempt": null}, "last4": last_four(iban),
        }),
        ("us_bank_account", Some(number)) => json!({
            "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": null, "fingerprint": null, "last4": last_four(number), "networks": null,
            "routing_number": given.and_then(|g| g.text("routing_number")), "status_details": null,
        }),
        _ => details_of(kind, given),
    };
    method.insert(kind.into(), details);
    method
}

/// A payment method that a parameter names; a ready-made one becomes one of the account's own.
pub(super) fn named(account: &mut Account, id: &str, param: &str) -> Result<Object, ApiError> {
    if let Some(card) = cards::by_payment_method(id) {
        let method = build(account, card, &Object::new());
        account.put("payment_method", &method);
        return Ok(method);
    }
    account.find("payment_method", id, param)
}

/// The payment method that parameters name, describe or have a confirmation token of.
pub(super) fn described(account: &mut Account, sent: &Object) -> Result<Option<Object>, ApiError> {
    if let Some(data) = sent.object("payment_method_data") {
        let method = match data.text("type") {
            Some(kind) if kind != "card" => build_other(account, kind, data),
            _ => build(account, &cards::VISA, data),
        };
        account.put("payment_method", &method);
        return Ok(Some(method));
    }
    if let Some(id) = sent.text("confirmation_token") {
        return confirmation_token::method(account, id).map(Some);
    }
    sent.text("payment_method").map(|id| named(account, id, "payment_method")).transpose()
}

/// The test card that a payment method is.
pub(super) fn card(method: &Object) -> &'static TestCard {
    let fingerprint = method.object("card").and_then(|c| c.text("fingerprint")).unwrap_or_default();
    cards::by_fingerprint(fingerprint).unwrap_or(&cards::VISA)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.id().to_owned();
    named(call.account, &id, "id").map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("payment_method")?;
    let mut new = old.clone();
    assign_metadata(&mut new, &call.parameters)?;
    if let Some(sent) = call.parameters.object("billing_details") {
        let mut merged = old.object("billing_details").cloned().unwrap_or_default();
        merged.extend(sent.iter().map(|(k, v)| (k.clone(), v.clone())));
        new.insert("billing_details".into(), billing_details(Some(&merged)));
    }
    if let Some(value) = call.parameters.get("allow_redisplay") {
        new.insert("allow_redisplay".into(), value.clone());
    }
    if let (Some(sent), Some(Value::Object(card))) = (call.parameters.object("card"), new.get_mut("card")) {
        for name in ["exp_month", "exp_year"] {
            if let Some(value) = sent.get(name) {
                card.insert(name.into(), value.clone());
            }
        }
    }
    Ok(Reply::Kept(call.account.update("payment_method", "payment_method.updated", &old, &new)))
}

/// The payment method, if it can be attached to a customer.
pub(super) fn check_attachable(account: &mut Account, id: &str, param: &str) -> Result<Object, ApiError> {
    let ready_made = cards::by_payment_method(id);
    let known = match ready_made {
        Some(_) => None,
        None => Some(account.find("payment_method", id, param)?),
    };
    let card = ready_made.or_else(|| known.as_ref().map(card));
    if let Some(TestCard { behaviour: Behaviour::Declines(code, decline), .. }) =
        card.filter(|c| c.refuses_attachment())
    {
        return Err(decline_error(code, decline));
    }
    if let Some(owner) = known.as_ref().and_then(|m| m.text("customer")) {
        let message = format!("The payment method you provided has already been attached to a customer ('{owner}').");
        return Err(ApiError::invalid(message).param(param));
    }
    match known {
        Some(method) => Ok(method),
        None => named(account, id, param),
    }
}

/// 402, without a charge.
pub(super) fn decline_error(code: &'static str, decline_code: &'static str) -> ApiError {
    let mut error = ApiError::card(code, cards::message(code, decline_code)).with("decline_code", decline_code);
    if let Some(advice) = cards::advice(code, decline_code) {
        error = error.with("advice_code", advice);
    }
    match code {
        "expired_card" => error.param("exp_month"),
        "incorrect_cvc" => error.param("cvc"),
        _ => error,
    }
}

/// Attaches a payment method that can be attached.
pub(super) fn attach_to(account: &mut Account, mut method: Object, customer: &str) -> Object {
    method.insert("customer".into(), customer.into());
    account.create("payment_method", "payment_method.attached", &method);
    method
}

/// Detaches a payment method, and takes it out of its customer's settings.
pub(super) fn detach_from(account: &mut Account, mut method: Object) -> Object {
    let owner = method.text("customer").unwrap_or_default().to_owned();
    method.insert("customer".into(), Value::Null);
    let text = account.put("payment_method", &method);
    account.emit("payment_method.detached", text);
    if let Some(old) = account.get("customer", &owner) {
        let mut new = old.clone();
        if let Some(Value::Object(settings)) = new.get_mut("invoice_settings")
            && settings.text("default_payment_method") == Some(method.id())
        {
            settings.insert("default_payment_method".into(), Value::Null);
            account.update("customer", "customer.updated", &old, &new);
        }
    }
    method
}

fn attach(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let Some(customer) = call.parameters.text("customer") else { return Err(ApiError::missing_param("customer")) };
    let customer = customer::named(call.account, customer, "customer")?.id().to_owned();
    let id = call.id().to_owned();
    if let Some(method) = call.account.get("payment_method", &id)
        && method.text("customer") == Some(&customer)
    {
        return Ok(method.into());
    }
    let method = check_attachable(call.account, &id, "id")?;
    Ok(attach_to(call.account, method, &customer).into())
}

fn detach(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let method = call.named("payment_method")?;
    if method.text("customer").is_none() {
        let message = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::invalid(message).param("payment_method"));
    }
    Ok(detach_from(call.account, method).into())
}

/// The payment methods of a customer, or all that belong to any.
pub(super) fn list_of(call: &Call<'_>, customer: Option<String>) -> Result<Reply, ApiError> {
    let equal = [("type", "type"), ("customer", "customer"), ("allow_redisplay", "allow_redisplay")];
    listing::shelf_where(call, "payment_method", &equal, |m| match &customer {
        Some(customer) => m.text("customer") == Some(customer),
        None => m.text("customer").is_some(),
    })
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if let Some(id) = call.parameters.text("customer") {
        customer::named(call.account, id, "customer")?;
    }
    list_of(call, None)
}

/// A payment method is not the customer's.
pub(super) fn not_attached(id: &str, param: &str) -> ApiError {
    ApiError::invalid(format!(
        "The customer does not have a payment method with the ID {id}. The payment method must be attached to the \
         customer."
    ))
    .code("resource_missing")
    .param(param)
}

/// The card that a person enters on a page, named by its ready-made payment method or by number. `refused` is
/// whether cards that decline at once are declined here.
pub(super) fn entered(account: &mut Account, card: &str, billing: &Value, refused: bool) -> Result<Object, ApiError> {
    let number: String = card.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let card = cards::by_payment_method(card)
        .or_else(|| cards::by_number(&number))
        .ok_or_else(|| ApiError::card("incorrect_number", "Your card number is incorrect.").param("number"))?;
    if let (Behaviour::Declines(code, decline_code), true) = (card.behaviour, refused) {
        return Err(decline_error(code, decline_code));
    }
    let made = build(account, card, &object(json!({"card": {"cvc": "123"}, "billing_details": billing})));
    account.put("payment_method", &made);
    Ok(made)
}
