//! Payment intents: the state machine of a payment.
//!
//! ```text
//! requires_payment_method → requires_confirmation → (requires_action →) succeeded
//!           ↑ declined ────────────────┘                     └→ requires_capture → succeeded
//! ```
//! and `canceled` from every state that is not final.
//!
//! The simulated account has cards enabled and nothing that redirects the customer, so no confirmation needs
//! a `return_url`.

use serde_json::{Value, json};

use super::application_fee::APPLICATION;
use super::cards::{self, Behaviour};
use super::fields::{assign, assign_metadata, new_metadata, object};
use super::{
    Call, Operations, Read, Reply, charge, checkout_session, confirmation_token, customer, destination, dispute,
    invoice, listing, money, payment_method, search,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/payment_intents", list),
    ("POST", "/v1/payment_intents", create),
    ("GET", "/v1/payment_intents/search", find),
    ("GET", "/v1/payment_intents/{intent}", retrieve),
    ("POST", "/v1/payment_intents/{intent}", update),
    ("POST", "/v1/payment_intents/{intent}/confirm", confirm),
    ("POST", "/v1/payment_intents/{intent}/capture", capture),
    ("POST", "/v1/payment_intents/{intent}/cancel", cancel),
];

const KIND: &str = "payment_intent";

/// Fields that are taken from the parameter of the same name.
const FIELDS: &[&str] = &[
    "application_fee_amount",
    "description",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

/// What a payment is attempted under.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The customer is not there to authenticate.
    pub(super) off_session: bool,
    /// The customer has just authenticated.
    pub(super) authenticated: bool,
    /// Fail instead of asking the customer to authenticate.
    pub(super) refuse_action: bool,
    /// Where the customer returns to after authenticating elsewhere.
    pub(super) return_url: Option<String>,
}

/// A payment intent that nothing happened to yet.
pub(super) fn build(account: &mut Account, amount: i64, currency: &str, sent: &Object) -> Object {
    let id = account.new_id("pi");
    let client_secret = format!("{id}_secret_{}", account.letters(25));
    let automatic = sent.object("automatic_payment_methods");
    let automatic = match automatic {
        Some(sent) if !sent.is_true("enabled") => Value::Null,
        Some(sent) => json!({"allow_redirects": sent.text("allow_redirects").unwrap_or("always"), "enabled": true}),
        None => json!({"allow_redirects": "always", "enabled": true}),
    };
    let mut intent = object(json!({
        "id": id,
        "object": KIND,
        "allowed_payment_method_types": sent.get("allowed_payment_method_types"),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": account.is_connected().then_some(APPLICATION),
        "application_fee_amount": null,
        "automatic_payment_methods": automatic,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": sent.text("capture_method").unwrap_or("automatic_async"),
        "client_secret": client_secret,
        "confirmation_method": sent.text("confirmation_method").unwrap_or("automatic"),
        "created": now(),
        "currency": currency,
        "customer": sent.text("customer"),
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": sent.get("excluded_payment_method_types"),
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": account.live(),
        "managed_payments": null,
        "metadata": new_metadata(sent),
        "next_action": null,
        "on_behalf_of": null,
        "payment_details": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": {
                "installments": null, "mandate_options": null, "network": null,
                "request_three_d_secure": "automatic",
            },
        },
        "payment_method_types": method_types(sent),
        "payment_record": null,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "requires_payment_method",
        "transfer_data": null,
        "transfer_group": null,
    }));
    assign(KIND, &mut intent, sent, FIELDS);
    if let Some(transfer) = sent.object("transfer_data") {
        intent.insert(
            "transfer_data".into(),
            json!({"amount": transfer.get("amount"), "destination": transfer.get("destination")}),
        );
    }
    intent
}

/// `payment_method_types`, which earlier versions let the caller choose.
pub(super) fn method_types(sent: &Object) -> Value {
    let chosen = sent.list("payment_method_types");
    if chosen.is_empty() { json!(["card"]) } else { chosen.into() }
}

fn status(intent: &Object) -> &str {
    intent.text("status").unwrap_or_default()
}

fn unexpected_state(intent: &Object, message: String) -> ApiError {
    ApiError::invalid(message).code("payment_intent_unexpected_state").with(KIND, Value::Object(intent.clone()))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let currency = money::currency(sent.text("currency").unwrap_or_default(), "currency")?;
    let amount = sent.integer("amount").unwrap_or_default();
    money::check_charge(amount, &currency, "amount")?;
    destination::check(call.account, &sent, amount)?;
    if let Some(id) = sent.text("customer") {
        customer::named(call.account, id, "customer")?;
    }
    let confirming = sent.is_true("confirm");
    for name in ["off_session", "return_url", "error_on_requires_action", "mandate_data", "confirmation_token"] {
        if !confirming && sent.get(name).is_some_and(|v| *v != false) {
            let message = format!("You can only set `{name}` when `confirm` is true.");
            return Err(ApiError::invalid(message).param(name));
        }
    }
    let sent = confirmation_token::unfold(call.account, sent)?;
    let mut intent = build(call.account, amount, &currency, &sent);
    let method = method_of(call.account, &intent, &sent)?;
    if confirming && method.is_none() {
        return Err(no_method(&intent).param("payment_method"));
    }
    let Some(method) = method else {
        return Ok(Reply::Kept(call.account.create(KIND, "payment_intent.created", &intent)));
    };
    if !confirming {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("status".into(), "requires_confirmation".into());
    }
    let text = call.account.create(KIND, "payment_intent.created", &intent);
    if !confirming {
        return Ok(Reply::Kept(text));
    }
    confirmation_token::spend(call.account, &sent, KIND, intent.id());
    attempt(call.account, &mut intent, &method, &terms(&sent)).map(|()| intent.into())
}

fn terms(sent: &Object) -> Terms {
    Terms {
        off_session: sent.get("off_session").is_some_and(|v| *v != false),
        authenticated: false,
        refuse_action: sent.is_true("error_on_requires_action"),
        return_url: sent.text("return_url").map(str::to_owned),
    }
}

fn no_method(intent: &Object) -> ApiError {
    unexpected_state(
        intent,
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the \
         PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment \
         method or ConfirmationToken."
            .to_owned(),
    )
}

/// The payment method that the parameters name or describe, checked against the intent's customer.
fn method_of(account: &mut Account, intent: &Object, sent: &Object) -> Result<Option<Object>, ApiError> {
    if let Some(data) = sent.object("payment_method_data") {
        let method = match data.text("type") {
            Some(kind) if kind != "card" => payment_method::build_other(account, kind, data),
            _ => payment_method::build(account, &cards::VISA, data),
        };
        account.put("payment_method", &method);
        return Ok(Some(method));
    }
    let Some(id) = sent.text("payment_method") else { return Ok(None) };
    let method = payment_method::named(account, id, "payment_method")?;
    match (method.text("customer"), intent.text("customer")) {
        (Some(owner), Some(customer)) if owner != customer => Err(ApiError::invalid(format!(
            "The PaymentMethod {id} does not belong to the Customer {customer}. Please use the PaymentMethod with the \
             Customer that it belongs to instead."
        ))
        .param("payment_method")),
        (Some(_), None) => Err(ApiError::invalid(
            "The provided PaymentMethod belongs to a Customer. Please include the Customer in the `customer` parameter \
             on the PaymentIntent.",
        )
        .param("payment_method")),
        _ => Ok(Some(method)),
    }
}

/// Tries to take the money, and tells everybody concerned what came of it.
///
/// # Errors
/// The decline, after it was noted on the intent.
pub(super) fn attempt(
    account: &mut Account,
    intent: &mut Object,
    method: &Object,
    terms: &Terms,
) -> Result<(), ApiError> {
    intent.insert("payment_method".into(), method.id().into());
    intent.insert("next_action".into(), Value::Null);
    intent.insert("last_payment_error".into(), Value::Null);
    let kind = method.text("type").unwrap_or("card");
    if matches!(kind, "sepa_debit" | "us_bank_account" | "bacs_debit" | "au_becs_debit" | "acss_debit") {
        intent.insert("status".into(), "processing".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.processing", text);
        return Ok(());
    }
    if kind == "customer_balance" {
        intent.insert("status".into(), "requires_action".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.requires_action", text);
        return Ok(());
    }
    match verdict(account, method, terms) {
        Verdict::Pays => {
            paid(account, intent, method);
            Ok(())
        }
        Verdict::Authenticates => {
            ask_for_authentication(account, intent, terms);
            Ok(())
        }
        Verdict::Declines(code, decline_code) => Err(declined(account, intent, method, code, decline_code)),
    }
}

/// What will come of an attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pays,
    /// The customer has to authenticate first.
    Authenticates,
    /// Code and decline code.
    Declines(&'static str, &'static str),
}

/// Foresees an attempt without making it.
pub(super) fn verdict(account: &Account, method: &Object, terms: &Terms) -> Verdict {
    let behaviour = payment_method::card(method).behaviour;
    let set_up = terms.off_session && account.set_up_off_session.contains(method.id());
    let must_authenticate = match behaviour {
        Behaviour::Authenticates | Behaviour::AuthenticatesAndDeclines => !terms.authenticated,
        Behaviour::AuthenticatesUnlessSetUp => !terms.authenticated && !set_up,
        _ => false,
    };
    match behaviour {
        _ if must_authenticate && (terms.off_session || terms.refuse_action) => {
            Verdict::Declines("authentication_required", "authentication_required")
        }
        _ if must_authenticate => Verdict::Authenticates,
        Behaviour::Declines(code, decline_code) => Verdict::Declines(code, decline_code),
        Behaviour::DeclinesLater | Behaviour::AuthenticatesAndDeclines => {
            Verdict::Declines("card_declined", "generic_decline")
        }
        Behaviour::Blocked => Verdict::Declines("card_declined", "fraudulent"),
        Behaviour::Pays(_)
        | Behaviour::Disputes
        | Behaviour::Inquires
        | Behaviour::RefundsLate
        | Behaviour::RefundsFail
        | Behaviour::Authenticates
        | Behaviour::AuthenticatesUnlessSetUp => Verdict::Pays,
    }
}

fn ask_for_authentication(account: &mut Account, intent: &mut Object, terms: &Terms) {
    let url = format!("{}/_simulator/authenticate/{}", account.settings().base_url, intent.id());
    let action = match &terms.return_url {
        Some(return_url) => {
            json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}})
        }
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }),
    };
    intent.insert("next_action".into(), action);
    intent.insert("status".into(), "requires_action".into());
    let text = account.put(KIND, intent);
    account.emit("payment_intent.requires_action", text);
    if let Some(("invoice", id)) = account.purposes.get(intent.id()).cloned() {
        invoice::payment_action_required(account, &id);
    }
}

fn paid(account: &mut Account, intent: &mut Object, method: &Object) {
    let manual = intent.text("capture_method") == Some("manual");
    let charge = charge::succeed(account, intent, method, !manual);
    intent.insert("latest_charge".into(), charge.id().into());
    keep_for_later(account, intent, method);
    let amount = intent.integer("amount").unwrap_or_default();
    if manual {
        intent.insert("amount_capturable".into(), amount.into());
        intent.insert("status".into(), "requires_capture".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.amount_capturable_updated", text);
        return;
    }
    dispute::open_for(account, charge.id(), method);
    succeed(account, intent, amount);
}

fn succeed(account: &mut Account, intent: &mut Object, received: i64) {
    intent.insert("amount_capturable".into(), 0.into());
    intent.insert("amount_received".into(), received.into());
    intent.insert("status".into(), "succeeded".into());
    let text = account.put(KIND, intent);
    account.emit("payment_intent.succeeded", text);
    // What the payment was for goes on: an invoice is paid, a session is complete.
    match account.purposes.get(intent.id()).cloned() {
        Some(("invoice", id)) => invoice::settle(account, &id, intent),
        Some(("checkout.session", id)) => checkout_session::complete(account, &id),
        _ => {}
    }
}

/// `setup_future_usage`: the payment method becomes the customer's.
fn keep_for_later(account: &mut Account, intent: &Object, method: &Object) {
    let (Some(usage), Some(customer)) = (intent.text("setup_future_usage"), intent.text("customer")) else { return };
    if usage == "off_session" {
        account.set_up_off_session.insert(method.id().to_owned());
    }
    if method.text("customer").is_none() {
        payment_method::attach_to(account, method.clone(), customer);
    }
}

/// Notes a decline on the intent; returns it as the error that the caller gets.
fn declined(
    account: &mut Account,
    intent: &mut Object,
    method: &Object,
    code: &'static str,
    decline_code: &'static str,
) -> ApiError {
    let charge = charge::fail(account, intent, method, code, decline_code);
    intent.insert("latest_charge".into(), charge.id().into());
    let error = payment_method::decline_error(code, decline_code)
        .with("charge", charge.id())
        .with("payment_method", Value::Object(method.clone()));
    fail(account, intent, error)
}

/// A debit arrived.
pub(super) fn settle_debit(account: &mut Account, intent: &mut Object, method: &Object) {
    paid(account, intent, method);
}

/// A debit was refused by the bank.
pub(super) fn fail_debit(account: &mut Account, intent: &mut Object) {
    let error = ApiError::card("payment_method_provider_decline", "The customer's bank refused the debit.");
    fail(account, intent, error);
}

/// Takes an intent back to where it needs a payment method, with the error as the last one.
fn fail(account: &mut Account, intent: &mut Object, error: ApiError) -> ApiError {
    intent.insert("payment_method".into(), Value::Null);
    intent.insert("next_action".into(), Value::Null);
    intent.insert("status".into(), "requires_payment_method".into());
    intent.insert("last_payment_error".into(), error.members().into());
    let text = account.put(KIND, intent);
    account.emit("payment_intent.payment_failed", text);
    if let Some(("invoice", id)) = account.purposes.get(intent.id()).cloned() {
        invoice::payment_failed(account, &id);
    }
    error.with(KIND, Value::Object(intent.clone()))
}

fn confirm(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    match status(&intent) {
        "requires_payment_method" | "requires_confirmation" | "requires_action" => {}
        "succeeded" => {
            let message = "You cannot confirm this PaymentIntent because it has already succeeded after being \
                previously confirmed.";
            return Err(unexpected_state(&intent, message.to_owned()));
        }
        other => {
            let message = format!(
                "You cannot confirm this PaymentIntent because it has a status of {other}. Only a PaymentIntent with \
                 one of the following statuses may be confirmed: requires_confirmation, requires_action."
            );
            return Err(unexpected_state(&intent, message));
        }
    }
    let sent = confirmation_token::unfold(call.account, std::mem::take(&mut call.parameters))?;
    let method = match method_of(call.account, &intent, &sent)? {
        Some(method) => method,
        None => match intent.text("payment_method") {
            Some(id) => call.account.find("payment_method", id, "payment_method")?,
            None => return Err(no_method(&intent)),
        },
    };
    assign(KIND, &mut intent, &sent, &["receipt_email", "setup_future_usage", "shipping"]);
    if let Some(method) = sent.get("capture_method") {
        intent.insert("capture_method".into(), method.clone());
    }
    confirmation_token::spend(call.account, &sent, KIND, intent.id());
    attempt(call.account, &mut intent, &method, &terms(&sent)).map(|()| intent.into())
}

fn capture(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    if status(&intent) != "requires_capture" {
        let message = format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of \
             the following statuses may be captured: requires_capture.",
            status(&intent)
        );
        return Err(unexpected_state(&intent, message));
    }
    let capturable = intent.integer("amount_capturable").unwrap_or_default();
    let amount = call.parameters.integer("amount_to_capture").unwrap_or(capturable);
    if amount < 1 {
        return Err(ApiError::too_small("amount_to_capture", 1));
    }
    if amount > capturable {
        let message = format!(
            "You cannot capture {amount}: the amount that can be captured of this PaymentIntent is {capturable}."
        );
        return Err(ApiError::invalid(message).code("amount_too_large").param("amount_to_capture"));
    }
    assign(KIND, &mut intent, &call.parameters, &["statement_descriptor", "statement_descriptor_suffix"]);
    assign_metadata(&mut intent, &call.parameters)?;
    let sent = std::mem::take(&mut call.parameters);
    intent = destination::terms(&intent, &sent);
    // With less captured, what concerns connected accounts is capped.
    destination::check(call.account, &intent, intent.integer("amount").unwrap_or(amount))?;
    charge::capture(call.account, intent.text("latest_charge").unwrap_or_default(), amount, &sent);
    succeed(call.account, &mut intent, amount);
    Ok(intent.into())
}

fn cancel(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    if matches!(status(&intent), "succeeded" | "canceled") {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, \
             requires_action, processing.",
            status(&intent)
        );
        return Err(unexpected_state(&intent, message));
    }
    let reason = call.parameters.get("cancellation_reason").cloned().unwrap_or_default();
    void(call.account, &mut intent, reason);
    Ok(intent.into())
}

/// Cancels an intent that is not final.
pub(super) fn void(account: &mut Account, intent: &mut Object, reason: Value) {
    if status(intent) == "requires_capture" {
        charge::release(account, intent.text("latest_charge").unwrap_or_default());
    }
    intent.insert("amount_capturable".into(), 0.into());
    intent.insert("canceled_at".into(), now().into());
    intent.insert("cancellation_reason".into(), reason);
    intent.insert("next_action".into(), Value::Null);
    intent.insert("status".into(), "canceled".into());
    let text = account.put(KIND, intent);
    account.emit("payment_intent.canceled", text);
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let intent = call.named(KIND)?;
    if let Some(secret) = call.parameters.text("client_secret")
        && intent.text("client_secret") != Some(secret)
    {
        return Err(ApiError::invalid(
            "The client_secret provided does not match the client_secret associated with the \
            PaymentIntent.",
        )
        .code("payment_intent_invalid_parameter")
        .param("client_secret"));
    }
    Ok(intent.into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut intent = call.named(KIND)?;
    let sent = &call.parameters;
    let open = matches!(status(&intent), "requires_payment_method" | "requires_confirmation" | "requires_action");
    for name in ["amount", "currency", "customer", "payment_method", "payment_method_data", "capture_method"] {
        if sent.contains_key(name) && !open {
            let message = format!(
                "This PaymentIntent's {name} could not be updated because it has a status of {}. You may only update \
                 the {name} of a PaymentIntent with one of the following statuses: requires_payment_method, \
                 requires_confirmation, requires_action.",
                status(&intent)
            );
            return Err(unexpected_state(&intent, message));
        }
    }
    let currency = match sent.text("currency") {
        Some(code) => money::currency(code, "currency")?,
        None => intent.text("currency").unwrap_or_default().to_owned(),
    };
    let amount = sent.integer("amount").or_else(|| intent.integer("amount")).unwrap_or_default();
    money::check_charge(amount, &currency, "amount")?;
    if let Some(id) = sent.text("customer") {
        customer::named(call.account, id, "customer")?;
        intent.insert("customer".into(), id.into());
    }
    intent.insert("amount".into(), amount.into());
    intent.insert("currency".into(), currency.into());
    assign(KIND, &mut intent, sent, FIELDS);
    intent = destination::terms(&intent, sent);
    destination::check(call.account, &intent, amount)?;
    if let Some(method) = sent.get("capture_method") {
        intent.insert("capture_method".into(), method.clone());
    }
    assign_metadata(&mut intent, sent)?;
    if let Some(method) = method_of(call.account, &intent, sent)? {
        intent.insert("payment_method".into(), method.id().into());
        intent.insert("next_action".into(), Value::Null);
        intent.insert("status".into(), "requires_confirmation".into());
    }
    // Stripe tells of payment intents only when their status changes.
    Ok(Reply::Kept(call.account.put(KIND, &intent)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("customer", "customer")])
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, KIND, &["amount", "created", "currency", "customer", "metadata", "status"])
}

/// The customer authenticated, or did not: what a bank's page decides. The intent afterwards.
pub(crate) fn complete_authentication(account: &mut Account, id: &str, succeeded: bool) -> Option<Object> {
    let mut intent = account.get(KIND, id)?;
    if status(&intent) != "requires_action" {
        return Some(intent);
    }
    if succeeded {
        let method = account.get("payment_method", intent.text("payment_method").unwrap_or_default())?;
        let terms = Terms { authenticated: true, ..Terms::default() };
        // A decline is on the intent; nobody waits for an answer here.
        let _ = attempt(account, &mut intent, &method, &terms);
    } else {
        let message = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a \
            new PaymentMethod to attempt to fulfill this PaymentIntent again.";
        let error = ApiError::invalid(message).code("payment_intent_authentication_failure");
        fail(account, &mut intent, error);
    }
    Some(intent)
}
