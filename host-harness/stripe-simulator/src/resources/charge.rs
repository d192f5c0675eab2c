//! Charges: what attempts to pay leave behind, and the money that they move.

use serde_json::{Value, json};
use stripe_facts::{Facts, Shape};

use super::application_fee::APPLICATION;
use super::cards::{self, Behaviour};
use super::fields::{assign, assign_metadata, new_metadata, object};
use super::{
    Call, Operations, Read, Reply, balance, customer, destination, dispute, listing, money, payment_intent,
    payment_method, search, setup_attempt,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, moment, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/charges", list),
    ("GET", "/v1/charges/search", find),
    ("GET", "/v1/charges/{charge}", retrieve),
    ("POST", "/v1/charges/{charge}", update),
    ("POST", "/v1/charges", create),
    ("POST", "/v1/charges/{charge}/capture", capture_operation),
];

const KIND: &str = "charge";

/// Days that an authorization lasts.
const AUTHORIZATION: u32 = 7;

/// How a charge is made.
#[derive(Debug, Default)]
pub(super) struct Manner<'a> {
    /// Whether the money is taken at once, or only held.
    pub(super) captured: bool,
    /// How the customer authenticated, if that happened.
    pub(super) flow: Option<&'a str>,
}

/// When money that is held from now on is let go: as the charge tells it, and when it comes, both in milliseconds
/// since 1970.
pub(super) fn expiry(account: &Account) -> (i64, i64) {
    let day = i64::try_from(account.settings().banking_day.as_millis()).unwrap_or(i64::MAX);
    let lasts = day.saturating_mul(i64::from(AUTHORIZATION));
    let told = now().saturating_mul(1000).saturating_add(lasts);
    (told, told.min(moment().saturating_add(lasts)))
}

/// Sets a member of what a charge tells about its card.
fn set_detail(charge: &mut Object, name: &str, value: Value) {
    let details = charge.get_mut("payment_method_details").and_then(|d| d.get_mut("card"));
    if let Some(card) = details.and_then(Value::as_object_mut) {
        card.insert(name.into(), value);
    }
}

fn is_card(method: &Object) -> bool {
    method.text("type").is_none_or(|kind| kind == "card")
}

/// What a charge tells about a payment method that is no card: what the payment method tells, as far as charges do.
fn of_bank(method: &Object, kind: &str) -> Value {
    let fields = Facts::bundled().object(KIND).unwrap_or_default();
    let details = match fields.iter().find(|f| f.name == "payment_method_details").map(|f| &f.shape) {
        Some(Shape::Object(kinds)) => kinds.iter().find(|f| f.name == kind).map(|f| &f.shape),
        _ => None,
    };
    let Some(Shape::Object(known)) = details else { return json!({}) };
    let given = method.object(kind);
    let member = |name: &str| given.and_then(|g| g.get(name)).cloned().unwrap_or_default();
    let members = known.iter().filter(|f| !f.required || given.is_some_and(|g| g.contains_key(&f.name)));
    Value::Object(members.map(|f| (f.name.clone(), member(&f.name))).collect())
}

fn build(account: &mut Account, intent: &Object, method: &Object) -> Object {
    let empty = Object::new();
    let card = method.object("card").unwrap_or(&empty);
    let id = account.new_id(if is_card(method) { "ch" } else { "py" });
    let receipt = format!("{}/_simulator/receipts/{id}", account.settings().base_url);
    let brand = card.text("brand").unwrap_or("visa");
    let amount = intent.integer("amount").unwrap_or_default();
    let feature =
        |name| json!({"status": if payment_intent::asks_for(intent, name) { "available" } else { "unavailable" }});
    let kind = method.text("type").unwrap_or("card");
    let details = json!({
        "card": {
            "amount_authorized": amount,
            "authorization_code": null,
            "brand": brand,
            "checks": card.get("checks"),
            "country": card.get("country"),
            "electronic_commerce_indicator": null,
            "exp_month": card.integer("exp_month").unwrap_or(12),
            "exp_year": card.integer("exp_year").unwrap_or(2034),
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card.get("fingerprint"),
            "funding": card.get("funding"),
            "incremental_authorization": feature("request_incremental_authorization"),
            "installments": null,
            "last4": card.get("last4"),
            "mandate": null,
            "multicapture": feature("request_multicapture"),
            "network": brand,
            "network_token": {"used": false},
            "network_transaction_id": account.letters(15),
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": null,
            "transaction_link_id": null,
            "wallet": null,
        },
        "type": "card",
    });
    let details = if kind == "card" { details } else { json!({kind: of_bank(method, kind), "type": kind}) };
    object(json!({
        "id": id,
        "object": KIND,
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": account.is_connected().then_some(APPLICATION),
        "application_fee": null,
        "application_fee_amount": intent.get("application_fee_amount"),
        "balance_transaction": null,
        "billing_details": method.get("billing_details"),
        "calculated_statement_descriptor": "SIMULATED SHOP",
        "captured": false,
        "created": now(),
        "currency": intent.get("currency"),
        "customer": intent.get("customer"),
        "description": intent.get("description"),
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": account.live(),
        "metadata": intent.get("metadata"),
        "on_behalf_of": intent.get("on_behalf_of"),
        "outcome": null,
        "paid": true,
        "payment_intent": intent.text("id"),
        "payment_method": method.id(),
        "payment_method_details": details,
        "presentment_details": null,
        "radar_options": {},
        "receipt_email": intent.get("receipt_email"),
        "receipt_number": null,
        "receipt_url": receipt,
        "refunded": false,
        "review": null,
        "shipping": intent.get("shipping"),
        "source": null,
        "source_transfer": null,
        "statement_descriptor": intent.get("statement_descriptor"),
        "statement_descriptor_suffix": intent.get("statement_descriptor_suffix"),
        "status": "succeeded",
        "transfer_data": transfer_data(intent),
        "transfer_group": intent.get("transfer_group"),
    }))
}

/// Where the money of a payment goes on to.
fn transfer_data(intent: &Object) -> Value {
    match intent.object("transfer_data") {
        Some(data) => json!({"amount": data.get("amount"), "destination": data.get("destination")}),
        None => Value::Null,
    }
}

fn outcome(reason: Option<&str>, risk: &str, network: &str, message: &str, kind: &str) -> Object {
    let score = match risk {
        "highest" => 92,
        "elevated" => 68,
        _ => 24,
    };
    object(json!({
        "advice_code": null, "network_advice_code": null, "network_decline_code": null, "network_status": network,
        "reason": reason, "risk_level": risk, "risk_score": score, "seller_message": message, "type": kind,
    }))
}

/// A charge that went through; without `captured` the money is only held.
pub(super) fn succeed(account: &mut Account, intent: &Object, method: &Object, manner: &Manner<'_>) -> Object {
    let mut charge = build(account, intent, method);
    let card = payment_method::card(method);
    let risk = if let Behaviour::Pays(risk) = card.behaviour { risk } else { "normal" };
    let kind = if risk == "highest" { "manual_review" } else { "authorized" };
    let reason = if risk == "normal" {
        None
    } else {
        Some(if risk == "highest" { "highest_risk_level" } else { "elevated_risk_level" })
    };
    let outcome = outcome(reason, risk, "approved_by_network", "Payment complete.", kind);
    charge.insert("outcome".into(), Value::Object(outcome));
    if let Some(flow) = manner.flow {
        let mut authenticated = setup_attempt::three_d_secure(account, flow);
        if let Some(members) = authenticated.as_object_mut() {
            members.insert("exemption_indicator".into(), Value::Null);
            members.insert("exemption_indicator_applied".into(), Value::Null);
        }
        set_detail(&mut charge, "three_d_secure", authenticated);
    }
    if manner.captured {
        let amount = charge.integer("amount").unwrap_or_default();
        take(account, &mut charge, amount);
    } else {
        set_detail(&mut charge, "capture_before", (expiry(account).0 / 1000).into());
    }
    account.create(KIND, "charge.succeeded", &charge);
    charge
}

/// A charge that was declined.
pub(super) fn fail(
    account: &mut Account,
    intent: &Object,
    method: &Object,
    code: &'static str,
    decline_code: &'static str,
) -> Object {
    let mut charge = build(account, intent, method);
    let blocked = payment_method::card(method).behaviour == Behaviour::Blocked;
    let mut outcome = if blocked {
        let message = "Stripe blocked this payment as too risky.";
        outcome(Some("highest_risk_level"), "highest", "not_sent_to_network", message, "blocked")
    } else {
        let message = match decline_code {
            "generic_decline" => "The bank did not return any further details with this decline.".to_owned(),
            other => format!("The bank returned the decline code `{other}`."),
        };
        outcome(Some(decline_code), "normal", "declined_by_network", &message, "issuer_declined")
    };
    outcome.insert("advice_code".into(), cards::advice(code, decline_code).into());
    for (name, value) in [
        ("failure_code", Value::from(code)),
        ("failure_message", cards::message(code, decline_code).into()),
        ("outcome", Value::Object(outcome)),
        ("paid", false.into()),
        ("receipt_url", Value::Null),
        ("status", "failed".into()),
    ] {
        charge.insert(name.into(), value);
    }
    account.create(KIND, "charge.failed", &charge);
    charge
}

/// A charge that waits for the customer's bank.
pub(super) fn wait(account: &mut Account, intent: &Object, method: &Object) -> Object {
    let mut charge = build(account, intent, method);
    let outcome = outcome(None, "not_assessed", "approved_by_network", "Payment complete.", "authorized");
    charge.insert("outcome".into(), Value::Object(outcome));
    charge.insert("paid".into(), false.into());
    charge.insert("status".into(), "pending".into());
    account.create(KIND, "charge.pending", &charge);
    charge
}

/// The money of a charge that waited is there.
pub(super) fn arrive(account: &mut Account, id: &str) {
    let Some(mut charge) = account.get(KIND, id) else { return };
    let amount = charge.integer("amount").unwrap_or_default();
    charge.insert("paid".into(), true.into());
    charge.insert("status".into(), "succeeded".into());
    take(account, &mut charge, amount);
    let text = account.put(KIND, &charge);
    account.emit("charge.succeeded", text);
}

/// The customer's bank refused a charge that waited.
pub(super) fn refuse(account: &mut Account, id: &str, code: &str, message: &str) {
    let Some(mut charge) = account.get(KIND, id) else { return };
    charge.insert("failure_code".into(), code.into());
    charge.insert("failure_message".into(), message.into());
    charge.insert("status".into(), "failed".into());
    let text = account.put(KIND, &charge);
    account.emit("charge.failed", text);
}

/// Whether money of a charge is available at once: banks of some test cards settle while one waits.
fn bypasses(charge: &Object) -> bool {
    let details = charge.object("payment_method_details").and_then(|d| d.object("card"));
    let card = details.and_then(|d| d.text("fingerprint")).and_then(cards::by_fingerprint);
    card.is_some_and(|c| c.name.starts_with("bypassPending"))
}

/// Takes money that a charge holds.
fn take(account: &mut Account, charge: &mut Object, amount: i64) {
    let available = bypasses(charge);
    let currency = charge.text("currency").unwrap_or_default().to_owned();
    let description = charge.text("description").map(str::to_owned);
    let movement = balance::Movement {
        amount,
        fee: money::fee(amount),
        currency: &currency,
        kind: if charge.id().starts_with("py_") { "payment" } else { "charge" },
        source: charge.id(),
        description: description.as_deref(),
        available,
    };
    // The fee of a direct charge is taken from it; that of any other from what is passed on.
    let fee = charge.integer("application_fee_amount").filter(|_| account.is_connected()).unwrap_or_default();
    let transaction = balance::record_with(account, &movement, fee.min(amount));
    let before = charge.integer("amount_captured").unwrap_or_default();
    charge.insert("amount_captured".into(), before.saturating_add(amount).into());
    charge.insert("balance_transaction".into(), transaction.into());
    charge.insert("captured".into(), true.into());
    destination::share(account, charge, amount, available);
}

/// Captures a charge that holds money, or another part of it; the parameters can change the fee and what is passed
/// on.
pub(super) fn capture(account: &mut Account, id: &str, amount: i64, sent: &Object) {
    let Some(mut charge) = account.get(KIND, id) else { return };
    if let Some(fee) = sent.integer("application_fee_amount") {
        charge.insert("application_fee_amount".into(), fee.into());
    }
    if let (Some(part), Some(Value::Object(data))) =
        (sent.object("transfer_data").and_then(|t| t.get("amount")), charge.get_mut("transfer_data"))
    {
        data.insert("amount".into(), part.clone());
    }
    if amount > 0 {
        take(account, &mut charge, amount);
    }
    let text = account.put(KIND, &charge);
    account.emit("charge.captured", text);
}

/// How often money of a charge was taken.
pub(super) fn captures(account: &Account, id: &str) -> usize {
    account.select("balance_transaction", id, |t| t.text("source") == Some(id)).len()
}

/// Raises the amount that a charge holds.
pub(super) fn raise(account: &mut Account, id: &str, amount: i64) {
    let Some(old) = account.get(KIND, id) else { return };
    let mut new = old.clone();
    new.insert("amount".into(), amount.into());
    set_detail(&mut new, "amount_authorized", amount.into());
    account.update(KIND, "charge.updated", &old, &new);
}

/// Lets go of the money that a charge holds, and tells so by an event.
pub(super) fn release(account: &mut Account, id: &str, event: &'static str) {
    let Some(mut charge) = account.get(KIND, id) else { return };
    let amount = charge.integer("amount").unwrap_or_default();
    let captured = charge.integer("amount_captured").unwrap_or_default();
    if captured == 0 {
        charge.insert("amount_refunded".into(), amount.into());
        charge.insert("refunded".into(), true.into());
    }
    let text = account.put(KIND, &charge);
    account.emit(event, text);
}

/// The authorization of a charge without a payment intent ends.
fn expire(account: &mut Account, id: &str) {
    let held = |c: &Object| !c.is_true("captured") && !c.is_true("refunded");
    if account.get(KIND, id).is_some_and(|c| held(&c)) {
        release(account, id, "charge.expired");
    }
}

/// `destination` and `application_fee` under the names that they have had since.
fn with_newer_names(mut sent: Object) -> Object {
    let (id, amount) = match sent.get("destination") {
        Some(Value::Object(given)) => (given.get("account").cloned(), given.get("amount").cloned()),
        other => (other.cloned(), None),
    };
    if let (Some(id), false) = (id, sent.contains_key("transfer_data")) {
        let mut data = object(json!({"destination": id}));
        data.extend(amount.map(|a| ("amount".to_owned(), a)));
        sent.insert("transfer_data".into(), Value::Object(data));
    }
    if let (Some(fee), false) = (sent.get("application_fee").cloned(), sent.contains_key("application_fee_amount")) {
        sent.insert("application_fee_amount".into(), fee);
    }
    sent
}

/// A charge without a payment intent, of a token or of a customer's card.
fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let Some(code) = sent.text("currency") else { return Err(ApiError::missing_param("currency")) };
    let currency = money::currency(code, "currency")?;
    let Some(amount) = sent.integer("amount") else { return Err(ApiError::missing_param("amount")) };
    money::check_charge(amount, &currency, "amount")?;
    let sent = with_newer_names(sent);
    destination::check(account, &sent, amount)?;
    let owner = match sent.text("customer") {
        Some(id) => Some(customer::named(account, id, "customer")?),
        None => None,
    };
    let method = match (sent.text("source"), &owner) {
        (Some(id), Some(owner)) if !id.starts_with("tok_") => {
            let method = account.find("payment_method", id, "source")?;
            if method.text("customer") != Some(owner.id()) {
                return Err(payment_method::not_attached(id, "source"));
            }
            method
        }
        (Some(token), _) => {
            let method = payment_method::of_token(account, token, &Object::new(), "source")?;
            account.put("payment_method", &method);
            method
        }
        (None, Some(owner)) => {
            let default = owner.text("default_source").and_then(|s| account.get("payment_method", s));
            default.ok_or_else(|| {
                ApiError::card("missing", "Cannot charge a customer that has no active card").param("card")
            })?
        }
        (None, None) => return Err(ApiError::missing_param("source")),
    };
    let mut like = sent.clone();
    like.insert("currency".into(), currency.into());
    like.insert("metadata".into(), new_metadata(&sent));
    match payment_intent::verdict(account, &method, &payment_intent::Terms { off_session: true, ..Default::default() })
    {
        payment_intent::Verdict::Pays => {
            let captured = sent.get("capture").is_none_or(|c| *c == true);
            let charge = succeed(account, &like, &method, &Manner { captured, flow: None });
            if !captured {
                account.later(expiry(account).1, expire, charge.id());
            }
            dispute::open_for(account, charge.id(), &method);
            Ok(account.get(KIND, charge.id()).unwrap_or(charge).into())
        }
        payment_intent::Verdict::Declines(code, decline_code) => {
            let charge = fail(account, &like, &method, code, decline_code);
            Err(payment_method::decline_error(code, decline_code).with("charge", charge.id()))
        }
        payment_intent::Verdict::Authenticates => {
            Err(payment_method::decline_error("authentication_required", "authentication_required"))
        }
    }
}

fn capture_operation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let charge = call.named(KIND)?;
    let total = charge.integer("amount").unwrap_or_default();
    let amount = call.parameters.integer("amount").unwrap_or(total);
    if charge.is_true("refunded") && !charge.is_true("captured") {
        let message = format!("Charge {} has expired or was refunded, so it cannot be captured.", charge.id());
        return Err(ApiError::invalid(message).code("charge_expired_for_capture"));
    }
    if charge.is_true("captured") || charge.text("status") != Some("succeeded") {
        let message = format!("Charge {} has already been captured.", charge.id());
        return Err(ApiError::invalid(message).code("charge_already_captured"));
    }
    if charge.text("payment_intent").is_some() {
        return Err(ApiError::invalid("This charge is of a PaymentIntent: capture that instead."));
    }
    if amount < 1 {
        return Err(ApiError::too_small("amount", 1));
    }
    if amount > total {
        return Err(ApiError::too_large("amount", total));
    }
    let sent = std::mem::take(&mut call.parameters);
    let known = destination::terms(&charge, &sent);
    // With less captured, what concerns connected accounts is capped.
    destination::check(call.account, &known, total)?;
    capture(call.account, charge.id(), amount, &sent);
    call.named(KIND).map(Reply::from)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    let sent = &call.parameters;
    assign(KIND, &mut new, sent, &["description", "fraud_details", "receipt_email", "shipping", "transfer_group"]);
    if let Some(id) = sent.text("customer") {
        new.insert("customer".into(), customer::named(call.account, id, "customer")?.id().into());
    }
    assign_metadata(&mut new, sent)?;
    Ok(Reply::Kept(call.account.update(KIND, "charge.updated", &old, &new)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let equal = [("customer", "customer"), ("payment_intent", "payment_intent"), ("transfer_group", "transfer_group")];
    listing::shelf(call, KIND, &equal)
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    const FIELDS: &[&str] = &[
        "amount",
        "billing_details.address.postal_code",
        "created",
        "currency",
        "customer",
        "disputed",
        "metadata",
        "payment_method_details.card.brand",
        "payment_method_details.card.exp_month",
        "payment_method_details.card.exp_year",
        "payment_method_details.card.fingerprint",
        "payment_method_details.card.last4",
        "refunded",
        "status",
    ];
    search::answer(call, KIND, FIELDS)
}
