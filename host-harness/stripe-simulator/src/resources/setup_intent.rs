//! Setup intents: saving a payment method for later.
//!
//! ```text
//! requires_payment_method → requires_confirmation → (requires_action →) succeeded
//!           ↑ declined, or failed to authenticate ──┘
//! ```
//! and `canceled` from every state that is not final. Every confirmation leaves a setup attempt behind.

use serde_json::{Value, json};

use super::application_fee::APPLICATION;
use super::cards::{Authentication, Behaviour};
use super::fields::{assign, assign_metadata, new_metadata, object};
use super::payment_intent::{self, Terms};
use super::{
    Call, Operations, Read, Reply, checkout_session, confirmation_token, customer, listing, payment_method,
    setup_attempt,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/setup_intents", list),
    ("POST", "/v1/setup_intents", create),
    ("GET", "/v1/setup_intents/{intent}", retrieve),
    ("POST", "/v1/setup_intents/{intent}", update),
    ("POST", "/v1/setup_intents/{intent}/cancel", cancel),
    ("POST", "/v1/setup_intents/{intent}/confirm", confirm),
    ("POST", "/v1/setup_intents/{intent}/verify_microdeposits", verify_microdeposits),
];

const KIND: &str = "setup_intent";
/// Fields that are taken from the parameter of the same name, always and when the intent is created.
const FIELDS: &[&str] = &["attach_to_self", "description", "flow_directions"];
const FIRST_FIELDS: &[&str] =
    &["allowed_payment_method_types", "excluded_payment_method_types", "on_behalf_of", "usage"];

/// The code on the statement, and the amounts in the smallest unit, that test accounts are verified with.
const DESCRIPTOR: &str = "SM11AA";
const DEPOSITS: [i64; 2] = [32, 45];
/// What a customer cannot have seen, and stands for having tried too often.
const ONE_TRY_TOO_MANY: (&str, [i64; 2]) = ("SM33CC", [10, 11]);

/// A setup intent that nothing happened to yet.
pub(super) fn build(account: &mut Account, sent: &Object) -> Object {
    let id = account.new_id("seti");
    let client_secret = format!("{id}_secret_{}", account.letters(25));
    let mut intent = object(json!({
        "id": id,
        "object": KIND,
        "allowed_payment_method_types": null,
        "application": account.is_connected().then_some(APPLICATION),
        "automatic_payment_methods": payment_intent::automatic_methods(sent),
        "cancellation_reason": null,
        "client_secret": client_secret,
        "created": now(),
        "customer": sent.text("customer"),
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": null,
        "latest_attempt": null,
        "livemode": account.live(),
        "managed_payments": null,
        "mandate": null,
        "metadata": new_metadata(sent),
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": {"mandate_options": null, "network": null, "request_three_d_secure": "automatic"},
        },
        "payment_method_types": payment_intent::method_types(sent),
        "single_use_mandate": null,
        "status": "requires_payment_method",
        "usage": "off_session",
    }));
    assign(KIND, &mut intent, sent, FIELDS);
    assign(KIND, &mut intent, sent, FIRST_FIELDS);
    payment_intent::assign_options(&mut intent, sent);
    intent
}

fn status(intent: &Object) -> &str {
    intent.text("status").unwrap_or_default()
}

fn unexpected_state(intent: &Object, message: impl Into<String>) -> ApiError {
    ApiError::invalid(message).code("setup_intent_unexpected_state").with(KIND, Value::Object(intent.clone()))
}

/// The payment method that the parameters name or describe, if it can be the intent's. `made` says whether the
/// intent is there already, and so is shown.
fn method_of(account: &mut Account, intent: &Object, sent: &Object, made: bool) -> Result<Option<Object>, ApiError> {
    let Some(method) = payment_method::described(account, sent)? else { return Ok(None) };
    check_owner(intent, &method, made).map(|()| Some(method))
}

fn check_owner(intent: &Object, method: &Object, made: bool) -> Result<(), ApiError> {
    let id = method.id();
    let message = match (method.text("customer"), intent.text("customer")) {
        (Some(owner), Some(customer)) if owner != customer => format!(
            "The PaymentMethod {id} does not belong to the Customer you supplied {customer}. Please use this \
             PaymentMethod with the Customer that it belongs to instead."
        ),
        (Some(owner), None) => format!(
            "The payment method supplied ({id}) belongs to the Customer {owner}. Please include the Customer in the \
             `customer` parameter on the SetupIntent."
        ),
        _ => return Ok(()),
    };
    let error = ApiError::invalid(message).param("payment_method");
    Err(if made { error.with(KIND, Value::Object(intent.clone())) } else { error })
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut sent = std::mem::take(&mut call.parameters);
    if let Some(id) = sent.text("customer") {
        customer::named(call.account, id, "customer")?;
    }
    let confirming = sent.is_true("confirm");
    for name in ["confirmation_token", "mandate_data", "return_url", "single_use"] {
        if !confirming && sent.contains_key(name) {
            let message = format!("You can only set `{name}` when `confirm` is true.");
            return Err(ApiError::invalid(message).param(name));
        }
    }
    let mut intent = build(call.account, &sent);
    let method = method_of(call.account, &intent, &sent, false)?;
    if confirming && method.is_none() {
        return Err(no_method());
    }
    if let Some(method) = &method {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    call.account.create(KIND, "setup_intent.created", &intent);
    match method {
        Some(method) if confirming => {
            confirmation_token::spend(call.account, &mut sent, KIND, intent.id());
            let terms = terms(&intent, &sent);
            attempt_once(call.account, intent, method, &terms, sent.object("single_use")).map(Reply::from)
        }
        _ => Ok(intent.into()),
    }
}

fn terms(intent: &Object, sent: &Object) -> Terms {
    Terms {
        challenge: payment_intent::asks_to_authenticate(intent),
        return_url: sent.text("return_url").map(str::to_owned),
        ..Terms::default()
    }
}

fn no_method() -> ApiError {
    ApiError::invalid(
        "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the \
         SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment \
         method or ConfirmationToken.",
    )
    .code("setup_intent_unexpected_state")
}

/// Tries to save a payment method: it is saved, the customer has something to do first, or it cannot be.
///
/// # Errors
/// The decline, after it was noted on the intent.
pub(super) fn attempt(
    account: &mut Account,
    intent: Object,
    method: Object,
    terms: &Terms,
) -> Result<Object, ApiError> {
    attempt_once(account, intent, method, terms, None)
}

fn attempt_once(
    account: &mut Account,
    mut intent: Object,
    method: Object,
    terms: &Terms,
    single_use: Option<&Object>,
) -> Result<Object, ApiError> {
    if !terms.authenticated {
        let attempt = setup_attempt::begin(account, &intent, &method);
        intent.insert("latest_attempt".into(), attempt.into());
    }
    intent.insert("payment_method".into(), method.id().into());
    intent.insert("next_action".into(), Value::Null);
    intent.insert("last_setup_error".into(), Value::Null);
    match method.text("type") {
        Some("us_bank_account" | "acss_debit") if !terms.authenticated => {
            return Ok(ask_for_deposits(account, intent));
        }
        Some(kind) if kind != "card" => {
            let mandate = mandate(account, &method, kind, single_use);
            let field = if single_use.is_some() { "single_use_mandate" } else { "mandate" };
            intent.insert(field.into(), mandate.into());
            return Ok(succeed(account, intent, method, Value::Null));
        }
        _ => {}
    }
    let card = payment_method::card(&method);
    let asked = match card.authentication {
        Authentication::Always | Authentication::UnlessSetUp | Authentication::OnSession => true,
        Authentication::IfAsked => terms.challenge,
        _ => false,
    };
    match (card.behaviour, card.authentication) {
        (Behaviour::Declines(code, decline_code), _) => Err(decline(account, intent, &method, code, decline_code)),
        (_, Authentication::Broken) => Err(decline(account, intent, &method, "card_declined", "generic_decline")),
        _ if asked && !terms.authenticated => {
            let action = payment_intent::authentication(account, intent.id(), terms);
            intent.insert("next_action".into(), action);
            Ok(wait(account, intent))
        }
        // Where authenticating sets a card up, what declines is the payments to come.
        (Behaviour::DeclinesLater(decline_code), Authentication::Always) => {
            Err(decline(account, intent, &method, "card_declined", decline_code))
        }
        (_, authentication) => {
            let flow = match authentication {
                _ if terms.authenticated => Some("challenge"),
                Authentication::Frictionless => Some("frictionless"),
                _ => None,
            };
            let authenticated = flow.map(|f| setup_attempt::three_d_secure(account, f)).unwrap_or_default();
            Ok(succeed(account, intent, method, authenticated))
        }
    }
}

/// The customer has something to do.
fn wait(account: &mut Account, mut intent: Object) -> Object {
    intent.insert("status".into(), "requires_action".into());
    setup_attempt::end(account, &intent, "requires_action", None, Value::Null);
    let text = account.put(KIND, &intent);
    account.emit("setup_intent.requires_action", text);
    intent
}

fn ask_for_deposits(account: &mut Account, mut intent: Object) -> Object {
    let (arrival, _) = account.in_banking_days(1);
    let url = format!("{}/_simulator/microdeposits/{}", account.settings().base_url, intent.id());
    intent.insert(
        "next_action".into(),
        json!({
            "type": "verify_with_microdeposits",
            "verify_with_microdeposits": {
                "arrival_date": arrival / 1000, "hosted_verification_url": url,
                "microdeposit_type": "descriptor_code",
            },
        }),
    );
    wait(account, intent)
}

/// What the customer allowed by giving a bank account.
fn mandate(account: &mut Account, method: &Object, kind: &str, single_use: Option<&Object>) -> String {
    let id = account.new_id("mandate");
    let details = match kind {
        "sepa_debit" => json!({"reference": account.letters(16), "url": "https://hooks.stripe.com/adapter/mandate"}),
        "bacs_debit" => json!({
            "display_name": null, "network_status": "accepted", "reference": account.letters(16),
            "revocation_reason": null, "service_user_number": null, "url": "https://payments.stripe.com/bacs/mandate",
        }),
        "acss_debit" => {
            json!({"interval_description": null, "payment_schedule": "sporadic", "transaction_type": "personal"})
        }
        "au_becs_debit" => json!({"url": "https://payments.stripe.com/becs/mandate"}),
        _ => json!({}),
    };
    let mut mandate = object(json!({
        "id": id, "object": "mandate",
        "customer_acceptance": {"accepted_at": now(), "offline": {}, "type": "offline"},
        "livemode": account.live(), "payment_method": method.id(),
        "payment_method_details": {kind: details, "type": kind}, "status": "active",
    }));
    match single_use {
        Some(terms) => {
            let amount = json!({"amount": terms.get("amount"), "currency": terms.get("currency")});
            mandate.insert("single_use".into(), amount);
            mandate.insert("type".into(), "single_use".into());
        }
        None => {
            mandate.insert("multi_use".into(), json!({}));
            mandate.insert("type".into(), "multi_use".into());
        }
    }
    account.put("mandate", &mandate);
    id
}

fn succeed(account: &mut Account, mut intent: Object, method: Object, authenticated: Value) -> Object {
    if intent.text("usage") != Some("on_session") {
        account.set_up_off_session.insert(method.id().to_owned());
    }
    if let Some(customer) = intent.text("customer")
        && method.text("customer").is_none()
    {
        payment_method::attach_to(account, method, customer);
    }
    intent.insert("status".into(), "succeeded".into());
    setup_attempt::end(account, &intent, "succeeded", None, authenticated);
    let text = account.put(KIND, &intent);
    account.emit("setup_intent.succeeded", text);
    if let Some(("checkout.session", id)) = account.purposes.get(intent.id()).cloned() {
        checkout_session::complete(account, &id);
    }
    intent
}

fn decline(
    account: &mut Account,
    intent: Object,
    method: &Object,
    code: &'static str,
    decline_code: &'static str,
) -> ApiError {
    let error = payment_method::decline_error(code, decline_code);
    fail(account, intent, method, error).0
}

/// Takes an intent back to where it needs a payment method; the error as the caller gets it, and the intent.
fn fail(account: &mut Account, mut intent: Object, method: &Object, error: ApiError) -> (ApiError, Object) {
    let error = error.with("payment_method", Value::Object(method.clone()));
    intent.insert("payment_method".into(), Value::Null);
    intent.insert("next_action".into(), Value::Null);
    intent.insert("status".into(), "requires_payment_method".into());
    intent.insert("last_setup_error".into(), error.members().into());
    setup_attempt::end(account, &intent, "failed", Some(error.members().into()), Value::Null);
    let text = account.put(KIND, &intent);
    account.emit("setup_intent.setup_failed", text);
    (error.with(KIND, Value::Object(intent.clone())), intent)
}

/// The customer authenticated, or did not. The intent afterwards.
pub(super) fn complete_authentication(account: &mut Account, id: &str, succeeded: bool) -> Option<Object> {
    let intent = account.get(KIND, id)?;
    let authenticating = intent.object("next_action").is_some_and(|a| !a.contains_key("verify_with_microdeposits"));
    if status(&intent) != "requires_action" || !authenticating {
        return Some(intent);
    }
    let method = account.get("payment_method", intent.text("payment_method").unwrap_or_default())?;
    if succeeded {
        let terms = Terms { authenticated: true, ..Terms::default() };
        // A decline is on the intent; nobody waits for an answer here.
        let _ = attempt(account, intent, method, &terms);
        return account.get(KIND, id);
    }
    let message = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
        PaymentMethod to attempt to fulfill this SetupIntent again.";
    let error = ApiError::invalid(message).code("setup_intent_authentication_failure");
    Some(fail(account, intent, &method, error).1)
}

fn confirm(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    let mut sent = std::mem::take(&mut call.parameters);
    let named = intent.text("payment_method").is_some();
    if !named && !["confirmation_token", "payment_method", "payment_method_data"].iter().any(|p| sent.contains_key(*p))
    {
        return Err(no_method().with(KIND, Value::Object(intent)));
    }
    match status(&intent) {
        "succeeded" => {
            let message = "You cannot confirm this SetupIntent because it has already succeeded.";
            return Err(unexpected_state(&intent, message));
        }
        "canceled" => {
            let message = "You cannot confirm this SetupIntent because it has been canceled.";
            return Err(unexpected_state(&intent, message));
        }
        _ => {}
    }
    let method = match method_of(call.account, &intent, &sent, true)? {
        Some(method) => method,
        None => {
            let id = intent.text("payment_method").unwrap_or_default();
            let method = call.account.find("payment_method", id, "payment_method")?;
            check_owner(&intent, &method, true)?;
            method
        }
    };
    payment_intent::assign_options(&mut intent, &sent);
    confirmation_token::spend(call.account, &mut sent, KIND, intent.id());
    let terms = terms(&intent, &sent);
    attempt(call.account, intent, method, &terms).map(Reply::from)
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    match status(&intent) {
        "canceled" => {
            let message = "You cannot cancel this SetupIntent because it is already canceled.";
            return Err(unexpected_state(&intent, message));
        }
        "succeeded" => {
            let message = "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent \
                with one of the following statuses may be canceled: `requires_payment_method`, \
                `requires_confirmation`, or `requires_action`.";
            return Err(unexpected_state(&intent, message));
        }
        _ => {}
    }
    setup_attempt::abandon(call.account, &intent);
    let reason = call.parameters.get("cancellation_reason").cloned().unwrap_or_default();
    intent.insert("cancellation_reason".into(), reason);
    intent.insert("next_action".into(), Value::Null);
    intent.insert("status".into(), "canceled".into());
    let text = call.account.put(KIND, &intent);
    call.account.emit("setup_intent.canceled", text.clone());
    Ok(Reply::Kept(text))
}

fn verify_microdeposits(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (sent, id) = (std::mem::take(&mut call.parameters), call.id().to_owned());
    verify_deposits(call.account, &id, &sent).map(Reply::from)
}

/// The customer says what small deposits arrived, by their amounts or by the code in their description.
pub(crate) fn verify_deposits(account: &mut Account, id: &str, sent: &Object) -> Result<Object, ApiError> {
    let intent = account.find(KIND, id, "id")?;
    if status(&intent) != "requires_action" {
        let message = format!(
            "This SetupIntent cannot be actioned on because it has a status of {}. Only a SetupIntent with one of the \
             following statuses may be actioned on: [\"requires_action\"].",
            status(&intent)
        );
        return Err(ApiError::invalid(message).code("intent_invalid_state").with(KIND, Value::Object(intent)));
    }
    if !intent.object("next_action").is_some_and(|a| a.contains_key("verify_with_microdeposits")) {
        return Err(ApiError::invalid("This SetupIntent does not wait for microdeposits to be verified.")
            .code("intent_invalid_state")
            .with(KIND, Value::Object(intent)));
    }
    let amounts: Vec<i64> = sent.list("amounts").iter().filter_map(Value::as_i64).collect();
    let code = sent.text("descriptor_code");
    let right = match (code, amounts.as_slice()) {
        (Some(_), [_, ..]) => return Err(ApiError::exclusive("amounts", "descriptor_code")),
        (None, []) => return Err(ApiError::missing_param("descriptor_code")),
        (Some(code), []) => code == DESCRIPTOR,
        (None, [one, other]) => [*one, *other] == DEPOSITS || [*other, *one] == DEPOSITS,
        (None, _) => {
            return Err(ApiError::invalid("You must provide exactly two microdeposit amounts.")
                .code("payment_method_microdeposit_verification_amounts_invalid")
                .param("amounts"));
        }
    };
    let method = account.find("payment_method", intent.text("payment_method").unwrap_or_default(), "id")?;
    if right {
        let terms = Terms { authenticated: true, ..Terms::default() };
        return attempt(account, intent, method, &terms);
    }
    if code == Some(ONE_TRY_TOO_MANY.0) || amounts == ONE_TRY_TOO_MANY.1 {
        let error = ApiError::invalid("You have exceeded the number of allowed verification attempts.")
            .code("payment_method_microdeposit_verification_attempts_exceeded");
        return Err(fail(account, intent, &method, error).0);
    }
    let error = match code {
        Some(_) => ApiError::invalid("The verification code provided does not match the one sent to the bank account.")
            .code("payment_method_microdeposit_verification_descriptor_code_mismatch"),
        None => ApiError::invalid("The amounts provided do not match the amounts that were sent to the bank account.")
            .code("payment_method_microdeposit_verification_amounts_mismatch"),
    };
    Err(error.with(KIND, Value::Object(intent)))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let intent = call.named(KIND)?;
    if let Some(secret) = call.parameters.text("client_secret")
        && intent.text("client_secret") != Some(secret)
    {
        let message = "The client_secret provided does not match the client_secret associated with the SetupIntent.";
        return Err(ApiError::invalid(message).code("setup_intent_invalid_parameter").param("client_secret"));
    }
    Ok(intent.into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    let sent = std::mem::take(&mut call.parameters);
    let shown = intent.clone();
    if sent.contains_key("payment_method") || sent.contains_key("payment_method_data") {
        let why = match status(&intent) {
            "succeeded" => Some("it has already succeeded"),
            "canceled" => Some("it has been canceled"),
            _ => None,
        };
        if let Some(why) = why {
            return Err(unexpected_state(&shown, format!("You cannot update this SetupIntent because {why}.")));
        }
    }
    if let Some(id) = sent.text("customer") {
        intent.insert("customer".into(), customer::named(call.account, id, "customer")?.id().into());
    }
    assign(KIND, &mut intent, &sent, FIELDS);
    payment_intent::assign_options(&mut intent, &sent);
    assign_metadata(&mut intent, &sent)?;
    if let Some(method) = method_of(call.account, &intent, &sent, true)? {
        setup_attempt::abandon(call.account, &intent);
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("next_action".into(), Value::Null);
        intent.insert("status".into(), "requires_confirmation".into());
    }
    Ok(Reply::Kept(call.account.put(KIND, &intent)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("customer", "customer"), ("payment_method", "payment_method")])
}
