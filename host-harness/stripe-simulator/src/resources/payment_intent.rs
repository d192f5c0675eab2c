//! Payment intents: the state machine of a payment.
//!
//! ```text
//! requires_payment_method → requires_confirmation → (requires_action →) succeeded
//!           ↑ declined ────────────────┘                     └→ requires_capture → succeeded
//! ```
//! and `canceled` from every state that is not final; what becomes of money that is held is in `authorization`.
//!
//! The simulated account has cards enabled and nothing that redirects the customer, so no confirmation needs
//! a `return_url`.

use serde_json::{Value, json};

use stripe_facts::{Facts, Shape};

use super::application_fee::APPLICATION;
use super::cards::{Authentication, Behaviour};
use super::fields::{assign, assign_metadata, new_metadata, object};
use super::{
    Call, Operations, Read, Reply, authorization, charge, checkout_session, confirmation_token, customer, destination,
    dispute, external_account, invoice, listing, money, payment_method, search, setup_intent,
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
    ("POST", "/v1/payment_intents/{intent}/cancel", cancel),
];

pub(super) const KIND: &str = "payment_intent";

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

/// Banking days until a customer's bank has answered a debit.
const DEBITING: u32 = 4;
/// The end of the number of a test account whose bank never answers.
const SILENT: &str = "0009";

/// What a payment is attempted under.
#[derive(Debug, Default, Clone)]
pub(super) struct Terms {
    /// The customer is not there to authenticate.
    pub(super) off_session: bool,
    /// The customer has just authenticated.
    pub(super) authenticated: bool,
    /// The merchant wants the customer to authenticate where that is possible.
    pub(super) challenge: bool,
    /// Fail instead of asking the customer to authenticate.
    pub(super) refuse_action: bool,
    /// Where the customer returns to after authenticating elsewhere.
    pub(super) return_url: Option<String>,
}

/// A payment intent that nothing happened to yet.
pub(super) fn build(account: &mut Account, amount: i64, currency: &str, sent: &Object) -> Object {
    let id = account.new_id("pi");
    let client_secret = format!("{id}_secret_{}", account.letters(25));
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
        "automatic_payment_methods": automatic_methods(sent),
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
    assign_options(&mut intent, sent);
    if let Some(transfer) = sent.object("transfer_data") {
        intent.insert(
            "transfer_data".into(),
            json!({"amount": transfer.get("amount"), "destination": transfer.get("destination")}),
        );
    }
    intent
}

/// `automatic_payment_methods`: on unless the caller says otherwise.
pub(super) fn automatic_methods(sent: &Object) -> Value {
    match sent.object("automatic_payment_methods") {
        Some(sent) if !sent.is_true("enabled") => Value::Null,
        Some(sent) => json!({"allow_redirects": sent.text("allow_redirects").unwrap_or("always"), "enabled": true}),
        None => json!({"allow_redirects": "always", "enabled": true}),
    }
}

/// Copies what `payment_method_options` says of cards onto an intent of either kind, as far as intents show it.
pub(super) fn assign_options(intent: &mut Object, sent: &Object) {
    let Some(sent) = sent.object("payment_method_options").and_then(|o| o.object("card")) else { return };
    let fields = Facts::bundled().object(intent.text("object").unwrap_or_default()).unwrap_or_default();
    let Some(Shape::Object(options)) = fields.iter().find(|f| f.name == "payment_method_options").map(|f| &f.shape)
    else {
        return;
    };
    let Some(Shape::Object(known)) = options.iter().find(|f| f.name == "card").map(|f| &f.shape) else { return };
    let shown = intent.get_mut("payment_method_options").and_then(|o| o.get_mut("card"));
    let Some(shown) = shown.and_then(Value::as_object_mut) else { return };
    for (name, value) in sent {
        if known.iter().any(|f| f.name == *name) && (value.is_string() || value.is_boolean()) {
            shown.insert(name.clone(), if value == "" { Value::Null } else { value.clone() });
        }
    }
}

fn option<'o>(intent: &'o Object, name: &str) -> Option<&'o str> {
    intent.object("payment_method_options")?.object("card")?.text(name)
}

/// Whether an intent of either kind asks for 3D Secure where it is possible.
pub(super) fn asks_to_authenticate(intent: &Object) -> bool {
    matches!(option(intent, "request_three_d_secure"), Some("any" | "challenge"))
}

/// Whether the merchant asked for a feature that cards have only then.
pub(super) fn asks_for(intent: &Object, feature: &str) -> bool {
    option(intent, feature) == Some("if_available")
}

/// `payment_method_types`, which earlier versions let the caller choose.
pub(super) fn method_types(sent: &Object) -> Value {
    let chosen = sent.list("payment_method_types");
    if chosen.is_empty() { json!(["card"]) } else { chosen.into() }
}

/// Where an intent stands.
pub(super) fn status(intent: &Object) -> &str {
    intent.text("status").unwrap_or_default()
}

/// 400: what is asked for cannot be done to an intent in its state.
pub(super) fn unexpected_state(intent: &Object, message: String) -> ApiError {
    ApiError::invalid(message).code("payment_intent_unexpected_state").with(KIND, Value::Object(intent.clone()))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut sent = std::mem::take(&mut call.parameters);
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
    confirmation_token::spend(call.account, &mut sent, KIND, intent.id());
    assign(KIND, &mut intent, &sent, &["setup_future_usage", "shipping"]);
    attempt(call.account, &mut intent, &method, &terms(&sent)).map(|()| intent.into())
}

fn terms(sent: &Object) -> Terms {
    Terms {
        off_session: sent.get("off_session").is_some_and(|v| *v != false),
        authenticated: false,
        challenge: false,
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
    let Some(method) = payment_method::described(account, sent)? else { return Ok(None) };
    let id = method.id();
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
        let charge = charge::wait(account, intent, method);
        intent.insert("latest_charge".into(), charge.id().into());
        intent.insert("status".into(), "processing".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.processing", text);
        let (_, due) = account.in_banking_days(DEBITING);
        account.later(due, end_debit, intent.id());
        return Ok(());
    }
    if kind == "customer_balance" {
        intent.insert("status".into(), "requires_action".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.requires_action", text);
        return Ok(());
    }
    let terms = &Terms { challenge: asks_to_authenticate(intent), ..terms.clone() };
    match verdict(account, method, terms) {
        Verdict::Pays => {
            paid(account, intent, method, flow(method, terms));
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
    let card = payment_method::card(method);
    let set_up = terms.off_session && account.set_up_off_session.contains(method.id());
    let asked = match card.authentication {
        Authentication::Always => true,
        Authentication::UnlessSetUp => !set_up,
        Authentication::OnSession => !terms.off_session,
        Authentication::IfAsked => terms.challenge && !terms.off_session,
        Authentication::Unneeded | Authentication::Frictionless | Authentication::Broken => false,
    };
    let must_authenticate = asked && !terms.authenticated;
    match card.behaviour {
        _ if must_authenticate && (terms.off_session || terms.refuse_action) => {
            Verdict::Declines("authentication_required", "authentication_required")
        }
        _ if must_authenticate => Verdict::Authenticates,
        Behaviour::Declines(code, decline_code) => Verdict::Declines(code, decline_code),
        Behaviour::DeclinesLater(decline_code) => Verdict::Declines("card_declined", decline_code),
        Behaviour::Blocked => Verdict::Declines("card_declined", "fraudulent"),
        Behaviour::Pays(_)
        | Behaviour::Disputes(..)
        | Behaviour::Inquires
        | Behaviour::Warns
        | Behaviour::RefundsLate
        | Behaviour::RefundsFail => Verdict::Pays,
    }
}

/// How the customer authenticated, if that happened.
fn flow(method: &Object, terms: &Terms) -> Option<&'static str> {
    match payment_method::card(method).authentication {
        _ if terms.authenticated => Some("challenge"),
        Authentication::Frictionless => Some("frictionless"),
        _ => None,
    }
}

/// What the customer does to authenticate: goes to the bank's page, and comes back where the merchant has a page.
pub(super) fn authentication(account: &Account, intent: &str, terms: &Terms) -> Value {
    let url = format!("{}/_simulator/authenticate/{intent}", account.settings().base_url);
    match &terms.return_url {
        Some(return_url) => {
            json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}})
        }
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }),
    }
}

fn ask_for_authentication(account: &mut Account, intent: &mut Object, terms: &Terms) {
    let action = authentication(account, intent.id(), terms);
    intent.insert("next_action".into(), action);
    intent.insert("status".into(), "requires_action".into());
    let text = account.put(KIND, intent);
    account.emit("payment_intent.requires_action", text);
    if let Some(("invoice", id)) = account.purposes.get(intent.id()).cloned() {
        invoice::payment_action_required(account, &id);
    }
}

fn paid(account: &mut Account, intent: &mut Object, method: &Object, flow: Option<&str>) {
    let manual = intent.text("capture_method") == Some("manual");
    let charge = charge::succeed(account, intent, method, &charge::Manner { captured: !manual, flow });
    intent.insert("latest_charge".into(), charge.id().into());
    keep_for_later(account, intent, method);
    let amount = intent.integer("amount").unwrap_or_default();
    if manual {
        intent.insert("amount_capturable".into(), amount.into());
        intent.insert("status".into(), "requires_capture".into());
        let text = account.put(KIND, intent);
        account.emit("payment_intent.amount_capturable_updated", text);
        account.later(charge::expiry(account).1, authorization::expire, intent.id());
        return;
    }
    dispute::open_for(account, charge.id(), method);
    succeed(account, intent, amount);
}

/// All that will be received was.
pub(super) fn succeed(account: &mut Account, intent: &mut Object, received: i64) {
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

/// The customer's bank answers a debit.
fn end_debit(account: &mut Account, id: &str) {
    let Some(mut intent) = account.get(KIND, id).filter(|i| status(i) == "processing") else { return };
    let charge = intent.text("latest_charge").unwrap_or_default().to_owned();
    let method = intent.text("payment_method").and_then(|m| account.get("payment_method", m)).unwrap_or_default();
    let end = method.text("type").and_then(|t| method.object(t)).and_then(|b| b.text("last4")).unwrap_or_default();
    if end == SILENT {
        return;
    }
    let why = external_account::failure_of(end).map(|(code, _)| code);
    let fails = payment_method::FAILING_DEBITS.contains(&end).then_some("payment_method_provider_decline");
    let Some(code) = why.or(fails) else {
        charge::arrive(account, &charge);
        keep_for_later(account, &intent, &method);
        let amount = intent.integer("amount").unwrap_or_default();
        succeed(account, &mut intent, amount);
        return;
    };
    // A currency that a bank account does not take is no error of payments.
    let code = if code == "invalid_currency" { "payment_method_provider_decline" } else { code };
    let message = "The customer's bank refused the debit.";
    charge::refuse(account, &charge, code, message);
    let error = ApiError::card(code, message).with("charge", charge).with("payment_method", Value::Object(method));
    fail(account, &mut intent, error);
}

/// A debit arrived.
pub(super) fn settle_debit(account: &mut Account, intent: &mut Object, method: &Object) {
    paid(account, intent, method, None);
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
    let mut sent = std::mem::take(&mut call.parameters);
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
    let method = match method_of(call.account, &intent, &sent)? {
        Some(method) => method,
        None => match intent.text("payment_method") {
            Some(id) => call.account.find("payment_method", id, "payment_method")?,
            None => return Err(no_method(&intent)),
        },
    };
    confirmation_token::spend(call.account, &mut sent, KIND, intent.id());
    assign(KIND, &mut intent, &sent, &["receipt_email", "setup_future_usage", "shipping"]);
    assign_options(&mut intent, &sent);
    if let Some(method) = sent.get("capture_method") {
        intent.insert("capture_method".into(), method.clone());
    }
    attempt(call.account, &mut intent, &method, &terms(&sent)).map(|()| intent.into())
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
    let charge = intent.text("latest_charge").unwrap_or_default();
    match status(intent) {
        "requires_capture" => charge::release(account, charge, "charge.refunded"),
        "processing" => charge::refuse(account, charge, "canceled", "The payment was canceled."),
        _ => {}
    }
    end(account, intent, reason);
}

/// Nothing will be received any more, and nothing is held.
pub(super) fn end(account: &mut Account, intent: &mut Object, reason: Value) {
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
    assign_options(&mut intent, sent);
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

/// The customer authenticated, or did not: what a bank's page decides about an intent of either kind. The intent
/// afterwards.
pub(crate) fn complete_authentication(account: &mut Account, id: &str, succeeded: bool) -> Option<Object> {
    let Some(mut intent) = account.get(KIND, id) else {
        return setup_intent::complete_authentication(account, id, succeeded);
    };
    if status(&intent) != "requires_action" {
        return Some(intent);
    }
    let method = account.get("payment_method", intent.text("payment_method").unwrap_or_default())?;
    if succeeded {
        let terms = Terms { authenticated: true, ..Terms::default() };
        // A decline is on the intent; nobody waits for an answer here.
        let _ = attempt(account, &mut intent, &method, &terms);
    } else {
        let message = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a \
            new PaymentMethod to attempt to fulfill this PaymentIntent again.";
        let error = ApiError::invalid(message)
            .code("payment_intent_authentication_failure")
            .with("payment_method", Value::Object(method));
        fail(account, &mut intent, error);
    }
    Some(intent)
}
